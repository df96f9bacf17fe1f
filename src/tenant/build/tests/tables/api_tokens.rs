//! `[api_tokens]`.

use super::*;

const FILE: &str = "product = \"jira\"\nurl = \"https://x\"\n";
const PROVIDER: &str = "[[provider]]\nkind = \"custom\"\nissuer = \"https://sso.example.com\"\naudience = [\"jira\"]\n";

/// Self-service that nobody can use is said to be so.
#[test]
fn problems_of_self_service() {
    let off = "[api_tokens]\nenabled = false\nself_service = true\n";
    let on = off.replace("false", "true");
    let silent = "[api_tokens]\nself_service = true\n";
    let rows: &[(String, &[Said])] = &[
        (format!("{FILE}{on}{PROVIDER}"), &[]),
        (
            format!("{FILE}{off}{PROVIDER}"),
            &[(
                "5:16",
                "api_tokens.self_service",
                "warning: this has no effect with enabled = false",
            )],
        ),
        (
            format!("{FILE}{silent}{PROVIDER}"),
            &[("3:2", "api_tokens", "warning: there are no API tokens")],
        ),
        (
            format!("{FILE}{on}"),
            &[(
                "5:16",
                "api_tokens.self_service",
                "warning: nobody can use this",
            )],
        ),
    ];
    for (text, expected) in rows {
        assert_said(text, expected);
    }
}
