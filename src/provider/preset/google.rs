//! Google (developers.google.com/identity: "OpenID Connect", "Using OAuth 2.0 to access Google APIs").

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, api, is_marked, shown};
use crate::{
    decision::{Denial, Denied},
    tenant::{
        file::ProviderFile,
        settings::{AskWay, ProviderSettings},
    },
    verify::{claims::Claims, json::Json},
};

pub const PRESET: Preset = Preset {
    kind: Kind::Google,
    takes: &[
        "audience",
        "hosted_domains",
        "api_url",
        "jwks_uri",
        "algorithms",
        "stale_keys",
    ],
    fill,
    binding: Binding::Audience,
    realm_of: |_| "https://accounts.google.com",
    ask: |file| Some(ask(file)),
    prefixes: &["ya29."],
    username: &["email"],
    // A service account is found by its address or its number.
    client: &["email", "sub", "azp"],
    machine: MACHINE,
    machine_answers: MACHINE,
    judge,
    judge_answer: judge,
    ..PLAIN
};

/// A service account's ID token names the account as its own client, and its address only where that was asked for
/// (cloud.google.com, "ID tokens"; IAM `generateIdToken`, `includeEmail`). A person's client is never the person.
const MACHINE: &[&[Mark]] = &[
    &[Mark::Equal("azp", "sub")],
    &[Mark::EndsWith("email", ".gserviceaccount.com")],
    &[Mark::EndsWith("sub", ".gserviceaccount.com")],
];

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    // The second is the older form, which is still issued ("OpenID Connect", ID token's payload; google-auth-library-
    // python, `id_token.py`).
    file.issuer = Some(["https://accounts.google.com", "accounts.google.com"].into());
    // `jwks_uri` of https://accounts.google.com/.well-known/openid-configuration.
    file.jwks_uri
        .get_or_insert_with(|| "https://www.googleapis.com/oauth2/v3/certs".to_owned());
    let mut wrong = Vec::new();
    if file.hosted_domains.as_ref().is_none_or(Vec::is_empty) {
        wrong.push(Wrong::warning(
            "hosted_domains",
            "anybody with a Google account can come, with an address of any domain",
            DOMAINS,
        ));
    }
    for domain in file.hosted_domains.iter().flatten() {
        // "Use hd to …": consumer accounts have no domain.
        if domain.eq_ignore_ascii_case("gmail.com") || domain.contains('@') {
            let message = format!("no account's Workspace domain (hd) is {domain:?}");
            wrong.push(Wrong::new("hosted_domains", message, DOMAINS));
        }
    }
    wrong
}

const DOMAINS: &str = "write hosted_domains = [\"example.com\"], the domains of your Workspace";

fn ask(file: &ProviderFile) -> Result<AskWay, Wrong> {
    let of = |default: &str, path: &str| api(file, default, path);
    // Of the discovery document is userinfo; tokeninfo is where Google's own libraries ask (OAuth2Client).
    let tokeninfo = of("https://oauth2.googleapis.com", "tokeninfo");
    let userinfo = of("https://openidconnect.googleapis.com", "v1/userinfo");
    Ok(AskWay::Google {
        tokeninfo: tokeninfo?,
        userinfo: userinfo?,
    })
}

/// ID tokens and what tokeninfo says of access tokens alike. Anybody's service account can have a token made for any
/// audience, so that `aud` proves nothing without `azp`; and anybody's account can have any address, so that an
/// address proves nothing without `hd`.
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_not_bound()?;
    claims.is_for(settings)?;
    if is_marked(claims, MACHINE) {
        // Whether it is listed, the mapping says, by an address only if it is the account's own.
        if claims.get("email").is_some()
            && !matches!(claims.get("email_verified"), Some(Json::Bool(true)))
        {
            return Err(Denial::new(
                Denied::NoUsername,
                "the service account's address was not verified (email_verified)",
            ));
        }
        return Ok(());
    }
    let ours = |text: &str| match &settings.audience {
        crate::tenant::settings::Audience::OneOf(ours) => ours.iter().any(|own| own == text),
        crate::tenant::settings::Audience::Any => true,
    };
    // Whoever got the token is one of ours as well: an Android app's is `azp` where a server's is `aud`.
    if claims.text("azp").is_none_or(|azp| !ours(azp)) {
        let message = format!(
            "the token was got by the client (azp) {}, which is not among `audience` ({})",
            shown(claims, "azp"),
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message).by("audience"));
    }
    if claims.text("sub").is_none_or(str::is_empty) {
        return Err(Denial::new(
            Denied::NoUsername,
            "Google names no subject (sub); has the token the scopes openid and email?",
        ));
    }
    let domains = &settings.own.hosted_domains;
    let hosted = claims.get("hd").and_then(Json::as_str);
    if !domains.is_empty()
        && !hosted.is_some_and(|hd| domains.iter().any(|own| own.eq_ignore_ascii_case(hd)))
    {
        let message = format!(
            "the account's Workspace domain (hd) is {}, and hosted_domains has {} ({})",
            shown(claims, "hd"),
            domains.join(", "),
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message).by("hosted_domains"));
    }
    Ok(())
}
