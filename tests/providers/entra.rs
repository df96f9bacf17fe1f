//! Microsoft Entra ID.

/// Whose tokens are believed, and by which keys.
mod issuers;

use serde_json::{Value, json};

use super::signed::{
    KEY, OTHER_KEY, is_not_logged, key_set, line_of, now, publishing, with,
    without_keys_nobody_passes,
};
use crate::harness::{Postern, TenantFile, emulator::Emulator, tenant};

const DIRECTORY: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";
const ANOTHER: &str = "fa15d692-e9c7-4460-a743-29f295222229";
/// The application that stands for Jira, and two that call it.
const API: &str = "ef1da9d4-ff77-4c3e-a005-840c3f830745";
const FRONT_END: &str = "6731de76-14a6-49ae-97bc-6eba6914391e";
const BUILD: &str = "1f8f3a5b-6c1f-4d4a-9a57-6f1b6f6c9d10";
const KID: &str = "i6lGk3FZzxRcUb2C3nEQ7syHJlY";

/// A directory's key as v2's document has it: no `alg`, and whose tokens it proves.
fn key(issuer: &str) -> Value {
    let issuer =
        json!({ "use": "sig", "kid": KID, "x5t": KID, "x5c": ["MIIDBTCC"], "issuer": issuer });
    KEY.jwk(issuer)
}

fn common_key() -> Value {
    key("https://login.microsoftonline.com/{tenantid}/v2.0")
}

fn entra(name: &str, jwks_uri: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"entra\"\ntenant_ids = [{DIRECTORY:?}]\naudience = [{API:?}, \"api://{API}\"]\njwks_uri = {jwks_uri:?}"
    ))
}

fn start(file: impl Fn(TenantFile) -> TenantFile) -> (Emulator, Postern) {
    let keys = publishing(vec![common_key()]);
    let postern = Postern::with(file(entra("jira", &keys.url()))).start();
    postern.until_keys("jira");
    (keys, postern)
}

/// A user's v2 token.
fn v2(changes: Value) -> Value {
    let token = json!({
        "aud": API, "iss": format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0"),
        "iat": now(), "nbf": now(), "exp": now() + 4500, "aio": "AXQAi/8IAAAA", "azp": FRONT_END, "azpacr": "0",
        "name": "Ada Lovelace", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "preferred_username": "ada@example.com",
        "rh": "0.AXcA", "scp": "access_as_user", "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
        "tid": DIRECTORY, "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "2.0",
    });
    with(token, changes)
}

/// A user's v1 token.
fn v1(changes: Value) -> Value {
    let token = json!({
        "aud": format!("api://{API}"), "iss": format!("https://sts.windows.net/{DIRECTORY}/"),
        "iat": now(), "nbf": now(), "exp": now() + 4500, "acr": "1", "aio": "AXQAi/8IAAAA", "amr": ["pwd"],
        "appid": FRONT_END, "appidacr": "0", "family_name": "Lovelace", "given_name": "Ada", "ipaddr": "192.0.2.7",
        "name": "Ada Lovelace", "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474", "rh": "0.AXcA", "scp": "access_as_user",
        "sub": "l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA", "tid": DIRECTORY, "unique_name": "ada@example.com",
        "upn": "ada@example.com", "uti": "fqiBqXLPj0eQa82S-IYFAA", "ver": "1.0",
    });
    with(token, changes)
}

/// A client's own token: no user, no scopes, and by default a role that was granted to it.
fn machine(changes: Value) -> Value {
    let client = json!({
        "azp": BUILD, "azpacr": "1", "oid": "f6d0b6b2-3b1c-4d6a-8e0b-6f1e6f0d7c11",
        "sub": "f6d0b6b2-3b1c-4d6a-8e0b-6f1e6f0d7c11", "scp": null, "name": null, "preferred_username": null,
        "roles": ["Builds.Write"],
    });
    with(v2(client), changes)
}

