//! See `main.rs`. `django/issuer.py` is the issuer; `.ci/install` installs what it needs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::harness::{Answer, Postern, TenantFile, connect, python, tenant};

/// Its answers have neither `iss` nor `sub`, and an `aud` only where a token was asked for with one (RFC 8707): where
/// an audience is set, the others are refused, and the log says which settings would accept them.
#[test]
fn an_answer_without_an_audience_is_refused_where_one_is_set() {
    let Some(issuer) = Toolkit::start() else {
        return;
    };
    let postern = Postern::with(
        asking("jira", &issuer)
            .with("audience = [\"https://jira.example.com\"]\nusername = \"username\""),
    )
    .start();
    let answer = postern.check("jira", &issuer.token("for_jira"));
    answer.is_allowed_as("ada");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    postern
        .check("jira", &issuer.token("for_wiki"))
        .is_refused(401, "wrong_audience");
    postern
        .check("jira", &issuer.token("ours"))
        .is_refused(401, "wrong_audience");
    postern.until_logged("the introspection answer has no audience (aud), and audience is set");
    postern.until_logged("audience = \"any\" with clients = [\"jira\"]");
    postern.has_not_logged(&[&issuer.token("for_jira"), &issuer.token("ours")]);
}

/// With these settings they pass: bound by their client in place of an audience, and named by `username`.
#[test]
fn with_those_settings_it_passes_by_its_client() {
    let Some(issuer) = Toolkit::start() else {
        return;
    };
    let by_client = "audience = \"any\"\nclients = [\"jira\"]";
    let postern = Postern::with(
        asking("jira", &issuer)
            .with(by_client)
            .with("username = \"username\""),
    )
    .and(asking("nameless", &issuer).with(by_client))
    .start();
    postern
        .check("jira", &issuer.token("ours"))
        .is_allowed_as("ada");
    postern
        .check("jira", &issuer.token("theirs"))
        .is_refused(401, "wrong_audience");
    postern.until_logged("the token's client is \"wiki\"; this tenant accepts jira");
    // There is no `sub` to be named by, and the log says what to write.
    postern
        .check("nameless", &issuer.token("ours"))
        .is_refused(403, "no_username");
    postern.until_logged(
        "the claim \"sub\" is missing; `username` says which claim names the account",
    );
    // A client's own token has no user, and becomes nobody.
    postern
        .check("jira", &issuer.token("machine"))
        .is_refused(403, "no_username");
    let again = issuer.token("again");
    issuer.revoke(&again);
    postern.check("jira", &again).is_refused(401, "inactive");
    postern
        .check("jira", &issuer.token("expired"))
        .is_refused(401, "inactive");
    postern
        .check("jira", "invented")
        .is_refused(401, "inactive");
}

/// It is told neither who asks nor with which secret: that is not the caller's fault.
#[test]
fn a_client_that_it_does_not_know_is_an_outage() {
    let Some(issuer) = Toolkit::start() else {
        return;
    };
    let known = asking("jira", &issuer)
        .with("audience = \"any\"\nclients = [\"jira\"]\nusername = \"username\"");
    let postern = Postern::with(known).env("DEV_SECRET", "old").start();
    postern
        .check("jira", &issuer.token("ours"))
        .is_refused(503, "issuer_unavailable");
}

fn asking(name: &str, issuer: &Toolkit) -> TenantFile {
    tenant(name).provider(&format!(
        "introspection_endpoint = \"{}/o/introspect/\"\nclient_id = \"jira\"\nclient_secret = {{ env = \"DEV_SECRET\" }}",
        issuer.url
    ))
}

/// PyPI's `django-oauth-toolkit`, until the scenario ends.
struct Toolkit {
    url: String,
    tokens: Value,
    process: Child,
}

impl Toolkit {
    /// Starts it; `None` where it is not installed.
    fn start() -> Option<Self> {
        let python = python("django-oauth-toolkit", "tests/django")?;
        let mut process = Command::new(python)
            .arg("-B")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/django/issuer.py"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python runs");
        let stdout = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it announces itself");
        let announced: Value = serde_json::from_str(&line).expect("JSON");
        Some(Self {
            url: announced["issuer"].as_str().expect("an address").to_owned(),
            tokens: announced["tokens"].clone(),
            process,
        })
    }

    /// The token of that name.
    fn token(&self, name: &str) -> String {
        self.tokens[name].as_str().expect("a token").to_owned()
    }

    fn revoke(&self, token: &str) {
        let host = self.url.trim_start_matches("http://");
        let form = format!("token={token}&client_id=jira&client_secret=dev-secret");
        let mut connection = connect(host);
        write!(
            connection,
            "POST /o/revoke_token/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .expect("it reads");
        let answer = Answer::read(&mut connection, "POST");
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

impl Drop for Toolkit {
    fn drop(&mut self) {
        // Its standard input ends: it removes its database.
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}
