//! `token list`: who has which, and each of its filters.

use serde_json::Value;

use super::{id_of, issue, listed, owners, with_tokens};
use crate::{
    commands::{says, stdout},
    harness::{Postern, Request, tenant, until},
};

/// What an operator sees at a glance, and what can't play with the terminal.
#[test]
fn the_table_says_who_has_what() {
    let daemon = Postern::with(with_tokens("jira"))
        .and(with_tokens("wiki"))
        .start();
    let limits = [
        "--network",
        "192.0.2.0/24",
        "--path",
        "/rest/**",
        "--grant",
        "jira:admin",
    ];
    let description = ["--description", "nightly \u{2603}build"];
    let used = issue(
        &daemon,
        &[&["jira", "Zoë"], &limits[..], &description].concat(),
    );
    let bob = issue(
        &daemon,
        &["jira", "bob", "--expires", "90d", "--scope", "write"],
    );
    let carol = issue(&daemon, &["jira", "carol"]);
    issue(&daemon, &["wiki", "ada", "--expires", "3d"]);
    issue(&daemon, &["wiki", "ada", "--expires", "1s"]);
    daemon.check("jira", &used).is_allowed_as("Zo%C3%AB");
    says(&daemon.cli(&["token", "revoke", id_of(&carol)]), 0, &[]);
    says(
        &daemon.cli(&["token", "rotate", id_of(&bob), "--overlap", "1h"]),
        0,
        &[],
    );
    let table = until("the use and the end are told", || {
        let table = stdout(&daemon.cli(&["token", "list"]));
        (table.contains("from 192.0.2.7") && table.contains("expired")).then_some(table)
    });
    for word in [
        "TENANT",
        "OWNER",
        "LAST USED",
        "GOOD FOR",
        "jira",
        "wiki",
        id_of(&used),
        "Zoë",
        "alive",
        "read",
        "write",
        "from 192.0.2.0/24",
        "/rest/**",
        "as jira:admin",
        "everything",
        "never",
        "by uid ",
        "s ago",
        "in 89 days",
        "in 2 days, soon",
        "rotating",
        " min ",
        "revoked",
        "nightly \\u{2603}build",
    ] {
        assert!(table.contains(word), "{word:?} in {table}");
    }
    assert!(
        !table.contains('\u{2603}') && !table.contains('\u{1b}'),
        "{table}"
    );
    let jira = stdout(&daemon.cli(&["token", "list", "jira"]));
    assert!(!jira.contains("TENANT") && !jira.contains("wiki"), "{jira}");
}

/// By account, with or without its tenant, in any case of letters.
#[test]
fn the_tokens_of_an_account() {
    let daemon = Postern::with(with_tokens("jira"))
        .and(with_tokens("wiki"))
        .start();
    for (tenant, user) in [("jira", "Ada"), ("jira", "bob"), ("wiki", "ada")] {
        issue(&daemon, &[tenant, user]);
    }
    assert_eq!(
        owners(&listed(&daemon, &["jira", "--user", "ADA"])),
        ["Ada"]
    );
    assert_eq!(owners(&listed(&daemon, &["--user", "ADA"])), ["Ada", "ada"]);
    assert!(listed(&daemon, &["jira", "--user", "carol"]).is_empty());
}

/// Those that are about to end: alive, and not in a fortnight.
#[test]
fn the_tokens_that_expire_soon() {
    let daemon = Postern::with(with_tokens("jira")).start();
    issue(&daemon, &["jira", "soon", "--expires", "13d"]);
    issue(&daemon, &["jira", "late", "--expires", "15d"]);
    let revoked = issue(&daemon, &["jira", "revoked", "--expires", "13d"]);
    says(&daemon.cli(&["token", "revoke", id_of(&revoked)]), 0, &[]);
    issue(&daemon, &["jira", "expired", "--expires", "1s"]);
    until("one has expired", || {
        let all = listed(&daemon, &["jira", "--user", "expired"]);
        (all[0]["state"] == "expired").then_some(())
    });
    assert_eq!(
        owners(&listed(&daemon, &["jira", "--expiring", "14d"])),
        ["soon"]
    );
    assert_eq!(
        owners(&listed(&daemon, &["--expiring", "16d"])),
        ["late", "soon"]
    );
    assert_eq!(listed(&daemon, &["jira"]).len(), 4);
}

