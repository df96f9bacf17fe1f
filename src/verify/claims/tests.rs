use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::{tenant::build::provider_of, verify::json::object};

const NOW: u64 = 1_800_000_000;
const LEEWAY: Duration = Duration::from_secs(30);

#[expect(clippy::needless_pass_by_value, reason = "tests hand over a `json!`")]
fn claims(value: Value) -> Claims<'static> {
    object(&value).into()
}

/// As [`quoted`] is asked: of a claim.
#[expect(clippy::needless_pass_by_value, reason = "likewise")]
fn quote(value: Value) -> String {
    claims(json!({ "it": value }))
        .get("it")
        .map_or_else(String::new, quoted)
}

fn provider(audience: &str) -> std::sync::Arc<ProviderSettings> {
    provider_of(&format!(
        "kind = \"custom\"\nissuer = \"https://sso.example.com\"\naudience = {audience}"
    ))
}

fn in_time(value: Value) -> Result<Option<u64>, Denied> {
    claims(value)
        .in_time(LEEWAY, NOW)
        .map_err(|denial| denial.reason)
}

#[test]
fn the_end_and_the_beginning_have_their_second() {
    assert_eq!(in_time(json!({})), Ok(None));
    assert_eq!(in_time(json!({"exp": NOW + 1})), Ok(Some(NOW + 1)));
    // RFC 7519 §4.1.4: on or after it, the token is not accepted; the leeway moves that second.
    assert_eq!(in_time(json!({"exp": NOW - 29})), Ok(Some(NOW - 29)));
    assert_eq!(in_time(json!({"exp": NOW - 30})), Err(Denied::Expired));
    assert_eq!(
        in_time(json!({"exp": NOW + 1, "nbf": NOW + 30})),
        Ok(Some(NOW + 1))
    );
    assert_eq!(
        in_time(json!({"exp": NOW + 1, "nbf": NOW + 31})),
        Err(Denied::NotYetValid)
    );
    assert_eq!(
        in_time(json!({"exp": 253_402_300_799_u64})),
        Ok(Some(253_402_300_799))
    );
    assert_eq!(
        in_time(json!({"exp": 253_402_300_800_u64})),
        Err(Denied::MalformedToken)
    );
    assert_eq!(in_time(json!({"exp": null})), Ok(None));
    assert_eq!(
        in_time(json!({"exp": NOW + 1, "nbf": "now"})),
        Err(Denied::MalformedToken)
    );
}

/// A claim's whole name comes first: issuers write names like URLs, with dots.
#[test]
fn a_path_is_a_whole_name_or_leads_through_objects() {
    let claims = claims(json!({
        "a.b": "whole", "a": {"b": "inner", "c": {"d": 1}, "x.y": "dotted", "x": {"y": {"z": 2}}},
        "https://example.com/groups": ["staff"],
    }));
    let at = |path: &str| {
        let found = claims.at(path)?;
        Some(serde_json::to_value(found).unwrap())
    };
    assert_eq!(at("a.b"), Some(json!("whole")));
    assert_eq!(at("a.c.d"), Some(json!(1)));
    assert_eq!(at("https://example.com/groups"), Some(json!(["staff"])));
    assert_eq!(at("a.x.y"), Some(json!("dotted")));
    assert_eq!(at("a.x.y.z"), Some(json!(2)));
    for missing in ["", ".", "a.", ".a", "a.x.", "a.c.d.e", "b", "A.b"] {
        assert_eq!(at(missing), None, "{missing:?}");
    }
}

#[test]
fn any_audience_is_any_and_none() {
    let any = provider("\"any\"");
    for value in [
        json!({}),
        json!({"aud": "x"}),
        json!({"aud": []}),
        json!({"aud": 1}),
    ] {
        assert!(claims(value).is_for(&any).is_ok());
    }
}

#[test]
fn a_strangers_value_is_quoted_and_cut_short() {
    assert_eq!(quote(json!("a\nb\u{1b}")), r#""a\nb\u001b""#);
    for value in [
        json!("x".repeat(10_000)),
        json!("é".repeat(10_000)),
        json!(vec!["x"; 1_000]),
    ] {
        assert!(quote(value).len() <= QUOTED + 13);
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0..4_000_000_000_u64).prop_map(Value::from),
        "ours|theirs|\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{1,3}", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

proptest! {
    #[test]
    fn no_time_passes_that_is_over(exp in json_value(), nbf in json_value(), now in any::<u64>()) {
        let claims = claims(json!({"exp": exp, "nbf": nbf}));
        if let Ok(expires) = claims.in_time(LEEWAY, now) {
            #[expect(clippy::cast_precision_loss, reason = "a second more or less at the end of time")]
            let soon = now as f64 + 31.0;
            prop_assert_eq!(expires.is_some(), exp.is_number());
            prop_assert!(exp.is_number() || exp.is_null());
            prop_assert!(expires.is_none_or(|at| at.saturating_add(30) > now));
            prop_assert!(nbf.is_null() || nbf.as_f64().is_some_and(|from| from < soon));
        }
    }

    #[test]
    fn only_our_audience_is_ours(aud in json_value()) {
        let ours = match &aud {
            Value::Array(list) => list.contains(&json!("ours")),
            other => other == "ours",
        };
        let provider = provider("\"ours\"");
        prop_assert_eq!(claims(json!({"aud": aud})).is_for(&provider).is_ok(), ours);
    }

    #[test]
    fn no_value_panics(value in json_value()) {
        let claims = claims(json!({"cnf": value, "typ": value, "token_use": value, "aud": value, "exp": value}));
        prop_assert_eq!(claims.is_not_bound().is_ok(), value.is_null());
        let _ = claims.is_an_access_token();
        let _ = claims.expires();
        let _ = quote(value);
    }
}
