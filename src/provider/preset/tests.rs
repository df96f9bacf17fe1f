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
