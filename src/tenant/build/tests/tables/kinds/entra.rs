//! Problems of Entra ID.

use super::*;

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
