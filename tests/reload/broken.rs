use std::{fs, os::unix::fs::symlink, path::Path};

use super::{counts, fixed, replace, until_answered};
use crate::harness::{Postern, eventually, issuer};

/// What a careless hand can do to a file: its name in a failure, and the deed.
type Deed = (&'static str, fn(&Path, &str));

/// Each comes with the last line of a good file, which tells the good file apart from the one before.
const DEEDS: [Deed; 9] = [
    ("a syntax error, written in place", |path, good| {
        fs::write(path, format!("{good}\naudience = [\n")).expect("written");
    }),
    ("a syntax error, renamed into place", |path, good| {
        replace(path, &format!("{good}\naudience = [\n"));
    }),
    ("an unknown key", |path, good| {
        fs::write(path, format!("allow_group = []\n{good}")).expect("written");
    }),
    ("nothing at all", |path, _| {
        fs::write(path, "").expect("written");
    }),
    ("the first half", |path, good| {
        fs::write(path, &good[..good.len() / 2]).expect("written");
    }),
    ("bytes that are no text", |path, good| {
        fs::write(path, [good.as_bytes(), b"\xff\xfe"].concat()).expect("written");
    }),
    ("too much", |path, good| {
        fs::write(path, format!("{good}\n{}", "# more\n".repeat(40_000))).expect("written");
    }),
    ("a link that leads nowhere", |path, _| {
        symlink("nowhere.toml", path.with_extension("aside")).expect("a link is made");
        fs::rename(path.with_extension("aside"), path).expect("it is renamed");
    }),
    ("a pipe", |path, _| {
        let aside = path.with_extension("aside");
        let made = std::process::Command::new("mkfifo").arg(&aside).status();
        assert!(made.expect("mkfifo runs").success());
        fs::rename(aside, path).expect("it is renamed");
    }),
];

/// Whatever is done to a file, the build before it serves, and the tenant is marked; mended, the new one serves.
#[test]
fn the_last_good_build_serves_while_the_file_is_broken() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "0")).start();
    let path = postern.tenant_path("jira");
    for (round, (what, deed)) in DEEDS.iter().enumerate() {
        let before = acme.token().audience(round.to_string()).sign();
        until_answered(&postern, "jira", &before, "allowed");
        let errors = postern.metric("postern_reload_errors_total");
        let good = fixed("jira", &acme, &(round + 1).to_string());
        deed(&path, &good.text());
        eventually(what, || postern.tenant_status("jira")["state"] == "stale");
        assert!(
            postern.metric("postern_reload_errors_total") > errors,
            "{what}"
        );
        postern.check("jira", &before).is_allowed_as("ada");
        drop(fs::remove_file(&path));
        postern.write(&good);
        let mended = acme.token().audience((round + 1).to_string()).sign();
        until_answered(&postern, "jira", &mended, "allowed");
        assert_eq!(postern.tenant_status("jira")["state"], "serving", "{what}");
    }
}

/// The same deeds to the file of a tenant that never had a good build: it says that it cannot tell, and why. It
/// neither passes anybody nor says that it does not exist.
#[test]
fn a_tenant_without_a_good_build_answers_that_it_cannot_tell() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    for (round, (what, deed)) in DEEDS.iter().enumerate() {
        let name = format!("jira-{round}");
        let good = fixed(&name, &acme, "first");
        let token = acme.token().audience("first").sign();
        deed(&postern.tenant_path(&name), &good.text());
        eventually(what, || {
            postern.tenant_status(&name)["state"] == "unavailable"
        });
        let answer = postern.check(&name, &token);
        answer.is_refused(503, "tenant_unavailable");
        assert!(answer.header("retry-after").is_some(), "{what}");
        drop(fs::remove_file(postern.tenant_path(&name)));
        postern.write(&good);
        until_answered(&postern, &name, &token, "allowed");
    }
}

