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
    ask,
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

const MACHINE: &[&[Mark]] = &[
    &[Mark::EndsWith("email", ".gserviceaccount.com")],
    &[Mark::EndsWith("sub", ".gserviceaccount.com")],
];

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    // The second is the older form, which is still issued.
    file.issuer = Some(["https://accounts.google.com", "accounts.google.com"].into());
    file.jwks_uri
        .get_or_insert_with(|| "https://www.googleapis.com/oauth2/v3/certs".to_owned());
    if file.hosted_domains.as_ref().is_none_or(Vec::is_empty) {
        return vec![Wrong::warning(
            "hosted_domains",
            "anybody with a Google account can come, with an address of any domain",
            "write hosted_domains = [\"example.com\"], the domains of your Workspace",
        )];
    }
    Vec::new()
}

fn ask(file: &ProviderFile) -> Option<Result<AskWay, Wrong>> {
    let of = |default: &str, path: &str| api(file, default, path);
    let tokeninfo = of("https://oauth2.googleapis.com", "tokeninfo");
    let userinfo = of("https://openidconnect.googleapis.com", "v1/userinfo");
    Some(tokeninfo.and_then(|tokeninfo| {
        Ok(AskWay::Google {
            tokeninfo,
            userinfo: userinfo?,
        })
    }))
}

/// ID tokens and what tokeninfo says of access tokens alike. Anybody's service account can have a token made for any
/// audience, so that `aud` proves nothing without `azp`; and anybody's account can have any address, so that an
/// address proves nothing without `hd`.
fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_not_bound()?;
    claims.is_for(settings)?;
    if is_marked(claims, MACHINE) {
        // Whether it is listed, the mapping says.
        return Ok(());
    }
    let ours = |text: &str| match &settings.audience {
        crate::tenant::settings::Audience::OneOf(ours) => ours.iter().any(|own| own == text),
        crate::tenant::settings::Audience::Any => true,
    };
    if claims
        .get("azp")
        .is_some_and(|azp| !azp.as_str().is_some_and(ours))
    {
        let message = format!(
            "the token was got by the client {}, which is not among `audience` ({})",
            shown(claims, "azp"),
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message));
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
        return Err(Denial::new(Denied::WrongAudience, message));
    }
    Ok(())
}
