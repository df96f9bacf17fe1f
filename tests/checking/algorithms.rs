//! Every algorithm, by every way to name a key; each refused where another key is named.

use std::{path::Path, process::Command};

use crate::harness::{Algorithm, Issuer, Postern, issuer, program, tenant};

/// An issuer whose keys for every algorithm are published from the first fetch.
fn issuer_of_all() -> Issuer {
    let issuer = issuer();
    let _published = issuer.kid(Algorithm::Rs256);
    issuer
}

fn signed(issuer: &Issuer, algorithm: Algorithm) -> String {
    issuer.token().algorithm(algorithm).sign()
}

/// Keys found by discovery, and keys whose place the file names.
#[test]
fn every_algorithm_by_published_keys() {
    let acme = issuer_of_all();
    let jwks = format!(
        "issuer = {:?}\naudience = \"postern-dev\"\njwks_uri = \"{}/jwks\"",
        acme.url(),
        acme.url()
    );
    let postern = Postern::with(tenant("discovery").trusting(&acme))
        .and(tenant("jwks").provider(&jwks))
        .start();
    for name in ["discovery", "jwks"] {
        postern.until_keys(name);
        for algorithm in Algorithm::ALL {
            let token = signed(&acme, algorithm);
            postern.check(name, &token).is_allowed_as("ada");
            let (signed_part, signature) = token.rsplit_once('.').expect("three parts");
            let other = if signature.starts_with('A') { "B" } else { "A" };
            let forged = format!("{signed_part}.{other}{}", &signature[1..]);
            postern
                .check(name, &forged)
                .is_refused(401, "bad_signature");
        }
    }
}

/// A key that stands in the tenant's file, as SPKI or, for RSA, as PKCS#1; inline or in a file beside it.
#[test]
fn every_algorithm_by_a_key_in_the_file() {
    let acme = issuer_of_all();
    let pinned = |name: &str, key: &str| {
        tenant(name).provider(&format!(
            "issuer = {:?}\naudience = \"postern-dev\"\npublic_key = {key}",
            acme.url()
        ))
    };
    let inline = |pem: &str| format!("'''\n{pem}'''");
    let spki = |algorithm| inline(&acme.public_key_pem(algorithm));
    let postern = Postern::with(pinned("rsa", &spki(Algorithm::Rs256)))
        .and(pinned("pkcs1", &inline(&acme.rsa_pkcs1_pem())))
        .and(pinned("p256", &spki(Algorithm::Es256)))
        .and(pinned("p384", &spki(Algorithm::Es384)))
        .and(pinned("ed25519", &spki(Algorithm::EdDsa)))
        .start();
    for algorithm in Algorithm::ALL {
        let fitting = match algorithm {
            Algorithm::Es256 => &["p256"][..],
            Algorithm::Es384 => &["p384"],
            Algorithm::EdDsa | Algorithm::Ed25519 => &["ed25519"],
            _ => &["rsa", "pkcs1"],
        };
        let token = signed(&acme, algorithm);
        for name in ["rsa", "pkcs1", "p256", "p384", "ed25519"] {
            let answer = postern.check(name, &token);
            if fitting.contains(&name) {
                answer.is_allowed_as("ada");
            } else {
                answer.is_refused(401, "algorithm_not_allowed");
            }
        }
    }
    assert_eq!(acme.hits("/jwks"), 0, "a key in the file needs no fetch");
}

/// A certificate's key, made by the openssl that operators have; and one of another key.
#[test]
fn every_kind_of_certificate() {
    let Some(openssl) = program("openssl") else {
        return;
    };
    let acme = issuer();
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (kind, options, algorithm) in [
        (
            "rsa",
            &["-newkey", "rsa:2048"][..],
            jsonwebtoken::Algorithm::RS256,
        ),
        (
            "rsa-pss",
            &["-newkey", "rsa:2048"],
            jsonwebtoken::Algorithm::PS512,
        ),
        (
            "p256",
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
            jsonwebtoken::Algorithm::ES256,
        ),
        (
            "p384",
            &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
            jsonwebtoken::Algorithm::ES384,
        ),
        (
            "ed25519",
            &["-newkey", "ed25519"],
            jsonwebtoken::Algorithm::EdDSA,
        ),
    ] {
        let make =
            |name: &str| certificate(&openssl, folder.path(), &format!("{kind}-{name}"), options);
        let ((certificate, key), (_, stranger)) = (make("own"), make("other"));
        let provider = format!(
            "issuer = {:?}\naudience = \"postern-dev\"\ncertificate = '''\n{certificate}'''",
            acme.url()
        );
        let postern = Postern::with(tenant("jira").provider(&provider)).start();
        postern
            .check("jira", &sign(algorithm, &key, &acme))
            .is_allowed_as("ada");
        postern
            .check("jira", &sign(algorithm, &stranger, &acme))
            .is_refused(401, "bad_signature");
        postern
            .check(
                "jira",
                &acme
                    .token()
                    .algorithm(Algorithm::Es384)
                    .header("alg", "HS256")
                    .sign(),
            )
            .is_refused(401, "algorithm_not_allowed");
    }
}

/// A self-signed certificate and its private key, both PEM.
fn certificate(openssl: &Path, folder: &Path, name: &str, options: &[&str]) -> (String, String) {
    let (certificate, key) = (
        folder.join(format!("{name}.crt")),
        folder.join(format!("{name}.key")),
    );
    let made = Command::new(openssl)
        .args(["req", "-x509", "-noenc", "-days", "90", "-subj", "/CN=acme"])
        .args(options)
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let read = |path| std::fs::read_to_string(path).expect("openssl wrote it");
    (read(certificate), read(key))
}

fn sign(algorithm: jsonwebtoken::Algorithm, key: &str, issuer: &Issuer) -> String {
    use jsonwebtoken::{
        Algorithm::{ES256, ES384, EdDSA},
        EncodingKey, Header, encode,
    };
    let key = key.as_bytes();
    let key = match algorithm {
        EdDSA => EncodingKey::from_ed_pem(key),
        ES256 | ES384 => EncodingKey::from_ec_pem(key),
        _ => EncodingKey::from_rsa_pem(key),
    };
    let claims = serde_json::json!({
        "iss": issuer.url(), "sub": "ada", "aud": "postern-dev", "exp": postern::clock::now() + 600,
    });
    encode(
        &Header::new(algorithm),
        &claims,
        &key.expect("openssl's key"),
    )
    .expect("it signs")
}
