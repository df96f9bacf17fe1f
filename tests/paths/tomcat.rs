//! What Tomcat, and the products in it, make of a request target: the rules that we are compared with.
//!
//! # Tomcat
//!
//! Read from `CoyoteAdapter.postParseRequest`, `parsePathParameters` and `normalize` (org.apache.catalina.connector),
//! `UDecoder` (org.apache.tomcat.util.buf), `Http11InputBuffer.parseRequestLine` (org.apache.coyote.http11) and
//! `ApplicationContext.getRequestDispatcher` (org.apache.catalina.core) of Tomcat 9.0.83, 10.1 and 11, and from
//! <https://tomcat.apache.org/tomcat-9.0-doc/config/http.html>. In this order:
//!
//! 1. The target ends at the first space or tab; of `http://host/path` the path counts; the path ends at the first raw
//!    `?`. `#`, control characters, raw `\` and other characters that are none of a URI's are answered 400 since 8.5,
//!    unless `relaxedPathChars` lets them through. We let all of them through, as older versions do.
//! 2. Path parameters go: each raw `;` to the next `/` or `;`. An encoded one (`%3b`) is none.
//! 3. Percent-encodings are decoded, once. `%2f` is refused (`encodedSolidusHandling="reject"`, the default), decoded
//!    (also `ALLOW_ENCODED_SLASH`) or left as it is (`passthrough`; then `%25` is left too, since 9.0.98), and
//!    `%5c` likewise (`encodedReverseSolidusHandling`, by default `decode`). A broken encoding is answered 400.
//! 4. The path is normalised: `\` is refused or, with `allowBackslash`, becomes `/`; a zero byte is refused; `//`, `/./`
//!    and `/../` are resolved in this order; what climbs above the root is refused.
//! 5. Only then its bytes become characters (what is not UTF-8 becomes U+FFFD, no shorter form of `/` or `.` exists),
//!    and the longest context path that it lies under is found, by case.
//!
//! # The products
//!
//! - `/s/…/_/P` is forwarded to `P`: by `UrlRewriteFilter` (`^/s/(.*)/_/(.*)`, case ignored, over the URI decoded once,
//!   parameters included: `UrlRewriter.getPathWithinApplication`), since Jira 6 by `CachingResourceDownloadRewriteRule`
//!   (over the URI as it came, dots resolved by `java.net.URI`). A forward ends at a `?`, loses its parameters (in older
//!   versions only after it was decoded, and then with all that follows), is normalised with `\` for `/`, decoded,
//!   and refused if it is not normal then.
//! - Plugins compare what `getRequestURI()` gives, which is raw, less `getContextPath()`: as it is, cut, decoded, both in
//!   either order, and each of these normalised (Atlassian's CVE-2022-26136 was such a difference).

use std::collections::BTreeSet;

/// What becomes of an encoded `/` or `\`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Encoded {
    Reject,
    Decode,
    PassThrough,
}
use Encoded::{Decode, PassThrough, Reject};

/// The settings of a connector (server.xml) that change what a path means.
#[derive(Clone, Copy)]
pub struct Connector {
    pub slash: Encoded,
    pub backslash: Encoded,
    pub allow_backslash: bool,
}

impl Connector {
    pub const DEFAULT: Self = Self {
        slash: Reject,
        backslash: Decode,
        allow_backslash: false,
    };

    fn all() -> impl Iterator<Item = Self> {
        let ways = [Reject, Decode, PassThrough];
        ways.into_iter().flat_map(move |slash| {
            ways.into_iter().flat_map(move |backslash| {
                [false, true].map(|allow_backslash| Self {
                    slash,
                    backslash,
                    allow_backslash,
                })
            })
        })
    }

    /// Steps 2 to 4. `None` is a 400.
    pub fn decoded(self, uri: &[u8]) -> Option<Vec<u8>> {
        let decoded = decode(&without_parameters(uri), self.slash, self.backslash)?;
        normalise(&decoded, self.allow_backslash)
    }
}

