//! `[[access.rule]]`, and the keys of `[access]` about credentials that are not ours.

use super::*;

/// Each row is what stands in `[access]`, from line 8, of a file with the provider `custom`.
#[test]
fn problems_of_rules() {
    let rows: &[(&str, &[Said])] = &[
        (
            "[[access.rule]]\nmethods = [\"get\", \"FETCH\"]\npath = \"rest\"",
            &[
                ("9:12", "access.rule[0].methods[0]", "did you mean GET?"),
                (
                    "9:19",
                    "access.rule[0].methods[1]",
                    "\"FETCH\" is no method",
                ),
                ("10:8", "access.rule[0].path", "does not start with '/'"),
            ],
        ),
        (
            "[[access.rule]]\neffect = \"deny\"",
            &[("8:1", "access.rule[0].path", "which calls it is about")],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x\"\neffect = \"refuse\"\ngroup = [\"a\"]",
            &[
                (
                    "10:10",
                    "access.rule[0].effect",
                    "write one of `allow` or `deny`",
                ),
                ("11:1", "access.rule[0].group", "did you mean `groups`?"),
            ],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x\"\ngroups = []",
            &[(
                "10:10",
                "access.rule[0].groups",
                "error: this lists nothing",
            )],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x\"",
            &[("8:1", "access.rule[0]", "warning: this rule asks nothing")],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x\"\nproviders = [\"custm\"]\nscopes = [\"a b\"]",
            &[
                (
                    "10:14",
                    "access.rule[0].providers[0]",
                    "did you mean \"custom\"?",
                ),
                (
                    "11:11",
                    "access.rule[0].scopes[0]",
                    "no token has such a scope",
                ),
            ],
        ),
        (
            "[[access.rule]]\npath = \"/REST/x\"\ngroups = [\"a\"]",
            &[("9:8", "access.rule[0].path", "warning: no path of the API")],
        ),
        (
            "public = [\"/browse/**\"]",
            &[("8:11", "access.public[0]", "warning: this changes nothing")],
        ),
        (
            "open = [\"PSOT /rest/x\"]",
            &[("8:9", "access.open[0]", "did you mean POST?")],
        ),
        (
            "public = [\"GET /rest/x/a\"]\n[[access.rule]]\npath = \"/rest/x/**\"\nmethods = [\"GET\"]\neffect = \"deny\"",
            &[("8:11", "access.public[0]", "access.rule[0] denies it")],
        ),
        // Another method is not denied.
        (
            "public = [\"GET /rest/x/a\"]\n[[access.rule]]\npath = \"/rest/x/**\"\nmethods = [\"POST\"]\neffect = \"deny\"",
            &[],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x/*\"\ngroups = [\"a\"]\n[[access.rule]]\npath = \"/rest/**\"\neffect = \"deny\"",
            &[(
                "8:1",
                "access.rule[0]",
                "warning: nobody is let by: access.rule[1] denies it",
            )],
        ),
        (
            "[[access.rule]]\npath = \"/rest/x\"\ngroups = [\"a\"]\n[[access.rule]]\npath = \"/rest/x\"\ngroups = [\"a\", \"b\"]\neffect = \"deny\"",
            &[("8:1", "access.rule[0]", "warning: nobody is let by")],
        ),
        // Members of `c` are let by.
        (
            "[[access.rule]]\npath = \"/rest/x\"\ngroups = [\"a\", \"c\"]\n[[access.rule]]\npath = \"/rest/x\"\ngroups = [\"a\"]\neffect = \"deny\"",
            &[],
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

/// Paths are those below the context path, which a rule does not repeat.
#[test]
fn a_pattern_that_repeats_the_context_path_is_found() {
    let text = "product = \"jira\"\nurl = \"https://x/jira\"\n[[provider]]\nkind = \"custom\"\nissuer = \"https://i\"\naudience = \"a\"\n\
        [access]\npublic = [\"/jira/rest/x\"]\n[[access.rule]]\npath = \"/jira/rest/**\"\ngroups = [\"a\"]\n";
    assert_said(
        text,
        &[
            ("8:11", "access.public[0]", "write \"/rest/x\""),
            ("10:8", "access.rule[0].path", "write \"/rest/**\""),
        ],
    );
}

/// Groups and scopes that no provider tells can be asked of nobody; two providers prove nobody together.
#[test]
fn what_no_provider_can_meet_is_found() {
    let two = |access: &str| {
        format!(
            "{HEAD}[[provider]]\nkind = \"slack\"\nteams = [\"T0R7GR\"]\naccounts = [\"*\"]\nclient_id = \"1.2\"\naudience = [\"1.2\"]\n\
             [[provider]]\nkind = \"custom\"\nissuer = \"https://i\"\naudience = \"a\"\naccounts = [\"b-*\"]\n[access]\n{access}\n"
        )
    };
    let warnings = |access: &str| -> Vec<String> {
        let said = built(&two(access)).problems;
        let of_access = said
            .iter()
            .filter(|problem| problem.key.starts_with("access."));
        of_access
            .map(|problem| format!("{}: {}", problem.key, problem.message))
            .collect()
    };
    assert_eq!(warnings("allow_groups = [\"staff\"]"), [""; 0]);
    let rule = |providers: &str, asks: &str| {
        warnings(&format!(
            "[[access.rule]]\npath = \"/rest/x\"\nproviders = [{providers}]\n{asks}"
        ))
    };
    assert_eq!(
        rule("\"custom\"", "groups = [\"a\"]\nscopes = [\"b\"]"),
        [""; 0]
    );
    let found = rule("\"slack\"", "groups = [\"a\"]\nscopes = [\"b\"]");
    assert!(
        found[0].starts_with("access.rule[0].groups: nobody is in a"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("access.rule[0].scopes: nobody holds"),
        "{found:?}"
    );
    let found = warnings(
        "[[access.rule]]\npath = \"/rest/**\"\nproviders = [\"slack\"]\n[[access.rule]]\npath = \"/rest/x\"\nproviders = [\"custom\"]",
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("asks for another provider"), "{found:?}");
}

/// Passwords, tokens and schemes that are the product's business.
#[test]
fn problems_of_other_credentials() {
    let rows: &[(&str, &[Said])] = &[
        (
            "pass_schemes = [\"bearer\", \"Basic\", \"a b\", \"Negotiate\"]",
            &[
                (
                    "8:17",
                    "access.pass_schemes[0]",
                    "write product_tokens = \"pass\"",
                ),
                (
                    "8:27",
                    "access.pass_schemes[1]",
                    "write passwords = \"pass\"",
                ),
                ("8:36", "access.pass_schemes[2]", "is no name of a scheme"),
            ],
        ),
        (
            "passwords = \"pass\"\npassword_networks = [\"10.0.0.0/8\"]\nbreak_glass = [\"admin\"]",
            &[
                (
                    "9:21",
                    "access.password_networks",
                    "warning: this has no effect",
                ),
                ("10:15", "access.break_glass", "warning: this has no effect"),
            ],
        ),
        (
            "password_accounts = [\"*\"]\nbreak_glass = [\"*\"]",
            &[
                (
                    "8:21",
                    "access.password_accounts",
                    "warning: this is everybody",
                ),
                ("9:15", "access.break_glass", "warning: this is everybody"),
            ],
        ),
        (
            "password_accounts = [\"*\"]\npassword_networks = [\"10.0.0.0/8\"]",
            &[],
        ),
        (
            "password_networks = [\"10\"]\npassword_accounts = [\"\"]",
            &[
                ("8:22", "access.password_networks[0]", "is no network"),
                ("9:22", "access.password_accounts[0]", "this is empty"),
            ],
        ),
        (
            "token_endpoints = \"pass\"",
            &[(
                "8:19",
                "access.token_endpoints",
                "warning: a token of limited scope",
            )],
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

/// A token of the product would be sent to a provider that is asked about all opaque tokens.
#[test]
fn the_products_tokens_are_not_sent_to_a_provider() {
    let file = |prefix: &str| {
        with_provider(&format!(
            "introspection_endpoint = \"https://i/x\"\nclient_id = \"c\"\nclient_secret = {{ env = \"PATH\" }}\naudience = \"a\"\n{prefix}\n[access]\nproduct_tokens = \"pass\""
        ))
    };
    assert_eq!(built(&file("token_prefix = \"ci_\"")).problems.len(), 0);
    let said = built(&file("")).problems;
    assert!(
        said[0].message.contains("gets to see the product's"),
        "{said:?}"
    );
}
