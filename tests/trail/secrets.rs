//! See `../trail.rs`.

use serde_json::{Value, json};

use super::{call, told};
use crate::harness::{Postern, Request, issuer, tenant, until};

/// All that is told of calls that pass and calls that don't holds no query, no token and no cookie.
#[test]
fn no_secret_is_told() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .access("passwords = \"pass\"");
    let postern = told(file).flag("--log-reads").flag("100%").start();
    let token = acme.token().sign();
    let write = || call("POST", "/rest/api/2/issue?sid=in-the-query");
    let with_cookie = |request: Request| request.header("Cookie", "JSESSIONID=in-the-cookie");
    for request in [
        with_cookie(write().bearer(&token)),
        with_cookie(write()),
        with_cookie(write().bearer(&acme.token().audience("other").sign())),
        write().header("Authorization", "Basic YWRhOmluLWJhc2lj"),
        call("GET", "/rest/api/2/issue?access_token=in-the-query"),
        call("GET", "/browse/A-1?os_password=in-the-query"),
    ] {
        postern.event(&postern.ask(&request));
    }
    let log = postern.log();
    for secret in ["in-the-query", "in-the-cookie", "YWRhOmlu", "in-basic"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    for part in token.split('.') {
        assert!(!log.contains(part), "{part} in {log}");
    }
}

/// The path of a webhook is its secret. It is told by the pattern that opens it; the path beside it is told as it is.
#[test]
fn the_secret_of_a_webhook_is_not_told() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .access("open = [\"POST /rest/hooks/1.0/*\"]");
    let postern = told(file).start();
    for (uri, path) in [
        (
            "/rest/cb-automation/latest/hooks/s3cr3t",
            "/rest/cb-automation/*/hooks/*",
        ),
        ("/rest/hooks/1.0/s3cr3t", "/rest/hooks/1.0/*"),
    ] {
        let passed = postern.ask(&call("POST", uri));
        passed.passes_as("open");
        assert_eq!(postern.event(&passed)["path"], path);
        // Nor where it is called in a way that is refused.
        let refused = postern.ask(&call("POST", uri).bearer("opaque"));
        assert_eq!(postern.event(&refused)["path"], path);
    }
    let refused = postern.ask(&call("POST", "/rest/hooks/2.0/known"));
    assert_eq!(postern.event(&refused)["path"], "/rest/hooks/2.0/known");
    assert!(!postern.log().contains("s3cr3t"));
}

/// A name that was not proved is nobody's; one that is too long to be a name is left out.
#[test]
fn only_a_proved_and_short_jti_is_told() {
    let acme = issuer();
    let postern = told(tenant("jira").trusting(&acme)).start();
    let write = |token: &str| postern.ask(&call("POST", "/rest/api/2/issue").bearer(token));
    let with = |jti: Value| acme.token().subject("ada").claim("jti", jti);
    let long = "x".repeat(128);
    for (jti, told) in [
        (json!("a-1"), json!("a-1")),
        (json!(long), json!(long)),
        (json!(long + "x"), Value::Null),
        (json!(7), Value::Null),
        (json!("a\n\u{202e}b"), json!("a\\n\\u{202e}b")),
    ] {
        let answer = write(&with(jti).sign());
        answer.is_allowed_as("ada");
        assert_eq!(postern.event(&answer)["token.id"], told);
    }
    let mallory = issuer();
    let forged = mallory
        .token()
        .claim("iss", acme.url())
        .claim("jti", "forged");
    let answer = write(&forged.sign());
    assert_eq!(answer.status, 401);
    assert_eq!(postern.event(&answer)["token.id"], Value::Null);
    assert!(!postern.log().contains("forged\""));
}

/// Whatever a stranger writes into a call, an event is one line, in both formats, and not a long one.
#[test]
fn no_call_forges_a_line() {
    let acme = issuer();
    let evil = "x\n2026-01-01T00:00:00Z  INFO forged\u{1b}[2J";
    let token = acme.token().subject("ada").claim("jti", evil).sign();
    let endless = "X".repeat(5000);
    for format in ["json", "pretty"] {
        let postern = Postern::with(tenant("jira").trusting(&acme))
            .flag("--log")
            .flag(format)
            .start();
        for request in [
            call(
                "POST",
                "/rest/api/%0a2026-01-01%20INFO%22,%22outcome%22:%22x",
            )
            .bearer(&token),
            call(&endless, "/rest/api/2/issue").bearer(&token),
            call("POST", "/rest/api")
                .header("X-HTTP-Method", "PUT\" outcome=\"x")
                .bearer(&token),
            Request::check(&endless, "/rest/api"),
        ] {
            let answer = postern.ask(&request);
            let id = answer.header("postern-request-id").expect("an id");
            let line = until("it is told", || {
                let log = postern.log();
                log.lines()
                    .find(|line| line.contains(id))
                    .map(str::to_owned)
            });
            assert!(line.len() < 1000, "{line}");
            assert!(
                !line.contains("outcome=\"x\"") && !line.contains("\"outcome\":\"x\""),
                "{line}"
            );
        }
        let log = postern.log();
        assert!(
            !log.lines().any(|line| line.starts_with("2026-01-01")),
            "{log}"
        );
        assert!(!log.contains('\u{1b}'));
    }
}
