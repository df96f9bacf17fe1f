//! Who may call what: judged on every request, on facts.

pub mod git;
pub mod mode;
pub mod passwords;
pub mod path;
pub mod pattern;
pub mod product;
pub mod query;
pub mod rates;
pub mod rules;

use std::{borrow::Cow, net::IpAddr};

use crate::{
    decision::{Denial, Denied},
    request::Request,
    tenant::settings::{Access, CallPattern, Otherwise, Product, Settings},
    verify::Principal,
    witness::{Step, Witness},
};
use path::Place;
use product::is_under;
use rules::Matching;

/// Whether the canonical `path` is one of the product's API, or one that the tenant file adds.
#[must_use]
pub fn is_api(settings: &Settings, path: &str) -> bool {
    let own = settings.product.api_paths().iter();
    own.copied()
        .chain(settings.access.api_paths.iter().map(String::as_str))
        .any(|prefix| is_under(path, prefix))
}

/// Whether it matters what the canonical `path` is taken for: it is API, or something is said of it.
#[must_use]
pub fn is_protected(settings: &Settings, path: &str) -> bool {
    let access = &settings.access;
    is_api(settings, path)
        || access.public.iter().any(|call| call.path.matches(path))
        || access.rules.speak_of(path)
        || settings.product.is_token_endpoint(path)
}

/// Whether the call needs no credential: under every method that the product might take it for.
#[must_use]
pub fn is_public(access: &Access, request: &Request<'_>, path: &str) -> bool {
    is_listed(request, path, || access.public.iter())
}

/// Whether the call must be open for somebody to log in, or the tenant file says so.
#[must_use]
pub fn is_open(settings: &Settings, request: &Request<'_>, path: &str) -> bool {
    is_listed(request, path, || {
        let own = settings.product.open().iter();
        own.chain(&settings.access.open)
    })
}

fn is_listed<'c, C: Iterator<Item = &'c CallPattern>>(
    request: &Request<'_>,
    path: &str,
    calls: impl Fn() -> C,
) -> bool {
    request.methods().all(|method| {
        calls().any(|call| {
            let by = |wanted: &str| wanted == method || (wanted == "GET" && method == "HEAD");
            call.method.as_deref().is_none_or(by) && call.path.matches(path)
        })
    })
}

/// The canonical `path` as a log may show it: a call that is open by a pattern is told by the pattern, since what stands for
/// its `*` may be the secret of a webhook.
#[must_use]
pub fn shown_path<'p>(settings: &Settings, path: &'p str) -> Cow<'p, str> {
    let own = settings.product.open().iter();
    let mut open = own.chain(&settings.access.open);
    open.find(|call| call.path.matches(path))
        .map_or(Cow::Borrowed(path), |call| {
            Cow::Owned(call.path.to_string())
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

/// Judges calls whose body may hold a product password, however else they are made.
///
/// # Errors
/// [`Denied::PasswordNotAllowed`].
pub fn password_channel(
    settings: &Settings,
    request: &Request<'_>,
    place: &Place<'_>,
) -> Result<(), Denial> {
    match place {
        Place::Canonical(path) if settings.product.is_password_channel(request, path) => {
            settings.access.passwords.judge_unseen(request.address)
        }
        Place::Canonical(_) | Place::Product => Ok(()),
    }
}

/// Judges where the caller is, for every way to pass.
///
/// # Errors
/// [`Denied::AddressNotAllowed`]; [`Denied::BadCheckRequest`] where networks are set and the proxy sent no address.
pub fn networks(access: &Access, request: &Request<'_>) -> Result<(), Denial> {
    if !access.allow_networks.is_empty() || !access.deny_networks.is_empty() {
        in_networks(access, address(request)?)?;
    }
    Ok(())
}

/// Judges `read_only`, for every way to pass.
///
/// # Errors
/// [`Denied::ReadOnly`].
pub fn read_only(
    settings: &Settings,
    request: &Request<'_>,
    place: &Place<'_>,
) -> Result<(), Denial> {
    if settings.access.read_only && !only_reads(settings.product, request, place) {
        return Err(Denial::new(
            Denied::ReadOnly,
            format!("{} is refused: access.read_only is set", request.method),
        )
        .by("access.read_only"));
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
        // SOAP and XML-RPC name what they do elsewhere, and Axis takes even a GET for a call.
        Place::Canonical(path) => by_method && !product.is_remote_call(path),
        Place::Product => by_method,
    }
}

fn in_networks(access: &Access, address: IpAddr) -> Result<(), Denial> {
    let refused =
        |key: &'static str, why: String| Err(Denial::new(Denied::AddressNotAllowed, why).by(key));
    if let Some(network) = access
        .deny_networks
        .iter()
        .find(|network| network.contains(&address))
    {
        return refused(
            "access.deny_networks",
            format!("{address} lies in {network} of access.deny_networks"),
        );
    }
    if !access.allow_networks.is_empty()
        && !access
            .allow_networks
            .iter()
            .any(|network| network.contains(&address))
    {
        return refused(
            "access.allow_networks",
            format!("{address} lies in none of access.allow_networks"),
        );
    }
    Ok(())
}

/// Judges a call by somebody who is proved.
///
/// # Errors
/// Those of [`principal`] and [`Matching::judge`], and [`Denied::TokenEndpoint`].
pub fn call(
    settings: &Settings,
    place: &Place<'_>,
    rules: &Matching<'_>,
    caller: &Principal,
    witness: &impl Witness,
) -> Result<(), Denial> {
    witness.begin(Step::MayBeNamed(caller));
    caller.may_be_named(settings)?;
    witness.begin(Step::Groups(caller));
    allowed_groups(&settings.access, caller)?;
    witness.begin(Step::TokenEndpoints(place));
    if let Place::Canonical(path) = place
        && settings.access.token_endpoints == Otherwise::Deny
        && settings.product.is_token_endpoint(path)
    {
        return Err(Denial::new(
            Denied::TokenEndpoint,
            "the path gives out or configures credentials of the product, which would outlive the one that was sent; access.token_endpoints is \"deny\"",
        )
        .by("access.token_endpoints"));
    }
    witness.begin(Step::Rules(rules));
    rules.judge(caller)
}

/// Judges who it is.
///
/// # Errors
/// [`Denied::AccountProtected`], [`Denied::NotInGroup`].
pub fn principal(settings: &Settings, principal: &Principal) -> Result<(), Denial> {
    principal.may_be_named(settings)?;
    allowed_groups(&settings.access, principal)
}

fn allowed_groups(access: &Access, principal: &Principal) -> Result<(), Denial> {
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
    Err(Denial::new(Denied::NotInGroup, message).by("access.allow_groups"))
}
