use super::{limited, token};
use crate::harness::{Issuer, Postern, TenantFile, eventually, issuer};

/// Everything is used up: what ada may, and what her address may fail.
fn used_up(acme: &Issuer) -> (Postern, TenantFile, String) {
    let file = limited(acme, "per_user = \"1/h\"\nfailures_per_address = \"1/h\"");
    let postern = Postern::with(file.clone()).start();
    // Or their coming would be taken for the file's.
    postern.until_keys("jira");
    let ada = token(acme, "ada");
    postern.check("jira", &ada).is_allowed_as("ada");
    postern
        .check("jira", "guess")
        .is_refused(401, "malformed_token");
    (postern, file, ada)
}

fn served_anew(postern: &Postern, file: &TenantFile) {
    let before = postern.generation("jira");
    postern.write(file);
    postern.until_generation_after("jira", before);
}

/// Whoever edits the file for another reason gives nobody anything back.
#[test]
fn buckets_survive_a_reload() {
    let acme = issuer();
    let (postern, file, ada) = used_up(&acme);
    served_anew(&postern, &file.clone().access("never = [\"root\"]"));
    served_anew(&postern, &file.rate_limit("per_tenant = \"100/h\""));
    postern.check("jira", &ada).is_refused(429, "rate_limited");
    postern
        .check("jira", "guess")
        .is_refused(429, "too_many_failures");
    postern
        .check("jira", &token(&acme, "bob"))
        .is_allowed_as("bob");
}

/// Another rate starts with full buckets, and the others keep theirs.
#[test]
fn a_rate_that_changed_starts_anew_and_no_other_does() {
    let acme = issuer();
    let (postern, _, ada) = used_up(&acme);
    let file = limited(&acme, "per_user = \"2/h\"\nfailures_per_address = \"1/h\"");
    served_anew(&postern, &file);
    for _ in 0..2 {
        postern.check("jira", &ada).is_allowed_as("ada");
    }
    postern.check("jira", &ada).is_refused(429, "rate_limited");
    postern
        .check("jira", "guess")
        .is_refused(429, "too_many_failures");
}

/// A rate that is taken out of the file limits nothing any more.
#[test]
fn a_rate_that_is_gone_limits_nothing() {
    let acme = issuer();
    let (postern, _, ada) = used_up(&acme);
    served_anew(&postern, &limited(&acme, "failures_per_address = \"1/h\""));
    for _ in 0..3 {
        postern.check("jira", &ada).is_allowed_as("ada");
    }
    postern
        .check("jira", "guess")
        .is_refused(429, "too_many_failures");
}

/// A broken file changes nothing: neither the rates nor what is left of them.
#[test]
fn buckets_survive_a_broken_file() {
    let acme = issuer();
    let (postern, file, ada) = used_up(&acme);
    postern.write(&file.rate_limit("per_token = \"often\""));
    eventually("the file is known as broken", || {
        postern.metric("postern_tenant_file_broken{tenant=\"jira\"}") > 0.5
    });
    postern.check("jira", &ada).is_refused(429, "rate_limited");
    postern
        .check("jira", "guess")
        .is_refused(429, "too_many_failures");
}

/// Neither do new keys of the issuer, nor an account that is unpinned.
#[test]
fn buckets_survive_what_happens_to_keys_and_pins() {
    let acme = issuer();
    let (postern, _, ada) = used_up(&acme);
    let before = postern.generation("jira");
    acme.rotate();
    let fresh = token(&acme, "bob");
    postern.check("jira", &fresh).is_allowed_as("bob");
    postern.until_generation_after("jira", before);
    postern
        .check("jira", &fresh)
        .is_refused(429, "rate_limited");
    assert!(
        postern
            .cli(&["account", "unpin", "jira", "bob"])
            .status
            .success()
    );
    postern
        .check("jira", &fresh)
        .is_refused(429, "rate_limited");
    assert_ne!(postern.check("jira", &ada).status, 200);
    postern
        .check("jira", "guess")
        .is_refused(429, "too_many_failures");
}
