//! What the caller presented in `Authorization`; unverified until a verifier says so.

mod basic;
pub mod oauth1;

pub use basic::Basic;

use std::{borrow::Cow, fmt};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use zeroize::Zeroizing;

use crate::{
    api_tokens::text::{looks_like_one, starts_like_one},
    decision::{Denial, Denied},
    verify::TokenDigest,
};

/// The longest token. Above, no provider's token was ever seen, and every byte costs before it is judged.
pub const MAX_TOKEN: usize = 16 * 1024;

/// The `Authorization` fields of a request, before they are understood.
#[derive(Clone, Copy)]
pub enum Authorization<'r> {
    /// There is none.
    Absent,
    /// Exactly one, as sent.
    One(&'r [u8]),
    /// Two or more: which of them the product would take is anybody's guess.
    Several,
}

/// A credential by its scheme.
pub enum Credential<'r> {
    /// No `Authorization` at all.
    None,
    /// `Bearer`, with something that is short enough to be looked at.
    Bearer(Presented<'r>),
    /// What looks like an API token of Postern's own, wherever it stands. It is never anything else: handed on as a
    /// password, a wrong one would count as a failed login, and lock the account.
    ApiToken(ApiToken<'r>),
    /// `Basic` (RFC 7617) with a user's name and password.
    Basic(Basic),
    /// `OAuth` (RFC 5849 §3.5.1), as application links send it: what follows the scheme.
    OAuth(&'r [u8]),
    /// Any other scheme, by its name.
    Other(&'r [u8]),
}

impl<'r> Credential<'r> {
    /// Reads it strictly: exactly one space after `Bearer` and `Basic`.
    ///
    /// # Errors
    /// [`Denied::MalformedToken`], if it starts like a credential of that scheme and can't be one, or is doubled.
    pub fn read(authorization: Authorization<'r>) -> Result<Self, Denial> {
        let value = match authorization {
            Authorization::Absent => return Ok(Self::None),
            Authorization::One(value) => value,
            Authorization::Several => {
                return Err(malformed("there are several Authorization headers"));
            }
        };
        let scheme_end = value
            .iter()
            .position(|byte| !is_token_char(*byte))
            .unwrap_or(value.len());
        let (scheme, rest) = value.split_at(scheme_end);
        if scheme.eq_ignore_ascii_case(b"basic") {
            return Self::of_basic(Basic::read(rest)?);
        }
        if scheme.eq_ignore_ascii_case(b"oauth") {
            return Ok(Self::OAuth(rest));
        }
        if !scheme.eq_ignore_ascii_case(b"bearer") {
            return Ok(Self::Other(scheme));
        }
        let Some(token) = rest.strip_prefix(b" ") else {
            return Err(malformed("Bearer is not followed by one space and a token"));
        };
        if token.len() > MAX_TOKEN {
            return Err(malformed("the token is longer than 16 KiB"));
        }
        if starts_like_one(token) {
            return Ok(Self::ApiToken(ApiToken::Bearer(token)));
        }
        Ok(Self::Bearer(Presented(token)))
    }

    /// What it is called.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "no Authorization",
            Self::Bearer(_) => "a bearer token",
            Self::ApiToken(_) => "an API token of Postern's own",
            Self::Basic(_) => "a user's name and password (Basic)",
            Self::OAuth(_) => "a signature of an application link (OAuth 1.0a)",
            Self::Other(_) => "another scheme than Bearer, Basic and OAuth",
        }
    }

    fn of_basic(basic: Basic) -> Result<Self, Denial> {
        let (in_user, in_password) = (
            looks_like_one(basic.user()),
            looks_like_one(basic.password()),
        );
        match (in_user, in_password) {
            (false, false) => Ok(Self::Basic(basic)),
            (false, true) => Ok(Self::ApiToken(ApiToken::Password(basic))),
            (true, false) if basic.password().is_empty() => {
                Ok(Self::ApiToken(ApiToken::User(basic)))
            }
            (true, _) => Err(malformed(
                "an API token stands where the user's name should, and something behind it; send USER:TOKEN, TOKEN: or :TOKEN",
            )),
        }
    }
}

/// Whether what looks like an API token of Postern's own is sent, however badly: where [`Credential::read`] is strict,
/// another reader may not be.
#[must_use]
pub fn holds_api_token(authorization: Authorization<'_>) -> bool {
    let Authorization::One(value) = authorization else {
        return false;
    };
    let word = value.rsplit(u8::is_ascii_whitespace).next();
    let word = word.unwrap_or_default();
    let decoded = FORGIVING.decode(word).map(Zeroizing::new);
    looks_like_one(word)
        || decoded.is_ok_and(|basic| {
            let mut parts = basic.splitn(2, |byte| *byte == b':');
            parts.any(looks_like_one)
        })
}

/// Base64 as careless readers take it.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The user's name that stands for whoever owns the token, as Bitbucket's clients send it.
const ANY_USER: &str = "x-token-auth";

/// What looks like an API token of Postern's own, and how it was sent.
pub enum ApiToken<'r> {
    /// `Bearer T`.
    Bearer(&'r [u8]),
    /// `Basic user:T`, `Basic x-token-auth:T` or `Basic :T`.
    Password(Basic),
    /// `Basic T:`.
    User(Basic),
}

impl ApiToken<'_> {
    /// The token.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match self {
            Self::Bearer(token) => token,
            Self::Password(basic) => basic.password(),
            Self::User(basic) => basic.user(),
        }
    }

    /// Whose the caller says that it is.
    #[must_use]
    pub fn unverified_user(&self) -> Option<&[u8]> {
        match self {
            Self::Password(basic) => {
                Some(basic.user()).filter(|user| !user.is_empty() && *user != ANY_USER.as_bytes())
            }
            Self::Bearer(_) | Self::User(_) => None,
        }
    }
}