fn sign(claims: &Value) -> String {
    KEY.sign(&json!({ "typ": "JWT", "alg": "RS256", "kid": KID }), claims)
}

/// v2 and v1, each with its issuer, its audience and its name for the user.
#[test]
fn both_versions_of_a_users_token_pass() {
    let (_keys, postern) = start(|file| file);
    postern
        .check("jira", &sign(&v2(json!({}))))
        .is_allowed_as("ada@example.com");
    let header = json!({ "typ": "JWT", "alg": "RS256", "x5t": KID, "kid": KID });
    postern
        .check("jira", &KEY.sign(&header, &v1(json!({}))))
        .is_allowed_as("ada@example.com");
    let expired = json!({ "exp": now() - 600 });
    postern
        .check("jira", &sign(&v2(expired)))
        .is_refused(401, "expired");
}

/// Another application of the same directory has a token for itself, and shows it to us.
#[test]
fn a_token_for_another_application_is_refused() {
    let (_keys, postern) = start(|file| file);
    let token = sign(&v1(json!({ "aud": "api://other" })));
    let answer = postern.check("jira", &token);
    answer.is_refused(401, "wrong_audience");
    let line = line_of(&postern, &answer);
    assert!(line.contains("the audience is \"api://other\"; this tenant accepts"));
    assert!(line.contains("jira.toml, provider entra)"), "{line}");
    let guid = v2(json!({ "aud": FRONT_END }));
    postern
        .check("jira", &sign(&guid))
        .is_refused(401, "wrong_audience");
    is_not_logged(&postern, &[&token]);
}

/// The token that every first try sends: made for Graph, with a signature that only Graph can check.
#[test]
fn a_token_for_graph_is_explained() {
    let (_keys, postern) = start(|file| file);
    let header = json!({ "typ": "JWT", "nonce": "Xz", "alg": "RS256", "x5t": KID, "kid": KID });
    let graph = v1(json!({ "aud": "00000003-0000-0000-c000-000000000000" }));
    let token = OTHER_KEY.sign(&header, &graph);
    let answer = postern.check("jira", &token);
    answer.is_refused(401, "token_for_graph");
    let line = line_of(&postern, &answer);
    assert!(
        line.contains("issued for Microsoft Graph; request the scope api://"),
        "{line}"
    );
    for audience in [
        "00000003-0000-0000-c000-000000000000",
        "https://graph.microsoft.com",
    ] {
        postern
            .check("jira", &sign(&v1(json!({ "aud": audience }))))
            .is_refused(401, "token_for_graph");
    }
}

/// An ID token of the application that is page and API at once: our audience, our key, and no client.
#[test]
fn an_id_token_is_refused() {
    let (_keys, postern) = start(|file| file);
    let id = json!({ "azp": null, "azpacr": null, "scp": null, "roles": ["Users"] });
    postern
        .check("jira", &sign(&v2(id)))
        .is_refused(401, "wrong_token_kind");
    postern
        .check("jira", &sign(&v2(json!({ "nonce": "678910" }))))
        .is_refused(401, "wrong_token_kind");
    let bound = json!({ "cnf": { "kid": "x" } });
    postern
        .check("jira", &sign(&v2(bound)))
        .is_refused(401, "bound_token");
}

/// Any client of the directory gets a token for any application, without anybody's leave. It says so by what it lacks.
#[test]
fn a_client_without_permission_is_refused_unless_it_is_listed() {
    let (_keys, open) = start(|file| file.with(&machines()));
    let (_keys, listed) = start(|file| {
        file.with(&machines())
            .with(&format!("clients = [{BUILD:?}]"))
    });
    let nothing = machine(json!({ "roles": null }));
    let answer = open.check("jira", &sign(&nothing));
    answer.is_refused(401, "wrong_audience");
    assert!(line_of(&open, &answer).contains("neither scp nor roles"));
    for empty in [json!({ "roles": [] }), json!({ "roles": null, "scp": "" })] {
        open.check("jira", &sign(&machine(empty)))
            .is_refused(401, "wrong_audience");
    }
    open.check("jira", &sign(&machine(json!({}))))
        .is_allowed_as("svc-build");
    listed
        .check("jira", &sign(&nothing))
        .is_allowed_as("svc-build");
    listed
        .check("jira", &sign(&v2(json!({}))))
        .is_refused(401, "wrong_audience");
}

