//! `provider test`: does a provider work as it is configured?

use std::process::Output;

use serde_json::Value;

use super::{postern, run_with, says, stderr, stdout};
use crate::harness::{TenantFile, issuer, tenant};

/// `provider test jira custom` on this tenant, with this on standard input.
fn test(tenant: &TenantFile, flags: &[&str], input: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(format!("{}.toml", tenant.name()));
    std::fs::write(path, tenant.text()).expect("the file is written");
    let mut command = postern(&["provider", "test", "jira", "custom"]);
    command
        .args(flags)
        .env("POSTERN_TENANTS", folder.path())
        .env("DEV_SECRET", postern::dev::CLIENT_SECRET);
    run_with(command, input)
}

/// Says each of these words on standard output, and ends so.
#[track_caller]
fn finds(output: &Output, code: i32, words: &[&str]) {
    let found = stdout(output);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{found}{}",
        stderr(output)
    );
    for word in words {
        assert!(found.contains(word), "{word:?} in {found}");
    }
}

#[test]
fn a_good_token_and_a_bad_one() {
    let acme = issuer();
    let jira = tenant("jira").trusting(&acme);
    let (good, bad) = (acme.token().sign(), acme.token().audience("other").sign());
    finds(
        &test(&jira, &[], &good),
        0,
        &[
            "ok   keys",
            "4 usable",
            "ok   the token: it is ada, proved by jwt",
        ],
    );
    let refused = test(&jira, &[], &bad);
    finds(
        &refused,
        1,
        &[
            "ok   keys",
            "FAIL the token: wrong_audience",
            "\"other\"",
            "postern-dev",
        ],
    );
    finds(
        &test(&jira, &[], &(good.clone() + "AAAA")),
        1,
        &["FAIL the token: bad_signature"],
    );
    finds(
        &test(&jira, &[], "x y"),
        1,
        &["FAIL the token: malformed_token"],
    );
    for part in bad.split('.') {
        assert!(
            !(stdout(&refused) + &stderr(&refused)).contains(part),
            "it prints the token"
        );
    }
}

/// Without a token the provider is reached, and no more.
#[test]
fn without_a_token_the_provider_is_reached() {
    let acme = issuer();
    finds(
        &test(&tenant("jira").trusting(&acme), &[], "\n"),
        0,
        &["ok   keys"],
    );
    let opaque = tenant("jira").asking(&acme);
    finds(
        &test(&opaque, &[], ""),
        0,
        &["ok   introspection: the endpoint answers"],
    );
    finds(
        &test(&opaque, &[], &acme.token().opaque()),
        0,
        &["it is ada, proved by introspection"],
    );
    finds(
        &test(&opaque, &[], "nobodys"),
        1,
        &["FAIL the token: inactive"],
    );
    acme.set_client("dev", "another secret");
    finds(&test(&opaque, &[], ""), 1, &["FAIL introspection"]);
}

/// An issuer that is away, or is not the one that it is taken for.
#[test]
fn an_issuer_that_is_gone_or_another() {
    let acme = issuer();
    let jira = tenant("jira").trusting(&acme);
    let token = acme.token().sign();
    let slash = tenant("jira").provider(&format!(
        "issuer = \"{}/\"\naudience = \"postern-dev\"",
        acme.url()
    ));
    finds(
        &test(&slash, &[], ""),
        1,
        &["FAIL keys", &format!("{}/", acme.url())],
    );
    acme.stop();
    finds(
        &test(&jira, &[], &token),
        1,
        &[
            "FAIL keys",
            acme.url(),
            "FAIL the token: issuer_unavailable",
        ],
    );
}

#[test]
fn the_same_as_json() {
    let acme = issuer();
    let jira = tenant("jira").trusting(&acme);
    let output = test(&jira, &["--json"], &acme.token().expires_in(-600).sign());
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let steps = report["steps"].as_array().expect("a list");
    assert_eq!(
        (&steps[0]["ok"], &steps[1]["ok"]),
        (&true.into(), &false.into())
    );
    let found = steps[1]["found"].as_str().expect("a text");
    assert!(found.starts_with("expired: "), "{found}");
}

#[test]
fn what_is_not_there_is_named() {
    let acme = issuer();
    let jira = tenant("jira").trusting(&acme).with("name = \"corp\"");
    says(
        &test(&jira, &[], ""),
        1,
        &["jira", "no provider \"custom\"", "corp"],
    );
    let other = tenant("other").trusting(&acme);
    says(&test(&other, &[], ""), 1, &["jira.toml"]);
    let broken = tenant("jira").trusting(&acme).top("enabled = maybe");
    says(
        &test(&broken, &[], ""),
        1,
        &["broken", "postern validate", "jira.toml"],
    );
}
