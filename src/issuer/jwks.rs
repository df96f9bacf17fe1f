//! Fetching a JWK Set.

use reqwest::header::{ACCEPT, CACHE_CONTROL};

use super::{
    client::{FetchError, Outgoing, is_json},
    discovery,
    key_source::{FetchedFrom, SourceId},
};
use crate::keys::KeySet;

/// The largest JWK Set, in bytes: room for [`MAX_KEYS`](crate::keys::MAX_KEYS) keys with certificates.
const MAX_DOCUMENT: usize = 1024 * 1024;

/// A usable document of keys.
pub struct Document {
    /// Its usable keys.
    pub keys: KeySet,
    /// As it was sent.
    pub text: String,
    /// Seconds for which the issuer lets it be cached.
    pub max_age: Option<u64>,
}

/// Fetches the keys of a source, by way of the issuer's metadata where it takes that.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(
    outgoing: &Outgoing,
    ca: Option<&[u8]>,
    id: &SourceId,
) -> Result<Document, FetchError> {
    let client = outgoing.client(ca)?;
    let url = match id.origin() {
        FetchedFrom::Jwks(url) => url
            .parse()
            .map_err(|_| FetchError::Malformed("it is no URL".into()))?,
        FetchedFrom::Discovery(issuer) => discovery::jwks_uri(outgoing, &client, issuer).await?,
    };
    let request = client
        .get(url)
        .header(ACCEPT, "application/jwk-set+json, application/json");
    let (headers, body) = outgoing
        .fetch(request, MAX_DOCUMENT, is_json, id.label())
        .await?;
    let keys =
        KeySet::from_jwks(&body).map_err(|problem| FetchError::Malformed(problem.to_string()))?;
    let text = String::from_utf8(body)
        .map_err(|_| FetchError::Malformed("the document is not text".into()))?;
    let cache_control = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let max_age = cache_control
        .flat_map(|value| value.split(','))
        .filter_map(|directive| directive.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("max-age"))
        .and_then(|(_, seconds)| seconds.trim_matches('"').parse().ok());
    Ok(Document {
        keys,
        text,
        max_age,
    })
}
