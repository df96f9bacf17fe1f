//! `audit`: who changed what, from where and for whom.

use serde_json::Value;

use super::{
    says, stdout,
    token::{id_of, issue, with_tokens},
};
use crate::harness::{Postern, issuer, until};

fn events(daemon: &Postern, arguments: &[&str]) -> Vec<Value> {
    let output = daemon.cli(&[&["audit", "--json"], arguments].concat());
    says(&output, 0, &[]);
    let told = stdout(&output);
    told.lines()
        .map(|line| serde_json::from_str(line).expect("an event a line"))
        .collect()
}

/// Every change leaves its event in the store and in the daemon's log; what was refused leaves none.
#[test]
fn every_change_leaves_its_event() {
    let acme = issuer();
    let daemon = Postern::with(with_tokens("jira").trusting(&acme)).start();
    assert!(events(&daemon, &[]).is_empty());
    daemon
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    let token = issue(&daemon, &["jira", "bob", "--scope", "write"]);
    let id = id_of(&token);
    for (command, code) in [
        (&["token", "rotate", id, "--overlap", "1h"][..], 0),
        (&["token", "revoke", id], 0),
        (&["token", "revoke", id], 1),
        (&["token", "issue", "jira", "bob", "--expires", "9999d"], 1),
        (&["account", "unpin", "jira", "ada"], 0),
    ] {
        says(&daemon.cli(command), code, &[]);
    }
    let told = events(&daemon, &[]);
    let by = format!("uid {}", nix::unistd::geteuid());
    let wanted = [
        ("token_issued", "bob", Some(id), "write, until"),
        ("token_rotated", "bob", Some(id), "good until"),
        ("token_revoked", "bob", Some(id), ""),
        ("account_unpinned", "ada", None, ""),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for (number, (event, (action, account, id, detail))) in (1..).zip(told.iter().zip(wanted)) {
        assert_eq!(event["number"], number, "{event}");
        assert_eq!(
            (&event["action"], &event["account"]),
            (&action.into(), &account.into())
        );
        assert_eq!(event["token"].as_str(), id, "{event}");
        assert_eq!(
            (&event["tenant"], &event["from"]),
            (&"jira".into(), &"admin socket".into())
        );
        assert_eq!(event["by"], by.as_str());
        assert!(
            event["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(detail),
            "{event}"
        );
        assert!(event["at"].as_u64().is_some(), "{event}");
        daemon.until_logged(action);
    }
    daemon.has_not_logged(&[&token]);
    let table = stdout(&daemon.cli(&["audit"]));
    for word in [
        "TIME",
        "token_issued",
        "account_unpinned",
        "jira",
        "bob",
        id,
        &by,
        "admin socket",
    ] {
        assert!(table.contains(word), "{word:?} in {table}");
    }
    assert!(!table.contains(&token), "{table}");
}

/// Of one tenant, and since a time; and it outlives the daemon.
#[test]
fn the_log_is_filtered_and_kept() {
    let mut daemon = Postern::with(with_tokens("jira"))
        .and(with_tokens("wiki"))
        .start();
    issue(&daemon, &["jira", "old"]);
    until("the first is 2 seconds old", || {
        events(&daemon, &["--since", "2s"]).is_empty().then_some(())
    });
    issue(&daemon, &["wiki", "new"]);
    let accounts = |daemon: &Postern, arguments: &[&str]| {
        let all = events(daemon, arguments);
        let account = |event: &Value| event["account"].as_str().expect("a name").to_owned();
        all.iter().map(account).collect::<Vec<_>>()
    };
    let at = events(&daemon, &[])[1]["at"].as_u64().expect("a time");
    daemon.kill();
    daemon.run();
    let time = postern::clock::rfc3339(at);
    let later = postern::clock::rfc3339(at + 1);
    for (arguments, wanted) in [
        (&[][..], &["old", "new"][..]),
        (&["--since", "1h"], &["old", "new"]),
        (&["--since", &time], &["new"]),
        (&["--since", &later], &[]),
        (&["--since", "2020-01-01"], &["old", "new"]),
        (&["--tenant", "jira"], &["old"]),
        (&["--tenant", "wiki", "--since", "1h"], &["new"]),
        (&["--tenant", "nobody"], &[]),
    ] {
        assert_eq!(accounts(&daemon, arguments), wanted, "{arguments:?}");
    }
    says(
        &daemon.cli(&["audit", "--since", "yesterday"]),
        2,
        &["2026-11-25"],
    );
}
