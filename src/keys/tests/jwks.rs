//! JWK Set documents: what is unusable is passed over and counted, and never spoils the rest.

use proptest::prelude::*;

use super::*;

/// A published key for ES256 with this member changed; `null` takes it out.
fn changed(algorithm: &str, member: &str, value: Value) -> Value {
    let mut key = key_for(algorithm);
    let members = key.as_object_mut().expect("an object");
    if value.is_null() {
        members.remove(member);
    } else {
        members.insert(member.to_owned(), value);
    }
    key
}

fn number(bytes: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes).into()
}

#[test]
fn what_cannot_be_used_is_passed_over_and_counted() {
    let good = key_for("ES256");
    let bad = [
        (changed("ES256", "use", json!("enc")), "use"),
        (changed("ES256", "key_ops", json!(["sign"])), "key_ops"),
        (changed("ES256", "alg", json!("HS256")), "alg"),
        (changed("ES256", "alg", json!("RS256")), "alg"),
        (changed("ES256", "alg", json!("ES384")), "alg"),
        (changed("ES256", "alg", json!(1)), "no JWK"),
        (changed("ES256", "kid", json!(1)), "no JWK"),
        (changed("ES256", "crv", json!("P-384")), "48 bytes"),
        (changed("ES256", "crv", json!("P-521")), "P-521"),
        (changed("ES256", "crv", json!("secp256k1")), "secp256k1"),
        (changed("ES256", "crv", json!(null)), "curve"),
        (changed("ES256", "x", json!(null)), "`x` is missing"),
        (changed("ES256", "y", number(&[0; 32])), "no valid key"),
        (changed("ES256", "y", number(&[1; 31])), "32 bytes"),
        (changed("ES256", "y", json!("AA==")), "base64url"),
        (changed("ES256", "kty", json!("oct")), "oct"),
        (changed("ES256", "kty", json!(null)), "no JWK"),
        (changed("EdDSA", "crv", json!("Ed448")), "OKP"),
        (changed("EdDSA", "crv", json!("X25519")), "OKP"),
        (changed("EdDSA", "x", number(&[1; 31])), "32 bytes"),
        (changed("RS256", "n", number(&[0xff; 128])), "1024 bits"),
        (changed("RS256", "n", number(&[0x7f; 256])), "2047 bits"),
        (changed("RS256", "n", number(&[0xff; 1025])), "8200 bits"),
        (changed("RS256", "n", number(&[])), "0 bits"),
        (changed("RS256", "e", number(&[1])), "exponent"),
        (changed("RS256", "e", number(&[2])), "exponent"),
        (changed("RS256", "e", number(&[])), "exponent"),
        (changed("RS256", "e", number(&[1, 0, 0, 0, 1])), "exponent"),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), "oct"),
        (json!("a text"), "no JWK"),
        (json!(null), "no JWK"),
        (json!([]), "no JWK"),
    ];
    for (key, why) in &bad {
        let keys = parse(&[key.clone(), good.clone()]).unwrap();
        assert_eq!((keys.len(), keys.skipped().len()), (1, 1), "{key}");
        let found = keys.skipped()[0].why.to_string();
        assert!(found.contains(why), "{found:?} does not say {why:?}");
        assert!(problem(key.clone()).contains(why));
    }
    let all: Vec<Value> = bad
        .iter()
        .map(|(key, _)| key.clone())
        .chain([good])
        .collect();
    assert_eq!(parse(&all).unwrap().skipped().len(), bad.len());
}

