//! The characters of a path, each written in one way only, and what is odd about them.

/// Whether a byte stands for itself in a segment: RFC 3986 `pchar` without `;` and percent-encodings. Beside the
/// unreserved characters (§2.3) these are delimiters that mean nothing in the products' paths, so that `%40` and `@`
/// reach the same resource there and must meet the same rule here.
pub(super) const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~')
        || matches!(
            byte,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b'=' | b':' | b'@'
        )
}

/// A path with every character written in one way only, and what is odd about it.
pub(super) struct Normal {
    /// ASCII: [plain](is_plain) characters, `/`, percent-encodings in upper case, and as they came, the raw characters
    /// that some readers take for syntax.
    pub(super) text: String,
    /// The first thing that gives the path more than one reading.
    pub(super) oddity: Option<&'static str>,
    /// Whether there is an encoded `?`, `#` or `;`.
    pub(super) delimiters: bool,
}

/// Writes a raw path in the one way, and notes what is odd about it.
pub(super) fn normalise(path: &[u8]) -> Normal {
    write(path, is_plain)
}

/// The same, but an encoded dot stays encoded. To a reader who decodes once less, `%2E%2E` is a name, which a `..` after
/// it takes back: `/a/%2e%2e/../b` is `/a/b` then.
pub(super) fn with_encoded_dots(path: &[u8]) -> String {
    write(path, |value| is_plain(value) && value != b'.').text
}

/// `decoded`: what of the encoded bytes is to stand for itself.
fn write(path: &[u8], decoded: impl Fn(u8) -> bool) -> Normal {
    let mut text = String::with_capacity(path.len() + 16);
    let mut odd = None;
    let mut delimiters = false;
    let mut rest = path;
    while let Some(&byte) = rest.first() {
        let mut note = |what| _ = odd.get_or_insert(what);
        if let Some(value) = escaped(rest) {
            rest = &rest[3..];
            match value {
                b'.' => note("an encoded dot (%2e)"),
                b'/' => note("an encoded slash (%2f)"),
                b'\\' => note("an encoded backslash (%5c)"),
                b'?' | b'#' | b';' => delimiters = true,
                _ if value.is_ascii_control() => note("an encoded control character"),
                _ => {}
            }
            if decoded(value) {
                text.push(char::from(value));
            } else {
                push_escaped(&mut text, value);
            }
            continue;
        }
        rest = &rest[1..];
        match byte {
            b'%' => note("a '%' that no two hexadecimal digits follow"),
            b'\\' => note("a backslash"),
            b';' => note("a path parameter (;)"),
            b'#' => note("a fragment (#)"),
            _ if byte.is_ascii_control() => note("a control character"),
            _ if !byte.is_ascii() => note("a raw byte outside ASCII"),
            _ => {}
        }
        // Raw `[`, `|` and their like are not URI characters, but Jira's Tomcat is told to take them.
        let raw = is_plain(byte)
            || matches!(byte, b'/' | b'%' | b'\\' | b';' | b'#' | b'?')
            || byte.is_ascii_control();
        if raw {
            text.push(char::from(byte));
        } else {
            push_escaped(&mut text, byte);
        }
    }
    let oddity = odd.or_else(|| structural_oddity(&text));
    Normal {
        text,
        oddity,
        delimiters,
    }
}

/// What is odd about a path as a whole, once its characters are in order.
fn structural_oddity(text: &str) -> Option<&'static str> {
    if text.contains("//") {
        Some("a double slash")
    } else if text.split('/').any(is_dots) {
        Some("a dot segment")
    } else if text
        .match_indices("%25")
        .any(|(at, _)| is_hexadecimal(&text.as_bytes()[at + 3..]))
    {
        Some("double encoding (%25)")
    } else if std::str::from_utf8(&decode_once(text)).is_err() {
        Some("an encoding that is not UTF-8")
    } else {
        None
    }
}

/// Whether a segment is `.` or `..`, also for a reader who takes an encoded delimiter after it for one. No client has to
/// write that, and it would lead out of a public path (`/free/..%3b/..%3b/rest`).
fn is_dots(segment: &str) -> bool {
    let rest = segment.trim_start_matches('.');
    matches!(segment.len() - rest.len(), 1 | 2)
        && (rest.is_empty()
            || ["%3B", "%3F", "%23"]
                .iter()
                .any(|mark| rest.starts_with(mark)))
}

/// The byte that a percent-encoding at the very start of `bytes` stands for.
fn escaped(bytes: &[u8]) -> Option<u8> {
    let &[b'%', high, low, ..] = bytes else {
        return None;
    };
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn push_escaped(text: &mut String, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    for nibble in [byte >> 4, byte & 0xF] {
        text.push(char::from(DIGITS[usize::from(nibble)]));
    }
}

/// All percent-encodings decoded, once.
pub(super) fn decode_once(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        let value = escaped(rest);
        bytes.push(value.unwrap_or(byte));
        rest = &rest[if value.is_some() { 3 } else { 1 }..];
    }
    bytes
}

/// Whether the first two bytes would make a percent-encoding of a `%` before them.
fn is_hexadecimal(bytes: &[u8]) -> bool {
    matches!(bytes, [high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}