/// What stands where a bearer token should.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Presented<'r>(&'r [u8]);

impl<'r> Presented<'r> {
    /// What a token is remembered by.
    #[must_use]
    pub fn digest(self) -> TokenDigest {
        TokenDigest::of(self.0)
    }

    /// What stands there, if it is text. Whether it is a token, [`verify::judge`](crate::verify::judge) says.
    ///
    /// # Errors
    /// [`Denied::MalformedToken`].
    pub fn text(self) -> Result<&'r str, Denial> {
        str::from_utf8(self.0).map_err(|_| malformed("the token is not ASCII"))
    }
}

/// Whether `text` has the alphabet of a token (RFC 6750 §2.1, `b64token`), without a branch for each letter.
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && all_b64token_chars(body.as_bytes())
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(redacted)")
    }
}

impl fmt::Debug for Authorization<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::One(_) => "One(redacted)",
            Self::Several => "Several",
        })
    }
}

impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Bearer(_) => "Bearer(redacted)",
            Self::ApiToken(_) => "ApiToken(redacted)",
            Self::Basic(_) => "Basic(redacted)",
            Self::OAuth(_) => "OAuth(redacted)",
            Self::Other(_) => "Other",
        })
    }
}

fn malformed(message: impl Into<Cow<'static, str>>) -> Denial {
    Denial::new(Denied::MalformedToken, message)
}

/// RFC 9110 §5.6.2, `tchar`: what a scheme's name is made of.
fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// No byte ends the look early, so that the compiler looks at many at once: one by one they cost as much as the
/// digest (measured: 0.54 µs a KiB against 0.10 µs).
fn all_b64token_chars(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .fold(true, |all, byte| all & is_b64token_char(*byte))
}

/// RFC 6750 §2.1, `b64token` without its padding.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches, so that many bytes are looked at together"
)]
fn is_b64token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        | (byte == b'-')
        | (byte == b'.')
        | (byte == b'_')
        | (byte == b'~')
        | (byte == b'+')
        | (byte == b'/')
}

#[cfg(test)]
mod tests;
