//! Okta.

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

fn org(name: &str, endpoint: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"okta\"\nissuer = {ORG:?}\nintrospection_endpoint = {endpoint:?}\nclients = [{FRONT_END:?}]\n\
         client_id = \"0oaPostern\"\nclient_secret = {{ env = \"DEV_SECRET\" }}"
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

/// An access token of the organisation's own server: its key is published nowhere.
fn org_token() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let header = json!({ "kid": "nowhere-to-be-found", "alg": "RS256" });
    let claims =
        json!({ "iss": ORG, "aud": ORG, "jti": format!("AT.{number}"), "sub": "ada@example.com" });
    OTHER_KEY.sign(&header, &claims)
}

/// What the organisation's own server answers about it.
fn active(changes: Value) -> Value {
    let answer = json!({
        "active": true, "token_type": "Bearer", "scope": "openid profile", "client_id": FRONT_END,
        "username": "ada@example.com", "exp": now() + 3600, "iat": now(), "sub": "ada@example.com", "aud": ORG,
        "iss": ORG, "jti": "AT.7P4KlczBYVcWLkxduEuKeZfeiNYkZIC9uGJ28Cc-YaI", "uid": "00uid4BxXw6I6TV4m0g3",
    });
    with(answer, changes)
}

/// The organisation's own server is asked and nobody's signature is looked at; what it calls active is judged.
#[test]
fn the_organisations_own_server_is_asked() {
    let server = Emulator::start(|_| emulator::json(200, active(json!({}))));
    let endpoint = format!("{}/oauth2/v1/introspect", server.url());
    let postern = Postern::with(org("jira", &endpoint)).start();
    let token = org_token();
    let answer = postern.check("jira", &token);
    answer.is_allowed_as("ada@example.com");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    let asked = &server.asked()[0];
    assert_eq!(
        (&*asked.method, asked.path()),
        ("POST", "/oauth2/v1/introspect")
    );
    assert_eq!(asked.field("token").as_deref(), Some(&*token));
    assert_eq!(
        asked.field("token_type_hint").as_deref(),
        Some("access_token")
    );
    assert!(
        asked
            .header("authorization")
            .is_some_and(|basic| basic.starts_with("Basic "))
    );
    for (changes, reason) in [
        // Another application of the organisation.
        (json!({ "client_id": BUILD }), "wrong_audience"),
        (json!({ "client_id": null }), "wrong_audience"),
        (json!({ "client_id": [FRONT_END] }), "wrong_audience"),
        (json!({ "iss": CUSTOM }), "unknown_issuer"),
        // The endpoint calls ID and refresh tokens active as well.
        (
            json!({ "jti": "ID.ewMNfSvcpuqyS93OgVeCN3F2LseqROkyYjz7DNb9yhs", "token_type": null, "aud": FRONT_END }),
            "wrong_token_kind",
        ),
        (
            json!({ "jti": "ID.ewMNfSvcpuqyS93OgVeCN3F2LseqROkyYjz7DNb9yhs" }),
            "wrong_token_kind",
        ),
        (json!({ "token_type": null }), "wrong_token_kind"),
        (json!({ "jti": null }), "wrong_token_kind"),
        (json!({ "jti": 7 }), "wrong_token_kind"),
        (json!({ "jti": "oar579Mcp7OUsNTlo0g3" }), "wrong_token_kind"),
        (json!({ "token_type": "DPoP" }), "wrong_token_kind"),
        (json!({ "cnf": { "jkt": "x" } }), "bound_token"),
        (json!({ "exp": now() - 600 }), "expired"),
    ] {
        let shown = changes.to_string();
        let answer = active(changes);
        server.answer(move |_| emulator::json(200, &answer));
        let answer = postern.check("jira", &org_token());
        assert_eq!((answer.status, answer.reason()), (401, reason), "{shown}");
    }
    // Revoked.
    server.answer(|_| emulator::json(200, r#"{"active":false}"#));
    postern
        .check("jira", &org_token())
        .is_refused(401, "inactive");
    assert!(
        server
            .asked()
            .iter()
            .all(|asked| asked.path() == "/oauth2/v1/introspect")
    );
    is_not_logged(&postern, &[&token, CLIENT_SECRET]);
}

/// An ID token of the organisation's own server can be told by itself, and is not shown to anybody; nor is another's.
#[test]
fn what_is_plainly_not_for_us_is_not_asked_about() {
    let server = Emulator::start(|_| emulator::json(200, active(json!({}))));
    let postern = Postern::with(org("jira", &server.url())).start();
    let header = json!({ "kid": "nowhere-to-be-found", "alg": "RS256" });
    for (claims, reason) in [
        (
            json!({ "iss": ORG, "nonce": "n-0S6_WzA2Mj" }),
            "wrong_token_kind",
        ),
        (
            json!({ "iss": ORG, "at_hash": "preyoi" }),
            "wrong_token_kind",
        ),
        (json!({ "iss": "https://other.okta.com" }), "unknown_issuer"),
    ] {
        postern
            .check("jira", &KEY.sign(&header, &claims))
            .is_refused(401, reason);
    }
    assert_eq!(server.asked().len(), 0);
}

/// The organisation's own server mints tokens of machines for Okta's API only: nobody's account by a name.
#[test]
fn an_answer_without_a_user_is_a_machine() {
    let machine = active(json!({ "uid": null, "username": null, "sub": FRONT_END }));
    let server = Emulator::start(move |_| emulator::json(200, &machine));
    let accounts = format!("service_accounts = {{ {FRONT_END:?} = \"svc-front\" }}");
    let postern = Postern::with(org("jira", &server.url()))
        .and(org("with", &server.url()).with(&accounts))
        .start();
    postern
        .check("jira", &org_token())
        .is_refused(403, "no_username");
    postern
        .check("with", &org_token())
        .is_allowed_as("svc-front");
}

/// The endpoint follows from the issuer, for either kind of server.
#[test]
fn whom_to_ask_follows_from_the_issuer() {
    for (path, asked_at) in [
        ("", "/oauth2/v1/introspect"),
        ("/oauth2/default", "/oauth2/default/v1/introspect"),
    ] {
        let server = Emulator::start(|_| Reply::Hang);
        let issuer = format!("{}{path}", server.url());
        let answer = active(json!({ "iss": issuer }));
        server.answer(move |_| emulator::json(200, &answer));
        let file = tenant("jira").provider(&format!(
            "kind = \"okta\"\nissuer = {issuer:?}\nintrospection = true\nclients = [{FRONT_END:?}]\n\
             client_id = \"0oaPostern\"\nclient_secret = {{ env = \"DEV_SECRET\" }}"
        ));
        let postern = Postern::with(file).start();
        let token = sign(&access(json!({ "iss": issuer })));
        postern
            .check("jira", &token)
            .is_allowed_as("ada@example.com");
        assert_eq!(server.hits(asked_at), 1);
    }
}

/// Okta is down, slow, rate-limiting or lying, where its keys are fetched.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&access(json!({})));
    without_keys_nobody_passes(custom, keys(), &token, "ada@example.com");
}

/// The same where it is asked. Its limits are told in header fields of its own.
#[test]
fn without_its_answers_nobody_passes() {
    let reset = (now() + 30).to_string();
    let busy = vec![
        ("X-Rate-Limit-Limit", "1200".to_owned()),
        ("X-Rate-Limit-Remaining", "0".to_owned()),
        ("X-Rate-Limit-Reset", reset),
    ];
    without_answers_nobody_passes(org, org_token, active(json!({})), busy, "ada@example.com");
}
