//! Keys that an operator wrote down as PEM (RFC 7468).

use x509_parser::{
    oid_registry::{OID_EC_P256, OID_NIST_EC_P384, OID_SIG_ED25519},
    pem::{Pem, parse_x509_pem},
    prelude::FromDer,
    public_key::{PublicKey, RSAPublicKey},
    x509::SubjectPublicKeyInfo,
};

use super::{KeyProblem, material::Material};

pub(super) fn public_key(text: &[u8]) -> Result<Material, KeyProblem> {
    let pem = block(text)?;
    match pem.label.as_str() {
        "PUBLIC KEY" => spki(&entire(SubjectPublicKeyInfo::from_der(&pem.contents))?),
        "RSA PUBLIC KEY" => rsa(&entire(RSAPublicKey::from_der(&pem.contents))?),
        "CERTIFICATE" => Err(KeyProblem::new(
            "it is a certificate; give it as `certificate`",
        )),
        label if label.contains("PRIVATE") => Err(KeyProblem::new(
            "it is a private key, which does not belong here; give the public half",
        )),
        label => Err(KeyProblem(format!(
            "it is a {label:?}, and a PUBLIC KEY or RSA PUBLIC KEY is wanted"
        ))),
    }
}

/// The key and the dates (`notBefore`, `notAfter`; RFC 5280 §4.1.2.5).
pub(super) fn certificate(text: &[u8]) -> Result<(Material, (u64, u64)), KeyProblem> {
    let pem = block(text)?;
    if pem.label != "CERTIFICATE" {
        return Err(KeyProblem(format!(
            "it is a {:?}, and a CERTIFICATE is wanted",
            pem.label
        )));
    }
    let certificate = pem
        .parse_x509()
        .map_err(|error| KeyProblem(format!("it is no X.509 certificate: {error}")))?;
    let seconds = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).unwrap_or(0);
    let validity = certificate.validity();
    Ok((
        spki(certificate.public_key())?,
        (seconds(validity.not_before), seconds(validity.not_after)),
    ))
}

fn block(text: &[u8]) -> Result<Pem, KeyProblem> {
    parse_x509_pem(text)
        .map(|(_, pem)| pem)
        .map_err(|_| KeyProblem::new("it is no PEM (a text that starts with -----BEGIN …-----)"))
}

fn entire<T, E: std::fmt::Display>(parsed: Result<(&[u8], T), E>) -> Result<T, KeyProblem> {
    match parsed {
        Ok(([], value)) => Ok(value),
        Ok(_) => Err(KeyProblem::new("bytes follow the key inside the PEM")),
        Err(error) => Err(KeyProblem(format!("it is no DER key: {error}"))),
    }
}

fn rsa(key: &RSAPublicKey<'_>) -> Result<Material, KeyProblem> {
    Material::rsa(key.modulus, key.exponent)
}

fn spki(info: &SubjectPublicKeyInfo<'_>) -> Result<Material, KeyProblem> {
    if info.algorithm.algorithm == OID_SIG_ED25519 {
        return Material::ed25519(&info.subject_public_key.data);
    }
    match info.parsed() {
        Ok(PublicKey::RSA(key)) => rsa(&key),
        Ok(PublicKey::EC(point)) => {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.as_oid().ok());
            let name = match curve {
                Some(oid) if oid == OID_EC_P256 => "P-256",
                Some(oid) if oid == OID_NIST_EC_P384 => "P-384",
                _ => "other",
            };
            match point.data() {
                [4, coordinates @ ..] => {
                    let (x, y) = coordinates.split_at(coordinates.len() / 2);
                    Material::ec(name, x, y)
                }
                _ => Err(KeyProblem::new("its point is not in the uncompressed form")),
            }
        }
        _ => Err(KeyProblem::new(
            "it is neither an RSA, P-256, P-384 nor Ed25519 key",
        )),
    }
}
