//! One thing that is wrong with a tenant file, and what to write instead.

use std::{
    fmt,
    ops::Range,
    path::{Path, PathBuf},
};

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file can't be served.
    Error,
    /// The file is served, and its writer should know this.
    Warning,
}

/// One problem of one file. Neither its message nor its help holds the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// The tenant file, as it was named by whoever asked.
    #[serde(serialize_with = "as_shown")]
    pub file: PathBuf,
    /// The bytes of the file that it is about; absent where it is about the file as a whole.
    #[serde(skip)]
    pub span: Option<Range<usize>>,
    /// The line where `span` starts, counted from 1; 1 where there is no span.
    pub line: usize,
    /// The character of the line where `span` starts, counted from 1; 1 where there is no span.
    pub column: usize,
    /// The key as a dotted path (`provider[0].audience`); empty where it is about the file as a whole.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// An error about a file as a whole: it could not be read, or is not named like a tenant.
    #[must_use]
    pub fn of_file(file: &Path, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            span: None,
            line: 1,
            column: 1,
            key: String::new(),
            message: message.into(),
            help: None,
        }
    }

    /// Adds what to write instead.
    pub fn help(&mut self, text: impl Into<String>) {
        self.help = Some(text.into());
    }

    /// What is wrong, after the key that it is about.
    #[must_use]
    pub fn title(&self) -> String {
        if self.key.is_empty() {
            self.message.clone()
        } else {
            format!("{}: {}", self.key, self.message)
        }
    }
}

/// One line, as for a log: `tenants/jira.toml:3:9: error: provider[0].audience: … (help: …)`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.span.is_some() {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}: {}", self.severity, self.title())?;
        match &self.help {
            Some(help) => write!(f, " (help: {help})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A path as text even where it is not UTF-8, which JSON must be.
fn as_shown<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}
