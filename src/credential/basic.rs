//! `Basic` (RFC 7617): a user's name and a password, of whatever kind.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use zeroize::Zeroizing;

use super::{MAX_TOKEN, malformed};
use crate::decision::Denial;

/// Decoded, and wiped when dropped. It has no `Debug`.
pub struct Basic {
    decoded: Zeroizing<Vec<u8>>,
    /// Where the first colon is: a user's name has none.
    colon: usize,
}

impl Basic {
    /// Reads what follows the scheme: one space and canonical base64, so that no two readers differ over it.
    pub(super) fn read(rest: &[u8]) -> Result<Self, Denial> {
        let Some(encoded) = rest.strip_prefix(b" ") else {
            return Err(malformed("Basic is not followed by one space and base64"));
        };
        if encoded.len() > MAX_TOKEN {
            return Err(malformed("the Basic credential is longer than 16 KiB"));
        }
        let decoded = BASE64_STANDARD.decode(encoded).map(Zeroizing::new);
        let decoded =
            decoded.map_err(|_| malformed("the Basic credential is no base64 (RFC 4648 §4)"))?;
        // RFC 7617 §2: neither part holds control characters.
        if decoded.iter().any(u8::is_ascii_control) {
            return Err(malformed("the Basic credential holds control characters"));
        }
        let colon = decoded.iter().position(|byte| *byte == b':');
        let colon = colon.ok_or_else(|| malformed("the Basic credential has no colon"))?;
        Ok(Self { decoded, colon })
    }

    /// What stands before the colon.
    #[must_use]
    pub fn user(&self) -> &[u8] {
        &self.decoded[..self.colon]
    }

    /// What stands behind it.
    #[must_use]
    pub fn password(&self) -> &[u8] {
        &self.decoded[self.colon + 1..]
    }
}
