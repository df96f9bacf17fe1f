//! The whole path of a request, on one screen.

mod unproved;

use std::sync::Arc;

use crate::{
    credential::{Credential, Presented},
    decision::{Decision, Denial, Denied, Grant, No, PassThrough},
    policy::{
        self,
        path::{self, PathProblem, Place},
        query::Query,
        rates::TokenKey,
        rules::Matching,
    },
    provider::Refusal,
    request::{Request, RequestId},
    tenant::Tenant,
    verify::{self, TokenDigest, Verified, jwt::Room},
    witness::{Silent, Step, Witness},
};
use unproved::Unproved;

/// What was found of a request on the way to its decision, for whoever tells of it.
#[derive(Debug, Default)]
pub struct Found<'r> {
    /// What its path means, once that was judged.
    pub place: Option<Place<'r>>,
    /// Who was proved and yet refused. Of an allowed call the [`Grant`] knows.
    pub refused: Option<Arc<Verified>>,
}

/// May this call pass, and as whom? It waits only where an issuer, or the product, must be asked.
pub fn check<'c, 'r>(
    tenant: &'c Tenant,
    request: &'c Request<'r>,
    now: u64,
    found: &'c mut Found<'r>,
) -> impl Future<Output = Decision> {
    before(tenant, request, now, &Silent, found)
}

/// The same before somebody who is told each step, and says whether it is a real one.
pub async fn before<'r, W: Witness>(
    tenant: &Tenant,
    request: &Request<'r>,
    now: u64,
    witness: &W,
    found: &mut Found<'r>,
) -> Decision {
    witness.begin(Step::Enabled);
    let judged = if tenant.settings.enabled {
        let judged = judge(tenant, request, now, witness, found).await;
        judged.map_err(|no| tenant.rates.count_failure(no, request.address, witness))
    } else {
        step_aside(tenant, request)
    };
    judged.into()
}

async fn judge<'r, W: Witness>(
    tenant: &Tenant,
    request: &Request<'r>,
    now: u64,
    witness: &W,
    found: &mut Found<'r>,
) -> Result<Grant, No> {
    let (settings, access) = (&*tenant.settings, &tenant.settings.access);
    witness.begin(Step::Networks);
    policy::networks(access, request)?;
    witness.begin(Step::Address);
    policy::rates::address_is_known(&settings.rate_limit, request)?;
    witness.begin(Step::Path);
    let protected = |path: &str| policy::is_protected(settings, path);
    let place =
        path::place(request.target, &settings.context_path, protected).map_err(path_denial)?;
    let place = &*found.place.insert(place);
    witness.found(|| match place {
        Place::Canonical(path) => format!("it is {path}"),
        Place::Product => "it is a page of the product, by whichever reading".to_owned(),
    });
    let rules = match place {
        Place::Canonical(path) => access.rules.matching(request, path),
        Place::Product => Matching::default(),
    };
    witness.begin(Step::ReadOnly(place));
    policy::read_only(settings, request, place)?;
    witness.begin(Step::RulesForEverybody(&rules));
    rules.judge_everybody()?;
    witness.begin(Step::PasswordChannel(place));
    policy::password_channel(settings, request, place)?;
    let unproved = Unproved {
        tenant,
        witness,
        request,
        place,
        query: Query::read(path::query(request.target)),
    };
    witness.begin(Step::Credential);
    let credential = Credential::read(request.authorization);
    if let Ok(credential) = &credential {
        witness.found(|| credential.kind().to_owned());
    }
    if !matches!(credential, Ok(Credential::None | Credential::OAuth(_))) {
        witness.begin(Step::Query);
        unproved.has_no_credential_in_query()?;
    }
    let way = match credential? {
        Credential::None => unproved.without_authorization(now).await?,
        Credential::OAuth(parameters) => unproved.application_link(parameters)?,
        Credential::Basic(basic) => unproved.basic(&basic)?,
        Credential::Other(scheme) => unproved.other_scheme(scheme)?,
        Credential::ApiToken(sent) => {
            let proved =
                verify::api_token::verify(tenant, &sent, request, place, now, witness).await?;
            let (token, caller) = (TokenKey::ApiToken(proved.id), proved.proof.principal());
            policy::call(settings, place, &rules, caller, witness)
                .and_then(|()| tenant.rates.spend(&token, caller, witness))
                .inspect_err(|_| found.refused = Some(Arc::clone(&proved.proof)))?;
            if W::IS_REAL {
                proved.note_use(request, now);
            }
            return Ok(Grant::proved(proved.proof));
        }
        Credential::Bearer(presented) => {
            let digest = presented.digest();
            match verified(tenant, presented, digest, request.id, now, witness).await? {
                Some(proof) => {
                    let (token, caller) = (TokenKey::Bearer(digest), proof.principal());
                    policy::call(settings, place, &rules, caller, witness)
                        .and_then(|()| tenant.rates.spend(&token, caller, witness))
                        .inspect_err(|_| found.refused = Some(Arc::clone(&proof)))?;
                    return Ok(Grant::proved(proof));
                }
                None => unproved.product_token()?,
            }
        }
    };
    Ok(Grant::product_decides(way))
}

