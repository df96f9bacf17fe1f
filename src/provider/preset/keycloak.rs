//! Keycloak. Its realm's key signs access, ID and logout tokens alike, and puts no audience into an access token unless
//! a mapper does (server_admin, "Audience support").

use super::{
    Binding, Kind, Mark, PLAIN, Preset, Wrong, access_token, introspection, shown, wrong_kind,
};
use crate::{
    decision::Denial,
    tenant::{
        file::{ProviderFile, TextOrList},
        settings::ProviderSettings,
    },
    verify::claims::Claims,
};

pub const PRESET: Preset = Preset {
    kind: Kind::Keycloak,
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
        "require_typ",
        "stale_keys",
    ],
    fill,
    binding: Binding::AudienceOrClients,
    username: &["preferred_username"],
    groups: &["groups"],
    // Keycloak itself writes azp; the other two come from a mapper that only service accounts have.
    client: &["azp", "client_id", "clientId"],
    // Up to 24 the claim was called clientId. Never by the name's prefix: anybody may register as service-account-x.
    // Where the mapper is missing, it has no session, and is called as its client is, which nobody else can be.
    machine: &[
        &[Mark::Present("client_id")],
        &[Mark::Present("clientId")],
        &[
            Mark::Absent("sid"),
            Mark::Joined("preferred_username", "service-account-", "azp"),
        ],
    ],
    // An answer names the client of every token (client_id), and the mapper's other claims only of a service account's
    // (ServiceAccountConstants). Where they are mapped away, it has no session, as otherwise only exchanged tokens
    // have none, and is called as its client is, which nobody else of the realm can be.
    machine_answers: &[
        &[Mark::Present("clientId")],
        &[Mark::Present("clientHost")],
        &[Mark::Present("clientAddress")],
        &[
            Mark::Present("client_id"),
            Mark::Absent("sid"),
            Mark::Absent("username"),
        ],
        &[
            Mark::Absent("sid"),
            Mark::Joined("username", "service-account-", "client_id"),
        ],
    ],
    judge,
    judge_answer,
    inactive_hint: "; since Keycloak 26.6.2 that is also the answer where our client (client_id) is not in the token's `aud`: give the client that issues these tokens an audience mapper for ours",
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if file.introspection == Some(true)
        && file.introspection_endpoint.is_none()
        && let Some(issuer) = file.only_issuer()
    {
        // securing-apps, "Available endpoints".
        file.introspection_endpoint =
            Some(format!("{issuer}/protocol/openid-connect/token/introspect"));
    }
    if file.introspection_endpoint.is_some() {
        // Claims that are mapped away stay away; `username` is Keycloak's own (AccessTokenIntrospectionProvider).
        file.username
            .get_or_insert(["preferred_username", "username"].into());
    }
    if file
        .audience
        .iter()
        .flat_map(TextOrList::texts)
        .any(|audience| audience == "account")
    {
        wrong.push(Wrong::warning(
            "audience",
            "every user's token is for `account`, whichever client got it",
            "write audience = [\"…\"] with a client of its own for this product and an audience mapper for it, or clients = [\"…\"]",
        ));
    }
    if file.is_named_by(&["email", "name", "given_name", "family_name", "nickname"]) {
        wrong.push(Wrong::warning(
            "username",
            "users may change this in Keycloak's account console, unless the realm forbids it, and so become whom they like",
            "write username = \"preferred_username\", and leave the realm's \"Edit username\" off",
        ));
    }
    wrong
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    is_bearer(claims)?;
    access_token(claims, settings)
}

/// An answer holds all claims of the token, and the endpoint knows refresh tokens as well.
fn judge_answer(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    is_bearer(claims)?;
    introspection(claims, settings)
}

/// ID, Refresh, Offline, Logout and DPoP are what else it writes here [not confirmed for all].
fn is_bearer(claims: &Claims<'_>) -> Result<(), Denial> {
    if claims.text("typ") == Some("Bearer") {
        return Ok(());
    }
    Err(wrong_kind(format!(
        "the claim typ is {}, and Keycloak's access tokens have \"Bearer\" there",
        shown(claims, "typ")
    )))
}
