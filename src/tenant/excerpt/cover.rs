//! Covers whatever may be a secret in the text of a tenant file. People misspell keys and break lines, so
//! nothing here looks for secrets: only the values of keys that are known to hold none stay.

use std::{collections::BTreeSet, ops::Range, sync::LazyLock};

use serde_json::Value;
use toml::de::{DeTable, DeValue};

use crate::tenant::schema::schema;

/// The text with the same lines and the same length, fit to be shown.
pub fn secrets(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        cover_comments(text, &mut bytes, table.get_ref());
        cover_table(&mut bytes, table.get_ref(), Some(schema()));
    } else {
        // The parser may have lost sight of a value, or of the table that a key belongs to.
        cover_lines(text, &mut bytes);
    }
    // Covering ends where TOML's tokens do, so never within a character.
    String::from_utf8(bytes).unwrap_or_default()
}

/// Whether what the schema describes is the place of a secret.
fn is_secret(schema: &Value) -> bool {
    !schema["properties"]["credential"].is_null()
}

/// `schema` is absent where a key is unknown, and so is what was meant by its value.
fn cover_table(bytes: &mut [u8], table: &DeTable<'_>, schema: Option<&Value>) {
    for (key, value) in table {
        let schema = schema.and_then(|schema| schema["properties"].get(&**key.get_ref()));
        cover_value(bytes, value.get_ref(), value.span(), schema);
    }
}

fn cover_value(bytes: &mut [u8], value: &DeValue<'_>, span: Range<usize>, schema: Option<&Value>) {
    let shown = schema.is_some_and(|schema| !is_secret(schema));
    match value {
        DeValue::Table(table) => {
            let branches = schema.and_then(|schema| schema["anyOf"].as_array());
            let tables = branches.and_then(|all| all.iter().find(|one| one["type"] == "object"));
            cover_table(bytes, table, tables.or(schema));
        }
        DeValue::Array(array) => {
            let items = schema
                .filter(|_| shown)
                .and_then(|schema| schema.get("items"));
            // Where one text is wanted, several of them are no secret either.
            let items = items.or(schema.filter(|schema| shown && schema["type"] != "object"));
            for item in array {
                cover_value(bytes, item.get_ref(), item.span(), items);
            }
        }
        DeValue::String(text) if !shown || holds_secret(text) => cover(bytes, span),
        _ if !shown => cover(bytes, span),
        _ => {}
    }
}

/// Covers comments that look like settings which were taken out of use.
fn cover_comments(text: &str, bytes: &mut [u8], table: &DeTable<'_>) {
    let mut spans = Vec::new();
    collect_spans(table, &mut spans);
    spans.sort_unstable_by_key(|span| span.start);
    let mut after = 0;
    for (start, _) in text.match_indices('#') {
        let span = &spans[..spans.partition_point(|span| span.start <= start)];
        if start < after || span.last().is_some_and(|span| start < span.end) {
            continue;
        }
        after = text[start..]
            .find('\n')
            .map_or(text.len(), |length| start + length);
        if text[start..after].contains('=') {
            cover(bytes, start + 1..after);
        }
    }
}

/// The spans of all keys and texts; none of them overlap.
fn collect_spans(table: &DeTable<'_>, spans: &mut Vec<Range<usize>>) {
    fn collect_value(value: &DeValue<'_>, span: Range<usize>, spans: &mut Vec<Range<usize>>) {
        match value {
            DeValue::Table(table) => collect_spans(table, spans),
            DeValue::Array(array) => {
                array
                    .iter()
                    .for_each(|item| collect_value(item.get_ref(), item.span(), spans));
            }
            _ => spans.push(span),
        }
    }
    for (key, value) in table {
        spans.push(key.span());
        collect_value(value.get_ref(), value.span(), spans);
    }
}

/// Line by line, without a parser's help: a line stays as far as it consists of known keys and their values.
fn cover_lines(text: &str, bytes: &mut [u8]) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let kept = if holds_secret(line) { 0 } else { kept(line) };
        cover(bytes, start + kept..start + line.len());
        start += line.len();
    }
}

