//! See `main.rs`.

use serde_json::{Value, json};

use crate::harness::{Fault, Issuer, Postern, Request, issuer, tenant};

/// An issuer whose endpoint answers every question with `answer`, and a tenant that asks it about every token.
fn answering(answer: Value) -> (Issuer, Postern) {
    let acme = issuer();
    acme.intercept(move |path| {
        if path == "/introspect" {
            Fault::Body {
                content_type: "application/json".into(),
                body: answer.to_string().into_bytes(),
            }
        } else {
            Fault::None
        }
    });
    let postern =
        Postern::with(tenant("jira").asking(&acme).with("username = \"username\"")).start();
    (acme, postern)
}

fn active(members: Value) -> Value {
    let mut answer = json!({ "active": true, "username": "ada", "aud": "postern-dev" });
    if let (Some(answer), Value::Object(members)) = (answer.as_object_mut(), members) {
        answer.extend(members);
    }
    answer
}

/// Some letters become ASCII ones in lower case. The Kelvin sign's owner is not Kate.
#[test]
fn lower_case_makes_no_two_accounts_one() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .with("username_case = \"lower\""),
    )
    .start();
    let token = |name: &str| acme.token().subject(name).sign();
    postern.check("jira", &token("Kate")).is_allowed_as("kate");
    postern
        .check("jira", &token("\u{212a}ate"))
        .is_refused(403, "no_username");
    postern
        .check("jira", &token("Zoë"))
        .is_allowed_as("zo%C3%AB");
}

/// Accounts are compared in lower case whatever is sent, and what is not seen tells no two of them apart.
#[test]
fn a_name_has_one_look() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = |name: &str| acme.token().subject(name).sign();
    postern.check("jira", &token("Kim")).is_allowed_as("Kim");
    for odd in ["\u{212a}im", "kim\u{200b}", "k\u{ad}im", "\u{202e}kim"] {
        postern
            .check("jira", &token(odd))
            .is_refused(403, "no_username");
    }
}

/// An address that the issuer has not verified is whatever somebody typed.
#[test]
fn an_unverified_address_names_nobody() {
    let acme = issuer();
    let postern =
        Postern::with(tenant("jira").trusting(&acme).with("username = \"email\"")).start();
    let token = |verified: Value| {
        let token = acme.token().claim("email", "ada@example.com");
        token.claim("email_verified", verified).sign()
    };
    postern
        .check("jira", &token(json!(true)))
        .is_allowed_as("ada@example.com");
    for unverified in [json!(false), json!("true")] {
        postern
            .check("jira", &token(unverified))
            .is_refused(403, "no_username");
    }
}

/// A client that somebody registered under the name of an account is not that account.
#[test]
fn a_client_of_that_name_is_not_the_user() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = |client: &str| {
        acme.token()
            .subject("admin")
            .claim("client_id", client)
            .sign()
    };
    postern
        .check("jira", &token("reports"))
        .is_allowed_as("admin");
    postern
        .check("jira", &token("admin"))
        .is_refused(403, "no_username");
}

/// An endpoint that calls everything active does not make an access token of an ID token.
#[test]
fn what_a_jwt_says_against_itself_counts_though_its_issuer_calls_it_active() {
    let (acme, postern) = answering(active(json!({})));
    let token = || acme.token().subject("ada");
    postern.check("jira", &token().sign()).is_allowed_as("ada");
    postern
        .check("jira", &token().typ("logout+jwt").sign())
        .is_refused(401, "wrong_token_kind");
    postern
        .check("jira", &token().claim("typ", "ID").sign())
        .is_refused(401, "wrong_token_kind");
    postern
        .check("jira", &token().claim("cnf", json!({ "jkt": "x" })).sign())
        .is_refused(401, "bound_token");
}

/// An endpoint that knows refresh tokens too says what it is asked about.
#[test]
fn an_active_refresh_token_is_no_access_token() {
    let (_acme, bearer) = answering(active(json!({ "token_type": "bearer" })));
    bearer.check("jira", "opaque").is_allowed_as("ada");
    for kind in ["refresh_token", "DPoP", "N_A"] {
        let (_acme, postern) = answering(active(json!({ "token_type": kind })));
        postern
            .check("jira", "opaque")
            .is_refused(401, "wrong_token_kind");
    }
}

/// Some issuers write every member that they know. A null says nothing.
#[test]
fn a_null_is_no_claim() {
    let (_acme, postern) = answering(active(json!({ "cnf": null, "nbf": null, "nonce": null })));
    postern.check("jira", "opaque").is_allowed_as("ada");
    let (_acme, postern) = answering(active(json!({ "aud": null })));
    postern
        .check("jira", "opaque")
        .is_refused(401, "wrong_audience");
}

/// With a signature that has proved the audience, the endpoint may be silent about it, but not speak of another.
#[test]
fn a_silent_answer_takes_nothing_back_from_the_signature() {
    for (answer, passes) in [
        (json!({ "active": true }), true),
        (json!({ "active": true, "aud": "somebody-else" }), false),
    ] {
        let acme = issuer();
        let (body, jwks) = (
            answer.to_string().into_bytes(),
            format!("{}/jwks", acme.url()),
        );
        acme.intercept(move |path| match path {
            "/introspect" => Fault::Body {
                content_type: "application/json".into(),
                body: body.clone(),
            },
            _ => Fault::None,
        });
        let both = tenant("jira")
            .asking(&acme)
            .with(&format!("jwks_uri = {jwks:?}"));
        let postern = Postern::with(both).start();
        let answer = postern.check("jira", &acme.token().subject("ada").sign());
        if passes {
            answer.is_allowed_as("ada");
        } else {
            answer.is_refused(401, "wrong_audience");
        }
    }
}

/// Ory Hydra's and old Keycloak's access tokens carry what elsewhere marks an ID token, and say that they are none.
#[test]
fn access_tokens_that_say_so_pass() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = || acme.token().subject("ada");
    postern
        .check("jira", &token().claim("token_use", "access_token").sign())
        .is_allowed_as("ada");
    postern
        .check("jira", &token().claim("token_use", "refresh_token").sign())
        .is_refused(401, "wrong_token_kind");
    postern
        .check(
            "jira",
            &token().claim("typ", "Bearer").claim("nonce", "n").sign(),
        )
        .is_allowed_as("ada");
    postern
        .check(
            "jira",
            &token().claim("typ", "ID").claim("nonce", "n").sign(),
        )
        .is_refused(401, "wrong_token_kind");
}

/// Another application's odd cookie, or a proxy's odd way to write an address, stops nobody who needs neither.
#[test]
fn what_nobody_asks_for_may_be_odd() {
    let acme = issuer();
    let networks = tenant("networks")
        .trusting(&acme)
        .access("allow_networks = [\"192.0.2.0/24\"]");
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(networks)
        .start();
    let token = acme.token().subject("ada").sign();
    let from = |tenant: &str, address: &str| {
        let request = Request::check(tenant, "/rest/api/2/myself").bearer(&token);
        postern.ask(&request.replace("X-Real-IP", address))
    };
    from("jira", "unix:").is_allowed_as("ada");
    from("networks", "unix:").is_refused(400, "bad_check_request");
    from("networks", "192.0.2.7:51234").is_allowed_as("ada");
    from("networks", "198.51.100.7:51234").is_refused(403, "address_not_allowed");
    let page = Request::check("jira", "/secure/Dashboard.jspa").header("Cookie", "lang=\u{e9}");
    postern.ask(&page).passes_as("outside");
}
