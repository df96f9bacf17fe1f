//! Signed JWTs in the compact form (RFC 7515 §7.1, RFC 7519 §7.2).

use std::{borrow::Cow, cell::Cell, mem};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::de::IgnoredAny;

use super::{
    claims::{Claims, quoted},
    json::{Json, Object},
};
use crate::{
    credential::is_b64token,
    decision::{Denial, Denied},
    keys::{Algorithm, AlgorithmSet, KeySet, NoKey},
};

/// A JWT as the caller sent it. Nothing in it is true until [`Jwt::prove`] says so.
pub struct Jwt<'t> {
    header: Header<'t>,
    signed_part: &'t str,
    signature: &'t [u8],
    unverified_claims: Claims<'t>,
}

/// Room in which a token's parts are decoded: a [`Jwt`] borrows from it as from the token.
pub struct Room(Vec<u8>);

thread_local! {
    /// The room of the token before, so that not each needs memory of its own.
    static SPARE_ROOM: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Default for Room {
    fn default() -> Self {
        Self(SPARE_ROOM.take())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        SPARE_ROOM.set(mem::take(&mut self.0));
    }
}

/// What kind of credential a bearer token is. It decides what reads it, and proves nothing.
pub enum Shape<'t> {
    /// A signed JWT.
    Jwt(Box<Jwt<'t>>),
    /// Nothing that we can look into; only its issuer knows.
    Opaque,
}

/// The members of a JOSE header that matter (RFC 7515 §4.1).
struct Header<'t> {
    algorithm: Cow<'t, str>,
    kid: Option<Cow<'t, str>>,
    typ: Option<Cow<'t, str>>,
    /// All of them, for what only some issuers write.
    members: Object<'t>,
}

/// The header members that are refused: we understand no extension (`crit`, RFC 7515 §4.1.11), `b64` must
/// not be used in a JWT (RFC 7797 §7), and the others would let a token bring its own key (RFC 8725 §3.10).
const REFUSED_HEADERS: &[&str] = &["crit", "b64", "jku", "jwk", "x5u", "x5c"];

impl<'t> Shape<'t> {
    /// Looks at a token. What is three parts, the first of them a JOSE header, must be a whole JWT.
    ///
    /// # Errors
    /// [`Denied::MalformedToken`] for a broken JWT and for an encrypted one.
    pub fn of(token: &'t str, room: &'t mut Room) -> Result<Self, Denial> {
        let Some((signed_part, signature)) = token.rsplit_once('.') else {
            return opaque(token);
        };
        let Some((first, rest)) = signed_part.split_once('.') else {
            return opaque(token);
        };
        if room.0.len() < token.len() {
            room.0.resize(token.len(), 0);
        }
        let Ok((header_text, room)) = decode(first, &mut room.0) else {
            return opaque(token);
        };
        if header_text.first() != Some(&b'{') {
            return opaque(token);
        }
        let header = match Object::read(header_text) {
            Ok(header) => header,
            Err(error) if serde_json::from_slice::<IgnoredAny>(header_text).is_ok() => {
                return Err(malformed(format!("the header of the token: {error}")));
            }
            Err(_) => return opaque(token),
        };
        if rest.contains('.') {
            let kind = if header.get("enc").is_some() {
                "encrypted (JWE), which is not supported"
            } else {
                "not three parts"
            };
            return Err(malformed(format!("the token is {kind}")));
        }
        let (payload, room) = decode(rest, room)
            .map_err(|()| malformed("the payload of the token is not base64url without padding"))?;
        let members = Object::read(payload)
            .map_err(|error| malformed(format!("the payload of the token: {error}")))?;
        let (signature, _) = decode(signature, room).map_err(|()| {
            malformed("the signature of the token is not base64url without padding")
        })?;
        Ok(Self::Jwt(Box::new(Jwt {
            header: Header::read(header)?,
            signed_part,
            signature,
            unverified_claims: members.into(),
        })))
    }
}