/// How much of a line may be shown.
fn kept(line: &str) -> usize {
    let is_header = line.starts_with('[') && !line.contains(['"', '\'', '=', '#']);
    if is_header {
        return line.len();
    }
    let mut kept = 0;
    for (equals, _) in line.match_indices('=') {
        // An equals sign that follows another is a slip of the finger.
        let before = line[kept..equals].trim_end_matches([' ', '=']);
        let key = before
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .next();
        let doubled = before.is_empty() && kept > 0;
        if !doubled && !key.is_some_and(|key| plain_keys().contains(key)) {
            return kept;
        }
        kept = equals + 1;
    }
    if kept == 0 { 0 } else { line.len() }
}

/// The names of all keys whose values are no secrets, wherever they stand.
fn plain_keys() -> &'static BTreeSet<&'static str> {
    static KEYS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let mut keys = BTreeSet::new();
        collect(schema(), &mut keys);
        keys
    });
    &KEYS
}

fn collect(schema: &'static Value, keys: &mut BTreeSet<&'static str>) {
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        if !is_secret(member) {
            keys.insert(name);
            collect(member, keys);
            collect(&member["items"], keys);
        }
    }
}

/// A private key, or a URL with a password in it.
fn holds_secret(text: &str) -> bool {
    let mut authorities = text
        .split("://")
        .skip(1)
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    text.contains("PRIVATE KEY-----") || authorities.any(|authority| authority.contains('@'))
}

/// Line ends stay, so that line numbers do.
fn cover(bytes: &mut [u8], span: Range<usize>) {
    for byte in bytes.get_mut(span).unwrap_or_default() {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b'*';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_covered_and_their_places_are_not() {
        assert_eq!(
            secrets("client_secret = \"hunter2\"\n"),
            "client_secret = *********\n"
        );
        for plain in [
            "[[provider]]\nclient_secret = { credential = \"x\" }\npublic_key = { file = \"x\" }\n",
            "[[provider]]\naudience = [\"a\", \"b\"]\nleeway = 5\nalgorithms = \"RS256\"\n",
            "[[provider]\nissuer == \"https://sso.example.com\"\n",
            "[[provider]]\nclient_secret = { env = \"X\" } # of the issuer\n",
            "[[provider]]\ntoken_prefix = \"ci_#=\"\n",
            "[[provider]]\nissuer = \"https://sso.example.com/@x\"\n",
        ] {
            assert_eq!(secrets(plain), plain);
        }
        for text in [
            "Client_Secret = 'hunter2'",
            "client_secret = \"\"\"\nhunter2\n\"\"\"",
            "client_secret = { value = \"hunter2\" }",
            "client_secret = {\n value = [\"hunter2\"]\n}",
            "client_secret.hunter = \"hunter2\"",
            "[client_secret]\nx = \"hunter2\"",
            "clientsceret = \"hunter2\"",
            "[[provider]]\nusername = \"sub\" # client_secret = \"hunter2\"",
            "password = \"hunter2\"",
            "api_token = 'hunter2'",
            "provider = [{ client_secret = \"hunter2\", x = 1 }]",
            "url = \"https://ada:hunter2@example.com/\"",
            "public_key = \"\"\"\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----\n\"\"\"",
            // Broken, too.
            "client_secret = hunter2",
            "client_secret = \"hunter2",
            "client_secret == \"hunter2\"",
            "clientclient_\"ecret = \"hunter2\"",
            "clientclient_secret [ \"hunter2\"",
            "client_secret = [\nhunter2==",
            "url = \"https://client_secret = \"hunter2\"",
            "client_secret = \"\"\"\nhunter2",
            "x = [\nclient_secret = \"hunter2\"",
            "url = https://ada:hunter2@example.com/",
            "[a\npublic_key = \"\"\"\n-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----\n",
        ] {
            let covered = secrets(text);
            assert!(!covered.contains("hunter2"), "{covered}");
            assert_eq!(covered.len(), text.len());
            assert_eq!(covered.lines().count(), text.lines().count());
        }
    }
}
