//! Key pairs by generation: made, used to sign, published, withdrawn.

use std::{
    fmt,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    digest,
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
        RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{DecodingKey, jwk::Jwk};
use serde_json::{Value, json};

/// How many generations stay published, so that a script that rotates forever fills no memory.
/// Times [`Algorithm::ALL`] it stays under the 1,000 keys that Postern reads.
const MAX_GENERATIONS: usize = 64;

/// Why the calls into aws-lc-rs below cannot fail.
const OWN_KEY: &str = "aws-lc-rs makes, encodes and uses key pairs of its own sizes";

/// What a token can be signed with, by its name in RFC 7518, RFC 8037 and RFC 9864.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512
    Rs512,
    /// RSASSA-PSS with SHA-256
    Ps256,
    /// RSASSA-PSS with SHA-384
    Ps384,
    /// RSASSA-PSS with SHA-512
    Ps512,
    /// ECDSA with P-256 and SHA-256
    Es256,
    /// ECDSA with P-384 and SHA-384
    Es384,
    /// Ed25519 under its first name
    EdDsa,
    /// Ed25519 under the name that RFC 9864 gave it; the key pair is that of [`Algorithm::EdDsa`]
    Ed25519,
}

/// A text that names no [`Algorithm`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an algorithm of this issuer")]
pub struct UnknownAlgorithm;

/// Which key pair an algorithm needs, and how it is used.
enum Scheme {
    Rsa(&'static dyn RsaEncoding),
    P256,
    P384,
    Ed25519,
}

/// The key pairs that are current at the same time: one for RSA, one for each curve.
pub(super) struct Generation {
    number: usize,
    /// Made on first use, since an RSA key pair takes a tenth of a second or more; then published
    /// for all six algorithms. The others cost nothing, so they are there from the start and a test
    /// may use any of them without a second fetch of the key set.
    rsa: OnceLock<RsaKeyPair>,
    p256: EcdsaKeyPair,
    p384: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

/// The generations that are published, the current one last. There is always one.
pub(super) struct Keyring {
    current: Arc<Generation>,
    old: Vec<Arc<Generation>>,
}

// === impl Algorithm ===

impl Algorithm {
    /// Every algorithm, in the order of the declaration.
    pub const ALL: [Self; 10] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
        Self::Ed25519,
    ];

