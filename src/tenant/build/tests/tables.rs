//! One row for each kind of problem: the file, and all that is said about it.

use super::*;

mod api_tokens;
mod introspection;
mod kinds;
mod provider;
mod rate_limit;
mod rules;

/// What is expected of one problem: its place, its key, and a part of what it says, help included.
type Said = (&'static str, &'static str, &'static str);

fn assert_said(text: &str, expected: &[Said]) {
    let said: Vec<String> = built(text)
        .problems
        .iter()
        .map(|problem| {
            let place = format!("{}:{}", problem.line, problem.column);
            let help = problem.help.as_deref().unwrap_or_default();
            format!(
                "{place} {} {}: {} | {help}",
                problem.key, problem.severity, problem.message
            )
        })
        .collect();
    let matches = said.len() == expected.len()
        && said.iter().zip(expected).all(|(said, (place, key, part))| {
            said.starts_with(&format!("{place} {key} ")) && said.contains(part)
        });
    assert!(matches, "{text}\nexpected {expected:#?}\nfound {said:#?}");
}

/// Each row is a whole file.
#[test]
fn problems_of_files() {
    let rows: &[(&str, &[Said])] = &[
        (
            "",
            &[
                ("1:1", "product", "error: a tenant file says which product"),
                ("1:1", "url", "error: a tenant file says at which URL"),
                ("1:1", "provider", "warning: there is no provider"),
            ],
        ),
        (
            "product = \"jira\"\nurl = \"https://x\nenabled = true\n",
            &[("2:17", "", "error: invalid basic string")],
        ),
        (
            "product = \"jira\"\nurl = \"https://x\"\nenabled = tru\nprovider = []\n",
            &[
                ("3:11", "enabled", "error: invalid boolean"),
                ("4:12", "provider", "warning: there is no provider"),
            ],
        ),
        (
            "product = \"jira\"\nproduct = \"jira\"\nurl = \"https://x\"\nprovider = []\n",
            &[
                ("2:1", "", "error: duplicate key"),
                ("4:12", "provider", "warning"),
            ],
        ),
        (
            "[a\n[b\n",
            &[("1:3", "", "unclosed table"), ("2:3", "", "unclosed table")],
        ),
        (
            "produkt = \"jira\"\nurl = \"https://x\"\nprovider = []\n",
            &[
                ("1:1", "produkt", "did you mean `product`?"),
                ("3:12", "provider", "warning"),
            ],
        ),
        (
            "product = \"jira\"\nurl = \"https://x\"\nprovider = []\nzzz = 1\n",
            &[
                ("3:12", "provider", "warning"),
                (
                    "4:1",
                    "zzz",
                    "known here: `access`, `api_tokens`, `enabled`, `product`, `provider`, `rate_limit`, `upstream` or `url`",
                ),
            ],
        ),
        (
            "product = \"jirra\"\nurl = \"https://x\"\nprovider = []\n",
            &[
                (
                    "1:11",
                    "product",
                    "\"jirra\" is not known here | did you mean \"jira\"?",
                ),
                ("3:12", "provider", "warning"),
            ],
        ),
        (
            "product = \"x\"\nurl = 5\nprovider = []\n",
            &[
                (
                    "1:11",
                    "product",
                    "write one of `jira`, `confluence` or `bitbucket`",
                ),
                ("2:7", "url", "expected a text, found a whole number"),
                ("3:12", "provider", "warning"),
            ],
        ),
        (
            "product = \"jira\"\nurl = \"https://x\"\n[provider]\nkind = \"custom\"\n",
            &[("3:1", "provider", "write [[provider]], with two brackets")],
        ),
        (
            "product = \"jira\"\nurl = \"https://x\"\nprovider = []\n[[access]]\n",
            &[
                ("3:12", "provider", "warning"),
                ("4:1", "access", "write [access], with one bracket"),
            ],
        ),
        // Keys of later versions are not silently ignored.
        (
            "product = \"jira\"\nurl = \"https://x\"\nprovider = []\n[weather]\nrain = \"1/s\"\n",
            &[
                ("3:12", "provider", "warning"),
                ("4:2", "weather", "error: no such key"),
            ],
        ),
    ];
    for (text, expected) in rows {
        assert_said(text, expected);
    }
}

/// Each row is a `url`.
#[test]
fn problems_of_the_product_s_url() {
    for (url, part) in [
        ("", "no URL of the form"),
        ("jira.example.com", "no URL of the form"),
        ("https:jira.example.com", "no URL of the form"),
        ("https:///jira.example.com", "no URL of the form"),
        ("https://", "no URL of the form"),
        ("ftp://jira.example.com", "must be an http or https URL"),
        ("https://jira.example.com/?a=b", "has no query"),
        ("https://jira.example.com/#a", "fragment"),
        ("https://a:b@jira.example.com/", "no user name or password"),
        ("https://a@jira.example.com/", "no user name or password"),
        (" https://jira.example.com", "characters that no URL has"),
        (
            "https://jira.example.com\\\\x",
            "characters that no URL has",
        ),
        ("https://jira.example.com:99999", "no URL"),
        (
            "https://jira.example.com/a;b",
            "the context path must be plain",
        ),
        (
            "https://jira.example.com/a%41",
            "the context path must be plain",
        ),
        (
            "https://jira.example.com/a//b",
            "the context path must be plain",
        ),
    ] {
        let text = format!(
            "product = \"jira\"\nurl = \"{url}\"\n[[provider]]\nkind = \"custom\"\nissuer = \"https://i\"\naudience = \"a\"\n"
        );
        let problems = built(&text).problems;
        assert_eq!(problems.len(), 1, "{url} {problems:#?}");
        assert!(problems[0].message.contains(part), "{url} {}", problems[0]);
        assert_eq!(
            (problems[0].line, problems[0].column, &*problems[0].key),
            (2, 7, "url")
        );
    }
}

/// Each row is what stands in `[access]`, from line 7.
#[test]
fn problems_of_access() {
    let rows: &[(&str, &[Said])] = &[
        (
            "allow_groups = \"staff\"",
            &[(
                "8:16",
                "access.allow_groups",
                "expected an array of texts, found a text",
            )],
        ),
        (
            "allow_groups = [\"\"]",
            &[("8:17", "access.allow_groups[0]", "this is empty")],
        ),
        (
            "allow_networks = [\"10.0.0.0/33\", \"x\"]",
            &[
                (
                    "8:19",
                    "access.allow_networks[0]",
                    "\"10.0.0.0/33\" is no network",
                ),
                ("8:34", "access.allow_networks[1]", "\"x\" is no network"),
            ],
        ),
        (
            "allow_networks = [\"10.0.0.1/8\"]",
            &[(
                "8:19",
                "access.allow_networks[0]",
                "warning: the bits behind the prefix",
            )],
        ),
        (
            "deny_networks = [\"::ffff:10.0.0.0/104\"]",
            &[("8:18", "access.deny_networks[0]", "write \"10.0.0.0/8\"")],
        ),
        (
            "allow_networks = [\"10.0.0.0/8\"]\ndeny_networks = [\"10.0.0.0/8\"]",
            &[(
                "8:19",
                "access.allow_networks[0]",
                "warning: nobody passes here",
            )],
        ),
        (
            "public = [\"get /a\", \"FETCH /a\", \"GET a\"]",
            &[
                ("8:11", "access.public[0]", "did you mean GET?"),
                ("8:21", "access.public[1]", "\"FETCH\" is no method"),
                ("8:33", "access.public[2]", "does not start with '/'"),
            ],
        ),
        (
            "api_paths = [\"a\", \"/a/../b\", \"/a*\"]",
            &[
                ("8:14", "access.api_paths[0]", "no path prefix"),
                ("8:19", "access.api_paths[1]", "no path prefix"),
                ("8:30", "access.api_paths[2]", "no path prefix"),
            ],
        ),
        (
            "read_only = \"no\"\nanonymous = \"allow\"\nsessions = \"ask\"",
            &[
                ("8:13", "access.read_only", "without quotes"),
                ("9:13", "access.anonymous", "`deny` or `pass`"),
                ("10:12", "access.sessions", "`check` or `deny`"),
            ],
        ),
        (
            "mode = \"observe\"",
            &[("8:8", "access.mode", "warning: nothing is enforced")],
        ),
        (
            "mode = \"perhaps\"",
            &[("8:8", "access.mode", "`enforce` or `observe`")],
        ),
        (
            "moed = \"enforce\"",
            &[("8:1", "access.moed", "error: no such key")],
        ),
    ];
    for (lines, expected) in rows {
        let provider = "issuer = \"https://i\"\naudience = \"a\"\n";
        assert_said(
            &with_provider(&format!("{provider}[access]\n{lines}")),
            expected,
        );
    }
}

#[test]
fn columns_count_characters() {
    assert_said(
        "product = \"jira\"\nurl = \"https://x\"\nprovider = []\naccess = { allow_groups = [\"äöü\", \"\"] }\n",
        &[
            ("3:12", "provider", "warning"),
            ("4:35", "access.allow_groups[1]", "this is empty"),
        ],
    );
}

/// `parse::LOCAL` must know the parser's own words.
#[test]
fn a_local_error_hides_nothing() {
    assert_said(
        "product = jira\nurl = \"x\"\nprovider = []\n",
        &[
            ("1:11", "product", "write the value in quotes"),
            ("2:7", "url", "no URL of the form"),
            ("3:12", "provider", "warning"),
        ],
    );
}
