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
    assert!(!is_marked(
        &claims(&json!({ "client_id": "ci", "sid": "1" })),
        machine
    ));
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
