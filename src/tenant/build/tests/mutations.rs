//! Files that nobody meant: however broken, they are judged and shown without a panic, and never served.

use proptest::prelude::*;

use super::*;

/// A file with nearly every key.
const FULL: &str = r#"product = "jira"
url = "https://jira.example.com/x"
enabled = true

[[provider]]
kind = "custom"
name = "keys"
issuer = "https://sso.example.com"
audience = ["a", "b"]
jwks_uri = "https://sso.example.com/keys"
algorithms = ["RS256", "EdDSA"]
require_typ = "at+jwt"
stale_keys = "12h"
username = "preferred_username"
username_case = "lower"
username_map = [{ match = '^(.+)@example\.com$', to = "$1" }]
service_accounts = { "ci-client" = "svc-ci" }
groups = "realm_access.roles"
leeway = "1m"
ca = { file = "corp-ca.pem" }

[[provider]]
kind = "custom"
introspection_endpoint = "https://i.example/x"
client_id = "c"
client_secret = { env = "PATH" }
token_prefix = "ci_"
accounts = ["ci-*"]
audience = "any"

[access]
allow_groups = ["staff"]
allow_networks = ["10.0.0.0/8"]
deny_networks = ["2001:db8::/32"]
public = ["GET /rest/api/2/serverInfo"]
api_paths = ["/plugins"]
read_only = false
never = ["admin"]
anonymous = "deny"
sessions = "check"

[rate_limit]
per_user = "600/min"
per_token = "10/s"
per_tenant = "20000/min"
failures_per_address = "30/h"

[upstream]
address = "http://10.0.0.5:8080"
insecure = true
ca = { file = "corp-ca.pem" }
admin_token = { env = "PATH" }
"#;

/// What must never be shown.
const SECRET: &str = "client_secret = \"hunter2\"\n";

/// What a hasty hand, or a hostile one, might put into a file.
const SCRAPS: [&str; 16] = [
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "é\u{1F511}",
    "\u{0}",
    "\r",
    SECRET,
];

/// Judges and shows a file; what must hold for every text is asserted here.
fn exercise(text: &str) {
    let built = built(text);
    let errors = built
        .problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    assert_eq!(errors.count() == 0, built.settings.is_some());
    let excerpt = Excerpt::new(text);
    // Where its key has been cut off, a secret looks like any other text.
    let recognisable = text.matches("hunter2").count() == text.matches(SECRET).count();
    for problem in &built.problems {
        let shown = format!("{problem}{}", excerpt.render(problem, true));
        assert!(!recognisable || !shown.contains("hunter2"), "{shown}");
        assert!(problem.line >= 1 && problem.column >= 1);
        assert!(
            problem
                .span
                .as_ref()
                .is_none_or(|span| text.get(span.clone()).is_some())
        );
    }
}

#[test]
fn the_full_file_is_good() {
    good(FULL);
}

#[test]
fn depth_and_number_are_bounded() {
    exercise(&"[".repeat(20_000));
    exercise(&format!("a = {}", "[".repeat(20_000)));
    exercise(&format!("{} = 1", vec!["a"; 20_000].join(".")));
    let many: Vec<String> = (0..20_000).map(|n| format!("k{n} = 1")).collect();
    let problems = built(&many.join("\n")).problems;
    assert!(problems.len() < 1000);
    assert!(problems.last().unwrap().message.contains("more problems"));
}

proptest! {
    #[test]
    fn any_text_is_judged(text in any::<String>()) {
        exercise(&text);
    }

    #[test]
    fn any_cut_is_judged(at in 0..FULL.len()) {
        exercise(&FULL[..at]);
    }

    #[test]
    fn any_change_is_judged(
        changes in prop::collection::vec((0..FULL.len(), 0..30_usize, 0..SCRAPS.len()), 1..4)
    ) {
        let mut text = FULL.to_owned();
        for (at, length, scrap) in changes {
            let start = text.floor_char_boundary(at);
            let end = text.floor_char_boundary((start + length).min(text.len())).max(start);
            text.replace_range(start..end, SCRAPS[scrap]);
        }
        exercise(&text);
    }

    #[test]
    fn any_lines_are_judged(lines in prop::collection::vec(0..40_usize, 0..60)) {
        let known: Vec<&str> = FULL.lines().collect();
        let text: Vec<&str> = lines.iter().filter_map(|line| known.get(*line).copied()).collect();
        exercise(&text.join("\n"));
    }
}