/// Every path under the context path that is served for this target by some Tomcat with some settings and the product
/// in it.
pub fn served(target: &[u8], context: &str) -> BTreeSet<Vec<u8>> {
    let mut found = BTreeSet::new();
    for uri in uris(target) {
        let mapped: BTreeSet<Vec<u8>> = Connector::all()
            .filter_map(|connector| Some(under(&connector.decoded(uri)?, context)?.to_vec()))
            .collect();
        if !mapped.is_empty() {
            found.extend(mapped);
            found.extend(seen_by_plugins(uri, context));
        }
    }
    let mut todo: Vec<Vec<u8>> = found.iter().cloned().collect();
    while let Some(path) = todo.pop() {
        for forwarded in forwards(&path).flat_map(dispatched) {
            if found.insert(forwarded.clone()) {
                todo.push(forwarded);
            }
        }
    }
    found
}

/// Step 1.
fn uris(target: &[u8]) -> impl Iterator<Item = &[u8]> {
    let line = before(target, b" \t\r\n");
    [target, line].into_iter().filter_map(|target| {
        let absolute = target.len() > 4 && target[..4].eq_ignore_ascii_case(b"http");
        let path = if absolute {
            let host = target.windows(3).position(|window| window == b"://")? + 3;
            let length = target[host..].iter().position(|byte| *byte == b'/')?;
            &target[host + length..]
        } else {
            target
        };
        Some(before(path, b"?"))
    })
}

/// Step 2.
fn without_parameters(uri: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let mut kept = uri.to_vec();
    kept.retain(|byte| {
        inside = *byte == b';' || (inside && *byte != b'/');
        !inside
    });
    kept
}

/// Step 3.
fn decode(uri: &[u8], slash: Encoded, backslash: Encoded) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(uri.len());
    let mut rest = uri;
    while let Some(&byte) = rest.first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = &rest[1..];
            continue;
        }
        let value = digits(rest)?;
        let handling = match value {
            b'/' => slash,
            b'\\' => backslash,
            b'%' if [slash, backslash].contains(&PassThrough) => PassThrough,
            _ => Decode,
        };
        match handling {
            Reject => return None,
            Decode => bytes.push(value),
            PassThrough => bytes.extend_from_slice(&rest[..3]),
        }
        rest = &rest[3..];
    }
    Some(bytes)
}

/// The byte that a percent-encoding at the start of `bytes` stands for.
fn digits(bytes: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Step 4. A `/` that takes the place of a `.` or `..` at the end stays; the newest versions take it away again.
fn normalise(path: &[u8], allow_backslash: bool) -> Option<Vec<u8>> {
    if path.contains(&0) || (!allow_backslash && path.contains(&b'\\')) {
        return None;
    }
    let path: Vec<u8> = path
        .iter()
        .map(|byte| if *byte == b'\\' { b'/' } else { *byte })
        .collect();
    let inner = path.strip_prefix(b"/")?;
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut open = false;
    for segment in inner.split(|byte| *byte == b'/') {
        open = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." => _ = kept.pop()?,
            _ => kept.push(segment),
        }
    }
    let mut normal = Vec::with_capacity(path.len());
    for segment in &kept {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    if open {
        normal.push(b'/');
    }
    Some(normal)
}

/// Step 5.
fn under<'p>(path: &'p [u8], context: &str) -> Option<&'p [u8]> {
    let inner = path.strip_prefix(context.as_bytes())?;
    match inner.first() {
        None => Some(b"/"),
        Some(b'/') => Some(inner),
        Some(_) => None,
    }
}

/// What `getRequestURI()` is under `getContextPath()`, in every state that somebody compares it in.
fn seen_by_plugins(uri: &[u8], context: &str) -> Vec<Vec<u8>> {
    let mut seen = Vec::new();
    let mut states = |raw: &[u8]| {
        let (cut, decoded) = (without_parameters(raw), lenient(raw));
        let cut_later = without_parameters(&decoded);
        for state in [raw.to_vec(), lenient(&cut), cut, decoded, cut_later] {
            seen.extend(normalise(&state, true));
            seen.push(state);
        }
    };
    // `getContextPath()` is that much of the raw URI as is the context path once it is decoded.
    let ends = (0..=uri.len()).filter(|at| matches!(uri.get(*at), None | Some(b'/' | b'\\')));
    for end in ends {
        let is_context = |connector: Connector| {
            connector.decoded(&uri[..end]).as_deref() == Some(context.as_bytes())
        };
        if (context.is_empty() && end == 0) || Connector::all().any(is_context) {
            states(&uri[end..]);
        }
    }
    // UrlRewriter takes off as many characters as the context path has, whatever their case.
    let decoded = lenient(uri);
    if let Some((start, rest)) = decoded.split_at_checked(context.len())
        && start.eq_ignore_ascii_case(context.as_bytes())
    {
        seen.push(rest.to_vec());
    }
    seen
}

