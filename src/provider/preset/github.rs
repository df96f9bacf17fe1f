//! GitHub.com, GitHub Enterprise Cloud and GitHub Enterprise Server (docs.github.com: "REST API endpoints for OAuth
//! authorizations", "About authentication to GitHub").

use super::{Binding, Kind, PLAIN, Preset, Wrong, api, shown, wrong_kind};
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
    fill,
    binding: Binding::Own,
    ask: |file| Some(api(file, API, "").map(|api| AskWay::Github { api })),
    // "GitHub's token formats": of an OAuth app, and of a GitHub App for a user.
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
        // Since 2026-04-27 also ghs_APPID_JWT: what is inside is GitHub's own business (changelog of 2026-05-15).
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
    // Names are changed and given to others; the number stays [not confirmed].
    subject: &["user.id"],
    judge_answer,
    inactive_hint: "; GitHub answers so too about tokens of other applications than client_id",
    ..PLAIN
};

/// The API's own address, without `/api/v3`, on GitHub.com.
const API: &str = "https://api.github.com";

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let organizations = file.organizations.as_deref().unwrap_or_default();
    // On a server of one's own there is nobody else.
    let host = |url: &String| reqwest::Url::parse(url).ok()?.host_str().map(str::to_owned);
    let on_github_com = file.api_url.as_ref().is_none_or(|url| {
        host(url).is_none_or(|host| host.trim_end_matches('.') == "api.github.com")
    });
    if on_github_com
        && organizations.is_empty()
        && file.accounts.is_none()
        && file.username_map.is_none()
    {
        wrong.push(Wrong::warning(
            "organizations",
            "anybody with a GitHub account can come, and choose its name so that it is one of yours",
            "write organizations = [\"…\"], of one of which a user must be a member, or which accounts may come",
        ));
    }
    if organizations.iter().any(|name| !is_login(name)) {
        wrong.push(Wrong::new(
            "organizations",
            "this is no organisation's name",
            "write it as it stands in https://github.com/NAME: letters, digits and -",
        ));
    }
    if let Some(api_url) = &file.api_url
        && let Ok(url) = reqwest::Url::parse(api_url)
        && url.path() == "/"
        && url
            .domain()
            .is_some_and(|host| host != "localhost" && !host.starts_with("api."))
    {
        wrong.push(Wrong::warning(
            "api_url",
            "GitHub Enterprise Server's API lies under /api/v3",
            "write api_url = \"https://HOST/api/v3\", or https://api.SUBDOMAIN.ghe.com in the cloud",
        ));
    }
    wrong
}

/// Letters, digits and hyphens; `_` in names that an enterprise manages.
fn is_login(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !name.is_empty() && name.bytes().all(allowed)
}

/// GitHub answers only about tokens of the application that asks; that it does is asserted again.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let member = |of: &str, name: &str| claims.get(of).and_then(|of| of.get(name).cloned());
    let app = member("app", "client_id");
    if app.as_ref().and_then(Json::as_str) != Some(settings.own.client_id.as_str()) {
        let message = format!(
            "GitHub answers about the application {}, and client_id is {} ({})",
            app.map_or_else(|| shown(claims, "app"), |app| app.quoted()),
            settings.own.client_id,
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message).by("client_id"));
    }
    let kind = member("user", "type");
    if kind.as_ref().and_then(Json::as_str) != Some("User") {
        return Err(wrong_kind(format!(
            "the token's user is of the type {}, and a person's is \"User\"",
            kind.map_or_else(|| "missing".to_owned(), |kind| kind.quoted())
        )));
    }
    let wanted = &settings.own.organizations;
    let member_of = claims.get("organizations");
    if !wanted.is_empty() && member_of.is_none_or(|list| list.texts().next().is_none()) {
        let message = format!(
            "{} is no active member of {}, as far as the token may know (scope read:org; a GitHub App's permission \
             \"Members\"), and one of organizations is needed ({})",
            member("user", "login").map_or_else(|| "nobody".to_owned(), |login| login.quoted()),
            wanted.join(" or "),
            settings.written_in
        );
        return Err(Denial::new(Denied::NotInGroup, message).by("organizations"));
    }
    Ok(())
}
