use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::DESCRIPTION;
use crate::{
    api_tokens::{Listed, Wanted},
    http::tokens::Made,
};

fn described() -> Value {
    serde_json::from_str(DESCRIPTION).unwrap()
}

/// The members that a schema describes, with those of the schemas that it builds on.
fn members(schema: &str) -> BTreeSet<String> {
    let described = described();
    let schema = &described["components"]["schemas"][schema];
    let own = schema["properties"].as_object().unwrap().keys().cloned();
    let bases = schema["allOf"].as_array().into_iter().flatten();
    let bases = bases.flat_map(|base| {
        let name = base["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        members(name)
    });
    own.chain(bases).collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

/// All that a token can have, as the store has it.
fn everything() -> Value {
    json!({
        "id": "4fQ9xWbT2LkZ", "tenant": "jira", "owner": "ada", "description": "d", "scope": "read", "grants": ["g"],
        "paths": ["/rest/**"], "networks": ["10.0.0.0/8"], "created_at": 1, "created_by": "ada (custom)",
        "expires_at": 2, "rotated_at": 1, "revoked_at": 1, "revoked_by": "ada (custom)",
        "last_used": { "at": 1, "address": "192.0.2.7" }, "token": "pst_",
    })
}

/// No member that a token can have is missing in the description, and none is there that it has not. (Which of them an
/// answer has, the scenarios compare.)
#[test]
fn every_member_of_a_token_is_described() {
    let listed: Listed = serde_json::from_value(everything()).unwrap();
    let listed = serde_json::to_value(listed).unwrap();
    assert_eq!(keys(&listed), members("ListedToken"));
    assert_eq!(keys(&listed["last_used"]), members("LastUse"));
    let made: Made = serde_json::from_value(everything()).unwrap();
    assert_eq!(
        keys(&serde_json::to_value(made).unwrap()),
        members("IssuedToken")
    );
}

#[test]
fn every_member_of_a_wish_is_described() {
    let wanted = json!({
        "owner": "ada", "description": "d", "expires_in": 1, "scope": "write", "grants": ["g"], "paths": ["/x"],
        "networks": ["10.0.0.0/8"],
    });
    let read: Wanted = serde_json::from_value(wanted.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), wanted);
    assert_eq!(keys(&wanted), members("WantedToken"));
}
