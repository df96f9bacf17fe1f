//! From a file's text to the file as written, with every problem of its form.

use std::path::Path;

use serde::Deserialize;
use toml::de::{DeTable, Deserializer};

use super::{file::TenantFile, report::Report, schema, shape};

/// What the TOML parser says about single values and keys; the rest of the file is then worth judging.
/// After any other error the parser's guess at the rest would produce problems that are not there. A
/// sentence that a later parser words differently only means that less is said at once;
/// `a_local_error_hides_nothing` notices.
const LOCAL: [&str; 4] = [
    "string values must be quoted",
    "duplicate key",
    "unexpected leading zero",
    "invalid boolean",
];

/// The keys of a file, or nothing where its syntax is too broken to tell them.
pub fn parse<'t>(file: &'t Path, text: &'t str) -> (Option<TenantFile>, Report<'t>) {
    let mut report = Report::new(file, text);
    let (mut table, errors) = DeTable::parse_recoverable(text);
    let local = |error: &toml::de::Error| {
        LOCAL
            .iter()
            .any(|sentence| error.message().starts_with(sentence))
    };
    let readable = errors.iter().all(local);
    if readable {
        report.locate(table.get_ref());
    }
    for error in &errors {
        // The parser's messages speak of its grammar and never repeat the text.
        let problem = report.syntax_error(error.span().unwrap_or(0..0), error.message());
        if error.message().starts_with(LOCAL[0]) {
            problem.help("write the value in quotes: \"…\"");
        }
    }
    if !readable {
        return (None, report);
    }
    shape::conform(table.get_mut(), schema::schema(), &mut report);
    match TenantFile::deserialize(Deserializer::from(table)) {
        Ok(file) => (Some(file), report),
        Err(error) => {
            // Not reachable while the schema and the structs say the same. serde's message is left
            // out because it repeats values.
            report.syntax_error(error.span().unwrap_or(0..0), "this can't be read");
            (None, report)
        }
    }
}
