use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::DESCRIPTION;
use crate::{
    api_tokens::{ApiToken, LastUse, Listed, Scope, Wanted},
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

/// All that a token can have. A new member has to be written here, and then described.
fn everything() -> Listed {
    let by = || "ada (custom)".to_owned();
    let token = ApiToken {
        id: "4fQ9xWbT2LkZ".parse().unwrap(),
        tenant: "jira".to_owned(),
        owner: "ada".to_owned(),
        description: "build server".to_owned(),
        scope: Scope::Read,
        grants: vec!["jira:read".to_owned()],
        paths: vec!["/rest/**".parse().unwrap()],
        networks: vec!["10.0.0.0/8".parse().unwrap()],
        created_at: 1,
        created_by: by(),
        expires_at: 2,
        rotated_at: Some(1),
        retiring_until: Some(1),
        revoked_at: Some(1),
        revoked_by: Some(by()),
    };
    let last_used = LastUse {
        at: 1,
        address: Some("192.0.2.7".parse().unwrap()),
    };
    Listed {
        token,
        last_used: Some(last_used),
    }
}

/// No member that a token can have is missing in the description, and none is there that it has not. (Which of them an
/// answer has, the scenarios compare.)
#[test]
fn every_member_of_a_token_is_described() {
    let listed = serde_json::to_value(everything()).unwrap();
    assert_eq!(keys(&listed), members("ListedToken"));
    assert_eq!(keys(&listed["last_used"]), members("LastUse"));
    let made = Made {
        token: String::new().into(),
        about: everything().token,
    };
    let made = serde_json::to_value(made).unwrap();
    assert_eq!(keys(&made), members("IssuedToken"));
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