impl<'t> Header<'t> {
    fn read(mut members: Object<'t>) -> Result<Self, Denial> {
        if let Some(refused) = REFUSED_HEADERS
            .iter()
            .find(|name| members.get(name).is_some())
        {
            return Err(malformed(format!(
                "the token's header has {refused:?}, which is not accepted"
            )));
        }
        let mut text = |name: &str| match members.take(name) {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(_) => Err(malformed(format!(
                "{name:?} in the token's header is not a text"
            ))),
        };
        let algorithm =
            text("alg")?.ok_or_else(|| malformed("the token's header has no \"alg\""))?;
        let (kid, typ) = (text("kid")?, text("typ")?);
        Ok(Self {
            algorithm,
            kid,
            typ,
            members,
        })
    }

    /// The `typ`, of which `application/` may be left out (RFC 7515 §4.1.9); its case means nothing.
    fn typ(&self) -> Option<&str> {
        let typ = self.typ.as_deref()?;
        match typ.split_at_checked("application/".len()) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => Some(rest),
            _ => Some(typ),
        }
    }
}

impl<'t> Jwt<'t> {
    /// The `iss` that it claims: good for choosing who judges it, and for nothing else.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.unverified_claims.text("iss")
    }

    /// The claims before anything proved them.
    #[must_use]
    pub fn unverified_claims(&self) -> &Claims<'t> {
        &self.unverified_claims
    }

    /// Judges header members that mark tokens which are not for us.
    ///
    /// # Errors
    /// What the mark means.
    pub fn has_none_of(
        &self,
        refused: &[(&'static str, Denied, &'static str)],
    ) -> Result<(), Denial> {
        let found = refused
            .iter()
            .find(|(name, ..)| self.header.members.get(name).is_some());
        found.map_or(Ok(()), |&(_, reason, why)| Err(Denial::new(reason, why)))
    }

    /// What its header asks to be proved by, for whoever wants to know.
    #[must_use]
    pub fn unverified_names(&self) -> String {
        let name = |text: &str| quoted(&text.into());
        format!(
            "the token is a JWT that names (unverified) the issuer {}, the algorithm {} and the key {}",
            name(self.unverified_issuer().unwrap_or_default()),
            name(&self.header.algorithm),
            name(self.unverified_kid().unwrap_or_default()),
        )
    }

    /// The `kid` that it asks for.
    #[must_use]
    pub fn unverified_kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Judges the header's `typ` (RFC 8725 §3.11): what the provider requires, or else nothing that
    /// names another kind of token.
    ///
    /// # Errors
    /// [`Denied::WrongTokenKind`].
    pub fn has_typ(&self, required: Option<&str>) -> Result<(), Denial> {
        let found = self.header.typ();
        let is = |wanted: &str| found.is_some_and(|found| found.eq_ignore_ascii_case(wanted));
        let fits = match required {
            Some(required) => is(required),
            None => found.is_none() || is("jwt") || is("at+jwt"),
        };
        if fits {
            return Ok(());
        }
        let found = found.map_or("missing".to_owned(), |typ| quoted(&typ.into()));
        let wanted = required.unwrap_or("JWT or at+jwt");
        let denial = Denial::new(
            Denied::WrongTokenKind,
            format!("the header typ of the token is {found} (unverified), and {wanted} is wanted"),
        );
        Err(match required {
            Some(_) => denial.by("require_typ"),
            None => denial,
        })
    }

    /// The algorithm that it names, if it is among those that may be used.
    ///
    /// # Errors
    /// [`Denied::AlgorithmNotAllowed`], also for `none` in any spelling and for HMAC.
    pub fn algorithm(&self, allowed: AlgorithmSet) -> Result<Algorithm, Denial> {
        Algorithm::from_name(&self.header.algorithm)
            .filter(|algorithm| allowed.contains(*algorithm))
            .ok_or_else(|| {
                let named = quoted(&(&*self.header.algorithm).into());
                Denial::new(
                    Denied::AlgorithmNotAllowed,
                    format!("the token names the algorithm {named} (unverified); the provider allows {allowed}"),
                )
                .by("algorithms")
            })
    }

    /// Verifies the signature with the one key that the header names, and hands over the claims, now proved
    /// to be the issuer's. `names_issuers`: a key may be one issuer's only.
    ///
    /// # Errors
    /// [`Unproved::NoKey`] if there is no such key, or a denial.
    pub fn prove(
        &self,
        keys: &KeySet,
        algorithm: Algorithm,
        names_issuers: bool,
    ) -> Result<&Claims<'t>, Unproved> {
        let (key, issuer) = keys
            .find(self.unverified_kid(), algorithm)
            .map_err(Unproved::NoKey)?;
        if names_issuers && let Some(issuer) = issuer {
            self.is_of(issuer).map_err(Unproved::Denied)?;
        }
        key.verify_sig(self.signed_part.as_bytes(), self.signature)
            .map_err(|_| {
                Unproved::Denied(Denial::new(
                    Denied::BadSignature,
                    "the signature of the token does not hold",
                ))
            })?;
        Ok(&self.unverified_claims)
    }
}

