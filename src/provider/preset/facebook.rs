//! Facebook (developers.facebook.com: `debug_token`, "Securing Graph API requests", "Limited Login").

use super::{Binding, Kind, PLAIN, Preset, Wrong, api, is_of_our_application, shown, wrong_kind};
use crate::{
    decision::Denial,
    tenant::{
        file::{ProviderFile, TextOrList},
        settings::{AskWay, ProviderSettings},
    },
    verify::claims::Claims,
};

pub const PRESET: Preset = Preset {
    kind: Kind::Facebook,
    takes: &[
        "client_id",
        "client_secret",
        "api_url",
        "jwks_uri",
        "algorithms",
        "stale_keys",
        "token_prefix",
    ],
    fill,
    binding: Binding::Own,
    ask: |file| Some(ask(file)),
    // [not confirmed: seen in every example, promised in none]
    prefixes: &["EAA"],
    // People have no names there any more [not confirmed], but a number within each application, which ID tokens have
    // as `sub`.
    username: &["id", "sub"],
    client: &["app_id"],
    subject: &["id", "sub"],
    judge,
    judge_answer,
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    if file.client_id.is_none() {
        wrong.push(Wrong::new(
            "client_id",
            "tokens of every application look alike, but for their application",
            "write client_id = \"…\", our App ID",
        ));
    }
    if file.is_named_by(&["email"]) {
        wrong.push(Wrong::new(
            "username",
            "Facebook does not say whether it verified an address",
            "leave it out, and map the numbers to accounts with username_map",
        ));
    }
    if file
        .service_accounts
        .as_ref()
        .is_some_and(|listed| !listed.is_empty())
    {
        wrong.push(Wrong::warning(
            "service_accounts",
            "Facebook's tokens of applications (type APP) stand for no account and are refused, so that this has no effect",
            "remove it",
        ));
    }
    if file.accounts.is_none() && file.username_map.is_none() {
        wrong.push(Wrong::warning(
            "accounts",
            "everybody who uses our app can come, as an account that is called like a number",
            "map the numbers of those who may: username_map = [{ match = '^10215241773831025$', to = \"ada\" }]",
        ));
    }
    // Limited Login ("OIDC Token", "Validating the OIDC token"; supabase/auth, facebook.go). The metadata has no endpoints and another host than the issuer, so both are pinned.
    file.issuer = Some(["https://www.facebook.com"].into());
    file.jwks_uri.get_or_insert_with(|| {
        "https://limited.facebook.com/.well-known/oauth/openid/jwks/".to_owned()
    });
    file.audience = file.client_id.clone().map(|id| TextOrList::List(vec![id]));
    wrong
}

fn ask(file: &ProviderFile) -> Result<AskWay, Wrong> {
    // A version serves for two years; the documentation of `debug_token` shows this one.
    api(file, "https://graph.facebook.com/v25.0", "").map(|api| AskWay::Facebook { api })
}

/// An ID token of Limited Login.
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_not_bound()?;
    claims.is_for(settings)
}

/// `debug_token` names the application ("debug_token", Fields: `app_id`, `type`). `me` has proved it a second time.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    is_of_our_application(claims, "app_id", settings)?;
    if claims.text("type") != Some("USER") {
        return Err(wrong_kind(format!(
            "the token's type is {}",
            shown(claims, "type")
        )));
    }
    Ok(())
}
