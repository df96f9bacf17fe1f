//! Starts that fail: exit 1, and why.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt as _, process::Output};

use super::{postern, says};
use crate::harness::{Postern, issuer, tenant};

/// `serve` in an empty folder, on free ports, with these flags besides.
fn serve(flags: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("tenants")).expect("a folder in it");
    let mut command = postern(&["serve"]);
    for (flag, value) in [("--listen", "127.0.0.1:0"), ("--ops-listen", "127.0.0.1:0")] {
        if !flags.contains(&flag) {
            command.args([flag, value]);
        }
    }
    command.args(flags).current_dir(folder.path());
    command.output().expect("the binary runs")
}

#[test]
fn without_a_tenants_folder() {
    says(&serve(&["--tenants", "nowhere"]), 1, &["nowhere"]);
    says(&serve(&["--tenants", "/dev/null"]), 1, &["/dev/null"]);
}

#[test]
fn where_a_port_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("it is bound").to_string();
    for flag in ["--listen", "--ops-listen"] {
        says(&serve(&[flag, &address]), 1, &[flag, &address, "in use"]);
    }
}

#[test]
fn where_a_folder_cannot_be_made_or_a_file_not_written() {
    says(
        &serve(&["--data", "/dev/null/data"]),
        1,
        &["/dev/null/data"],
    );
    says(
        &serve(&["--listen", "unix:/nowhere/check.sock"]),
        1,
        &["--listen", "/nowhere/check.sock"],
    );
    says(
        &serve(&["--admin-socket", "/nowhere/admin.sock"]),
        1,
        &["--admin-socket", "/nowhere/admin.sock"],
    );
    says(
        &serve(&["--announce", "/nowhere/announced.json"]),
        1,
        &["--announce", "/nowhere/announced.json"],
    );
}

/// Two daemons with one memory would each believe what the other has changed.
#[test]
fn where_another_daemon_has_the_store() {
    let acme = issuer();
    let first = Postern::with(tenant("jira").trusting(&acme)).start();
    let data = first.data();
    let data = data.to_str().expect("it is text");
    says(
        &serve(&["--data", data]),
        1,
        &["store", data, "another process"],
    );
    // The first one never noticed, and its admin socket is still its own.
    first
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    assert!(first.cli(&["status"]).status.success());
    let socket = first.admin_socket();
    let socket = socket.to_str().expect("it is text");
    says(
        &serve(&["--admin-socket", socket]),
        1,
        &["--admin-socket", socket],
    );
    assert!(first.cli(&["status"]).status.success());
}

/// Whoever can reach the listener can ask; off loopback the proxies must be named, and not as everybody.
#[test]
fn off_loopback_without_naming_the_proxies() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        says(
            &serve(&["--listen", address]),
            1,
            &["--trusted-proxies", "other machines"],
        );
    }
    for everybody in ["0.0.0.0/0", "::/0", "10.0.0.0/8,0.0.0.0/0"] {
        says(
            &serve(&["--listen", "0.0.0.0:0", "--trusted-proxies", everybody]),
            1,
            &["--trusted-proxies", "/0", "everybody"],
        );
        says(&serve(&["--trusted-proxies", everybody]), 1, &["everybody"]);
    }
    let named = Postern::without_tenants()
        .flag("--trusted-proxies")
        .flag("10.0.0.0/8,192.0.2.7")
        .start();
    assert_eq!(named.ops("/readyz").status, 200);
}

/// A toy with a public secret stays on this machine.
#[test]
fn dev_off_loopback() {
    for flags in [
        &[
            "--dev",
            "--listen",
            "0.0.0.0:0",
            "--trusted-proxies",
            "10.0.0.0/8",
        ][..],
        &["--dev", "--ops-listen", "0.0.0.0:0"],
    ] {
        says(&serve(flags), 1, &["--dev", "loopback only"]);
    }
}

/// What the daemon keeps is for its own user.
#[test]
fn what_it_makes_is_its_own() {
    let postern = Postern::without_tenants().start();
    let mode = |path: std::path::PathBuf| {
        let metadata = fs::metadata(&path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(postern.data()), 0o700);
    assert_eq!(mode(postern.admin_socket()), 0o600);
    let left: Vec<_> = fs::read_dir(postern.data())
        .expect("it is a folder")
        .map(|entry| entry.expect("it can be read").file_name())
        .filter(|name| name.to_string_lossy().ends_with(".new"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
