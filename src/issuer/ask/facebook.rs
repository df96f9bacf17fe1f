//! Not built yet.

use reqwest::Url;

use super::{Answer, Caller};
use crate::issuer::client::FetchError;

pub(super) async fn ask(
    _caller: &Caller<'_>,
    _api: &Url,
    _token: &str,
) -> Result<Answer, FetchError> {
    Err(FetchError::Malformed("not built yet".into()))
}
