//! The keys of an issuer, kept parsed: `kid` → key. Replaced whole, never edited.

mod jwks;
mod material;
mod pem;

use std::{collections::HashMap, fmt};

use aws_lc_rs::{
    digest,
    signature::{self, ParsedPublicKey, VerificationAlgorithm},
};

pub use jwks::MAX_KEYS;

/// A signature algorithm that Postern verifies (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// `none` and the HMAC family are not among them: a resource server has no business with either
/// (RFC 8725 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is named as the JOSE registry names it")]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    /// EdDSA with Ed25519, also called `Ed25519` (RFC 9864 §2.2).
    EdDsa,
}

use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};

impl Algorithm {
    /// The names that a tenant file or a token may use. `Ed25519` is [`Algorithm::EdDsa`] again.
    pub const NAMES: &[&str] = &[
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519",
    ];

    /// The algorithm of that name; names are case-sensitive (RFC 7515 §4.1.1), so `nOnE` is nothing.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Rs256,
            "RS384" => Rs384,
            "RS512" => Rs512,
            "PS256" => Ps256,
            "PS384" => Ps384,
            "PS512" => Ps512,
            "ES256" => Es256,
            "ES384" => Es384,
            "EdDSA" | "Ed25519" => EdDsa,
            _ => return None,
        })
    }

    /// The name in the JOSE registry.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Rs256 => "RS256",
            Rs384 => "RS384",
            Rs512 => "RS512",
            Ps256 => "PS256",
            Ps384 => "PS384",
            Ps512 => "PS512",
            Es256 => "ES256",
            Es384 => "ES384",
            EdDsa => "EdDSA",
        }
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
            Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
            Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
            Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            EdDsa => &signature::ED25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of algorithms.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AlgorithmSet(u16);

impl AlgorithmSet {
    /// All that Postern verifies.
    pub const ALL: Self = Self(0b1_1111_1111);

    /// Whether `algorithm` is in the set.
    #[must_use]
    pub fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u16) != 0
    }

    /// Those that are in both sets.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its members, in the order of the registry.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        [
            Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, Es256, Es384, EdDsa,
        ]
        .into_iter()
        .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(
            algorithms
                .into_iter()
                .fold(0, |set, algorithm| set | 1 << algorithm as u16),
        )
    }
}

impl fmt::Display for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Algorithm::name).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for AlgorithmSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{self}]")
    }
}

/// One public key, parsed once for each algorithm that it may verify.
///
/// Parsing anew costs a third of an RS256 verification (measured: 31 µs against 22 µs).
#[derive(Debug)]
struct Key {
    parsed: Vec<(Algorithm, ParsedPublicKey)>,
    /// The one issuer whose tokens it may prove, where the document says so (Entra ID's member `issuer`).
    issuer: Option<Box<str>>,
}

/// Why a key can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyProblem(String);

impl KeyProblem {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// A key of a document that was passed over (RFC 7517 §5: keys that are not understood are ignored).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its `kid`, if it has one.
    pub kid: Option<String>,
    /// Why.
    pub why: KeyProblem,
}

/// All keys of one issuer at one time.
#[derive(Debug)]
pub struct KeySet {
    named: HashMap<Box<str>, Vec<Key>>,
    /// Keys without a `kid`.
    nameless: Vec<Key>,
    /// A key that the operator wrote down proves tokens whatever `kid` they carry.
    ignore_kid: bool,
    skipped: Vec<SkippedKey>,
    validity: Option<(u64, u64)>,
    digest: [u8; 32],
}

/// Why a key set has no key for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoKey {
    /// There is no key of that `kid`.
    UnknownKid,
    /// The token has no `kid`, and it takes one to choose among these keys.
    KidMissing,
    /// There is a key, but the algorithm that the token names is not one of that key's.
    AlgorithmDoesNotFit,
}

