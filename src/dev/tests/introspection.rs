//! Who may ask about a token, and what is answered.

use base64::engine::general_purpose::STANDARD;

use super::{issued::Issued, *};

fn introspect(issuer: &Issuer, token: &str) -> Value {
    let form = format!("client_id=dev&client_secret=dev-secret&token={token}");
    let reply = post(issuer, "/introspect", &form);
    assert_eq!(reply.status, 200);
    assert!(reply.head.contains("cache-control: no-store"));
    reply.json()
}

#[test]
fn introspection_knows_what_is_active() {
    let issuer = Issuer::start().unwrap();
    let opaque = issuer.token().subject("eve").prefix("acme_").opaque();
    assert!(opaque.starts_with("acme_") && opaque.len() > 40);
    let answer = introspect(&issuer, &opaque);
    assert_eq!(
        (&answer["active"], &answer["sub"]),
        (&json!(true), &json!("eve"))
    );
    let signed = issuer.token().sign();
    assert_eq!(introspect(&issuer, &signed)["active"], true);
    let inactive = json!({ "active": false });
    for token in [
        "unknown".to_owned(),
        issuer.token().expires_in(-1).opaque(),
        issuer.token().claim("nbf", u32::MAX).sign(),
        issuer.sign_raw(Algorithm::Es256, "{}", "{}"),
    ] {
        assert_eq!(introspect(&issuer, &token), inactive);
    }
    issuer.revoke(&opaque);
    assert_eq!(introspect(&issuer, &opaque), inactive);
    assert_eq!(
        post(&issuer, "/revoke", &format!("token={signed}")).status,
        200
    );
    assert_eq!(introspect(&issuer, &signed), inactive);
}

#[test]
fn introspection_is_for_its_client_only() {
    let issuer = Issuer::start().unwrap();
    let token = issuer.token().opaque();
    let ask = |credentials: &str, form: &str| {
        let basic = format!("Authorization: Basic {}", STANDARD.encode(credentials));
        let headers: &[&str] = if credentials.is_empty() {
            &[]
        } else {
            &[&basic]
        };
        http(
            &issuer,
            "POST /introspect",
            headers,
            &format!("token={token}{form}"),
        )
    };
    let in_form = "&client_id=dev&client_secret=dev-secret";
    assert_eq!(ask("dev:dev-secret", "").json()["active"], true);
    for refused in [
        ask("", ""),
        ask("dev:wrong", ""),
        ask("", "&client_id=dev&client_secret=x"),
    ] {
        assert_eq!(refused.status, 401);
        assert!(refused.head.contains("www-authenticate: basic"));
        assert_eq!(refused.json(), json!({ "error": "invalid_client" }));
    }
    assert_eq!(ask("dev:dev-secret", in_form).status, 400);
    issuer.set_client_auth(ClientAuth::Post);
    assert_eq!(
        (ask("dev:dev-secret", "").status, ask("", in_form).status),
        (401, 200)
    );
    issuer.set_client_auth(ClientAuth::Basic);
    assert_eq!(
        (ask("dev:dev-secret", "").status, ask("", in_form).status),
        (200, 401)
    );
    issuer.set_client("http://a", "p+s&%");
    assert_eq!(ask("http%3A%2F%2Fa:p%2Bs%26%25", "").status, 200);
    assert_eq!(ask("http://a:p+s&%", "").status, 401);
}

#[test]
fn introspection_signs_its_answer_where_asked_and_enabled() {
    let issuer = Issuer::start().unwrap();
    let form = format!(
        "client_id=dev&client_secret=dev-secret&token={}",
        issuer.token().opaque()
    );
    let accept = ["Accept: application/token-introspection+jwt"];
    let ask = |headers: &[&str]| http(&issuer, "POST /introspect", headers, &form);
    assert_eq!(ask(&accept).json()["active"], true);
    issuer.set_signed_introspection(true);
    assert_eq!(ask(&[]).json()["active"], true);
    let reply = ask(&accept);
    assert!(
        reply
            .head
            .contains("content-type: application/token-introspection+jwt")
    );
    assert!(verifies(&issuer, &reply.body));
    assert_eq!(part(&reply.body, 0)["typ"], "token-introspection+jwt");
    let claims = part(&reply.body, 1);
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(issuer.url()), &json!("dev"))
    );
    assert_eq!(claims["token_introspection"]["active"], true);
}

#[test]
fn the_token_route_gives_tokens_to_whoever_asks() {
    let issuer = Issuer::start().unwrap();
    let form = "sub=eve&aud=a+b&scope=x+y&groups=staff,+admins,&expires_in=60&alg=ES384";
    let reply = post(&issuer, "/token", form).json();
    assert_eq!(
        (&reply["token_type"], &reply["expires_in"]),
        (&json!("Bearer"), &json!(60))
    );
    let token = reply["access_token"].as_str().unwrap();
    assert!(verifies(&issuer, token));
    let claims = part(token, 1);
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("eve"), &json!(["a", "b"]))
    );
    assert_eq!(
        (&claims["groups"], &claims["scope"]),
        (&json!(["staff", "admins"]), &json!("x y"))
    );
    let opaque = post(&issuer, "/token", "kind=opaque&aud=a").json();
    let opaque = opaque["access_token"].as_str().unwrap();
    assert_eq!(introspect(&issuer, opaque)["aud"], "a");
    for wrong in ["kind=x", "alg=none", "expires_in=soon", "user=ada"] {
        let reply = post(&issuer, "/token", wrong);
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (400, &json!("invalid_request"))
        );
    }
}

#[test]
fn the_oldest_tokens_are_forgotten() {
    let mut issued = Issued::default();
    for number in 0..20_000 {
        issued.remember(&number.to_string(), serde_json::Map::new());
    }
    assert!(issued.claims("0").is_none());
    assert!(issued.claims("19999").is_some());
}
