//! `validate`, `schema`, `tenant new`.

use std::{fs, path::Path};

use serde_json::Value;

use super::{postern, run, says, stderr, stdout};
use crate::harness::{Postern, eventually, issuer, tenant};

const BROKEN: &str = "product = \"jria\"\nurl = \"https://jira.example.com\"\nenabeld = true\n\n[[provider]]\nkind = \"custom\"\nissuer = \"http://sso.example.com\"\n";

fn folder_with(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("the file is written");
    }
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("it is text")
}

/// All that is wrong is said at once, where it is, and what to write instead.
#[test]
fn validate_says_every_problem_and_where() {
    let good = tenant("good").trusting(&issuer()).text();
    let folder = folder_with(&[
        ("good.toml", &good),
        ("bad.toml", BROKEN),
        ("notes.txt", "x"),
    ]);
    let output = run(&["validate", text(folder.path())]);
    says(
        &output,
        1,
        &[
            "bad.toml:1:11",
            "\"jira\"",
            "bad.toml:3:1",
            "enabled",
            "issuer",
            "https",
            "audience",
            "2 files",
        ],
    );
    assert_eq!(
        stdout(&output),
        "",
        "problems are for people, on standard error"
    );
    assert!(!stderr(&output).contains("good.toml:"));
    let only = folder.path().join("good.toml");
    says(
        &run(&["validate", text(&only)]),
        0,
        &["1 file, 0 errors, 0 warnings"],
    );
    says(
        &run(&["validate", "/nowhere"]),
        1,
        &["/nowhere", "can't be read"],
    );
}

/// The examples have nothing to be said against them, wherever they are validated.
#[test]
fn validate_finds_the_examples_clean() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/examples");
    let files = fs::read_dir(examples).expect("a folder");
    let tenants = files.filter(|file| {
        let path = file.as_ref().expect("an entry").path();
        path.extension()
            .is_some_and(|extension| extension == "toml")
    });
    let clean = format!("{} files, 0 errors, 0 warnings", tenants.count());
    says(&run(&["validate", examples]), 0, &[&clean]);
}

/// The same for machines.
#[test]
fn validate_speaks_json() {
    let folder = folder_with(&[("bad.toml", BROKEN)]);
    let output = run(&["validate", "--json", text(folder.path())]);
    assert_eq!(output.status.code(), Some(1));
    let verdict: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(verdict["files"][0]["valid"], false);
    let problems = verdict["problems"].as_array().expect("a list");
    assert!(problems.len() >= 3);
    for problem in problems {
        let file = problem["file"].as_str().expect("a text");
        assert!(file.ends_with("bad.toml"));
        assert!(problem["line"].as_u64() > Some(0) && problem["column"].as_u64() > Some(0));
        assert!(problem["message"].is_string() && problem["key"].is_string());
    }
    assert!(
        problems
            .iter()
            .any(|problem| problem["key"] == "product" && problem["help"].is_string())
    );
}

/// Warnings are no errors, and a folder from the environment is as good as a flag.
#[test]
fn validate_exits_with_zero_for_warnings() {
    let any = tenant("any").provider("issuer = \"https://sso.example.com\"\naudience = \"any\"");
    let folder = folder_with(&[("any.toml", &any.text())]);
    let mut command = postern(&["validate"]);
    let output = command
        .env("POSTERN_TENANTS", folder.path())
        .output()
        .expect("it runs");
    says(
        &output,
        0,
        &["warning", "audience", "1 file, 0 errors, 1 warning"],
    );
}

/// The examples that every package installs.
#[test]
fn the_examples_are_valid() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/examples");
    says(&run(&["validate", examples]), 0, &["0 errors"]);
}

/// What editors complete keys with.
#[test]
fn schema_prints_the_schema_beside_the_tenants() {
    let output = run(&["schema"]);
    assert_eq!(output.status.code(), Some(0));
    let written = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/tenant.schema.json");
    assert_eq!(
        stdout(&output),
        fs::read_to_string(written).expect("it is there")
    );
    let schema: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert!(schema["properties"]["provider"].is_object());
}

/// A newcomer's first file is valid and is served at once; a second attempt changes nothing.
#[test]
fn tenant_new_writes_a_file_that_is_served() {
    let postern = Postern::without_tenants().start();
    let new = [
        "tenant",
        "new",
        "wiki",
        "--product",
        "confluence",
        "--provider",
        "custom",
        "--url",
        "https://example.com/wiki",
    ];
    says(
        &postern.cli(&new),
        0,
        &["wiki.toml", "/check/wiki", "postern validate"],
    );
    eventually("the new tenant is served", || {
        postern.tenant_status("wiki")["state"] == "serving"
    });
    assert_eq!(
        postern.tenant_status("wiki")["url"],
        "https://example.com/wiki"
    );
    assert!(postern.cli(&["validate"]).status.success());
    let before = fs::read_to_string(postern.tenant_path("wiki")).expect("it is there");
    says(&postern.cli(&new), 1, &["exists already"]);
    let bad = [
        "tenant",
        "new",
        "other",
        "--product",
        "jira",
        "--provider",
        "custom",
        "--url",
        "not a url",
    ];
    says(&postern.cli(&bad), 1, &["not be valid", "url"]);
    assert_eq!(
        fs::read_to_string(postern.tenant_path("wiki")).expect("it is there"),
        before
    );
    assert!(!postern.tenant_path("other").exists());
}