/// Those that nobody would miss: alive, and neither used nor issued for a while.
#[test]
fn the_tokens_that_nobody_uses() {
    let daemon = Postern::with(with_tokens("jira")).start();
    issue(&daemon, &["jira", "idle"]);
    let used = issue(&daemon, &["jira", "used"]);
    assert!(
        listed(&daemon, &["jira", "--unused", "90d"]).is_empty(),
        "both are new"
    );
    let unused = || {
        let all = listed(&daemon, &["jira", "--unused", "6s"]);
        owners(&all)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    until("both lie idle", || {
        (unused() == ["idle", "used"]).then_some(())
    });
    let asked = Request::check("jira", "/rest/api/2/myself").bearer(&used);
    daemon
        .ask(&asked.replace("X-Real-IP", "2001:db8::7"))
        .is_allowed_as("used");
    until("the use is noted", || (unused() == ["idle"]).then_some(()));
    let used = &listed(&daemon, &["jira", "--user", "used"])[0]["last_used"];
    assert_eq!(used["address"], "2001:db8::7");
    let idle = &listed(&daemon, &["jira", "--user", "idle"])[0];
    assert!(idle["last_used"].is_null(), "{idle}");
}

/// CSV has a header, times that spreadsheets read, and a field for everything.
#[test]
fn csv_is_for_spreadsheets() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let description = "a \"quoted\", and, \u{3bb}";
    let networks = ["--network", "10.0.0.0/8", "--network", "192.0.2.0/24"];
    issue(
        &daemon,
        &[
            &["jira", "ada", "--description", description],
            &networks[..],
        ]
        .concat(),
    );
    let output = daemon.cli(&["token", "list", "--csv"]);
    let mut csv = csv::Reader::from_reader(&*output.stdout);
    let header = csv.headers().expect("a header").clone();
    let record = csv.records().next().expect("a record").expect("CSV");
    let field = |name: &str| {
        let at = header.iter().position(|known| known == name);
        &record[at.unwrap_or_else(|| panic!("{name} in {header:?}"))]
    };
    assert_eq!(field("owner"), "ada");
    assert_eq!(field("state"), "alive");
    assert_eq!(field("networks"), "10.0.0.0/8 192.0.2.0/24");
    assert_eq!(field("description"), description);
    assert_eq!((field("last_used_at"), field("revoked_at")), ("", ""));
    let expires = humantime::parse_rfc3339(field("expires_at")).expect("RFC 3339");
    let created = humantime::parse_rfc3339(field("created_at")).expect("RFC 3339");
    let lifetime = expires.duration_since(created).expect("it lives");
    assert_eq!(lifetime.as_secs(), 90 * 24 * 60 * 60);
}

/// None is an empty list; a tenant that never was is an error, and one whose file is gone is not.
#[test]
fn a_tenant_is_known_by_its_file_or_its_tokens() {
    let daemon = Postern::with(with_tokens("jira"))
        .and(tenant("wiki"))
        .start();
    assert!(listed(&daemon, &["jira"]).is_empty() && listed(&daemon, &[]).is_empty());
    for arguments in [&["nobody"][..], &["nobody", "--user", "ada"]] {
        let output = daemon.cli(&[&["token", "list", "--json"], arguments].concat());
        says(&output, 1, &["no tenant nobody", "nobody.toml"]);
    }
    issue(&daemon, &["jira", "ada"]);
    std::fs::remove_file(daemon.tenant_path("jira")).expect("it is there");
    until("the tenant is gone", || {
        daemon.tenant_status("jira").is_null().then_some(())
    });
    assert_eq!(owners(&listed(&daemon, &["jira"])), ["ada"]);
    // A filter that finds nothing does not make the tenant unknown.
    assert!(listed(&daemon, &["jira", "--user", "bob"]).is_empty());
    assert!(listed(&daemon, &["jira", "--expiring", "1d"]).is_empty());
    says(
        &daemon.cli(&["token", "revoke", "--tenant", "jira", "--yes"]),
        0,
        &["of ada at jira"],
    );
}

/// `postern token list | head` is no failure.
#[test]
fn a_reader_that_has_enough_is_no_error() {
    let daemon = Postern::with(with_tokens("jira")).start();
    issue(&daemon, &["jira", "ada"]);
    for form in [&[][..], &["--json"], &["--csv"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let mut list = super::command(&daemon, &[&["token", "list"], form].concat());
        list.stdout(writer).stderr(std::process::Stdio::piped());
        let output = list.spawn().expect("it runs").wait_with_output();
        let output = output.expect("it ends");
        says(&output, 0, &[]);
        assert!(output.stderr.is_empty());
    }
    let one: Vec<Value> = listed(&daemon, &[]);
    assert_eq!(one.len(), 1);
}
