//! Any issuer of OAuth 2.0 or OIDC tokens, described by the tenant file alone.

use super::{Kind, Mark, PLAIN, Preset};

pub const PRESET: Preset = Preset {
    kind: Kind::Custom,
    takes: &[
        "issuer",
        "audience",
        "clients",
        "public_key",
        "certificate",
        "jwks_uri",
        "introspection_endpoint",
        "userinfo_endpoint",
        "client_id",
        "client_secret",
        "client_auth",
        "introspection_response",
        "introspection_jwks_uri",
        "algorithms",
        "require_typ",
        "stale_keys",
        "token_prefix",
    ],
    groups: &["groups"],
    client: CLIENT,
    machine: MACHINE,
    machine_answers: MACHINE,
    person: PERSON,
    ..PLAIN
};

/// The claims in which issuers name the client (RFC 9068 §2.2, OIDC Core §2, Okta, Entra ID).
const CLIENT: &[&str] = &["client_id", "azp", "cid", "appid"];

/// RFC 9068 §2.2: the subject of a token that a client got for itself is the client. RFC 9700 §4.15: whoever may
/// register clients could call one like an account.
const MACHINE: &[&[Mark]] = &[
    &[Mark::Equal("sub", "client_id")],
    &[Mark::Equal("sub", "azp")],
    &[Mark::Equal("sub", "cid")],
    &[Mark::Equal("sub", "appid")],
];

/// What only tokens of people carry: whoever is called like the client that he logs in with is not that client.
const PERSON: &[&[Mark]] = &[
    &[Mark::Present("auth_time")],
    &[Mark::Present("sid")],
    &[Mark::Present("email")],
];
