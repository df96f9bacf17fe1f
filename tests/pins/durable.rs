use std::process::Command;

use super::{claims, named, token, unpin};
use crate::harness::{Postern, TenantFile, issuer, program, tenant, until};

/// Stopped or killed, however soon after the first yes: the account stays its owner's.
#[test]
fn kill_9_right_after_the_first_yes_changes_no_owner() {
    let acme = issuer();
    let mut postern = Postern::with(named(&acme)).start();
    for number in 0..8 {
        let account = format!("ada{number}");
        claims(&postern, &acme, "owner", &account).is_allowed_as(&account);
        if number == 4 {
            postern.stop();
        } else {
            postern.kill();
        }
        postern.run();
        claims(&postern, &acme, "other", &account).is_refused(403, "account_changed");
        claims(&postern, &acme, "owner", &account).is_allowed_as(&account);
    }
    for number in 0..8 {
        let account = format!("ada{number}");
        claims(&postern, &acme, "other", &account).is_refused(403, "account_changed");
    }
}

/// What `account unpin` has acknowledged stays so after `kill -9`, and so does who came next.
#[test]
fn kill_9_right_after_unpin_brings_nobody_back() {
    let acme = issuer();
    let mut postern = Postern::with(named(&acme)).start();
    let (old, new) = (token(&acme, "old", "ada"), token(&acme, "new", "ada"));
    postern.check("jira", &old).is_allowed_as("ada");
    unpin(&postern, "ada");
    postern.kill();
    postern.run();
    postern.check("jira", &new).is_allowed_as("ada");
    postern.kill();
    postern.run();
    postern
        .check("jira", &old)
        .is_refused(403, "account_changed");
    postern.check("jira", &new).is_allowed_as("ada");
}

/// A tenant whose file goes and comes back, or changes, has the accounts that it had.
#[test]
fn a_tenant_that_comes_back_has_its_pins() {
    let acme = issuer();
    let postern = Postern::with(named(&acme))
        .and(tenant("wiki").trusting(&acme))
        .start();
    claims(&postern, &acme, "owner", "ada").is_allowed_as("ada");
    let other_is_refused = |file: TenantFile| {
        let before = postern.generation("jira");
        postern.write(&file);
        postern.until_generation_after("jira", before);
        claims(&postern, &acme, "other", "ada").is_refused(403, "account_changed");
        claims(&postern, &acme, "owner", "ada").is_allowed_as("ada");
    };
    other_is_refused(named(&acme).access("read_only = false"));
    std::fs::remove_file(postern.tenant_path("jira")).expect("it is there");
    until("the tenant is gone", || {
        postern.tenant_status("jira").is_null().then_some(())
    });
    other_is_refused(named(&acme));
}

/// While nothing can be written there is no yes for an account that was never seen: not at first, and not when it is
/// asked for again. Known accounts pass, and nobody else is taken for them. `unpin` says that it failed.
#[test]
fn what_cannot_be_written_is_no_yes() {
    let Some(prlimit) = program("prlimit") else {
        return;
    };
    let acme = issuer();
    // A write past the limit is an error for who ignores the signal, as a full disk is.
    let mut postern = Postern::with(named(&acme))
        .by_way_of(&["env", "--ignore-signal=XFSZ"])
        .start();
    let owner = token(&acme, "owner", "ada");
    postern.check("jira", &owner).is_allowed_as("ada");
    let limited = Command::new(prlimit)
        .arg(format!("--pid={}", postern.pid()))
        .arg("--fsize=0")
        .status();
    assert!(limited.expect("prlimit runs").success());
    for _ in 0..3 {
        for subject in ["1", "2"] {
            let answer = claims(&postern, &acme, subject, "bob");
            answer.is_refused(503, "tenant_unavailable");
            assert!(answer.header("retry-after").is_some());
        }
        postern.check("jira", &owner).is_allowed_as("ada");
        claims(&postern, &acme, "owner", "ada").is_allowed_as("ada");
        claims(&postern, &acme, "other", "ada").is_refused(403, "account_changed");
    }
    let output = postern.cli(&["account", "unpin", "jira", "ada"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("may be pinned still"), "{said}");

    // With room on the disk again.
    postern.kill();
    postern.run();
    claims(&postern, &acme, "2", "bob").is_allowed_as("bob");
    claims(&postern, &acme, "1", "bob").is_refused(403, "account_changed");
    claims(&postern, &acme, "owner", "ada").is_allowed_as("ada");
}
