use clap::ValueEnum as _;
use serde_json::json;

use super::*;
use crate::{tenant::schema::schema, verify::json::object};

#[test]
fn every_preset_is_its_kinds_own_and_names_real_keys() {
    let keys = &schema()["properties"]["provider"]["items"]["properties"];
    for kind in Kind::value_variants() {
        let preset = kind.preset();
        assert_eq!(preset.kind, *kind);
        for key in preset.takes.iter().chain(COMMON_KEYS) {
            assert!(keys.get(key).is_some(), "{kind:?}: {key}");
        }
        assert!(preset.takes.iter().all(|key| !COMMON_KEYS.contains(key)));
    }
    // No key is one that no kind takes.
    for key in keys.as_object().expect("an object").keys() {
        let taken = |kind: &Kind| kind.preset().takes.contains(&key.as_str());
        assert!(
            COMMON_KEYS.contains(&key.as_str()) || Kind::value_variants().iter().any(taken),
            "{key}"
        );
    }
}

#[test]
fn marks_are_read_together() {
    let claims = |value: &serde_json::Value| Claims::from(object(value));
    let machine = Kind::Keycloak.preset().machine_answers;
    assert!(is_marked(&claims(&json!({ "client_id": "ci" })), machine));
    for person in [
        json!({ "client_id": "ci", "sid": "1" }),
        json!({ "client_id": "ci", "sid": "1", "username": "service-account-ci" }),
        json!({ "client_id": "ci", "username": "service-account-build" }),
        json!({ "client_id": "ci", "username": "ada" }),
    ] {
        assert!(!is_marked(&claims(&person), machine), "{person}");
    }
    for machines in [
        json!({ "client_id": "CI", "username": "service-account-ci" }),
        json!({ "client_id": "ci", "sid": "1", "username": "x", "clientHost": "10.0.0.1" }),
    ] {
        assert!(is_marked(&claims(&machines), machine), "{machines}");
    }
    let machine = Kind::Google.preset().machine;
    assert!(is_marked(
        &claims(&json!({ "email": "x@p.iam.gserviceaccount.com" })),
        machine
    ));
    assert!(!is_marked(
        &claims(&json!({ "email": "x.gserviceaccount.com@p" })),
        machine
    ));
}

/// What a file of that kind is told, errors and warnings, in the order of the keys.
fn told(kind: Kind, lines: &str) -> Vec<(&'static str, Severity)> {
    let mut file: ProviderFile = toml::from_str(lines).expect("a provider");
    let wrong = (kind.preset().fill)(&mut file);
    wrong
        .iter()
        .map(|wrong| (wrong.key, wrong.severity))
        .collect()
}

