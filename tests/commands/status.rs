//! `status`, and the socket that it asks on.

use serde_json::Value;

use super::{says, stdout};
use crate::harness::{Postern, issuer, tenant};

/// What an operator sees: each tenant, what it serves, and what is wrong with its file.
#[test]
fn status_shows_what_is_served_and_what_is_wrong() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("off").trusting(&acme).top("enabled = false"))
        .and(tenant("broken").trusting(&acme).top("enabled = maybe"))
        .start();
    postern.until_keys("jira");
    let output = postern.cli(&["status"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = stdout(&output);
    for word in [
        "is ready, with 3 tenants",
        "jira",
        "serving",
        "disabled",
        "unavailable",
        "custom, 4 keys, confirmed",
        "broken.toml:3:11",
        "answered 503",
    ] {
        assert!(shown.contains(word), "{word:?} in {shown}");
    }
}

/// One tenant alone; and one that there is not.
#[test]
fn status_of_one_tenant() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&acme))
        .start();
    let shown = stdout(&postern.cli(&["status", "jira"]));
    assert!(shown.contains("jira") && !shown.contains("wiki"), "{shown}");
    says(
        &postern.cli(&["status", "nobody"]),
        1,
        &["no tenant nobody", "nobody.toml"],
    );
}

/// Why the last token was refused, and what to change: for the operator, and not for the caller.
#[test]
fn status_says_why_the_last_token_was_refused() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let shown = || stdout(&postern.cli(&["status", "jira"]));
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    assert!(!shown().contains("refused"), "{}", shown());
    let answer = postern.check("jira", &acme.token().audience("api://other").sign());
    answer.is_refused(401, "wrong_audience");
    assert!(!format!("{answer:?}").contains("api://other"));
    let (shown, id) = (shown(), answer.header("postern-request-id").expect("an id"));
    for word in [
        "jira, provider custom: the last token refused",
        "the audience is \"api://other\"; this tenant accepts postern-dev (",
        "tenants/jira.toml, provider custom)",
        id,
    ] {
        assert!(shown.contains(word), "{word:?} in {shown}");
    }
    let status = postern.tenant_status("jira");
    assert_eq!(
        status["providers"][0]["last_refusal"]["reason"],
        "wrong_audience"
    );
}

/// For machines it is what `/status` answers.
#[test]
fn status_as_json_is_the_ops_page() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    let told: Value =
        serde_json::from_str(&stdout(&postern.cli(&["status", "--json"]))).expect("JSON");
    let page = postern.status();
    for key in ["version", "ready"] {
        assert_eq!(told[key], page[key]);
    }
    for key in [
        "tenant",
        "state",
        "generation",
        "product",
        "url",
        "applied_at",
    ] {
        assert_eq!(told["tenants"][0][key], page["tenants"][0][key], "{key}");
    }
    assert_eq!(told["tenants"][0]["providers"][0]["keys"]["usable"], 4);
}

/// No daemon, no answer, and a word on where it was looked for.
#[test]
fn without_a_daemon_it_says_where_it_looked() {
    let mut postern = Postern::without_tenants().start();
    assert!(postern.cli(&["status"]).status.success());
    assert!(postern.stop().success());
    let socket = postern.admin_socket();
    let socket = socket.to_str().expect("it is text");
    says(
        &postern.cli(&["status"]),
        1,
        &["no daemon answers", socket, "--admin-socket"],
    );
}
