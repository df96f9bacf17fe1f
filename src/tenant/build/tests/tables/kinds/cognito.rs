//! Problems of Cognito.

use super::*;

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
