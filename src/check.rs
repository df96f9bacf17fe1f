//! The whole path of a request, on one screen.

use std::{net::IpAddr, sync::Arc};

use crate::{
    credential::{Credential, Presented},
    decision::{Decision, Denial, Denied, Grant, No, Outage, PassThrough, Unavailable},
    policy::{
        self,
        path::{self, PathProblem, Place},
        rates::TokenKey,
    },
    provider::Refusal,
    request::{Request, RequestId},
    tenant::{
        Tenant,
        settings::{Otherwise, Sessions},
    },
    verify::{self, TokenDigest, Verified, jwt::Room},
};

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
    policy::before_anything(access, request)?;
    policy::rates::address_is_known(&settings.rate_limit, request)?;
    let protected =
        |path: &str| policy::is_api(settings, path) || policy::is_under_a_rule(access, path);
    let place =
        path::place(request.target, &settings.context_path, protected).map_err(path_denial)?;
    if let Some(query) = path::query(request.target) {
        policy::query(query)?;
    }
    match Credential::read(request.authorization)? {
        Credential::Bearer(presented) => {
            let digest = presented.digest();
            let proof = verified(tenant, presented, digest, request.id, now).await?;
            policy::principal(settings, proof.principal())?;
            let token = TokenKey::Bearer(digest);
            tenant.rates.spend(&token, proof.principal())?;
            Ok(Grant::proved(proof))
        }
        Credential::ApiToken(sent) => {
            let proved = verify::api_token::verify(tenant, &sent, request, &place, now).await?;
            policy::principal(settings, proved.proof.principal())?;
            let token = TokenKey::ApiToken(proved.id);
            tenant.rates.spend(&token, proved.proof.principal())?;
            proved.note_use(request, now);
            Ok(Grant::proved(proved.proof))
        }
        Credential::Basic(_) => Err(Denial::new(
            Denied::PasswordNotAllowed,
            "a product password (Basic) was sent; send a bearer token",
        )
        .into()),
        Credential::Other => Err(Denial::new(
            Denied::UnsupportedScheme,
            "the Authorization scheme is not Bearer",
        )
        .into()),
        Credential::None => without_credential(tenant, request, &place, now).await,
    }
}

/// The token's proof: remembered, or made now.
async fn verified(
    tenant: &Tenant,
    presented: Presented<'_>,
    digest: TokenDigest,
    request: RequestId,
    now: u64,
) -> Result<Arc<Verified>, No> {
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
        return Ok(proof);
    }
    let token = presented.text()?;
    let mut room = Room::default();
    let judge = verify::judge(tenant, token, &mut room)?;
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
    Ok(proof)
}

async fn without_credential(
    tenant: &Tenant,
    request: &Request<'_>,
    place: &Place<'_>,
    now: u64,
) -> Result<Grant, No> {
    let (settings, access) = (&*tenant.settings, &tenant.settings.access);
    let Place::Canonical(path) = place else {
        return Ok(Grant::product_decides(PassThrough::Outside));
    };
    if policy::is_public(access, request, path) {
        return Ok(Grant::product_decides(PassThrough::Public));
    }
    if !policy::is_api(settings, path) {
        return Ok(Grant::product_decides(PassThrough::Outside));
    }
    let cookies = request.cookie.as_deref().unwrap_or_default();
    let mut refusal = "no credential was sent";
    if policy::has_session(settings.product, cookies) {
        match access.sessions {
            Sessions::Pass => return Ok(Grant::product_decides(PassThrough::Session)),
            Sessions::Deny => {
                return Err(Denial::new(
                    Denied::NoCredential,
                    "only a session cookie was sent, and access.sessions is \"deny\"",
                )
                .into());
            }
            Sessions::Check => {
                if is_session(tenant, cookies, request.address, now).await? {
                    return Ok(Grant::product_decides(PassThrough::Session));
                }
                // A cookie that opens nothing is no more than none.
                refusal = "only a session cookie was sent, and the product says that it is nobody's (access.sessions is \"check\")";
            }
        }
    }
    match access.anonymous {
        Otherwise::Pass => Ok(Grant::product_decides(PassThrough::Anonymous)),
        Otherwise::Deny => Err(Denial::new(Denied::NoCredential, refusal).into()),
    }
}

/// Whether the product knows whose session it is.
async fn is_session(
    tenant: &Tenant,
    cookies: &[u8],
    address: Option<IpAddr>,
    now: u64,
) -> Result<bool, No> {
    let product = tenant.product.as_ref().ok_or_else(|| {
        let message = "access.sessions is \"check\", and the product can't be asked from here";
        Outage::new(Unavailable::ProductUnavailable, 1, message)
    })?;
    Ok(product.is_session(cookies, address, now).await?)
}

/// `enabled = false`: what is plainly meant for us is refused, and the rest is none of our business.
fn step_aside(tenant: &Tenant, request: &Request<'_>) -> Result<Grant, No> {
    let ours = match Credential::read(request.authorization) {
        Ok(Credential::ApiToken(_)) => true,
        Ok(Credential::Bearer(presented)) => presented
            .text()
            .is_ok_and(|token| verify::is_ours(tenant, token)),
        Ok(Credential::None | Credential::Basic(_) | Credential::Other) | Err(_) => false,
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
