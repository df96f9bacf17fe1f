//! An API token as its owner holds it: `pst_`, an id, `_`, a secret and a checksum.
//!
//! ```text
//! pst_4fQ9xWbT2LkZ_u3…43 characters…k1ZpQ7aB
//!     └─ id, 12 ──┘ └─ secret, 43 ─┘└ checksum, 6
//! ```
//!
//! The prefix and the fixed length are what secret scanners look for (`pst_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`), and the
//! checksum tells a typo or a cut from a token without a look-up. Letters and digits only: nothing has to be escaped in
//! a URL, a shell or a Basic credential, and a double click takes all of it.

use std::{fmt, str::FromStr};

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest, rand};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What every API token starts with. No provider's tokens may.
pub const PREFIX: &str = "pst_";
/// Letters of the id: 71 bits, so that a million of them do not meet.
const ID: usize = 12;
/// Letters of the secret: log2(62) × 43 is 256.03 bits.
const SECRET: usize = 43;
/// Letters of the checksum: 62⁶ is more than 2³².
const CHECKSUM: usize = 6;
/// Letters of all of it.
const LENGTH: usize = PREFIX.len() + ID + 1 + SECRET + CHECKSUM;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether it starts as a token of ours, right or wrong: in capitals, quotes or brackets it was still meant as one.
#[must_use]
pub fn starts_like_one(text: &[u8]) -> bool {
    let start = text.iter().position(u8::is_ascii_alphanumeric);
    start.is_some_and(|start| is_prefix(&text[start..]))
}

/// Whether a password, say, was meant as a token of ours: with words before it too (`Bearer pst_…`, pasted whole). Not for
/// bearer tokens, which are long, and hold no space before which a word could stand.
#[must_use]
pub fn looks_like_one(text: &[u8]) -> bool {
    // In the middle of something, only with an id behind it: people's passwords may hold the four letters.
    let has_id = |at: &[u8]| {
        let id = at.get(PREFIX.len()..PREFIX.len() + ID);
        id.is_some_and(|id| id.iter().all(u8::is_ascii_alphanumeric))
            && at.get(PREFIX.len() + ID) == Some(&b'_')
    };
    let mut places = (1..text.len()).map(|at| &text[at..]);
    starts_like_one(text) || places.any(|at| is_prefix(at) && has_id(at))
}

fn is_prefix(text: &[u8]) -> bool {
    let start = text.get(..PREFIX.len());
    start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX.as_bytes()))
}

/// The name of a token: no secret, it stands in lists and logs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenId([u8; ID]);

/// Why a text is no token's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token's id has {ID} letters and digits; postern token list shows them")]
pub struct InvalidTokenId;

impl TokenId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("letters and digits are ASCII")
    }
}

impl FromStr for TokenId {
    type Err = InvalidTokenId;

    fn from_str(text: &str) -> Result<Self, InvalidTokenId> {
        let id: [u8; ID] = text.as_bytes().try_into().map_err(|_| InvalidTokenId)?;
        let whole = id.iter().all(u8::is_ascii_alphanumeric);
        whole.then_some(Self(id)).ok_or(InvalidTokenId)
    }
}

impl TryFrom<String> for TokenId {
    type Error = InvalidTokenId;

    fn try_from(text: String) -> Result<Self, InvalidTokenId> {
        text.parse()
    }
}

impl From<TokenId> for String {
    fn from(id: TokenId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The SHA-256 of a secret: all that is kept of it. It needs no salt and no stretching, since there are 2²⁵⁶ secrets.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    fn of(secret: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, secret);
        Self(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Whether they are of one secret, in constant time.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl TryFrom<String> for SecretDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut digest = [0; 32];
        let digits: Option<Vec<u8>> = text
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16)?).ok())
            .collect();
        let digits = digits
            .filter(|digits| digits.len() == 64)
            .ok_or("a digest has 64 hexadecimal digits")?;
        for (byte, pair) in digest.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = pair[0] << 4 | pair[1];
        }
        Ok(Self(digest))
    }
}

