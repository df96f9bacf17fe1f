//! GitLab.com and self-managed GitLab (docs.gitlab.com: "OAuth 2.0 identity provider API", "OpenID Connect identity
//! provider"; doorkeeper).

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, shown, url, wrong_kind};
use crate::{
    decision::{Denial, Denied},
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
    refused_prefixes: &[
        (
            "glpat-",
            "this is a personal access token, which names no application; get one through our OAuth application",
        ),
        ("glcbt-", "this is a CI job token, which is no user's"),
        ("gldt-", "this is a deploy token, which is no user's"),
        ("glrt-", "this is a runner's token, which is no user's"),
    ],
    username: &["preferred_username", "nickname"],
    groups: &["groups"],
    client: &["client_id"],
    machine_answers: &[&[Mark::Is("resource_owner", "none")]],
    judge,
    judge_answer,
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    file.issuer
        .get_or_insert_with(|| TextOrList::Text("https://gitlab.com".to_owned()));
    let mut wrong = Vec::new();
    if file.client_id.is_none() {
        wrong.push(Wrong::new(
            "client_id",
            "tokens of every application of the server look alike, but for their application",
            "write client_id = \"…\", the application ID of ours, and client_secret to have it introspected",
        ));
    }
    if file.id_tokens == Some(true) {
        if let Some(issuer) = file.only_issuer() {
            let keys = format!("{issuer}/oauth/discovery/keys");
            file.jwks_uri.get_or_insert(keys);
        }
        file.audience = file.client_id.clone().map(|id| TextOrList::List(vec![id]));
    }
    wrong
}

/// With our secret by introspection and userinfo; without, by what the token's own bearer may ask.
fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    let base = url("issuer", file.only_issuer()?);
    Some(base.map(|base| AskWay::Gitlab {
        base,
        introspect: file.client_secret.is_some(),
    }))
}

/// An ID token. The same keys sign the ID tokens of CI jobs, whose audience their author chooses (`JwksController`).
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    for mark in ["project_path", "job_id", "pipeline_id", "namespace_id"] {
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
    claims.is_not_bound()?;
    claims.is_for(settings)
}

fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    if claims.text("client_id") != Some(settings.own.client_id.as_str()) {
        let message = format!(
            "the token is of the application {}, and client_id is {} ({})",
            shown(claims, "client_id"),
            settings.own.client_id,
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message));
    }
    Ok(())
}
