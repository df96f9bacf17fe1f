//! URLs: the product's, and those that Postern itself connects to.

use std::net::IpAddr;

use reqwest::Url;
use url::Position;

use crate::policy::path;

/// The product's base URL, taken apart.
pub struct Base {
    /// In its normal form, without a trailing slash.
    pub url: String,
    /// Its path without a trailing slash: empty, or `/jira`.
    pub context_path: String,
    /// As it stands in the `Host` field: with a port unless that is the scheme's own.
    pub host: String,
}

/// The product's base URL. http is fine: it is only a name here; where Postern connects is [`product`]'s to judge.
pub fn base(text: &str) -> Result<Base, String> {
    let url = parse(text)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("this must be an http or https URL".to_owned());
    }
    if url.query().is_some() {
        return Err("a base URL has no query".to_owned());
    }
    let context_path = url.path().trim_end_matches('/');
    if !context_path.is_empty() && !path::is_canonical(context_path) {
        return Err("the context path must be plain: requests are judged in one canonical form, and it would match none".to_owned());
    }
    Ok(Base {
        url: url.as_str().trim_end_matches('/').to_owned(),
        context_path: context_path.to_owned(),
        host: url[Position::BeforeHost..Position::AfterPort].to_owned(),
    })
}

/// A URL that Postern connects to: https, so that nobody on the way can answer in the issuer's
/// name; http only where there is no way, on this machine.
pub fn outgoing(text: &str) -> Result<Url, String> {
    let url = parse(text)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(
            "this must be https: over http anyone on the way could answer in the issuer's name \
             (http is allowed towards localhost, 127.0.0.0/8 and ::1)"
                .to_owned(),
        ),
        _ => Err("this must be an https URL".to_owned()),
    }
}

/// Where Postern connects to the product, with the context path: http beyond this machine only if that was said.
pub fn product(text: &str, context_path: &str, insecure: bool) -> Result<Url, String> {
    let mut url = parse(text)?;
    match url.scheme() {
        "https" => {}
        "http" if insecure || is_loopback(&url) => {}
        "http" => {
            return Err(
                "over http anyone on the way reads sessions and `admin_token`, and could answer in the product's name"
                    .to_owned(),
            );
        }
        _ => return Err("this must be an https or http URL".to_owned()),
    }
    if url.query().is_some() {
        return Err("an address has no query".to_owned());
    }
    let path = url.path().trim_end_matches('/');
    if !path.is_empty() && path != context_path {
        return Err("the product's context path is that of `url`, here too".to_owned());
    }
    url.set_path(context_path);
    Ok(url)
}

/// An issuer whose discovery document is fetched.
pub fn discoverable(text: &str) -> Result<Url, String> {
    let url = outgoing(text)?;
    if url.query().is_some() {
        return Err("an issuer has no query (RFC 8414 §2)".to_owned());
    }
    Ok(url)
}

/// What all of them have in common. The `url` crate repairs much that a browser would; a
/// configuration is better corrected by its writer.
fn parse(text: &str) -> Result<Url, String> {
    // RFC 3986 §2, and the letters of a host name that is written as people read it.
    let allowed = |c: char| c.is_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(c);
    if !text.chars().all(allowed) {
        return Err("this holds characters that no URL has".to_owned());
    }
    match text.split_once("://") {
        Some((_, rest)) if !rest.is_empty() && !rest.starts_with(['/', '?', '#']) => {}
        _ => return Err("this is no URL of the form https://host/path".to_owned()),
    }
    let url = Url::parse(text).map_err(|error| format!("this is no URL: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a URL in a tenant file holds no user name or password".to_owned());
    }
    if url.fragment().is_some() {
        return Err("this URL must not have a fragment (`#…`)".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("this URL has no host".to_owned());
    }
    Ok(url)
}

/// Whether the URL leads to this very machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
