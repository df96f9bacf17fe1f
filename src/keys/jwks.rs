//! JWK Set documents (RFC 7517 §5).

use std::collections::HashMap;

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Algorithm, AlgorithmSet, Key, KeyProblem, KeySet, SkippedKey, finish, material::Material,
};

/// The most keys that a document may hold: Entra ID recommends to be ready for 1000, and each costs memory.
pub const MAX_KEYS: usize = 1000;

#[derive(Deserialize)]
struct Document {
    keys: Vec<Value>,
}

/// The members of a JWK that matter here (RFC 7517 §4, RFC 7518 §6, RFC 8037 §2).
/// `x5c`, `x5u` and `jku` do not: keys are trusted because of where the document came from.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    public_key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    /// Entra ID's own: whose tokens the key proves.
    issuer: Option<String>,
}

pub(super) fn parse(document: &[u8]) -> Result<KeySet, KeyProblem> {
    let document: Document = serde_json::from_slice(document).map_err(|error| {
        KeyProblem(format!("the document is no JWK Set (RFC 7517 §5): {error}"))
    })?;
    if document.keys.len() > MAX_KEYS {
        return Err(KeyProblem(format!(
            "the document holds {} keys, and at most {MAX_KEYS} are accepted",
            document.keys.len()
        )));
    }
    let mut named: HashMap<Box<str>, Vec<Key>> = HashMap::new();
    let mut nameless = Vec::new();
    let mut skipped = Vec::new();
    let mut fingerprints = Vec::new();
    for value in document.keys {
        let kid = value.get("kid").and_then(Value::as_str).map(str::to_owned);
        match usable(value) {
            Err(why) => skipped.push(SkippedKey { kid, why }),
            Ok((key, fingerprint)) => {
                let same_name = match &kid {
                    Some(kid) => named.entry(kid.as_str().into()).or_default(),
                    None => &mut nameless,
                };
                let fits = |algorithm: &Algorithm| {
                    same_name
                        .iter()
                        .any(|other| other.parsed.iter().any(|(fits, _)| fits == algorithm))
                };
                if kid.is_some() && key.parsed.iter().any(|(algorithm, _)| fits(algorithm)) {
                    // RFC 7517 §4.5 allows one name for keys of different kinds only.
                    let why = KeyProblem::new("an earlier key of the same kind has the same kid");
                    skipped.push(SkippedKey { kid, why });
                    continue;
                }
                same_name.push(key);
                fingerprints.push(fingerprint);
            }
        }
    }
    if fingerprints.is_empty() {
        let why = skipped.first().map_or_else(String::new, |skipped| {
            format!(" (the first: {})", skipped.why)
        });
        return Err(KeyProblem(format!(
            "the document holds no usable key among {}{why}",
            skipped.len()
        )));
    }
    // Some issuers list their keys in another order with each answer; that is no change.
    fingerprints.sort_unstable();
    let mut hash = digest::Context::new(&digest::SHA256);
    for fingerprint in &fingerprints {
        hash.update(fingerprint);
    }
    Ok(KeySet {
        named,
        nameless,
        ignore_kid: false,
        skipped,
        validity: None,
        digest: finish(hash),
    })
}

fn usable(value: Value) -> Result<(Key, [u8; 32]), KeyProblem> {
    let jwk: Jwk = serde_json::from_value(value)
        .map_err(|error| KeyProblem(format!("it is no JWK: {error}")))?;
    if jwk
        .public_key_use
        .as_deref()
        .is_some_and(|purpose| purpose != "sig")
    {
        return Err(KeyProblem::new("its `use` is not \"sig\""));
    }
    if jwk
        .key_ops
        .as_ref()
        .is_some_and(|operations| operations.iter().all(|operation| operation != "verify"))
    {
        return Err(KeyProblem::new("its `key_ops` lack \"verify\""));
    }
    let material = jwk.material()?;
    // A key that names its algorithm verifies that one only (RFC 8725 §3.1).
    let algorithms = match &jwk.alg {
        None => material.algorithms(),
        Some(name) => {
            let named: AlgorithmSet = Algorithm::from_name(name).into_iter().collect();
            material.algorithms().intersection(named)
        }
    };
    if algorithms.is_empty() {
        let name = jwk.alg.unwrap_or_default();
        return Err(KeyProblem(format!(
            "its `alg` {name:?} is not one that {} verifies",
            material.kind()
        )));
    }
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in [
        jwk.kid.as_deref().unwrap_or_default(),
        &algorithms.to_string(),
        jwk.issuer.as_deref().unwrap_or_default(),
    ] {
        hash.update(&(text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    material.hash(&mut hash);
    let mut key = material.parse(algorithms)?;
    key.issuer = jwk.issuer.map(String::into_boxed_str);
    Ok((key, finish(hash)))
}

impl Jwk {
    fn material(&self) -> Result<Material, KeyProblem> {
        match self.kty.as_str() {
            "RSA" => Material::rsa(
                &number("n", self.n.as_ref())?,
                &number("e", self.e.as_ref())?,
            ),
            "EC" => {
                let curve = self.crv.as_deref().unwrap_or_default();
                Material::ec(
                    curve,
                    &number("x", self.x.as_ref())?,
                    &number("y", self.y.as_ref())?,
                )
            }
            "OKP" if self.crv.as_deref() == Some("Ed25519") => {
                Material::ed25519(&number("x", self.x.as_ref())?)
            }
            other => Err(KeyProblem(format!(
                "keys of type {other:?} are not supported (RSA, EC and Ed25519 are)"
            ))),
        }
    }
}

fn number(name: &str, text: Option<&String>) -> Result<Vec<u8>, KeyProblem> {
    let text = text.ok_or_else(|| KeyProblem(format!("its `{name}` is missing")))?;
    URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| KeyProblem(format!("its `{name}` is not base64url without padding")))
}
