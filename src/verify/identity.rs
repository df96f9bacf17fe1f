//! Who a token says that its bearer is: what accounts are pinned to.

use super::claims::Claims;
use crate::{pins::Identity, tenant::settings::ProviderSettings};

/// Out of proved claims. An issuer with several names has the same people under each.
pub fn identity_of(claims: &Claims<'_>, provider: &ProviderSettings) -> Identity {
    let named = claims
        .text("iss")
        .and_then(|issuer| provider.trusted(issuer));
    let trusted = named.or_else(|| provider.issuers.first());
    Identity {
        provider: provider.name.clone(),
        issuer: match (trusted, &provider.asking) {
            (Some(trusted), _) => trusted.realm.clone(),
            // Two servers of one kind number their users alike.
            (None, Some(asking)) => asking.endpoint().origin().ascii_serialization(),
            (None, None) => String::new(),
        },
        subject: provider.preset.subject_of(claims),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{provider::Kind, verify::json::Object};

    #[test]
    fn a_subject_is_a_text_or_the_digits_of_a_number() {
        let subject_of = |claims: &str| {
            let claims = Claims::from(Object::read(claims.as_bytes()).unwrap());
            Kind::Custom.preset().subject_of(&claims)
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
