//! A problem shown within the text that it is about, in the manner of rustc, with the secrets
//! of the text covered.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Severity};

/// What the name of a key that holds a secret has in it. `client_secret` is the only one that a
/// file may have; the others are what people write by mistake.
const SECRETIVE: [&str; 7] = [
    "secret",
    "passw",
    "pwd",
    "token",
    "private",
    "credential",
    "api_key",
];

/// Keys that look secretive and are not.
const PLAIN: [&str; 1] = ["token_prefix"];

/// Members of a secret's table that name its place and do not hold it.
const PLACES: [&str; 3] = ["file", "env", "credential"];

/// The text of a tenant file, fit to be shown: what may be a secret is covered, byte for byte, so that
/// places in it stay where they are.
#[derive(Debug)]
pub struct Excerpt(String);

impl Excerpt {
    /// Covers the secrets of a text, however broken it is.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut bytes = text.as_bytes().to_vec();
        let (table, errors) = DeTable::parse_recoverable(text);
        cover_table(text, &mut bytes, table.get_ref(), false);
        if !errors.is_empty() {
            // The parser may have lost sight of values: line by line, more is covered than need be.
            cover_lines(text, &mut bytes);
        }
        Self(String::from_utf8(bytes).unwrap_or_default())
    }

    /// The problem with the lines that it is about. `colour` is for terminals.
    #[must_use]
    pub fn render(&self, problem: &Problem, colour: bool) -> String {
        let level = match problem.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let path = problem.file.display().to_string();
        let title = level.primary_title(problem.title());
        let group = match problem.span.clone().and_then(|span| self.within(span)) {
            Some(span) => {
                let annotation = AnnotationKind::Primary.span(span);
                title.element(Snippet::source(&self.0).path(path).annotation(annotation))
            }
            None => title.element(annotate_snippets::Origin::path(path)),
        };
        let group = match &problem.help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        };
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }

    /// A span that lies within the text, whatever the text has become since it was judged.
    fn within(&self, span: Range<usize>) -> Option<Range<usize>> {
        self.0.get(span.clone()).map(|_| span)
    }
}

fn cover_table(text: &str, bytes: &mut [u8], table: &DeTable<'_>, secret: bool) {
    for (key, value) in table {
        let name = key.get_ref();
        let secret = if secret {
            !PLACES.contains(&&**name)
        } else {
            is_secretive(name)
        };
        cover_value(text, bytes, value.get_ref(), value.span(), secret);
    }
}

fn cover_value(
    text: &str,
    bytes: &mut [u8],
    value: &DeValue<'_>,
    span: Range<usize>,
    secret: bool,
) {
    match value {
        DeValue::Table(table) => cover_table(text, bytes, table, secret),
        DeValue::Array(array) => {
            for item in array {
                cover_value(text, bytes, item.get_ref(), item.span(), secret);
            }
        }
        DeValue::String(value) if !secret && !holds_secret(value) => {}
        _ if !secret && !matches!(value, DeValue::String(_)) => {}
        _ => cover(bytes, span),
    }
}

fn cover_lines(text: &str, bytes: &mut [u8]) {
    let mut start = 0;
    let mut in_key = false;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        let private = line.contains("PRIVATE KEY-----");
        in_key = (in_key || private) && !line.contains("-----END ");
        if in_key || private || holds_secret(line) {
            cover(bytes, range.clone());
        } else if is_secretive(line)
            && let Some(equals) = line.find('=')
        {
            cover(bytes, start + equals + 1..range.end);
        }
        start = range.end;
    }
}

fn is_secretive(name: &str) -> bool {
    let name = PLAIN
        .iter()
        .fold(name.to_lowercase(), |name, plain| name.replace(plain, ""));
    SECRETIVE.iter().any(|word| name.contains(word))
}

/// A private key, or a URL with a password in it.
fn holds_secret(value: &str) -> bool {
    let mut authorities = value
        .split("://")
        .skip(1)
        .map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
    value.contains("PRIVATE KEY-----") || authorities.any(|authority| authority.contains('@'))
}

/// Line ends stay, so that line numbers do.
fn cover(bytes: &mut [u8], span: Range<usize>) {
    for byte in bytes.get_mut(span).unwrap_or_default() {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b'*';
        }
    }
}
