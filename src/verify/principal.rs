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
        let text = |name| claims.text(name).map(str::to_owned);
        Ok(Self {
            account: account(claims, provider)?,
            name: text("name"),
            email: text("email"),
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
        Some(Value::String(name)) => match provider.username_case {
            UsernameCase::Keep => name.clone(),
            UsernameCase::Lower => name.to_lowercase(),
        },
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
    Ok(name)
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

#[cfg(test)]
mod tests;
