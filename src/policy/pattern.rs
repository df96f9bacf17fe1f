//! The paths that an operator names in a tenant file: rules, public and open paths, API paths.

#[cfg(test)]
mod tests;

use super::path::{self, PathProblem, Place};
use std::fmt::{self, Write};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pattern for canonical paths under the context path, such as `/rest/api/2/user/**`.
///
/// `*` stands for any run of characters within a segment, `**` (a segment of its own) for any number of segments, also
/// none. Everything else is literal, and case matters. Deliberately no regular expressions: an unanchored one, or one
/// whose `.` means more than its author thought, opens what a rule was to close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PathPattern {
    written: String,
    segments: Vec<Segment>,
}

/// A part of a pattern between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// `**`
    AnyNumber,
    /// Itself.
    Literal(String),
    /// One segment, `*` standing for any run of characters.
    Glob(String),
}

/// Why a pattern is refused, and what to write instead. What no canonical path can match is an error: a rule that never
/// applies looks like protection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Perhaps a whole URL, or a pattern for the end of a path.
    #[error(
        "`{0}` does not start with '/': write the path under the context path, such as `/rest/api/2/user/**`"
    )]
    NoLeadingSlash(String),
    /// Rules judge paths only.
    #[error("`{written}` has a query, which no rule sees: write `{instead}`")]
    Query {
        /// The pattern as written.
        written: String,
        /// It without its query.
        instead: String,
    },
    /// Elsewhere this often means all below it; here it would mean the path alone.
    #[error(
        "`{written}` ends with '/': write `{instead}` for that path alone, or `{instead}/**` for all below it too"
    )]
    TrailingSlash {
        /// The pattern as written.
        written: String,
        /// It without the slash.
        instead: String,
    },
    /// `**` beside other characters of a segment.
    #[error(
        "`{written}` has `**` inside the segment `{segment}`: write `*` for a part of a segment, `/**` for whole ones"
    )]
    PartialDoubleStar {
        /// The pattern as written.
        written: String,
        /// The segment at fault.
        segment: String,
    },
    /// Well-formed, but requests are judged in another form of it.
    #[error(
        "`{written}` never matches, since requests are judged in canonical form: write `{instead}`"
    )]
    NotCanonical {
        /// The pattern as written.
        written: String,
        /// Its canonical form.
        instead: String,
    },
    /// Requests for such a path are refused before any rule is asked.
    #[error(
        "`{written}` never matches, since such a path is ambiguous and refused: leave out what is odd ({oddity})"
    )]
    Odd {
        /// The pattern as written.
        written: String,
        /// What no judged path has.
        oddity: &'static str,
    },
}

// === impl PathPattern ===

impl PathPattern {
    /// Whether a [canonical](Place::Canonical) path falls under this pattern. A trailing slash of the path does not
    /// matter: the products answer `/a/b/` as they do `/a/b`. At worst the time grows with the product of the lengths.
    #[must_use]
    pub fn matches(&self, canonical: &str) -> bool {
        let path = canonical.strip_prefix('/').unwrap_or(canonical);
        walk(
            &self.segments,
            path.split_terminator('/'),
            |wants, found| wants.matches(found),
        )
    }

    /// Whether every path that falls under `other` falls under this pattern. Where one `*` would have to be compared
    /// with another the answer may be a wrong no.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        walk(&self.segments, other.segments.iter(), |wants, found| {
            wants.covers(found)
        })
    }

    /// Whether some path that falls under this pattern is `prefix`, or lies below it.
    #[must_use]
    pub fn may_lie_under(&self, prefix: &str) -> bool {
        let mut segments = self.segments.iter();
        let mut prefix = prefix.split('/').skip(1);
        loop {
            match (prefix.next(), segments.next()) {
                (None, _) | (_, Some(Segment::AnyNumber)) => return true,
                (Some(wanted), Some(segment)) if segment.matches(wanted) => {}
                (Some(_), _) => return false,
            }
        }
    }

    /// Its parts.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The pattern for the same below the other name of a version: the products answer `/rest/NAME/latest/…` as they do
    /// the newest `/rest/NAME/2/…`. One that is written for `latest` is for every version.
    #[must_use]
    pub fn of_latest_version(&self) -> Option<Self> {
        let other = match &self.segments[..] {
            [Segment::Literal(rest), name, version, ..]
                if rest == "rest" && *name != Segment::AnyNumber =>
            {
                match version {
                    Segment::Literal(version) if version == "latest" => {
                        Segment::Glob("*".to_owned())
                    }
                    // Whatever versions it is for, the newest may be one of them.
                    // It has that name among all others.
                    Segment::Glob(all) if all == "*" => return None,
                    Segment::Literal(_) | Segment::Glob(_) => Segment::Literal("latest".to_owned()),
                    Segment::AnyNumber => return None,
                }
            }
            _ => return None,
        };
        let mut pattern = self.clone();
        pattern.segments[2] = other;
        Some(pattern)
    }
}

