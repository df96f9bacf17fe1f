//! The organisation's own server, which is asked.

use super::*;

fn org(name: &str, endpoint: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "kind = \"okta\"\nissuer = {ORG:?}\nintrospection_endpoint = {endpoint:?}\nclients = [{FRONT_END:?}]\n\
         client_id = \"0oaPostern\"\nclient_secret = {{ env = \"DEV_SECRET\" }}"
    ))
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
