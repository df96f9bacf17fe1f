//! How much and how often: what calls spend, and what forged credentials cost.
//!
//! A rate is spent last, when everything else has said yes, by calls that proved an account. Other calls (a session, a
//! page, what is public) spend nothing, not even the tenant's rate: whoever has no credential could otherwise use it up
//! for all who have one.

mod limit;
mod rate;

use std::{net::IpAddr, sync::Arc};

use governor::{clock::MonotonicClock, state::StateStore};
use ipnet::IpNet;

pub use rate::{InvalidRate, MOST, Rate};

use crate::{
    account::fold,
    api_tokens::TokenId,
    decision::{Denial, Denied, No},
    policy,
    request::Request,
    tenant::settings::RateLimits,
    verify::{Principal, TokenDigest},
    witness::{Step, Witness},
};
use limit::{Keyed, Limit, Single, Taking};

/// What tells tokens apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TokenKey {
    /// A provider's token: it is no other.
    Bearer(TokenDigest),
    /// One of our own: it stays the same one when its secret is rotated.
    ApiToken(TokenId),
}

/// The buckets of one tenant, shared by its snapshots, so that reading its file anew fills none of them. Where a rate
/// is not set there is nothing.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    per_token: Option<Arc<Limit<Keyed<TokenKey>>>>,
    per_user: Option<Arc<Limit<Keyed<String>>>>,
    per_tenant: Option<Arc<Limit<Single>>>,
    failures_per_address: Option<Arc<Limit<Keyed<IpNet>>>>,
}

impl Rates {
    /// Those of the next snapshot: the same buckets wherever the rate is the same, and full ones where it is another.
    #[must_use]
    pub fn next(&self, limits: &RateLimits) -> Self {
        Self {
            per_token: next(self.per_token.as_ref(), limits.per_token),
            per_user: next(self.per_user.as_ref(), limits.per_user),
            per_tenant: next(self.per_tenant.as_ref(), limits.per_tenant),
            failures_per_address: next(
                self.failures_per_address.as_ref(),
                limits.failures_per_address,
            ),
        }
    }

    /// Spends what a call costs; or, where the check is only looked at, judges whether it could.
    ///
    /// # Errors
    /// [`Denied::RateLimited`].
    pub fn spend<W: Witness>(
        &self,
        token: &TokenKey,
        principal: &Principal,
        witness: &W,
    ) -> Result<(), Denial> {
        witness.begin(Step::Rates(principal));
        let taking = taking::<W>();
        let refused = |key: &str, rate: Rate, whose: &str, used_up| {
            let message = format!("{whose} has used up rate_limit.{key} ({rate})");
            let key = format!("rate_limit.{key}");
            Denial::used_up(Denied::RateLimited, used_up, message).by(key)
        };
        let account = || principal.account().escape_debug();
        // From the narrowest to the widest: what is refused at one takes nothing from those behind it, so that no
        // token can use up its user's rate, and no user the tenant's, by calls that are refused.
        if let Some(limit) = &self.per_token {
            limit.spend(token.clone(), taking).map_err(|used_up| {
                let whose = format!("a token of {}", account());
                refused("per_token", limit.rate(), &whose, used_up)
            })?;
        }
        if let Some(limit) = &self.per_user {
            let spent = limit.spend(fold(principal.account()), taking);
            spent.map_err(|used_up| {
                refused("per_user", limit.rate(), &account().to_string(), used_up)
            })?;
        }
        if let Some(limit) = &self.per_tenant {
            let spent = limit.spend_only(taking);
            spent.map_err(|used_up| refused("per_tenant", limit.rate(), "the tenant", used_up))?;
        }
        Ok(())
    }

