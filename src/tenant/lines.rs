//! Where the keys of a tenant file stand.

use std::path::Path;

use toml::de::DeTable;

use super::{problem::Problem, report::Report};

/// The keys of one file's text.
pub struct Lines<'t>(Report<'t>);

impl<'t> Lines<'t> {
    /// Those of a text that could be read when it was built. Of one that can't there are none.
    #[must_use]
    pub fn new(file: &'t Path, text: &'t str) -> Self {
        let mut report = Report::new(file, text);
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            report.locate(table.get_ref());
        }
        Self(report)
    }

    /// The line of a key, counted from 1; `None` where it is not written.
    #[must_use]
    pub fn of(&self, key: &str) -> Option<usize> {
        self.0.line(key)
    }

    /// What comes of a key, and what to write instead, as a problem of the file: at the key, or where it is not written,
    /// at the table that it would stand in.
    #[must_use]
    pub fn problem(mut self, key: &str, message: &str, help: &str) -> Option<Problem> {
        self.0.error(key, message).help(help);
        self.0.finish().pop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_or_else_its_table() {
        let text = "product = \"jira\"\n[access]\nread_only = true\n";
        let lines = || Lines::new(Path::new("x.toml"), text);
        assert_eq!(lines().of("access.read_only"), Some(3));
        assert_eq!(lines().of("access.sessions"), None);
        let place = |key: &str| {
            let problem = lines().problem(key, "m", "h").expect("there is one");
            (problem.line, problem.span.is_some())
        };
        assert_eq!(place("access.read_only"), (3, true));
        assert_eq!(place("access.sessions"), (2, true));
        assert_eq!(place("rate_limit.per_user"), (1, false));
    }
}
