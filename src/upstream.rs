//! What the product is told about a principal: identity headers.

use std::fmt::Write as _;

use actix_web::{http::header::HeaderValue, web::Bytes};

use crate::{
    tenant::settings::Access,
    verify::{Principal, Profile},
};

/// The longest `Remote-Groups`, in bytes: with other headers it must fit a proxy's buffer of 8 KiB.
const MAX_GROUPS: usize = 4 * 1024;

/// The values of `Remote-*` and `Postern-Provider`, made once per verified token.
///
/// They are one text, because ten thousand tokens are remembered: a text for each value would be five times as many
/// places in memory to fill, visit and free.
#[derive(Debug)]
pub struct IdentityHeaders {
    values: Bytes,
    /// Where each value but the last ends.
    ends: [usize; 4],
}

impl IdentityHeaders {
    /// For `principal`, whose groups are shown as far as `access` names them.
    #[must_use]
    pub fn new(principal: &Principal, profile: Profile<'_>, access: &Access) -> Self {
        let (name, email) = (profile.name.unwrap_or(""), profile.email.unwrap_or(""));
        let mut values = String::with_capacity(256);
        let mut end_of = |write: &dyn Fn(&mut String)| {
            write(&mut values);
            values.len()
        };
        let ends = [
            end_of(&|values| encode(principal.account(), values)),
            end_of(&|values| encode(name, values)),
            end_of(&|values| encode(email, values)),
            end_of(&|values| {
                let named = |group: &&str| access.named_groups.contains(*group);
                list(principal.groups().filter(named), values);
            }),
        ];
        encode(principal.provider(), &mut values);
        Self {
            // No larger than need be: it is kept.
            values: Bytes::copy_from_slice(values.as_bytes()),
            ends,
        }
    }

    /// `Remote-User`: the account.
    #[must_use]
    pub fn user(&self) -> HeaderValue {
        self.value(0, self.ends[0])
    }

    /// `Remote-Name`.
    #[must_use]
    pub fn name(&self) -> HeaderValue {
        self.value(self.ends[0], self.ends[1])
    }

    /// `Remote-Email`.
    #[must_use]
    pub fn email(&self) -> HeaderValue {
        self.value(self.ends[1], self.ends[2])
    }

    /// `Remote-Groups`: those that the tenant file names, comma-separated.
    #[must_use]
    pub fn groups(&self) -> HeaderValue {
        self.value(self.ends[2], self.ends[3])
    }

    /// `Postern-Provider`.
    #[must_use]
    pub fn provider(&self) -> HeaderValue {
        self.value(self.ends[3], self.values.len())
    }

    fn value(&self, start: usize, end: usize) -> HeaderValue {
        HeaderValue::from_maybe_shared(self.values.slice(start..end))
            .expect("`encode` leaves printable ASCII only")
    }
}

/// Whole groups only: half a name could be another group's.
fn list<'g>(groups: impl Iterator<Item = &'g str>, line: &mut String) {
    let start = line.len();
    for group in groups {
        let before = line.len();
        if before > start {
            line.push(',');
        }
        encode(group, line);
        if line.len() - start > MAX_GROUPS {
            line.truncate(before);
        }
    }
}

/// Percent-encodes what would end an item or is not plain ASCII, and `%` so that it can be undone.
fn encode(text: &str, line: &mut String) {
    let is_plain =
        |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && !matches!(byte, b',' | b'%');
    if text.bytes().all(is_plain) {
        line.push_str(text);
        return;
    }
    for byte in text.bytes() {
        if is_plain(byte) {
            line.push(char::from(byte));
        } else {
            write!(line, "%{byte:02X}").expect("a String takes everything");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_an_item_or_a_line_is_encoded() {
        let encoded = |text: &str| {
            let mut line = String::new();
            encode(text, &mut line);
            line
        };
        assert_eq!(encoded("Ada Lovelace"), "Ada Lovelace");
        assert_eq!(encoded("a,b\r\nX: 50%"), "a%2Cb%0D%0AX: 50%25");
        assert_eq!(encoded("Zoë"), "Zo%C3%AB");
    }

    #[test]
    fn groups_are_whole_and_end_at_four_kibibytes() {
        let groups: Vec<String> = (0..500)
            .map(|number| format!("group-{number:04}"))
            .collect();
        let mut line = String::new();
        list(groups.iter().map(String::as_str), &mut line);
        assert!(line.len() <= MAX_GROUPS && line.len() > MAX_GROUPS - 12);
        assert!(
            line.split(',')
                .all(|group| groups.iter().any(|known| known == group))
        );
    }
}
