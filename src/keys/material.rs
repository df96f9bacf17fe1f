//! Raw key material, judged before it is used, whatever it came from.

use aws_lc_rs::{
    digest,
    signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents},
};

use super::{Algorithm, AlgorithmSet, Key, KeyProblem};

/// RSA moduli, in bits: below, factoring is in reach (RFC 7518 §3.3); above, verifying is a denial of service.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// RSA public exponents, in bytes. In practice it is 65537; a huge one makes verifying slow.
const RSA_EXPONENT_BYTES: usize = 4;

/// A public key by its numbers.
pub(super) enum Material {
    /// Big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point (SEC 1 §2.3.3).
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Material {
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyProblem> {
        let (n, e) = (without_leading_zeros(n), without_leading_zeros(e));
        let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyProblem(format!(
                "it is an RSA key of {bits} bits, and {} to {} are accepted",
                RSA_BITS.start(),
                RSA_BITS.end()
            )));
        }
        let odd = e.last().is_some_and(|last| last % 2 == 1);
        if !odd || e == [1] || e.len() > RSA_EXPONENT_BYTES {
            return Err(KeyProblem::new(
                "its RSA exponent is not an odd number from 3 to 2^32",
            ));
        }
        Ok(Self::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
    }

    /// From coordinates of exactly the curve's length (RFC 7518 §6.2.1.2).
    pub(super) fn ec(curve: &str, x: &[u8], y: &[u8]) -> Result<Self, KeyProblem> {
        let (length, make): (usize, fn(Vec<u8>) -> Self) = match curve {
            "P-256" => (32, Self::P256),
            "P-384" => (48, Self::P384),
            _ => {
                return Err(KeyProblem(format!(
                    "the curve {curve:?} is not supported (P-256 and P-384 are)"
                )));
            }
        };
        if x.len() != length || y.len() != length {
            return Err(KeyProblem(format!(
                "its coordinates are not {length} bytes long"
            )));
        }
        Ok(make([&[4], x, y].concat()))
    }

    pub(super) fn ed25519(x: &[u8]) -> Result<Self, KeyProblem> {
        if x.len() != 32 {
            return Err(KeyProblem::new("an Ed25519 key is 32 bytes long"));
        }
        Ok(Self::Ed25519(x.to_vec()))
    }

    /// The algorithms that this key can verify.
    pub(super) fn algorithms(&self) -> AlgorithmSet {
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]
                .into_iter()
                .collect(),
            Self::P256(_) => [Es256].into_iter().collect(),
            Self::P384(_) => [Es384].into_iter().collect(),
            Self::Ed25519(_) => [EdDsa].into_iter().collect(),
        }
    }

    /// What an operator calls it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "an RSA key",
            Self::P256(_) => "a P-256 key",
            Self::P384(_) => "a P-384 key",
            Self::Ed25519(_) => "an Ed25519 key",
        }
    }

    /// Feeds what identifies the key to `hash`.
    pub(super) fn hash(&self, hash: &mut digest::Context) {
        let parts: [&[u8]; 2] = match self {
            Self::Rsa { n, e } => [n, e],
            Self::P256(point) | Self::P384(point) | Self::Ed25519(point) => [point, &[]],
        };
        hash.update(self.kind().as_bytes());
        for part in parts {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }

    /// Parses the key once for each of `algorithms`, which are among [`Material::algorithms`].
    pub(super) fn parse(&self, algorithms: AlgorithmSet) -> Result<Key, KeyProblem> {
        let parsed = algorithms
            .iter()
            .map(|algorithm| Ok((algorithm, self.parse_for(algorithm)?)))
            .collect::<Result<_, KeyProblem>>()?;
        Ok(Key {
            parsed,
            issuer: None,
        })
    }

    fn parse_for(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, KeyProblem> {
        let parsed = match self {
            Self::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(rsa_parameters(algorithm))
            }
            // aws-lc checks that the point is on the curve (RFC 8725 §3.4).
            Self::P256(bytes) | Self::P384(bytes) | Self::Ed25519(bytes) => {
                ParsedPublicKey::new(algorithm.verification(), bytes)
            }
        };
        parsed.map_err(|_| KeyProblem::new("its numbers make no valid key"))
    }
}

fn rsa_parameters(algorithm: Algorithm) -> &'static RsaParameters {
    match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => {
            unreachable!("Material::algorithms gives an RSA key the RSA algorithms only")
        }
    }
}

fn without_leading_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
