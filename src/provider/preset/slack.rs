//! Slack (docs.slack.dev: "Sign in with Slack", `auth.test`, `openid.connect.token`, `openid.connect.userInfo`).
//!
//! An ID token says for which app it was made. An opaque token does not: `auth.test` is not documented to name the app
//! of a user's token (`app_id` stands in the types of node-slack-sdk) [not confirmed], so that any app that somebody
//! has installed in a listed workspace could use that person's token here. Hence the required list of workspaces, the
//! warning, and no opaque tokens beside ID tokens unless `client_id` asks for them.

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, api, shown, wrong_kind};
use crate::{
    decision::{Denial, Denied},
    tenant::{
        file::ProviderFile,
        settings::{AskWay, ProviderSettings},
    },
    verify::{claims::Claims, json::Json},
};

pub const PRESET: Preset = Preset {
    kind: Kind::Slack,
    takes: &[
        "audience",
        "teams",
        "client_id",
        "api_url",
        "jwks_uri",
        "algorithms",
        "stale_keys",
        "token_prefix",
    ],
    fill,
    binding: Binding::Own,
    ask,
    // Of users and bots, and the same with rotation. [not confirmed: trufflehog's detectors have them]
    prefixes: &["xoxp-", "xoxb-", "xoxe.xoxp-", "xoxe.xoxb-"],
    refused_prefixes: &[
        (
            "xapp-",
            "this is an app-level token, which stands for no user; send a user's token (xoxp-)",
        ),
        (
            "xoxe-",
            "this is a refresh token; send the access token that it is for (xoxe.xoxp-)",
        ),
    ],
    username: &["email"],
    client: &["bot_id"],
    // A user's id is one within a workspace.
    subject: &[USER, "sub"],
    subject_within: Some(TEAM),
    machine_answers: &[&[Mark::Present("bot_id")]],
    judge,
    judge_answer,
    ..PLAIN
};

/// The claims that Slack names by its own address, in ID tokens and in userInfo (`openid.connect.token`, Response).
pub(crate) const TEAM: &str = "https://slack.com/team_id";
/// Likewise.
pub(crate) const USER: &str = "https://slack.com/user_id";
/// Likewise, in Enterprise Grid. [not confirmed for ID tokens]
pub(crate) const ENTERPRISE: &str = "https://slack.com/enterprise_id";

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    if file.audience.is_some() {
        // https://slack.com/.well-known/openid-configuration.
        file.issuer = Some(["https://slack.com"].into());
        file.jwks_uri
            .get_or_insert_with(|| "https://slack.com/openid/connect/keys".to_owned());
    }
    let has_teams = file.teams.as_ref().is_some_and(|teams| !teams.is_empty());
    if !has_teams && file.audience.is_none() {
        wrong.push(Wrong::new(
            "teams",
            "Slack does not say for whom a user's token was issued, so that any application's would pass",
            "write teams = [\"T…\"], the workspaces whose members may come, or audience = [\"…\"], our app's client id, to accept ID tokens",
        ));
    }
    if !has_teams && file.audience.is_some() {
        wrong.push(Wrong::warning(
            "teams",
            "members of every workspace that installs our app can come",
            "write teams = [\"T…\"], the workspaces whose members may come",
        ));
    }
    let is_id = |text: &str, kinds: &[char]| {
        text.starts_with(kinds) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    for team in file.teams.iter().flatten() {
        if !is_id(team, &['T', 'E']) {
            let message = format!("{team:?} is the id of no workspace and no organisation");
            let help = "write the id out of the workspace's address in a browser: https://app.slack.com/client/T…";
            wrong.push(Wrong::new("teams", message, help));
        }
    }
    if let Some(id) = &file.client_id
        && !is_id(id, &['A'])
    {
        let message = format!("{id:?} is no App ID");
        let help = "write the App ID (A…) of the app's page; its client id stands in the `aud` of ID tokens and belongs in audience";
        wrong.push(Wrong::new("client_id", message, help));
    }
    if takes_opaque(file) {
        wrong.push(Wrong::warning(
            "teams",
            "any app that a member of these workspaces has installed could call as that member, with the token that it was given for itself",
            "accept ID tokens alone: write audience = [\"…\"], our app's client id, and no client_id",
        ));
    }
    wrong
}

/// Beside ID tokens, which say for whom they are, only if the file asks for them by naming the app.
fn takes_opaque(file: &ProviderFile) -> bool {
    file.teams.as_ref().is_some_and(|teams| !teams.is_empty())
        && (file.audience.is_none() || file.client_id.is_some())
}

fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    takes_opaque(file)
        .then(|| api(file, "https://slack.com/api", "").map(|api| AskWay::Slack { api }))
}

/// An ID token: for our application, and of one of our workspaces if they are listed.
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_not_bound()?;
    claims.is_for(settings)?;
    judge_team(claims, settings)?;
    // Without it nobody could tell users of two workspaces apart.
    if claims.text(TEAM).is_none() {
        return Err(wrong_kind("the token names no workspace"));
    }
    Ok(())
}

/// What Slack says of an opaque token: of one of our workspaces, and of no other app than ours, if it names one.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    judge_team(claims, settings)?;
    let ours = &settings.own.client_id;
    if !ours.is_empty()
        && let Some(app) = claims.get("app_id")
        && app.as_str() != Some(ours)
    {
        let message = format!(
            "the token is of the app {}, and client_id is {ours} ({})",
            app.quoted(),
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message).by("client_id"));
    }
    Ok(())
}

fn judge_team(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let teams = &settings.own.teams;
    let listed = |id: &str| teams.iter().any(|own| own == id);
    let of = |name| claims.get(name).and_then(Json::as_str).is_some_and(listed);
    if teams.is_empty() || of(TEAM) || of(ENTERPRISE) {
        return Ok(());
    }
    let message = format!(
        "the token is of the workspace {}, and teams has {} ({})",
        shown(claims, TEAM),
        teams.join(", "),
        settings.written_in
    );
    Err(Denial::new(Denied::WrongAudience, message).by("teams"))
}
