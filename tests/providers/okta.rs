//! Okta.

/// The organisation's own server, which is asked.
mod org;

use std::sync::atomic::{AtomicUsize, Ordering};

use postern::dev::CLIENT_SECRET;
use serde_json::{Value, json};

use super::signed::{
    KEY, OTHER_KEY, is_not_logged, key_set, line_of, now, publishing, with,
    without_answers_nobody_passes, without_keys_nobody_passes,
};
use crate::harness::{
    Postern, TenantFile,
    emulator::{self, Emulator, Reply},
    tenant,
};

/// The organisation's own authorization server, and a custom one of it.
const ORG: &str = "https://example.okta.com";
const CUSTOM: &str = "https://example.okta.com/oauth2/default";
/// The same under a domain of the customer's.
const CUSTOM_DOMAIN: &str = "https://login.example.com/oauth2/default";
const FRONT_END: &str = "0oabv6kx4qq6h1U5l0h7";
const BUILD: &str = "0oabucvyc38HLL1ef0h7";
const KID: &str = "3k8mGlAPrl4Cb-wEfj8ZMqtLPbjHM9NyTzuUfGzLfXo";

fn keys() -> Vec<Value> {
    vec![KEY.jwk(json!({ "alg": "RS256", "kid": KID, "use": "sig" }))]
}

fn custom(name: &str, jwks_uri: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"okta\"\nissuer = [{CUSTOM:?}, {CUSTOM_DOMAIN:?}]\naudience = [\"api://jira\"]\njwks_uri = {jwks_uri:?}"
    ))
}

fn start(file: impl Fn(TenantFile) -> TenantFile) -> (Emulator, Postern) {
    let keys = publishing(keys());
    let postern = Postern::with(file(custom("jira", &format!("{}/v1/keys", keys.url())))).start();
    postern.until_keys("jira");
    (keys, postern)
}

/// A user's access token of the custom server.
fn access(changes: Value) -> Value {
    let token = json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE", "iss": CUSTOM, "aud": "api://jira",
        "sub": "ada@example.com", "iat": now(), "exp": now() + 3600, "cid": FRONT_END, "uid": "00ujmkLgagxeRrAg20g3",
        "scp": ["openid", "email"], "auth_time": now(),
    });
    with(token, changes)
}

/// A client's own: of no user, with the client for its subject.
fn machine(client: &str) -> Value {
    access(
        json!({ "sub": client, "cid": client, "uid": null, "auth_time": null, "scp": ["builds"] }),
    )
}

fn sign(claims: &Value) -> String {
    KEY.sign(&json!({ "kid": KID, "alg": "RS256" }), claims)
}

/// The header has no `typ`, the scopes are a list, and the subject is the login.
#[test]
fn an_access_token_of_a_custom_server_passes() {
    let (_keys, postern) = start(|file| file);
    postern
        .check("jira", &sign(&access(json!({}))))
        .is_allowed_as("ada@example.com");
    postern
        .check("jira", &sign(&access(json!({ "exp": now() - 600 }))))
        .is_refused(401, "expired");
    let by_another = OTHER_KEY.sign(&json!({ "kid": KID, "alg": "RS256" }), &access(json!({})));
    postern
        .check("jira", &by_another)
        .is_refused(401, "bad_signature");
    let bound = access(json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }));
    postern
        .check("jira", &sign(&bound))
        .is_refused(401, "bound_token");
}

/// Tokens for another API, and those of another client for ours, which all have our audience.
#[test]
fn a_token_of_another_application_is_refused() {
    let (_keys, open) = start(|file| file);
    let (_keys, listed) = start(|file| file.with(&format!("clients = [{FRONT_END:?}]")));
    let token = sign(&access(json!({ "aud": "api://default" })));
    let answer = open.check("jira", &token);
    answer.is_refused(401, "wrong_audience");
    let line = line_of(&open, &answer);
    assert!(line.contains("the audience is \"api://default\"; this tenant accepts api://jira ("));
    is_not_logged(&open, &[&token]);
    let others = sign(&access(json!({ "cid": BUILD })));
    open.check("jira", &others).is_allowed_as("ada@example.com");
    listed
        .check("jira", &others)
        .is_refused(401, "wrong_audience");
    listed
        .check("jira", &sign(&access(json!({}))))
        .is_allowed_as("ada@example.com");
}

