//! What the product is told about a principal: identity headers.

use std::fmt::Write as _;

use actix_web::http::header::HeaderValue;

use crate::{tenant::settings::Access, verify::Principal};

/// The longest `Remote-Groups`, in bytes: with other headers it must fit a proxy's buffer of 8 KiB.
const MAX_GROUPS: usize = 4 * 1024;

/// The values of `Remote-*` and `Postern-Provider`, made once per verified token.
#[derive(Debug)]
pub struct IdentityHeaders {
    /// `Remote-User`: the account.
    pub user: HeaderValue,
    /// `Remote-Name`.
    pub name: HeaderValue,
    /// `Remote-Email`.
    pub email: HeaderValue,
    /// `Remote-Groups`: those that the tenant file names, comma-separated.
    pub groups: HeaderValue,
    /// `Postern-Provider`.
    pub provider: HeaderValue,
}

impl IdentityHeaders {
    /// For `principal`, whose groups are shown as far as `access` names them.
    #[must_use]
    pub fn new(principal: &Principal, access: &Access) -> Self {
        Self {
            user: field(principal.account()),
            name: field(principal.name().unwrap_or_default()),
            email: field(principal.email().unwrap_or_default()),
            groups: list(
                principal
                    .groups()
                    .iter()
                    .filter(|group| access.allow_groups.contains(group)),
            ),
            provider: field(principal.provider()),
        }
    }
}

fn field(text: &str) -> HeaderValue {
    value(&encoded(text))
}

/// Whole groups only: half a name could be another group's.
fn list<'g>(groups: impl Iterator<Item = &'g String>) -> HeaderValue {
    let mut line = String::new();
    for group in groups {
        let encoded = encoded(group);
        if line.len() + encoded.len() < MAX_GROUPS {
            if !line.is_empty() {
                line.push(',');
            }
            line.push_str(&encoded);
        }
    }
    value(&line)
}

/// Percent-encodes what would end an item or is not plain ASCII, and `%` so that it can be undone.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (byte == b' ' || byte.is_ascii_graphic()) && !b",%".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").expect("a String takes everything");
        }
    }
    encoded
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("`encoded` leaves printable ASCII only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_an_item_or_a_line_is_encoded() {
        assert_eq!(encoded("Ada Lovelace"), "Ada Lovelace");
        assert_eq!(encoded("a,b\r\nX: 50%"), "a%2Cb%0D%0AX: 50%25");
        assert_eq!(encoded("Zoë"), "Zo%C3%AB");
    }

    #[test]
    fn groups_are_whole_and_end_at_four_kibibytes() {
        let groups: Vec<String> = (0..500)
            .map(|number| format!("group-{number:04}"))
            .collect();
        let line = list(groups.iter());
        let line = line.to_str().unwrap();
        assert!(line.len() <= MAX_GROUPS && line.len() > MAX_GROUPS - 12);
        assert!(
            line.split(',')
                .all(|group| groups.iter().any(|known| known == group))
        );
    }
}