/// What `/s/…/_/P` may be forwarded to: the pattern is greedy, but not every author of one is.
fn forwards(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    let prefixed = path.len() > 3 && path[..3].eq_ignore_ascii_case(b"/s/");
    let from = if prefixed { 3 } else { path.len() };
    (from..path.len())
        .filter(|at| path[*at..].starts_with(b"/_/"))
        .map(|at| &path[at + 2..])
}

/// `ApplicationContext.getRequestDispatcher`: the version of today, the older one, and without decoding
/// (`dispatchersUseEncodedPaths="false"`).
fn dispatched(path: &[u8]) -> Vec<Vec<u8>> {
    let path = before(path, b"?");
    let still_normal = |path: Vec<u8>| (normalise(&path, true)? == path).then_some(path);
    let decoded = |path: &[u8]| still_normal(decode(path, Decode, Decode)?);
    let today = normalise(&without_parameters(path), true);
    let older = normalise(path, true);
    [
        today.as_deref().and_then(decoded),
        older
            .as_deref()
            .and_then(decoded)
            .map(|path| before(&path, b";").to_vec()),
        today,
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Decodes once, and leaves what is no encoding as it is.
pub fn lenient(path: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(&byte) = rest.first() {
        let value = digits(rest);
        bytes.push(value.unwrap_or(byte));
        rest = &rest[if value.is_some() { 3 } else { 1 }..];
    }
    bytes
}

fn before<'p>(path: &'p [u8], ends: &[u8]) -> &'p [u8] {
    let end = path.iter().position(|byte| ends.contains(byte));
    &path[..end.unwrap_or(path.len())]
}

/// The rules above, each by the example that shows it.
#[test]
fn tomcat_reads_paths_as_its_source_says() {
    let default = |uri: &str| Connector::DEFAULT.decoded(uri.as_bytes());
    for (uri, expected) in [
        ("/foo/..;x=1/rest;y", Some("/rest")),
        ("/foo/%2e%2E/rest", Some("/rest")),
        ("/foo/..%3b/rest", Some("/foo/..;/rest")),
        ("/foo/%252e%252e/rest", Some("/foo/%2e%2e/rest")),
        ("//a/.//./b/..", Some("/a/")),
        ("/foo%2frest", None),
        ("/foo%5crest", None),
        ("/foo\\rest", None),
        ("/../rest", None),
        ("/foo%00", None),
        ("/foo%zz", None),
        ("foo", None),
    ] {
        assert_eq!(
            default(uri).as_deref(),
            expected.map(str::as_bytes),
            "{uri}"
        );
    }
    let lax = Connector {
        slash: Decode,
        backslash: Decode,
        allow_backslash: true,
    };
    for uri in ["/foo%2f..%2Frest", "/foo%5c..\\rest"] {
        assert_eq!(lax.decoded(uri.as_bytes()).as_deref(), Some(&b"/rest"[..]));
    }
    let through = Connector {
        slash: PassThrough,
        ..Connector::DEFAULT
    };
    let kept = through.decoded(b"/foo%2F%25%61");
    assert_eq!(kept.as_deref(), Some(&b"/foo%2F%25a"[..]));
}

#[test]
fn the_products_forward_static_resources() {
    for (target, context, expected) in [
        ("/s/a/_/rest/x", "", "/rest/x"),
        ("/jira/S/a/%5F/rest/x?y", "/jira", "/rest/x"),
        ("/s/a/_/rest%3bx/y", "", "/rest"),
        ("/s/a/_/b/_/rest", "", "/rest"),
        ("/s/a/_/b/%252e%252e/rest", "", "/s/a/_/b/%2e%2e/rest"),
        ("http://host/jira;x/rest", "/jira", "/rest"),
        ("/rest/../browse", "", "/rest/../browse"),
    ] {
        let served = served(target.as_bytes(), context);
        assert!(served.contains(expected.as_bytes()), "{target}: {served:?}");
    }
    assert!(served(b"/jirafe/rest", "/jira").is_empty());
    assert!(!served(b"/s/_/rest", "").contains(&b"/rest"[..]));
}
