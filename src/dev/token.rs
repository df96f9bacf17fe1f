//! What a token says: honest by default, odd wherever a test asks for it.

use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    AUDIENCE, CLIENT_ID,
    authority::{Authority, now},
    issued::Claims,
    keys::{Algorithm, Generation},
};

/// How long a token lives unless told otherwise, in seconds: long enough to paste a `curl` line.
const LIFETIME: i64 = 600;

/// What signs a raw token, whatever its header claims.
#[derive(Debug, Clone, Copy)]
pub enum SignWith<'a> {
    /// The issuer's current key for this algorithm.
    Key(Algorithm),
    /// HMAC with SHA-256 and this secret: for the attack that takes a public key as the secret.
    Hs256(&'a [u8]),
    /// The signature is empty: for the attack that claims `alg` none.
    Nothing,
}

/// A token in the making; made by [`Issuer::token`](super::Issuer::token).
///
/// Unless told otherwise it is an access token as RFC 9068 has it: `iss`, `sub` ada, `aud`
/// [`AUDIENCE`], `client_id` [`CLIENT_ID`], `iat` now, `exp` in ten minutes, a random `jti`, and
/// in its header `typ` at+jwt with the `kid` of the current key. Later calls win over earlier ones.
#[derive(Clone)]
#[must_use = "a token is made by sign() or opaque()"]
pub struct TokenBuilder<'a> {
    authority: &'a Authority,
    algorithm: Algorithm,
    /// What differs from the usual header, applied last; `None` takes a member out.
    header: Vec<(String, Option<Value>)>,
    claims: Claims,
    prefix: String,
}

impl From<Algorithm> for SignWith<'_> {
    fn from(algorithm: Algorithm) -> Self {
        Self::Key(algorithm)
    }
}

impl<'a> TokenBuilder<'a> {
    pub(super) fn new(authority: &'a Authority) -> Self {
        let now = now();
        let mut claims = Map::new();
        for (name, value) in [
            ("iss", json!(authority.url)),
            ("sub", json!("ada")),
            ("aud", json!(AUDIENCE)),
            ("client_id", json!(CLIENT_ID)),
            ("iat", json!(now)),
            ("exp", json!(now + LIFETIME)),
            ("jti", json!(random::<16>())),
        ] {
            claims.insert(name.to_owned(), value);
        }
        Self {
            authority,
            algorithm: authority.algorithm,
            header: Vec::new(),
            claims,
            prefix: String::new(),
        }
    }

    /// Sets `sub`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `aud`: a string stays a string, a list becomes an array.
    pub fn audience(self, audience: impl Into<Value>) -> Self {
        self.claim("aud", audience)
    }

    /// Sets `groups` to an array.
    pub fn groups(self, groups: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let groups: Vec<String> = groups.into_iter().map(Into::into).collect();
        self.claim("groups", groups)
    }

    /// Sets `scope`, a list separated by spaces (RFC 8693 §4.2).
    pub fn scope(self, scope: impl Into<String>) -> Self {
        self.claim("scope", scope.into())
    }

    /// Sets `exp`, in seconds from now; a negative number has expired already.
    pub fn expires_in(self, seconds: i64) -> Self {
        self.claim("exp", now().saturating_add(seconds))
    }

    /// Sets any claim to any JSON value.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Takes a claim out.
    pub fn without(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Signs with the current key for this algorithm, and says so in the header.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Sets any member of the header, `alg` and `kid` too: the key that signs stays the same.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.header.push((name.into(), Some(value.into())));
        self
    }

    /// Takes a member out of the header.
    pub fn without_header(mut self, name: impl Into<String>) -> Self {
        self.header.push((name.into(), None));
        self
    }

    /// Sets the header's `kid`.
    pub fn kid(self, kid: impl Into<String>) -> Self {
        self.header("kid", kid.into())
    }

    /// Sets the header's `typ`.
    pub fn typ(self, typ: impl Into<String>) -> Self {
        self.header("typ", typ.into())
    }

    /// What an opaque token starts with; nothing at the start.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Seconds until `exp`.
    pub(super) fn remaining(&self) -> Option<i64> {
        let exp = self.claims.get("exp")?.as_i64()?;
        Some(exp.saturating_sub(now()))
    }

    /// The token as a JWT. Introspection knows it as well.
    #[must_use]
    pub fn sign(self) -> String {
        let keys = self.authority.current_keys();
        let mut header = Map::new();
        header.insert("alg".to_owned(), self.algorithm.as_str().into());
        header.insert("typ".to_owned(), "at+jwt".into());
        header.insert("kid".to_owned(), keys.kid(self.algorithm).into());
        for (name, value) in self.header {
            match value {
                Some(value) => header.insert(name, value),
                None => header.remove(&name),
            };
        }
        let claims = Value::Object(self.claims);
        let token = compact(
            &keys,
            self.algorithm.into(),
            Value::Object(header).to_string().as_bytes(),
            claims.to_string().as_bytes(),
        );
        if let Value::Object(claims) = claims {
            self.authority.remember(&token, claims);
        }
        token
    }

    /// A random token that says nothing by itself: only introspection knows its claims.
    #[must_use]
    pub fn opaque(self) -> String {
        let token = self.prefix + &random::<32>();
        self.authority.remember(&token, self.claims);
        token
    }
}

/// The compact serialisation (RFC 7515 §7.1) of exactly these texts.
pub(super) fn compact(
    keys: &Generation,
    with: SignWith<'_>,
    header: &[u8],
    payload: &[u8],
) -> String {
    let mut token = URL_SAFE_NO_PAD.encode(header);
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut token);
    let signature = match with {
        SignWith::Key(algorithm) => keys.sign(algorithm, token.as_bytes()),
        SignWith::Hs256(secret) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            hmac::sign(&key, token.as_bytes()).as_ref().to_vec()
        }
        SignWith::Nothing => Vec::new(),
    };
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut token);
    token
}

/// `BYTES` random bytes as base64url.
fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    rand::fill(&mut bytes).expect("the system has randomness, or no key would have been made");
    URL_SAFE_NO_PAD.encode(bytes)
}
