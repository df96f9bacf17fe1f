//! Keycloak. Its realm's key signs access, ID and logout tokens alike, and puts no audience into an access token unless
//! a mapper does (server_admin, "Audience support").

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, access_token, shown, wrong_kind};
use crate::{
    decision::Denial,
    tenant::{file::ProviderFile, settings::ProviderSettings},
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
    client: &["client_id", "clientId", "azp"],
    // Up to 24 the claim was called clientId. Never by the name's prefix: anybody may register as service-account-x.
    machine: &[&[Mark::Present("client_id")], &[Mark::Present("clientId")]],
    // An answer names the client of every token; a person's has a session as well.
    machine_answers: &[
        &[Mark::Present("client_id"), Mark::Absent("sid")],
        &[Mark::Present("clientId")],
    ],
    judge,
    inactive_hint: "; since Keycloak 26.6.2 that is also the answer where our client (client_id) is not in the token's `aud`: give the client that issues these tokens an audience mapper for ours",
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    if file.introspection == Some(true)
        && file.introspection_endpoint.is_none()
        && let Some(issuer) = file.only_issuer()
    {
        // securing-apps, "Available endpoints".
        file.introspection_endpoint =
            Some(format!("{issuer}/protocol/openid-connect/token/introspect"));
    }
    Vec::new()
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    // ID, Refresh, Offline and Logout are what else it writes here [not confirmed for all].
    if claims.text("typ") != Some("Bearer") {
        return Err(wrong_kind(format!(
            "the claim typ is {}, and Keycloak's access tokens have \"Bearer\" there",
            shown(claims, "typ")
        )));
    }
    access_token(claims, settings)
}
