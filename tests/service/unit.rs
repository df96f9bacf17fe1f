//! See `../service.rs`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use crate::harness::{Postern, issuer, program, tenant, until};

/// The worst rating that the unit may have; 10 is the worst there is.
const EXPOSURE: f64 = 1.2;

fn unit(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("systemd")
        .join(name)
}

fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .expect("the program was found, so it runs")
}

/// What systemd says about a copy of the two units in which this build stands in the place of the installed one.
fn verified(analyze: &Path, change: impl Fn(String) -> String) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut verify = Command::new(analyze);
    verify.args(["verify", "--man=no"]);
    for name in ["postern.service", "postern.socket"] {
        let text = fs::read_to_string(unit(name)).expect("the unit is there");
        let text = text.replace("/usr/bin/postern", env!("CARGO_BIN_EXE_postern"));
        let copy = folder.path().join(name);
        fs::write(&copy, change(text)).expect("the copy is written");
        verify.arg(copy);
    }
    run(&mut verify)
}

/// systemd finds nothing to say about the units; about a misspelt directive it does.
#[test]
fn the_units_are_clean_by_systemds_own_judgement() {
    let Some(analyze) = program("systemd-analyze") else {
        return;
    };
    let clean = verified(&analyze, |text| text);
    let said = String::from_utf8_lossy(&clean.stderr).into_owned();
    assert!(clean.status.success() && said.trim().is_empty(), "{said}");
    let broken = verified(&analyze, |text| text.replace("WatchdogSec", "WatchDogSec"));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("WatchDogSec"));
}

/// The sandbox is as tight as the issue asks; without its first line it would not be.
#[test]
fn the_sandbox_is_rated_as_safe_as_promised() {
    let Some(analyze) = program("systemd-analyze") else {
        return;
    };
    let rated = |file: &Path| -> f64 {
        let security = run(Command::new(&analyze)
            .args(["security", "--offline=yes", "--no-pager"])
            .arg(file));
        let said = String::from_utf8_lossy(&security.stdout).into_owned();
        let words = said
            .split("Overall exposure level for postern.service: ")
            .nth(1);
        words
            .and_then(|rest| rest.split(' ').next()?.parse().ok())
            .unwrap_or_else(|| panic!("no rating: {said}"))
    };
    let rating = rated(&unit("postern.service"));
    assert!(rating <= EXPOSURE, "rated {rating}");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let laxer = folder.path().join("postern.service");
    let text = fs::read_to_string(unit("postern.service")).expect("the unit is there");
    fs::write(&laxer, text.replace("CapabilityBoundingSet=\n", "")).expect("it is written");
    assert!(rated(&laxer) > EXPOSURE);
}

/// Every system call of a daemon that starts, checks, reloads and stops is one that the unit's filter admits.
#[test]
fn the_system_call_filter_admits_what_the_daemon_does() {
    let (Some(analyze), Some(strace)) = (program("systemd-analyze"), program("strace")) else {
        return;
    };
    let admitted = filter(&analyze);
    assert!(admitted.contains("epoll_wait") && !admitted.contains("ptrace"));

    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    let trace = postern.folder().join("trace");
    let mut traced = Command::new(strace)
        .args(["-f", "-qq", "-p", &postern.pid().to_string(), "-o"])
        .arg(&trace)
        .stderr(Stdio::null())
        .spawn()
        .expect("strace was found, so it runs");
    let calls = || fs::read_to_string(&trace).unwrap_or_default();
    until("strace sees the daemon", || {
        postern.signal("HUP");
        calls().contains("openat(").then_some(())
    });
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern.write(&tenant("wiki").trusting(&acme));
    postern.until_generation_after("wiki", 0);
    postern.until_keys("wiki");
    assert!(postern.stop().success());
    traced.wait().expect("strace ends with what it traces");
    let refused: BTreeSet<_> = calls()
        .lines()
        .filter_map(|line| line.split_once(' ')?.1.trim_start().split_once('('))
        .map(|(name, _)| name.to_owned())
        .filter(|name| {
            name.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
        .filter(|name| !admitted.contains(name))
        .collect();
    assert!(refused.is_empty(), "the filter refuses {refused:?}");
}

/// The system calls that the unit's `SystemCallFilter` lines leave.
fn filter(analyze: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(unit("postern.service")).expect("the unit is there");
    let mut admitted = BTreeSet::new();
    for line in text.lines() {
        let Some(words) = line.strip_prefix("SystemCallFilter=") else {
            continue;
        };
        let (removes, words) = words
            .strip_prefix('~')
            .map_or((false, words), |words| (true, words));
        for set in words.split(' ') {
            for call in members(analyze, set) {
                if removes {
                    admitted.remove(&call);
                } else {
                    admitted.insert(call);
                }
            }
        }
    }
    // Every filter admits them (systemd.exec(5)).
    admitted.extend(members(analyze, "@default"));
    admitted
}

/// The system calls in a set like `@system-service`, sets within it included.
fn members(analyze: &Path, set: &str) -> BTreeSet<String> {
    let listed = run(Command::new(analyze).args(["syscall-filter", "--no-pager", set]));
    String::from_utf8_lossy(&listed.stdout)
        .lines()
        .skip(1)
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .flat_map(|name| {
            if name.starts_with('@') {
                members(analyze, name)
            } else {
                BTreeSet::from([name.to_owned()])
            }
        })
        .collect()
}
