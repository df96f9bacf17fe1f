//! GitHub.com and GitHub Enterprise Server (docs.github.com: "REST API endpoints for OAuth authorizations", "About
//! authentication to GitHub").

use super::{Binding, Kind, PLAIN, Preset, Wrong, api, shown};
use crate::{
    decision::{Denial, Denied},
    tenant::{
        file::ProviderFile,
        settings::{AskWay, ProviderSettings},
    },
    verify::{claims::Claims, json::Json},
};

pub const PRESET: Preset = Preset {
    kind: Kind::Github,
    takes: &[
        "client_id",
        "client_secret",
        "api_url",
        "organizations",
        "token_prefix",
    ],
    fill: |_| Vec::new(),
    binding: Binding::Own,
    ask,
    prefixes: &["gho_", "ghu_"],
    refused_prefixes: &[
        (
            "ghp_",
            "this is a personal access token, which names no application; get one through our OAuth app",
        ),
        (
            "github_pat_",
            "this is a fine-grained personal access token, which names no application; get one through our OAuth app",
        ),
        (
            "ghs_",
            "this is an installation token, which stands for an app and for no user; get a user's token (gho_, ghu_)",
        ),
        (
            "ghr_",
            "this is a refresh token; send the access token that it is for",
        ),
    ],
    username: &["user.login"],
    groups: &["organizations"],
    client: &["app.client_id"],
    // Names are changed and given to others; the number stays.
    subject: &["user.id"],
    judge_answer,
    ..PLAIN
};

fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    Some(api(file, "https://api.github.com", "").map(|api| AskWay::Github { api }))
}

/// GitHub answers only about tokens of the application that asks; that it does is asserted again.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let app = claims.get("app").and_then(|app| app.get("client_id"));
    if app.and_then(Json::as_str) != Some(settings.own.client_id.as_str()) {
        let message = format!(
            "GitHub answers about the application {}, and client_id is {} ({})",
            app.map_or_else(|| shown(claims, "app"), Json::quoted),
            settings.own.client_id,
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message));
    }
    Ok(())
}
