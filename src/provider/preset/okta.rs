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
    // Several issuers are one authorization server under several domains (issuer mode DYNAMIC), which `fill` sees to.
    realm_of: |issuer| path_of(issuer).unwrap_or(issuer),
    username: &["sub"],
    groups: &["groups"],
    client: &["cid", "client_id"],
    subject: &["uid", "sub"],
    // "Validate access tokens": uid is only there with a user. sub is then the client's id, which a user's login could
    // be as well.
    machine: &[&[Mark::Absent("uid")]],
    machine_answers: &[&[Mark::Absent("uid")]],
    judge,
    judge_answer,
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    let issuers = file.issuers();
    let Some(first) = issuers.first() else {
        return wrong;
    };
    let orgs_own = issuers.iter().any(|issuer| path_of(issuer).is_none());
    if issuers.iter().any(|issuer| is_the_console(issuer)) {
        wrong.push(Wrong::new(
            "issuer",
            "this is the admin console's host, which issues no tokens",
            "write it without `-admin`: https://example.okta.com/oauth2/default",
        ));
    }
    if issuers
        .iter()
        .any(|issuer| path_of(issuer) != path_of(first))
    {
        wrong.push(Wrong::new(
            "issuer",
            "these are several authorization servers; a list is for one that answers under several domains",
            "write a [[provider]] for each server",
        ));
    } else if issuers.len() > 1 && file.accounts.is_none() && file.username_map.is_none() {
        wrong.push(Wrong::warning(
            "issuer",
            "if these are servers of several organisations, the administrators of each can name the accounts of all",
            "make sure that they are one server under several domains, and write accounts = [\"*\"] to say so",
        ));
    }
    let asked = file.introspection == Some(true) || file.introspection_endpoint.is_some();
    if orgs_own && !asked {
        wrong.push(Wrong::new(
            "introspection",
            "this is the organisation's own authorization server, whose access tokens nobody but Okta can verify (their keys are not published)",
            "write introspection = true with client_id, client_secret and clients, or use a custom authorization server (https://…/oauth2/default)",
        ));
    }
    if orgs_own && file.jwks_uri.is_some() {
        wrong.push(Wrong::new(
            "jwks_uri",
            "the keys of the organisation's own authorization server verify no access token",
            "remove it: introspection alone judges these tokens",
        ));
    }
    // The organisation's own server gives all of them one audience.
    let bound = file
        .clients
        .as_ref()
        .is_some_and(|clients| !clients.is_empty());
    if asked && !bound && (orgs_own || file.audience.is_none()) {
        wrong.push(Wrong::new(
            "clients",
            "tokens of every application of the organisation look alike, but for their client",
            "write clients = [\"0oa…\"], the applications whose tokens may come",
        ));
    }
    if file.introspection == Some(true) && file.introspection_endpoint.is_none() {
        if let Some(issuer) = file.only_issuer() {
            let endpoint = match path_of(issuer) {
                Some(_) => format!("{issuer}/v1/introspect"),
                None => format!("{issuer}/oauth2/v1/introspect"),
            };
            file.introspection_endpoint = Some(endpoint);
        } else {
            wrong.push(Wrong::new(
                "introspection",
                "with several issuers it does not follow whom to ask",
                "write introspection_endpoint = \"https://…/v1/introspect\"",
            ));
        }
    }
    if file.username.is_none() && asked && orgs_own {
        file.username = Some(["username"].into());
    }
    if file.is_named_by(&["email", "name", "nickname", "given_name", "family_name"]) {
        wrong.push(Wrong::warning(
            "username",
            "users may change this in their own profile, unless the organisation forbids it, and so become whom they like",
            "write username = \"sub\", the login, with a username_map if it is longer than the account's name",
        ));
    }
    wrong
}

/// Whether it is the host of the admin console (okta-jwt-verifier-java #41).
fn is_the_console(issuer: &str) -> bool {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let name = host.split(['/', '.']).next().unwrap_or_default();
    name.ends_with("-admin") && host.contains(".okta")
}

/// The path of an issuer: a custom authorization server has one.
fn path_of(issuer: &str) -> Option<&str> {
    let host = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let (_, path) = host.trim_end_matches('/').split_once('/')?;
    Some(path)
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    // ID tokens have no client claim but their audience, and their own kind of jti.
    let is_id = claims.text("jti").is_some_and(|id| id.starts_with("ID."));
    if claims.text("cid").is_none() || is_id {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_custom_servers_have_a_path() {
        assert_eq!(
            path_of("https://example.okta.com/oauth2/default"),
            Some("oauth2/default")
        );
        for own in ["https://example.okta.com", "https://example.okta.com/"] {
            assert_eq!(path_of(own), None);
        }
    }

    #[test]
    fn the_console_is_known_by_its_host() {
        assert!(is_the_console(
            "https://example-admin.okta.com/oauth2/default"
        ));
        assert!(is_the_console("https://example-admin.oktapreview.com"));
        for other in [
            "https://example.okta.com/oauth2/a-admin",
            "https://login.example-admin.com/oauth2/default",
        ] {
            assert!(!is_the_console(other), "{other}");
        }
    }
}
