//! A token that somebody wants, judged by what the tenant's file says of tokens.

use std::{fmt, time::Duration};

use humantime::format_duration;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{Refused, Scope};
use crate::{
    policy::pattern::PathPattern,
    tenant::{TenantId, settings::Settings},
    verify::{check_account_name, is_unseen},
};

/// How long a token lives where nobody says it, unless the tenant's cap is shorter.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(90 * 24);
/// The longest description, in bytes.
const MAX_DESCRIPTION: usize = 255;
/// The most bytes of all paths of a token together: to match one takes time in proportion to its length and the path's.
const MAX_PATHS: usize = 1024;
/// The most paths, networks and grants of one token: each is looked at on each request.
const MAX_LIMITS: usize = 64;

/// A token as somebody asks for it. What is not said is the tenant's default.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wanted {
    /// The account that its bearer acts as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How long it lives, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// What it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// The OAuth scopes that it holds against rules that want some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// The paths that it is good for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The networks that it is good from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<String>,
}

/// A token that may be issued.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The tenant that it is for.
    pub tenant: TenantId,
    /// The account that its bearer acts as.
    pub owner: String,
    /// What it is for.
    pub description: String,
    /// How long it lives, in seconds.
    pub lifetime: u64,
    /// What it may be used for.
    pub scope: Scope,
    /// The OAuth scopes that it holds.
    pub grants: Vec<String>,
    /// The paths that it is good for.
    pub paths: Vec<PathPattern>,
    /// The networks that it is good from.
    pub networks: Vec<IpNet>,
}

impl Draft {
    /// Judges what is wanted for `owner` by the tenant's file.
    ///
    /// # Errors
    /// [`Refused::Forbidden`] or [`Refused::Invalid`].
    pub fn new(wanted: &Wanted, owner: &str, settings: &Settings) -> Result<Self, Refused> {
        let rules = &settings.api_tokens;
        if !rules.enabled {
            return Err(Refused::Forbidden(format!(
                "the tenant {} has no API tokens; its file needs enabled = true in [api_tokens]",
                settings.id
            )));
        }
        check_account_name(owner).map_err(|what| {
            Refused::Invalid(format!("a token can't be for an account whose name {what}"))
        })?;
        let cap = rules.max_lifetime;
        let lifetime = wanted
            .expires_in
            .map_or_else(|| DEFAULT_LIFETIME.min(cap), Duration::from_secs);
        if lifetime.is_zero() {
            return Err(Refused::Invalid(
                "a token that expires at once is good for nothing".into(),
            ));
        }
        if lifetime > cap {
            return Err(Refused::Forbidden(format!(
                "{} is longer than max_lifetime of [api_tokens] ({})",
                in_days(lifetime),
                in_days(cap)
            )));
        }
        let description = wanted.description.trim();
        if description.len() > MAX_DESCRIPTION || description.contains(is_unseen) {
            return Err(Refused::Invalid(format!(
                "a description has at most {MAX_DESCRIPTION} bytes, and no control characters or unseen ones"
            )));
        }
        if wanted.paths.iter().map(String::len).sum::<usize>() > MAX_PATHS {
            return Err(Refused::Invalid(format!(
                "all paths of a token together have at most {MAX_PATHS} bytes"
            )));
        }
        if let Some(grant) = wanted.grants.iter().find(|grant| !is_scope_token(grant)) {
            return Err(Refused::Invalid(format!(
                "{grant:?} is no scope (RFC 6749 §3.3): it has printable letters and no space, quote or backslash"
            )));
        }
        Ok(Self {
            tenant: settings.id.clone(),
            owner: owner.to_owned(),
            description: description.to_owned(),
            lifetime: lifetime.as_secs(),
            scope: wanted.scope.unwrap_or(rules.default_scope),
            grants: few("scopes", &wanted.grants)?.to_vec(),
            paths: few("paths", &wanted.paths)?
                .iter()
                .map(|path| path.parse().map_err(invalid))
                .collect::<Result<_, _>>()?,
            networks: few("networks", &wanted.networks)?
                .iter()
                .map(|network| crate::settings::network(network).map_err(invalid))
                .collect::<Result<_, _>>()?,
        })
    }
}

/// As lifetimes are written: humantime's months have 30.44 days.
fn in_days(lifetime: Duration) -> String {
    match lifetime.as_secs() {
        seconds if seconds.is_multiple_of(86_400) => format!("{} days", seconds / 86_400),
        _ => format_duration(lifetime).to_string(),
    }
}

fn invalid(error: impl fmt::Display) -> Refused {
    Refused::Invalid(error.to_string())
}

fn few<'w>(what: &str, wanted: &'w [String]) -> Result<&'w [String], Refused> {
    if wanted.len() > MAX_LIMITS {
        return Err(Refused::Invalid(format!(
            "a token has at most {MAX_LIMITS} {what}"
        )));
    }
    Ok(wanted)
}

/// RFC 6749 §3.3, `scope-token`.
fn is_scope_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    !text.is_empty() && text.len() <= MAX_DESCRIPTION && text.bytes().all(allowed)
}
