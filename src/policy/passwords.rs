//! Product passwords: whose may pass, and from where. Nothing of a password is ever looked at.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::{
    account::{AccountPattern, fold},
    decision::{Denial, Denied},
    tenant::settings::Otherwise,
};

const KEY: &str = "access.passwords";

/// `passwords` and its exceptions.
#[derive(Debug)]
pub struct Passwords {
    /// What becomes of a product password.
    pub otherwise: Otherwise,
    /// The exception is for callers from these networks; empty is from anywhere.
    pub networks: Vec<IpNet>,
    /// The exception is for these accounts; empty is for any.
    pub accounts: Vec<AccountPattern>,
    /// Accounts whose password passes from anywhere. The name is only the caller's word until the product has judged
    /// the password, so that this overrides `otherwise` and its exceptions and nothing else: networks, `read_only` and
    /// rules bind it, or anybody could walk around a rule by calling himself so.
    pub break_glass: Vec<AccountPattern>,
}

/// Why a password passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// `passwords` says so, or an exception does.
    Ordinary,
    /// Nothing but `break_glass` does, which deserves to be seen.
    BreakGlass,
}

impl Passwords {
    /// Judges a password in `Basic` of the account that the caller names, from `address`.
    ///
    /// # Errors
    /// [`Denied::PasswordNotAllowed`].
    pub fn judge(&self, unverified_user: &[u8], address: Option<IpAddr>) -> Result<Leave, Denial> {
        // A name that is no text is nobody's in particular.
        let name = str::from_utf8(unverified_user).ok().map(fold);
        let named = |patterns: &[AccountPattern]| {
            name.as_ref()
                .is_some_and(|name| patterns.iter().any(|pattern| pattern.matches(name)))
        };
        let is_exception = self.has_exceptions()
            && self.is_from_networks(address)
            && (self.accounts.is_empty() || named(&self.accounts));
        if self.otherwise == Otherwise::Pass || is_exception {
            return Ok(Leave::Ordinary);
        }
        if named(&self.break_glass) {
            return Ok(Leave::BreakGlass);
        }
        Err(Denial::new(
            Denied::PasswordNotAllowed,
            format!(
                "a product password (Basic) was sent, and access.passwords is \"deny\"{}; send a bearer token",
                self.exceptions()
            ),
        )
        .by(KEY))
    }

    /// Judges a call whose body may hold a name and a password. Nobody can see here whose, so that exceptions for
    /// accounts do not apply.
    ///
    /// # Errors
    /// [`Denied::PasswordNotAllowed`].
    pub fn judge_unseen(&self, address: Option<IpAddr>) -> Result<(), Denial> {
        let is_exception =
            self.has_exceptions() && self.accounts.is_empty() && self.is_from_networks(address);
        if self.otherwise == Otherwise::Pass || is_exception {
            return Ok(());
        }
        Err(Denial::new(
            Denied::PasswordNotAllowed,
            format!(
                "the body of such a call may hold a product password, and access.passwords is \"deny\"{}",
                self.exceptions()
            ),
        )
        .by(KEY))
    }

    fn has_exceptions(&self) -> bool {
        !self.networks.is_empty() || !self.accounts.is_empty()
    }

    fn is_from_networks(&self, address: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || address.is_some_and(|address| {
                let address = address.to_canonical();
                self.networks
                    .iter()
                    .any(|network| network.contains(&address))
            })
    }

    fn exceptions(&self) -> &'static str {
        match (self.networks.is_empty(), self.accounts.is_empty()) {
            (true, true) => "",
            (false, true) => " outside of access.password_networks",
            (true, false) => " but for access.password_accounts",
            (false, false) => " but for access.password_accounts from access.password_networks",
        }
    }
}
