//! Fetching a JWK Set.

use reqwest::{
    Url,
    header::{ACCEPT, CACHE_CONTROL},
};

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
    /// Where it was found.
    pub jwks_uri: Url,
    /// Seconds for which the issuer lets it be cached.
    pub max_age: Option<u64>,
}

/// Fetches the keys of a source, by way of the issuer's metadata where it takes that. While the metadata can't
/// be fetched, the keys are looked for where they were found `last_time`.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(
    outgoing: &Outgoing,
    ca: Option<&[u8]>,
    id: &SourceId,
    last_time: Option<&str>,
) -> Result<Document, FetchError> {
    let client = outgoing.client(ca)?;
    let url = match id.origin() {
        FetchedFrom::Jwks(url) => url
            .parse()
            .map_err(|_| FetchError::Malformed("it is no URL".into()))?,
        FetchedFrom::Discovery(issuer) => {
            match (
                discovery::jwks_uri(outgoing, &client, issuer).await,
                last_time.map(Url::parse),
            ) {
                (Ok(found), _) => found,
                // Metadata that says something wrong is not outvoted by what it said before.
                (Err(error @ FetchError::Malformed(_)), _) => return Err(error),
                (Err(error), Some(Ok(known))) => {
                    tracing::warn!(
                        issuer,
                        "the issuer's metadata can't be fetched, and its last known jwks_uri is used: {error}"
                    );
                    known
                }
                (Err(error), _) => return Err(error),
            }
        }
    };
    let request = client
        .get(url.clone())
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
    let max_age = max_age(cache_control);
    Ok(Document {
        keys,
        text,
        jwks_uri: url,
        max_age,
    })
}

/// What `Cache-Control` (RFC 9111 §5.2.2) says of how long a document is good; the shortest, if it says several things.
fn max_age<'h>(values: impl Iterator<Item = &'h str>) -> Option<u64> {
    let seconds = |directive: &str| {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => Some(0),
            "max-age" => value.trim().trim_matches('"').parse().ok(),
            _ => None,
        }
    };
    values
        .flat_map(|value| value.split(','))
        .filter_map(seconds)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_is_read() {
        for (value, age) in [
            ("max-age=300", Some(300)),
            ("public, Max-Age=\"3600\", must-revalidate", Some(3600)),
            ("no-cache", Some(0)),
            ("no-store, max-age=3600", Some(0)),
            ("max-age=soon", None),
            ("s-maxage=60", None),
            ("", None),
        ] {
            assert_eq!(max_age(std::iter::once(value)), age, "{value}");
        }
    }
}
