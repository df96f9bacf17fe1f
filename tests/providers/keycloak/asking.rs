//! Tokens that the realm is asked about.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern::dev::CLIENT_SECRET;

use super::*;
use crate::{
    harness::emulator::{self, Asked, Reply},
    providers::signed::{key_set, without_answers_nobody_passes},
};

const INTROSPECT: &str = "/realms/corp/protocol/openid-connect/token/introspect";

/// What the realm answers about tokens, by token; it calls all others inactive.
type Answers = Arc<Mutex<HashMap<String, Value>>>;

/// A realm that is reached by an internal name.
fn realm() -> (Emulator, Answers) {
    let answers = Answers::default();
    let known = Arc::clone(&answers);
    let emulator = Emulator::start(move |asked| match asked.path() {
        CERTS => key_set(&keys()),
        INTROSPECT => introspect(asked, &known),
        other => panic!("Postern asks for {other}"),
    });
    (emulator, answers)
}

fn introspect(asked: &Asked, answers: &Answers) -> Reply {
    let credentials = format!(
        "Basic {}",
        STANDARD.encode(format!("jira-api:{CLIENT_SECRET}"))
    );
    if asked.header("authorization") != Some(&credentials) {
        let body = r#"{"error":"invalid_request","error_description":"Authentication failed."}"#;
        return emulator::json(401, body);
    }
    let token = asked.field("token").expect("a token");
    let answers = answers.lock().expect("nobody panics with it");
    let answer = answers.get(&token).cloned();
    emulator::json(200, answer.unwrap_or_else(|| json!({ "active": false })))
}

fn by_asking(name: &str, endpoint: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"keycloak\"\nissuer = {REALM:?}\nintrospection_endpoint = {endpoint:?}\naudience = [\"jira-api\"]\n\
         client_id = \"jira-api\"\nclient_secret = {{ env = \"DEV_SECRET\" }}"
    ))
}

/// Where Postern reaches the realm by the name that tokens carry, the rest follows from it.
#[test]
fn everything_follows_from_the_issuer() {
    let realm = Emulator::start(|_| emulator::json(404, "{}"));
    let issuer = format!("{}/realms/corp", realm.url());
    let claims = access(json!({ "iss": issuer }));
    let (metadata, answer) = (
        json!({ "issuer": issuer, "jwks_uri": format!("{}{CERTS}", realm.url()) }),
        active(claims.clone(), json!({})),
    );
    realm.answer(move |asked| match asked.path() {
        "/realms/corp/.well-known/openid-configuration" => emulator::json(200, &metadata),
        CERTS => key_set(&keys()),
        INTROSPECT => emulator::json(200, &answer),
        other => panic!("Postern asks for {other}"),
    });
    let file = |name: &str| {
        let lines = format!("kind = \"keycloak\"\nissuer = {issuer:?}\naudience = [\"jira-api\"]");
        tenant(name).provider(&lines)
    };
    let client =
        "introspection = true\nclient_id = \"jira-api\"\nclient_secret = { env = \"DEV_SECRET\" }";
    let postern = Postern::with(file("keys"))
        .and(file("asking").with(client))
        .start();
    for (name, method) in [("keys", "jwt"), ("asking", "introspection")] {
        let answer = postern.check(name, &sign(&claims));
        answer.is_allowed_as("ada");
        assert_eq!(answer.header("postern-method"), Some(method));
    }
    assert_eq!(realm.hits(INTROSPECT), 1);
}

/// A realm that is asked about each token, and what it is to answer.
struct Asking {
    realm: Emulator,
    answers: Answers,
    postern: Postern,
}

impl Asking {
    fn start(more: &str) -> Self {
        let (realm, answers) = realm();
        let file = by_asking("jira", &format!("{}{INTROSPECT}", realm.url())).with(more);
        Self {
            postern: Postern::with(file).start(),
            realm,
            answers,
        }
    }

    /// A lightweight token: it names nobody. The realm answers with what it left out.
    fn token(&self, number: usize, answer: Value) -> String {
        let token = sign(&json!({
            "exp": now() + 300, "iat": now(), "jti": format!("onrtlt:{number}"), "iss": REALM, "typ": "Bearer",
            "azp": "frontend", "sid": "9e5d5e0c", "scope": "openid",
        }));
        let mut answers = self.answers.lock().expect("nobody panics with it");
        answers.insert(token.clone(), answer);
        token
    }
}

/// All claims of the token, and what the endpoint adds.
fn active(claims: Value, changes: Value) -> Value {
    let (client, name) = (claims["azp"].clone(), claims["preferred_username"].clone());
    let added =
        json!({ "client_id": client, "username": name, "token_type": "Bearer", "active": true });
    with(with(claims, added), changes)
}

