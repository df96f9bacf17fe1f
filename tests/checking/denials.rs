//! The headers, challenges and bodies of a no.

use serde_json::Value;

use super::API;
use crate::harness::{Answer, Postern, Request, issuer, tenant};

/// No is never stored, always has its word and a name for the log, and names nobody.
#[track_caller]
fn is_complete(answer: &Answer) {
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store"),
        "{answer:?}"
    );
    assert_eq!(answer.header("postern-request-id").map(str::len), Some(32));
    assert!(!answer.reason().is_empty(), "{answer:?}");
    for name in [
        "remote-user",
        "remote-groups",
        "postern-method",
        "postern-upstream-uri",
    ] {
        assert_eq!(answer.header(name), None, "{name} on a denial");
    }
}

/// nginx drops the connection of an answer with a body.
#[test]
fn a_denial_on_check_has_no_body() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().sign();
    for asked in [
        Request::check("jira", API),
        Request::check("jira", "/rest//api").bearer(&token),
        Request::check("nobody", API).bearer(&token),
        Request::new("GET", "/check/jira"),
    ] {
        let answer = postern.ask(&asked);
        is_complete(&answer);
        assert_eq!(
            (answer.body.as_str(), answer.header("content-length")),
            ("", Some("0"))
        );
        assert_eq!(answer.header("content-type"), None);
    }
}

/// RFC 6750 §3: no code where nothing was sent, and otherwise what was wrong.
#[test]
fn a_challenge_says_what_to_do_better() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("allow_groups = [\"staff\"]"),
    )
    .start();
    let challenge = |request: Request| {
        let answer = postern.ask(&request);
        is_complete(&answer);
        (
            answer.status,
            answer
                .header("www-authenticate")
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let expected = |code: &str, reason: &str| {
        format!("Bearer realm=\"postern\", error=\"{code}\", error_description=\"{reason}\"")
    };
    let api = || Request::check("jira", API);
    assert_eq!(challenge(api()), (401, "Bearer realm=\"postern\"".into()));
    assert_eq!(
        challenge(api().bearer(&acme.token().expires_in(-600).sign())),
        (401, expected("invalid_token", "expired"))
    );
    assert_eq!(
        challenge(api().bearer(&acme.token().sign())),
        (403, expected("insufficient_scope", "not_in_group"))
    );
    assert_eq!(
        challenge(Request::check("jira", "/rest?access_token=x")),
        (400, expected("invalid_request", "credential_in_query"))
    );
}

/// Traefik, Caddy and Envoy hand the body on to the client: it is the same error as JSON.
#[test]
fn the_other_endpoints_explain_in_json() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let expired = acme.token().expires_in(-600).sign();
    let forward = Request::new("GET", "/forward-auth/jira")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", API);
    let envoy = Request::new("GET", &format!("/ext-authz/jira{API}"));
    for request in [forward, envoy] {
        for (request, status, code, reason) in [
            (request.clone(), 401, "no_credential", "no_credential"),
            (
                request.clone().bearer(&expired),
                401,
                "invalid_token",
                "expired",
            ),
            (
                request.clone().header("X_Forwarded_For", "1"),
                400,
                "invalid_request",
                "bad_check_request",
            ),
        ] {
            let answer = postern.ask(&request);
            is_complete(answer.is_refused(status, reason));
            assert_eq!(answer.header("content-type"), Some("application/json"));
            let body: Value = serde_json::from_str(&answer.body).expect("JSON");
            assert_eq!(
                (&body["error"], &body["error_description"]),
                (&code.into(), &reason.into())
            );
            assert_eq!(
                body["request_id"].as_str(),
                answer.header("postern-request-id")
            );
        }
    }
}

/// An outage is no denial: no challenge, and when to come again.
#[test]
fn an_outage_says_when_to_come_again() {
    let gone = issuer();
    gone.stop();
    let postern = Postern::with(tenant("jira").trusting(&gone)).start();
    let token = gone.token().sign();
    let answer = postern.check("jira", &token);
    is_complete(answer.is_refused(503, "issuer_unavailable"));
    let seconds: u64 = answer
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((1..=600).contains(&seconds));
    assert_eq!(answer.header("www-authenticate"), None);
    assert_eq!(answer.body, "");
    let envoy = Request::new("GET", &format!("/ext-authz/jira{API}")).bearer(&token);
    let answer = postern.ask(&envoy);
    assert!(answer.header("retry-after").is_some());
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error"], "temporarily_unavailable");
    // Its twin knows at once: without a token nobody has to be asked.
    let denied = postern.ask(&Request::check("jira", API));
    assert_eq!(
        denied
            .is_refused(401, "no_credential")
            .header("retry-after"),
        None
    );
}

/// HEAD is answered like GET, without a body.
#[test]
fn head_is_answered_without_a_body() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let request = Request::new("HEAD", &format!("/ext-authz/jira{API}"));
    let mut connection = postern.connect();
    for _ in 0..2 {
        let answer = request.send_on(&mut connection);
        is_complete(answer.is_refused(401, "no_credential"));
    }
    let good = request.bearer(&acme.token().sign());
    good.send_on(&mut connection).is_allowed_as("ada");
}
