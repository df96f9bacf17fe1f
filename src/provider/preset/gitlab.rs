//! GitLab.com and self-managed GitLab (docs.gitlab.com: "OAuth 2.0 identity provider API", "OpenID Connect identity
//! provider"; doorkeeper).

use super::{
    Binding, Kind, Mark, PLAIN, Preset, Wrong, is_of_our_application, shown, url, wrong_kind,
};
use crate::{
    decision::Denial,
    tenant::{
        file::{ProviderFile, TextOrList},
        settings::{AskWay, ProviderSettings},
    },
    verify::claims::Claims,
};

pub const PRESET: Preset = Preset {
    kind: Kind::Gitlab,
    takes: &[
        "issuer",
        "client_id",
        "client_secret",
        "client_auth",
        "id_tokens",
        "jwks_uri",
        "algorithms",
        "stale_keys",
        "token_prefix",
    ],
    fill,
    binding: Binding::Own,
    ask,
    // Access tokens are 64 hexadecimal digits (config/initializers/doorkeeper.rb); these are other kinds ("GitLab token
    // overview", Token prefixes [not confirmed]).
    refused_prefixes: &[
        (
            "glpat-",
            "this is a personal access token, which names no application; get one through our OAuth application",
        ),
        (
            "glcbt-",
            "this is a CI job token, which anybody's job has; get a token through our OAuth application",
        ),
        ("gldt-", "this is a deploy token, which is no user's"),
        ("glrt-", "this is a runner's token, which is no user's"),
        (
            "glptt-",
            "this is a pipeline trigger token, which is no user's",
        ),
        ("glft-", "this is a feed token, which is for feeds alone"),
        (
            "glimt-",
            "this is an incoming mail token, which is for mail alone",
        ),
        ("glagent-", "this is an agent's token, which is no user's"),
        ("glsoat-", "this is a SCIM token, which is no user's"),
        (
            "gloas-",
            "this is an application's secret, and everybody who saw it has it now: renew it",
        ),
    ],
    // The same twice (doorkeeper_openid_connect.rb).
    username: &["preferred_username", "nickname"],
    // ID tokens have only those of which the user is a member directly.
    groups: &["groups", "groups_direct"],
    client: &["client_id"],
    machine_answers: &[&[Mark::Is("resource_owner", "none")]],
    judge,
    judge_answer,
    jwts_refused: Some(
        "this is an ID token or a CI job's, and GitLab's access tokens are no JWTs; id_tokens = true would accept a user's ID token",
    ),
    inactive_hint: "; GitLab answers so too about tokens of other applications than client_id",
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    file.issuer
        .get_or_insert_with(|| TextOrList::Text(COM.to_owned()));
    let mut wrong = Vec::new();
    if file.client_id.is_none() {
        wrong.push(Wrong::new(
            "client_id",
            "tokens of every application of the server look alike, but for their application",
            "write client_id = \"…\", the application ID of ours, and client_secret to have it introspected",
        ));
    }
    if file.only_issuer() == Some(COM) && file.accounts.is_none() && file.username_map.is_none() {
        wrong.push(Wrong::warning(
            "accounts",
            "anybody with a GitLab.com account can come, and choose its name so that it is one of yours",
            "write which accounts may come, or accounts = [\"*\"] if access.allow_groups lists groups of yours",
        ));
    }
    if file.id_tokens == Some(true) {
        wrong.push(Wrong::warning(
            "id_tokens",
            "the same keys sign tokens of CI jobs, whose author chooses for whom they are: only the claims tell them apart",
            "leave it out if your callers can send access tokens",
        ));
        if let Some(issuer) = file.only_issuer() {
            let keys = format!("{issuer}/oauth/discovery/keys");
            file.jwks_uri.get_or_insert(keys);
        }
    } else if file.jwks_uri.is_some() {
        wrong.push(Wrong::new(
            "jwks_uri",
            "keys prove ID tokens, which are not accepted",
            "leave it out, or write id_tokens = true",
        ));
    }
    // Whatever is signed is for our application, or it is not for us.
    file.audience = file.client_id.clone().map(|id| TextOrList::List(vec![id]));
    wrong
}

/// The issuer of GitLab.com, by its discovery document.
const COM: &str = "https://gitlab.com";

/// With our secret by introspection and userinfo; without, by what the token's own bearer may ask.
fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    let base = url("issuer", file.only_issuer()?);
    Some(base.map(|base| AskWay::Gitlab {
        base,
        introspect: file.client_secret.is_some(),
    }))
}

/// An ID token. The same keys sign those of CI jobs, whose audience their author chooses (`JwksController#load_keys`;
/// "OpenID Connect (OIDC) Authentication Using ID Tokens").
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    if !settings.own.id_tokens {
        return Err(wrong_kind("ID tokens are not accepted (id_tokens)"));
    }
    for mark in [
        "project_path",
        "project_id",
        "job_id",
        "pipeline_id",
        "namespace_id",
        "namespace_path",
        "runner_id",
        "user_login",
        "user_email",
    ] {
        if claims.get(mark).is_some() {
            return Err(wrong_kind(format!(
                "the claim {mark} marks the token of a CI job, which anybody can have made for any audience"
            )));
        }
    }
    let numeric = |sub: &str| !sub.is_empty() && sub.bytes().all(|byte| byte.is_ascii_digit());
    if !claims.text("sub").is_some_and(numeric) {
        return Err(wrong_kind(format!(
            "the subject is {}, and a person's is a number",
            shown(claims, "sub")
        )));
    }
    // Every version writes one of them, and no CI job's token has any.
    if claims.get("auth_time").is_none() && claims.get("sub_legacy").is_none() {
        return Err(wrong_kind(
            "the token has neither auth_time nor sub_legacy, as GitLab's ID tokens do",
        ));
    }
    claims.is_not_bound()?;
    claims.is_for(settings)
}

fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    is_of_our_application(claims, "client_id", settings)?;
    Ok(())
}
