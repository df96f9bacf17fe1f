use std::{fs, process::Command, time::Duration};

use super::{counts, fixed, until_answered};
use crate::harness::{Postern, eventually, issuer};

/// A thousand files are copied in while the daemon runs. Each tenant is refused as unknown until it is served, and
/// never anything else; the neighbour that was there before is served all the time.
#[test]
fn a_thousand_files_at_once_are_all_served() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first")).start();
    let elsewhere = postern.folder().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder is made");
    for number in 0..1_000 {
        let file = fixed(&format!("t{number}"), &acme, "first");
        fs::write(elsewhere.join(format!("t{number}.toml")), file.text()).expect("it is written");
    }
    let token = acme.token().audience("first").sign();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(elsewhere.join("."))
        .arg(postern.tenants())
        .status();
    assert!(copied.expect("cp runs").success());
    let mut slowest = Duration::ZERO;
    for number in [999, 0, 1, 500, 998] {
        let tenant = format!("t{number}");
        slowest = slowest.max(eventually("it is served", || {
            postern.check("jira", &token).is_allowed_as("ada");
            let answer = postern.check(&tenant, &token);
            if answer.status != 200 {
                answer.is_refused(403, "tenant_unknown");
            }
            answer.status == 200
        }));
    }
    println!("the slowest was served {slowest:?} after the last was copied");
    eventually("all are served", || {
        counts(&postern, "postern_tenants 1001")
    });
    for number in 0..1_000 {
        postern
            .check(&format!("t{number}"), &token)
            .is_allowed_as("ada");
    }
    assert!(counts(&postern, "postern_reload_errors_total 0"));
}

/// All of a thousand are changed at once, by renames: each answers as its old or as its new file, and soon as the new.
#[test]
fn a_thousand_files_are_replaced_at_once() {
    let acme = issuer();
    let mut builder = Postern::without_tenants();
    for number in 0..1_000 {
        builder = builder.and(fixed(&format!("t{number}"), &acme, "first"));
    }
    let postern = builder.start();
    for number in 0..1_000 {
        let name = format!("t{number}");
        super::replace(
            &postern.tenant_path(&name),
            &fixed(&name, &acme, "second").text(),
        );
    }
    let token = acme.token().audience("second").sign();
    let took = eventually("the last is served", || {
        let answer = postern.check("t999", &token);
        if answer.status != 200 {
            answer.is_refused(401, "wrong_audience");
        }
        answer.status == 200
    });
    println!("the last was served {took:?} after its rename");
    for number in 0..1_000 {
        until_answered(&postern, &format!("t{number}"), &token, "allowed");
    }
}

/// An empty mount looks like a thousand tenants removed. It is applied only when the operator says so.
#[test]
fn a_folder_that_loses_all_its_tenants_is_applied_only_on_sighup() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first"))
        .and(fixed("wiki", &acme, "first"))
        .start();
    let token = acme.token().audience("first").sign();
    fs::rename(postern.tenants(), postern.folder().join("away")).expect("it is moved");
    fs::create_dir(postern.tenants()).expect("an empty one is made");
    eventually("it is noticed", || {
        postern.log().contains("has lost all its tenants")
    });
    for name in ["jira", "wiki"] {
        postern.check(name, &token).is_allowed_as("ada");
    }
    postern.signal("HUP");
    until_answered(&postern, "jira", &token, "tenant_unknown");
    postern
        .check("wiki", &token)
        .is_refused(403, "tenant_unknown");
    // The new folder is watched like the old one.
    postern.write(&fixed("jira", &acme, "first"));
    until_answered(&postern, "jira", &token, "allowed");
}

/// A folder that can't be read says nothing about its tenants, not even on SIGHUP; once it is back, they are.
#[test]
fn a_folder_that_is_away_changes_nothing() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first")).start();
    let token = acme.token().audience("first").sign();
    fs::rename(postern.tenants(), postern.folder().join("away")).expect("it is moved");
    eventually("it is noticed", || postern.log().contains("can't be read"));
    postern.signal("HUP");
    eventually("SIGHUP is heard", || postern.log().contains("SIGHUP"));
    postern.check("jira", &token).is_allowed_as("ada");
    fs::rename(postern.folder().join("away"), postern.tenants()).expect("it is moved back");
    postern.write(&fixed("jira", &acme, "second"));
    let second = acme.token().audience("second").sign();
    until_answered(&postern, "jira", &second, "allowed");
}

/// A start without its folder is no start without tenants.
#[test]
fn a_daemon_without_its_folder_does_not_start() {
    let mut postern = Postern::without_tenants().start();
    postern.stop();
    fs::remove_dir(postern.tenants()).expect("it is removed");
    let output = postern.command().output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the tenants folder"), "{said}");
}

/// `Jira.toml` is no tenant's name: that is said, and no one is served under it. Hidden files and folders are nobody's.
#[test]
fn what_is_not_named_like_a_tenant_is_none() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first")).start();
    let good = fixed("wiki", &acme, "first").text();
    fs::write(postern.tenants().join("Wiki.toml"), &good).expect("it is written");
    eventually("it is said", || {
        postern
            .log()
            .lines()
            .any(|line| line.contains("Wiki.toml") && line.contains("ERROR"))
    });
    fs::write(postern.tenants().join(".wiki.toml"), &good).expect("it is written");
    fs::create_dir(postern.tenants().join("examples")).expect("a folder is made");
    fs::write(postern.tenants().join("examples/wiki.toml"), &good).expect("it is written");
    fs::create_dir(postern.tenants().join("git.toml")).expect("a folder is made");
    postern.write(&fixed("jira", &acme, "second"));
    let second = acme.token().audience("second").sign();
    until_answered(&postern, "jira", &second, "allowed");
    for name in ["wiki", "Wiki", "git"] {
        postern
            .check(name, &second)
            .is_refused(403, "tenant_unknown");
    }
    assert!(counts(&postern, "postern_tenants 1"));
}

/// SIGHUP reads again what was refused for a reason that lies outside the folder, here a full disk's stand-in: a
/// link whose end is in a folder that nobody watched.
#[test]
fn sighup_looks_again_at_what_was_broken() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first")).start();
    let far = postern.folder().join("far/away/wiki.toml");
    std::os::unix::fs::symlink(&far, postern.tenant_path("wiki")).expect("a link is made");
    eventually("it is broken", || {
        postern.tenant_status("wiki")["state"] == "unavailable"
    });
    fs::create_dir_all(far.parent().expect("it has one")).expect("folders are made");
    fs::write(&far, fixed("wiki", &acme, "first").text()).expect("it is written");
    postern.signal("HUP");
    let token = acme.token().audience("first").sign();
    until_answered(&postern, "wiki", &token, "allowed");
}
