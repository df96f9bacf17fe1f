use proptest::prelude::*;

use super::*;
use crate::{
    credential::Authorization,
    request::{Request, RequestId},
};

fn rule(number: usize, path: &str, methods: &[&str]) -> Rule {
    Rule {
        key: format!("access.rule[{number}]"),
        effect: Effect::Deny,
        path: path.parse().unwrap(),
        methods: methods.iter().map(ToString::to_string).collect(),
        groups: Vec::new(),
        scopes: Vec::new(),
        providers: Vec::new(),
    }
}

fn request<'r>(method: &'r str, method_override: Option<&'r str>) -> Request<'r> {
    Request {
        id: RequestId::next(),
        method,
        method_override,
        target: b"/",
        address: None,
        is_preflight: false,
        authorization: Authorization::Absent,
        cookie: None,
    }
}

/// The keys of those rules that are about a call.
fn found(rules: &Rules, request: &Request<'_>, path: &str) -> Vec<String> {
    let matching = rules.matching(request, path);
    matching.0.iter().map(|rule| rule.key.clone()).collect()
}

/// One rule after the other, each pattern by itself.
fn found_slowly(rules: &Rules, request: &Request<'_>, path: &str) -> Vec<String> {
    let is_about = |rule: &&Rule| {
        let latest = rule.path.of_latest_version();
        let matches = |path| {
            rule.path.matches(path) || latest.as_ref().is_some_and(|latest| latest.matches(path))
        };
        readings(path).any(matches) && rule.is_about(request)
    };
    let about = rules.all().iter().filter(is_about);
    about.map(|rule| rule.key.clone()).collect()
}

fn segments() -> impl Strategy<Value = Vec<String>> {
    let segment = prop_oneof![
        3 => prop::sample::select(vec!["rest", "api", "2", "latest", "user", "a", "b"]).prop_map(str::to_owned),
        1 => "[ab]{1,3}",
    ];
    prop::collection::vec(segment, 0..7)
}

fn patterns() -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => prop::sample::select(vec!["rest", "api", "2", "latest", "user", "a", "b"]).prop_map(str::to_owned),
        1 => Just("*".to_owned()),
        1 => Just("**".to_owned()),
        1 => prop::sample::select(vec!["a*", "*b", "u*r"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(segment, 0..6).prop_map(|segments| format!("/{}", segments.join("/")))
}

const METHODS: [&str; 5] = ["GET", "HEAD", "POST", "post", "PATCH"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_index_agrees_with_one_rule_after_the_other(
        patterns in prop::collection::vec((patterns(), prop::sample::subsequence(vec!["GET", "POST"], 0..=2)), 0..30),
        segments in segments(),
        end in prop::sample::select(vec!["", "/", ".json", ".xml", ".jsonx"]),
        method in prop::sample::select(METHODS.to_vec()),
        method_override in prop::option::of(prop::sample::select(METHODS.to_vec())),
    ) {
        let list = patterns.iter().enumerate();
        let rules = Rules::new(list.map(|(number, (path, methods))| rule(number, path, methods)).collect());
        let path = format!("/{}{end}", segments.join("/"));
        let request = request(method, method_override);
        prop_assert_eq!(found(&rules, &request, &path), found_slowly(&rules, &request, &path));
        prop_assert_eq!(rules.speak_of(&path), readings(&path).any(|path| {
            rules.all().iter().any(|rule| {
                rule.path.matches(path)
                    || rule.path.of_latest_version().is_some_and(|latest| latest.matches(path))
            })
        }));
    }
}

/// A rule is about what the product would do, not about how it is written.
#[test]
fn a_rule_cannot_be_walked_around_by_another_reading() {
    let rules = Rules::new(vec![
        rule(0, "/rest/api/2/user", &["POST"]),
        rule(1, "/rest/api/2/mine", &["GET"]),
    ]);
    let about = |method, instead, path| !found(&rules, &request(method, instead), path).is_empty();
    for path in [
        "/rest/api/2/user",
        "/rest/api/2/user/",
        "/rest/api/latest/user",
        "/rest/api/2/user.json",
        "/rest/api/latest/user.xml",
    ] {
        assert!(about("POST", None, path), "{path}");
        assert!(about("GET", Some("post"), path), "{path}");
        assert!(!about("GET", None, path), "{path}");
    }
    assert!(about("HEAD", None, "/rest/api/2/mine"));
    for path in [
        "/rest/api/3/user",
        "/rest/api/2/user.png",
        "/rest/api/2/users",
    ] {
        assert!(!about("POST", None, path), "{path}");
    }
}

/// The walk may not explode where there are many `**`.
#[test]
fn many_stars_stay_cheap() {
    let stars = "/**/a/**/b".repeat(40);
    let list = (0..20).map(|number| rule(number, &format!("{stars}/{number}"), &[]));
    let rules = Rules::new(list.collect());
    let path = "/a/b/a".repeat(800);
    assert!(found(&rules, &request("GET", None), &path).is_empty());
}
