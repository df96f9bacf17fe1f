//! See `../product.rs`.

use std::{fs, process::Command};

use serde_json::Value;

use super::{jira, product, with_cookies};
use crate::harness::{BINARY, Postern, TenantFile, tenant};

/// The problems that `validate` finds: severity, key and message of each.
fn problems(file: &TenantFile) -> Vec<[String; 3]> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("t.toml");
    fs::write(&path, file.text()).expect("the tenant file is written");
    let validated = Command::new(BINARY)
        .args(["validate", "--json"])
        .arg(path)
        .env("DEV_SECRET", "an-administrators-token")
        .output()
        .expect("the binary runs");
    let report: Value = serde_json::from_slice(&validated.stdout).expect("JSON");
    let problems = report["problems"].as_array().expect("a list").iter();
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    problems
        .filter(|problem| problem["key"] != "provider")
        .map(|problem| ["severity", "key", "message"].map(|name| text(problem, name)))
        .collect()
}

#[track_caller]
fn has_one(file: &TenantFile, severity: &str, key: &str, says: &str) {
    let problems = problems(file);
    assert!(
        matches!(&problems[..], [[is, at, message]] if is == severity && at == key && message.contains(says)),
        "{}\n{problems:?}",
        file.text()
    );
}

/// What `[upstream]` says is judged: each mistake by its key, each danger by a warning, and the usual by nothing.
#[test]
fn what_is_written_is_judged() {
    let checking = || tenant("t").access("sessions = \"check\"");
    let at = |address: &str| checking().upstream(&format!("address = {address:?}"));
    for address in [
        "https://10.0.0.5:8443",
        "http://127.0.0.1:8080",
        "http://[::1]:8080/",
    ] {
        assert_eq!(
            problems(&at(address)),
            Vec::<[String; 3]>::new(),
            "{address}"
        );
    }
    let plain = "http://10.0.0.5:8080";
    has_one(&at(plain), "error", "upstream.address", "over http anyone");
    has_one(
        &at(plain).upstream("insecure = true"),
        "warning",
        "upstream.insecure",
        "reads sessions",
    );
    has_one(
        &at("https://10.0.0.5").upstream("insecure = true"),
        "warning",
        "upstream.insecure",
        "no effect",
    );
    has_one(
        &at("https://10.0.0.5/jira"),
        "error",
        "upstream.address",
        "context path",
    );
    assert!(problems(&at("https://10.0.0.5/jira").url("https://e.example/jira")).is_empty());
    has_one(
        &at("https://10.0.0.5/?x"),
        "error",
        "upstream.address",
        "no query",
    );
    has_one(
        &at("https://ada:pw@10.0.0.5"),
        "error",
        "upstream.address",
        "user name",
    );
    has_one(
        &at("ftp://10.0.0.5"),
        "error",
        "upstream.address",
        "https or http",
    );
}

/// Without an address the product is asked at `url`, if it is asked anything; and what is not used is said to be idle.
#[test]
fn what_is_not_written_is_the_url() {
    let checking = || tenant("t").access("sessions = \"check\"");
    has_one(
        &checking(),
        "warning",
        "access.sessions",
        "through the proxy",
    );
    has_one(
        &checking().url("http://jira.example.com"),
        "error",
        "upstream.address",
        "over http",
    );
    assert!(
        problems(&tenant("t").url("http://jira.example.com")).is_empty(),
        "nothing is asked"
    );
    has_one(
        &tenant("t").upstream("address = \"https://10.0.0.5\""),
        "warning",
        "upstream",
        "asked nothing",
    );
}

/// The administrator's token is named by its place, and keys that no version has yet are unknown.
#[test]
fn a_token_is_named_by_its_place() {
    let token = |line: &str| {
        tenant("t")
            .upstream("address = \"https://10.0.0.5\"")
            .upstream(line)
    };
    assert!(problems(&token("admin_token = { env = \"DEV_SECRET\" }")).is_empty());
    has_one(
        &token("admin_token = { env = \"NOT_SET\" }"),
        "warning",
        "upstream.admin_token",
        "is not set",
    );
    has_one(
        &token("admin_token = {}"),
        "error",
        "upstream.admin_token",
        "exactly one place",
    );
    has_one(
        &token("admin_token = \"hunter2\""),
        "error",
        "upstream.admin_token",
        "",
    );
    for key in ["act_as", "lookup", "consumer_key", "proxy", "mint"] {
        let file =
            token("admin_token = { env = \"DEV_SECRET\" }").upstream(&format!("{key} = \"x\""));
        has_one(&file, "error", &format!("upstream.{key}"), "no such key");
    }
}

/// A certificate of the product's own authority is read from its file, which is watched like the tenant's.
#[test]
fn an_authority_that_is_not_one_is_an_error() {
    let file = tenant("t")
        .access("sessions = \"check\"")
        .upstream("address = \"https://10.0.0.5\"")
        .upstream("ca = { file = \"ca.pem\" }");
    has_one(&file, "error", "upstream.ca", "ca.pem");
}

/// `sessions` and `[upstream]` are read anew like all else: from passing on to asking, and back.
#[test]
fn sessions_are_checked_as_soon_as_the_file_says_so() {
    let upstream = product("jira");
    let postern = Postern::with(tenant("jira")).start();
    let invented = with_cookies("jira", "JSESSIONID=invented");
    postern.ask(&invented).passes_as("session");
    for (file, status) in [(jira("jira", &upstream), 401), (tenant("jira"), 200)] {
        let before = postern.generation("jira");
        postern.write(&file);
        postern.until_generation_after("jira", before);
        assert_eq!(postern.ask(&invented).status, status);
    }
}

/// A token that is replaced where it lies is read anew, like the tenant's file itself.
#[test]
fn a_token_that_is_replaced_is_read() {
    let file = tenant("jira")
        .upstream("address = \"https://10.0.0.5\"")
        .upstream("admin_token = { file = \"admin-token\" }");
    let postern = Postern::without_tenants().start();
    let token = postern.tenants().join("admin-token");
    fs::write(&token, "one").expect("the token is written");
    postern.write(&file);
    postern.until_generation_after("jira", 0);
    let before = postern.generation("jira");
    fs::write(&token, "another").expect("the token is written");
    postern.until_generation_after("jira", before);
    assert!(!postern.log().contains("another"), "no token is logged");
}

/// People see in `postern status` where the product is asked, and how that fares.
#[test]
fn status_shows_how_asking_fares() {
    let upstream = product("jira");
    let postern = Postern::with(jira("jira", &upstream))
        .and(tenant("wiki"))
        .start();
    assert_eq!(
        postern.tenant_status("jira")["upstream"]["sessions"],
        "closed"
    );
    assert_eq!(postern.tenant_status("wiki")["upstream"], Value::Null);
    let shown = postern.cli(&["status"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("sessions, breaker closed"), "{shown}");
}
