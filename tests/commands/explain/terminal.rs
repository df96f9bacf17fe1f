//! Colours, where somebody sees them.

use std::{fs::File, io::Read as _};

use nix::pty::openpty;

use super::command;
use crate::harness::{Postern, issuer, tenant};

/// What `explain jira` shows on a terminal, in an environment with these variables. Nothing is on its standard input.
fn shown(postern: &Postern, variables: &[(&str, &str)]) -> String {
    let pair = openpty(None, None).expect("a terminal");
    let mut command = command(postern, &["jira"]);
    command
        .env_remove("NO_COLOR")
        .envs(variables.iter().copied());
    command.stdout(File::from(pair.slave));
    let mut child = command.spawn().expect("the binary runs");
    // Ours of theirs, so that it ends when the command does.
    drop(command);
    let mut text = Vec::new();
    // It ends with an error, when nobody has it open any more.
    drop(File::from(pair.master).read_to_end(&mut text));
    assert_eq!(child.wait().expect("it ends").code(), Some(1));
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn a_terminal_has_colours_unless_nobody_wants_them() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let coloured = shown(&postern, &[]);
    assert!(coloured.contains("\u{1b}[31mrefused"), "{coloured:?}");
    let plain = shown(&postern, &[("NO_COLOR", "1")]);
    assert!(plain.contains("no_credential"), "{plain:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}