/// Whether `path` is what `wanted` describes, where `fits` says so of one segment. `**` is dealt with here.
fn walk<T>(
    mut wanted: &[Segment],
    mut rest: impl Iterator<Item = T> + Clone,
    fits: impl Fn(&Segment, &T) -> bool,
) -> bool {
    // Where to go on if what follows the last `**` fails: with that `**` one segment longer. Earlier ones need no
    // second try, since they took the least they could.
    let mut retry = None;
    loop {
        let mut ahead = rest.clone();
        match (wanted.split_first(), ahead.next()) {
            (None, None) | (Some((Segment::AnyNumber, [])), _) => return true,
            (Some((Segment::AnyNumber, after)), _) => {
                retry = Some((after, rest.clone()));
                wanted = after;
                continue;
            }
            (Some((wants, after)), Some(segment)) if fits(wants, &segment) => {
                (wanted, rest) = (after, ahead);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = &mut retry else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        (wanted, rest) = (*after, from.clone());
    }
}

impl Segment {
    /// Whether one segment of a path is what this one stands for.
    #[must_use]
    pub fn matches(&self, segment: &str) -> bool {
        match self {
            Self::AnyNumber => true,
            Self::Literal(literal) => literal == segment,
            Self::Glob(glob) => glob_matches(glob.as_bytes(), segment.as_bytes(), 3),
        }
    }

    /// Whether whatever one segment `other` of a pattern stands for is what this one stands for.
    fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AnyNumber, _) => true,
            (_, Self::AnyNumber) => false,
            (_, Self::Literal(literal)) => self.matches(literal),
            (Self::Glob(glob), Self::Glob(_)) if glob == "*" => true,
            (_, Self::Glob(_)) => self == other,
        }
    }
}

/// The same walk as over segments, by characters. `*` is any run of them. A percent-encoding has `encoded` bytes: in a
/// path it counts as one character (3), so that `*B` can't end within `%AB`; elsewhere `%` is a character (1).
#[must_use]
pub fn glob_matches(mut glob: &[u8], mut text: &[u8], encoded: usize) -> bool {
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (glob.split_first(), text.split_first()) {
            (None, None) => return true,
            (Some((b'*', after)), _) => {
                retry = Some((after, text));
                glob = after;
                continue;
            }
            (Some((wanted, after)), Some((found, rest))) if wanted == found => {
                (glob, text) = (after, rest);
                continue;
            }
            _ => {}
        }
        let Some((after, from)) = &mut retry else {
            return false;
        };
        let Some(first) = from.first() else {
            return false;
        };
        let length = if *first == b'%' { encoded } else { 1 };
        *from = from.get(length..).unwrap_or_default();
        (glob, text) = (*after, *from);
    }
}

impl FromStr for PathPattern {
    type Err = InvalidPattern;

    fn from_str(pattern: &str) -> Result<Self, InvalidPattern> {
        let written = || pattern.to_owned();
        if !pattern.starts_with('/') {
            return Err(InvalidPattern::NoLeadingSlash(written()));
        }
        if let Some((instead, _)) = pattern.split_once('?') {
            return Err(InvalidPattern::Query {
                written: written(),
                instead: instead.to_owned(),
            });
        }
        // What a request for this very path would be judged as; a `*` is an ordinary character there.
        let encoded = percent_encode(pattern);
        let canonical = match path::place(encoded.as_bytes(), "", |_| true) {
            Ok(Place::Canonical(canonical)) => canonical,
            Err(PathProblem::Ambiguous(oddity)) => {
                return Err(InvalidPattern::Odd {
                    written: written(),
                    oddity,
                });
            }
            Ok(Place::Product) | Err(PathProblem::OutsideContext) => {
                unreachable!("everything is protected, and lies under the empty context path")
            }
        };
        if canonical != pattern {
            return Err(InvalidPattern::NotCanonical {
                written: written(),
                instead: canonical.into_owned(),
            });
        }
        if let Some(instead) = pattern.strip_suffix('/').filter(|path| !path.is_empty()) {
            return Err(InvalidPattern::TrailingSlash {
                written: written(),
                instead: instead.to_owned(),
            });
        }
        let segments = pattern[1..]
            .split_terminator('/')
            .map(|segment| match segment {
                "**" => Ok(Segment::AnyNumber),
                _ if segment.contains("**") => Err(InvalidPattern::PartialDoubleStar {
                    written: written(),
                    segment: segment.to_owned(),
                }),
                _ if segment.contains('*') => Ok(Segment::Glob(segment.to_owned())),
                _ => Ok(Segment::Literal(segment.to_owned())),
            });
        Ok(Self {
            segments: segments.collect::<Result<_, _>>()?,
            written: written(),
        })
    }
}

/// Spaces and non-ASCII characters as a client would send them, so that the error can show what to write.
fn percent_encode(pattern: &str) -> String {
    let mut encoded = String::with_capacity(pattern.len());
    let mut utf8 = [0; 4];
    for character in pattern.chars() {
        if character == ' ' || !character.is_ascii() {
            for byte in character.encode_utf8(&mut utf8).bytes() {
                write!(encoded, "%{byte:02X}").expect("a String takes every write");
            }
        } else {
            encoded.push(character);
        }
    }
    encoded
}

impl TryFrom<String> for PathPattern {
    type Error = InvalidPattern;

    fn try_from(written: String) -> Result<Self, InvalidPattern> {
        written.parse()
    }
}

impl From<PathPattern> for String {
    fn from(pattern: PathPattern) -> Self {
        pattern.written
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}
