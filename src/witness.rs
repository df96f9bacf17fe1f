//! Whom a check tells what it does, step by step: nobody, or somebody who wants it [explained](crate::explain).

use crate::{
    decision::{Outage, Unavailable},
    policy::{path::Place, rules::Matching},
    verify::Principal,
};

/// Watches one check. What is begun last is what a refusal is about.
pub trait Witness {
    /// Whether the check is a real one. One that is only looked at spends nothing and leaves nothing behind: no rates,
    /// failures, last use, pins, remembered tokens or counts.
    const IS_REAL: bool;

    /// The step begins; the one before it has been passed.
    fn begin(&self, step: Step<'_>);

    /// What this step looks at. Never a token, and what was not verified is named so.
    fn found(&self, what: impl FnOnce() -> String);

    /// Somebody is about to be asked: who, and about what.
    ///
    /// # Errors
    /// Where the check is only looked at, for nobody is asked for the sake of that.
    fn may_ask(&self, whom: impl FnOnce() -> String) -> Result<(), Outage>;
}

/// A step of a check, with what its judgement is of.
#[derive(Debug, Clone, Copy)]
pub enum Step<'s> {
    /// `enabled`.
    Enabled,
    /// `access.allow_networks` and `access.deny_networks`.
    Networks,
    /// Whether failures can be counted by address.
    Address,
    /// Which path it is.
    Path,
    /// `access.read_only`.
    ReadOnly(&'s Place<'s>),
    /// Rules that bind everybody.
    RulesForEverybody(&'s Matching<'s>),
    /// Whether its body may hold a password.
    PasswordChannel(&'s Place<'s>),
    /// What was sent.
    Credential,
    /// That the query holds none.
    Query,
    /// `access.public`, `access.open` and those of the product.
    Open,
    /// `access.sessions`.
    Session,
    /// `access.anonymous`.
    Anonymous,
    /// `access.oauth1`.
    ApplicationLink,
    /// `access.product_tokens`.
    ProductToken,
    /// `access.passwords`.
    Password,
    /// `access.pass_schemes`.
    Scheme,
    /// Whether it was proved before.
    Remembered,
    /// Which provider judges it.
    Provider,
    /// The provider at that place has been found: what follows is by its settings.
    Signature(usize),
    /// `exp` and `nbf`.
    Times,
    /// Of which kind and for whom it was issued.
    Audience,
    /// The issuer's word.
    Asking,
    /// Who it is in the product.
    Account,
    /// Whose that account is.
    Pin,
    /// `api_tokens.enabled`, and which one it is.
    ApiToken,
    /// Whether it is alive.
    Alive,
    /// Its own limits.
    Limits,
    /// What the product says of its owner.
    Owner,
    /// `api_tokens.groups`.
    MayHaveTokens(&'s Principal),
    /// `access.never`.
    MayBeNamed(&'s Principal),
    /// `access.allow_groups`.
    Groups(&'s Principal),
    /// `access.token_endpoints`.
    TokenEndpoints(&'s Place<'s>),
    /// `access.rule`.
    Rules(&'s Matching<'s>),
    /// `rate_limit`.
    Rates(&'s Principal),
}

/// Of a real check nobody is told, and it may do all that it needs: nothing is left of it when it is compiled.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Witness for Silent {
    const IS_REAL: bool = true;

    #[inline]
    fn begin(&self, _: Step<'_>) {}

    #[inline]
    fn found(&self, _: impl FnOnce() -> String) {}

    #[inline]
    fn may_ask(&self, _: impl FnOnce() -> String) -> Result<(), Outage> {
        Ok(())
    }
}

/// What a check that is only looked at ends with where somebody would have to be asked. Whoever looks is told that the
/// decision is open, and never this.
#[must_use]
pub fn not_asked(whom: &str) -> Outage {
    Outage::new(
        Unavailable::IssuerUnavailable,
        1,
        format!("not asked: {whom}"),
    )
}
