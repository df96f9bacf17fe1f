//! Who a credential proved to be. Only a verifier can make one, so that holding one is the proof.

use std::sync::Arc;

use super::{claims::Claims, json::Json};
use crate::{
    decision::{Denial, Denied},
    tenant::settings::{ProviderSettings, UsernameCase},
};

/// The longest account name, in bytes: what the products' directories keep (255 characters).
const MAX_ACCOUNT: usize = 255;

/// An account, proved.
#[derive(Debug)]
pub struct Principal {
    account: String,
    /// All that the claims list. What is no text there can't name a group.
    groups: Texts,
    provider: Arc<ProviderSettings>,
    method: Method,
}

/// Several texts in one, for the reason that [`crate::upstream::IdentityHeaders`] gives.
#[derive(Debug, Default)]
struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl<'t> FromIterator<&'t str> for Texts {
    fn from_iter<I: IntoIterator<Item = &'t str>>(items: I) -> Self {
        let mut texts = Self::default();
        for item in items {
            texts.all.push_str(item);
            texts.ends.push(texts.all.len());
        }
        texts
    }
}

impl Texts {
    fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|at| {
            let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.all[start..self.ends[at]]
        })
    }
}

/// What proved a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A signature.
    Jwt,
    /// The issuer's answer, with or without a signature before it.
    Introspection,
}

impl Method {
    /// The value of `Postern-Method`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
        }
    }
}

impl Principal {
    /// Only [`super`] calls it, with claims that it has proved.
    pub(super) fn new(
        claims: &Claims<'_>,
        provider: &Arc<ProviderSettings>,
        method: Method,
    ) -> Result<Self, Denial> {
        let groups = claims.at(&provider.groups);
        Ok(Self {
            account: account(claims, provider)?,
            groups: groups.into_iter().flat_map(Json::texts).collect(),
            provider: Arc::clone(provider),
            method,
        })
    }

    /// The account's name, as it is sent to the product.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// All groups that the claims list.
    #[must_use]
    pub fn groups(&self) -> impl ExactSizeIterator<Item = &str> {
        self.groups.iter()
    }

    /// The provider's name within its tenant.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider.name
    }

    /// What proved it.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }
}

/// What the issuer says of the person behind an account (OIDC Core §5.1): shown to the product, never judged.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'c> {
    /// The claim `name`.
    pub name: Option<&'c str>,
    /// The claim `email`, unless the issuer says that it did not verify it.
    pub email: Option<&'c str>,
}

impl<'c> Profile<'c> {
    /// Out of proved claims.
    #[must_use]
    pub fn new(claims: &'c Claims<'_>) -> Self {
        // Longer ones are no names but a burden: each is kept with its token, and sent with each answer.
        let shown = |name| claims.text(name).filter(|text| text.len() <= MAX_ACCOUNT);
        Self {
            name: shown("name"),
            email: shown("email").filter(|_| !email_is_unverified(claims)),
        }
    }
}

/// OIDC Core §5.1: whoever controls the account at the issuer may have typed any address.
fn email_is_unverified(claims: &Claims<'_>) -> bool {
    claims
        .get("email_verified")
        .is_some_and(|verified| *verified != true)
}

/// The claims in which issuers name the client (RFC 9068 §2.2, OIDC Core §2, Okta, Entra ID).
const CLIENT_CLAIMS: &[&str] = &["client_id", "azp", "cid", "appid"];

fn account(claims: &Claims<'_>, provider: &ProviderSettings) -> Result<String, Denial> {
    let claim = &provider.username.0;
    let no_username = |what: &str| {
        let message = format!(
            "the claim {claim:?} {what}; `username` of provider {} says which claim names the account",
            provider.name
        );
        Denial::new(Denied::NoUsername, message)
    };
    let written = match claims.at(&provider.username) {
        None => return Err(no_username("is missing")),
        Some(Json::Text(written)) => &**written,
        Some(_) => return Err(no_username("is not a text")),
    };
    if claim == "email" && email_is_unverified(claims) {
        return Err(no_username(
            "was not verified by the issuer (email_verified)",
        ));
    }
    // RFC 9700 §4.15: whoever may register clients could call one like an account.
    if claim == "sub"
        && CLIENT_CLAIMS
            .iter()
            .any(|client| claims.text(client) == Some(written))
    {
        return Err(no_username("names the client itself, and no user"));
    }
    let name = match provider.username_case {
        UsernameCase::Keep => written.to_owned(),
        UsernameCase::Lower if lower_case_is_unambiguous(written) => written.to_lowercase(),
        UsernameCase::Lower => return Err(no_username("has another name's letters in lower case")),
    };
    if name.is_empty() {
        return Err(no_username("is empty"));
    }
    if name.len() > MAX_ACCOUNT {
        return Err(no_username("is longer than 255 bytes"));
    }
    // A name that two readers could trim differently is two names.
    if name.chars().any(char::is_control) || name.trim() != name {
        return Err(no_username("holds control characters or surrounding space"));
    }
    Ok(name)
}

/// Some letters become ASCII ones in lower case (U+212A, the Kelvin sign, becomes `k`): then two accounts of the
/// issuer would be one.
fn lower_case_is_unambiguous(name: &str) -> bool {
    let becomes_ascii = |letter: char| letter.to_lowercase().any(|lower| lower.is_ascii());
    !name
        .chars()
        .any(|letter| !letter.is_ascii() && becomes_ascii(letter))
}

#[cfg(test)]
mod tests;
