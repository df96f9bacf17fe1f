//! `token issue`, for one.

use std::process::Command;

use serde_json::Value;

use super::{command, id_of, issue, listed, with_tokens};
use crate::{
    commands::{run, says, stderr, stdout},
    harness::{BINARY, Postern, tenant},
};

/// `T=$(postern token issue …)` in a real shell: the token and nothing else, and what else there is to know beside it.
#[test]
fn a_shell_takes_the_token_and_nothing_else() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let output = Command::new("sh")
        .args([
            "-c",
            r#"T=$("$0" token issue jira ada --expires 1d) && printf '<%s>' "$T""#,
            BINARY,
        ])
        .env("POSTERN_ADMIN_SOCKET", daemon.admin_socket())
        .output()
        .expect("a shell runs");
    let told = stdout(&output);
    let token = told.strip_prefix("<pst_").expect("a token");
    let token = format!("pst_{}", token.strip_suffix('>').expect("and no more"));
    assert!(
        token.len() == 66
            && token
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'),
        "{token:?}"
    );
    says(
        &output,
        0,
        &[id_of(&token), "of ada at jira", "read, until", "24 h)"],
    );
    assert!(!stderr(&output).contains(&token), "it is shown once");
    daemon.check("jira", &token).is_allowed_as("ada");
}

/// Each option arrives, and JSON holds all of them.
#[test]
fn every_option_arrives() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let output = daemon.cli(&[
        "token",
        "issue",
        "jira",
        "ada",
        "--json",
        "--description",
        "nightly build",
        "--expires",
        "12h",
        "--scope",
        "write",
        "--network",
        "10.0.0.0/8",
        "--network",
        "192.0.2.7",
        "--path",
        "/rest/api/2/issue/**",
        "--grant",
        "jira:admin",
    ]);
    let made: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let about = &listed(&daemon, &["jira"])[0];
    for (name, wanted) in [
        ("tenant", serde_json::json!("jira")),
        ("owner", "ada".into()),
        ("description", "nightly build".into()),
        ("scope", "write".into()),
        (
            "networks",
            serde_json::json!(["10.0.0.0/8", "192.0.2.7/32"]),
        ),
        ("paths", serde_json::json!(["/rest/api/2/issue/**"])),
        ("grants", serde_json::json!(["jira:admin"])),
    ] {
        assert_eq!((&made[name], &about[name]), (&wanted, &wanted), "{name}");
    }
    let time = |name: &str| made[name].as_u64().expect("a time");
    assert_eq!(time("expires_at") - time("created_at"), 12 * 60 * 60);
    assert!(about["token"].is_null(), "no list shows it: {about}");

    let csv = daemon.cli(&["token", "issue", "jira", "bob", "--csv"]);
    let mut csv = csv::Reader::from_reader(&*csv.stdout);
    let header = csv.headers().expect("a header").clone();
    assert_eq!((&header[0], &header[3]), ("token", "owner"));
    let record = csv.records().next().expect("a record").expect("CSV");
    assert_eq!(&record[3], "bob");
    daemon.check("jira", &record[0]).is_allowed_as("bob");
}

/// Each refusal says what to change, and leaves standard output empty.
#[test]
fn what_is_refused_prints_no_token() {
    let daemon =
        Postern::with(with_tokens("jira").api_tokens("max_lifetime = \"30d\"\nmax_per_user = 1"))
            .and(tenant("wiki"))
            .start();
    issue(&daemon, &["jira", "ada"]);
    for (arguments, words) in [
        (&["jira", "ADA"][..], "max_per_user"),
        (&["jira", "bob", "--expires", "31d"], "max_lifetime"),
        (&["jira", "bob", "--expires", "0s"], "expires at once"),
        (&["jira", ""], "is empty"),
        (&["jira", "bob\u{1b}[2J"], "control characters"),
        (
            &["jira", "bob", "--description", "\u{1b}[2J"],
            "control characters",
        ),
        (&["jira", "bob", "--network", "10.0.0.0/33"], "10.0.0.0/8"),
        (&["jira", "bob", "--path", "rest"], "/"),
        (&["jira", "bob", "--grant", "a b"], "RFC 6749"),
        (&["wiki", "bob"], "enabled = true"),
        (&["nobody", "bob"], "nobody.toml"),
    ] {
        let output = daemon.cli(&[&["token", "issue"], arguments].concat());
        says(&output, 1, &[words]);
        assert_eq!(stdout(&output), "", "{arguments:?}");
        assert!(!stderr(&output).contains('\u{1b}'), "{arguments:?}");
    }
    issue(&daemon, &["jira", "bob", "--expires", "30d"]);
}

/// A token that nobody saw is told of, since it is good; and without a daemon there is none.
#[test]
fn a_token_that_could_not_be_shown_is_told_of() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut child = command(&daemon, &["token", "issue", "jira", "ada"]);
    child.stdout(writer).stderr(std::process::Stdio::piped());
    let output = child.spawn().expect("it runs").wait_with_output();
    let listed = listed(&daemon, &["jira"]);
    let id = listed[0]["id"].as_str().expect("an id");
    let revoke = format!("token revoke {id}");
    says(
        &output.expect("it ends"),
        1,
        &["could not be shown", &revoke],
    );

    let output = run(&[
        "token",
        "issue",
        "jira",
        "ada",
        "--admin-socket",
        "/nowhere",
    ]);
    says(&output, 1, &["no daemon answers at /nowhere"]);
    assert_eq!(stdout(&output), "");
}
