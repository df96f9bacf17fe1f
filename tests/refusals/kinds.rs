//! Access tokens, and nothing else that an issuer signs with the same key.

use postern::decision::Denied::{BoundToken, TokenForGraph, WrongTokenKind};
use serde_json::json;

use super::row::{DIRECTORY, Row, World, ada, at, jira, refused};
use crate::harness::Algorithm;

#[test]
fn only_access_tokens_that_anyone_may_bear_pass() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    let with = |claim: &str, value: serde_json::Value| {
        jira(&world.acme.token().claim(claim, value).sign())
    };
    for (claim, value) in [
        // Keycloak's kinds.
        ("typ", json!("ID")),
        ("typ", json!("id")),
        ("typ", json!("Refresh")),
        ("typ", json!("Offline")),
        ("typ", json!("Logout")),
        ("typ", json!("Serialized-ID")),
        ("typ", json!(1)),
        // Cognito's.
        ("token_use", json!("id")),
        ("token_use", json!("refresh")),
        ("token_use", json!(1)),
        ("at_hash", json!("MTIzNDU2Nzg5MDEyMzQ1Ng")),
        ("c_hash", json!("MTIzNDU2Nzg5MDEyMzQ1Ng")),
        ("nonce", json!("n-0S6_WzA2Mj")),
        (
            "events",
            json!({"http://schemas.openid.net/event/backchannel-logout": {}}),
        ),
        ("events", json!({})),
    ] {
        rows.push(refused(
            format!("{claim} {value}"),
            with(claim, value),
            WrongTokenKind,
        ));
    }
    for (claim, value) in [
        ("typ", json!("Bearer")),
        ("typ", json!("at+jwt")),
        ("token_use", json!("access")),
        ("token_use", json!("access_token")),
        // A null is no claim.
        ("token_use", json!(null)),
        ("nonce", json!(null)),
        ("cnf", json!(null)),
        ("sid", json!("08a5019c-17e1-4977-8f42-65a12843ea02")),
        ("auth_time", json!(1)),
        ("azp", json!("dev")),
    ] {
        rows.push(ada(format!("{claim} {value}"), with(claim, value)));
    }
    for cnf in [
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"jwk": {"kty": "EC"}}),
        json!({}),
        json!("x"),
    ] {
        rows.push(refused(format!("cnf {cnf}"), with("cnf", cnf), BoundToken));
    }
    rows.push(ada("no cnf", jira(&world.acme.token().sign())));
    let entras = |header: &str| {
        let claims = json!({
            "iss": format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0"), "tid": DIRECTORY, "aud": "postern-dev",
            "azp": "build-server", "scp": "access_as_user", "sub": "ada", "exp": postern::clock::now() + 600,
        });
        let token = world
            .acme
            .sign_raw(Algorithm::Es256, world.header(header), claims.to_string());
        at("entra", &token)
    };
    rows.push(ada("Entra ID's token for us", entras("")));
    let nonce = r#","nonce":"Xz""#;
    rows.push(refused(
        "the same for Microsoft Graph",
        entras(nonce),
        TokenForGraph,
    ));
    rows
}