#[test]
fn what_is_dangerous_is_warned_about_and_what_cannot_be_meant_is_refused() {
    use Severity::{Error, Warning};
    for (kind, lines, expected) in [
        (Kind::Google, "", vec![("hosted_domains", Warning)]),
        (Kind::Google, "hosted_domains = [\"a.example\"]", vec![]),
        (
            Kind::Google,
            "hosted_domains = [\"gmail.com\", \"@a.example\"]",
            vec![("hosted_domains", Error), ("hosted_domains", Error)],
        ),
        (Kind::Slack, "", vec![("teams", Error)]),
        (Kind::Slack, "audience = \"1.2\"\nteams = [\"T1\"]", vec![]),
        (Kind::Slack, "teams = [\"T1\"]", vec![("teams", Warning)]),
        // Keys prove ID tokens, and without `id_tokens` none is to come.
        (
            Kind::Gitlab,
            "client_id = \"1\"\naccounts = [\"a\"]\njwks_uri = \"https://gitlab.com/keys\"",
            vec![("jwks_uri", Error)],
        ),
        (
            Kind::Gitlab,
            "client_id = \"1\"\naccounts = [\"a\"]\njwks_uri = \"https://gitlab.com/keys\"\nid_tokens = true",
            vec![("id_tokens", Warning)],
        ),
        (
            Kind::Okta,
            "issuer = [\"https://a.okta.com/oauth2/x\", \"https://b.okta.com/oauth2/x\"]",
            vec![("issuer", Warning)],
        ),
        (
            Kind::Slack,
            "audience = \"1.2\"\nteams = [\"T1\"]\nclient_id = \"A1\"",
            vec![("teams", Warning)],
        ),
        (
            Kind::Slack,
            "audience = \"1.2\"\nteams = [\"acme\"]\nclient_id = \"1.2\"",
            vec![("teams", Error), ("client_id", Error), ("teams", Warning)],
        ),
        (
            Kind::Facebook,
            "client_id = \"1\"\naccounts = [\"7\"]",
            vec![],
        ),
        (
            Kind::Facebook,
            "client_id = \"1\"",
            vec![("accounts", Warning)],
        ),
        (Kind::Slack, "audience = \"1.2\"", vec![("teams", Warning)]),
        (
            Kind::Facebook,
            "username = \"email\"\naccounts = [\"7\"]\nservice_accounts = { a = \"b\" }",
            vec![
                ("client_id", Error),
                ("username", Error),
                ("service_accounts", Warning),
            ],
        ),
    ] {
        assert_eq!(told(kind, lines), expected, "{kind:?} {lines}");
    }
}

#[test]
fn a_subject_is_the_same_however_it_was_proved() {
    let subject = |kind: Kind, claims: &serde_json::Value| {
        kind.preset().subject_of(&Claims::from(object(claims)))
    };
    let (team, user) = ("https://slack.com/team_id", "https://slack.com/user_id");
    for (kind, claims, expected) in [
        (Kind::Google, json!({ "sub": "110" }), Some("110")),
        (Kind::Google, json!({ "sub": 110 }), Some("110")),
        (Kind::Google, json!({ "sub": "" }), None),
        (Kind::Google, json!({ "sub": 1.5 }), None),
        (Kind::Google, json!({ "sub": -1 }), None),
        (Kind::Google, json!({ "sub": ["110"] }), None),
        (
            Kind::Slack,
            json!({ team: "T0", user: "U1", "sub": "U2" }),
            Some("T0/U1"),
        ),
        (
            Kind::Slack,
            json!({ team: "T0", "sub": "U2" }),
            Some("T0/U2"),
        ),
        (Kind::Slack, json!({ "sub": "U2" }), None),
        (Kind::Facebook, json!({ "id": "7" }), Some("7")),
        (Kind::Facebook, json!({ "sub": "7" }), Some("7")),
        (Kind::Github, json!({ "user": { "id": 7 } }), Some("7")),
    ] {
        assert_eq!(subject(kind, &claims).as_deref(), expected, "{claims}");
    }
}

/// A client's own token is told without the mapper, too; and a person who is called like his client is neither.
#[test]
fn machines_and_people_are_told_apart() {
    let claims = |value: &serde_json::Value| Claims::from(object(value));
    let keycloak = Kind::Keycloak.preset().machine;
    let own = json!({ "azp": "ci", "preferred_username": "service-account-ci" });
    assert!(is_marked(&claims(&own), keycloak));
    for person in [
        json!({ "azp": "ci", "preferred_username": "service-account-x" }),
        json!({ "azp": "ci", "preferred_username": "service-account-ci", "sid": "1" }),
    ] {
        assert!(!is_marked(&claims(&person), keycloak), "{person}");
    }
    let custom = Kind::Custom.preset();
    let own = json!({ "sub": "ci", "client_id": "ci" });
    assert!(is_marked(&claims(&own), custom.machine) && !is_marked(&claims(&own), custom.person));
    for mark in ["auth_time", "sid", "email"] {
        let mut person = own.clone();
        person[mark] = json!("1");
        assert!(is_marked(&claims(&person), custom.person), "{mark}");
    }
}
