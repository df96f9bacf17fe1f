//! What a token is called where it must not be shown itself.

use super::claims::Claims;
use crate::api_tokens::TokenId;

/// The longest `jti` that is kept, in bytes: issuers write UUIDs, some with a prefix, and each is remembered with its token.
const MAX_JTI: usize = 128;

/// The name of a token that was proved. It is no secret.
#[derive(Debug)]
pub(super) enum TokenName {
    /// It has none.
    None,
    /// Its `jti` (RFC 7519 §4.1.7), escaped.
    Jti(Box<str>),
    /// That of a token of Postern's own.
    Own(TokenId),
}

impl TokenName {
    /// As proved claims have it.
    pub fn of(claims: &Claims<'_>) -> Self {
        let jti = claims.text("jti").filter(|jti| jti.len() <= MAX_JTI);
        jti.map_or(Self::None, |jti| {
            Self::Jti(jti.escape_debug().to_string().into())
        })
    }

    /// For a log.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Jti(jti) => Some(jti),
            Self::Own(id) => Some(id.as_str()),
        }
    }
}
