//! See `../access.rs`. What each problem says, `src/tenant/build/tests` has.

use super::{issuer, tenant};
use crate::harness::Postern;

/// An operator sees at which line a rule says something that it cannot mean.
#[test]
fn rules_that_nobody_meant_are_found_with_their_lines() {
    let acme = issuer();
    let rules = "public = [\"GET /rest/api/2/status\"]\n\
         [[access.rule]]\npath = \"/rest/api/2/status/**\"\neffect = \"deny\"\n\
         [[access.rule]]\npath = \"/browse/**\"\ngroups = [\"staff\"]\n";
    let file = tenant("jira").trusting(&acme).access(rules);
    let line_of = |part: &str| {
        let text = file.text();
        let found = text.lines().position(|line| line.contains(part));
        found.expect("it is there") + 1
    };
    let postern = Postern::with(file.clone()).start();
    let validated = postern.cli(&["validate", "--json"]);
    assert!(validated.status.success(), "they are warnings");
    let report: serde_json::Value = serde_json::from_slice(&validated.stdout).expect("JSON");
    let problems = report["problems"].as_array().expect("a list");
    let found: Vec<_> = problems
        .iter()
        .map(|problem| (problem["key"].as_str(), problem["line"].as_u64()))
        .collect();
    let expected = [
        (Some("access.public[0]"), Some(line_of("public = ") as u64)),
        (
            Some("access.rule[1].path"),
            Some(line_of("/browse/**") as u64),
        ),
    ];
    assert_eq!(found, expected, "{report:#}");
}
