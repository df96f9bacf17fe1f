//! See `../self_service.rs`.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;

use crate::harness::{Answer, Request};

pub const FILE: &str = include_str!("../../src/http/self_service/openapi.json");

/// Compares an answer with what the file says of its path, method and status: its headers, and its body to the member.
#[track_caller]
pub fn compare(request: &Request, answer: &Answer) {
    let file: Value = serde_json::from_str(FILE).expect("JSON");
    let file = File(&file);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let id = answer.header("postern-request-id").unwrap_or_default();
    assert_eq!(id.len(), 32, "{answer:?}");
    let body = (request.method != "HEAD").then(|| serde_json::from_str(&answer.body));
    let body = body.map(|body| body.expect("JSON"));
    let error = &file.0["components"]["schemas"]["Error"];
    if let Some(body) = body.as_ref().filter(|_| answer.status >= 400) {
        file.is(error, body, "error");
        assert_eq!(body["request_id"], id, "{answer:?}");
    }
    // Of what is no path and no method of the file, it says nothing else.
    let Some(path) = file.path(&request.target) else {
        assert!([400, 404].contains(&answer.status), "{answer:?}");
        return;
    };
    let method = request.method.to_lowercase().replace("head", "get");
    let Some(described) = path.get(&method) else {
        assert_eq!(answer.status, 405, "{answer:?}");
        let methods = ["get", "post", "delete"].into_iter();
        let known: Vec<_> = methods
            .filter(|method| path.get(method).is_some())
            .collect();
        let allowed = answer.header("allow").unwrap_or_default().to_lowercase();
        let allowed: Vec<_> = allowed
            .split(", ")
            .filter(|method| *method != "head")
            .collect();
        assert_eq!(allowed, known, "{answer:?}");
        return;
    };
    let response = &described["responses"][answer.status.to_string()];
    assert!(
        !response.is_null(),
        "{} {} is not described to answer {answer:?}",
        request.method,
        request.target
    );
    let response = file.resolve(response);
    for (name, _) in response["headers"].as_object().expect("headers") {
        let optional = name == "Postern-Reason";
        assert!(
            optional || answer.header(name).is_some(),
            "{name} in {answer:?}"
        );
    }
    if let Some(body) = &body {
        let schema = &response["content"]["application/json"]["schema"];
        file.is(schema, body, "body");
    }
}

struct File<'f>(&'f Value);

impl<'f> File<'f> {
    /// The path whose template fits.
    fn path(&self, target: &str) -> Option<&'f Value> {
        let target = target.split('?').next().unwrap_or_default();
        let target: Vec<_> = target.strip_prefix("/self")?.split('/').collect();
        let paths = self.0["paths"].as_object().expect("paths");
        let fits = |template: &str| {
            let template: Vec<_> = template.split('/').collect();
            template.len() == target.len()
                && template
                    .iter()
                    .zip(&target)
                    .all(|(want, has)| want == has || (want.starts_with('{') && !has.is_empty()))
        };
        paths
            .iter()
            .find(|(template, _)| fits(template))
            .map(|(_, path)| path)
    }

    fn resolve(&self, value: &'f Value) -> &'f Value {
        match value["$ref"].as_str() {
            None => value,
            Some(reference) => self
                .0
                .pointer(reference.trim_start_matches('#'))
                .expect("what is referred to is there"),
        }
    }

    /// The members of an object, and whether each must be there, with those of what it builds on.
    fn members(&self, schema: &'f Value) -> BTreeMap<&'f str, (&'f Value, bool)> {
        let mut members = BTreeMap::new();
        for base in schema["allOf"].as_array().into_iter().flatten() {
            members.extend(self.members(self.resolve(base)));
        }
        let required = schema["required"].as_array();
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|known| known == name));
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            members.insert(name, (schema, is_required(name)));
        }
        members
    }

    /// Whether a value is exactly what the schema says: no member more, and none less.
    fn is(&self, schema: &'f Value, value: &Value, at: &str) {
        let schema = self.resolve(schema);
        if let Some(allowed) = schema["enum"].as_array() {
            assert!(
                allowed.contains(value),
                "{at}: {value} is none of {allowed:?}"
            );
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let pattern = Regex::new(pattern).expect("a pattern");
            assert!(
                pattern.is_match(value.as_str().unwrap_or_default()),
                "{at}: {value}"
            );
        }
        match value {
            Value::Object(object) => {
                let members = self.members(schema);
                // Any object at all.
                if members.is_empty() && schema["type"] == "object" {
                    return;
                }
                for (name, value) in object {
                    let (schema, _) = members.get(name.as_str()).unwrap_or_else(|| {
                        panic!("{at}.{name} is not described");
                    });
                    self.is(schema, value, &format!("{at}.{name}"));
                }
                for (name, (_, required)) in members {
                    assert!(
                        !required || object.contains_key(name),
                        "{at}.{name} is missing"
                    );
                }
            }
            Value::Array(items) => {
                assert_eq!(schema["type"], "array", "{at}");
                for item in items {
                    self.is(&schema["items"], item, &format!("{at}[]"));
                }
            }
            Value::String(_) => assert_eq!(schema["type"], "string", "{at}"),
            Value::Number(_) => assert_eq!(schema["type"], "integer", "{at}"),
            Value::Bool(_) | Value::Null => panic!("{at}: {value}"),
        }
    }
}
