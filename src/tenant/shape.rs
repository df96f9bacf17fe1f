//! Compares a parsed file with the schema: unknown keys, wrong types, unknown values. What is broken
//! is reported and cut out, so that the rest can be read and judged as well.

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::report::{Report, choice, element, member, nearest, quoted};

/// Cuts whatever the schema does not allow out of `table`, with one problem for each.
pub fn conform(table: &mut DeTable<'_>, schema: &Value, report: &mut Report<'_>) {
    fit_table("", table, schema, report);
}

fn fit_table(path: &str, table: &mut DeTable<'_>, schema: &Value, report: &mut Report<'_>) {
    let mut broken = Vec::new();
    // Where any name may stand, all values are alike.
    let any = schema
        .get("additionalProperties")
        .filter(|any| any.is_object());
    for (key, value) in table.iter_mut() {
        let name = key.get_ref();
        let path = member(path, name);
        match schema["properties"].get(&**name).or(any) {
            Some(schema) if fit(&path, name, value.get_mut(), schema, report) => {}
            Some(_) => {
                broken.push(name.to_string());
                report.mark_broken(path);
            }
            None => broken.push(name.to_string()),
        }
    }
    for (key, _) in table.iter() {
        if any.is_none() && schema["properties"].get(&**key.get_ref()).is_none() {
            unknown_key(path, key.get_ref(), table, schema, report);
        }
    }
    for name in broken {
        table.remove(name.as_str());
    }
}

/// Whether the value is of the type that the schema wants; tables are, however little of them is left.
fn fit(
    path: &str,
    name: &str,
    value: &mut DeValue<'_>,
    schema: &Value,
    report: &mut Report<'_>,
) -> bool {
    if report.is_broken(path) {
        return false;
    }
    let branches = match &schema["anyOf"] {
        Value::Array(branches) => branches.as_slice(),
        _ => std::slice::from_ref(schema),
    };
    let Some(schema) = branches
        .iter()
        .find(|branch| branch["type"] == type_of(value))
    else {
        wrong_type(path, name, value, branches, report);
        return false;
    };
    match value {
        DeValue::Table(table) => {
            fit_table(path, table, schema, report);
            true
        }
        DeValue::Array(array) => {
            let mut all = true;
            for (index, item) in array.iter_mut().enumerate() {
                let path = element(path, index);
                all &= fit(&path, name, item.get_mut(), &schema["items"], report);
            }
            all
        }
        DeValue::String(text) => match &schema["enum"] {
            Value::Array(allowed) => fit_choice(path, name, text, allowed, report),
            _ => true,
        },
        _ => true,
    }
}

fn fit_choice(
    path: &str,
    name: &str,
    text: &str,
    allowed: &[Value],
    report: &mut Report<'_>,
) -> bool {
    let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    if allowed.contains(&text) {
        return true;
    }
    let help = match refused(name, text).or_else(|| nearest(text, allowed.iter().copied())) {
        Some(known) if allowed.contains(&known) => format!("did you mean {known:?}?"),
        Some(reason) => reason.to_owned(),
        None => format!("write one of {}", choice(allowed.iter().copied())),
    };
    report
        .error(path, format!("{} is not known here", quoted(text)))
        .help(help);
    false
}

/// Why a value that exists elsewhere is refused here.
fn refused(name: &str, text: &str) -> Option<&'static str> {
    if name != "algorithms" {
        return None;
    }
    let text = text.to_ascii_uppercase();
    match text.as_str() {
        "NONE" => Some("tokens without a signature prove nothing and are never accepted"),
        "HS256" | "HS384" | "HS512" => Some(
            "HMAC is never accepted: whoever can check such a token can also forge it; let the issuer sign with RS256, ES256 or EdDSA",
        ),
        _ => None,
    }
}

fn unknown_key(
    path: &str,
    name: &str,
    table: &DeTable<'_>,
    schema: &Value,
    report: &mut Report<'_>,
) {
    let known: Vec<&str> = match &schema["properties"] {
        Value::Object(known) => known.keys().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let unwritten = known
        .iter()
        .copied()
        .filter(|known| !table.contains_key(*known));
    let meant = match known.as_slice() {
        [only] => Some(*only).filter(|only| !table.contains_key(*only)),
        _ => nearest(name, unwritten),
    };
    let help = match meant {
        // What was meant is not missing: it is here, misspelt.
        Some(meant) => {
            report.mark_broken(member(path, meant));
            format!("did you mean `{meant}`?")
        }
        None => format!("known here: {}", choice(known)),
    };
    report
        .unknown(&member(path, name), "no such key")
        .help(help);
}

fn wrong_type(
    path: &str,
    name: &str,
    value: &DeValue<'_>,
    branches: &[Value],
    report: &mut Report<'_>,
) {
    let wanted: Vec<String> = branches.iter().map(wanted).collect();
    let wanted = wanted.join(" or ");
    // The value itself is not repeated: it may be a secret.
    let message = format!("expected {wanted}, found {}", found(value));
    let help = match (name, value) {
        ("client_secret", DeValue::String(_)) => Some(
            "a secret never stands in a tenant file, which editors, backups and version control copy; \
                 write { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }, and replace this secret if the file was shared",
        ),
        ("provider", DeValue::Table(_)) => {
            Some("there may be several providers: write [[provider]], with two brackets")
        }
        ("access", DeValue::Array(_)) => Some("write [access], with one bracket"),
        ("rate_limit", DeValue::Array(_)) => Some("write [rate_limit], with one bracket"),
        (_, DeValue::Integer(_) | DeValue::Float(_)) if wanted.contains("text") => {
            Some("write it in quotes; a duration needs its unit, as in \"30s\"")
        }
        (_, DeValue::String(_)) if wanted == "true or false" => {
            Some("write true or false, without quotes")
        }
        (_, DeValue::String(_)) if wanted.starts_with("an array") => {
            Some("write it in brackets: [\"…\"]")
        }
        _ => None,
    };
    let problem = report.error(path, message);
    if let Some(help) = help {
        problem.help(help);
    }
}

/// The schema's word for a value's type.
fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "number",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
        DeValue::Datetime(_) => "datetime",
    }
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
        DeValue::Datetime(_) => "a date",
    }
}

fn wanted(schema: &Value) -> String {
    match schema["type"].as_str() {
        Some("string") => "a text".to_owned(),
        Some("boolean") => "true or false".to_owned(),
        Some("integer") => "a whole number".to_owned(),
        Some("array") if schema["items"]["type"] == "object" => "an array of tables".to_owned(),
        Some("array") => "an array of texts".to_owned(),
        Some("object") => match &schema["properties"] {
            Value::Object(known) if known.len() <= 3 && !known.is_empty() => {
                let forms: Vec<String> = known
                    .keys()
                    .map(|name| format!("{{ {name} = \"…\" }}"))
                    .collect();
                forms.join(" or ")
            }
            _ => "a table".to_owned(),
        },
        // The schema is ours and has no other types; a test walks through all of it.
        _ => "something else".to_owned(),
    }
}