impl Jwt<'_> {
    /// Judges the issuer that a key of Entra ID names, with `{tenantid}` for the token's `tid`: one key set holds those
    /// of several ("Access tokens", Recap).
    fn is_of(&self, template: &str) -> Result<(), Denial> {
        const TENANT: &str = "{tenantid}";
        let claims = &self.unverified_claims;
        let at = template.to_ascii_lowercase().find(TENANT);
        let expected = match (at, claims.text("tid")) {
            (None, _) => Cow::Borrowed(template),
            (Some(at), Some(tid)) => {
                Cow::Owned([&template[..at], tid, &template[at + TENANT.len()..]].concat())
            }
            (Some(_), None) => Cow::Borrowed(""),
        };
        let issuer = claims.text("iss").unwrap_or_default();
        if issuer == expected || is_the_same_directory(issuer, &expected) {
            return Ok(());
        }
        let message = format!("the key that the token names is of the issuer {template} only");
        Err(Denial::new(Denied::UnknownKey, message))
    }
}

/// Whether one is the v1 issuer of a directory of Entra ID and the other is its v2 issuer. Only v2's documents name
/// issuers, and their keys sign v1 tokens as well (Microsoft.IdentityModel, AadTokenValidationParametersExtension).
fn is_the_same_directory(v1: &str, v2: &str) -> bool {
    let of = |issuer, start, end| {
        let rest = str::strip_suffix(str::strip_prefix(issuer, start)?, end)?;
        rest.split_once('/').map(|(_, directory)| directory)
    };
    let directory = of(v1, "https://sts.", "/");
    directory.is_some() && directory == of(v2, "https://login.", "/v2.0")
}

/// Why a signature was not proved.
#[derive(Debug, PartialEq, Eq)]
pub enum Unproved {
    /// No key to verify it with; another look at the issuer's keys may help.
    NoKey(NoKey),
    /// It does not hold.
    Denied(Denial),
}

impl NoKey {
    /// The refusal, once another look at the issuer's keys has not helped.
    #[must_use]
    pub fn denial(self, kid: Option<&str>) -> Denial {
        let kid = quoted(&kid.unwrap_or_default().into());
        match self {
            Self::UnknownKid => Denial::new(
                Denied::UnknownKey,
                format!("the issuer publishes no key with the kid {kid} (unverified)"),
            ),
            Self::KidMissing => Denial::new(
                Denied::UnknownKey,
                "the token names no key (kid), and the issuer's keys have names",
            ),
            Self::AlgorithmDoesNotFit => Denial::new(
                Denied::AlgorithmNotAllowed,
                format!("the token's algorithm does not fit the key {kid} (unverified)"),
            ),
        }
    }
}

/// Base64url without padding, the last bits zero (RFC 7515 §2): one spelling per value, so that a token can't
/// be varied without being another token. The rest of the room is handed back.
fn decode<'t>(part: &str, room: &'t mut [u8]) -> Result<(&'t [u8], &'t mut [u8]), ()> {
    let length = URL_SAFE_NO_PAD.decode_slice(part, room).map_err(|_| ())?;
    let (decoded, rest) = room.split_at_mut(length);
    Ok((decoded, rest))
}

/// A JWT's alphabet is seen to where its parts are decoded.
fn opaque<'t>(token: &str) -> Result<Shape<'t>, Denial> {
    if is_b64token(token) {
        return Ok(Shape::Opaque);
    }
    Err(malformed(
        "the token is empty or holds characters that no token has (RFC 6750 §2.1)",
    ))
}

fn malformed(message: impl Into<Cow<'static, str>>) -> Denial {
    Denial::new(Denied::MalformedToken, message)
}

#[cfg(test)]
mod tests;
