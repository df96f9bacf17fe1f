//! See `main.rs`. systemd itself does not run where tests do, but all that the daemon sees of it can be had: its
//! sockets (`systemd-socket-activate`), its notifications (a socket that the scenario reads) and its opinion of
//! the unit files (`systemd-analyze`).

/// What systemd is told: ready, reloading, stopping, alive.
mod notify;
/// Sockets that systemd holds, and restarts through them.
mod sockets;
/// The unit files, by systemd's own judgement.
mod unit;

use std::path::PathBuf;

use crate::harness::part;

/// A program of the system, if it is installed.
#[track_caller]
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    part(name, found)
}
