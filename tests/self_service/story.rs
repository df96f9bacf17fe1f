//! See `../self_service.rs`.

use serde_json::json;

use super::{Site, any, body_of, call, described, issued, open, post, refused, text};
use crate::harness::{Postern, Request, eventually, issuer};

/// A user issues a token, uses it, sees it used, and revokes it; from then on it is refused.
#[test]
fn a_user_issues_uses_lists_and_revokes_a_token() {
    let site = Site::start();
    let ada = site.token("ada");
    let wanted = json!({
        "description": "build server", "expires_in": 86400, "scope": "read", "paths": ["/rest/api/2/**"],
        "networks": ["192.0.2.0/24"],
    });
    let made = site.issue(&ada, &wanted);
    let (token, id) = issued(&made);
    let about = body_of(&made);
    assert_eq!(
        (&about["owner"], &about["tenant"]),
        (&json!("ada"), &json!("jira"))
    );
    assert_eq!(about["created_by"], "ada (custom)");
    let life = about["expires_at"]
        .as_u64()
        .zip(about["created_at"].as_u64());
    assert_eq!(life.map(|(end, start)| end - start), Some(86400));

    // It acts as its owner, within what was said, and no further.
    let used = site.postern.check("jira", &token);
    used.is_allowed_as("ada");
    assert_eq!(used.header("postern-method"), Some("api-token"));
    let read = Request::check("jira", "/rest/api/2/issue/A-1").bearer(&token);
    site.postern.ask(&read).is_allowed_as("ada");
    let write = read.clone().replace("X-Original-Method", "POST");
    site.postern
        .ask(&write)
        .is_refused(403, "insufficient_scope");
    let elsewhere = read.replace("X-Real-IP", "198.51.100.1");
    site.postern
        .ask(&elsewhere)
        .is_refused(403, "address_not_allowed");

    // The list has it with its last use, and without its secret.
    eventually("the use is listed", || {
        let listed = body_of(&site.list(&ada));
        listed["tokens"][0]["last_used"]["address"] == "192.0.2.7"
    });
    let listed = site.list(&ada);
    assert!(!listed.body.contains(&token), "{listed:?}");
    let shown = &body_of(&listed)["tokens"][0];
    assert_eq!(
        (&shown["id"], &shown["description"]),
        (&json!(id), &json!("build server"))
    );

    let revoked = site.revoke(&ada, &id);
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(body_of(&revoked)["revoked_by"], "ada (custom)");
    site.postern
        .check("jira", &token)
        .is_refused(401, "revoked");
    refused(&site.revoke(&ada, &id), 409, "conflict");
    assert_eq!(site.ids(&ada), [id]);

    // Who did it, for whom and from where is in the audit log; the tokens are nowhere.
    site.postern.until_logged("token_issued");
    site.postern.until_logged("token_revoked");
    site.postern
        .until_logged("by=\"ada (custom)\" from=\"192.0.2.7\"");
    site.postern.has_not_logged(&[&token, &ada]);
}

/// Nobody sees, issues or revokes another's: not in the same tenant, and not from one tenant in the other.
#[test]
fn two_users_have_only_their_own() {
    let acme = issuer();
    let postern = Postern::with(open("jira", &acme))
        .and(open("wiki", &acme))
        .start();
    let site = Site { acme, postern };
    let (ada, bob) = (site.token("ada"), site.token("bob"));
    assert_eq!(site.ids(&ada), [""; 0]);
    let (adas, first) = issued(&site.issue(&ada, &any()));
    let (_, second) = issued(&site.issue(&bob, &any()));
    let (_, wikis) = issued(&site.issue_at("wiki", &ada, &any()));
    assert_eq!(site.ids(&ada), std::slice::from_ref(&first));
    assert_eq!(site.ids(&bob), std::slice::from_ref(&second));

    for id in [&first, &wikis, "0123456789ab", "no-id", &adas] {
        refused(&site.revoke(&bob, id), 404, "not_found");
    }
    refused(&site.revoke(&ada, &second), 404, "not_found");
    refused(&site.revoke(&ada, &wikis), 404, "not_found");
    site.postern.check("jira", &adas).is_allowed_as("ada");
    assert_eq!(site.revoke(&bob, &second).status, 200);

    // Names are compared without regard to case, and the token is in the name that the provider gives.
    let own = site.issue(&ada, &json!({ "owner": "ADA" }));
    assert_eq!(body_of(&own)["owner"], "ada", "{own:?}");
    let mine = refused(
        &site.issue(&bob, &json!({ "owner": "ada" })),
        403,
        "access_denied",
    );
    assert_eq!(
        mine,
        "a token is to be had for your own account only; leave owner out"
    );
}

/// What an administrator issued for a user is the user's to see and to revoke.
#[test]
fn a_token_from_an_administrator_is_listed_and_revoked() {
    let site = Site::start();
    let issue = ["token", "issue", "jira", "ada"];
    let said = site.postern.cli(&issue);
    let token = String::from_utf8(said.stdout).expect("ASCII");
    site.postern
        .check("jira", token.trim())
        .is_allowed_as("ada");
    let ada = site.token("ada");
    let listed = body_of(&site.list(&ada));
    assert!(
        text(&listed["tokens"][0]["created_by"]).starts_with("uid "),
        "{listed}"
    );
    let id = text(&listed["tokens"][0]["id"]);
    assert_eq!(site.revoke(&ada, &id).status, 200);
    site.postern
        .check("jira", token.trim())
        .is_refused(401, "revoked");
}

/// The description is served as it stands in the source, to anybody, and behind whatever path the proxy gives it.
#[test]
fn the_description_is_served_byte_for_byte() {
    let site = Site::start();
    let served = site.ask(&call("GET", "/self/openapi.json"), "");
    assert_eq!(
        (served.status, served.body.as_str()),
        (200, described::FILE)
    );
    assert_eq!(body_of(&served)["servers"][0]["url"], ".");
}

/// What is no resource is not found, and each resource has its methods. Nothing is redirected or guessed.
#[test]
fn paths_and_methods_are_those_that_are_described() {
    let site = Site::start();
    let ada = site.token("ada");
    for path in [
        "/self/",
        "/self/tokens",
        "/self/tokens/",
        "/self/tokens/jira/",
        "/self/tokens/jira/0123456789ab/rotate",
        "/self//tokens/jira",
        "/self/status",
        "/self/openapi.json/",
    ] {
        let answer = site.ask(&call("GET", path).bearer(&ada), "");
        refused(&answer, 404, "not_found");
    }
    for (method, path) in [
        ("PUT", "/self/tokens/jira"),
        ("DELETE", "/self/tokens/jira"),
        ("OPTIONS", "/self/tokens/jira"),
        ("GET", "/self/tokens/jira/0123456789ab"),
        ("POST", "/self/tokens/jira/0123456789ab"),
        ("POST", "/self/openapi.json"),
    ] {
        let answer = site.ask(&call(method, path).bearer(&ada), "");
        refused(&answer, 405, "method_not_allowed");
    }
    for path in ["/self/tokens/jira", "/self/openapi.json"] {
        let answer = site.ask(&call("HEAD", path).bearer(&ada), "");
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    }
    // A list of everybody's is not to be had by asking for one.
    let answer = site.ask(&call("GET", "/self/tokens/jira?user=bob").bearer(&ada), "");
    refused(&answer, 400, "invalid_request");
    let spoofed = post("/self/tokens/jira").header("X.Forwarded.For", "127.0.0.1");
    site.ask(&spoofed.bearer(&ada), "{}")
        .is_refused(400, "bad_check_request");
}
