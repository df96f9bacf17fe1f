//! The reference of a tenant file for people, as Markdown: drawn from the schema, so that it can't drift.

use std::fmt::Write as _;

use serde_json::Value;

use super::schema::schema;

/// The whole page (`docs/tenant-file.md`).
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Tenant file reference\n\nDrawn from the schema by `postern schema --markdown`; a test keeps this page equal to it.\nComplete, valid files to start from are in `tenants/examples/`; `postern tenant new` writes one.\n",
    );
    let schema = schema();
    section(&mut page, "The file", "", schema);
    let provider = &schema["properties"]["provider"];
    section(
        &mut page,
        "`[[provider]]`",
        text(&provider["description"]),
        &provider["items"],
    );
    for name in ["api_tokens", "access", "rate_limit", "upstream"] {
        let table = &schema["properties"][name];
        let title = format!("`[{name}]`");
        section(&mut page, &title, text(&table["description"]), table);
    }
    let rule = &schema["properties"]["access"]["properties"]["rule"]["items"];
    section(&mut page, "`[[access.rule]]`", "", rule);
    page
}

fn section(page: &mut String, title: &str, about: &str, schema: &Value) {
    let about = if about.is_empty() {
        text(&schema["description"])
    } else {
        about
    };
    write!(
        page,
        "\n## {title}\n\n{about}\n\n| key | type | default | what it says |\n|---|---|---|---|\n"
    )
    .expect("a String takes everything");
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, key) in schema["properties"].as_object().into_iter().flatten() {
        let default = match key.get("default") {
            _ if required.contains(&name.as_str()) => "**required**".to_owned(),
            Some(default) => format!("`{default}`"),
            None => String::new(),
        };
        let description = text(&key["description"])
            .replace("\n\n", "<br>")
            .replace('\n', " ")
            .replace('|', "\\|");
        writeln!(
            page,
            "| `{name}` | {} | {default} | {description}{} |",
            kind(key),
            example(key)
        )
        .expect("a String takes everything");
    }
}

fn kind(key: &Value) -> String {
    if let Some(choices) = key["enum"].as_array() {
        return choices
            .iter()
            .map(|choice| format!("`{choice}`"))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    if let Some(branches) = key["anyOf"].as_array() {
        return branches.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    match text(&key["type"]) {
        "string" => "text".into(),
        "boolean" => "`true` or `false`".into(),
        "array" if key["items"]["type"] == "object" => "tables".into(),
        "array" => format!("list of {}", kind(&key["items"])),
        "object" if key["properties"].is_null() => {
            format!("table of {}s", kind(&key["additionalProperties"]))
        }
        "object" => {
            let members = key["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| format!("`{name}`"));
            format!("table with {}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.into(),
    }
}

fn example(key: &Value) -> String {
    match key["examples"]
        .as_array()
        .and_then(|examples| examples.first())
    {
        Some(example) => format!(" Example: `{}`", as_toml(example)),
        None => String::new(),
    }
}

/// A JSON value as it would be written in a tenant file.
fn as_toml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!("{name} = {}", as_toml(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(as_toml).collect::<Vec<_>>().join(", ")
        ),
        other => other.to_string(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_is_what_the_schema_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tenant-file.md");
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == super::markdown(),
            "docs/tenant-file.md is out of date: postern schema --markdown > docs/tenant-file.md"
        );
    }
}