    /// The name in a token's `alg`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    fn scheme(self) -> Scheme {
        match self {
            Self::Rs256 => Scheme::Rsa(&RSA_PKCS1_SHA256),
            Self::Rs384 => Scheme::Rsa(&RSA_PKCS1_SHA384),
            Self::Rs512 => Scheme::Rsa(&RSA_PKCS1_SHA512),
            Self::Ps256 => Scheme::Rsa(&RSA_PSS_SHA256),
            Self::Ps384 => Scheme::Rsa(&RSA_PSS_SHA384),
            Self::Ps512 => Scheme::Rsa(&RSA_PSS_SHA512),
            Self::Es256 => Scheme::P256,
            Self::Es384 => Scheme::P384,
            Self::EdDsa | Self::Ed25519 => Scheme::Ed25519,
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(UnknownAlgorithm)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl Generation ===

impl Generation {
    fn new(number: usize) -> Self {
        let curve = |algorithm: &'static EcdsaSigningAlgorithm| {
            EcdsaKeyPair::generate(algorithm).expect(OWN_KEY)
        };
        Self {
            number,
            rsa: OnceLock::new(),
            p256: curve(&ECDSA_P256_SHA256_FIXED_SIGNING),
            p384: curve(&ECDSA_P384_SHA384_FIXED_SIGNING),
            ed25519: Ed25519KeyPair::generate().expect(OWN_KEY),
        }
    }

    fn rsa(&self) -> &RsaKeyPair {
        self.rsa
            .get_or_init(|| RsaKeyPair::generate(KeySize::Rsa2048).expect(OWN_KEY))
    }

    fn has(&self, algorithm: Algorithm) -> bool {
        !matches!(algorithm.scheme(), Scheme::Rsa(_)) || self.rsa.get().is_some()
    }

    /// Signs with aws-lc-rs directly and not through the `jsonwebtoken` crate, which parses the key
    /// anew for every signature: for RSA that made a token seven times as slow (measured), and the
    /// benchmark needs many.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match algorithm.scheme() {
            Scheme::Rsa(encoding) => {
                let pair = self.rsa();
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &random, message, &mut signature)
                    .expect(OWN_KEY);
                signature
            }
            Scheme::P256 => {
                let signature = self.p256.sign(&random, message).expect(OWN_KEY);
                signature.as_ref().to_vec()
            }
            Scheme::P384 => {
                let signature = self.p384.sign(&random, message).expect(OWN_KEY);
                signature.as_ref().to_vec()
            }
            Scheme::Ed25519 => self.ed25519.sign(message).as_ref().to_vec(),
        }
    }

    /// A key's name. It holds a digest of the key, so that another issuer that comes up at the same
    /// address later has other names, as issuers in the world have.
    pub(super) fn kid(&self, algorithm: Algorithm) -> String {
        let digest = digest::digest(&digest::SHA256, &self.spki(algorithm));
        let mark = digest.as_ref()[..4]
            .iter()
            .fold(0_u32, |mark, byte| mark << 8 | u32::from(*byte));
        format!("{algorithm}-{}-{mark:08x}", self.number)
    }

    fn spki(&self, algorithm: Algorithm) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match algorithm.scheme() {
            Scheme::Rsa(_) => self.rsa().public_key().as_der(),
            Scheme::P256 => self.p256.public_key().as_der(),
            Scheme::P384 => self.p384.public_key().as_der(),
            Scheme::Ed25519 => self.ed25519.public_key().as_der(),
        }
        .expect(OWN_KEY);
        der.as_ref().to_vec()
    }

    pub(super) fn spki_pem(&self, algorithm: Algorithm) -> String {
        pem("PUBLIC KEY", &self.spki(algorithm))
    }

    pub(super) fn rsa_pkcs1_pem(&self) -> String {
        pem("RSA PUBLIC KEY", self.rsa().public_key().as_ref())
    }

    /// One entry for each algorithm, although the RSA ones share a key pair: a JWK names one
    /// algorithm, and a key that is bound to one is what RFC 8725 §3.1 asks for.
    fn jwk(&self, algorithm: Algorithm) -> Value {
        let public = match algorithm.scheme() {
            Scheme::Rsa(_) => DecodingKey::from_rsa_der(self.rsa().public_key().as_ref()),
            Scheme::P256 => DecodingKey::from_ec_der(self.p256.public_key().as_ref()),
            Scheme::P384 => DecodingKey::from_ec_der(self.p384.public_key().as_ref()),
            Scheme::Ed25519 => DecodingKey::from_ed_der(self.ed25519.public_key().as_ref()),
        };
        let jwk = Jwk::from_decoding_key(&public, None).expect("these are public keys as it wants");
        let mut jwk = serde_json::to_value(jwk).expect("a JWK is JSON");
        jwk["kid"] = self.kid(algorithm).into();
        jwk["use"] = "sig".into();
        jwk["alg"] = algorithm.as_str().into();
        jwk
    }
}

// === impl Keyring ===

impl Keyring {
    pub(super) fn new() -> Self {
        Self {
            current: Arc::new(Generation::new(1)),
            old: Vec::new(),
        }
    }

    pub(super) fn current(&self) -> Arc<Generation> {
        Arc::clone(&self.current)
    }

    pub(super) fn rotate(&mut self) {
        let next = Generation::new(self.current.number + 1);
        if self.current.rsa.get().is_some() {
            // Now, not on first use: who fetches the key set after a rotation must find the new key.
            next.rsa();
        }
        self.old
            .push(std::mem::replace(&mut self.current, Arc::new(next)));
        if self.old.len() >= MAX_GENERATIONS {
            self.old.remove(0);
        }
    }

    pub(super) fn withdraw_old(&mut self) {
        self.old.clear();
    }

    /// The published keys as RFC 7517 §5 writes them, the current ones first.
    pub(super) fn jwks(&self) -> Value {
        let keys: Vec<Value> = std::iter::once(&self.current)
            .chain(self.old.iter().rev())
            .flat_map(|generation| {
                Algorithm::ALL
                    .into_iter()
                    .filter(|algorithm| generation.has(*algorithm))
                    .map(|algorithm| generation.jwk(algorithm))
            })
            .collect();
        json!({ "keys": keys })
    }
}

/// RFC 7468: lines of 64 characters.
fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (position, character) in text.chars().enumerate() {
        if position > 0 && position % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + &format!("\n-----END {label}-----\n")
}
