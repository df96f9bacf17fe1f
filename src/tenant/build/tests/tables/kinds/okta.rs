//! Problems of Okta.

use super::*;

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
                    "5:10",
                    "provider[0].issuer",
                    "warning: if these are servers of several organisations",
                ),
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
