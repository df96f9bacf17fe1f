//! How each proxy tells us of the original request: one contract per endpoint, and no guessing.
//!
//! A missing or doubled piece is refused, and so is a header that some product might take for one of ours:
//! three proxies in a row were broken by `X_Forwarded_User` and `X.Auth.User` (Traefik CVE-2026-33433,
//! CVE-2026-54763, CVE-2026-88011).

use std::{
    borrow::Cow,
    net::{IpAddr, SocketAddr},
};

use actix_http::{HttpMessage as _, Request as HttpRequest, header::HeaderMap};

use crate::{
    credential::Authorization,
    decision::{Denial, Denied},
    request::{Request, RequestId},
    settings::TrustedProxies,
};

/// The most that all headers together may have, in bytes: with a token of 16 KiB, a cookie of 8 KiB and a
/// long URI there is room for as much again.
const MAX_HEADERS: usize = 64 * 1024;

/// A check endpoint, and with it a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `/check/{tenant}`: `X-Original-Method`, `X-Original-URI`, `X-Real-IP`.
    Check,
    /// `/forward-auth/{tenant}`: `X-Forwarded-Method`, `X-Forwarded-Uri`, `X-Forwarded-For`.
    ForwardAuth,
    /// `/ext-authz/{tenant}/…`: the request line itself, `X-Forwarded-For`.
    ExtAuthz,
    /// `/self/…`: no check but a call of its own, with `X-Forwarded-For`. See [`super::self_service`].
    SelfService,
}

/// The endpoint, the tenant's name and, for `/ext-authz`, the original target. The target is cut out of the
/// raw request line: a router would decode it.
#[must_use]
pub fn route(http: &HttpRequest) -> Option<(Endpoint, &str, &str)> {
    let target = http.uri().path_and_query()?.as_str();
    let path = http.uri().path();
    for (prefix, endpoint) in [
        ("/check/", Endpoint::Check),
        ("/forward-auth/", Endpoint::ForwardAuth),
    ] {
        if let Some(tenant) = path.strip_prefix(prefix) {
            return (!tenant.contains('/')).then_some((endpoint, tenant, ""));
        }
    }
    let rest = target.strip_prefix("/ext-authz/")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (tenant, target) = rest.split_at(end);
    Some((Endpoint::ExtAuthz, tenant, target))
}

/// Reads the original request.
///
/// # Errors
/// [`Denied::BadCheckRequest`], with what the proxy must do better.
pub fn read<'r>(
    http: &'r HttpRequest,
    endpoint: Endpoint,
    target: &'r str,
    id: RequestId,
    trusted: &TrustedProxies,
) -> Result<Request<'r>, Denial> {
    if let Some(peer) = http.peer_addr().map(|address| address.ip().to_canonical())
        && !trusted.may_ask(peer)
    {
        return Err(bad(format!(
            "{peer} is no proxy of ours; add it to --trusted-proxies"
        )));
    }
    let fields = Fields::read(http.headers())?;
    let (method, target, address) = match endpoint {
        Endpoint::Check => {
            let address = fields.real_ip.optional("X-Real-IP")?.and_then(address);
            (
                fields.original_method.text("X-Original-Method")?,
                fields.original_uri.required("X-Original-URI")?,
                address,
            )
        }
        Endpoint::ForwardAuth => (
            fields.forwarded_method.text("X-Forwarded-Method")?,
            fields.forwarded_uri.required("X-Forwarded-Uri")?,
            fields.forwarded_for(trusted)?,
        ),
        Endpoint::ExtAuthz | Endpoint::SelfService => (
            http.method().as_str(),
            target.as_bytes(),
            fields.forwarded_for(trusted)?,
        ),
    };
    if !is_method(method) {
        return Err(bad("the original method is no method (RFC 9110 §9.1)"));
    }
    Ok(Request {
        id,
        method,
        method_override: fields.method_override.optional("a method override")?,
        target,
        address,
        is_preflight: method == "OPTIONS"
            && matches!(fields.method_override, Field::Absent)
            && fields.origin
            && fields.asks_for_method,
        authorization: fields.authorization,
        cookie: fields.cookie,
    })
}

/// RFC 9110 §9.1: a method is a token.
#[must_use]
pub fn is_method(text: &str) -> bool {
    let is_token_char =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token_char)
}

/// A header that may stand once.
#[derive(Clone, Copy)]
enum Field<'r> {
    Absent,
    One(&'r [u8]),
    Several,
}

impl<'r> Field<'r> {
    fn add(&mut self, value: &'r [u8]) {
        *self = match self {
            Self::Absent => Self::One(value),
            Self::One(_) | Self::Several => Self::Several,
        };
    }

