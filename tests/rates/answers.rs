use serde_json::Value;

use super::{limited, token};
use crate::harness::{Answer, Postern, Request, issuer};

/// The number in that field.
#[track_caller]
fn number(answer: &Answer, name: &str) -> u64 {
    let value = answer.header(name).and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("no number in {name}: {answer:?}"))
}

/// When to come again, what the rate is and that nothing is left of it; and no challenge, since another credential is
/// not asked for.
#[test]
fn a_429_says_when_to_come_again() {
    let acme = issuer();
    let file = limited(&acme, "per_user = \"1/h\"\nfailures_per_address = \"2/h\"");
    let postern = Postern::with(file).start();
    let ada = token(&acme, "ada");
    let allowed = postern.check("jira", &ada);
    allowed.is_allowed_as("ada");
    for _ in 0..2 {
        let failed = postern.check("jira", "guess");
        failed.is_refused(401, "malformed_token");
        assert_eq!(failed.header("retry-after"), None);
    }
    // An hour for one, half an hour for one of two; and what has passed since.
    for (credential, reason, rate, wait) in [
        (&*ada, "rate_limited", 1, 3600),
        ("guess", "too_many_failures", 2, 1800),
    ] {
        let refused = postern.check("jira", credential);
        refused.is_refused(429, reason);
        let retry_after = number(&refused, "retry-after");
        assert!((wait - 60..=wait).contains(&retry_after), "{retry_after}");
        assert_eq!(number(&refused, "ratelimit-limit"), rate);
        assert_eq!(number(&refused, "ratelimit-remaining"), 0);
        assert_eq!(number(&refused, "ratelimit-reset"), retry_after);
        for absent in ["www-authenticate", "remote-user"] {
            assert_eq!(refused.header(absent), None, "{absent}");
        }
        assert_eq!(refused.header("cache-control"), Some("no-store"));
        assert_eq!(refused.body, "");
        assert!(!postern.log().contains(&ada));
    }
    for name in ["retry-after", "ratelimit-limit", "ratelimit-remaining"] {
        assert_eq!(allowed.header(name), None, "{name} on a yes");
    }
}

/// Where answers have a body, it says the same as nginx's.
#[test]
fn a_429_has_a_body_where_answers_have_one() {
    let acme = issuer();
    let postern = Postern::with(limited(&acme, "per_tenant = \"1/h\"")).start();
    let ada = token(&acme, "ada");
    postern.check("jira", &ada).is_allowed_as("ada");
    let forwarded = Request::new("GET", "/ext-authz/jira/rest/api/2/myself")
        .header("X-Forwarded-For", "192.0.2.7")
        .bearer(&ada);
    let refused = postern.ask(&forwarded);
    refused.is_refused(429, "rate_limited");
    let body: Value = serde_json::from_str(&refused.body).expect("JSON");
    assert_eq!(body["error"], "too_many_requests");
    assert_eq!(body["error_description"], "rate_limited");
    assert_eq!(
        body["request_id"].as_str(),
        refused.header("postern-request-id")
    );
}

/// What was refused is counted under its reason, and only there.
#[test]
fn refusals_are_counted_by_reason() {
    let acme = issuer();
    let file = limited(&acme, "per_user = \"1/h\"\nfailures_per_address = \"1/h\"");
    let postern = Postern::with(file).start();
    let ada = token(&acme, "ada");
    for _ in 0..4 {
        postern.check("jira", &ada);
    }
    for _ in 0..3 {
        postern.check("jira", "guess");
    }
    for (outcome, reason, expected) in [
        ("allow", "jwt", 1.0),
        ("deny", "rate_limited", 3.0),
        ("deny", "malformed_token", 1.0),
        ("deny", "too_many_failures", 2.0),
    ] {
        let found = postern.metric(&format!(
            "postern_decisions_total{{outcome=\"{outcome}\",reason=\"{reason}\",tenant=\"jira\"}}"
        ));
        assert!((found - expected).abs() < 0.5, "{reason}: {found}");
    }
}
