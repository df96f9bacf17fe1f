//! Problems of one provider, whatever proves its tokens, and problems between providers.

use super::*;

/// Each row is what stands in a `[[provider]]`, from line 5.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn problems_of_a_provider() {
    let rows: &[(&str, &[Said])] = &[
        (
            "",
            &[
                (
                    "3:1",
                    "provider[0].issuer",
                    "nothing says what proves a token",
                ),
                (
                    "3:1",
                    "provider[0].audience",
                    "without an audience, a token that the issuer made",
                ),
            ],
        ),
        (
            "isuer = \"https://i\"\naudience = \"any\"",
            &[
                ("5:1", "provider[0].isuer", "did you mean `issuer`?"),
                (
                    "6:12",
                    "provider[0].audience",
                    "warning: a token that the issuer made for any other",
                ),
            ],
        ),
        (
            "issuer = \" https://i\"\naudience = [\"\", \"a\", \"a\", 5]",
            &[
                ("5:10", "provider[0].issuer", "starts or ends with a space"),
                (
                    "6:27",
                    "provider[0].audience[3]",
                    "expected a text, found a whole number",
                ),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = [\"\", \"a\", \"a\", \"any\"]",
            &[
                (
                    "6:12",
                    "provider[0].audience",
                    "warning: in an array, \"any\" is an audience of that name",
                ),
                ("6:13", "provider[0].audience[0]", "error: this is empty"),
                (
                    "6:22",
                    "provider[0].audience[2]",
                    "warning: this stands here twice",
                ),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = []",
            &[("6:12", "provider[0].audience", "no token can pass")],
        ),
        (
            "issuer = \"https://i\"\naudience = 5",
            &[(
                "6:12",
                "provider[0].audience",
                "expected a text or an array of texts, found a whole number",
            )],
        ),
        (
            "issuer = \"http://i.example\"\naudience = \"a\"",
            &[("5:10", "provider[0].issuer", "must be https")],
        ),
        (
            "issuer = \"https://i/?x\"\naudience = \"a\"",
            &[("5:10", "provider[0].issuer", "has no query")],
        ),
        (
            "issuer = \"corp\"\naudience = \"a\"\njwks_uri = \"http://i.example\"",
            &[("7:12", "provider[0].jwks_uri", "must be https")],
        ),
        // Nothing is said to be in vain that only a slip has left so.
        (
            "issuer = \"i\"\naudience = \"a\"\njwks_url = \"https://i\"\nrequire_typ = \"jwt\"\nstale_keys = \"1h\"\nintrospection_endpoint = \"https://i\"\nclient_id = \"c\"\nclient_secret = { env = \"PATH\" }",
            &[("7:1", "provider[0].jwks_url", "did you mean `jwks_uri`?")],
        ),
        (
            "audience = \"a\"\njwks_uri = \"https://i.example\"",
            &[("3:1", "provider[0].issuer", "only together with the issuer")],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\njwks_uri = \"https://i\"\npublic_key = { file = \"custom-public-key.pem\" }",
            &[(
                "7:12",
                "provider[0].jwks_uri",
                "already come from `public_key`",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { file = \"none.pem\" }",
            &[(
                "7:14",
                "provider[0].public_key",
                "the file \"none.pem\" can't be read: No such file or directory",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { file = \".\" }",
            &[(
                "7:14",
                "provider[0].public_key",
                "the file \".\" is no regular file",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { path = \"x.pem\" }",
            &[(
                "7:16",
                "provider[0].public_key.path",
                "did you mean `file`?",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = {}",
            &[("7:14", "provider[0].public_key.file", "this names no file")],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = \"custom-public-key.pem\"",
            &[(
                "7:14",
                "provider[0].public_key",
                "to name a file, write { file = \"…\" }",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { file = \"custom-certificate.crt\" }",
            &[(
                "7:14",
                "provider[0].public_key",
                "write `certificate` instead",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\ncertificate = { file = \"custom-public-key.pem\" }",
            &[(
                "7:15",
                "provider[0].certificate",
                "write `public_key` instead",
            )],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = \"-----BEGIN PUBLIC KEY-----\\nAAAA\\n-----END PUBLIC KEY-----\"",
            &[("7:14", "provider[0].public_key", "error")],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n\"\"\"",
            &[("7:1", "provider[0].public_key", "this is a private key")],
        ),
        (
            "issuer = \"i\"\naudience = \"a\"\npublic_key = { file = \"custom-public-key.pem\" }\nalgorithms = [\"RS256\", \"ES256\"]",
            &[(
                "8:24",
                "provider[0].algorithms[1]",
                "`public_key` verifies no ES256 token",
            )],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nalgorithms = [\"none\", \"HS256\", \"rs256\", \"XX\"]",
            &[
                (
                    "7:15",
                    "provider[0].algorithms[0]",
                    "tokens without a signature prove nothing",
                ),
                ("7:23", "provider[0].algorithms[1]", "can also forge it"),
                (
                    "7:32",
                    "provider[0].algorithms[2]",
                    "did you mean \"RS256\"?",
                ),
                ("7:41", "provider[0].algorithms[3]", "write one of `RS256`"),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nalgorithms = []",
            &[("7:14", "provider[0].algorithms", "no token can pass")],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nalgorithms = \"RS256\"",
            &[("7:14", "provider[0].algorithms", "write it in brackets")],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nleeway = \"6m\"\nstale_keys = \"31d\"",
            &[
                ("7:10", "provider[0].leeway", "must lie between 0s and 5m"),
                (
                    "8:14",
                    "provider[0].stale_keys",
                    "must lie between 1m and 30days",
                ),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nleeway = 30\nstale_keys = \"soon\"",
            &[
                ("7:10", "provider[0].leeway", "a duration needs its unit"),
                ("8:14", "provider[0].stale_keys", "this is no duration"),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nusername = \"\"\ngroups = \"a\\n\"\nname = \"a b\"",
            &[
                ("7:12", "provider[0].username", "this is empty"),
                ("8:10", "provider[0].groups", "starts or ends with a space"),
                ("9:8", "provider[0].name", "1 to 63 letters"),
            ],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nrequire_typ = \"application/\"",
            &[("7:15", "provider[0].require_typ", "no media type")],
        ),
        (
            "issuer = \"https://i\"\naudience = \"a\"\nca = { file = \"custom-public-key.pem\" }",
            &[("7:6", "provider[0].ca", "no readable certificate")],
        ),
    ];
    for (lines, expected) in rows {
        assert_said(&with_provider(lines), expected);
    }
}

#[test]
fn problems_between_providers() {
    let signed = |name: &str, issuer: &str| {
        format!(
            "[[provider]]\nkind = \"custom\"\nname = \"{name}\"\nissuer = \"https://{issuer}\"\naudience = \"a\"\naccounts = [\"*\"]\n"
        )
    };
    let opaque = |name: &str, prefix: &str| {
        format!(
            "[[provider]]\nkind = \"custom\"\nname = \"{name}\"\nintrospection_endpoint = \"https://x\"\naudience = \"a\"\naccounts = [\"*\"]\n\
             client_id = \"c\"\nclient_secret = {{ env = \"PATH\" }}\n{prefix}\n"
        )
    };
    let rows: &[(String, &[Said])] = &[
        (
            signed("a", "i") + &signed("a", "j"),
            &[(
                "11:8",
                "provider[1].name",
                "provider[0] is already called \"a\"",
            )],
        ),
        (
            signed("a", "i") + &signed("b", "i"),
            &[(
                "12:10",
                "provider[1].issuer",
                "provider[0] already has this issuer",
            )],
        ),
        (
            opaque("a", "") + &opaque("b", ""),
            &[(
                "12:1",
                "provider[1].token_prefix",
                "opaque tokens of any form",
            )],
        ),
        (
            opaque("a", "token_prefix = \"ab\"") + &opaque("b", "token_prefix = \"abc\""),
            &[(
                "20:16",
                "provider[1].token_prefix",
                "tokens that start with \"ab\"",
            )],
        ),
        (
            opaque("a", "token_prefix = \"ab\"")
                + &opaque("b", "token_prefix = \"ac\"")
                + &opaque("c", ""),
            &[],
        ),
        (
            opaque("a", "token_prefix = 5") + &opaque("b", ""),
            &[("11:16", "provider[0].token_prefix", "expected a text")],
        ),
    ];
    for (providers, expected) in rows {
        assert_said(&format!("{HEAD}{providers}"), expected);
    }
    let nameless = "[[provider]]\nkind = \"custom\"\nissuer = \"https://i\"\naudience = \"a\"\naccounts = [\"*\"]\n";
    assert_said(
        &format!("{HEAD}{nameless}{}", nameless.replace("//i", "//j")),
        &[(
            "8:1",
            "provider[1].name",
            "already called \"custom\" | give each provider a name",
        )],
    );
    let anyones =
        "[[provider]]\nkind = \"custom\"\nname = \"a\"\nissuer = \"https://i\"\naudience = \"a\"\n";
    let mapped = "[[provider]]\nkind = \"custom\"\nissuer = \"https://j\"\naudience = \"a\"\nusername_map = [{ match = '^(.+)$', to = \"ext-$1\" }]\n";
    assert_said(
        &format!("{HEAD}{anyones}{mapped}"),
        &[(
            "3:1",
            "provider[0].accounts",
            "each could name the other's accounts, `admin` too | write which accounts",
        )],
    );
    assert_said(&format!("{HEAD}{anyones}"), &[]);
}
