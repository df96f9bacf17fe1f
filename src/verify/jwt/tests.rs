use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::dev::Issuer;

/// A genuine token, and the keys that prove it.
static GENUINE: LazyLock<(String, KeySet)> = LazyLock::new(|| {
    let issuer = Issuer::start().expect("a loopback port is to be had");
    let keys = KeySet::from_jwks(issuer.jwks().to_string().as_bytes()).expect("its own keys");
    (issuer.token().sign(), keys)
});

/// Whether the token proves anything.
fn holds(token: &str) -> bool {
    let mut room = Room::default();
    let Ok(Shape::Jwt(jwt)) = Shape::of(token, &mut room) else {
        return false;
    };
    jwt.algorithm(AlgorithmSet::ALL)
        .is_ok_and(|algorithm| jwt.prove(&GENUINE.1, algorithm, false).is_ok())
}

fn kind(token: &str) -> &'static str {
    match Shape::of(token, &mut Room::default()) {
        Ok(Shape::Jwt(_)) => "jwt",
        Ok(Shape::Opaque) => "opaque",
        Err(denial) if denial.reason == Denied::MalformedToken => "malformed",
        Err(denial) => panic!("{denial}"),
    }
}

fn token(header: &str, claims: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.AAAA", encode(header), encode(claims))
}

/// Whatever has no JOSE header is its issuer's business; whatever has one must be a whole JWT.
#[test]
fn a_token_is_opaque_or_a_whole_jwt() {
    let whole = token(r#"{"alg":"ES256"}"#, "{}");
    assert_eq!(kind(&whole), "jwt");
    for opaque in [
        "abc",
        "a.b",
        "a.b.c",
        "pst_0123.4567",
        "..",
        "ya29.a0AfH6.x",
        "abc==",
    ] {
        assert_eq!(kind(opaque), "opaque", "{opaque:?}");
    }
    assert_eq!(kind(&token("[]", "{}")), "opaque");
    for broken in [
        String::new(),
        "é.é.é".to_owned(),
        "a b".to_owned(),
        "==".to_owned(),
        "=a".to_owned(),
        whole.clone() + "=",
        whole.clone() + ".x",
        whole.replace("AAAA", "A"),
        whole.replace("AAAA", "AB"),
        token(r#"{"alg":"ES256"}"#, "[]"),
        token(r#"{"alg":"ES256","alg":"ES256"}"#, "{}"),
        token(r#"{"alg":"ES256"}"#, r#"{"a":1,"a":1}"#),
        token("{}", "{}"),
        token(r#"{"alg":"dir","enc":"A128GCM"}"#, "{}") + ".a.b",
    ] {
        assert_eq!(kind(&broken), "malformed", "{broken}");
    }
    for member in REFUSED_HEADERS {
        let header = format!(r#"{{"alg":"ES256","{member}":null}}"#);
        assert_eq!(kind(&token(&header, "{}")), "malformed", "{member}");
    }
}

#[test]
fn typ_is_compared_as_a_media_type() {
    let typed = |typ: &str| token(&format!(r#"{{"alg":"ES256","typ":"{typ}"}}"#), "{}");
    let fits =
        |typ: &str, required: Option<&str>| match Shape::of(&typed(typ), &mut Room::default()) {
            Ok(Shape::Jwt(jwt)) => jwt.has_typ(required).is_ok(),
            _ => panic!("it is a JWT"),
        };
    for typ in ["JWT", "at+jwt", "application/AT+JWT"] {
        assert!(fits(typ, None), "{typ}");
    }
    for typ in [
        "",
        "logout+jwt",
        "application/application/at+jwt",
        "x-application/at+jwt",
        "at+jwt ",
    ] {
        assert!(!fits(typ, None), "{typ}");
    }
    assert!(fits("Application/At+Jwt", Some("at+jwt")));
    assert!(!fits("JWT", Some("at+jwt")));
}

#[test]
fn only_the_keys_owner_makes_it_hold() {
    let (genuine, _) = &*GENUINE;
    assert!(holds(genuine));
    assert!(!holds(&token(r#"{"alg":"ES256"}"#, "{}")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_text_panics(text in "\\PC{0,200}", header in "\\PC{0,40}", claims in "\\PC{0,40}") {
        let _ = Shape::of(&text, &mut Room::default());
        let _ = Shape::of(&token(&header, &claims), &mut Room::default());
        let _ = Shape::of(&token(&format!(r#"{{"alg":"ES256","x":"{header}"}}"#), &claims), &mut Room::default());
    }

    /// There is no other spelling of a token that holds.
    #[test]
    fn no_changed_character_holds(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.=~+/-]") {
        let (genuine, _) = &*GENUINE;
        let at = at.index(genuine.len());
        let changed = format!("{}{other}{}", &genuine[..at], &genuine[at + 1..]);
        prop_assert_eq!(holds(&changed), &changed == genuine);
    }

    #[test]
    fn no_inserted_or_missing_character_holds(at in any::<prop::sample::Index>(), other in "[A-Za-z0-9_.=-]{1,4}") {
        let (genuine, _) = &*GENUINE;
        let at = at.index(genuine.len());
        let inserted = format!("{}{other}{}", &genuine[..at], &genuine[at..]);
        let missing = format!("{}{}", &genuine[..at], &genuine[at + 1..]);
        prop_assert!(!holds(&inserted));
        prop_assert!(!holds(&missing));
    }
}
