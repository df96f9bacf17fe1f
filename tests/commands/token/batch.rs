//! `token issue`, for many.

use std::{
    collections::HashSet,
    io::{BufRead as _, BufReader, Write as _},
    process::Stdio,
};

use serde_json::Value;

use super::{command, issue, listed, owners, with_tokens};
use crate::{
    commands::{run_with, says, stderr, stdout},
    harness::Postern,
};

/// Each line is a name, a tab and its token, in the order of the names; who is refused stops nobody.
#[test]
fn every_name_gets_its_own_token_and_a_refusal_stops_nobody() {
    let daemon = Postern::with(with_tokens("jira").api_tokens("max_per_user = 1")).start();
    issue(&daemon, &["jira", "carol"]);
    let many: Vec<_> = (0..300).map(|number| format!("user{number}")).collect();
    let (some, rest) = many.split_at(150);
    let names = format!(
        "{}\n\ncarol\n\u{1b}[2Jdave\n{}\r\nBob Doe\n",
        some.join("\n"),
        rest.join("\n")
    );
    let issue = command(&daemon, &["token", "issue", "jira", "-"]);
    let output = run_with(issue, &names);
    says(
        &output,
        3,
        &[
            "line 152: carol: carol has 1 API tokens already",
            "line 153: \\u{1b}[2Jdave: ",
            "control characters",
            "301 tokens issued, 2 failed",
        ],
    );
    assert!(!stderr(&output).contains('\u{1b}'));
    let told = stdout(&output);
    let (names, tokens): (Vec<_>, HashSet<_>) = told
        .lines()
        .map(|line| line.split_once('\t').expect("a name and a token"))
        .unzip();
    let wanted: Vec<_> = many.iter().map(String::as_str).chain(["Bob Doe"]).collect();
    assert_eq!(names, wanted);
    assert_eq!(tokens.len(), names.len());
    for line in [told.lines().nth(160), told.lines().last()] {
        let (name, token) = line.and_then(|line| line.split_once('\t')).expect("a line");
        daemon.check("jira", token).is_allowed_as(name);
    }
}

/// If nobody got one that is a failure, and if nobody was named it is none.
#[test]
fn the_exit_code_says_how_many_were_refused() {
    let daemon = Postern::with(with_tokens("jira")).start();
    for (names, code, words) in [
        ("ada\n", 0, "1 tokens issued, 0 failed"),
        ("", 0, "0 tokens issued, 0 failed"),
        (" ada\nb\tb\n", 1, "0 tokens issued, 2 failed"),
        ("ada\nb\tb", 3, "1 tokens issued, 1 failed"),
    ] {
        let issue = command(&daemon, &["token", "issue", "jira", "-"]);
        says(&run_with(issue, names), code, &[words]);
    }
}

/// Scripts read an object a line, spreadsheets one header.
#[test]
fn many_come_as_json_and_csv() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let all = |form| {
        let issue = command(&daemon, &["token", "issue", "jira", "-", form]);
        stdout(&run_with(issue, "ada\nbob\n"))
    };
    let json = all("--json");
    let made: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(owners(&made), ["ada", "bob"]);
    let csv = all("--csv");
    let mut csv = csv::Reader::from_reader(csv.as_bytes());
    let records: Vec<_> = csv.records().map(|record| record.expect("CSV")).collect();
    assert_eq!((records.len(), &records[1][3]), (2, "bob"));
    for (name, token) in [
        ("ada", made[0]["token"].as_str()),
        ("bob", records[1].get(0)),
    ] {
        daemon
            .check("jira", token.expect("a token"))
            .is_allowed_as(name);
    }
}

/// Lists and the log are read page by page.
#[test]
fn long_lists_are_whole() {
    const MANY: usize = 2_100;
    let daemon = Postern::with(with_tokens("jira"))
        .and(with_tokens("wiki"))
        .start();
    issue(&daemon, &["wiki", "ada"]);
    let names: Vec<_> = (0..MANY).map(|number| format!("u{number}")).collect();
    let issue = command(&daemon, &["token", "issue", "jira", "-"]);
    says(
        &run_with(issue, &names.join("\n")),
        0,
        &["2100 tokens issued"],
    );
    let all = listed(&daemon, &["jira"]);
    let different: HashSet<_> = owners(&all).into_iter().collect();
    assert_eq!((all.len(), different.len()), (MANY, MANY));
    assert_eq!(listed(&daemon, &[]).len(), MANY + 1);
    let csv = daemon.cli(&["token", "list", "jira", "--csv"]);
    assert_eq!(
        csv::Reader::from_reader(&*csv.stdout).records().count(),
        MANY
    );
    let audit = stdout(&daemon.cli(&["audit", "--json"]));
    let numbers = audit.lines().map(|line| {
        let event: Value = serde_json::from_str(line).expect("JSON");
        event["number"].as_u64().expect("a number")
    });
    assert!(numbers.eq(1..=MANY as u64 + 1));
}

/// A daemon that ends in between: what was issued was shown, and nobody is asked for any more.
#[test]
fn a_daemon_that_is_lost_ends_it() {
    let mut daemon = Postern::with(with_tokens("jira")).start();
    let mut child = command(&daemon, &["token", "issue", "jira", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut names = child.stdin.take().expect("it is piped");
    let mut tokens = BufReader::new(child.stdout.take().expect("it is piped"));
    names.write_all(b"ada\n").expect("it reads");
    let mut line = String::new();
    // Shown before the next name comes.
    tokens.read_line(&mut line).expect("a line");
    assert!(line.starts_with("ada\tpst_"), "{line}");
    daemon.kill();
    names.write_all(b"bob\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    says(
        &output,
        3,
        &[
            "line 2: bob: no daemon answers",
            "no name behind line 2",
            "1 tokens issued, 1 failed",
        ],
    );
}