impl From<SecretDigest> for String {
    fn from(digest: SecretDigest) -> Self {
        digest
            .0
            .iter()
            .fold(Self::new(), |text, byte| text + &format!("{byte:02x}"))
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(redacted)")
    }
}

/// What a token says of itself: which one it is, and that its bearer knows the secret of that digest.
#[derive(Debug)]
pub struct Claimed {
    /// Which token.
    pub id: TokenId,
    /// What must fit.
    pub secret: SecretDigest,
}

/// Why a text is no token: a message for the operator's log, which repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Too short, too long, or other letters.
    #[error(
        "it starts like an API token of Postern's and is none: {LENGTH} letters and digits are wanted, pst_, the id, _ and the secret; was it cut, or does it have a space or a line end?"
    )]
    Shape,
    /// The checksum is another's.
    #[error(
        "the API token's checksum is wrong: it was mistyped or changed, and was never issued so"
    )]
    Checksum,
}

/// Reads a token, without asking anybody about it.
///
/// # Errors
/// [`NoToken`].
pub fn read(text: &[u8]) -> Result<Claimed, NoToken> {
    let text: &[u8; LENGTH] = text.try_into().map_err(|_| NoToken::Shape)?;
    let rest = text.strip_prefix(PREFIX.as_bytes()).ok_or(NoToken::Shape)?;
    let (id, rest) = rest.split_at(ID);
    let (secret, checksum) = rest[1..].split_at(SECRET);
    let letters = |part: &[u8]| part.iter().all(u8::is_ascii_alphanumeric);
    if rest[0] != b'_' || !letters(id) || !letters(secret) {
        return Err(NoToken::Shape);
    }
    // Of what everybody may know, so that how long it takes tells nothing.
    if checksum != checksum_of(&text[..LENGTH - CHECKSUM]) {
        return Err(NoToken::Checksum);
    }
    Ok(Claimed {
        id: TokenId(id.try_into().expect("it was cut to that length")),
        secret: SecretDigest::of(secret),
    })
}

/// A new token: its text, to be shown once, and what is kept.
#[must_use]
pub fn new() -> (Secret, Claimed) {
    with_id(TokenId(letters()))
}

/// The same token with a new secret.
#[must_use]
pub fn with_id(id: TokenId) -> (Secret, Claimed) {
    let secret = Zeroizing::new(letters::<SECRET>());
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    text.push_str(id.as_str());
    text.push('_');
    text.push_str(str::from_utf8(&*secret).expect("letters and digits are ASCII"));
    let checksum = checksum_of(text.as_bytes());
    text.push_str(str::from_utf8(&checksum).expect("likewise"));
    let claimed = Claimed {
        id,
        secret: SecretDigest::of(&*secret),
    };
    (Secret::new(text), claimed)
}

/// CRC-32 (ISO-HDLC) in base 62, the highest digit first.
fn checksum_of(text: &[u8]) -> [u8; CHECKSUM] {
    let mut rest = crc32fast::hash(text);
    let mut checksum = [0; CHECKSUM];
    for digit in checksum.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    checksum
}

/// Letters of the alphabet, each as likely as the next: bytes that would favour the first ones are drawn again.
fn letters<const N: usize>() -> [u8; N] {
    const FAIR: u8 = 62 * 4;
    let mut letters = [0; N];
    let mut drawn = Zeroizing::new([0; 64]);
    let mut next = drawn.len();
    for letter in &mut letters {
        *letter = loop {
            if next == drawn.len() {
                rand::fill(&mut *drawn).expect("the operating system gives randomness");
                next = 0;
            }
            let byte = drawn[next];
            next += 1;
            if byte < FAIR {
                break ALPHABET[usize::from(byte % 62)];
            }
        };
    }
    letters
}

#[cfg(test)]
mod tests;
