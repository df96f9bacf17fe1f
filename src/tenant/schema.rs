//! The JSON Schema of a tenant file: drawn from [`TenantFile`], read by editors and by [`shape`](super::shape).

use std::sync::LazyLock;

use schemars::{
    Schema,
    generate::SchemaSettings,
    transform::{RecursiveTransform, Transform},
};
use serde_json::{Value, json};

use super::file::TenantFile;

/// The schema's name; nothing is served there, it only has to be ours and stable.
const ID: &str = "https://postern.invalid/tenant.schema.json";

/// The schema, drawn once: it is asked for every tenant file.
#[must_use]
pub fn schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(draw);
    &SCHEMA
}

/// The schema as a file's text.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", schema())
}

/// Draft 7, since the TOML language servers know no later one; without references, so that
/// they complete keys in `[[provider]]`, and so that `shape` needs not resolve any.
fn draw() -> Value {
    let settings = SchemaSettings::draft07().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<TenantFile>();
    RecursiveTransform(as_toml).transform(&mut schema);
    schema.insert("$id".to_owned(), json!(ID));
    let mut schema = schema.to_value();
    // Whether objects keep their order is a feature of serde_json that any dependency may switch on.
    schema.sort_all_objects();
    schema
}

/// TOML has no null, and an enumeration reads better as one than as a choice of constants.
fn as_toml(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(branches)) = object.get_mut("anyOf") {
        branches.retain(|branch| branch["type"] != "null");
        if branches.len() == 1
            && let Some(Value::Object(only)) = branches.pop()
        {
            object.remove("anyOf");
            for (keyword, value) in only {
                // What is said about this key wins over what is said about its type.
                object.entry(keyword).or_insert(value);
            }
        }
    }
    let Some(Value::Array(choices)) = object.get("oneOf") else {
        return;
    };
    if choices.iter().all(|choice| choice["const"].is_string()) {
        let names: Vec<Value> = choices
            .iter()
            .map(|choice| choice["const"].clone())
            .collect();
        let meanings: Vec<Value> = choices
            .iter()
            .map(|choice| choice["description"].clone())
            .collect();
        object.remove("oneOf");
        object.insert("type".to_owned(), json!("string"));
        object.insert("enum".to_owned(), json!(names));
        // Where Taplo, the usual language server for TOML, looks for what each value means.
        object.insert(
            "x-taplo".to_owned(),
            json!({ "docs": { "enumValues": meanings } }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `shape` knows these keywords and types and no others: whatever else a new key brought would be
    /// published and not enforced.
    #[test]
    fn the_schema_says_nothing_that_is_not_enforced() {
        const KEYWORDS: [&str; 15] = [
            "$id",
            "$schema",
            "additionalProperties",
            "anyOf",
            "default",
            "description",
            "enum",
            "examples",
            "items",
            "maxProperties",
            "minProperties",
            "properties",
            "required",
            "title",
            "type",
        ];
        fn walk(path: &str, schema: &Value) {
            for (keyword, value) in schema.as_object().expect("a schema is an object") {
                match (keyword.as_str(), value) {
                    ("properties", Value::Object(members)) => {
                        members
                            .iter()
                            .for_each(|(name, member)| walk(&format!("{path}.{name}"), member));
                    }
                    ("items", item) => walk(&format!("{path}[]"), item),
                    ("additionalProperties", any @ Value::Object(_)) => {
                        walk(&format!("{path}.*"), any);
                    }
                    ("anyOf", Value::Array(branches)) => {
                        let mut types: Vec<String> = branches
                            .iter()
                            .map(|branch| branch["type"].to_string())
                            .collect();
                        types.dedup();
                        assert_eq!(
                            types.len(),
                            branches.len(),
                            "{path}: told apart by type alone"
                        );
                        for branch in branches {
                            walk(path, branch);
                        }
                    }
                    ("type", Value::String(name)) => {
                        assert!(
                            ["string", "boolean", "integer", "array", "object"].contains(&&**name),
                            "{path}"
                        );
                    }
                    ("x-taplo", _) => {}
                    (keyword, _) => assert!(KEYWORDS.contains(&keyword), "{path}: {keyword}"),
                }
            }
            if schema["type"] == "object" && schema["properties"].is_object() {
                assert_eq!(schema["additionalProperties"], false, "{path}");
            } else if schema["type"] == "object" {
                assert!(schema["additionalProperties"].is_object(), "{path}");
            }
            if schema["anyOf"].is_null() {
                assert!(schema["type"].is_string(), "{path}");
            }
        }
        walk("", schema());
    }

    #[test]
    fn what_is_required_is_marked_so() {
        assert_eq!(schema()["required"], json!(["product", "url"]));
        let provider = &schema()["properties"]["provider"]["items"];
        assert_eq!(provider["required"], json!(["kind"]));
    }

    #[test]
    fn every_key_is_described() {
        fn walk(schema: &Value) {
            for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                let description = member["description"].as_str().unwrap_or_default();
                assert!(description.len() > 30, "{name}: {description:?}");
                walk(member);
                walk(&member["items"]);
            }
        }
        walk(schema());
    }
}
