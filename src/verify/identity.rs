//! Who a token says that its bearer is: what accounts are pinned to.

use super::{claims::Claims, json::Json};
use crate::{pins::Identity, tenant::settings::ProviderSettings};

/// Out of proved claims. An issuer with several names has the same people under each.
pub fn identity_of(claims: &Claims<'_>, provider: &ProviderSettings) -> Identity {
    let named = claims
        .text("iss")
        .and_then(|issuer| provider.trusted(issuer));
    let trusted = named.or_else(|| provider.issuers.first());
    Identity {
        provider: provider.name.clone(),
        issuer: trusted.map_or_else(String::new, |trusted| trusted.realm.clone()),
        subject: subject_of(claims, provider.preset.subject),
    }
}

/// The first of these claims that names somebody.
fn subject_of(claims: &Claims<'_>, names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| claims.at(name));
    values.into_iter().find_map(|value| match value {
        // RFC 7519 §4.1.2 wants a text, and some introspection endpoints answer with a number of theirs.
        Json::Number(number) => Some(number.to_string()),
        Json::Text(text) if !text.is_empty() => Some(text.clone().into_owned()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::json::Object;

    #[test]
    fn a_subject_is_a_text_or_the_digits_of_a_number() {
        let subject_of = |claims: &str| {
            let claims = Claims::from(Object::read(claims.as_bytes()).unwrap());
            subject_of(&claims, &["sub"])
        };
        for (claims, subject) in [
            (r#"{"sub":"ada"}"#, Some("ada")),
            (r#"{"sub":" Ada "}"#, Some(" Ada ")),
            (r#"{"sub":7}"#, Some("7")),
            (r#"{"sub":"7"}"#, Some("7")),
            (
                r#"{"sub":18446744073709551615}"#,
                Some("18446744073709551615"),
            ),
            (r#"{"sub":""}"#, None),
            (r#"{"sub":null}"#, None),
            (r#"{"sub":["ada"]}"#, None),
            (r#"{"sub":true}"#, None),
            ("{}", None),
        ] {
            assert_eq!(subject_of(claims).as_deref(), subject, "{claims}");
        }
    }
}
