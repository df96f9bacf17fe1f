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
};
use unproved::Unproved;

/// May this call pass, and as whom? It waits only where an issuer, or the product, must be asked.
pub async fn check(tenant: &Tenant, request: &Request<'_>, now: u64) -> Decision {
    let judged = if tenant.settings.enabled {
        judge(tenant, request, now)
            .await
            .map_err(|no| tenant.rates.count_failure(no, request.address))
    } else {
        step_aside(tenant, request)
    };
    judged.into()
}

async fn judge(tenant: &Tenant, request: &Request<'_>, now: u64) -> Result<Grant, No> {
    let (settings, access) = (&*tenant.settings, &tenant.settings.access);
    policy::networks(access, request)?;
    policy::rates::address_is_known(&settings.rate_limit, request)?;
    let protected = |path: &str| policy::is_protected(settings, path);
    let place =
        path::place(request.target, &settings.context_path, protected).map_err(path_denial)?;
    let rules = match &place {
        Place::Canonical(path) => access.rules.matching(request, path),
        Place::Product => Matching::default(),
    };
    policy::read_only(settings, request, &place)?;
    rules.judge_everybody()?;
    policy::password_channel(settings, request, &place)?;
    let unproved = Unproved {
        tenant,
        request,
        place: &place,
        query: Query::read(path::query(request.target)),
    };
    let credential = Credential::read(request.authorization);
    if !matches!(credential, Ok(Credential::None | Credential::OAuth(_))) {
        unproved.has_no_credential_in_query()?;
    }
    let way = match credential? {
        Credential::None => unproved.without_authorization(now).await?,
        Credential::OAuth(parameters) => unproved.application_link(parameters)?,
        Credential::Basic(basic) => unproved.basic(&basic)?,
        Credential::Other(scheme) => unproved.other_scheme(scheme)?,
        Credential::ApiToken(sent) => {
            let proved = verify::api_token::verify(tenant, &sent, request, &place, now).await?;
            policy::call(settings, &place, &rules, proved.proof.principal())?;
            let token = TokenKey::ApiToken(proved.id);
            tenant.rates.spend(&token, proved.proof.principal())?;
            proved.note_use(request, now);
            return Ok(Grant::proved(proved.proof));
        }
        Credential::Bearer(presented) => {
            let digest = presented.digest();
            match verified(tenant, presented, digest, request.id, now).await? {
                Some(proof) => {
                    policy::call(settings, &place, &rules, proof.principal())?;
                    let token = TokenKey::Bearer(digest);
                    tenant.rates.spend(&token, proof.principal())?;
                    return Ok(Grant::proved(proof));
                }
                None => unproved.product_token()?,
            }
        }
    };
    Ok(Grant::product_decides(way))
}

/// The token's proof: remembered, or made now. `None` is for an opaque token that no provider takes.
async fn verified(
    tenant: &Tenant,
    presented: Presented<'_>,
    digest: TokenDigest,
    request: RequestId,
    now: u64,
) -> Result<Option<Arc<Verified>>, No> {
    let revision_of = |at: usize| {
        tenant
            .providers
            .get(at)
            .and_then(|provider| provider.usable_revision(now))
    };
    let remembered = tenant.verdicts.get(&digest, now, revision_of);
    let still = |proof: &Arc<Verified>| {
        proof.may_pass() || policy::principal(&tenant.settings, proof.principal()).is_err()
    };
    let remembered = remembered.filter(still);
    tenant.decisions.count_cache(remembered.is_some());
    if let Some(proof) = remembered {
        return Ok(Some(proof));
    }
    let token = presented.text()?;
    let mut room = Room::default();
    let Some(judge) = verify::judge(tenant, token, &mut room)? else {
        return Ok(None);
    };
    let proved = judge.verify(token, &digest, tenant, now).await;
    let proof = Arc::new(proved.inspect_err(|no| {
        if let No::Denied(denial) = no {
            let denial = denial.clone();
            judge.provider().refusals.remember(Refusal {
                at: now,
                request,
                denial,
            });
        }
    })?);
    tenant.verdicts.insert(
        digest,
        Arc::clone(&proof),
        judge.place(),
        judge.provider().revision,
    );
    Ok(Some(proof))
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
        .into());
    }
    Ok(Grant::product_decides(PassThrough::Outside))
}

fn path_denial(problem: PathProblem) -> Denial {
    let reason = match problem {
        PathProblem::Ambiguous(_) => Denied::AmbiguousPath,
        PathProblem::OutsideContext => Denied::NotThisTenant,
    };
    Denial::new(reason, problem.to_string())
}