/// An ID token of the same server, by the same key, even where its audience were ours.
#[test]
fn an_id_token_is_refused() {
    let (_keys, postern) = start(|file| file);
    let of_a_client = json!({
        "jti": "ID.ewMNfSvcpuqyS93OgVeCN3F2LseqROkyYjz7DNb9yhs", "cid": null, "uid": null, "scp": null,
        "sub": "00ujmkLgagxeRrAg20g3", "amr": ["pwd"], "idp": "00ojmkLgagxeRrAg20g3", "preferred_username": "ada@example.com",
    });
    for changes in [
        of_a_client,
        json!({ "cid": null }),
        json!({ "cid": 7 }),
        json!({ "cid": [FRONT_END] }),
        json!({ "jti": "ID.ewMNfSvcpuqyS93OgVeCN3F2LseqROkyYjz7DNb9yhs" }),
    ] {
        postern
            .check("jira", &sign(&access(changes)))
            .is_refused(401, "wrong_token_kind");
    }
    postern
        .check("jira", &sign(&access(json!({ "nonce": "n-0S6_WzA2Mj" }))))
        .is_refused(401, "wrong_token_kind");
}

/// With a custom domain a token's issuer is the host that was asked for it.
#[test]
fn one_server_may_answer_under_several_domains() {
    let (_keys, postern) = start(|file| file);
    for issuer in [CUSTOM, CUSTOM_DOMAIN] {
        postern
            .check("jira", &sign(&access(json!({ "iss": issuer }))))
            .is_allowed_as("ada@example.com");
    }
    for other in [
        "https://example-admin.okta.com/oauth2/default",
        "https://example.okta.com/oauth2/aus1",
        "https://example.okta.com/oauth2/default/",
        ORG,
    ] {
        postern
            .check("jira", &sign(&access(json!({ "iss": other }))))
            .is_refused(401, "unknown_issuer");
    }
}

/// OAuth's metadata is at the path that RFC 8414 inserts, where there is none of OpenID Connect.
#[test]
fn the_metadata_of_a_custom_server_is_found() {
    const OPENID: &str = "/oauth2/default/.well-known/openid-configuration";
    const OAUTH: &str = "/.well-known/oauth-authorization-server/oauth2/default";
    for (at, of_itself) in [(OPENID, true), (OAUTH, true), (OAUTH, false)] {
        let server = Emulator::start(|_| emulator::json(404, "{}"));
        let issuer = format!("{}/oauth2/default", server.url());
        let named = if of_itself {
            issuer.clone()
        } else {
            CUSTOM.to_owned()
        };
        let metadata = json!({ "issuer": named, "jwks_uri": format!("{issuer}/v1/keys") });
        server.answer(move |asked| match asked.path() {
            "/oauth2/default/v1/keys" => key_set(&keys()),
            path if path == at => emulator::json(200, &metadata),
            _ => emulator::json(
                404,
                r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#,
            ),
        });
        let file = tenant("jira").provider(&format!(
            "kind = \"okta\"\nissuer = {issuer:?}\naudience = [\"api://jira\"]"
        ));
        let postern = Postern::with(file).start();
        let answer = postern.check("jira", &sign(&access(json!({ "iss": issuer }))));
        if of_itself {
            answer.is_allowed_as("ada@example.com");
        } else {
            answer.is_refused(503, "issuer_unavailable");
        }
    }
}

/// A client's own token has no user, and is the account that the file says.
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
    // A user of that client is a user, and so is one whose login is the client's id.
    for login in ["ada@example.com", BUILD] {
        let user = access(json!({ "cid": BUILD, "sub": login }));
        postern.check("jira", &sign(&user)).is_allowed_as(login);
    }
    postern
        .check("jira", &sign(&access(json!({ "sub": "svc-build" }))))
        .is_refused(403, "account_protected");
}

/// Groups are a claim that the server's administrator adds; scopes are none.
#[test]
fn groups_are_groups() {
    let (_keys, postern) = start(|file| file.access("allow_groups = [\"Everyone\"]"));
    let staff = json!({ "groups": ["Everyone", "Staff"] });
    postern
        .check("jira", &sign(&access(staff)))
        .is_allowed_as("ada@example.com");
    for changes in [
        json!({ "groups": ["Staff"] }),
        json!({ "scp": ["Everyone"] }),
        json!({ "groups": { "0": "Everyone" } }),
    ] {
        postern
            .check("jira", &sign(&access(changes)))
            .is_refused(403, "not_in_group");
    }
}

/// Okta is down, slow, rate-limiting or lying, where its keys are fetched.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&access(json!({})));
    without_keys_nobody_passes(custom, keys(), &token, "ada@example.com");
}
