//! A Jira behind the proxy, as far as its clients ask. It believes `Remote-User`, and knows nobody else.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::emulator::{self, Asked, Emulator, Reply};

/// With no issue at first.
pub struct Jira {
    server: Emulator,
    issues: Arc<Mutex<Vec<Value>>>,
}

impl Jira {
    pub fn start() -> Self {
        let issues = Arc::<Mutex<Vec<Value>>>::default();
        let known = Arc::clone(&issues);
        let server = Emulator::start(move |asked| {
            let mut issues = known.lock().expect("nobody panics with it");
            let mut reply = answer(asked, &mut issues);
            if let Reply::Full(_, fields, _) = &mut reply {
                // As Jira does: a session for everybody.
                fields.push(("Set-Cookie", "JSESSIONID=1; Path=/; HttpOnly".into()));
            }
            reply
        });
        Self { server, issues }
    }

    pub fn address(&self) -> String {
        self.server.address()
    }

    /// How many issues were created.
    pub fn issues(&self) -> usize {
        self.issues.lock().expect("nobody panics with it").len()
    }

    /// Everything that reached it.
    pub fn asked(&self) -> Vec<Asked> {
        self.server.asked()
    }
}

fn answer(asked: &Asked, issues: &mut Vec<Value>) -> Reply {
    let Some(user) = asked.header("remote-user") else {
        let refused = json!({ "errorMessages": ["You are not authenticated."], "errors": {} });
        return emulator::json(401, refused);
    };
    let Some(resource) = asked.path().strip_prefix("/rest/api/2/") else {
        return emulator::json(404, json!({}));
    };
    match (asked.method.as_str(), resource) {
        ("GET", "serverInfo") => emulator::json(
            200,
            json!({
                "baseUrl": "https://jira.example.com", "version": "10.3.1",
                "versionNumbers": [10, 3, 1], "deploymentType": "Server",
                "buildNumber": 10_030_001, "serverTitle": "Jira"
            }),
        ),
        ("GET", "myself") => emulator::json(
            200,
            json!({
                "name": user, "key": user, "active": true,
                "emailAddress": format!("{user}@example.com"), "displayName": user
            }),
        ),
        ("GET", "field") => emulator::json(200, json!([])),
        ("GET" | "POST", "search") => emulator::json(
            200,
            json!({ "startAt": 0, "maxResults": 50, "total": issues.len(), "issues": issues }),
        ),
        ("POST", "issue") => {
            let sent: Value = serde_json::from_slice(&asked.bytes).expect("clients send JSON");
            let number = issues.len() + 1;
            let key = format!("CI-{number}");
            let made = json!({ "id": number.to_string(), "key": key, "self": format!("/rest/api/2/issue/{number}") });
            let mut issue = made.clone();
            issue["fields"] = sent["fields"].clone();
            issue["fields"]["creator"] = json!({ "name": user });
            issues.push(issue);
            emulator::json(201, made)
        }
        ("GET", resource) => {
            let key = resource.strip_prefix("issue/");
            let issue = issues.iter().find(|issue| issue["key"].as_str() == key);
            issue.map_or_else(
                || emulator::json(404, json!({})),
                |issue| emulator::json(200, issue),
            )
        }
        _ => emulator::json(405, json!({})),
    }
}
