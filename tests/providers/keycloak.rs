//! Keycloak.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern::dev::CLIENT_SECRET;
use serde_json::{Value, json};

use super::signed::{
    KEY, OTHER_KEY, is_not_logged, key_set, line_of, now, with, without_answers_nobody_passes,
    without_keys_nobody_passes,
};
use crate::harness::{
    Postern, TenantFile,
    emulator::{self, Asked, Emulator, Reply},
    tenant,
};

/// The realm as tokens name it, which is not where Postern reaches it.
const REALM: &str = "https://sso.example.com/realms/corp";
const CERTS: &str = "/realms/corp/protocol/openid-connect/certs";
const INTROSPECT: &str = "/realms/corp/protocol/openid-connect/token/introspect";
const KID: &str = "n0EBsHkMCgcBUJmjLvJ2OwBx1IWtGH0ZpGyzQv5xLAM";
const ENC_KID: &str = "Oc3jBlFkOL0x1Bf8GmyBXc1mGS9xMNXH1jcRkUbKJYU";

/// The realm's keys: the one that signs, and one that only encrypts.
fn keys() -> Vec<Value> {
    let signs = json!({ "kid": KID, "alg": "RS256", "use": "sig", "x5c": ["MIICmzCC"], "x5t": "pQ", "x5t#S256": "kA" });
    let encrypts = json!({ "kid": ENC_KID, "alg": "RSA-OAEP", "use": "enc", "x5c": ["MIICmzCC"] });
    vec![KEY.jwk(signs), OTHER_KEY.jwk(encrypts)]
}

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

fn by_keys(name: &str, jwks_uri: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"keycloak\"\nissuer = {REALM:?}\njwks_uri = {jwks_uri:?}\naudience = [\"jira-api\"]"
    ))
}

fn by_asking(name: &str, endpoint: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"keycloak\"\nissuer = {REALM:?}\nintrospection_endpoint = {endpoint:?}\naudience = [\"jira-api\"]\n\
         client_id = \"jira-api\"\nclient_secret = {{ env = \"DEV_SECRET\" }}"
    ))
}

fn start(file: impl Fn(TenantFile) -> TenantFile) -> (Emulator, Postern) {
    let (realm, _) = realm();
    let uri = format!("{}{CERTS}", realm.url());
    let postern = Postern::with(file(by_keys("jira", &uri))).start();
    postern.until_keys("jira");
    (realm, postern)
}

/// A user's access token, with the audience that a mapper puts in.
fn access(changes: Value) -> Value {
    let token = json!({
        "exp": now() + 300, "iat": now(), "auth_time": now(), "jti": "onrtac:5c1d6ff0-1d5f-4b30-9a9c-9d4f3b9b5b3c",
        "iss": REALM, "aud": ["jira-api", "account"], "sub": "b5f1c1b2-7a2c-4c0e-8d43-2f4bb1b7f1a1", "typ": "Bearer",
        "azp": "frontend", "sid": "9e5d5e0c-2f4e-4d0a-8a0e-3b1f5f1e6c2a", "acr": "1",
        "realm_access": { "roles": ["default-roles-corp", "staff"] },
        "resource_access": { "jira": { "roles": ["jira-user"] }, "account": { "roles": ["manage-account"] } },
        "scope": "openid profile email", "email_verified": true, "preferred_username": "ada", "email": "ada@example.com",
    });
    with(token, changes)
}

/// A service account's: of no session, and with what the scope service_account adds.
fn service_account(client: &str, changes: Value) -> Value {
    let account = json!({
        "azp": client, "client_id": client, "clientHost": "192.0.2.7", "clientAddress": "192.0.2.7", "sid": null,
        "auth_time": null, "preferred_username": format!("service-account-{client}"),
    });
    with(access(account), changes)
}

fn sign(claims: &Value) -> String {
    KEY.sign(&json!({ "alg": "RS256", "typ": "JWT", "kid": KID }), claims)
}

/// The realm has a public name, which tokens carry, and an internal one, where its keys are.
#[test]
fn an_access_token_for_us_passes() {
    let (realm, postern) = start(|file| file);
    postern
        .check("jira", &sign(&access(json!({}))))
        .is_allowed_as("ada");
    let rfc9068 = json!({ "alg": "RS256", "typ": "at+jwt", "kid": KID });
    // Since 25.0 a client without the scope `basic` gets tokens without a subject.
    let nameless = access(json!({ "sub": null, "auth_time": null }));
    postern
        .check("jira", &KEY.sign(&rfc9068, &nameless))
        .is_allowed_as("ada");
    let elsewhere = json!({ "iss": format!("{}/realms/corp", realm.url()) });
    postern
        .check("jira", &sign(&access(elsewhere)))
        .is_refused(401, "unknown_issuer");
    postern
        .check("jira", &sign(&access(json!({ "exp": now() - 600 }))))
        .is_refused(401, "expired");
}

/// Every client of the realm gets tokens by the same key. Most are for `account`, or for nobody.
#[test]
fn a_token_of_another_client_is_refused() {
    let (_realm, postern) = start(|file| file);
    for audience in [
        json!("account"),
        json!(["account", "wiki"]),
        json!(null),
        json!([]),
    ] {
        let token = sign(&access(json!({ "aud": audience })));
        let answer = postern.check("jira", &token);
        answer.is_refused(401, "wrong_audience");
        assert!(line_of(&postern, &answer).contains("jira.toml, provider keycloak)"));
        is_not_logged(&postern, &[&token]);
    }
    postern
        .check("jira", &sign(&access(json!({ "aud": "jira-api" }))))
        .is_allowed_as("ada");
}

