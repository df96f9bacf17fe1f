//! Okta (developer.okta.com: "Authorization servers", "Validate access tokens", the OpenID Connect & OAuth 2.0 API).

use super::{Kind, Mark, PLAIN, Preset, Wrong, access_token, introspection, shown, wrong_kind};
use crate::{
    decision::Denial,
    tenant::{file::ProviderFile, settings::ProviderSettings},
    verify::claims::Claims,
};

pub const PRESET: Preset = Preset {
    kind: Kind::Okta,
    takes: &[
        "issuer",
        "audience",
        "clients",
        "jwks_uri",
        "introspection",
        "introspection_endpoint",
        "client_id",
        "client_secret",
        "client_auth",
        "algorithms",
        "stale_keys",
    ],
    fill,
    // Several issuers are one authorization server under several domains (issuer mode DYNAMIC).
    realm_of: |issuer| path_of(issuer).unwrap_or(issuer),
    username: &["sub"],
    groups: &["groups"],
    client: &["cid", "client_id"],
    subject: &["uid", "sub"],
    machine: &[&[Mark::Absent("uid")]],
    machine_answers: &[&[Mark::Absent("uid")]],
    judge,
    judge_answer,
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    if file.issuers().is_empty() {
        return wrong;
    }
    let orgs_own = file
        .issuers()
        .iter()
        .any(|issuer| path_of(issuer).is_none());
    let asked = file.introspection == Some(true) || file.introspection_endpoint.is_some();
    if orgs_own && !asked {
        wrong.push(Wrong::new(
            "introspection",
            "this is the organisation's own authorization server, whose access tokens nobody but Okta can verify (their keys are not published)",
            "write introspection = true with client_id, client_secret and clients, or use a custom authorization server (https://…/oauth2/default)",
        ));
    }
    if asked && file.clients.as_ref().is_none_or(Vec::is_empty) && file.audience.is_none() {
        wrong.push(Wrong::new(
            "clients",
            "tokens of every application of the organisation look alike, but for their client",
            "write clients = [\"0oa…\"], the applications whose tokens may come",
        ));
    }
    if asked
        && file.introspection_endpoint.is_none()
        && let Some(issuer) = file.only_issuer()
    {
        let endpoint = match path_of(issuer) {
            Some(_) => format!("{issuer}/v1/introspect"),
            None => format!("{issuer}/oauth2/v1/introspect"),
        };
        file.introspection_endpoint = Some(endpoint);
    }
    if file.username.is_none() && asked && orgs_own {
        file.username = Some(["username"].into());
    }
    wrong
}

/// The path of an issuer: a custom authorization server has one.
fn path_of(issuer: &str) -> Option<&str> {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let (_, path) = host.trim_end_matches('/').split_once('/')?;
    Some(path)
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    // ID tokens have no client claim but their audience.
    if claims.get("cid").is_none() {
        return Err(wrong_kind(
            "the token names no client (cid), as Okta's access tokens do",
        ));
    }
    access_token(claims, settings)
}

/// The endpoint calls ID tokens active as well, and says so only by what it leaves out.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let is_access = claims.text("jti").is_some_and(|id| id.starts_with("AT."));
    if claims.get("token_type").is_none() || !is_access {
        return Err(wrong_kind(format!(
            "Okta answers about a token whose jti is {} and whose token_type is {}",
            shown(claims, "jti"),
            shown(claims, "token_type")
        )));
    }
    introspection(claims, settings)
}
