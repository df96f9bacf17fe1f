//! Problems that only a kind of provider has.

use clap::ValueEnum as _;

use super::*;
use crate::{
    provider::{Kind, preset::COMMON_KEYS},
    tenant::schema::schema,
};

/// A file with one provider of a kind, whose lines start in line 5.
fn of_kind(kind: &str, lines: &str) -> String {
    format!("{HEAD}[[provider]]\nkind = \"{kind}\"\n{lines}\n")
}

const GUID: &str = "tenant_ids = [\"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\"]\naudience = [\"a\"]";
const TWO: &str = "tenant_ids = [\"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\", \"fa15d692-e9c7-4460-a743-29f295222229\"]\naudience = [\"a\"]";

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn problems_of_entra() {
    let rows: &[(String, &[Said])] = &[
        (GUID.to_owned(), &[]),
        (
            String::new(),
            &[
                (
                    "3:1",
                    "provider[0].tenant_ids",
                    "error: Entra ID has as many issuers as customers, so it takes to say whose users may come | write tenant_ids = [",
                ),
                (
                    "3:1",
                    "provider[0].audience",
                    "error: without an audience, a token that the issuer made",
                ),
            ],
        ),
        (
            "tenant_ids = []\naudience = [\"a\"]".to_owned(),
            &[("5:14", "provider[0].tenant_ids", "as many issuers as customers")],
        ),
        (
            "tenant_ids = 5\naudience = [\"a\"]".to_owned(),
            &[("5:14", "provider[0].tenant_ids", "expected an array of texts")],
        ),
        (
            "tenant_ids = [\"common\", \"8EAEF023-2b34-4da1-9baa-8bc8c9d6a490\"]\naudience = [\"a\"]".to_owned(),
            &[
                (
                    "5:14",
                    "provider[0].tenant_ids",
                    "error: \"common\" is no directory id | write tenant_ids = [",
                ),
                (
                    "5:14",
                    "provider[0].tenant_ids",
                    "holds capitals, and tokens carry it in lower case",
                ),
            ],
        ),
        (
            GUID.replace("490\"]", "490\", \"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\"]"),
            &[(
                "5:14",
                "provider[0].tenant_ids",
                "warning: \"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\" stands here twice",
            )],
        ),
        (
            "tenant_ids = [\"9188040d-6c67-4c5b-b112-36a304b66dad\"]\naudience = [\"a\"]".to_owned(),
            &[(
                "5:14",
                "provider[0].tenant_ids",
                "warning: this is the directory of all personal Microsoft accounts",
            )],
        ),
        (
            TWO.to_owned(),
            &[(
                "3:1",
                "provider[0].accounts",
                "error: each of these directories says what its users are called, so that each could name the others' accounts, `admin` too | write a username_map",
            )],
        ),
        (format!("{TWO}\naccounts = [\"*\"]"), &[]),
        (
            format!("{TWO}\nusername_map = [{{ match = '^(.+)@example\\.com$', to = \"$1\" }}]"),
            &[],
        ),
        (
            format!("{GUID}\nusername = \"email\""),
            &[(
                "7:12",
                "provider[0].username",
                "warning: an administrator of the directory, and in some a user, can set any address",
            )],
        ),
        (
            format!("{TWO}\naccounts = [\"*\"]\nusername = [\"upn\", \"email\"]"),
            &[(
                "8:12",
                "provider[0].username",
                "error: any directory can give any of its users any address",
            )],
        ),
        (
            format!("{GUID}\nusername = \"unique_name\""),
            &[(
                "7:12",
                "provider[0].username",
                "warning: this is for people to read: two users may share it",
            )],
        ),
        (
            format!("{GUID}\ncloud = \"germany\""),
            &[("7:9", "provider[0].cloud", "\"germany\" is not known here")],
        ),
        (
            format!("{GUID}\nissuer = \"https://login.microsoftonline.com/common/v2.0\""),
            &[(
                "7:10",
                "provider[0].issuer",
                "error: this has no effect with kind = \"entra\" | remove it",
            )],
        ),
        (
            format!("{GUID}\naudience = \"any\"").replacen("audience = [\"a\"]\n", "", 1),
            &[(
                "6:12",
                "provider[0].audience",
                "warning: a token that the issuer made for any other application passes, too",
            )],
        ),
    ];
    for (lines, expected) in rows {
        assert_said(&of_kind("entra", lines), expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn problems_of_keycloak() {
    let issuer = "issuer = \"https://sso.example.com/realms/corp\"";
    let client = "client_id = \"c\"\nclient_secret = { env = \"PATH\" }";
    let unbound: &[Said] = &[(
        "3:1",
        "provider[0].audience",
        "error: without an audience, a token that the issuer made for any other application would pass | write audience = [\"…\"] as tokens carry it in `aud` (in Keycloak by an audience mapper), or clients",
    )];
    let rows: &[(String, &[Said])] = &[
        (format!("{issuer}\naudience = [\"jira-api\"]"), &[]),
        (format!("{issuer}\nclients = [\"frontend\"]"), &[]),
        (
            format!("{issuer}\nclients = [\"frontend\"]\nintrospection = true\n{client}"),
            &[],
        ),
        (issuer.to_owned(), unbound),
        (format!("{issuer}\nclients = []"), unbound),
        // The endpoint answers about every client's tokens, up to 26.6.1.
        (format!("{issuer}\nintrospection = true\n{client}"), unbound),
        (
            format!("{issuer}\naudience = \"a\"\nintrospection = true"),
            &[
                (
                    "3:1",
                    "provider[0].client_id",
                    "answers only those that it knows",
                ),
                ("3:1", "provider[0].client_secret", "prove who they are"),
            ],
        ),
        (
            format!("{issuer}\naudience = \"a\"\n{client}"),
            &[
                (
                    "7:13",
                    "provider[0].client_id",
                    "this has no effect without `introspection_endpoint`",
                ),
                (
                    "8:17",
                    "provider[0].client_secret",
                    "this has no effect without",
                ),
            ],
        ),
        (
            "audience = \"a\"\nintrospection = true".to_owned(),
            &[(
                "3:1",
                "provider[0].issuer",
                "nothing says what proves a token",
            )],
        ),
        (
            "issuer = []\naudience = \"a\"".to_owned(),
            &[(
                "5:10",
                "provider[0].issuer",
                "with no issuer, no token can pass",
            )],
        ),
        (
            "issuer = [\"https://a\", \"https://b\"]\naudience = \"a\"".to_owned(),
            &[(
                "5:10",
                "provider[0].issuer",
                "a provider of this kind has one issuer",
            )],
        ),
        (
            format!("{issuer}\naudience = [\"account\"]"),
            &[(
                "6:12",
                "provider[0].audience",
                "warning: every user's token is for `account`, whichever client got it | write audience",
            )],
        ),
        (
            format!("{issuer}\naudience = \"a\"\nusername = \"email\""),
            &[(
                "7:12",
                "provider[0].username",
                "warning: users may change this in Keycloak's account console",
            )],
        ),
        (
            format!("{issuer}\naudience = \"a\"\ntenant_ids = []\nuser_pool_id = \"x\""),
            &[
                (
                    "7:14",
                    "provider[0].tenant_ids",
                    "this has no effect with kind = \"keycloak\"",
                ),
                (
                    "8:16",
                    "provider[0].user_pool_id",
                    "this has no effect with kind = \"keycloak\"",
                ),
            ],
        ),
    ];
    for (lines, expected) in rows {
        assert_said(&of_kind("keycloak", lines), expected);
    }
}

#[test]
fn problems_of_okta() {
    let custom = "issuer = \"https://example.okta.com/oauth2/default\"";
    let org = "issuer = \"https://example.okta.com\"";
    let asked = "introspection = true\nclient_id = \"c\"\nclient_secret = { env = \"PATH\" }";
    let no_clients: &[Said] = &[(
        "3:1",
        "provider[0].clients",
        "error: tokens of every application of the organisation look alike, but for their client | write clients",
    )];
    let rows: &[(String, &[Said])] = &[
        (format!("{custom}\naudience = [\"api://jira\"]"), &[]),
        (format!("{org}\nclients = [\"0oa1\"]\n{asked}"), &[]),
        (format!("{custom}\naudience = \"a\"\n{asked}"), &[]),
        (
            custom.to_owned(),
            &[("3:1", "provider[0].audience", "without an audience")],
        ),
        (
            format!("{org}\naudience = \"a\""),
            &[(
                "3:1",
                "provider[0].introspection",
                "error: this is the organisation's own authorization server, whose access tokens nobody but Okta can verify (their keys are not published) | write introspection = true",
            )],
        ),
        (
            format!("{org}\naudience = \"a\"\nintrospection = false"),
            &[("7:17", "provider[0].introspection", "nobody but Okta can verify")],
        ),
        // Its audience is the organisation, for all of its tokens.
        (format!("{org}\naudience = \"https://example.okta.com\"\n{asked}"), no_clients),
        (format!("{org}\naudience = \"a\"\nclients = []\n{asked}"), &[(
            "7:11",
            "provider[0].clients",
            "look alike, but for their client",
        )]),
        (
            format!("{org}\nclients = [\"0oa1\"]\n{asked}\naudience = \"a\"\njwks_uri = \"https://example.okta.com/oauth2/v1/keys\""),
            &[(
                "11:12",
                "provider[0].jwks_uri",
                "error: the keys of the organisation's own authorization server verify no access token",
            )],
        ),
        (
            "issuer = \"https://example-admin.okta.com/oauth2/default\"\naudience = \"a\"".to_owned(),
            &[("5:10", "provider[0].issuer", "error: this is the admin console's host")],
        ),
        (
            "issuer = [\"https://example.okta.com/oauth2/default\", \"https://example.okta.com/oauth2/aus1\"]\naudience = \"a\"".to_owned(),
            &[("5:10", "provider[0].issuer", "error: these are several authorization servers")],
        ),
        (
            format!("issuer = [\"https://a.okta.com/oauth2/default\", \"https://b.example/oauth2/default\"]\naudience = \"a\"\n{asked}"),
            &[
                (
                    "7:17",
                    "provider[0].introspection",
                    "error: with several issuers it does not follow whom to ask | write introspection_endpoint",
                ),
                ("8:13", "provider[0].client_id", "this has no effect without `introspection_endpoint`"),
                ("9:17", "provider[0].client_secret", "this has no effect without"),
            ],
        ),
        (
            format!("{custom}\naudience = \"a\"\nusername = \"email\""),
            &[("7:12", "provider[0].username", "warning: users may change this in their own profile")],
        ),
        (
            format!("{custom}\naudience = \"a\"\nrequire_typ = \"at+jwt\""),
            &[("7:15", "provider[0].require_typ", "this has no effect with kind = \"okta\"")],
        ),
    ];
    for (lines, expected) in rows {
        assert_said(&of_kind("okta", lines), expected);
    }
}

#[test]
fn problems_of_cognito() {
    let pool = "user_pool_id = \"eu-central-1_AbCdEfGhI\"";
    let clients = "clients = [\"57cb\"]";
    let rows: &[(String, &[Said])] = &[
        (format!("{pool}\n{clients}"), &[]),
        (
            format!(
                "user_pool_id = \"cn-north-1_AbC\"\n{clients}\nissuer = \"https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_AbC\""
            ),
            &[],
        ),
        (
            String::new(),
            &[
                (
                    "3:1",
                    "provider[0].user_pool_id",
                    "error: it takes the user pool to know issuer and keys | write user_pool_id",
                ),
                (
                    "3:1",
                    "provider[0].clients",
                    "error: access tokens carry no audience, so that those of every app client of the pool would pass",
                ),
            ],
        ),
        (
            format!("user_pool_id = \"AbCdEfGhI\"\n{clients}"),
            &[(
                "5:16",
                "provider[0].user_pool_id",
                "error: \"AbCdEfGhI\" is no user pool's id",
            )],
        ),
        (
            format!(
                "user_pool_id = \"eu-central-1_AbC\"\n{clients}\nissuer = \"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other\""
            ),
            &[(
                "7:10",
                "provider[0].issuer",
                "error: this is not the issuer of the user pool \"eu-central-1_AbC\"",
            )],
        ),
        (
            format!("user_pool_id = \"cn-north-1_AbC\"\n{clients}"),
            &[(
                "3:1",
                "provider[0].issuer",
                "error: the issuers of this partition are not known here",
            )],
        ),
        (
            format!("{pool}\nclients = []"),
            &[("6:11", "provider[0].clients", "would pass | write clients")],
        ),
        (
            format!("{pool}\n{clients}\nusername = \"preferred_username\""),
            &[(
                "7:12",
                "provider[0].username",
                "warning: users may write this attribute themselves, unless the app client forbids it, and so become whom they like",
            )],
        ),
        (
            format!("{pool}\n{clients}\nusername = [\"cognito:username\", \"custom:account\"]"),
            &[(
                "7:12",
                "provider[0].username",
                "warning: users may write this attribute themselves",
            )],
        ),
        (
            format!("{pool}\n{clients}\nusername = [\"cognito:username\", \"sub\"]"),
            &[],
        ),
        (
            format!("{pool}\n{clients}\nintrospection = true"),
            &[(
                "7:17",
                "provider[0].introspection",
                "this has no effect with kind = \"cognito\"",
            )],
        ),
    ];
    for (lines, expected) in rows {
        assert_said(&of_kind("cognito", lines), expected);
    }
}

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
