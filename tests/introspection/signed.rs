//! See `../introspection.rs`.

use postern::dev::AUDIENCE;
use serde_json::{Value, json};

use super::unix_now;
use crate::harness::{Algorithm, Fault, Issuer, Postern, TenantFile, issuer, tenant};

/// An issuer signs its answers, and the tenant wants them signed: a token passes if it is active, and not if it isn't.
#[test]
fn a_signed_answer_is_believed() {
    let acme = issuer();
    acme.set_signed_introspection(true);
    let postern = Postern::with(signed(&acme)).start();
    postern
        .check("jira", &acme.token().opaque())
        .is_allowed_as("ada");
    let revoked = acme.token().opaque();
    acme.revoke(&revoked);
    postern.check("jira", &revoked).is_refused(401, "inactive");
    postern
        .check("jira", &acme.token().audience("other").opaque())
        .is_refused(401, "wrong_audience");
}

/// Where signed answers are wanted, one without a signature says nothing, however friendly it is.
#[test]
fn an_unsigned_answer_is_not_believed() {
    let acme = issuer();
    let postern = Postern::with(signed(&acme)).start();
    let token = acme.token().opaque();
    postern
        .check("jira", &token)
        .is_refused(503, "issuer_unavailable");
    acme.set_signed_introspection(true);
    postern.check("jira", &token).is_allowed_as("ada");
}

/// Signed answers that don't hold, each different from a good one in one thing.
#[test]
fn a_signed_answer_must_be_the_issuers_and_for_us() {
    let (acme, mallory) = (issuer(), issuer());
    let postern = Postern::with(signed(&acme)).start();
    let header = json!({ "alg": "ES256", "typ": "token-introspection+jwt", "kid": acme.kid(Algorithm::Es256) });
    let payload = json!({
        "iss": acme.url(), "aud": "dev", "iat": unix_now(),
        "token_introspection": { "active": true, "sub": "ada", "aud": AUDIENCE },
    });
    let good = |token: &str| {
        answers(
            &acme,
            acme.sign_raw(Algorithm::Es256, header.to_string(), payload.to_string()),
        );
        postern.check("jira", token).is_allowed_as("ada");
    };
    good("good");
    let in_header = [
        ("typ", json!("JWT")),
        ("typ", json!("at+jwt")),
        ("alg", json!("none")),
        ("alg", json!("RS256")),
        ("crit", json!(["exp"])),
    ];
    let in_payload = [
        ("iss", json!(mallory.url())),
        ("aud", json!("another-client")),
        ("aud", Value::Null),
        ("token_introspection", Value::Null),
    ];
    let changed = |document: &Value, (name, value): &(&str, Value)| {
        let mut document = document.clone();
        document[*name] = value.clone();
        document.to_string()
    };
    let odd = in_header
        .iter()
        .map(|change| (changed(&header, change), payload.to_string()))
        .chain(
            in_payload
                .iter()
                .map(|change| (header.to_string(), changed(&payload, change))),
        );
    for (at, (header, payload)) in odd.enumerate() {
        answers(&acme, acme.sign_raw(Algorithm::Es256, header, payload));
        postern
            .check("jira", &format!("odd-{at}"))
            .is_refused(503, "issuer_unavailable");
        good(&format!("good-{at}"));
    }
    let forged = mallory.sign_raw(Algorithm::Es256, header.to_string(), payload.to_string());
    answers(&acme, forged);
    postern
        .check("jira", "forged")
        .is_refused(503, "issuer_unavailable");
    assert!(postern.log().contains("does not hold"));
}

/// The issuer rotates the key that signs its answers: the new one is fetched when it is missed.
#[test]
fn a_new_key_for_answers_works_at_once() {
    let acme = issuer();
    acme.set_signed_introspection(true);
    let postern = Postern::with(signed(&acme)).start();
    postern
        .check("jira", &acme.token().opaque())
        .is_allowed_as("ada");
    acme.rotate();
    postern
        .check("jira", &acme.token().opaque())
        .is_allowed_as("ada");
    assert_eq!(acme.hits("/jwks"), 2);
}

fn signed(issuer: &Issuer) -> TenantFile {
    tenant("jira")
        .asking(issuer)
        .with("introspection_response = \"jwt\"")
}

/// From now on the issuer answers every introspection with this JWT.
fn answers(issuer: &Issuer, jwt: String) {
    issuer.intercept(move |path| match path {
        "/introspect" => Fault::Body {
            content_type: "application/token-introspection+jwt".into(),
            body: jwt.clone().into_bytes(),
        },
        _ => Fault::None,
    });
}
