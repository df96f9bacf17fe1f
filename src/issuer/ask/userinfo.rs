//! OIDC Core §5.3: who the user of a token is.

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION},
};

use super::{Answer, Caller, bearer, object};
use crate::{issuer::client::FetchError, verify::json::Json};

pub(super) async fn ask(
    caller: &Caller<'_>,
    endpoint: &Url,
    token: &str,
) -> Result<Answer, FetchError> {
    let request = caller
        .client
        .get(endpoint.clone())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer(token)?);
    let answered = caller.send(request).await?;
    // RFC 6750 §3.1: 401 is about the token, 403 about its scope, which has to have `openid`.
    match (answered.status, answered.retry_after) {
        (401, _) => return Ok(Answer::Inactive("it answered 401".into())),
        (403, None) => {
            return Ok(Answer::Inactive(
                "it answered 403; has the token the scope openid?".into(),
            ));
        }
        _ => {}
    }
    let answered = answered.ok()?;
    let members = object(&answered)?;
    // §5.3.2: `sub` is the one member that must be there.
    match members.get("sub") {
        Some(Json::Text(_)) => Ok(Answer::Active(members.into_owned().into())),
        _ => Err(FetchError::Malformed("the answer has no \"sub\"".into())),
    }
}
