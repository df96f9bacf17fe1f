//! Amazon Cognito.

use serde_json::{Value, json};

use super::signed::{
    KEY, OTHER_KEY, is_not_logged, line_of, now, publishing, with, without_keys_nobody_passes,
};
use crate::harness::{Postern, TenantFile, emulator::Emulator, tenant};

const POOL: &str = "eu-central-1_AbCdEfGhI";
const FRONT_END: &str = "57cbishk4j24pabc1234567890";
const BUILD: &str = "3n4b5urk1ft4fl3mg5e62d9ado";
const STRANGER: &str = "7hq0ff4vk31sd1rv7mf0jv7c1e";
const ACCESS_KID: &str = "abcdefghijklmnopqrstuvwxyz=";
const ID_KID: &str = "example=";

fn issuer() -> String {
    format!("https://cognito-idp.eu-central-1.amazonaws.com/{POOL}")
}

/// A pool has two key pairs: one signs access tokens, the other ID tokens.
fn keys() -> Vec<Value> {
    let members = |kid: &str| json!({ "kid": kid, "alg": "RS256", "use": "sig" });
    vec![KEY.jwk(members(ACCESS_KID)), OTHER_KEY.jwk(members(ID_KID))]
}

fn cognito(name: &str, jwks_uri: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"cognito\"\nuser_pool_id = {POOL:?}\nclients = [{FRONT_END:?}, {BUILD:?}]\njwks_uri = {jwks_uri:?}"
    ))
}

fn start(file: impl Fn(TenantFile) -> TenantFile) -> (Emulator, Postern) {
    let keys = publishing(keys());
    let uri = format!("{}/{POOL}/.well-known/jwks.json", keys.url());
    let postern = Postern::with(file(cognito("jira", &uri))).start();
    postern.until_keys("jira");
    (keys, postern)
}

/// A user's access token, which has no audience.
fn access(changes: Value) -> Value {
    let token = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "device_key": "eu-central-1_x", "cognito:groups": ["admin"],
        "token_use": "access", "scope": "aws.cognito.signin.user.admin", "auth_time": now(), "iss": issuer(),
        "exp": now() + 3600, "iat": now(), "origin_jti": "aaaaaaaa-bbbb", "jti": "aaaaaaaa-bbbb-cccc",
        "client_id": FRONT_END, "username": "ada",
    });
    with(token, changes)
}

/// A user's ID token, whose audience is the application that asked for it.
fn id(changes: Value) -> Value {
    let token = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", "cognito:groups": ["admin"], "email_verified": true,
        "cognito:preferred_role": "arn:aws:iam::111122223333:role/x", "iss": issuer(), "cognito:username": "ada",
        "nonce": "abcdefg", "origin_jti": "aaaaaaaa-bbbb", "aud": FRONT_END, "identities": [{ "userId": "amzn1" }],
        "token_use": "id", "auth_time": now(), "exp": now() + 3600, "iat": now(), "jti": "aaaaaaaa-bbbb-cccc",
        "email": "ada@example.com", "custom:account": "root",
    });
    with(token, changes)
}

/// A client's own token.
fn machine(client: &str) -> Value {
    let changes = json!({
        "sub": client, "client_id": client, "username": null, "cognito:groups": null, "device_key": null,
        "origin_jti": null, "scope": "jira/read", "version": 2,
    });
    access(changes)
}

fn sign(claims: &Value) -> String {
    KEY.sign(&json!({ "kid": ACCESS_KID, "alg": "RS256" }), claims)
}

fn sign_id(claims: &Value) -> String {
    OTHER_KEY.sign(&json!({ "kid": ID_KID, "alg": "RS256" }), claims)
}

/// The pool's id says whose tokens these are, and the client for whom.
#[test]
fn an_access_token_of_our_client_passes() {
    let (_keys, postern) = start(|file| file);
    let answer = postern.check("jira", &sign(&access(json!({}))));
    answer.is_allowed_as("ada");
    for (issuer, reason) in [
        (
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Another",
            "unknown_issuer",
        ),
        (
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-central-1_AbCdEfGhI",
            "unknown_issuer",
        ),
    ] {
        postern
            .check("jira", &sign(&access(json!({ "iss": issuer }))))
            .is_refused(401, reason);
    }
    postern
        .check("jira", &sign(&access(json!({ "exp": now() - 600 }))))
        .is_refused(401, "expired");
    postern
        .check(
            "jira",
            &sign(&access(
                json!({ "token_use": "access", "cnf": { "jkt": "x" } }),
            )),
        )
        .is_refused(401, "bound_token");
}

/// Another app client of the pool gets tokens of the same users, by the same key.
#[test]
fn a_token_of_another_client_is_refused() {
    let (_keys, postern) = start(|file| file);
    let token = sign(&access(json!({ "client_id": STRANGER })));
    let answer = postern.check("jira", &token);
    answer.is_refused(401, "wrong_audience");
    let line = line_of(&postern, &answer);
    assert!(line.contains(&format!(
        "the client_id is \"{STRANGER}\"; this tenant accepts the clients {FRONT_END}"
    )));
    assert!(line.contains("jira.toml, provider cognito)"));
    is_not_logged(&postern, &[&token]);
    for client in [json!(null), json!([FRONT_END]), json!("")] {
        postern
            .check("jira", &sign(&access(json!({ "client_id": client }))))
            .is_refused(401, "wrong_audience");
    }
    // An audience of ours is no client.
    let aud = access(json!({ "client_id": STRANGER, "aud": FRONT_END }));
    postern
        .check("jira", &sign(&aud))
        .is_refused(401, "wrong_audience");
}

