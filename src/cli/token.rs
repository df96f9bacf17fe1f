//! What the commands about API tokens have in common: where the daemon is asked, and how tokens are written.

use std::{fmt::Display, io, process::ExitCode};

use anyhow::anyhow;
use url::Url;

use super::account::shown;
use crate::{
    api_tokens::{ApiToken, LastUse, TokenId, text::looks_like_one},
    clock::rfc3339,
    tenant::TenantId,
};

/// What a command exits with that did some of what it was asked, and could not do the rest.
const SOME_FAILED: u8 = 3;

/// Where the daemon is asked about a tenant's tokens.
pub fn tokens_of(tenant: &TenantId) -> Url {
    url(&format!("tokens/{tenant}"))
}

/// Where it is asked about all tenants' tokens.
pub fn all_tokens() -> Url {
    url("tokens")
}

/// Where the daemon is asked about that token.
pub fn token(id: TokenId) -> Url {
    url(&format!("token/{id}"))
}

/// Where it is asked for a token's new secret.
pub fn rotation(id: TokenId) -> Url {
    url(&format!("token/{id}/rotate"))
}

fn url(path: &str) -> Url {
    format!("http://postern/{path}")
        .parse()
        .expect("neither a tenant's name nor an id has anything that a URL could be read by")
}

/// Reads an id from the command line. A whole token in its place is not repeated: terminals and logs keep what they show.
pub fn id(text: &str) -> anyhow::Result<TokenId> {
    if looks_like_one(text.as_bytes()) {
        return Err(anyhow!(
            "that is a token and no id; its id is the 12 letters and digits between pst_ and the next _"
        ));
    }
    text.parse()
        .map_err(|error| anyhow!("{}: {error}", shown(text)))
}

/// A token for people: which one, whose, where.
pub fn named(token: &ApiToken) -> String {
    format!(
        "token {} of {} at {}",
        token.id,
        shown(&token.owner),
        token.tenant
    )
}

/// A length of time in the one unit that tells most of it.
pub fn roughly(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "s"),
        120..7_200 => (seconds / 60, "min"),
        7_200..172_800 => (seconds / 3_600, "h"),
        172_800.. => (seconds / 86_400, "days"),
    };
    format!("{count} {unit}")
}

/// How a command ends that did `done` of what it was asked, and could not do `failed`.
pub fn outcome(done: u64, failed: u64) -> ExitCode {
    match (done, failed) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(SOME_FAILED),
    }
}

/// Whoever reads standard output may have had enough, like `head`: that is no error.
pub fn unless_hung_up(written: anyhow::Result<()>) -> anyhow::Result<()> {
    let hung_up = |error: &anyhow::Error| {
        error.chain().any(|cause| {
            cause
                .downcast_ref::<io::Error>()
                .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
        })
    };
    match written {
        Err(error) if hung_up(&error) => Ok(()),
        written => written,
    }
}

/// The columns of a token in CSV.
pub const COLUMNS: [&str; 18] = [
    "tenant",
    "id",
    "owner",
    "state",
    "scope",
    "created_at",
    "created_by",
    "expires_at",
    "rotated_at",
    "retiring_until",
    "revoked_at",
    "revoked_by",
    "last_used_at",
    "last_used_address",
    "networks",
    "paths",
    "grants",
    "description",
];

/// What stands in them: times in RFC 3339, and between several of a kind a space, which none of them can hold.
pub fn columns(token: &ApiToken, last_used: Option<&LastUse>, now: u64) -> [String; 18] {
    let time = |seconds: Option<u64>| seconds.map(rfc3339).unwrap_or_default();
    let address = last_used.and_then(|last_use| last_use.address);
    [
        token.tenant.clone(),
        token.id.to_string(),
        token.owner.clone(),
        token.state(now).to_string(),
        token.scope.to_string(),
        rfc3339(token.created_at),
        token.created_by.clone(),
        rfc3339(token.expires_at),
        time(token.rotated_at),
        time(token.retiring_until),
        time(token.revoked_at),
        token.revoked_by.clone().unwrap_or_default(),
        time(last_used.map(|last_use| last_use.at)),
        address
            .map(|address| address.to_string())
            .unwrap_or_default(),
        joined(&token.networks),
        joined(&token.paths),
        joined(&token.grants),
        token.description.clone(),
    ]
    .map(|text| {
        // A spreadsheet would take it for a formula (OWASP, "CSV Injection").
        if text.starts_with(['=', '+', '-', '@']) {
            format!("'{text}")
        } else {
            text
        }
    })
}

fn joined(several: &[impl Display]) -> String {
    let texts: Vec<_> = several.iter().map(ToString::to_string).collect();
    texts.join(" ")
}
