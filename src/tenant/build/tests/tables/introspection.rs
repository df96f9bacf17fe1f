//! Problems of how an issuer is asked.

use super::*;

/// Each row follows these lines, from line 7.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn problems_of_introspection() {
    let rows: &[(&str, &[Said])] = &[
        (
            "",
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
            "client_id = \"c\"\nclient_secret = \"hunter2\"",
            &[(
                "8:17",
                "provider[0].client_secret",
                "a secret never stands in a tenant file",
            )],
        ),
        (
            "client_id = \"c\"\nclient_secret = { value = \"hunter2\" }",
            &[
                ("8:17", "provider[0].client_secret", "exactly one place"),
                (
                    "8:19",
                    "provider[0].client_secret.value",
                    "known here: `credential`, `env` or `file`",
                ),
            ],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"A\", file = \"B\" }",
            &[("8:17", "provider[0].client_secret", "exactly one place")],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"POSTERN_TEST_NOT_SET\" }",
            &[(
                "8:17",
                "provider[0].client_secret",
                "\"POSTERN_TEST_NOT_SET\" is not set",
            )],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"A=B\" }",
            &[(
                "8:17",
                "provider[0].client_secret",
                "no name of an environment variable",
            )],
        ),
        (
            "client_id = \"c\"\nclient_secret = { credential = \"../x\" }",
            &[(
                "8:17",
                "provider[0].client_secret",
                "no name of a systemd credential",
            )],
        ),
        (
            "client_id = \"c\"\nclient_secret = { file = \"custom-public-key.pem\" }",
            &[(
                "8:17",
                "provider[0].client_secret",
                "holds more than one line",
            )],
        ),
        (
            "client_id = \"\"\nclient_secret = { env = \"PATH\" }\nclient_auth = \"basic\"",
            &[
                ("7:13", "provider[0].client_id", "this is empty"),
                (
                    "9:15",
                    "provider[0].client_auth",
                    "`client_secret_basic` or `client_secret_post`",
                ),
            ],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"PATH\" }\nintrospection_response = \"jwt\"",
            &[(
                "3:1",
                "provider[0].issuer",
                "only believed if they name their issuer",
            )],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"PATH\" }\nintrospection_response = \"jwt\"\nissuer = \"corp\"",
            &[("10:10", "provider[0].issuer", "no URL of the form")],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"PATH\" }\ntoken_prefix = \"a b\"",
            &[("9:16", "provider[0].token_prefix", "letters, digits and")],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"PATH\" }\ntoken_prefix = \"pst_x\"",
            &[("9:16", "provider[0].token_prefix", "Postern's own")],
        ),
        (
            "client_id = \"c\"\nclient_secret = { env = \"PATH\" }\nrequire_typ = \"x\"\nalgorithms = [\"RS256\"]\nstale_keys = \"1h\"\nintrospection_jwks_uri = \"https://i\"",
            &[
                (
                    "9:15",
                    "provider[0].require_typ",
                    "no effect where tokens are judged by introspection alone",
                ),
                (
                    "10:14",
                    "provider[0].algorithms",
                    "no effect where tokens are judged by introspection alone",
                ),
                (
                    "11:14",
                    "provider[0].stale_keys",
                    "no effect where no keys are fetched",
                ),
                (
                    "12:26",
                    "provider[0].introspection_jwks_uri",
                    "no effect without `introspection_response = \"jwt\"`",
                ),
            ],
        ),
    ];
    for (lines, expected) in rows {
        let endpoint = "audience = \"a\"\nintrospection_endpoint = \"https://i.example/x\"\n";
        assert_said(&with_provider(&format!("{endpoint}{lines}")), expected);
    }
    assert_said(
        &with_provider(
            "introspection_endpoint = \"https://i\"\nclient_id = \"c\"\nclient_secret = { env = \"PATH\" }",
        ),
        &[(
            "5:26",
            "provider[0].introspection_endpoint",
            "warning: without an audience, any token passes",
        )],
    );
    assert_said(
        &with_provider("introspection_endpoint = 5\nclient_id = \"c\""),
        &[(
            "5:26",
            "provider[0].introspection_endpoint",
            "expected a text",
        )],
    );
    assert_said(
        &with_provider(
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { file = \"custom-public-key.pem\" }\nclient_id = \"c\"\nca = { file = \"corp-ca.pem\" }\ntoken_prefix = \"x\"\nstale_keys = \"1h\"",
        ),
        &[
            (
                "8:13",
                "provider[0].client_id",
                "no effect without `introspection_endpoint`",
            ),
            (
                "9:6",
                "provider[0].ca",
                "no effect where nothing is fetched or asked",
            ),
            (
                "10:16",
                "provider[0].token_prefix",
                "no effect where signatures are checked",
            ),
            (
                "11:14",
                "provider[0].stale_keys",
                "no effect where no keys are fetched",
            ),
        ],
    );
}
