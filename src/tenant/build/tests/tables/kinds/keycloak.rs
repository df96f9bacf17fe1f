//! Problems of Keycloak.

use super::*;

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
