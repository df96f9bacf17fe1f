//! The claims of a token, and the judgements that every proof makes of them.

use std::time::Duration;

use super::json::{Json, Object};
use crate::{
    decision::{Denial, Denied},
    tenant::settings::{Audience, ClaimPath, ProviderSettings},
};

/// The last `exp` that is believed: 9999-12-31T23:59:59Z. A later one is a mistake (milliseconds?) or an
/// attempt at an overflow, and means a token that never ends.
const LAST_DATE: f64 = 253_402_300_799.0;

/// Claims. They are as good as what proved them; by themselves they prove nothing.
#[derive(Debug, Clone)]
pub struct Claims<'a>(Object<'a>);

impl<'a> From<Object<'a>> for Claims<'a> {
    fn from(members: Object<'a>) -> Self {
        Self(members)
    }
}

impl<'a> Claims<'a> {
    /// The claim of that name. A null is no claim: some issuers write all members that they know.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Json<'a>> {
        self.0
            .get(name)
            .filter(|value| !matches!(value, Json::Null))
    }

    /// The claim of that name, if it is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Json::as_str)
    }

    /// The value at `path`: a member of that whole name first, since names may hold dots, those of claims as well as
    /// those of Keycloak's clients (`resource_access.jira.example.com.roles`).
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Json<'a>> {
        fn within<'v, 'a>(value: &'v Json<'a>, path: &str) -> Option<&'v Json<'a>> {
            value.get(path).or_else(|| {
                let mut splits = splits(path);
                splits.find_map(|(name, rest)| within(value.get(name)?, rest))
            })
        }
        self.get(path).or_else(|| {
            let mut splits = splits(path);
            splits.find_map(|(name, rest)| within(self.get(name)?, rest))
        })
    }

    /// A NumericDate (RFC 7519 §2) in whole seconds, or a refusal.
    fn date(&self, name: &'static str) -> Result<Option<u64>, Denial> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let seconds = value
            .as_f64()
            .ok_or_else(|| malformed(format!("the claim {name} is not a number")))?;
        if seconds > LAST_DATE {
            return Err(malformed(format!(
                "the claim {name} lies beyond the year 9999"
            )));
        }
        // A fraction is cut off: for `exp` that is the safe side, for `nbf` the leeway covers it.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to LAST_DATE fits"
        )]
        Ok(Some(seconds.max(0.0) as u64))
    }

    /// `exp`, whatever it says.
    ///
    /// # Errors
    /// [`Denied::MalformedToken`], if it is there and no date.
    pub fn expires(&self) -> Result<Option<u64>, Denial> {
        self.date("exp")
    }

    /// `iat`.
    ///
    /// # Errors
    /// [`Denied::MalformedToken`], if it is there and no date.
    pub fn issued(&self) -> Result<Option<u64>, Denial> {
        self.date("iat")
    }

    /// Judges `exp` and `nbf` (RFC 7519 §4.1.4, §4.1.5) and answers with `exp`.
    ///
    /// # Errors
    /// [`Denied::Expired`], [`Denied::NotYetValid`] or [`Denied::MalformedToken`].
    pub fn in_time(&self, leeway: Duration, now: u64) -> Result<Option<u64>, Denial> {
        let expires = self.expires()?;
        if let Some(at) = expires
            && now >= at.saturating_add(leeway.as_secs())
        {
            return Err(Denial::new(
                Denied::Expired,
                format!("the token expired {} s ago", now - at),
            ));
        }
        if let Some(from) = self.date("nbf")?
            && now.saturating_add(leeway.as_secs()) < from
        {
            let message = format!(
                "the token is valid in {} s only; are the clocks right?",
                from - now
            );
            return Err(Denial::new(Denied::NotYetValid, message));
        }
        Ok(expires)
    }

    /// Judges `aud` (RFC 7519 §4.1.3): a text or a list of texts, one of which must be ours.
    ///
    /// # Errors
    /// [`Denied::WrongAudience`].
    pub fn is_for(&self, provider: &ProviderSettings) -> Result<(), Denial> {
        let Audience::OneOf(ours) = &provider.audience else {
            return Ok(());
        };
        let theirs = self.get("aud");
        let is_ours = |text: &str| ours.iter().any(|own| own == text);
        if theirs.is_some_and(|value| value.texts().any(is_ours)) {
            return Ok(());
        }
        let found = theirs.map_or_else(
            || "the token has no audience".to_owned(),
            |value| format!("the audience is {}", quoted(value)),
        );
        let message = format!(
            "{found}; this tenant accepts {} ({})",
            ours.join(", "),
            provider.written_in
        );
        Err(Denial::new(Denied::WrongAudience, message).by("audience"))
    }

    /// Judges who got the token, where `clients` lists who may: the first client claim that is there counts.
    ///
    /// # Errors
    /// [`Denied::WrongAudience`].
    pub fn is_from(&self, provider: &ProviderSettings) -> Result<(), Denial> {
        if provider.clients.is_empty() {
            return Ok(());
        }
        let names = provider.preset.client;
        let client = names.iter().find_map(|name| self.get(name));
        let listed = |client: &str| provider.clients.iter().any(|own| own == client);
        if client.and_then(Json::as_str).is_some_and(listed) {
            return Ok(());
        }
        let found = client.map_or_else(
            || format!("the token names no client ({})", names.join(", ")),
            |client| format!("the token's client is {}", quoted(client)),
        );
        let message = format!(
            "{found}; this tenant accepts {} ({})",
            provider.clients.join(", "),
            provider.written_in
        );
        Err(Denial::new(Denied::WrongAudience, message).by("clients"))
    }

    /// Everything that the token may do, in whichever shape it says so: `scope` (RFC 9068 §2.2.3) or `scp`, one text
    /// with spaces or a list.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        let claims = ["scope", "scp", "scopes"].into_iter();
        let values = claims.filter_map(|name| self.get(name));
        values
            .flat_map(Json::texts)
            .flat_map(str::split_ascii_whitespace)
    }

    /// The first of these paths at which there is something, and what is there.
    #[must_use]
    pub fn first<'p>(&self, paths: &'p [ClaimPath]) -> Option<(&'p ClaimPath, &Json<'a>)> {
        paths
            .iter()
            .find_map(|path| Some((path, self.at(&path.0)?)))
    }

    /// Refuses tokens that prove possession of a key or certificate (RFC 7800, RFC 8705, RFC 9449):
    /// taken as bearer tokens they would lose what protects them.
    ///
    /// # Errors
    /// [`Denied::BoundToken`].
    pub fn is_not_bound(&self) -> Result<(), Denial> {
        match self.get("cnf") {
            None => Ok(()),
            Some(_) => {
                let message = "the token is bound to a key or certificate (cnf), which is not checked here; have unbound tokens issued";
                Err(Denial::new(Denied::BoundToken, message))
            }
        }
    }

    /// Refuses what an authorization server issues for other uses (RFC 8725 §3.12): ID tokens, refresh
    /// tokens, logout tokens and security events, told apart by what only they carry.
    ///
    /// # Errors
    /// [`Denied::WrongTokenKind`].
    pub fn is_an_access_token(&self) -> Result<(), Denial> {
        let wrong = |what: String| {
            Err(Denial::new(
                Denied::WrongTokenKind,
                format!("{what}; send an access token"),
            ))
        };
        // Keycloak writes Bearer, ID, Refresh, Offline, Logout or DPoP here.
        if let Some(kind) = self.get("typ")
            && !kind.as_str().is_some_and(|kind| {
                ["bearer", "jwt", "at+jwt"]
                    .iter()
                    .any(|known| kind.eq_ignore_ascii_case(known))
            })
        {
            return wrong(format!("the claim typ is {}", quoted(kind)));
        }
        // Cognito writes access or id here, Ory Hydra's introspection access_token or refresh_token.
        if let Some(kind) = self.get("token_use")
            && !matches!(kind.as_str(), Some("access" | "access_token"))
        {
            return wrong(format!("the claim token_use is {}", quoted(kind)));
        }
        // Keycloak up to 24 copied the nonce into access tokens, and marks these by the claim typ.
        let says_bearer = self
            .text("typ")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        // OIDC Core §2 and §3.1.3.6, §3.3.2.11; OIDC Back-Channel Logout §2.4; RFC 8417 §2.2.
        for (claim, kind) in [
            ("at_hash", "an ID token"),
            ("c_hash", "an ID token"),
            ("nonce", "an ID token"),
            ("events", "a logout token or security event"),
        ] {
            if self.get(claim).is_some() && !(claim == "nonce" && says_bearer) {
                return wrong(format!("the claim {claim} marks {kind}"));
            }
        }
        Ok(())
    }
}

/// A path's first name and the rest, at each of its dots.
fn splits(path: &str) -> impl Iterator<Item = (&str, &str)> {
    path.match_indices('.')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
}

/// At most this much of a stranger's value is repeated in a message.
const QUOTED: usize = 200;

/// A stranger's value for a message: as JSON and in ASCII, so that it can neither forge a line of a log nor
/// turn one around, and cut short.
#[must_use]
pub fn quoted(value: &Json<'_>) -> String {
    let mut text = String::new();
    for letter in value.to_string().chars() {
        if letter.is_ascii() {
            text.push(letter);
        } else {
            text.extend(letter.escape_unicode());
        }
        if text.len() > QUOTED {
            text.push_str("...");
            break;
        }
    }
    text
}

/// [`quoted`], of a text.
#[must_use]
pub fn quoted_text(text: &str) -> String {
    quoted(&Json::Text(text.into()))
}

fn malformed(message: String) -> Denial {
    Denial::new(Denied::MalformedToken, message)
}

#[cfg(test)]
mod tests;
