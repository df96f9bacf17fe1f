//! `account list` and `account unpin`.

use serde_json::{Value, json};

use super::{says, stdout};
use crate::harness::{Postern, issuer, tenant, until};

/// What an operator sees, and what a script reads.
#[test]
fn list_shows_whose_the_accounts_are() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&acme))
        .start();
    for name in ["ada", "Zoë", "\u{1b}[2J"] {
        postern.check("jira", &acme.token().subject(name).sign());
    }
    let output = postern.cli(&["account", "list", "jira"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = stdout(&output);
    for word in [
        "ACCOUNT",
        "SINCE",
        "ada",
        "Zoë",
        "custom",
        acme.url(),
        "ago",
    ] {
        assert!(shown.contains(word), "{word:?} in {shown}");
    }
    let told = stdout(&postern.cli(&["account", "list", "jira", "--json"]));
    let mut told: Value = serde_json::from_str(&told).expect("JSON");
    let ada = told[0].as_object_mut().expect("a pin");
    assert!(ada.remove("pinned_at").is_some());
    let wanted = json!({ "tenant": "jira", "account": "ada", "provider": "custom", "issuer": acme.url(), "subject": "ada" });
    assert_eq!(told[0], wanted);
    assert_eq!(told.as_array().map(Vec::len), Some(2), "{told}");
    let wiki = stdout(&postern.cli(&["account", "list", "wiki", "--json"]));
    assert_eq!(wiki.trim(), "[]");
}

/// Whatever an account is called, it can be named on the command line.
#[test]
fn any_account_can_be_unpinned() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    for name in [
        "ada",
        "..",
        "a/b",
        "a%2fb",
        "a+b c",
        "a&account=b#?",
        "zoë",
        "$(id)",
    ] {
        postern.check("jira", &acme.token().subject(name).sign());
        let output = postern.cli(&["account", "unpin", "jira", name, "--json"]);
        let pin: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(pin["account"], name);
        says(
            &postern.cli(&["account", "unpin", "jira", name]),
            1,
            &["no account of that name is pinned", "account list jira"],
        );
    }
}

/// A tenant that never was is an error; one whose file is gone is not, as long as it has pins.
#[test]
fn what_there_is_not_is_an_error() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&acme))
        .start();
    for command in [&["list", "nobody"][..], &["unpin", "nobody", "ada"]] {
        let output = postern.cli(&[&["account"], command].concat());
        says(&output, 1, &["no tenant nobody", "nobody.toml"]);
    }
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    std::fs::remove_file(postern.tenant_path("jira")).expect("it is there");
    until("the tenant is gone", || {
        postern.tenant_status("jira").is_null().then_some(())
    });
    says(
        &postern.cli(&["account", "unpin", "jira", "bob"]),
        1,
        &["no account of that name is pinned"],
    );
    says(
        &postern.cli(&["account", "unpin", "jira", "ADA"]),
        0,
        &["ada of jira is nobody's now", acme.url()],
    );
    let output = postern.cli(&["account", "list", "jira"]);
    says(&output, 1, &["no tenant jira"]);
}
