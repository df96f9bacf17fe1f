//! `token`: what its commands do, and what they leave on standard output.

mod batch;
mod issue;
mod list;
mod revoke;
mod rotate;
mod terminal;

use std::process::Command;

use serde_json::Value;

use super::{postern, says, stdout};
use crate::harness::{Postern, TenantFile, tenant};

/// A tenant that has API tokens.
pub fn with_tokens(name: &str) -> TenantFile {
    tenant(name).api_tokens("enabled = true")
}

/// A command that asks this daemon.
fn command(daemon: &Postern, arguments: &[&str]) -> Command {
    let mut command = postern(arguments);
    command.env("POSTERN_ADMIN_SOCKET", daemon.admin_socket());
    command
}

/// A new token, as the shell would have it.
#[track_caller]
pub fn issue(daemon: &Postern, arguments: &[&str]) -> String {
    let output = daemon.cli(&[&["token", "issue"], arguments].concat());
    says(&output, 0, &[]);
    let told = stdout(&output);
    assert_eq!(told.lines().count(), 1, "{told}");
    told.trim_end().to_owned()
}

/// The id that stands in a token.
pub fn id_of(token: &str) -> &str {
    token.split('_').nth(1).expect("there is an id in it")
}

/// What `token list --json` says with these arguments.
#[track_caller]
fn listed(daemon: &Postern, arguments: &[&str]) -> Vec<Value> {
    let output = daemon.cli(&[&["token", "list", "--json"], arguments].concat());
    says(&output, 0, &[]);
    serde_json::from_str(&stdout(&output)).expect("a list")
}

/// Whose tokens they are, sorted.
fn owners(listed: &[Value]) -> Vec<&str> {
    let mut owners: Vec<_> = listed
        .iter()
        .map(|token| token["owner"].as_str().expect("a name"))
        .collect();
    owners.sort_unstable();
    owners
}
