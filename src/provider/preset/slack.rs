//! Slack (docs.slack.dev: "Sign in with Slack", `auth.test`, `openid.connect.userInfo`).

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, api, shown};
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
        "api_url",
        "jwks_uri",
        "algorithms",
        "stale_keys",
        "token_prefix",
    ],
    fill,
    binding: Binding::Own,
    ask,
    prefixes: &["xoxp-", "xoxb-", "xoxe.xoxp-", "xoxe.xoxb-"],
    refused_prefixes: &[(
        "xapp-",
        "this is an app-level token, which stands for no user; send a user's token (xoxp-)",
    )],
    username: &["email"],
    client: &["bot_id"],
    machine_answers: &[&[Mark::Present("bot_id")]],
    judge,
    judge_answer: judge_team,
    ..PLAIN
};

/// The claims that Slack names by its own address.
const TEAM: &str = "https://slack.com/team_id";

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    if file.audience.is_some() {
        file.issuer = Some(["https://slack.com"].into());
        file.jwks_uri
            .get_or_insert_with(|| "https://slack.com/openid/connect/keys".to_owned());
    }
    if file.teams.as_ref().is_none_or(Vec::is_empty) && file.audience.is_none() {
        return vec![Wrong::new(
            "teams",
            "Slack does not say for whom a user's token was issued, so that any application's would pass",
            "write teams = [\"T…\"], the workspaces whose members may come, or audience = [\"…\"], our app's client id, to accept ID tokens",
        )];
    }
    Vec::new()
}

fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    file.teams.as_ref().filter(|teams| !teams.is_empty())?;
    Some(api(file, "https://slack.com/api", "").map(|api| AskWay::Slack { api }))
}

/// An ID token: for our application, and of one of our workspaces if they are listed.
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_not_bound()?;
    claims.is_for(settings)?;
    judge_team(claims, settings)
}

fn judge_team(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let teams = &settings.own.teams;
    let listed = |id: &str| teams.iter().any(|own| own == id);
    let of = |name| claims.get(name).and_then(Json::as_str).is_some_and(listed);
    if teams.is_empty() || of(TEAM) || of("https://slack.com/enterprise_id") {
        return Ok(());
    }
    let message = format!(
        "the token is of the workspace {}, and teams has {} ({})",
        shown(claims, TEAM),
        teams.join(", "),
        settings.written_in
    );
    Err(Denial::new(Denied::WrongAudience, message))
}
