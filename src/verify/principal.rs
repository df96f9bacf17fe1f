//! Who a credential proved to be. Only a verifier can make one, so that holding one is the proof.

use serde_json::Value;

use super::claims::Claims;
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
    name: Option<String>,
    email: Option<String>,
    groups: Vec<String>,
    provider: String,
    method: Method,
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
        claims: &Claims,
        provider: &ProviderSettings,
        method: Method,
    ) -> Result<Self, Denial> {
        // Longer ones are no names but a burden: each is kept with its token, and sent with each answer.
        let shown = |name| {
            claims
                .text(name)
                .filter(|text| text.len() <= MAX_ACCOUNT)
                .map(str::to_owned)
        };
        Ok(Self {
            account: account(claims, provider)?,
            name: shown("name"),
            email: shown("email").filter(|_| !email_is_unverified(claims)),
            groups: groups(claims.at(&provider.groups)),
            provider: provider.name.clone(),
            method,
        })
    }

    /// The account's name, as it is sent to the product.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The claim `name` (OIDC Core §5.1).
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The claim `email` (OIDC Core §5.1).
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// All groups that the claims list.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The provider's name within its tenant.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// What proved it.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }
}

/// OIDC Core §5.1: whoever controls the account at the issuer may have typed any address.
fn email_is_unverified(claims: &Claims) -> bool {
    claims
        .get("email_verified")
        .is_some_and(|verified| verified != true)
}

/// The claims in which issuers name the client (RFC 9068 §2.2, OIDC Core §2, Okta, Entra ID).
const CLIENT_CLAIMS: &[&str] = &["client_id", "azp", "cid", "appid"];

fn account(claims: &Claims, provider: &ProviderSettings) -> Result<String, Denial> {
    let claim = &provider.username.0;
    let no_username = |what: &str| {
        let message = format!(
            "the claim {claim:?} {what}; `username` of provider {} says which claim names the account",
            provider.name
        );
        Denial::new(Denied::NoUsername, message)
    };
    let name = match claims.at(&provider.username) {
        None => return Err(no_username("is missing")),
        Some(Value::String(name)) => name,
        Some(_) => return Err(no_username("is not a text")),
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
    if claim == "email" && email_is_unverified(claims) {
        return Err(no_username(
            "was not verified by the issuer (email_verified)",
        ));
    }
    // RFC 9700 §4.15: whoever may register clients could call one like an account.
    if claim == "sub"
        && CLIENT_CLAIMS
            .iter()
            .any(|client| claims.text(client) == Some(name))
    {
        return Err(no_username("names the client itself, and no user"));
    }
    match provider.username_case {
        UsernameCase::Keep => Ok(name.clone()),
        UsernameCase::Lower if !lower_case_is_unambiguous(name) => {
            Err(no_username("has another name's letters in lower case"))
        }
        UsernameCase::Lower => Ok(name.to_lowercase()),
    }
}

/// Some letters become ASCII ones in lower case (U+212A, the Kelvin sign, becomes `k`): then two accounts of the
/// issuer would be one.
fn lower_case_is_unambiguous(name: &str) -> bool {
    let becomes_ascii = |letter: char| letter.to_lowercase().any(|lower| lower.is_ascii());
    !name
        .chars()
        .any(|letter| !letter.is_ascii() && becomes_ascii(letter))
}

/// A list of texts, or one text. Anything else in a list is passed over: it can't name a group.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}
