//! Keys as strangers publish them and operators write them down.

mod jwks;
mod pem;

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::*;
use crate::dev::{self, Issuer};

/// The key set of an issuer that has one key for each algorithm. Made once: RSA keys take a while.
static PUBLISHED: LazyLock<Value> = LazyLock::new(|| {
    let issuer = issuer();
    let _published = issuer.kid(dev::Algorithm::Rs256);
    issuer.jwks()
});

fn issuer() -> Issuer {
    Issuer::start().expect("a loopback port is to be had")
}

/// The first published key for that algorithm.
fn key_for(algorithm: &str) -> Value {
    let keys = PUBLISHED["keys"].as_array().expect("a list");
    let key = keys.iter().find(|key| key["alg"] == algorithm);
    key.expect("the issuer has one for each").clone()
}

fn parse(keys: &[Value]) -> Result<KeySet, KeyProblem> {
    KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes())
}

/// Why the only key of a document can't be used.
fn problem(key: Value) -> String {
    parse(&[key]).expect_err("no key is usable").to_string()
}

#[test]
fn a_name_finds_its_key_and_no_other() {
    let keys = KeySet::from_jwks(PUBLISHED.to_string().as_bytes()).unwrap();
    assert_eq!(keys.len(), 10);
    let own = published_kids(&keys);
    for (kid, algorithm) in &own {
        assert!(keys.has(kid));
        assert!(keys.find(Some(kid), *algorithm).is_ok());
        let other = if *algorithm == Es256 { Rs256 } else { Es256 };
        assert_eq!(
            keys.find(Some(kid), other).unwrap_err(),
            NoKey::AlgorithmDoesNotFit
        );
    }
    assert_eq!(keys.find(None, Es256).unwrap_err(), NoKey::KidMissing);
    for kid in ["", "nobody", "../ES256", " "] {
        assert_eq!(keys.find(Some(kid), Es256).unwrap_err(), NoKey::UnknownKid);
    }
}

fn published_kids(keys: &KeySet) -> Vec<(String, Algorithm)> {
    keys.named
        .iter()
        .flat_map(|(kid, named)| {
            let algorithms = named.iter().flat_map(|key| &key.parsed);
            algorithms.map(|(algorithm, _)| (kid.to_string(), *algorithm))
        })
        .collect()
}

/// A document whose keys have no names serves tokens without one, as long as there is only one that fits.
#[test]
fn a_key_without_a_name_is_taken_where_it_is_the_only_one() {
    let nameless = |algorithm: &str| {
        let mut key = key_for(algorithm);
        key.as_object_mut().expect("an object").remove("kid");
        key
    };
    let keys = parse(&[nameless("ES256"), nameless("RS256")]).unwrap();
    assert!(keys.find(None, Es256).is_ok());
    assert!(keys.find(None, Rs256).is_ok());
    assert_eq!(
        keys.find(None, Es384).unwrap_err(),
        NoKey::AlgorithmDoesNotFit
    );
    assert_eq!(keys.find(Some("a"), Es256).unwrap_err(), NoKey::UnknownKid);
    let two = parse(&[nameless("ES256"), nameless("ES256")]).unwrap();
    assert_eq!(two.find(None, Es256).unwrap_err(), NoKey::KidMissing);
}

#[test]
fn algorithms_have_their_exact_names() {
    for name in Algorithm::NAMES {
        let algorithm = Algorithm::from_name(name).unwrap();
        assert!(algorithm.name() == *name || *name == "Ed25519");
        assert!(AlgorithmSet::ALL.contains(algorithm));
    }
    for name in [
        "none", "HS256", "rs256", "ES512", "ES256K", "Ed448", "RS256 ", "",
    ] {
        assert_eq!(Algorithm::from_name(name), None, "{name}");
    }
    assert_eq!(AlgorithmSet::ALL.iter().count(), 9);
    let some: AlgorithmSet = [Es256, Rs512].into_iter().collect();
    assert_eq!(some.to_string(), "RS512, ES256");
    assert!(some.intersection([Ps256].into_iter().collect()).is_empty());
}