/// An access token that is bound to a resource has to be for ours [not confirmed that there are any].
#[test]
fn an_audience_that_is_there_counts() {
    let (_keys, without) = start(|file| file);
    let (_keys, with_audience) =
        start(|file| file.with("audience = [\"https://jira.example.com\"]"));
    for (aud, without_it, with_it) in [
        (json!(null), true, false),
        (json!("https://jira.example.com"), false, true),
        (json!("https://other.example.com"), false, false),
        (json!(FRONT_END), true, false),
    ] {
        let token = sign(&access(json!({ "aud": aud })));
        for (postern, passes) in [(&without, without_it), (&with_audience, with_it)] {
            let answer = postern.check("jira", &token);
            if passes {
                answer.is_allowed_as("ada");
            } else {
                answer.is_refused(401, "wrong_audience");
            }
        }
    }
}

/// ID tokens are for an application to read. Where they are let in, it must have been ours.
#[test]
fn an_id_token_passes_only_where_it_is_wanted() {
    let (_keys, without) = start(|file| file);
    let (_keys, wanted) = start(|file| file.with("id_tokens = true"));
    let token = sign_id(&id(json!({})));
    without
        .check("jira", &token)
        .is_refused(401, "wrong_token_kind");
    wanted.check("jira", &token).is_allowed_as("ada");
    wanted
        .check("jira", &sign(&access(json!({}))))
        .is_allowed_as("ada");
    for (changes, reason) in [
        (json!({ "aud": STRANGER }), "wrong_audience"),
        (json!({ "aud": null }), "wrong_audience"),
        (json!({ "aud": [FRONT_END, STRANGER] }), "wrong_audience"),
        (
            json!({ "aud": STRANGER, "client_id": FRONT_END }),
            "wrong_audience",
        ),
        (json!({ "token_use": "ID" }), "wrong_token_kind"),
        (json!({ "token_use": "refresh" }), "wrong_token_kind"),
        (json!({ "token_use": null }), "wrong_token_kind"),
        (json!({ "token_use": ["id"] }), "wrong_token_kind"),
    ] {
        let shown = changes.to_string();
        let answer = wanted.check("jira", &sign_id(&id(changes)));
        assert_eq!((answer.status, answer.reason()), (401, reason), "{shown}");
    }
}

/// A pool's two keys have two names. A token that names the wrong one, or one of nobody's, is forged.
#[test]
fn each_key_is_known_by_its_name() {
    let (_keys, postern) = start(|file| file.with("id_tokens = true"));
    for (kid, reason) in [(ID_KID, "bad_signature"), ("another=", "unknown_key")] {
        let header = json!({ "kid": kid, "alg": "RS256" });
        postern
            .check("jira", &KEY.sign(&header, &access(json!({}))))
            .is_refused(401, reason);
    }
    // A load balancer's header is a JWT too (x-amzn-oidc-data), and none of the pool's.
    let header = json!({
        "typ": "JWT", "kid": ID_KID, "alg": "ES256", "iss": issuer(), "client": FRONT_END,
        "signer": "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/x/y", "exp": now() + 120,
    });
    postern
        .check("jira", &KEY.sign(&header, &access(json!({}))))
        .is_refused(401, "algorithm_not_allowed");
}

/// A client's own token names no user; a user's does, whatever the user is called.
#[test]
fn a_machine_is_a_service_account_or_nobody() {
    let (_keys, without) = start(|file| file);
    let accounts = format!("service_accounts = {{ {BUILD:?} = \"svc-build\" }}");
    let (_keys, postern) = start(|file| file.with(&accounts));
    let token = sign(&machine(BUILD));
    without.check("jira", &token).is_refused(403, "no_username");
    postern.check("jira", &token).is_allowed_as("svc-build");
    postern
        .check("jira", &sign(&machine(FRONT_END)))
        .is_refused(403, "no_username");
    postern
        .check("jira", &sign(&machine(STRANGER)))
        .is_refused(401, "wrong_audience");
    let user = access(json!({ "client_id": BUILD, "username": BUILD }));
    postern.check("jira", &sign(&user)).is_allowed_as(BUILD);
    postern
        .check("jira", &sign(&access(json!({ "username": "svc-build" }))))
        .is_refused(403, "account_protected");
    // Neither a user nor a client: nobody.
    postern
        .check("jira", &sign(&access(json!({ "username": null }))))
        .is_refused(403, "no_username");
}

/// Groups are those of the pool, and scopes are none.
#[test]
fn groups_are_groups() {
    let (_keys, postern) = start(|file| file.access("allow_groups = [\"admin\"]"));
    postern
        .check("jira", &sign(&access(json!({}))))
        .is_allowed_as("ada");
    for changes in [
        json!({ "cognito:groups": ["users"] }),
        json!({ "cognito:groups": null, "groups": ["admin"], "scope": "admin" }),
        json!({ "cognito:groups": null, "cognito:roles": ["admin"] }),
    ] {
        postern
            .check("jira", &sign(&access(changes)))
            .is_refused(403, "not_in_group");
    }
}

/// Users write most attributes themselves. One that is mapped all the same has to be verified, if it is an address.
#[test]
fn an_attribute_that_users_write_is_no_proof() {
    let (_keys, postern) = start(|file| file.with("id_tokens = true\nusername = \"email\""));
    postern
        .check("jira", &sign_id(&id(json!({}))))
        .is_allowed_as("ada@example.com");
    for verified in [json!(false), json!("true"), json!(null)] {
        postern
            .check("jira", &sign_id(&id(json!({ "email_verified": verified }))))
            .is_refused(403, "no_username");
    }
}

/// Cognito is down, slow, rate-limiting or lying.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&access(json!({})));
    without_keys_nobody_passes(cognito, keys(), &token, "ada");
}
