//! Problems that only a kind of provider has.

use clap::ValueEnum as _;

use super::*;
use crate::{
    provider::{Kind, preset::COMMON_KEYS},
    tenant::schema::schema,
};

mod cognito;
mod entra;
mod keycloak;
mod okta;

/// A file with one provider of a kind, whose lines start in line 5.
fn of_kind(kind: &str, lines: &str) -> String {
    format!("{HEAD}[[provider]]\nkind = \"{kind}\"\n{lines}\n")
}

const GUID: &str = "tenant_ids = [\"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\"]\naudience = [\"a\"]";
const TWO: &str = "tenant_ids = [\"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\", \"fa15d692-e9c7-4460-a743-29f295222229\"]\naudience = [\"a\"]";

/// Every key that a kind takes no notice of is an error there, so that nobody relies on it.
#[test]
fn a_key_of_another_kind_has_no_effect() {
    let keys = &schema()["properties"]["provider"]["items"]["properties"];
    for kind in Kind::value_variants() {
        let (preset, word) = (kind.preset(), kind.as_str());
        for key in keys.as_object().expect("an object").keys() {
            let taken = preset.takes.contains(&key.as_str()) || COMMON_KEYS.contains(&key.as_str());
            let value = match key.as_str() {
                "id_tokens" | "introspection" => "true",
                "client_secret" => "{ env = \"PATH\" }",
                "public_key" | "certificate" => "{ file = \"custom-public-key.pem\" }",
                "tenant_ids" | "clients" | "teams" | "hosted_domains" | "organizations" => {
                    "[\"x\"]"
                }
                "algorithms" => "[\"ES256\"]",
                "client_auth" => "\"client_secret_post\"",
                "introspection_response" => "\"jwt\"",
                "cloud" => "\"china\"",
                "stale_keys" => "\"1h\"",
                _ => "\"https://x.example\"",
            };
            if taken {
                continue;
            }
            let problems = built(&of_kind(word, &format!("{key} = {value}"))).problems;
            let message = format!("this has no effect with kind = \"{word}\"");
            let key = format!("provider[0].{key}");
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.key == key && problem.message == message),
                "{word} {key} {problems:#?}"
            );
        }
    }
}

/// Where no token is a machine's, nobody's service account would ever be used.
#[test]
fn service_accounts_are_for_kinds_that_have_machines() {
    for kind in Kind::value_variants() {
        let preset = kind.preset();
        let has_machines = !(preset.machine.is_empty() && preset.machine_answers.is_empty());
        let text = of_kind(kind.as_str(), "service_accounts = { ci = \"svc-ci\" }");
        let problems = built(&text).problems;
        let said = problems.iter().any(|problem| {
            problem.key == "provider[0].service_accounts"
                && problem.message
                    == "this has no effect with a kind that issues no tokens to machines"
        });
        assert_eq!(said, !has_machines, "{text}{problems:#?}");
    }
}

/// Each row follows these lines, from line 7.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn problems_of_who_may_be_named() {
    let rows: &[(&str, &[Said])] = &[
        (
            "username = []",
            &[(
                "7:12",
                "provider[0].username",
                "with no claim, no token names an account",
            )],
        ),
        (
            "username_case = \"upper\"",
            &[(
                "7:17",
                "provider[0].username_case",
                "\"upper\" is not known here",
            )],
        ),
        (
            "username_map = [{ match = '^(.+)@example\\.com$' }, { to = \"$1\" }]",
            &[
                (
                    "7:17",
                    "provider[0].username_map[0].to",
                    "a rule says what matches, and which account that is",
                ),
                (
                    "7:52",
                    "provider[0].username_map[1].match",
                    "a rule says what matches",
                ),
            ],
        ),
        (
            "username_map = [{ match = '^(.+$', to = \"$1\" }]",
            &[(
                "7:27",
                "provider[0].username_map[0].match",
                "error: this is no regular expression: unclosed group",
            )],
        ),
        (
            "username_map = [{ match = '^(?=a)(.+)$', to = \"$1\" }]",
            &[("7:27", "provider[0].username_map[0].match", "look-around")],
        ),
        (
            "username_map = [{ match = '^(\\w{1000}){1000}$', to = \"$1\" }]",
            &[(
                "7:27",
                "provider[0].username_map[0].match",
                "it is too large",
            )],
        ),
        (
            "username_map = [{ match = '(.+)@example\\.com', to = \"$1\" }]",
            &[(
                "7:27",
                "provider[0].username_map[0].match",
                "warning: this matches parts of a name, whatever stands before and after | write ^ at its start",
            )],
        ),
        (
            "username_map = [{ match = '^(.+)@example\\.com$', to = \"$2\" }]",
            &[(
                "7:55",
                "provider[0].username_map[0].to",
                "the expression has no group \"2\"",
            )],
        ),
        (
            "username_map = [{ match = '^(.+)$', to = \"$1_x\" }]",
            &[(
                "7:42",
                "provider[0].username_map[0].to",
                "no group \"1_x\", so that nothing would stand there | `$1` is the first group; where letters or digits follow, write `${1}`",
            )],
        ),
        (
            "accounts = [\"\", \" ada\"]",
            &[
                ("7:13", "provider[0].accounts[0]", "error"),
                ("7:17", "provider[0].accounts[1]", "error"),
            ],
        ),
        (
            "service_accounts = { ci = \"\", build = \" b\" }",
            &[
                ("7:27", "provider[0].service_accounts.ci", "this is empty"),
                (
                    "7:39",
                    "provider[0].service_accounts.build",
                    "starts or ends with a space",
                ),
            ],
        ),
        (
            "service_accounts = { ci = 5 }",
            &[(
                "7:27",
                "provider[0].service_accounts.ci",
                "expected a text, found a whole number",
            )],
        ),
        (
            "service_accounts = [\"ci\"]",
            &[("7:20", "provider[0].service_accounts", "expected")],
        ),
    ];
    for (lines, expected) in rows {
        let head = "issuer = \"https://sso.example.com/realms/corp\"\naudience = \"a\"\n";
        assert_said(&of_kind("keycloak", &format!("{head}{lines}")), expected);
    }
}

/// A partner's provider must not say `admin`, of whichever kinds the two are.
#[test]
fn with_several_providers_each_says_whom_it_may_name() {
    let entra = format!("[[provider]]\nkind = \"entra\"\n{GUID}\n");
    let keycloak =
        "[[provider]]\nkind = \"keycloak\"\nissuer = \"https://sso\"\naudience = \"a\"\n";
    let message = "error: with several providers, each could name the other's accounts, `admin` too | write which accounts";
    assert_said(
        &format!("{HEAD}{entra}{keycloak}"),
        &[
            ("3:1", "provider[0].accounts", message),
            ("7:1", "provider[1].accounts", message),
        ],
    );
    assert_said(
        &format!("{HEAD}{entra}accounts = [\"*\"]\n{keycloak}accounts = [\"ext-*\"]\n"),
        &[],
    );
    // Two directories of one issuer's kind are two providers like any others.
    assert_said(
        &format!("{HEAD}{entra}accounts = [\"*\"]\n{entra}accounts = [\"*\"]\nname = \"b\"\n"),
        &[(
            "10:14",
            "provider[1].tenant_ids",
            "provider[0] already has this issuer",
        )],
    );
}
