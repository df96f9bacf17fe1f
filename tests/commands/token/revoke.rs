//! `token revoke`: one, some, an account's, a tenant's.

use serde_json::Value;

use super::{id_of, issue, listed, owners, with_tokens};
use crate::{
    commands::{says, stderr, stdout},
    harness::{Postern, until},
};

/// The next check of it is refused, and no other.
#[test]
fn the_next_check_of_it_is_refused() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let (one, other) = (
        issue(&daemon, &["jira", "ada"]),
        issue(&daemon, &["jira", "ada"]),
    );
    daemon.check("jira", &one).is_allowed_as("ada");
    let revoke = ["token", "revoke", id_of(&one)];
    let output = daemon.cli(&revoke);
    says(
        &output,
        0,
        &["revoked token", id_of(&one), "of ada at jira"],
    );
    assert_eq!(stdout(&output), "");
    daemon.check("jira", &one).is_refused(401, "revoked");
    daemon.check("jira", &other).is_allowed_as("ada");
    says(&daemon.cli(&revoke), 1, &["was revoked before"]);
}

/// Of several ids each is tried; the exit code tells some from none.
#[test]
fn of_several_ids_each_is_tried() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let (one, other) = (
        issue(&daemon, &["jira", "ada"]),
        issue(&daemon, &["jira", "bob"]),
    );
    let none = "AAAAAAAAAAAA";
    let output = daemon.cli(&[
        "token",
        "revoke",
        id_of(&one),
        none,
        "x\u{1b}",
        id_of(&other),
        "--json",
    ]);
    says(
        &output,
        3,
        &[
            "there is no token AAAAAAAAAAAA",
            "x\\u{1b}: a token's id has 12",
        ],
    );
    assert!(!stderr(&output).contains('\u{1b}'));
    let revoked: Vec<Value> = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(owners(&revoked), ["ada", "bob"]);
    for token in [&one, &other] {
        daemon.check("jira", token).is_refused(401, "revoked");
    }
    says(
        &daemon.cli(&["token", "revoke", none, none]),
        1,
        &["there is no token"],
    );
}

/// A whole token in the place of its id is not repeated, and not revoked either.
#[test]
fn a_whole_token_is_no_id() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let token = issue(&daemon, &["jira", "ada"]);
    for command in ["revoke", "rotate"] {
        let output = daemon.cli(&["token", command, &token]);
        says(&output, 1, &["between pst_ and the next _"]);
        assert!(
            !stderr(&output).contains(&token[20..]),
            "{}",
            stderr(&output)
        );
    }
    daemon.check("jira", &token).is_allowed_as("ada");
}

/// An account that leaves: all of its tokens, and nobody else's. Without a tenant that is clear only where there is one.
#[test]
fn all_tokens_of_an_account() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let tokens = ["ada", "ADA", "bob"].map(|user| issue(&daemon, &["jira", user]));
    says(
        &daemon.cli(&["token", "revoke", "--user", "Ada"]),
        0,
        &["of ada at jira", "of ADA at jira"],
    );
    daemon.check("jira", &tokens[0]).is_refused(401, "revoked");
    daemon.check("jira", &tokens[1]).is_refused(401, "revoked");
    daemon.check("jira", &tokens[2]).is_allowed_as("bob");
    // Whoever runs it twice has what they want.
    let again = daemon.cli(&["token", "revoke", "--user", "ada", "--tenant", "jira"]);
    says(&again, 0, &["no token of that account at jira"]);

    daemon.write(&with_tokens("wiki"));
    until("there are two tenants", || {
        (!daemon.tenant_status("wiki").is_null()).then_some(())
    });
    let wiki = issue(&daemon, &["wiki", "bob"]);
    says(
        &daemon.cli(&["token", "revoke", "--user", "bob"]),
        1,
        &["2 tenants", "--tenant"],
    );
    let output = daemon.cli(&[
        "token", "revoke", "--user", "bob", "--tenant", "wiki", "--json",
    ]);
    let revoked: Vec<Value> = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(owners(&revoked), ["bob"]);
    daemon.check("wiki", &wiki).is_refused(401, "revoked");
    daemon.check("jira", &tokens[2]).is_allowed_as("bob");
}

/// All of a tenant's, which must be meant, and none of its neighbour's.
#[test]
fn all_tokens_of_a_tenant() {
    let daemon = Postern::with(with_tokens("jira"))
        .and(with_tokens("wiki"))
        .start();
    let jira = ["ada", "bob"].map(|user| issue(&daemon, &["jira", user]));
    let wiki = issue(&daemon, &["wiki", "ada"]);
    says(
        &daemon.cli(&["token", "revoke", "--tenant", "jira"]),
        1,
        &["--yes"],
    );
    daemon.check("jira", &jira[0]).is_allowed_as("ada");
    let output = daemon.cli(&["token", "revoke", "--tenant", "jira", "--yes"]);
    says(&output, 0, &["of ada at jira", "of bob at jira"]);
    for token in &jira {
        daemon.check("jira", token).is_refused(401, "revoked");
    }
    daemon.check("wiki", &wiki).is_allowed_as("ada");
    let state = |tenant| listed(&daemon, &[tenant])[0]["state"].clone();
    assert_eq!(
        (state("jira"), state("wiki")),
        ("revoked".into(), "alive".into())
    );
    let nobody = ["token", "revoke", "--tenant", "nobody", "--yes"];
    says(&daemon.cli(&nobody), 1, &["no tenant nobody"]);
}
