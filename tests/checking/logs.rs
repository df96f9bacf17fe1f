//! What the log says of a decision, and what it never says.

use super::API;
use crate::harness::{Postern, Request, issuer, tenant, until};

/// An operator at three in the morning has the request id of a user's screenshot, and the default log.
#[test]
fn a_denial_is_found_by_its_request_id() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .env("RUST_LOG", "info")
        .start();
    let good = postern.check("jira", &acme.token().sign());
    let denied = postern.check("jira", &acme.token().audience("other").sign());
    denied.is_refused(401, "wrong_audience");
    let id = denied.header("postern-request-id").expect("an id");
    let line = line_with(&postern, id);
    for word in [
        "INFO",
        "tenant.id=\"jira\"",
        "reason=\"wrong_audience\"",
        "denied: the audience is \"other\"; this tenant accepts postern-dev (",
    ] {
        assert!(line.contains(word), "{word} in {line}");
    }
    // What passes is many lines a second, and told at debug only.
    let id = good
        .is_allowed_as("ada")
        .header("postern-request-id")
        .expect("an id");
    assert!(!postern.log().contains(id));
}

/// With debug on, each decision has its one line.
#[test]
fn each_decision_has_one_line_at_debug() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let allowed = postern.check("jira", &acme.token().sign());
    let page = postern.ask(&Request::check("jira", "/browse/A-1"));
    let denied = postern.ask(&Request::check("jira", API));
    let unknown = postern.ask(&Request::check("nobody", API));
    for (answer, words) in [
        (
            &allowed,
            &["DEBUG", "allowed", "account=\"ada\"", "method=\"jwt\""][..],
        ),
        (&page, &["DEBUG", "allowed", "method=\"outside\""]),
        (&denied, &["INFO", "no_credential"]),
        (&unknown, &["INFO", "tenant_unknown", "nobody.toml"]),
    ] {
        let id = answer.header("postern-request-id").expect("an id");
        let line = line_with(&postern, id);
        assert!(
            words.iter().all(|word| line.contains(word)),
            "{words:?} in {line}"
        );
        assert_eq!(postern.log().matches(id).count(), 1);
    }
}

/// For machines each line is a JSON object with the same fields.
#[test]
fn json_lines_are_json() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .flag("--log")
        .flag("json")
        .start();
    let denied = postern.ask(&Request::check("jira", API));
    let id = denied.header("postern-request-id").expect("an id");
    let line = line_with(&postern, id);
    let line: serde_json::Value = serde_json::from_str(&line).expect("a JSON object");
    assert_eq!(line["reason"], "no_credential");
    assert_eq!(line["tenant.id"], "jira");
    assert_eq!(line["level"], "INFO");
    for line in postern.log().lines() {
        assert!(
            serde_json::from_str::<serde_json::Value>(line).is_ok(),
            "{line}"
        );
    }
}

/// With everything logged that there is, by us and by what we are made of, no credential is in it.
#[test]
fn no_token_and_no_secret_is_ever_logged() {
    let acme = issuer();
    let both = tenant("both").trusting(&acme).with(&format!(
        "introspection_endpoint = \"{}/introspect\"\njwks_uri = \"{}/jwks\"\nclient_id = \"dev\"\nclient_secret = {{ env = \"DEV_SECRET\" }}",
        acme.url(),
        acme.url()
    ));
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("opaque").asking(&acme))
        .and(both)
        .env("RUST_LOG", "trace")
        .start();
    let (token, opaque) = (acme.token().sign(), acme.token().opaque());
    let mut secrets = vec![opaque.clone(), "deadbeef-session".into(), "hunter2".into()];
    postern.check("jira", &token).is_allowed_as("ada");
    postern.check("both", &token).is_allowed_as("ada");
    postern.check("opaque", &opaque).is_allowed_as("ada");
    for other in [
        acme.token().audience("other").sign(),
        acme.token().kid("unknown").sign(),
        acme.token()
            .claim("iss", "https://elsewhere.example")
            .sign(),
        token.clone() + "AAAA",
        format!("{token}.x"),
    ] {
        assert_eq!(postern.check("jira", &other).status, 401);
        secrets.push(other);
    }
    let asked = Request::check("jira", &format!("{API}?access_token={token}"));
    postern.ask(&asked).is_refused(400, "credential_in_query");
    postern.ask(
        &Request::check("jira", API)
            .header("Authorization", "Basic hunter2")
            .header("Cookie", "JSESSIONID=deadbeef-session"),
    );
    postern.ask(&Request::check("jira", API).header("Cookie", "JSESSIONID=deadbeef-session"));
    let last = postern.ask(&Request::check("jira", API));
    line_with(&postern, last.header("postern-request-id").expect("an id"));
    secrets.push(token);
    secrets.extend([postern::dev::CLIENT_SECRET.into(), basic()]);
    let log = postern.log();
    for secret in secrets {
        // The signature alone would be enough to tell which token it was, and the payload whose.
        for part in secret.split('.').filter(|part| part.len() > 6) {
            assert!(!log.contains(part), "{part} is in the log");
        }
    }
    assert!(
        log.contains("wrong_audience"),
        "the log is the one that was asked for"
    );
}

/// What a stranger writes into a token can't start a line of its own.
#[test]
fn a_claim_cannot_forge_a_line() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let evil = "x\n2026-01-01T00:00:00Z  INFO ready\u{1b}[2J";
    let tokens = [
        acme.token().audience(evil).sign(),
        acme.token().claim("iss", evil).sign(),
        acme.token().typ(evil).sign(),
        acme.token().header("alg", evil).sign(),
    ];
    for token in tokens {
        let answer = postern.check("jira", &token);
        assert_eq!(answer.status, 401);
        line_with(
            &postern,
            answer.header("postern-request-id").expect("an id"),
        );
    }
    let uri = Request::check("jira", "/rest/%0a2026 INFO/..");
    assert_eq!(postern.ask(&uri).status, 400);
    let log = postern.log();
    assert!(
        !log.lines().any(|line| line.starts_with("2026-01-01")),
        "{log}"
    );
    assert!(!log.contains('\u{1b}'));
    // Nothing unverified stands there as if it were true.
    let issuer = log.lines().find(|line| line.contains("unknown_issuer"));
    assert!(issuer.is_some_and(|line| line.contains("(unverified)")));
}

#[track_caller]
fn line_with(postern: &Postern, text: &str) -> String {
    until("the line is logged", || {
        let log = postern.log();
        log.lines()
            .find(|line| line.contains(text))
            .map(str::to_owned)
    })
}

/// The client's credentials as they go over the wire.
fn basic() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.encode(format!(
        "{}:{}",
        postern::dev::CLIENT_ID,
        postern::dev::CLIENT_SECRET
    ))
}
