//! Who may call what: judged on every request, on facts.

pub mod git;
pub mod path;
pub mod pattern;
pub mod rates;

use std::net::IpAddr;

use url::form_urlencoded;

use path::Place;

use crate::{
    decision::{Denial, Denied},
    request::Request,
    tenant::settings::{Access, Product, Settings},
    verify::Principal,
};

impl Product {
    /// The paths of the product's API, under the context path: a product's own pages are not for tokens.
    fn api_paths(self) -> &'static [&'static str] {
        match self {
            Self::Jira => &["/rest", "/rpc", "/plugins/servlet", "/secure/attachment"],
            Self::Confluence => &["/rest", "/rpc", "/download"],
            Self::Bitbucket => &["/rest", "/scm", "/git", "/plugins/servlet"],
        }
    }

    /// The cookies that carry a session of the product. Their presence proves nothing.
    fn session_cookies(self) -> &'static [&'static str] {
        match self {
            Self::Jira => &["JSESSIONID", "seraph.rememberme.cookie", "crowd.token_key"],
            Self::Confluence => &["JSESSIONID", "seraph.confluence", "crowd.token_key"],
            Self::Bitbucket => &[
                "BITBUCKETSESSIONID",
                "_atl_bitbucket_remember_me",
                "crowd.token_key",
            ],
        }
    }
}

/// Whether the canonical `path` is one of the product's API, or one that the tenant file adds.
#[must_use]
pub fn is_api(settings: &Settings, path: &str) -> bool {
    let under = |prefix: &str| {
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    settings
        .product
        .api_paths()
        .iter()
        .any(|prefix| under(prefix))
        || settings.access.api_paths.iter().any(|prefix| under(prefix))
}

/// Whether some rule of the tenant file speaks of the canonical `path`.
#[must_use]
pub fn is_under_a_rule(access: &Access, path: &str) -> bool {
    access.public.iter().any(|rule| rule.path.matches(path))
}

/// Whether the call needs no credential: under every method that the product might take it for.
#[must_use]
pub fn is_public(access: &Access, request: &Request<'_>, path: &str) -> bool {
    request.methods().all(|method| {
        access.public.iter().any(|rule| {
            rule.method.as_deref().is_none_or(|wanted| wanted == method) && rule.path.matches(path)
        })
    })
}

/// Whether the request carries a session cookie of the product.
#[must_use]
pub fn has_session(product: Product, cookies: &[u8]) -> bool {
    session_cookies(product, cookies).next().is_some()
}

/// The product's session cookies among others (RFC 6265 §4.2.1): each by its name, and whole.
pub fn session_cookies(product: Product, cookies: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let pairs = cookies.split(|byte| *byte == b';').map(|pair| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        (name.trim_ascii(), pair.trim_ascii())
    });
    pairs.filter(move |(name, _)| {
        let mut known = product.session_cookies().iter();
        known.any(|known| known.as_bytes() == *name)
    })
}

/// Judges what needs no principal, for every way to pass: networks and `read_only`.
///
/// # Errors
/// [`Denied::AddressNotAllowed`], [`Denied::ReadOnly`]; [`Denied::BadCheckRequest`] where networks are set and
/// the proxy sent no address.
pub fn before_anything(access: &Access, request: &Request<'_>) -> Result<(), Denial> {
    if !access.allow_networks.is_empty() || !access.deny_networks.is_empty() {
        in_networks(access, address(request)?)?;
    }
    if access.read_only && !reads_by_method(request) {
        return Err(Denial::new(
            Denied::ReadOnly,
            format!("{} is refused: access.read_only is set", request.method),
        ));
    }
    Ok(())
}

/// The client's address, where something is to be judged by it.
///
/// # Errors
/// [`Denied::BadCheckRequest`].
pub fn address(request: &Request<'_>) -> Result<IpAddr, Denial> {
    request.address.ok_or_else(|| {
        Denial::new(Denied::BadCheckRequest, "networks and failures by address can't be judged: the proxy sent no readable client address (X-Real-IP or X-Forwarded-For)")
    })
}

/// Whether a request changes nothing, under every method that the product might take it for.
fn reads_by_method(request: &Request<'_>) -> bool {
    request
        .methods()
        .all(|method| matches!(method, "GET" | "HEAD" | "OPTIONS"))
}

/// Whether a request changes nothing, whatever its product makes of it.
#[must_use]
pub fn only_reads(product: Product, request: &Request<'_>, place: &Place<'_>) -> bool {
    let by_method = reads_by_method(request);
    match place {
        Place::Canonical(path) if git::is_git(product, path) => {
            git::only_reads(request, path, by_method)
        }
        Place::Canonical(_) | Place::Product => by_method,
    }
}

fn in_networks(access: &Access, address: IpAddr) -> Result<(), Denial> {
    let refused = |why: String| Err(Denial::new(Denied::AddressNotAllowed, why));
    if let Some(network) = access
        .deny_networks
        .iter()
        .find(|network| network.contains(&address))
    {
        return refused(format!(
            "{address} lies in {network} of access.deny_networks"
        ));
    }
    if !access.allow_networks.is_empty()
        && !access
            .allow_networks
            .iter()
            .any(|network| network.contains(&address))
    {
        return refused(format!("{address} lies in none of access.allow_networks"));
    }
    Ok(())
}

/// Refuses credentials in the query (RFC 6750 §2.3 and §5.3; `os_*` are the products' own passwords).
///
/// # Errors
/// [`Denied::CredentialInQuery`].
pub fn query(query: &[u8]) -> Result<(), Denial> {
    for (name, _) in form_urlencoded::parse(query) {
        if ["access_token", "os_username", "os_password", "os_authType"]
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            return Err(Denial::new(
                Denied::CredentialInQuery,
                format!("the query holds {name}; send credentials in the Authorization header"),
            ));
        }
    }
    Ok(())
}

/// Judges who it is.
///
/// # Errors
/// [`Denied::AccountProtected`], [`Denied::NotInGroup`].
pub fn principal(settings: &Settings, principal: &Principal) -> Result<(), Denial> {
    let access = &settings.access;
    principal.may_be_named(settings)?;
    if access.allow_groups.is_empty()
        || principal
            .groups()
            .any(|group| access.allow_groups.iter().any(|allowed| allowed == group))
    {
        return Ok(());
    }
    let message = format!(
        "{} is in none of access.allow_groups ({}), but in {} other groups{}",
        principal.account().escape_debug(),
        access.allow_groups.join(", "),
        principal.groups().count(),
        principal
            .groups_unknown()
            .map_or_else(String::new, |why| format!("; {why}"))
    );
    Err(Denial::new(Denied::NotInGroup, message))
}