/// A client that got a token for itself is the account that the file says, and no user, whatever the token says.
#[test]
fn a_machine_is_a_service_account_or_nobody() {
    let (_keys, without) = start(|file| file);
    let (_keys, postern) = start(|file| file.with(&machines()));
    let by_idtyp =
        json!({ "idtyp": "app", "sub": "another", "preferred_username": "ada@example.com" });
    let by_oid = json!({});
    let in_v1 = json!({
        "azp": null, "appid": BUILD, "iss": format!("https://sts.windows.net/{DIRECTORY}/"), "upn": "ada@example.com",
    });
    for marks in [by_idtyp, by_oid, in_v1] {
        let token = sign(&machine(marks));
        without.check("jira", &token).is_refused(403, "no_username");
        postern.check("jira", &token).is_allowed_as("svc-build");
    }
    let unlisted = machine(json!({ "azp": FRONT_END }));
    postern
        .check("jira", &sign(&unlisted))
        .is_refused(403, "no_username");
    let user = v2(json!({ "idtyp": "user", "azp": BUILD }));
    postern
        .check("jira", &sign(&user))
        .is_allowed_as("ada@example.com");
    let named_like_it = v2(json!({ "preferred_username": "SVC-build" }));
    postern
        .check("jira", &sign(&named_like_it))
        .is_refused(403, "account_protected");
    let device = v2(json!({ "idtyp": "device" }));
    postern
        .check("jira", &sign(&device))
        .is_refused(401, "wrong_token_kind");
}

/// Groups and roles are groups. Above 200 groups there is a URL in their place: it is never followed, and the refusal
/// says that the groups are not known.
#[test]
fn groups_that_are_too_many_are_unknown() {
    const STAFF: &str = "0a53f3a0-8c40-4a0a-9e1c-0e1a1a1a1a1a";
    let (keys, postern) =
        start(|file| file.access(&format!("allow_groups = [{STAFF:?}, \"Jira.User\"]")));
    let check = |changes: Value| postern.check("jira", &sign(&v2(changes)));
    check(json!({ "groups": [STAFF] })).is_allowed_as("ada@example.com");
    check(json!({ "roles": ["Jira.User"] })).is_allowed_as("ada@example.com");
    check(json!({ "groups": [DIRECTORY] })).is_refused(403, "not_in_group");
    let before = keys.asked().len();
    let source = format!("{}/{DIRECTORY}/users/690222be/getMemberObjects", keys.url());
    let overage = json!({
        "_claim_names": { "groups": "src1" }, "_claim_sources": { "src1": { "endpoint": source } },
    });
    for overage in [overage.clone(), json!({ "hasgroups": true })] {
        let answer = check(overage);
        answer.is_refused(403, "not_in_group");
        assert!(line_of(&postern, &answer).contains("groups overage"));
    }
    // What is known still counts.
    check(with(overage, json!({ "roles": ["Jira.User"] }))).is_allowed_as("ada@example.com");
    assert_eq!(keys.asked().len(), before, "the URL was followed");
}

/// `email` is a claim that an administrator sets as they like; with one directory that may be wanted.
#[test]
fn an_address_names_the_account_where_one_directory_answers_for_it() {
    let (_keys, postern) = start(|file| file.with("username = \"email\""));
    postern
        .check(
            "jira",
            &sign(&v2(json!({ "email": "a.lovelace@example.com" }))),
        )
        .is_allowed_as("a.lovelace@example.com");
    postern
        .check("jira", &sign(&v2(json!({}))))
        .is_refused(403, "no_username");
}

fn machines() -> String {
    format!("service_accounts = {{ {BUILD:?} = \"svc-build\" }}")
}