/// The token's proof: remembered, or made now. `None` is for an opaque token that no provider takes.
async fn verified<W: Witness>(
    tenant: &Tenant,
    presented: Presented<'_>,
    digest: TokenDigest,
    request: RequestId,
    now: u64,
    witness: &W,
) -> Result<Option<Arc<Verified>>, No> {
    let revision_of = |at: usize| {
        tenant
            .providers
            .get(at)
            .and_then(|provider| provider.usable_revision(now))
    };
    witness.begin(Step::Remembered);
    let remembered = tenant.verdicts.get(&digest, now, revision_of);
    let still = |proof: &Arc<Verified>| {
        proof.may_pass() || policy::principal(&tenant.settings, proof.principal()).is_err()
    };
    let remembered = remembered.filter(still);
    if W::IS_REAL {
        tenant.decisions.count_cache(remembered.is_some());
    }
    witness.found(|| was_proved_before(remembered.as_deref()));
    if let Some(proof) = remembered {
        return Ok(Some(proof));
    }
    witness.begin(Step::Provider);
    let token = presented.text()?;
    let mut room = Room::default();
    let Some(judge) = verify::judge(tenant, token, &mut room)? else {
        return Ok(None);
    };
    let proved = judge.verify(token, &digest, tenant, now, witness).await;
    let proof = Arc::new(proved.map_err(|no| match no {
        No::Denied(denial) => {
            let denial = denial.in_provider(judge.place());
            if W::IS_REAL {
                judge.provider().refusals.remember(Refusal {
                    at: now,
                    request,
                    denial: denial.clone(),
                });
            }
            No::Denied(denial)
        }
        outage @ No::Unavailable(_) => outage,
    })?);
    if W::IS_REAL {
        tenant.verdicts.insert(
            digest,
            Arc::clone(&proof),
            judge.place(),
            judge.provider().revision,
        );
    }
    Ok(Some(proof))
}

fn was_proved_before(proof: Option<&Verified>) -> String {
    proof.map_or_else(
        || "the token was not proved before, or not lately".to_owned(),
        |proof| {
            let caller = proof.principal();
            format!(
                "the token was proved before and is remembered: it is of {}, by {}",
                caller.account().escape_debug(),
                caller.provider()
            )
        },
    )
}

/// `enabled = false`: what is plainly meant for us is refused, and the rest is none of our business.
fn step_aside(tenant: &Tenant, request: &Request<'_>) -> Result<Grant, No> {
    let ours = match Credential::read(request.authorization) {
        Ok(Credential::ApiToken(_)) => true,
        Ok(Credential::Bearer(presented)) => presented
            .text()
            .is_ok_and(|token| verify::is_ours(tenant, token)),
        Ok(
            Credential::None | Credential::Basic(_) | Credential::OAuth(_) | Credential::Other(_),
        )
        | Err(_) => false,
    };
    if ours {
        return Err(Denial::new(
            Denied::TenantDisabled,
            "the tenant's file says enabled = false",
        )
        .by("enabled")
        .into());
    }
    Ok(Grant::product_decides(PassThrough::Outside))
}

fn path_denial(problem: PathProblem) -> Denial {
    let message = problem.to_string();
    match problem {
        PathProblem::Ambiguous(_) => Denial::new(Denied::AmbiguousPath, message),
        PathProblem::OutsideContext => Denial::new(Denied::NotThisTenant, message).by("url"),
    }
}