    /// What becomes of a no: one to a forged or unknown credential is counted for the address that it came from, and is
    /// another no once there were too many. A yes is never asked about, so that whoever has a good credential passes
    /// beside a bad script at the same address.
    #[must_use]
    pub fn count_failure<W: Witness>(&self, no: No, address: Option<IpAddr>, _: &W) -> No {
        match (no, &self.failures_per_address, address) {
            (No::Denied(failure), Some(limit), Some(address))
                if is_forged_or_unknown(failure.reason) =>
            {
                let source = source(address);
                let Err(used_up) = limit.spend(source, taking::<W>()) else {
                    return failure.into();
                };
                let message = format!(
                    "{source} has used up rate_limit.failures_per_address ({}); this failure is {}: {failure}",
                    limit.rate(),
                    failure.reason
                );
                Denial::used_up(Denied::TooManyFailures, used_up, message)
                    .by("rate_limit.failures_per_address")
                    .into()
            }
            (no, ..) => no,
        }
    }
}

fn taking<W: Witness>() -> Taking {
    if W::IS_REAL {
        Taking::Take
    } else {
        Taking::Look
    }
}

fn next<S>(before: Option<&Arc<Limit<S>>>, rate: Option<Rate>) -> Option<Arc<Limit<S>>>
where
    S: StateStore + Default,
{
    let rate = rate?;
    let same = before.filter(|limit| limit.rate() == rate);
    Some(same.map_or_else(|| Arc::new(Limit::new(rate, MonotonicClock)), Arc::clone))
}

/// Refuses what could not be counted.
///
/// # Errors
/// [`Denied::BadCheckRequest`] where failures are counted by address and the proxy sent none.
pub fn address_is_known(limits: &RateLimits, request: &Request<'_>) -> Result<(), Denial> {
    if limits.failures_per_address.is_some() {
        policy::address(request)?;
    }
    Ok(())
}

/// Whose failure it is: an address of IPv4, and the /64 of one of IPv6, out of which its owner has as many as he likes
/// (RFC 6177, RFC 8981).
fn source(address: IpAddr) -> IpNet {
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    IpNet::new(address, prefix)
        .expect("no prefix is longer than its address")
        .trunc()
}

/// Whether somebody presented what nobody issued, as a forger or guesser does and no honest client of ours.
fn is_forged_or_unknown(reason: Denied) -> bool {
    match reason {
        // No issuer of ours makes such a thing, or none knows it.
        Denied::MalformedToken
        | Denied::UnknownIssuer
        | Denied::UnknownKey
        | Denied::BadSignature
        | Denied::AlgorithmNotAllowed => true,
        // An issuer that is asked says the same of a token that it never issued, so that it is the only trace of
        // guessing, and of one that it revoked or that ran out. Of our own tokens it is what nobody issued.
        Denied::Inactive => true,
        // What runs out on honest clients, who then fetch another.
        Denied::Expired | Denied::NotYetValid | Denied::Revoked => false,
        // A good token at the wrong place: somebody set something up wrongly. A forger who claims as much fails here
        // without having tried anything.
        Denied::WrongAudience
        | Denied::TokenForGraph
        | Denied::WrongTokenKind
        | Denied::BoundToken
        | Denied::NotOwner => false,
        // Nothing was presented that we could know: the product's passwords and other schemes are not ours to judge.
        Denied::PasswordNotAllowed | Denied::UnsupportedScheme | Denied::NoCredential => false,
        // The credential was good, and its bearer may not.
        Denied::NoUsername
        | Denied::AccountUnknown
        | Denied::AccountInactive
        | Denied::AccountProtected
        | Denied::AccountChanged
        | Denied::InsufficientScope
        | Denied::NotInGroup
        | Denied::TokenEndpoint => false,
        // Nobody looked at the credential, or it was good and did not matter.
        Denied::RuleDenied => false,
        // Nobody looked at the credential.
        Denied::BadCheckRequest
        | Denied::AmbiguousPath
        | Denied::CredentialInQuery
        | Denied::TenantUnknown
        | Denied::TenantDisabled
        | Denied::NotThisTenant
        | Denied::ReadOnly
        | Denied::AddressNotAllowed => false,
        // The consequence of too much is not the cause of more.
        Denied::RateLimited | Denied::TooManyFailures => false,
    }
}

#[cfg(test)]
mod tests;
