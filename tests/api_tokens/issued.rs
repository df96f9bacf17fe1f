//! Who gets a token, and for how long.

use serde_json::{Value, json};

use crate::harness::{Answer, Postern, id_of, tenant};

fn issue(postern: &Postern, tenant: &str, wanted: &Value) -> Answer {
    postern.admin("POST", &format!("/tokens/{tenant}"), wanted)
}

#[track_caller]
fn is_refused(answer: &Answer, status: u16, why: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert!(answer.body.contains(why), "{answer:?}");
}

/// A lifetime up to the cap is granted; one second more is not.
#[test]
fn the_cap_of_lifetimes_holds_to_the_second() {
    let file = tenant("jira").api_tokens("enabled = true\nmax_lifetime = \"30d\"");
    let postern = Postern::with(file).start();
    let cap = 30 * 24 * 60 * 60;
    let wanted = |seconds: u64| json!({ "owner": "ada", "expires_in": seconds });
    assert_eq!(issue(&postern, "jira", &wanted(cap)).status, 201);
    let refused = issue(&postern, "jira", &wanted(cap + 1));
    is_refused(&refused, 403, "max_lifetime");
    is_refused(&issue(&postern, "jira", &wanted(0)), 400, "expires at once");
    // Nobody said how long: 90 days, and here the cap is shorter.
    let made: Value =
        serde_json::from_str(&issue(&postern, "jira", &json!({ "owner": "ada" })).body).unwrap();
    let lifetime = made["expires_at"].as_u64().unwrap() - made["created_at"].as_u64().unwrap();
    assert_eq!(lifetime, cap);
}

/// As many as the cap are alive at a time, under all spellings of a name together; what is revoked makes room.
#[test]
fn one_more_than_the_cap_is_one_too_many() {
    let file = tenant("jira").api_tokens("enabled = true\nmax_per_user = 2");
    let postern = Postern::with(file).start();
    let first = postern.issue("jira", "ada", json!({}));
    postern.issue("jira", "Ada", json!({}));
    let third = issue(&postern, "jira", &json!({ "owner": "ADA" }));
    is_refused(&third, 409, "max_per_user");
    postern.issue("jira", "bob", json!({}));
    postern.revoke(&first);
    postern.issue("jira", "ada", json!({}));
    assert_eq!(
        issue(&postern, "jira", &json!({ "owner": "ada" })).status,
        409
    );
}

/// Forty ask at once for the two places that there are.
#[test]
fn the_cap_holds_in_a_race() {
    let file = tenant("jira").api_tokens("enabled = true\nmax_per_user = 2");
    let postern = Postern::with(file).start();
    let answers: Vec<u16> = std::thread::scope(|scope| {
        let ask = || issue(&postern, "jira", &json!({ "owner": "ada" })).status;
        let asked: Vec<_> = (0..40).map(|_| scope.spawn(ask)).collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    let of = |status: u16| answers.iter().filter(|answer| **answer == status).count();
    assert_eq!((of(201), of(409)), (2, 38), "{answers:?}");
}

/// What can't be meant is said, and issues nothing.
#[test]
fn what_can_not_be_meant_is_refused() {
    let postern = Postern::with(tenant("jira").api_tokens("enabled = true"))
        .and(tenant("off").top("enabled = true"))
        .start();
    for (wanted, status, why) in [
        (json!({}), 400, "is empty"),
        (json!({ "owner": "" }), 400, "is empty"),
        (json!({ "owner": "a\nda" }), 400, "control characters"),
        (json!({ "owner": " ada" }), 400, "surrounding space"),
        (json!({ "owner": "a".repeat(256) }), 400, "255"),
        (
            json!({ "owner": "ada", "networks": ["10.0.0.0/33"] }),
            400,
            "network",
        ),
        (
            json!({ "owner": "ada", "paths": ["rest"] }),
            400,
            "start with '/'",
        ),
        (
            json!({ "owner": "ada", "paths": ["/a/../b"] }),
            400,
            "never matches",
        ),
        (
            json!({ "owner": "ada", "grants": ["a b"] }),
            400,
            "no scope",
        ),
        (
            json!({ "owner": "ada", "description": "a\u{1b}[2J" }),
            400,
            "control characters",
        ),
        (json!({ "owner": "ada", "scope": "admin" }), 400, "admin"),
        (json!({ "owner": "ada", "expiry": 1 }), 400, "expiry"),
        (json!("ada"), 400, "ada"),
    ] {
        is_refused(&issue(&postern, "jira", &wanted), status, why);
    }
    let ada = json!({ "owner": "ada" });
    is_refused(&issue(&postern, "off", &ada), 403, "[api_tokens]");
    is_refused(&issue(&postern, "nowhere", &ada), 404, "no tenant nowhere");
    let listed = postern.admin("GET", "/tokens/jira", &json!({}));
    assert_eq!(listed.body, "{\"tokens\":[]}");
}

/// A token that ended can't be revived, and one that is not there can't be changed.
#[test]
fn what_ended_stays_so() {
    let postern = Postern::with(tenant("jira").api_tokens("enabled = true")).start();
    let token = postern.issue("jira", "ada", json!({}));
    let id = id_of(&token);
    postern.revoke(&token);
    let ask = |method: &str, target: &str| postern.admin(method, target, &json!({}));
    is_refused(
        &ask("DELETE", &format!("/token/{id}")),
        409,
        "revoked before",
    );
    is_refused(
        &ask("POST", &format!("/token/{id}/rotate")),
        409,
        "issue another",
    );
    is_refused(&ask("DELETE", "/token/000000000000"), 404, "no token");
    is_refused(&ask("DELETE", "/token/x"), 400, "12 letters");
}
