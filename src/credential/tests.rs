use proptest::prelude::*;

use super::*;

fn read(value: &str) -> Result<Credential<'_>, Denied> {
    Credential::read(Authorization::One(value.as_bytes())).map_err(|denial| denial.reason)
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
    assert_eq!(read(&format!("{longest}a")), Err(Denied::MalformedToken));
}

#[test]
fn other_schemes_are_told_apart() {
    assert_eq!(read("Basic YTpi"), Ok(Credential::Basic));
    for other in [
        "Negotiate abc",
        "Bearerabc",
        "BearerX abc",
        "OAuth realm=\"\"",
        "",
        " Bearer abc",
        "JWT abc",
    ] {
        assert_eq!(read(other), Ok(Credential::Other), "{other:?}");
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
