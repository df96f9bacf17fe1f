//! Who a token says that its bearer is: what accounts are pinned to.

use super::{claims::Claims, json::Json};
use crate::{pins::Identity, tenant::settings::ProviderSettings};

/// Out of proved claims.
pub fn identity_of(claims: &Claims<'_>, provider: &ProviderSettings) -> Identity {
    Identity {
        provider: provider.name.clone(),
        issuer: provider.issuer.clone().unwrap_or_default(),
        subject: subject_of(claims),
    }
}

fn subject_of(claims: &Claims<'_>) -> Option<String> {
    match claims.get("sub") {
        // RFC 7519 §4.1.2 wants a text, and some introspection endpoints answer with a number of theirs.
        Some(Json::Number(number)) => Some(number.to_string()),
        Some(Json::Text(text)) if !text.is_empty() => Some(text.clone().into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::json::Object;

    #[test]
    fn a_subject_is_a_text_or_the_digits_of_a_number() {
        let subject_of = |claims: &str| {
            let claims = Claims::from(Object::read(claims.as_bytes()).unwrap());
            subject_of(&claims)
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
