use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{tenant::build::provider_of, verify::json::object};

fn provider(username_case: UsernameCase) -> Arc<ProviderSettings> {
    let case = match username_case {
        UsernameCase::Keep => "keep",
        UsernameCase::Lower => "lower",
    };
    provider_of(&format!(
        "kind = \"custom\"\nissuer = \"https://sso.example.com\"\naudience = \"a\"\nusername_case = \"{case}\""
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "tests hand over a `json!`")]
fn principal(claims: Value, case: UsernameCase) -> Result<Principal, Denial> {
    Principal::new(&object(&claims).into(), &provider(case), Method::Jwt)
}

#[test]
fn names_are_sent_as_the_file_says() {
    let name = |case| {
        let ada = principal(json!({"sub": "Ada ÉMILE"}), case).unwrap();
        ada.account().to_owned()
    };
    assert_eq!(name(UsernameCase::Keep), "Ada ÉMILE");
    assert_eq!(name(UsernameCase::Lower), "ada émile");
}

/// `Ⱥ` is two bytes and its small letter three: what is sent is what must fit.
#[test]
fn a_name_is_measured_as_it_is_sent() {
    let long = json!({"sub": "Ⱥ".repeat(100)});
    assert!(principal(long.clone(), UsernameCase::Keep).is_ok());
    let denial = principal(long, UsernameCase::Lower).unwrap_err();
    assert_eq!(denial.reason, Denied::NoUsername);
}

#[test]
fn groups_are_texts() {
    let groups = |claim: Value| {
        let claims = json!({"sub": "ada", "groups": claim});
        let ada = principal(claims, UsernameCase::Keep).unwrap();
        ada.groups().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(groups(json!(["a", 1, null, ["b"], "c,d"])), ["a", "c,d"]);
    assert_eq!(groups(json!("one, two")), ["one, two"]);
    for nothing in [json!(null), json!(1), json!({"a": true}), json!([])] {
        assert!(groups(nothing).is_empty());
    }
}

proptest! {
    #[test]
    fn a_name_is_plain_or_refused(name in any::<String>(), letter in any::<char>(), count in 0..300_usize) {
        for name in [name, letter.to_string().repeat(count)] {
            for case in [UsernameCase::Keep, UsernameCase::Lower] {
                if let Ok(principal) = principal(json!({"sub": name}), case) {
                    let account = principal.account();
                    prop_assert!(!account.is_empty() && account.len() <= 255);
                    prop_assert_eq!(account.trim(), account);
                    prop_assert!(!account.chars().any(char::is_control));
                }
            }
        }
    }
}
