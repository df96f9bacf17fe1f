//! Who a credential proved to be. Only a verifier can make one, so that holding one is the proof.

use std::{borrow::Cow, sync::Arc};

use super::{
    claims::{Claims, quoted},
    json::Json,
};
use crate::{
    account::fold,
    decision::{Denial, Denied},
    provider::preset::is_marked,
    tenant::settings::{MapRule, ProviderSettings, Settings, UsernameCase},
};

/// The longest account name, in bytes: what the products' directories keep (255 characters).
const MAX_ACCOUNT: usize = 255;

/// An account, proved.
#[derive(Debug)]
pub struct Principal {
    /// The account and all groups that the claims list, each with [`END`] behind it: one text, for the reason that
    /// [`crate::upstream::IdentityHeaders`] gives.
    names: Box<str>,
    /// Where the account ends.
    account: usize,
    /// With a space between them.
    scopes: Box<str>,
    is_machine: bool,
    groups_unknown: Option<&'static str>,
    /// `None` for a token of Postern's own.
    provider: Option<Arc<ProviderSettings>>,
    method: Method,
}

/// Ends a name. No account holds it, and no group that a tenant file could mean.
const END: char = '\0';

/// What proved a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A signature.
    Jwt,
    /// The issuer's answer, with or without a signature before it.
    Introspection,
    /// The issuer's word of who the user is.
    Userinfo,
    /// Our own word, given when the token was issued.
    ApiToken,
}

impl Method {
    /// The value of `Postern-Method`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Jwt => "jwt",
            Self::Introspection => "introspection",
            Self::Userinfo => "userinfo",
            Self::ApiToken => "api-token",
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
        let marks = match method {
            Method::Jwt => provider.preset.machine,
            Method::Introspection | Method::Userinfo | Method::ApiToken => {
                provider.preset.machine_answers
            }
        };
        let is_machine = is_marked(claims, marks);
        let account = if is_machine {
            if is_marked(claims, provider.preset.person) {
                let message = format!(
                    "the token's subject is its client's own id, and yet it is a person's (auth_time, sid or email); it may be either ({})",
                    provider.written_in
                );
                return Err(Denial::new(Denied::NoUsername, message));
            }
            machine(claims, provider)?
        } else {
            account(claims, provider)?
        };
        let groups = provider.groups.iter().filter_map(|path| claims.at(&path.0));
        let groups = groups.flat_map(Json::texts);
        // What is no text can't name a group, nor does a text with a control character that ends others.
        let groups = groups.filter(|group| !group.contains(END));
        Ok(Self {
            names: names(&account, groups),
            account: account.len(),
            scopes: claims.scopes().collect::<Vec<_>>().join(" ").into(),
            is_machine,
            groups_unknown: (provider.preset.groups_unknown)(claims),
            provider: Some(Arc::clone(provider)),
            method,
        })
    }

    /// Only [`super`] calls it, for a token of ours that it has proved. `groups` are what the product says, or why it was
    /// not asked; `grants` are the scopes that it was issued with. A token for a machine's account is an administrator's
    /// doing.
    pub(super) fn of_api_token(
        owner: &str,
        groups: Result<&[String], &'static str>,
        grants: &[String],
        is_machine: bool,
    ) -> Self {
        let listed = groups.unwrap_or_default().iter().map(String::as_str);
        Self {
            names: names(owner, listed.filter(|group| !group.contains(END))),
            account: owner.len(),
            scopes: grants.join(" ").into(),
            is_machine,
            groups_unknown: groups.err(),
            provider: None,
            method: Method::ApiToken,
        }
    }

    /// Judges accounts that nobody becomes, and those that only machines do. Before an account is pinned to anybody, and
    /// on every request.
    ///
    /// # Errors
    /// [`Denied::AccountProtected`].
    pub fn may_be_named(&self, settings: &Settings) -> Result<(), Denial> {
        let never = &settings.access.never;
        if never.is_empty() && settings.service_accounts.is_empty() {
            return Ok(());
        }
        let (folded, shown) = (fold(self.account()), self.account().escape_debug());
        let why = if never.iter().any(|pattern| pattern.matches(&folded)) {
            let why = format!("nobody becomes {shown}: access.never lists it");
            return Err(Denial::new(Denied::AccountProtected, why).by("access.never"));
        } else if !self.is_machine && settings.service_accounts.contains(&folded) {
            format!(
                "{shown} is the account of a machine (service_accounts), and the token is a user's"
            )
        } else {
            return Ok(());
        };
        Err(Denial::new(Denied::AccountProtected, why))
    }

    /// The account's name, as it is sent to the product.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.names[..self.account]
    }

    /// Whether it is the account of a machine: a client that got the token for itself.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        self.is_machine
    }

    /// Why it may be in groups that the claims don't list, if they don't list all.
    #[must_use]
    pub fn groups_unknown(&self) -> Option<&'static str> {
        self.groups_unknown
    }

    /// All groups that the claims list.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.names[self.account + END.len_utf8()..].split_terminator(END)
    }

    /// What the credential may be used for (RFC 6749 §3.3).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split_ascii_whitespace()
    }

    /// The provider's name within its tenant; empty for a token of Postern's own.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.provider.as_ref().map_or("", |provider| &provider.name)
    }

    /// What proved it.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }
}

