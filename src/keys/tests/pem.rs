//! Keys and certificates as operators write them down.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

use super::*;

/// The certificate of `tenants/examples`, as good as any.
const CERTIFICATE: &str = include_str!("../../../tenants/examples/custom-certificate.crt");

fn public_key(pem: &str) -> Result<KeySet, KeyProblem> {
    KeySet::from_public_key_pem(pem.as_bytes(), AlgorithmSet::ALL)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).expect("it is ASCII"))
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn der(pem: &str) -> Vec<u8> {
    let lines: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    STANDARD.decode(lines).expect("it is base64")
}

#[test]
fn spki_and_pkcs1_are_one_key() {
    let issuer = issuer();
    let spki = public_key(&issuer.public_key_pem(dev::Algorithm::Rs256)).unwrap();
    let pkcs1 = public_key(&issuer.rsa_pkcs1_pem()).unwrap();
    assert!(spki.same_keys(&pkcs1));
    for algorithm in [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512] {
        assert!(pkcs1.find(None, algorithm).is_ok());
        assert!(
            pkcs1.find(Some("any"), algorithm).is_ok(),
            "what is written down has no name"
        );
    }
    assert_eq!(
        pkcs1.find(None, Es256).unwrap_err(),
        NoKey::AlgorithmDoesNotFit
    );
    for (algorithm, only) in [
        (dev::Algorithm::Es256, Es256),
        (dev::Algorithm::Es384, Es384),
        (dev::Algorithm::EdDsa, EdDsa),
    ] {
        let keys = public_key(&issuer.public_key_pem(algorithm)).unwrap();
        assert!(keys.find(None, only).is_ok());
        assert_eq!(
            keys.find(None, Rs256).unwrap_err(),
            NoKey::AlgorithmDoesNotFit
        );
        assert_eq!((keys.len(), keys.validity()), (1, None));
    }
}

/// Text around the block, as openssl writes it, and Windows' line ends are no reason to refuse a key.
#[test]
fn a_pem_may_stand_among_other_text() {
    let own = issuer().public_key_pem(dev::Algorithm::Es256);
    for text in [
        format!("subject=CN = acme\n{own}"),
        own.replace('\n', "\r\n"),
        format!("{own}\n\n"),
        own.trim_end().to_owned(),
    ] {
        assert!(public_key(&text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_no_public_key_is_told_as_what_it_is() {
    let issuer = issuer();
    let own = issuer.public_key_pem(dev::Algorithm::Es256);
    let trailing = pem("PUBLIC KEY", &[der(&own), vec![0]].concat());
    let point = &der(&own)[27..59];
    let prefix = [
        0x30, 0x39, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x22, 0x00, 0x02,
    ];
    let compressed = pem("PUBLIC KEY", &[&prefix[..], point].concat());
    let mut other_curve = der(&own);
    other_curve[22] = 0x99;
    for (text, why) in [
        ("", "no PEM"),
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada", "no PEM"),
        (&pem("PRIVATE KEY", &[0x30, 0]), "private key"),
        (&pem("EC PRIVATE KEY", &[0x30, 0]), "private key"),
        (
            &pem("CERTIFICATE REQUEST", &[0x30, 0]),
            "CERTIFICATE REQUEST",
        ),
        (CERTIFICATE, "give it as `certificate`"),
        (&pem("PUBLIC KEY", &[]), "no DER key"),
        (&pem("PUBLIC KEY", b"hello"), "no DER key"),
        (&trailing, "bytes follow"),
        (&compressed, "uncompressed"),
        (&pem("PUBLIC KEY", &other_curve), "other"),
        (&pem("RSA PUBLIC KEY", &der(&own)), "no DER key"),
        (
            &pem("PUBLIC KEY", &der(&issuer.rsa_pkcs1_pem())),
            "no DER key",
        ),
    ] {
        let error = public_key(text).expect_err(text).to_string();
        assert!(error.contains(why), "{error:?} does not say {why:?}");
    }
}

/// A short RSA key is refused in every wrapping.
#[test]
fn a_short_rsa_key_is_refused() {
    // SEQUENCE of a modulus of 1024 bits and the exponent 65537.
    let modulus = [&[0x02, 0x81, 0x81, 0x00][..], &[0xff; 128]].concat();
    let inner = [&modulus[..], &[0x02, 0x03, 0x01, 0x00, 0x01]].concat();
    let length = u8::try_from(inner.len()).expect("it is short");
    let short = [&[0x30, 0x81, length][..], &inner].concat();
    let error = public_key(&pem("RSA PUBLIC KEY", &short))
        .unwrap_err()
        .to_string();
    assert!(error.contains("1024 bits"), "{error}");
}

#[test]
fn a_key_that_fits_no_listed_algorithm_is_refused() {
    let own = issuer().public_key_pem(dev::Algorithm::Es256);
    let only = |algorithm: Algorithm| [algorithm].into_iter().collect::<AlgorithmSet>();
    assert!(KeySet::from_public_key_pem(own.as_bytes(), only(Es256)).is_ok());
    let error = KeySet::from_public_key_pem(own.as_bytes(), only(Rs256)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "it is a P-256 key, which verifies ES256, and `algorithms` lists RS256"
    );
}

#[test]
fn a_certificate_keeps_its_dates() {
    let keys = KeySet::from_certificate_pem(CERTIFICATE.as_bytes(), AlgorithmSet::ALL).unwrap();
    let (from, until) = keys.validity().expect("it has dates");
    assert!(0 < from && from < until);
    assert_eq!(keys.len(), 1);
    let own = issuer().public_key_pem(dev::Algorithm::Es256);
    for (text, why) in [
        (own.as_str(), "a CERTIFICATE is wanted"),
        ("", "no PEM"),
        (&pem("CERTIFICATE", b"hello"), "no X.509 certificate"),
        (&pem("CERTIFICATE", &der(&own)), "no X.509 certificate"),
    ] {
        let error = KeySet::from_certificate_pem(text.as_bytes(), AlgorithmSet::ALL);
        let error = error.expect_err(text).to_string();
        assert!(error.contains(why), "{error:?} does not say {why:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_panics(text in any::<String>(), der in prop::collection::vec(any::<u8>(), 0..200)) {
        for text in [text, pem("PUBLIC KEY", &der), pem("RSA PUBLIC KEY", &der), pem("CERTIFICATE", &der)] {
            let _ = public_key(&text);
            let _ = KeySet::from_certificate_pem(text.as_bytes(), AlgorithmSet::ALL);
        }
    }

    /// A damaged certificate is refused, or still has a key; it never brings the daemon down.
    #[test]
    fn no_damage_panics(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut bytes = der(CERTIFICATE);
        let place = at.index(bytes.len());
        bytes[place] = byte;
        let _ = KeySet::from_certificate_pem(pem("CERTIFICATE", &bytes).as_bytes(), AlgorithmSet::ALL);
        bytes.truncate(cut.index(bytes.len()));
        let cut = KeySet::from_certificate_pem(pem("CERTIFICATE", &bytes).as_bytes(), AlgorithmSet::ALL);
        prop_assert!(cut.is_err());
    }
}
