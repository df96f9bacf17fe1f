//! See `main.rs`.

use std::{collections::BTreeSet, fs, path::Path};

use clap::ValueEnum as _;
use postern::{
    decision::{Denied, Unavailable},
    provider::Kind,
};

use crate::harness::{Postern, block, page};

/// Whoever copies nginx's configuration from the front page copies the one that is tested.
#[test]
fn readme_shows_the_nginx_configuration_that_is_tested() {
    let shown = block(&page("README.md"), "## Behind nginx", "nginx");
    assert!(
        shown == page("tests/proxies/nginx/postern.conf"),
        "README.md and tests/proxies/nginx/postern.conf differ"
    );
}

/// Likewise for users' own API tokens.
#[test]
fn the_page_of_proxies_shows_the_snippet_that_is_tested() {
    let shown = block(
        &page("docs/proxies.md"),
        "## Users' own API tokens",
        "nginx",
    );
    assert!(
        shown == page("tests/proxies/nginx/self-service.conf"),
        "docs/proxies.md and tests/proxies/nginx/self-service.conf differ"
    );
}

/// The tenant file of the front page is valid, and without a warning.
#[test]
fn readme_shows_a_valid_tenant_file() {
    let postern = Postern::without_tenants().start();
    let shown = block(&page("README.md"), "## A tenant", "toml");
    fs::write(postern.tenant_path("jira"), shown).expect("the tenant file is written");
    let validated = postern.cli(&["validate", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&validated.stdout).expect("JSON");
    assert!(validated.status.success());
    assert_eq!(report["problems"], serde_json::json!([]));
}

/// The page of refusals has the closed list, all of it and nothing else, each word with its status.
#[test]
fn the_security_model_lists_every_refusal() {
    let page = page("docs/security-model.md");
    let (_, table) = page.split_once("| status | reasons |").expect("the table");
    let mut listed = BTreeSet::new();
    for line in table
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with('|'))
    {
        let mut cells = line.split('|').skip(1);
        let Some(Ok(status)) = cells.next().map(|cell| cell.trim().parse::<u16>()) else {
            continue;
        };
        let words = cells.next().expect("the reasons").split_whitespace();
        listed.extend(words.map(|word| (status, word.trim_matches('`').to_owned())));
    }
    let denied = Denied::ALL
        .iter()
        .map(|reason| (reason.status(), reason.word().to_owned()));
    let unavailable = Unavailable::ALL
        .iter()
        .map(|reason| (reason.status(), reason.word().to_owned()));
    assert_eq!(listed, denied.chain(unavailable).collect());
}

/// The table of providers has a row for each kind, and the scenarios that it names exist.
#[test]
fn the_table_of_providers_is_shown_by_scenarios() {
    let page = page("docs/providers.md");
    for kind in Kind::value_variants() {
        let row = format!("| `{}` |", kind.as_str());
        assert!(page.contains(&row), "no row for {row}");
    }
    let (_, shown) = page.split_once("## Shown by").expect("the list");
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut sources = String::new();
    read_all(Path::new(tests), &mut sources);
    let names: Vec<_> = shown
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| !name.contains([' ', '.', '/']))
        .collect();
    assert!(names.len() > 60, "the list is longer");
    for name in names {
        assert!(
            sources.contains(&format!("fn {name}(")),
            "there is no scenario {name}"
        );
    }
}

/// The page of what passes names a scenario in each row, and all that it names exist.
#[test]
fn the_tables_of_what_passes_are_shown_by_scenarios() {
    let page = page("docs/what-passes.md");
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    let mut sources = String::new();
    read_all(Path::new(tests), &mut sources);
    let is_scenario = |word: &&str| {
        !word.starts_with('_')
            && word.matches('_').count() > 2
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let named = |text: &'_ str| -> Vec<String> {
        let code = text.split('`').skip(1).step_by(2);
        code.filter(is_scenario).map(str::to_owned).collect()
    };
    let (_, words) = page
        .split_once("## Why so")
        .expect("what follows the figure");
    for name in named(words) {
        assert!(
            sources.contains(&format!("fn {name}(")),
            "there is no scenario {name}"
        );
    }
    for product in ["## Jira", "## Confluence", "## Bitbucket"] {
        let (_, table) = page.split_once(&format!("{product}\n")).expect("a section");
        let rows = table
            .lines()
            .skip(3)
            .take_while(|line| line.starts_with('|'));
        let rows: Vec<_> = rows.collect();
        assert!(rows.len() > 20, "{product}");
        for row in rows {
            assert_eq!(named(row).len(), 1, "{product}: {row}");
        }
    }
}

fn read_all(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("node_modules") && !path.ends_with("venv") {
            read_all(&path, text);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            *text += &fs::read_to_string(&path).expect("it is text");
        }
    }
}
