//! Everything that an odd path may mean to somebody on its way: what each step of a reader makes of it, in any order.

use super::after_marks;
use super::normal::{decode_once, with_encoded_dots};

/// What the readings of a path, taken together, say about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// At least one is protected.
    Protected,
    /// None is protected; at least one lies under the context path.
    Inside,
    /// None lies under the context path.
    Outside,
    /// There are more than we care to look at; to be taken as protected.
    TooMany,
}

/// Odd paths that are not made to measure have some dozens. With [`MAX_BYTES`] this keeps what the worst request costs
/// to about one millisecond.
const MAX_READINGS: usize = 128;

/// The sum of the readings' lengths: enough for a path of 1 KiB with dozens of them.
const MAX_BYTES: usize = 32 * 1024;

/// What some reader does to a path. Each step either changes nothing, or shortens the path or has fewer backslashes to
/// turn, so that repeating all of them comes to an end.
const STEPS: [fn(&str) -> String; 10] = [
    decode,
    resolve_dots,
    cut_parameters,
    merge_slashes,
    |path| path.replace('\\', "/"),
    |path| before(path, '#'),
    |path| before(path, '?'),
    |path| before(path, ';'),
    |path| before(path, '\0'),
    drop_unreadable,
];

/// One reading of a path.
#[derive(Clone, PartialEq, Eq)]
struct Reading {
    path: String,
    /// Whether the context path has been taken off already.
    inside: bool,
}

/// The distinct readings found so far.
#[derive(Default)]
struct Readings {
    found: Vec<Reading>,
    bytes: usize,
}

impl Readings {
    /// `None` where that is one too many.
    fn add(&mut self, path: &str, inside: bool) -> Option<()> {
        if !self
            .found
            .iter()
            .any(|known| known.inside == inside && known.path == path)
        {
            self.bytes += path.len();
            self.found.push(Reading {
                path: path.to_owned(),
                inside,
            });
        }
        (self.found.len() <= MAX_READINGS && self.bytes <= MAX_BYTES).then_some(())
    }
}

/// Judges all readings of a raw path: every order of [`STEPS`], with the context path taken off before or after any of
/// them, since an odd path may leave the context (`/jira/../rest`) or come into it.
pub(super) fn judge(path: &[u8], context: &str, protected: impl Fn(&str) -> bool) -> Verdict {
    search(path, context, protected).unwrap_or(Verdict::TooMany)
}

/// `None` where there are too many.
fn search(path: &[u8], context: &str, protected: impl Fn(&str) -> bool) -> Option<Verdict> {
    let mut readings = Readings::default();
    readings.add(&with_encoded_dots(path), context.is_empty())?;
    let mut verdict = Verdict::Outside;
    let mut next = 0;
    while let Some(Reading { path, inside }) = readings.found.get(next).cloned() {
        next += 1;
        if inside {
            if protected(&path) {
                return Some(Verdict::Protected);
            }
            verdict = Verdict::Inside;
            // Without asking for the `/s/`: what hides it here may be gone by the time that the product looks.
            for forwarded in after_marks(&path) {
                readings.add(forwarded, true)?;
            }
        } else {
            for inner in below(&path, context) {
                readings.add(inner, true)?;
            }
        }
        for step in STEPS {
            readings.add(&step(&path), inside)?;
        }
    }
    Some(verdict)
}

/// What is left of a path once the context path is taken off, wherever the dots before that place lead to it. Tomcat's
/// `getRequestURI()` without its `getContextPath()` is such a rest of `/x/../jira/rest/..`: the dots after it are there
/// still, for a plugin that does not resolve them.
fn below<'p>(path: &'p str, context: &str) -> impl Iterator<Item = &'p str> {
    let wanted: Vec<&str> = context.split('/').skip(1).collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut start = 1;
    path.split('/').skip(1).filter_map(move |segment| {
        start += segment.len();
        step(&mut kept, segment);
        let rest = path.get(start..).filter(|_| kept == wanted);
        start += 1;
        rest.map(|rest| if rest.is_empty() { "/" } else { rest })
    })
}

/// Decodes once more, leniently: as old decoders do, it takes an overlong UTF-8 form (`%C0%AF`) for the character.
fn decode(path: &str) -> String {
    let raw = decode_once(path);
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = &raw[..];
    while let Some(&byte) = rest.first() {
        let (value, length) = match *rest {
            [0xC0 | 0xC1, last @ 0x80..=0xBF, ..] => (((byte & 1) << 6) | (last & 0x3F), 2),
            [0xE0, middle @ 0x80..=0x81, last @ 0x80..=0xBF, ..] => {
                (((middle & 1) << 6) | (last & 0x3F), 3)
            }
            _ => (byte, 1),
        };
        bytes.push(value);
        rest = &rest[length..];
    }
    with_encoded_dots(&bytes)
}

/// Without what a reader may skip: control characters, and bytes that are not UTF-8.
fn drop_unreadable(path: &str) -> String {
    let raw = decode_once(path);
    let readable = raw.utf8_chunks().flat_map(|chunk| chunk.valid().bytes());
    with_encoded_dots(
        &readable
            .filter(|byte| !byte.is_ascii_control())
            .collect::<Vec<u8>>(),
    )
}

/// RFC 3986 §5.2.4; a `..` at the root stays there.
fn resolve_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut dots = false;
    for segment in path.split('/').skip(1) {
        dots = matches!(segment, "." | "..");
        step(&mut kept, segment);
    }
    if dots {
        kept.push("");
    }
    format!("/{}", kept.join("/"))
}

fn step<'p>(kept: &mut Vec<&'p str>, segment: &'p str) {
    match segment {
        "." => {}
        ".." => _ = kept.pop(),
        _ => kept.push(segment),
    }
}

/// Tomcat's path parameters: from a `;` to the end of its segment.
fn cut_parameters(path: &str) -> String {
    let segments = path.split('/').map(|segment| before(segment, ';'));
    segments.collect::<Vec<_>>().join("/")
}

fn merge_slashes(path: &str) -> String {
    let mut previous = None;
    let mut kept = path.to_owned();
    kept.retain(|next| previous.replace(next) != Some('/') || next != '/');
    kept
}

fn before(path: &str, end: char) -> String {
    path.split(end).next().unwrap_or_default().to_owned()
}
