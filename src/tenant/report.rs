//! The problems of one file while they are being found, and where each key of it stands.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
    path::Path,
};

use toml::de::{DeTable, DeValue};

use super::problem::{Problem, Severity};

/// More than a person reads and than an honest file holds; without it a hostile file of 256 KiB
/// could make a log entry of many megabytes.
const MAX_PROBLEMS: usize = 500;

/// How much of a name or value a message repeats.
const MAX_SHOWN: usize = 60;

/// Collects the problems of one file.
pub struct Report<'t> {
    file: &'t Path,
    text: &'t str,
    /// Where each line starts, so that finding a line number is a binary search.
    lines: Vec<usize>,
    places: HashMap<String, Place>,
    /// Keys that were written but are not there any more because something is wrong with them:
    /// nothing is said about their absence.
    broken: BTreeSet<String>,
    problems: Vec<Problem>,
    errors: usize,
    /// Takes what comes after [`MAX_PROBLEMS`].
    overflow: Problem,
    overflowed: usize,
}

/// Where a key and its value stand.
#[derive(Debug, Clone)]
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

impl<'t> Report<'t> {
    /// An empty report on a file.
    pub fn new(file: &'t Path, text: &'t str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self {
            file,
            text,
            lines: std::iter::once(0)
                .chain(starts.map(|(at, _)| at + 1))
                .collect(),
            places: HashMap::new(),
            broken: BTreeSet::new(),
            problems: Vec::new(),
            errors: 0,
            overflow: Problem::of_file(file, ""),
            overflowed: 0,
        }
    }

    /// Remembers where every key of the file stands.
    pub fn locate(&mut self, table: &DeTable<'_>) {
        self.locate_table("", table);
    }

    fn locate_table(&mut self, path: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            let path = member(path, key.get_ref());
            let place = Place {
                key: key.span(),
                value: value.span(),
            };
            self.locate_value(&path, place, value.get_ref());
        }
    }

    fn locate_value(&mut self, path: &str, place: Place, value: &DeValue<'_>) {
        match value {
            DeValue::Table(table) => self.locate_table(path, table),
            DeValue::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    let place = Place {
                        key: item.span(),
                        value: item.span(),
                    };
                    self.locate_value(&element(path, index), place, item.get_ref());
                }
            }
            _ => {}
        }
        self.places.insert(path.to_owned(), place);
    }

    /// Something is wrong with the value of a key. The file can't be served.
    pub fn error(&mut self, key: &str, message: impl Into<String>) -> &mut Problem {
        self.push(Severity::Error, key, self.value_span(key), message.into())
    }

    /// Something about the value of a key deserves to be known.
    pub fn warning(&mut self, key: &str, message: impl Into<String>) -> &mut Problem {
        self.push(Severity::Warning, key, self.value_span(key), message.into())
    }

    /// A secret can't be read: an error or not, as the caller chose. See [`Secrets`](super::build::Secrets).
    pub fn concern(
        &mut self,
        severity: Severity,
        key: &str,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.push(severity, key, self.value_span(key), message.into())
    }

    /// Whether a key stands in the file.
    pub fn is_written(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }

    /// The line of a key that stands in the file.
    pub fn line(&self, key: &str) -> Option<usize> {
        let place = self.places.get(key)?;
        Some(self.position(place.key.start).0)
    }

    /// There is no such key.
    pub fn unknown(&mut self, key: &str, message: &str) -> &mut Problem {
        let span = self.places.get(key).map(|place| place.key.clone());
        self.push(Severity::Error, key, span, message.to_owned())
    }

    /// The parser stumbled. Where that was within a value, the value is broken.
    pub fn syntax_error(&mut self, span: Range<usize>, message: &str) -> &mut Problem {
        let within = |place: &Place| place.value.start <= span.start && span.end <= place.value.end;
        // Nobody reads the key of a problem that is not shown.
        let places = self
            .places
            .iter()
            .take_while(|_| self.problems.len() < MAX_PROBLEMS);
        let key = places
            .filter(|(_, place)| place.key != place.value && within(place))
            .min_by_key(|(_, place)| place.value.len())
            .map(|(key, _)| key.clone());
        if let Some(key) = &key {
            self.broken.insert(key.clone());
        }
        self.push(
            Severity::Error,
            &key.unwrap_or_default(),
            Some(span),
            message.to_owned(),
        )
    }

    /// A key is absent that must be there, unless it was written and found broken. Points at the
    /// table that it belongs to.
    pub fn missing(&mut self, table: &str, name: &str, message: &str, help: &str) {
        let key = member(table, name);
        if !self.is_broken(&key) {
            let span = self.value_span(table);
            self.push(Severity::Error, &key, span, message.to_owned())
                .help(help);
        }
    }

    /// Says nothing about the absence of this key or of anything in it.
    pub fn mark_broken(&mut self, key: String) {
        self.broken.insert(key);
    }

    /// Whether the key was written and found broken.
    pub fn is_broken(&self, key: &str) -> bool {
        self.broken.contains(key)
    }

    /// Whether anything so far forbids to serve the file.
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// All that was found, in the order of the file.
    pub fn finish(mut self) -> Vec<Problem> {
        let start = |problem: &Problem| problem.span.as_ref().map(|span| span.start);
        self.problems
            .sort_by_key(|problem| (start(problem), problem.severity));
        if self.overflowed > 0 {
            let message = format!("{} more problems are not shown", self.overflowed);
            self.problems.push(Problem::of_file(self.file, message));
        }
        self.problems
    }

    fn push(
        &mut self,
        severity: Severity,
        key: &str,
        span: Option<Range<usize>>,
        message: String,
    ) -> &mut Problem {
        self.errors += usize::from(severity == Severity::Error);
        if self.problems.len() >= MAX_PROBLEMS {
            self.overflowed += 1;
            return &mut self.overflow;
        }
        let (line, column) = span
            .as_ref()
            .map_or((1, 1), |span| self.position(span.start));
        let file = self.file.to_owned();
        let key = key.to_owned();
        self.problems.push(Problem {
            severity,
            file,
            span,
            line,
            column,
            key,
            message,
            help: None,
        });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// The span of a key's value, or of the key where the value runs over several lines (a PEM text,
    /// say), or of the nearest table around it.
    fn value_span(&self, key: &str) -> Option<Range<usize>> {
        let mut key = key;
        loop {
            if let Some(place) = self.places.get(key) {
                let value = self.text.get(place.value.clone()).unwrap_or("\n");
                let span = if value.contains('\n') {
                    &place.key
                } else {
                    &place.value
                };
                return Some(span.clone());
            }
            key = &key[..key.rfind(['.', '['])?];
        }
    }

    fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= offset).max(1);
        let before = self.text.get(self.lines[line - 1]..offset).unwrap_or("");
        (line, before.chars().count() + 1)
    }
}

/// The dotted path of a table's member.
pub fn member(path: &str, name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let name = if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        format!("{name:?}")
    };
    if path.is_empty() {
        name
    } else {
        format!("{path}.{name}")
    }
}

/// The dotted path of an array's element.
pub fn element(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// A name or value as a message may repeat it: quoted, escaped and cut. Never for a secret.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// The candidate that was most likely meant, if any is near enough to be worth naming.
pub fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Comparing a text of many kilobytes with every key would cost seconds and find nothing.
    if text.len() > MAX_SHOWN {
        return None;
    }
    let likeness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        strsim::jaro_winkler(&text.to_lowercase(), &candidate)
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// Several names as one text: `a`, `b` or `c`.
pub fn choice<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