/// Without an audience mapper it is the client that says for whom a token is.
#[test]
fn a_list_of_clients_stands_in_for_the_audience() {
    let (realm, _) = realm();
    let postern = Postern::with(tenant("jira").provider(&format!(
        "kind = \"keycloak\"\nissuer = {REALM:?}\njwks_uri = \"{}{CERTS}\"\nclients = [\"frontend\", \"ci\"]",
        realm.url()
    )))
    .start();
    let check = |azp: Value| {
        let claims = access(json!({ "aud": null, "azp": azp }));
        postern.check("jira", &sign(&claims))
    };
    check(json!("frontend")).is_allowed_as("ada");
    for other in [
        json!("wiki"),
        json!("Frontend"),
        json!(null),
        json!(["frontend"]),
    ] {
        check(other).is_refused(401, "wrong_audience");
    }
}

/// The realm's key signs ID and logout tokens too; only the payload says which is which.
#[test]
fn only_bearer_tokens_pass() {
    let (_realm, postern) = start(|file| file);
    for kind in [
        json!("ID"),
        json!("Refresh"),
        json!("Offline"),
        json!("Logout"),
        json!("DPoP"),
        json!("bearer"),
        json!(["Bearer"]),
        json!(null),
    ] {
        postern
            .check("jira", &sign(&access(json!({ "typ": kind }))))
            .is_refused(401, "wrong_token_kind");
    }
    let logout = json!({ "alg": "RS256", "typ": "logout+jwt", "kid": KID });
    postern
        .check("jira", &KEY.sign(&logout, &access(json!({}))))
        .is_refused(401, "wrong_token_kind");
    let bound =
        json!({ "typ": "DPoP", "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } });
    postern
        .check("jira", &sign(&access(bound)))
        .is_refused(401, "bound_token");
}

/// A key that encrypts proves nothing, and refresh tokens are signed with a secret of the realm.
#[test]
fn only_the_key_that_signs_proves() {
    let (_realm, postern) = start(|file| file);
    let encrypting = json!({ "alg": "RS256", "typ": "JWT", "kid": ENC_KID });
    postern
        .check("jira", &OTHER_KEY.sign(&encrypting, &access(json!({}))))
        .is_refused(401, "unknown_key");
    assert!(postern.log().contains("its `use` is not \"sig\""));
    let secret = json!({ "alg": "HS512", "typ": "JWT", "kid": KID });
    postern
        .check(
            "jira",
            &KEY.sign(&secret, &access(json!({ "typ": "Refresh" }))),
        )
        .is_refused(401, "algorithm_not_allowed");
}

/// Realm roles, client roles and groups are groups, where the file says so.
#[test]
fn roles_and_groups_are_groups() {
    let groups = "groups = [\"groups\", \"realm_access.roles\", \"resource_access.jira.roles\", \"resource_access.wiki.example.com.roles\"]";
    for (allowed, changes, passes) in [
        ("staff", json!({}), true),
        ("jira-user", json!({}), true),
        ("manage-account", json!({}), false),
        ("/staff/it", json!({ "groups": ["/staff/it"] }), true),
        ("/staff", json!({ "groups": ["/staff/it"] }), false),
        (
            "reader",
            json!({ "resource_access": { "wiki.example.com": { "roles": ["reader"] } } }),
            true,
        ),
        (
            "staff",
            json!({ "realm_access": null, "scope": "staff" }),
            false,
        ),
    ] {
        let (_realm, postern) = start(|file| {
            file.with(groups)
                .access(&format!("allow_groups = [{allowed:?}]"))
        });
        let answer = postern.check("jira", &sign(&access(changes)));
        if passes {
            answer.is_allowed_as("ada");
        } else {
            answer.is_refused(403, "not_in_group");
        }
    }
}

/// A service account is known by what Keycloak says of its client, never by how it is called: a person may be called so.
#[test]
fn a_service_account_is_known_by_its_client() {
    let (_realm, without) = start(|file| file);
    let (_realm, postern) = start(|file| file.with("service_accounts = { ci = \"svc-ci\" }"));
    let up_to_24 = json!({ "client_id": null, "clientId": "ci" });
    for token in [
        service_account("ci", json!({})),
        service_account("ci", up_to_24),
    ] {
        without
            .check("jira", &sign(&token))
            .is_refused(403, "no_username");
        postern.check("jira", &sign(&token)).is_allowed_as("svc-ci");
    }
    postern
        .check("jira", &sign(&service_account("build", json!({}))))
        .is_refused(403, "no_username");
    let person = access(json!({ "preferred_username": "service-account-ci", "azp": "ci" }));
    postern
        .check("jira", &sign(&person))
        .is_allowed_as("service-account-ci");
    let usurper = access(json!({ "preferred_username": "svc-ci" }));
    postern
        .check("jira", &sign(&usurper))
        .is_refused(403, "account_protected");
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

/// The realm is down, slow, rate-limiting or lying, where its keys are fetched.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&access(json!({})));
    without_keys_nobody_passes(by_keys, keys(), &token, "ada");
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
