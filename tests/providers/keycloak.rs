//! Keycloak.

/// Tokens that the realm is asked about (RFC 7662).
mod asking;

use serde_json::{Value, json};

use super::signed::{
    KEY, OTHER_KEY, is_not_logged, line_of, now, publishing, with, without_keys_nobody_passes,
};
use crate::harness::{Postern, TenantFile, emulator::Emulator, tenant};

/// The realm as tokens name it, which is not where Postern reaches it.
const REALM: &str = "https://sso.example.com/realms/corp";
const CERTS: &str = "/realms/corp/protocol/openid-connect/certs";
const KID: &str = "n0EBsHkMCgcBUJmjLvJ2OwBx1IWtGH0ZpGyzQv5xLAM";
const ENC_KID: &str = "Oc3jBlFkOL0x1Bf8GmyBXc1mGS9xMNXH1jcRkUbKJYU";

/// The realm's keys: the one that signs, and one that only encrypts.
fn keys() -> Vec<Value> {
    let signs = json!({ "kid": KID, "alg": "RS256", "use": "sig", "x5c": ["MIICmzCC"], "x5t": "pQ", "x5t#S256": "kA" });
    let encrypts = json!({ "kid": ENC_KID, "alg": "RSA-OAEP", "use": "enc", "x5c": ["MIICmzCC"] });
    vec![KEY.jwk(signs), OTHER_KEY.jwk(encrypts)]
}

fn by_keys(name: &str, jwks_uri: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"keycloak\"\nissuer = {REALM:?}\njwks_uri = {jwks_uri:?}\naudience = [\"jira-api\"]"
    ))
}

fn start(file: impl Fn(TenantFile) -> TenantFile) -> (Emulator, Postern) {
    let realm = publishing(keys());
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
    let nameless = |name: &str| {
        let claims = json!({ "sub": null, "auth_time": null, "preferred_username": name });
        KEY.sign(&rfc9068, &access(claims))
    };
    postern.check("jira", &nameless("bob")).is_allowed_as("bob");
    // Whose account it is, is then not known to be the same.
    postern
        .check("jira", &nameless("ada"))
        .is_refused(403, "account_changed");
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
    let realm = publishing(keys());
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

/// The realm is down, slow, rate-limiting or lying, where its keys are fetched.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&access(json!({})));
    without_keys_nobody_passes(by_keys, keys(), &token, "ada");
}
