//! `[api_tokens]`.

use super::{Said, assert_said};

/// Each row is the section, from line 3 on, of a file without providers but where it adds one.
#[test]
fn problems_of_api_tokens() {
    let rows: &[(&str, &[Said])] = &[
        ("[api_tokens]\nenabled = true", &[]),
        (
            "[api_tokens]\nenabled = false",
            &[("1:1", "provider", "or [api_tokens] with enabled = true")],
        ),
        (
            "[api_tokens]\nmax_per_user = 5",
            &[
                ("1:1", "provider", "no provider"),
                ("3:1", "api_tokens", "no effect without enabled = true"),
            ],
        ),
        (
            "[api_tokens]\nenabled = true\nmax_lifetime = \"30\"",
            &[("5:16", "api_tokens.max_lifetime", "as in \"30s\"")],
        ),
        (
            "[api_tokens]\nenabled = true\nmax_lifetime = \"0s\"",
            &[("5:16", "api_tokens.max_lifetime", "must lie between")],
        ),
        (
            "[api_tokens]\nenabled = true\nmax_lifetime = \"11y\"",
            &[("5:16", "api_tokens.max_lifetime", "must lie between")],
        ),
        (
            "[api_tokens]\nenabled = true\nmax_per_user = 0",
            &[("5:16", "api_tokens.max_per_user", "between 1 and 10000")],
        ),
        (
            "[api_tokens]\nenabled = true\nmax_per_user = -1",
            &[("5:16", "api_tokens.max_per_user", "between 1 and 10000")],
        ),
        (
            "[api_tokens]\nenabled = true\ndefault_scope = \"admin\"",
            &[("5:17", "api_tokens.default_scope", "is not known here")],
        ),
        (
            "[api_tokens]\nenabled = true\ngroups = [\"\"]",
            &[("5:11", "api_tokens.groups[0]", "is empty")],
        ),
        // Self-service that nobody can use.
        (
            "[api_tokens]\nenabled = true\nself_service = true",
            &[("5:16", "api_tokens.self_service", "nobody can use this")],
        ),
        ("[api_tokens]\nenabled = true\nself_service = false", &[]),
        (
            "[api_tokens]\nenabled = false\nself_service = true",
            &[
                ("1:1", "provider", "no provider"),
                (
                    "5:16",
                    "api_tokens.self_service",
                    "no effect with enabled = false",
                ),
            ],
        ),
        (
            "[api_tokens]\nenabled = true\nself_service = true\n[[provider]]\nkind = \"custom\"\nissuer = \"https://sso.example.com\"\naudience = [\"jira\"]",
            &[],
        ),
        (
            "[api_tokens]\nenabled = true\nlifetime = \"1d\"",
            &[("5:1", "api_tokens.lifetime", "did you mean `max_lifetime`?")],
        ),
    ];
    for (section, expected) in rows {
        let text = format!("product = \"jira\"\nurl = \"https://x\"\n{section}\n");
        assert_said(&text, expected);
    }
}