/// What says less than it could is usable for all that its kind can do.
#[test]
fn a_key_need_not_say_what_it_is_for() {
    for member in ["use", "alg", "key_ops"] {
        let keys = parse(&[changed("RS256", member, Value::Null)]).unwrap();
        assert_eq!(keys.len(), 1);
    }
    let any = parse(&[changed("RS256", "alg", Value::Null)]).unwrap();
    let kid = any.named.keys().next().expect("one").clone();
    for algorithm in [Rs256, Rs384, Rs512, Ps256, Ps384, Ps512] {
        assert!(any.find(Some(&kid), algorithm).is_ok(), "{algorithm}");
    }
    let bound = parse(&[key_for("RS256")]).unwrap();
    let kid = bound.named.keys().next().expect("one").clone();
    assert_eq!(
        bound.find(Some(&kid), Ps256).unwrap_err(),
        NoKey::AlgorithmDoesNotFit
    );
    // Some issuers write the sign bit's byte before the modulus, though RFC 7518 §6.3.1.1 says not to.
    let own = key_for("RS256");
    let n = own["n"].as_str().expect("a text");
    let zero = number(&[&[0], &decode(n)[..]].concat());
    let mut padded = own.clone();
    padded["n"] = zero;
    assert!(parse(&[own]).unwrap().same_keys(&parse(&[padded]).unwrap()));
}

fn decode(text: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(text).expect("it is base64url")
}

#[test]
fn one_name_is_one_key_of_a_kind() {
    let others = issuer().jwks();
    let (mut first, mut second) = (key_for("ES256"), others["keys"][0].clone());
    assert_eq!(second["alg"], "ES256");
    (first["kid"], second["kid"]) = ("one".into(), "one".into());
    let keys = parse(&[first.clone(), second.clone()]).unwrap();
    assert_eq!((keys.len(), keys.skipped().len()), (1, 1));
    assert!(
        keys.same_keys(&parse(std::slice::from_ref(&first)).unwrap()),
        "the first one stays"
    );
    let mut other_kind = key_for("RS256");
    other_kind["kid"] = "one".into();
    let keys = parse(&[first, other_kind]).unwrap();
    assert!(keys.find(Some("one"), Es256).is_ok() && keys.find(Some("one"), Rs256).is_ok());
}

#[test]
fn a_document_is_taken_or_refused_as_a_whole() {
    for wrong in [
        "",
        "[]",
        "null",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[]}",
        "{\"keys\":[{}]}",
        "<html>",
        "{\"keys\":[]} x",
    ] {
        assert!(KeySet::from_jwks(wrong.as_bytes()).is_err(), "{wrong}");
    }
    let oct = json!({"kty": "oct"});
    let mut keys = vec![oct; MAX_KEYS - 1];
    keys.push(key_for("ES256"));
    assert_eq!(parse(&keys).unwrap().skipped().len(), MAX_KEYS - 1);
    keys.push(json!({}));
    let error = parse(&keys).unwrap_err().to_string();
    assert!(
        error.contains("1001 keys") && error.contains("at most 1000"),
        "{error}"
    );
}

/// The order of a document, and members that do not matter, are no change; a key, a name or a use is.
#[test]
fn only_what_matters_is_a_change() {
    let (one, two) = (key_for("ES256"), key_for("RS256"));
    let set = parse(&[one.clone(), two.clone()]).unwrap();
    let mut described = one.clone();
    described["x5t"] = "abc".into();
    assert!(set.same_keys(&parse(&[two.clone(), described, json!({})]).unwrap()));
    assert!(!set.same_keys(&parse(std::slice::from_ref(&one)).unwrap()));
    for (member, value) in [("kid", json!("other")), ("alg", json!("RS512"))] {
        let mut other = two.clone();
        other[member] = value;
        assert!(
            !set.same_keys(&parse(&[one.clone(), other]).unwrap()),
            "{member}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_document_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = KeySet::from_jwks(&bytes);
    }

    /// Whatever a member holds, the key is used or passed over, and its neighbour is used.
    #[test]
    fn no_member_spoils_the_neighbour(
        kty in "RSA|EC|OKP|oct|",
        crv in "P-256|P-384|Ed25519|",
        number in "[A-Za-z0-9_=-]{0,90}",
        other in "[A-Za-z0-9_-]{0,400}",
        alg in "RS256|ES256|EdDSA|none|",
    ) {
        let neighbour = json!({
            "kty": "OKP", "crv": "Ed25519", "kid": "neighbour",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let key = json!({"kty": kty, "crv": crv, "alg": alg, "kid": "k", "x": number, "y": number, "n": other, "e": number});
        let keys = parse(&[key, neighbour]).unwrap();
        prop_assert!(keys.has("neighbour"));
        prop_assert_eq!(keys.len() + keys.skipped().len(), 2);
    }
}