/// A lightweight token passes by what the realm says of it, and not by what it says of one that is another client's.
#[test]
fn a_lightweight_token_is_what_the_realm_says() {
    let world = Asking::start("");
    let good = world.token(1, active(access(json!({})), json!({})));
    let answer = world.postern.check("jira", &good);
    answer.is_allowed_as("ada");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    let mapped_away = active(access(json!({})), json!({ "preferred_username": null }));
    world
        .postern
        .check("jira", &world.token(2, mapped_away))
        .is_allowed_as("ada");
    for (number, changes, reason) in [
        (3, json!({ "aud": "account" }), "wrong_audience"),
        (4, json!({ "aud": null }), "wrong_audience"),
        (
            5,
            json!({ "iss": "https://sso.example.com/realms/other" }),
            "unknown_issuer",
        ),
        (6, json!({ "typ": "Refresh" }), "wrong_token_kind"),
        (7, json!({ "typ": "ID" }), "wrong_token_kind"),
        (8, json!({ "typ": null }), "wrong_token_kind"),
        (9, json!({ "token_type": "DPoP" }), "wrong_token_kind"),
        (10, json!({ "cnf": { "jkt": "x" } }), "bound_token"),
        (11, json!({ "exp": now() - 600 }), "expired"),
        (12, json!({ "active": false }), "inactive"),
    ] {
        let token = world.token(number, active(access(json!({})), changes));
        world.postern.check("jira", &token).is_refused(401, reason);
    }
    is_not_logged(&world.postern, &[&good, CLIENT_SECRET]);
}

/// Since 26.6.2 the realm calls tokens inactive that are not for the asking client; and whoever has logged out is.
#[test]
fn inactive_is_explained() {
    let world = Asking::start("");
    let token = world.token(1, json!({ "active": false }));
    let answer = world.postern.check("jira", &token);
    answer.is_refused(401, "inactive");
    let line = line_of(&world.postern, &answer);
    assert!(line.contains("since Keycloak 26.6.2"), "{line}");
    assert!(line.contains("audience mapper"), "{line}");
    // It is not asked about what is plainly no access token.
    let hits = world.realm.hits(INTROSPECT);
    let refresh = sign(&access(json!({ "typ": "Refresh" })));
    world
        .postern
        .check("jira", &refresh)
        .is_refused(401, "wrong_token_kind");
    assert_eq!(world.realm.hits(INTROSPECT), hits);
}

/// Before 26.6.2 every client is told about every token: a list of clients binds as well as an audience.
#[test]
fn an_answer_about_another_clients_token_is_refused() {
    let (realm, answers) = realm();
    let endpoint = format!("{}{INTROSPECT}", realm.url());
    let file = by_asking("jira", &endpoint).text();
    let file = file.replace("audience = [\"jira-api\"]", "clients = [\"frontend\"]");
    let provider = file.split("[[provider]]\n").nth(1).expect("there is one");
    let world = Asking {
        postern: Postern::with(tenant("jira").provider(provider)).start(),
        realm,
        answers,
    };
    let good = active(access(json!({ "aud": "account" })), json!({}));
    world
        .postern
        .check("jira", &world.token(1, good.clone()))
        .is_allowed_as("ada");
    let other = with(good, json!({ "azp": "wiki", "client_id": "wiki" }));
    world
        .postern
        .check("jira", &world.token(2, other))
        .is_refused(401, "wrong_audience");
}

/// An answer names the client of every token, so that it takes more to be a machine.
#[test]
fn an_answer_tells_machines_from_people() {
    let world = Asking::start("service_accounts = { ci = \"svc-ci\" }");
    let check = |number, claims: Value, changes: Value| {
        world
            .postern
            .check("jira", &world.token(number, active(claims, changes)))
    };
    let no_mapper = json!({ "clientHost": null, "clientAddress": null });
    check(1, service_account("ci", json!({})), json!({})).is_allowed_as("svc-ci");
    check(2, service_account("ci", no_mapper.clone()), json!({})).is_allowed_as("svc-ci");
    check(3, service_account("build", no_mapper), json!({})).is_refused(403, "no_username");
    let called = |name: &str, sid: Value| {
        access(json!({ "azp": "ci", "preferred_username": name, "sid": sid }))
    };
    check(4, called("ada", json!("9e5d")), json!({})).is_allowed_as("ada");
    // An exchanged token is of no session [not confirmed], and its user is a user.
    check(5, called("ada", json!(null)), json!({})).is_allowed_as("ada");
    check(6, called("service-account-ci", json!("9e5d")), json!({}))
        .is_allowed_as("service-account-ci");
    check(7, called("service-account-x", json!(null)), json!({}))
        .is_allowed_as("service-account-x");
}

/// The same where it is asked.
#[test]
fn without_its_answers_nobody_passes() {
    let number = std::sync::atomic::AtomicUsize::new(0);
    let token = || {
        let number = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        sign(&json!({ "iss": REALM, "typ": "Bearer", "jti": number, "exp": now() + 300 }))
    };
    let busy = vec![("Retry-After", "30".to_owned())];
    let good = active(access(json!({})), json!({}));
    without_answers_nobody_passes(by_asking, token, good, busy, "ada");
}
