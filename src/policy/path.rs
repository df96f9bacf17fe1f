//! The one canonical form of a request's path: what the path means, or that it may mean several things.
//!
//! The proxy, Postern and the product each read the same bytes. Where one decodes, cuts or resolves what another keeps,
//! a rule can be walked around. So a path is judged only where it has a single reading; one with several is refused if
//! any of them (module `readings`) is protected. Nothing here parses a URL: such a parser takes `//host/` for an
//! authority, and quietly repairs what has to be noticed.

mod normal;
mod readings;
#[cfg(test)]
mod tests;

use normal::{Normal, is_plain, normalise};
use readings::Verdict;
use std::borrow::Cow;

/// A raw request target (RFC 9112 §3.2.1, origin-form) as it must be judged.
#[derive(Debug, PartialEq, Eq)]
pub enum Place<'a> {
    /// One reading only: the canonical path under the context path. It starts with a single `/`, and is `/` where the
    /// target is the context path itself. Percent-encodings are upper-case, and only of what cannot stand for itself.
    Canonical(Cow<'a, str>),
    /// Readable in several ways, none of which is protected: the product's own page.
    Product,
}

/// Why a target cannot be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// The path can be read in several ways and one of them is protected, or it is no path at all
    /// (`ambiguous_path`). Holds what was odd about it, for the operator.
    #[error("the path is ambiguous: {0}")]
    Ambiguous(&'static str),
    /// No reading of the path lies under the tenant's context path (`not_this_tenant`).
    #[error("the path lies outside the tenant's context path")]
    OutsideContext,
}

/// The longest target that is judged. Tomcat's whole request head is 8 KiB by default and nginx's longest line too; a
/// longer target has no honest use, and odd ones cost work in proportion to it.
const MAX_TARGET: usize = 16 * 1024;

/// Judges a raw request target (with its query, if any) of a tenant whose product answers under `context`: `""` or
/// `"/jira"`, in canonical form and without a trailing slash. `protected` says whether a canonical path under the
/// context is an API path or falls under a rule; it is asked only where the target is not plainly in canonical form.
///
/// # Errors
/// [`PathProblem::Ambiguous`] where a reading of an odd path is protected, or the target is too long, holds whitespace or
/// does not start with exactly one `/`; [`PathProblem::OutsideContext`] where no reading lies under `context`.
pub fn place<'a>(
    target: &'a [u8],
    context: &str,
    protected: impl Fn(&str) -> bool,
) -> Result<Place<'a>, PathProblem> {
    if target.len() > MAX_TARGET {
        return Err(PathProblem::Ambiguous("longer than 16 KiB"));
    }
    if !target.starts_with(b"/") || target.starts_with(b"//") {
        return Err(PathProblem::Ambiguous(
            "does not start with exactly one '/'",
        ));
    }
    if let Some(path) = ordinary(target) {
        let inner = under(path, context).ok_or(PathProblem::OutsideContext)?;
        if let Forward {
            path,
            several: false,
            ..
        } = forward(inner)
        {
            return Ok(Place::Canonical(Cow::Borrowed(path)));
        }
    }
    examine(path_of(target), context, protected)
}

/// Whether a path in a configuration is written in the canonical form, which is the only one that requests are
/// compared in: any other would never match, and fail open.
#[must_use]
pub fn is_canonical(path: &str) -> bool {
    matches!(place(path.as_bytes(), "", |_| true), Ok(Place::Canonical(canonical)) if canonical == path)
}

/// The raw query of a target (what follows the first `?`), if any.
#[must_use]
pub fn query(target: &[u8]) -> Option<&[u8]> {
    let mark = target.iter().position(|&byte| byte == b'?')?;
    Some(&target[mark + 1..])
}

/// The raw path of a target: what precedes the first `?`.
fn path_of(target: &[u8]) -> &[u8] {
    let mark = target.iter().position(|&byte| byte == b'?');
    &target[..mark.unwrap_or(target.len())]
}

// === the ordinary case, on every request: one scan, no allocation ===

/// What a raw byte calls for in [`ordinary`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Slash,
    Query,
    Special,
}

/// A table, since a comparison per class and byte would be most of what an ordinary request's path costs.
const KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Special; 256];
    let mut byte: u8 = 0;
    while byte < 0x80 {
        if is_plain(byte) {
            kinds[byte as usize] = Kind::Plain;
        }
        byte += 1;
    }
    kinds[b'/' as usize] = Kind::Slash;
    kinds[b'?' as usize] = Kind::Query;
    kinds
};