impl KeySet {
    /// A JWK Set document (RFC 7517 §5). Unusable keys are skipped and counted.
    ///
    /// # Errors
    /// If it is no JWK Set, holds more than [`MAX_KEYS`], or holds no usable key.
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeyProblem> {
        jwks::parse(document)
    }

    /// `-----BEGIN PUBLIC KEY-----` (SPKI) or `-----BEGIN RSA PUBLIC KEY-----` (PKCS#1).
    ///
    /// # Errors
    /// If it is no such PEM, or a key that none of the `allowed` algorithms fits.
    pub fn from_public_key_pem(pem: &[u8], allowed: AlgorithmSet) -> Result<Self, KeyProblem> {
        let material = pem::public_key(pem)?;
        Self::fixed(&material, allowed, None)
    }

    /// An X.509 certificate, whose dates it keeps and does not judge.
    ///
    /// # Errors
    /// If it is no such PEM, or a key that none of the `allowed` algorithms fits.
    pub fn from_certificate_pem(pem: &[u8], allowed: AlgorithmSet) -> Result<Self, KeyProblem> {
        let (material, validity) = pem::certificate(pem)?;
        Self::fixed(&material, allowed, Some(validity))
    }

    fn fixed(
        material: &material::Material,
        allowed: AlgorithmSet,
        validity: Option<(u64, u64)>,
    ) -> Result<Self, KeyProblem> {
        let fitting = material.algorithms().intersection(allowed);
        if fitting.is_empty() {
            return Err(KeyProblem(format!(
                "it is {}, which verifies {}, and `algorithms` lists {allowed}",
                material.kind(),
                material.algorithms(),
            )));
        }
        let mut hash = digest::Context::new(&digest::SHA256);
        material.hash(&mut hash);
        Ok(Self {
            named: HashMap::new(),
            nameless: vec![material.parse(fitting)?],
            ignore_kid: true,
            skipped: Vec::new(),
            validity,
            digest: finish(hash),
        })
    }

    /// The key that must have signed a token with this header, and the one issuer that it is of, if it names one.
    ///
    /// # Errors
    /// [`NoKey`], if there is none.
    pub fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<(&ParsedPublicKey, Option<&str>), NoKey> {
        let candidates = match kid {
            _ if self.ignore_kid => &self.nameless,
            Some(kid) => self.named.get(kid).ok_or(NoKey::UnknownKid)?,
            None if self.nameless.is_empty() => return Err(NoKey::KidMissing),
            None => &self.nameless,
        };
        let mut fitting = candidates
            .iter()
            .flat_map(|key| {
                key.parsed
                    .iter()
                    .map(|parsed| (parsed, key.issuer.as_deref()))
            })
            .filter(|((fits, _), _)| *fits == algorithm)
            .map(|((_, key), issuer)| (key, issuer));
        let key = fitting.next().ok_or(NoKey::AlgorithmDoesNotFit)?;
        match fitting.next() {
            // Trying one after the other would let a token's sender make us verify a thousand times.
            Some(_) => Err(NoKey::KidMissing),
            None => Ok(key),
        }
    }

    /// Whether a key of that name is usable.
    #[must_use]
    pub fn has(&self, kid: &str) -> bool {
        self.named.contains_key(kid)
    }

    /// The names (`kid`) of the usable keys.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(|name| &**name)
    }

    /// How many keys are usable.
    #[must_use]
    pub fn len(&self) -> usize {
        self.named.values().map(Vec::len).sum::<usize>() + self.nameless.len()
    }

    /// Never true: a set without a usable key is not made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The keys that were passed over, and why.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedKey] {
        &self.skipped
    }

    /// From and until when a certificate's key may be used, in seconds since the Unix epoch.
    #[must_use]
    pub fn validity(&self) -> Option<(u64, u64)> {
        self.validity
    }

    /// Whether both prove exactly the same tokens.
    #[must_use]
    pub fn same_keys(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

fn finish(hash: digest::Context) -> [u8; 32] {
    hash.finish()
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

#[cfg(test)]
mod tests;
