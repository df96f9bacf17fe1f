//! Who asks for a token: judged as a check is, and then asked more of.
//!
//! The judgement is [`check`]'s own, of a call to [`RESOURCE`] of the product. So networks, groups, pins, rates and rules
//! bind whoever asks for a token as they bind whoever calls the API: a rule about `/rest/**` is one about this as well,
//! and who may not call the API gets no token that could.

use std::{net::IpAddr, sync::Arc};

use super::answer::Refusal;
use crate::{
    account::fold,
    api_tokens::{Owner, Refused, Scope, Wanted},
    audit::Origin,
    check::{Found, check},
    clock,
    credential::Credential,
    decision::{Decision, Denial, Denied},
    request::Request,
    tenant::Tenant,
    verify::{Principal, Verified},
};

/// The path that a call is judged under, below the tenant's context path: where an app of the product would have it.
/// Rules may name it.
const RESOURCE: &str = "/rest/postern/self/tokens";

/// A person, proved by a provider.
#[derive(Debug)]
pub struct Caller<'t> {
    tenant: &'t Tenant,
    proof: Arc<Verified>,
    address: Option<IpAddr>,
}

impl<'t> Caller<'t> {
    /// Judges who calls. What a token of that `scope` could do, its owner must be allowed to do: to have one that writes
    /// is judged as a POST, and anything else as a GET, since it changes nothing in the product.
    pub async fn judge(
        tenant: &'t Tenant,
        request: Request<'_>,
        query: Option<&str>,
        scope: Scope,
    ) -> Result<Self, Refusal> {
        is_a_providers(&request).map_err(Refusal::Told)?;
        let context = &tenant.settings.context_path;
        let query = query.unwrap_or_default();
        let target = format!("{context}{RESOURCE}?{query}");
        let mut request = request;
        request.target = target.as_bytes();
        request.method = match scope {
            Scope::Read => "GET",
            Scope::Write => "POST",
        };
        let decision = check(tenant, &request, clock::now(), &mut Found::default()).await;
        tenant.decisions.count(&decision, false);
        let Decision::Allow(grant) = decision else {
            return Err(decision.into());
        };
        // Some calls pass without a proof, wherever the product decides about them. Nothing decides here but this.
        let Some(proof) = grant.into_proof() else {
            let message = "no provider of this tenant vouches for what was sent";
            return Err(Refusal::Told(Denial::new(Denied::UnknownIssuer, message)));
        };
        if proof.principal().is_machine() {
            return Err(forbidden(
                "the token is a machine's, and machines get their API tokens from an administrator",
            ));
        }
        if !query.is_empty() {
            return Err(Refused::Invalid("no query is known here".into()).into());
        }
        Ok(Self {
            tenant,
            proof,
            address: request.address,
        })
    }

    /// The account, as its provider names it.
    pub fn account(&self) -> &str {
        self.proof.principal().account()
    }

    /// Whose tokens these are.
    pub fn owner(&self) -> Owner {
        Owner::new(self.tenant.settings.id.clone(), self.account())
    }

    /// For the audit log.
    pub fn origin(&self) -> Origin {
        let unknown = || "unknown: the proxy sent no X-Forwarded-For".into();
        Origin {
            by: format!("{} ({})", self.account(), self.proof.principal().provider()),
            from: self
                .address
                .map_or_else(unknown, |address| address.to_string()),
        }
    }

    /// Whether a token is for the caller alone, with none of the OAuth scopes that the caller lacks. Networks and paths need
    /// no look: a token is judged by the whole policy wherever it is used, and they take away from that.
    pub fn may_have(&self, wanted: &Wanted) -> Result<(), Refusal> {
        let owner = wanted.owner.as_deref();
        if owner.is_some_and(|owner| fold(owner) != fold(self.account())) {
            return Err(forbidden(
                "a token is to be had for your own account only; leave owner out",
            ));
        }
        let scopes: Vec<_> = self.proof.principal().scopes().collect();
        let wider = |grant: &&String| !scopes.contains(&grant.as_str());
        if let Some(grant) = wanted.grants.iter().find(wider) {
            return Err(forbidden(&format!(
                "the token that you sent has not the scope {grant:?}, so that no API token with it is to be had; it has {}",
                match scopes.as_slice() {
                    [] => "none".into(),
                    scopes => scopes.join(" "),
                }
            )));
        }
        Ok(())
    }

    /// Whether every rule that keeps the caller from something keeps the bearer of the API token from it too. What is
    /// known of them differs: a token has no provider, its groups are the product's, and its scopes those that it was
    /// issued with.
    pub fn is_no_narrower_than(&self, bearer: &Principal) -> Result<(), Refusal> {
        let rules = &self.tenant.settings.access.rules;
        let Some(rule) = rules.kept_by_one_alone(self.proof.principal(), bearer) else {
            return Ok(());
        };
        let key = &rule.key;
        let by_scopes = rule.providers.is_empty() && rule.groups.is_empty();
        Err(forbidden(&if by_scopes {
            format!(
                "{key} denies calls by what you sent for its scopes, and must deny them to the API token; write these as grants: {}",
                rule.scopes.join(" ")
            )
        } else {
            format!(
                "{key} keeps you from calls that it would let an API token of yours make; an administrator issues yours"
            )
        }))
    }
}

/// Refuses all that is no bearer token of a provider, before anything is proved of it: whether an API token or a password
/// is right is nobody's business here.
fn is_a_providers(request: &Request<'_>) -> Result<(), Denial> {
    let (reason, message) = match Credential::read(request.authorization)? {
        Credential::Bearer(_) => return Ok(()),
        Credential::ApiToken(_) => (
            Denied::WrongTokenKind,
            "an API token can't be used to manage API tokens; send an access token of your provider",
        ),
        Credential::Basic(_) => (
            Denied::PasswordNotAllowed,
            "a name and a password are not taken here; send an access token of your provider as Authorization: Bearer",
        ),
        Credential::OAuth(_) | Credential::Other(_) => (
            Denied::UnsupportedScheme,
            "send an access token of your provider as Authorization: Bearer",
        ),
        Credential::None => (
            Denied::NoCredential,
            "send an access token of your provider as Authorization: Bearer; a session is not enough",
        ),
    };
    Err(Denial::new(reason, message))
}

fn forbidden(message: &str) -> Refusal {
    Refused::Forbidden(message.into()).into()
}