/// The account and the groups in one text.
fn names<'n>(account: &'n str, groups: impl Iterator<Item = &'n str>) -> Box<str> {
    let mut all = String::with_capacity(128);
    for name in std::iter::once(account).chain(groups) {
        all.push_str(name);
        all.push(END);
    }
    all.as_str().into()
}

/// What the issuer says of the person behind an account (OIDC Core §5.1): shown to the product, never judged.
#[derive(Debug, Clone, Copy, Default)]
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
fn email_is_verified(claims: &Claims<'_>) -> bool {
    claims
        .get("email_verified")
        .is_some_and(|verified| *verified == true)
}

/// Where the issuer does not say anything about it, the address may be shown, which is less than to be named by it.
fn email_is_unverified(claims: &Claims<'_>) -> bool {
    claims.get("email_verified").is_some() && !email_is_verified(claims)
}

/// The account of a client that got the token for itself: what the file says, and nothing that the token says.
fn machine<'p>(
    claims: &Claims<'_>,
    provider: &'p ProviderSettings,
) -> Result<Cow<'p, str>, Denial> {
    let listed = &provider.mapping.service_accounts;
    let client = |name: &&str| claims.at(name)?.as_str();
    let names = provider.preset.client;
    if let Some(account) = names
        .iter()
        .filter_map(client)
        .find_map(|id| listed.get(id))
    {
        return Ok(Cow::Borrowed(account));
    }
    let found = names.iter().find_map(client).unwrap_or_default();
    let message = format!(
        "the client {} got the token for itself, so that it names no user; service_accounts says which account such a client is ({})",
        quoted(&found.into()),
        provider.written_in
    );
    Err(Denial::new(Denied::NoUsername, message).by("service_accounts"))
}

fn account<'c>(
    claims: &'c Claims<'_>,
    provider: &ProviderSettings,
) -> Result<Cow<'c, str>, Denial> {
    let mapping = &provider.mapping;
    let found = claims.first(&mapping.username);
    let claim = || match found {
        Some((path, _)) => path.0.clone(),
        None => {
            let names: Vec<_> = mapping.username.iter().map(|path| &*path.0).collect();
            names.join(" or ")
        }
    };
    let no_username = |what: &str| {
        let message = format!(
            "the claim {:?} {what}; `username` says which claim names the account ({})",
            claim(),
            provider.written_in
        );
        Denial::new(Denied::NoUsername, message).by("username")
    };
    let written = match found {
        None => return Err(no_username("is missing")),
        Some((_, Json::Text(written))) => &**written,
        Some(_) => return Err(no_username("is not a text")),
    };
    let by_email = found.is_some_and(|(path, _)| path.0.rsplit('.').next() == Some("email"));
    if by_email && !provider.preset.vouches_for_email && !email_is_verified(claims) {
        return Err(no_username(
            "was not verified by the issuer (email_verified)",
        ));
    }
    let mapped = map(written, &mapping.map)
        .ok_or_else(|| no_username("is matched by no rule of username_map").by("username_map"))?;
    // Before its letters are made small: accounts are compared so, here and by the products.
    check_account_name(&mapped).map_err(no_username)?;
    let name = match mapping.case {
        UsernameCase::Keep => mapped,
        UsernameCase::Lower => mapped.to_lowercase().into(),
    };
    // Again: some letters are longer when they are small.
    check_account_name(&name).map_err(no_username)?;
    if let Some(accounts) = &mapping.accounts {
        let folded = fold(&name);
        if !accounts.iter().any(|pattern| pattern.matches(&folded)) {
            let message = format!(
                "this provider may not name the account {}; `accounts` lists {} ({})",
                quoted(&(&*name).into()),
                accounts
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join(", "),
                provider.written_in
            );
            return Err(Denial::new(Denied::AccountProtected, message).by("accounts"));
        }
    }
    Ok(name)
}

/// Whether an account can have that name.
///
/// # Errors
/// What the name is or does that none may.
pub fn check_account_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.len() > MAX_ACCOUNT {
        return Err("is longer than 255 bytes");
    }
    // A name that two readers could trim differently is two names.
    if name.chars().any(is_unseen) || name.trim() != name {
        return Err("holds control characters, unseen ones, or surrounding space");
    }
    if !lower_case_is_unambiguous(name) {
        return Err("has another name's letters in lower case");
    }
    Ok(())
}

/// What the first rule that matches makes of a name; without rules, the name.
fn map<'w>(written: &'w str, rules: &[MapRule]) -> Option<Cow<'w, str>> {
    if rules.is_empty() {
        return Some(Cow::Borrowed(written));
    }
    // The regular expression takes time in proportion to it, and no account is as long.
    if written.len() > 4 * MAX_ACCOUNT {
        return None;
    }
    rules.iter().find_map(|rule| {
        let captures = rule.pattern.captures(written)?;
        let mut name = String::new();
        captures.expand(&rule.to, &mut name);
        Some(Cow::Owned(name))
    })
}

/// Control characters, and those that are not seen: two names that look alike are one to whoever reads them.
#[must_use]
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