/// The path of a target that is visibly in canonical form already. `None` means only that it needs a closer look.
fn ordinary(target: &[u8]) -> Option<&str> {
    let mut end = target.len();
    for (at, &byte) in target.iter().enumerate() {
        let kind = KINDS[usize::from(byte)];
        if kind == Kind::Plain {
            continue;
        }
        if kind == Kind::Query {
            end = at;
            break;
        }
        // After a slash there might be an empty or a dot segment.
        if kind == Kind::Special || matches!(target.get(at + 1), Some(b'/' | b'.')) {
            return None;
        }
    }
    Some(std::str::from_utf8(&target[..end]).expect("bytes that are not special are ASCII"))
}

/// The path below the context path, if it lies there. Case matters, as it does to the products.
fn under<'p>(path: &'p str, context: &str) -> Option<&'p str> {
    if context.is_empty() {
        return Some(path);
    }
    match path.strip_prefix(context)? {
        "" => Some("/"),
        inner if inner.starts_with('/') => Some(inner),
        _ => None,
    }
}

// === /s/…/_/P ===

/// What the products forward a path to.
struct Forward<'p> {
    path: &'p str,
    /// Whether it is forwarded at all.
    forwarded: bool,
    /// Whether a later `/_/` would lead elsewhere.
    several: bool,
}

/// The products serve `/s/…/_/P` (static resources behind a cache-busting prefix) by forwarding to `P`. The prefix that
/// they write ends at the first `/_/`, yet the pattern that they match (`^/s/(.*)/_/(.*)`) is greedy and ends it at the
/// last: where these differ, nobody should guess.
fn forward(path: &str) -> Forward<'_> {
    let mut last = path;
    while let Some(next) = forwards(last).next() {
        last = next;
    }
    let forwarded = last.len() < path.len();
    Forward {
        path: last,
        forwarded,
        several: forwarded && last.contains("/_/"),
    }
}

/// Every `P` that a path may be forwarded to, the longest first. `/S/` counts: `UrlRewriteFilter`, which has the rule
/// in the older products, ignores case unless told otherwise.
fn forwards(path: &str) -> impl Iterator<Item = &str> {
    let prefixed = path.starts_with("/s/") || path.starts_with("/S/");
    after_marks(if prefixed { &path[2..] } else { "" })
}

/// What follows each `/_/`, from its last slash on.
fn after_marks(path: &str) -> impl Iterator<Item = &str> {
    let windows = path.as_bytes().windows(3).enumerate();
    windows
        .filter(|(_, window)| window == b"/_/")
        .map(|(at, _)| &path[at + 2..])
}

// === everything else ===

const DELIMITERS: &str = "an encoded '?', '#' or ';' (%3f, %23, %3b)";

/// The closer look: agrees with the ordinary case wherever that has an answer.
fn examine(
    path: &[u8],
    context: &str,
    protected: impl Fn(&str) -> bool,
) -> Result<Place<'static>, PathProblem> {
    // RFC 9112 §3.2 wants 400 for whitespace in a target: some readers end the target there, each at what §3 lets it
    // take for whitespace.
    if path.iter().any(|byte| b" \t\x0b\x0c\r".contains(byte)) {
        return Err(PathProblem::Ambiguous("whitespace"));
    }
    let Normal {
        text,
        oddity,
        delimiters,
    } = normalise(path);
    let inner = under(&text, context).map(forward);
    let oddity = oddity.or_else(|| {
        let forward = inner.as_ref()?;
        // UrlRewriteFilter decodes before it forwards and the container decodes once more, so that a delimiter does its
        // work in the second reading.
        match forward {
            Forward { several: true, .. } => Some("more than one '/_/' after '/s/'"),
            Forward {
                forwarded: true, ..
            } if delimiters => Some(DELIMITERS),
            Forward { .. } => None,
        }
    });
    if let Some(oddity) = oddity {
        return match readings::judge(path, context, protected) {
            Verdict::Protected | Verdict::TooMany => Err(PathProblem::Ambiguous(oddity)),
            Verdict::Inside => Ok(Place::Product),
            Verdict::Outside => Err(PathProblem::OutsideContext),
        };
    }
    // An encoded delimiter is how a client must write a branch `fix#7` or a folder `C#`, so that alone is not odd. It
    // may not turn a protected path into one that looks free, though, for a reader that takes it for a delimiter.
    if delimiters
        && !inner
            .as_ref()
            .is_some_and(|forward| protected(forward.path))
    {
        match readings::judge(path, context, protected) {
            Verdict::Protected | Verdict::TooMany => {
                return Err(PathProblem::Ambiguous(DELIMITERS));
            }
            Verdict::Inside | Verdict::Outside => {}
        }
    }
    let canonical = inner.ok_or(PathProblem::OutsideContext)?;
    Ok(Place::Canonical(Cow::Owned(canonical.path.to_owned())))
}
