use base64::{Engine as _, prelude::BASE64_STANDARD};
use proptest::prelude::*;

use super::*;

fn read(value: &str) -> Result<Credential<'_>, Denied> {
    Credential::read(Authorization::One(value.as_bytes())).map_err(|denial| denial.reason)
}

fn basic(text: impl AsRef<[u8]>) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

fn token(value: &[u8]) -> Result<&str, Denied> {
    match Credential::read(Authorization::One(value)) {
        Ok(Credential::Bearer(presented)) => presented.text(),
        Ok(other) => panic!("{other:?}"),
        Err(denial) => Err(denial),
    }
    .map_err(|denial| denial.reason)
    .and_then(|text| {
        is_b64token(text)
            .then_some(text)
            .ok_or(Denied::MalformedToken)
    })
}

#[test]
fn one_space_and_one_token() {
    assert_eq!(token(b"Bearer abc.def-_~+/=="), Ok("abc.def-_~+/=="));
    assert_eq!(token(b"bEARER abc"), Ok("abc"));
    for wrong in [
        "Bearer",
        "Bearer ",
        "Bearer  abc",
        "Bearer\tabc",
        "Bearer abc def",
        "Bearer abc,",
        "Bearer =abc",
        "Bearer ==",
        "Bearer a=b",
        "Bearer \u{e4}",
    ] {
        assert_eq!(
            token(wrong.as_bytes()),
            Err(Denied::MalformedToken),
            "{wrong:?}"
        );
    }
}

#[test]
fn the_longest_token_is_sixteen_kibibytes() {
    let longest = format!("Bearer {}", "a".repeat(MAX_TOKEN));
    assert!(matches!(read(&longest), Ok(Credential::Bearer(_))));
    assert_eq!(
        read(&format!("{longest}a")).unwrap_err(),
        Denied::MalformedToken
    );
}

#[test]
fn other_schemes_are_told_apart() {
    for other in [
        "Negotiate abc",
        "Bearerabc",
        "BearerX abc",
        "OAuth realm=\"\"",
        "",
        " Bearer abc",
        "JWT abc",
    ] {
        assert!(
            matches!(read(other), Ok(Credential::Other(_) | Credential::OAuth(_))),
            "{other:?}"
        );
    }
}

#[test]
fn basic_is_a_name_a_colon_and_a_password() {
    for (text, user, password) in [
        ("ada:secret", "ada", "secret"),
        ("ada:se:cret", "ada", "se:cret"),
        ("zoë:", "zoë", ""),
        (":", "", ""),
    ] {
        let value = basic(text);
        let Ok(Credential::Basic(found)) = read(&value) else {
            panic!("{text}");
        };
        assert_eq!(found.user(), user.as_bytes());
        assert_eq!(found.password(), password.as_bytes());
    }
    let long = basic("a".repeat(20_000));
    for wrong in [
        "Basic",
        "Basic ",
        "Basic\tYTpi",
        "Basic  YTpi",
        "Basic YTpi ",
        "Basic YTpi,",
        "Basic YTp",
        "Basic YTpj=",
        "Basic YW8=",
        "Basic YTo!",
        &basic("a:b\n"),
        &basic("a\0:b"),
        &long,
    ] {
        assert_eq!(read(wrong).unwrap_err(), Denied::MalformedToken, "{wrong}");
    }
}

/// What starts like a token of ours is one, right or wrong, and never a password.
#[test]
fn an_api_token_is_found_wherever_it_stands() {
    for (value, user) in [
        ("Bearer pst_x".to_owned(), None),
        ("Bearer PST_x".into(), None),
        (basic("ada:pst_x"), Some("ada")),
        (basic("x-token-auth:pst_x"), None),
        (basic(":pst_x"), None),
        (basic("pst_x:"), None),
        (basic("ada: \"Pst_x\""), Some("ada")),
        (basic("ada:pst_"), Some("ada")),
    ] {
        let Ok(Credential::ApiToken(found)) = read(&value) else {
            panic!("{value}");
        };
        assert_eq!(found.unverified_user(), user.map(str::as_bytes), "{value}");
        let text = found.text().to_ascii_lowercase();
        assert!(String::from_utf8(text).unwrap().contains("pst_"));
    }
    let pasted = basic("ada:Bearer pst_0123456789ab_x");
    assert!(matches!(read(&pasted), Ok(Credential::ApiToken(_))));
    for neither in [
        "ada:pst",
        "ada:xpst_x",
        "pst:pst",
        "ada:xpst_0123456789ab-x",
    ] {
        assert!(matches!(read(&basic(neither)), Ok(Credential::Basic(_))));
    }
    for twice in ["pst_x:pst_x", "pst_x:secret"] {
        assert_eq!(read(&basic(twice)).unwrap_err(), Denied::MalformedToken);
    }
}

proptest! {
    #[test]
    fn whatever_is_a_bearer_token_has_its_alphabet(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let value = [b"Bearer ".as_slice(), &bytes].concat();
        if let Ok(token) = token(&value) {
            prop_assert_eq!(token.as_bytes(), &bytes[..]);
            prop_assert!(token.trim_end_matches('=').bytes().all(is_b64token_char));
        }
        let _ = Credential::read(Authorization::One(&bytes));
    }
}
