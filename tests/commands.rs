//! Commands: what they print, and what they exit with.
//!
//! | file | holds |
//! |---|---|
//! | `account` | `account list`, `account unpin` |
//! | `audit` | `audit` |
//! | `explain` | `explain`, of a call and of a past one |
//! | `help` | `--help`, unknown flags, bad values |
//! | `start` | starts that fail, and say why |
//! | `files` | `validate`, `schema`, `tenant new` |
//! | `provider_test` | `provider test`, with and without a token |
//! | `status` | `status`, and the socket that it asks on |
//! | `token` | `token issue`, for one and for many, `token list`, `token revoke`, `token rotate` |

mod account;
mod audit;
mod explain;
mod files;
mod help;
mod provider_test;
mod start;
mod status;
mod token;

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

use crate::harness::BINARY;

/// The binary with these arguments, in an environment that sets nothing.
fn postern(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command.args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("POSTERN_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    postern(arguments).output().expect("the binary runs")
}

/// With this on standard input.
fn run_with(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    // A command that needs no input may be gone already.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Ended with this code, and said each of these words to people.
#[track_caller]
fn says(output: &Output, code: i32, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}{}", stdout(output));
    for word in words {
        assert!(said.contains(word), "{word:?} in {said}");
    }
    assert!(!said.contains("panicked"), "{said}");
}
