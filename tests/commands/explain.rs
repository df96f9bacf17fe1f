//! `explain`: why a call would be refused, or was, told by the check itself.

mod past;
mod refusals;
mod spends_nothing;
mod terminal;

use std::process::{Command, Output};

use serde_json::Value;

use super::{postern, run_with, says, stderr, stdout};
use crate::harness::{Postern, basic, issuer, tenant};

/// An API path of Jira.
const API: &str = "/rest/api/2/myself";

/// `explain` with these arguments.
fn command(daemon: &Postern, arguments: &[&str]) -> Command {
    let mut command = postern(&["explain"]);
    command
        .args(arguments)
        .env("POSTERN_ADMIN_SOCKET", daemon.admin_socket());
    command
}

/// The same, of a call from where the harness asks from, with this on standard input; it never shows that again.
#[track_caller]
fn explain(daemon: &Postern, arguments: &[&str], credential: &str) -> Output {
    let from = ["--uri", API, "--from", "192.0.2.7"];
    let output = run_with(command(daemon, &[arguments, &from].concat()), credential);
    let secret = credential.rsplit(' ').next().unwrap_or_default();
    if secret.len() > 8 {
        let told = stdout(&output) + &stderr(&output);
        assert!(!told.contains(secret), "{told}");
    }
    output
}

/// Ended so, with each of these words on standard output.
#[track_caller]
fn tells(output: &Output, code: i32, words: &[&str]) {
    let told = stdout(output);
    assert_eq!(output.status.code(), Some(code), "{told}{}", stderr(output));
    for word in words {
        assert!(told.contains(word), "{word:?} in {told}");
    }
}

/// What it says to machines.
fn told(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// Each step of a call that passes, what it compared and with which line; and to machines the same.
#[test]
fn an_allowed_call_is_told_step_by_step() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file.clone()).start();
    postern.until_keys("jira");
    let token = acme.token().groups(["staff"]).sign();
    let line = 1 + file
        .text()
        .lines()
        .position(|line| line.starts_with("allow_groups"))
        .expect("it is there");

    let output = explain(&postern, &["jira"], &token);
    let groups =
        format!("groups: the 1 groups of ada with access.allow_groups (staff) (line {line})");
    let words = [
        "GET /rest/api/2/myself from 192.0.2.7, at jira",
        "passed          signature: ",
        "passed          audience: ",
        "a real check would pin it",
        &groups,
        "not applicable  networks: no networks are set",
        "allowed as ada (jwt)",
    ];
    tells(&output, 0, &words);
    assert!(!stdout(&output).contains('\u{1b}'), "not on a terminal");

    let output = explain(&postern, &["jira", "--json"], &format!("Bearer {token}\n"));
    tells(&output, 0, &[]);
    let told = told(&output);
    assert_eq!(told["verdict"]["decision"], "allowed");
    assert_eq!(told["verdict"]["account"], "ada");
    let steps = told["steps"].as_array().expect("a list");
    let groups = steps.iter().find(|step| step["step"] == "groups");
    let groups = groups.expect("it is a step");
    assert_eq!(groups["outcome"], "passed");
    assert_eq!(groups["key"], "access.allow_groups");
    assert_eq!(groups["line"], line);
    postern.has_not_logged(&[&token]);
}

/// Without a credential, with one in Basic, with a session; at no tenant, and by no method.
#[test]
fn every_kind_of_call_can_be_asked_about() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("public = [\"GET /rest/api/2/serverInfo\"]"),
    )
    .start();
    tells(&explain(&postern, &["jira"], ""), 1, &["no_credential"]);
    tells(
        &explain(&postern, &["jira", "--with-session"], ""),
        0,
        &["allowed (session)"],
    );
    let password = basic("ada", "correct horse");
    tells(
        &explain(&postern, &["jira"], &password),
        1,
        &["password_not_allowed"],
    );
    let public = ["jira", "--uri", "/rest/api/2/serverInfo"];
    let output = run_with(command(&postern, &public), "");
    tells(&output, 0, &["allowed (public)"]);
    // The whole API, where no path is said.
    let output = run_with(command(&postern, &["jira"]), "");
    tells(&output, 1, &["GET /rest, at jira", "no_credential"]);

    says(
        &explain(&postern, &["nobody"], ""),
        1,
        &["no tenant nobody"],
    );
    let method = explain(&postern, &["jira", "--method", "G T"], "");
    says(&method, 1, &["is no method"]);
    says(&run_with(command(&postern, &[]), ""), 2, &["<TENANT>"]);
}
