//! On a terminal, which is a real one: bars and questions.

use std::{
    fs::File,
    io::{Read as _, Write as _},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use nix::pty::{Winsize, openpty};

use super::{command, issue, listed, with_tokens};
use crate::{
    commands::stdout,
    harness::{Postern, eventually},
};

/// A terminal, and what was shown on it.
struct Terminal {
    ours: File,
    theirs: File,
    shown: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    fn open() -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pair = openpty(&size, None).expect("a terminal");
        let (ours, shown) = (File::from(pair.master), Arc::new(Mutex::new(String::new())));
        let (mut read, keeps) = (ours.try_clone().expect("a copy"), Arc::clone(&shown));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with an error, when nobody has it open any more.
            while let Ok(count @ 1..) = read.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                keeps.lock().expect("nobody panics with it").push_str(&text);
            }
        });
        Self {
            ours,
            theirs: pair.slave.into(),
            shown,
            reader,
        }
    }

    fn theirs(&self) -> Stdio {
        self.theirs.try_clone().expect("a copy").into()
    }

    fn shown(&self) -> String {
        self.shown.lock().expect("nobody panics with it").clone()
    }

    /// All that was shown, once the program has ended.
    fn end(self) -> String {
        let Self {
            theirs,
            shown,
            reader,
            ..
        } = self;
        drop(theirs);
        reader.join().expect("it reads to the end");
        let shown = shown.lock().expect("nobody panics with it");
        shown.clone()
    }
}

fn on(terminal: &Terminal, mut command: Command) -> Command {
    command.env("TERM", "xterm").stderr(terminal.theirs());
    command
}

/// A pipe of names shows a bar on a terminal, and none where nobody looks; the tokens are the same.
#[test]
fn a_pipe_of_names_shows_a_bar() {
    let daemon = Postern::with(with_tokens("jira")).start();
    let names: Vec<_> = (0..400).map(|number| format!("user{number}")).collect();
    let terminal = Terminal::open();
    let mut issue = on(
        &terminal,
        command(&daemon, &["token", "issue", "jira", "-"]),
    );
    issue.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = issue.spawn().expect("it runs");
    drop(issue);
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin
        .write_all(names.join("\n").as_bytes())
        .expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let shown = terminal.end();
    assert!(output.status.success(), "{shown}");
    assert_eq!(stdout(&output).lines().count(), 400);
    assert!(shown.contains(" of 400, "), "{shown}");
    assert!(shown.contains("400 tokens issued, 0 failed"), "{shown}");
    assert!(!shown.contains("pst_"), "{shown}");

    let quiet = command(&daemon, &["token", "issue", "jira", "-"]);
    let output = crate::commands::run_with(quiet, "ada\nbob\n");
    let said = crate::commands::stderr(&output);
    assert_eq!(said, "2 tokens issued, 0 failed\n");
}

/// All of a tenant's are revoked after a yes, and not after anything else.
#[test]
fn all_of_a_tenants_tokens_are_asked_about() {
    let daemon = Postern::with(with_tokens("jira")).start();
    issue(&daemon, &["jira", "ada"]);
    issue(&daemon, &["jira", "bob"]);
    for (answer, code, left) in [
        ("n\n", 1, "alive"),
        ("\n", 1, "alive"),
        ("y\n", 0, "revoked"),
    ] {
        let mut terminal = Terminal::open();
        let mut revoke = on(
            &terminal,
            command(&daemon, &["token", "revoke", "--tenant", "jira"]),
        );
        let mut child = revoke
            .stdin(terminal.theirs())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it runs");
        drop(revoke);
        eventually("it asks", || {
            terminal.shown().contains("every API token of jira? [y/N]")
        });
        terminal
            .ours
            .write_all(answer.as_bytes())
            .expect("it reads");
        let ended = child.wait().expect("it ends");
        let shown = terminal.end();
        assert_eq!(ended.code(), Some(code), "{shown}");
        let states = listed(&daemon, &["jira"]);
        assert!(
            states.iter().all(|token| token["state"] == left),
            "{states:?}"
        );
    }
}
