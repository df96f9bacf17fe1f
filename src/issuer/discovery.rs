//! An issuer's metadata document: OIDC Discovery 1.0 §4 and RFC 8414 §3.

use reqwest::{Client, Url, header::ACCEPT};
use serde::Deserialize;

use super::client::{FetchError, Outgoing, is_allowed, is_json, is_loopback};

/// The largest document, in bytes. Real ones have a few KiB.
const MAX_DOCUMENT: usize = 256 * 1024;

/// The part of the metadata that is used.
#[derive(Debug, Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: Option<String>,
}

/// The issuer's `jwks_uri`.
///
/// # Errors
/// [`FetchError`]; the error of OpenID Connect's form, unless that document does not exist.
pub async fn jwks_uri(
    outgoing: &Outgoing,
    client: &Client,
    issuer: &str,
) -> Result<Url, FetchError> {
    let [openid, oauth] = well_known(issuer)?;
    match fetch(outgoing, client, issuer, openid).await {
        // Some servers answer every path with their application's page.
        Err(FetchError::Status { .. } | FetchError::WrongType(_)) => {
            fetch(outgoing, client, issuer, oauth).await
        }
        found => found,
    }
}

async fn fetch(
    outgoing: &Outgoing,
    client: &Client,
    issuer: &str,
    url: Url,
) -> Result<Url, FetchError> {
    let request = client.get(url.clone()).header(ACCEPT, "application/json");
    let (_, body) = outgoing
        .fetch(request, MAX_DOCUMENT, is_json, issuer)
        .await?;
    let metadata: Metadata = serde_json::from_slice(&body).map_err(|error| {
        FetchError::Malformed(format!("{url} is no metadata document: {error}"))
    })?;
    // RFC 8414 §3.3: a document of another issuer must not be used.
    if metadata.issuer != issuer {
        let found: String = metadata.issuer.chars().take(200).collect();
        return Err(FetchError::Malformed(format!(
            "{url} is the document of the issuer {found:?}; `issuer` must equal it to the letter"
        )));
    }
    let text = metadata
        .jwks_uri
        .ok_or_else(|| FetchError::Malformed(format!("{url} has no jwks_uri")))?;
    let keys = Url::parse(&text).map_err(|error| {
        FetchError::Malformed(format!("the jwks_uri in {url} is no URL: {error}"))
    })?;
    // A document from outside must not point us at our own machine.
    if !is_allowed(&keys) || (is_loopback(&keys) && !is_loopback(&url)) {
        return Err(FetchError::Malformed(format!(
            "the jwks_uri in {url} is not an https URL"
        )));
    }
    Ok(keys)
}

/// Where the documents are: OIDC appends to the issuer's path, RFC 8414 §3.1 inserts before it.
fn well_known(issuer: &str) -> Result<[Url; 2], FetchError> {
    let unusable =
        |error| FetchError::Malformed(format!("the issuer {issuer:?} is no URL: {error}"));
    let base = Url::parse(issuer).map_err(unusable)?;
    let path = base.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut url = base.clone();
        url.set_path(&path);
        url
    };
    Ok([
        at(format!("{path}/.well-known/openid-configuration")),
        at(format!("/.well-known/oauth-authorization-server{path}")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_well_known() {
        let urls = |issuer| well_known(issuer).unwrap().map(String::from);
        assert_eq!(
            urls("https://sso.example.com/realms/corp/"),
            [
                "https://sso.example.com/realms/corp/.well-known/openid-configuration",
                "https://sso.example.com/.well-known/oauth-authorization-server/realms/corp"
            ]
        );
        assert_eq!(
            urls("https://issuer.example"),
            [
                "https://issuer.example/.well-known/openid-configuration",
                "https://issuer.example/.well-known/oauth-authorization-server"
            ]
        );
        assert!(well_known("not a url").is_err());
    }
}
