//! `token rotate`: a new secret, and how long the one before lives on.

use serde_json::Value;

use super::{id_of, issue, listed, with_tokens};
use crate::{
    commands::{says, stdout},
    harness::{Postern, until},
};

/// The new token alone is on standard output; the one before is good no more.
#[test]
fn the_secret_before_is_good_no_more() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let before = issue(&daemon, &["jira", "ada"]);
    let output = daemon.cli(&["token", "rotate", id_of(&before)]);
    says(
        &output,
        0,
        &["of ada at jira", "is good no more", "as before"],
    );
    let told = stdout(&output);
    let after = told.strip_suffix('\n').expect("a line");
    assert_eq!(id_of(after), id_of(&before));
    assert_ne!(after, before);
    daemon.check("jira", after).is_allowed_as("ada");
    daemon.check("jira", &before).is_refused(401, "revoked");
}

/// With an overlap both are good until it is over, and not longer.
#[test]
fn both_are_good_for_the_overlap() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let before = issue(&daemon, &["jira", "ada"]);
    let short = issue(&daemon, &["jira", "bob"]);
    let rotate = |token: &str, overlap| {
        let output = daemon.cli(&["token", "rotate", id_of(token), "--overlap", overlap]);
        says(&output, 0, &["is good until"]);
        stdout(&output).trim_end().to_owned()
    };
    let after = rotate(&before, "1h");
    daemon.check("jira", &after).is_allowed_as("ada");
    daemon.check("jira", &before).is_allowed_as("ada");
    assert_eq!(listed(&daemon, &["--user", "ada"])[0]["state"], "rotating");

    let after = rotate(&short, "3s");
    until("the overlap is over", || {
        (daemon.check("jira", &short).status == 401).then_some(())
    });
    daemon.check("jira", &short).is_refused(401, "revoked");
    daemon.check("jira", &after).is_allowed_as("bob");
    assert_eq!(listed(&daemon, &["--user", "bob"])[0]["state"], "alive");
}

/// The end of the token stays where it was, and is that of the overlap as well.
#[test]
fn the_end_stays_where_it_was() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let token = issue(&daemon, &["jira", "ada", "--expires", "1h"]);
    let end = listed(&daemon, &["jira"])[0]["expires_at"].clone();
    let output = daemon.cli(&[
        "token",
        "rotate",
        id_of(&token),
        "--overlap",
        "2h",
        "--json",
    ]);
    let made: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!((&made["expires_at"], &made["retiring_until"]), (&end, &end));
    let after = made["token"].as_str().expect("a token");
    daemon.check("jira", after).is_allowed_as("ada");
    daemon.check("jira", &token).is_allowed_as("ada");
}

/// What is dead stays so, for both secrets.
#[test]
fn a_dead_token_has_no_new_secret() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let before = issue(&daemon, &["jira", "ada"]);
    let after = stdout(&daemon.cli(&["token", "rotate", id_of(&before), "--overlap", "1h"]));
    says(&daemon.cli(&["token", "revoke", id_of(&before)]), 0, &[]);
    daemon
        .check("jira", after.trim_end())
        .is_refused(401, "revoked");
    assert_eq!(daemon.check("jira", &before).status, 401);
    let brief = issue(&daemon, &["jira", "bob", "--expires", "1s"]);
    until("it has expired", || {
        (daemon.check("jira", &brief).status == 401).then_some(())
    });
    for (id, words) in [
        (id_of(&before), "revoked or expired"),
        (id_of(&brief), "revoked or expired"),
        ("AAAAAAAAAAAA", "there is no token"),
        ("short", "12 letters and digits"),
    ] {
        let output = daemon.cli(&["token", "rotate", id]);
        says(&output, 1, &[words]);
        assert_eq!(stdout(&output), "");
    }
}