    fn required(self, name: &str) -> Result<&'r [u8], Denial> {
        match self {
            Self::One(value) => Ok(value),
            Self::Absent => Err(bad(format!("the proxy sent no {name}"))),
            Self::Several => Err(bad(format!("the proxy sent {name} more than once"))),
        }
    }

    fn text(self, name: &str) -> Result<&'r str, Denial> {
        str::from_utf8(self.required(name)?).map_err(|_| bad(format!("{name} is not text")))
    }

    fn optional(self, name: &str) -> Result<Option<&'r str>, Denial> {
        match self {
            Self::Absent | Self::One(b"") => Ok(None),
            Self::One(_) | Self::Several => self.text(name).map(Some),
        }
    }
}

/// The headers that matter, found in one pass.
struct Fields<'r> {
    authorization: Authorization<'r>,
    cookie: Option<Cow<'r, [u8]>>,
    original_method: Field<'r>,
    original_uri: Field<'r>,
    real_ip: Field<'r>,
    forwarded_method: Field<'r>,
    forwarded_uri: Field<'r>,
    forwarded_for: Field<'r>,
    method_override: Field<'r>,
    origin: bool,
    asks_for_method: bool,
}

impl<'r> Fields<'r> {
    fn read(headers: &'r HeaderMap) -> Result<Self, Denial> {
        let mut fields = Self {
            authorization: Authorization::Absent,
            cookie: None,
            original_method: Field::Absent,
            original_uri: Field::Absent,
            real_ip: Field::Absent,
            forwarded_method: Field::Absent,
            forwarded_uri: Field::Absent,
            forwarded_for: Field::Absent,
            method_override: Field::Absent,
            origin: false,
            asks_for_method: false,
        };
        let mut size = 0;
        for (name, value) in headers {
            let (name, value) = (name.as_str(), value.as_bytes());
            size += name.len() + value.len();
            match name {
                "authorization" => {
                    fields.authorization = match fields.authorization {
                        Authorization::Absent => Authorization::One(value),
                        Authorization::One(_) | Authorization::Several => Authorization::Several,
                    }
                }
                "cookie" => {
                    fields.cookie = Some(match fields.cookie {
                        None => Cow::Borrowed(value),
                        Some(before) => Cow::Owned([&before, b"; ".as_slice(), value].concat()),
                    });
                }
                "x-original-method" => fields.original_method.add(value),
                "x-original-uri" => fields.original_uri.add(value),
                "x-real-ip" => fields.real_ip.add(value),
                "x-forwarded-method" => fields.forwarded_method.add(value),
                "x-forwarded-uri" => fields.forwarded_uri.add(value),
                "x-forwarded-for" => fields.forwarded_for.add(value),
                "x-http-method-override" | "x-http-method" | "x-method-override" => {
                    fields.method_override.add(value);
                }
                "origin" => fields.origin = true,
                "access-control-request-method" => fields.asks_for_method = true,
                _ if name.bytes().any(|byte| matches!(byte, b'_' | b'.')) => refuse_alias(name)?,
                _ => {}
            }
        }
        if size > MAX_HEADERS {
            return Err(bad("the headers are larger than 64 KiB"));
        }
        Ok(fields)
    }

    /// The first address from the right that is not one of our own proxies: everything left of it is
    /// whatever the client wrote.
    fn forwarded_for(&self, trusted: &TrustedProxies) -> Result<Option<IpAddr>, Denial> {
        let Some(chain) = self.forwarded_for.optional("X-Forwarded-For")? else {
            return Ok(None);
        };
        let mut nearest = None;
        for hop in chain.rsplit(',').map(|hop| address(hop.trim())) {
            nearest = hop;
            if !hop.is_some_and(|hop| trusted.contains(hop)) {
                break;
            }
        }
        Ok(nearest)
    }
}

/// An address, with a port as Azure's gateways write it. Anything else (nginx writes `unix:`) is no address that
/// a network could be judged by, which matters only where one must be.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    let address = text.parse::<IpAddr>().or_else(|_| with_port());
    address.ok().map(|address| address.to_canonical())
}

/// Headers that products and proxies believe, by their exact names.
const BELIEVED: &[&str] = &[
    "authorization",
    "cookie",
    "x-real-ip",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];
/// The same, by how their names start.
const BELIEVED_PREFIXES: &[&str] = &["x-original-", "x-forwarded-", "remote-", "postern-"];

/// Some servers take `_` and `.` in a header's name for `-`.
fn refuse_alias(name: &str) -> Result<(), Denial> {
    let folded = name.replace(['_', '.'], "-");
    if BELIEVED.contains(&folded.as_str())
        || BELIEVED_PREFIXES
            .iter()
            .any(|prefix| folded.starts_with(prefix))
    {
        return Err(bad(format!(
            "the header {name:?} reads like {folded:?}; the proxy must remove it"
        )));
    }
    Ok(())
}

fn bad(message: impl Into<Cow<'static, str>>) -> Denial {
    Denial::new(Denied::BadCheckRequest, message)
}
