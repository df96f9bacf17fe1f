//! See `../trail.rs`.

use serde_json::{Value, json};

use super::{call, told};
use crate::harness::{Postern, Request, basic, id_of, issuer, tenant};

/// The event without what differs each time, which is looked at here.
#[track_caller]
fn rest(mut event: Value) -> Value {
    let fields = event.as_object_mut().expect("an object");
    let duration = fields.remove("duration_ms").expect("a duration");
    assert!(
        duration
            .as_f64()
            .is_some_and(|took| took > 0.0 && took < 20_000.0)
    );
    assert_eq!(
        fields
            .remove("request.id")
            .expect("an id")
            .as_str()
            .map(str::len),
        Some(32)
    );
    assert!(fields.remove("timestamp").is_some());
    event
}

/// An allowed write says who, how that was proved, by which token, from where, and what it was.
#[test]
fn an_allowed_write_has_every_field() {
    let acme = issuer();
    let postern = told(tenant("jira").trusting(&acme).with("name = \"sso\"")).start();
    let token = acme.token().subject("ada").claim("jti", "0f8e-17").sign();
    let write = call("POST", "/rest/api/2/%69ssue?notify=false").bearer(&token);
    let answer = postern.ask(&write.header("X-HTTP-Method-Override", "PUT"));
    answer.is_allowed_as("ada");
    assert_eq!(
        rest(postern.event(&answer)),
        json!({
            "level": "INFO",
            "target": "decision",
            "message": "allowed",
            "tenant.id": "jira",
            "outcome": "allow",
            "method": "jwt",
            "account": "ada",
            "provider": "sso",
            "token.id": "0f8e-17",
            "client.address": "192.0.2.7",
            "http.method": "POST",
            "http.method_override": "PUT",
            "path": "/rest/api/2/issue",
        })
    );
}

/// A token of Postern's own is known by its id, and it is no provider's.
#[test]
fn an_api_token_is_known_by_its_id() {
    let postern = told(tenant("jira").api_tokens("enabled = true")).start();
    let token = postern.issue(
        "jira",
        "ada",
        json!({ "expires_in": 3600, "scope": "write" }),
    );
    let write = call("DELETE", "/rest/api/2/issue/A-1");
    let answer = postern.ask(&write.header("Authorization", &basic("ada", &token)));
    answer.is_allowed_as("ada");
    let event = postern.event(&answer);
    assert_eq!(event["token.id"], id_of(&token));
    assert_eq!(event["method"], "api-token");
    assert_eq!(event["provider"], Value::Null);
}

/// Whoever was proved and is refused is named; whoever was not proved is not.
#[test]
fn a_refusal_names_who_was_proved() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .access("allow_groups = [\"staff\"]");
    let postern = told(file.with("groups = \"groups\"")).start();
    let token = |group: &str| {
        let token = acme.token().subject("ada").claim("jti", "7");
        token.claim("groups", json!([group]))
    };
    let read = call("GET", "/rest/api/2/myself");
    let refused = postern.ask(&read.clone().bearer(&token("guests").sign()));
    refused.is_refused(403, "not_in_group");
    let event = postern.event(&refused);
    for (field, value) in [
        ("outcome", "deny"),
        ("reason", "not_in_group"),
        ("account", "ada"),
        ("method", "jwt"),
        ("provider", "custom"),
        ("token.id", "7"),
        ("path", "/rest/api/2/myself"),
    ] {
        assert_eq!(event[field], value, "{event}");
    }
    let expired = token("staff").claim("exp", 1_000_000_000).sign();
    let refused = postern.ask(&read.bearer(&expired));
    refused.is_refused(401, "expired");
    let event = postern.event(&refused);
    assert_eq!(event["reason"], "expired");
    for field in ["account", "method", "provider", "token.id"] {
        assert_eq!(event[field], Value::Null, "{event}");
    }
}

/// Each way to end before anybody was looked at has its event, too, with what is known of the call.
#[test]
fn every_refusal_is_told() {
    let acme = issuer();
    let gone = issuer();
    gone.stop();
    let file = tenant("jira").trusting(&gone);
    let inside = tenant("inside")
        .trusting(&acme)
        .access("allow_networks = [\"10.0.0.0/8\"]");
    let postern = told(file).and(inside).start();
    let odd = call("GET", "/rest//api");
    for (request, level, outcome, reason, path) in [
        (odd, "INFO", "deny", "ambiguous_path", None),
        (
            call("GET", "/rest/api/2/myself").bearer(&gone.token().sign()),
            "WARN",
            "unavailable",
            "issuer_unavailable",
            Some("/rest/api/2/myself"),
        ),
        // Where the path was not looked at for the decision, it is for the trail.
        (
            Request::check("inside", "/rest/%61pi?x"),
            "INFO",
            "deny",
            "address_not_allowed",
            Some("/rest/api"),
        ),
        (
            Request::check("nobody", "/rest/api"),
            "INFO",
            "deny",
            "tenant_unknown",
            None,
        ),
        (
            call("GET", "/rest/api").without("X-Original-Method"),
            "INFO",
            "deny",
            "bad_check_request",
            None,
        ),
    ] {
        let answer = postern.ask(&request);
        assert_eq!(answer.reason(), reason);
        let event = postern.event(&answer);
        assert_eq!(
            (
                &event["level"],
                &event["outcome"],
                &event["reason"],
                &event["path"]
            ),
            (&json!(level), &json!(outcome), &json!(reason), &json!(path)),
            "{event}"
        );
        let address = (reason != "bad_check_request").then_some("192.0.2.7");
        assert_eq!(event["client.address"], json!(address));
    }
}

/// Users' own tokens are refused in the same words.
#[test]
fn self_service_tells_its_refusals() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .api_tokens("enabled = true\nself_service = true");
    let postern: Postern = told(file).start();
    let refused = postern.ask(
        &Request::new("GET", "/self/tokens/jira")
            .header("X-Forwarded-For", "192.0.2.7")
            .bearer(&acme.token().audience("other").sign()),
    );
    assert_eq!(refused.status, 401);
    let event = postern.event(&refused);
    assert_eq!(event["reason"], "wrong_audience");
    assert_eq!(event["tenant.id"], "jira");
    assert_eq!(event["client.address"], "192.0.2.7");
    assert_eq!(event["http.method"], "GET");
}