/// The error stands with its line and column wherever an operator looks, and nowhere once the file is mended.
#[test]
fn an_error_is_shown_wherever_an_operator_looks() {
    let acme = issuer();
    let good = fixed("jira", &acme, "first");
    let postern = Postern::with(good.clone()).start();
    let broken = good.text().replace("audience = ", "audiense = ");
    let line = 1 + broken
        .lines()
        .position(|line| line.starts_with("audiense"))
        .expect("it is there");
    let place = format!("jira.toml:{line}:1:");
    fs::write(postern.tenant_path("jira"), &broken).expect("it is written");
    eventually("the error is found", || {
        postern.tenant_status("jira")["state"] == "stale"
    });
    let problem = &postern.tenant_status("jira")["problems"][0];
    assert_eq!(
        (&problem["line"], &problem["column"]),
        (&line.into(), &1.into()),
        "{problem}"
    );
    let printed = postern.cli(&["status", "jira"]);
    let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert!(printed.contains(&place), "{printed}");
    assert!(
        printed.contains("the last good build is served"),
        "{printed}"
    );
    assert!(postern.log().contains(&place), "the log shows it");
    let broken_metric = "postern_tenant_file_broken{tenant=\"jira\"} 1";
    assert!(counts(&postern, broken_metric), "the metric shows it");

    postern.write(&good);
    eventually("it is mended", || {
        postern.tenant_status("jira")["state"] == "serving"
    });
    assert_eq!(
        postern.tenant_status("jira")["problems"],
        serde_json::json!([])
    );
    assert!(!counts(&postern, broken_metric), "the metric is mended");
    let printed = postern.cli(&["status", "jira"]);
    assert!(!String::from_utf8_lossy(&printed.stdout).contains(&place));
}

/// The daemon remembers the last good build of a broken file, but not that of a tenant whose file was removed.
#[test]
fn a_broken_file_is_survived_across_a_restart() {
    let acme = issuer();
    let mut postern = Postern::with(fixed("jira", &acme, "first"))
        .and(fixed("wiki", &acme, "first"))
        .start();
    let token = acme.token().audience("first").sign();
    fs::remove_file(postern.tenant_path("wiki")).expect("it is removed");
    until_answered(&postern, "wiki", &token, "tenant_unknown");
    assert!(postern.stop().success());
    for name in ["jira", "wiki"] {
        fs::write(postern.tenant_path(name), "product = ").expect("it is written");
    }
    for _ in 0..2 {
        postern.run();
        postern.check("jira", &token).is_allowed_as("ada");
        postern
            .check("jira", &acme.token().audience("second").sign())
            .is_refused(401, "wrong_audience");
        postern
            .check("wiki", &token)
            .is_refused(503, "tenant_unavailable");
        let printed = postern.cli(&["status", "jira"]);
        let printed = String::from_utf8_lossy(&printed.stdout).into_owned();
        assert!(printed.contains("jira.toml:1:"), "{printed}");
        assert!(postern.stop().success());
    }
    postern.run();
    postern.write(&fixed("jira", &acme, "second"));
    let second = acme.token().audience("second").sign();
    until_answered(&postern, "jira", &second, "allowed");
}

/// One broken file among three changed ones is nobody else's trouble.
#[test]
fn a_broken_file_keeps_no_other_from_being_served() {
    let acme = issuer();
    let names = ["git", "jira", "wiki"];
    let mut builder = Postern::without_tenants();
    for name in names {
        builder = builder.and(fixed(name, &acme, "first"));
    }
    let postern = builder.start();
    for name in names {
        let text = fixed(name, &acme, "second").text();
        let text = if name == "jira" {
            text.replace("[[", "[")
        } else {
            text
        };
        replace(&postern.tenant_path(name), &text);
    }
    let second = acme.token().audience("second").sign();
    until_answered(&postern, "git", &second, "allowed");
    until_answered(&postern, "wiki", &second, "allowed");
    let first = acme.token().audience("first").sign();
    postern.check("jira", &first).is_allowed_as("ada");
}
