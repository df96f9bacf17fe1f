//! API tokens on the admin socket: what `postern token` asks.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

use super::{Shared, admin::origin};
use crate::{
    account::fold,
    api_tokens::{ApiToken, Changed, Draft, Listed, Owner, Refused, TokenId, Wanted, What, Which},
    clock,
    decision::No,
    store::StoreError,
    tenant::{Tenant, TenantId},
    verify::{self, Principal},
};

/// The most tokens of one page: some hundred kilobytes.
const PAGE: usize = 1000;

/// A token that was just made: the only time that it is shown.
#[derive(Serialize, Deserialize)]
pub struct Made {
    /// The token itself.
    pub token: Zeroizing<String>,
    /// What it is.
    #[serde(flatten)]
    pub about: ApiToken,
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Made({:?})", self.about)
    }
}

/// Some tokens of a list.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// In the order of their ids, or of one owner in the order in which they were issued. There may be none, and more
    /// on the next page.
    pub tokens: Vec<Listed>,
    /// What to ask for as `after` to have the next; absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TokenId>,
}

/// `POST /tokens/{tenant}` with a [`Wanted`] that names an owner: 201 and what was [`Made`].
pub async fn issue(
    http: HttpRequest,
    shared: web::Data<Shared>,
    tenant: web::Path<String>,
    wanted: web::Json<Wanted>,
) -> HttpResponse {
    let issued = async {
        let tenant = serving(&shared, &tenant)?;
        let owner = wanted.owner.as_deref().unwrap_or_default();
        let made = issue_for(&shared, &tenant, &wanted, owner, origin(&http)).await?;
        Ok(HttpResponse::Created().json(made))
    };
    issued.await.unwrap_or_else(|refused| answer(&refused))
}

/// Issues a token for `owner`, if the tenant's file lets that account have one.
///
/// # Errors
/// [`Refused`].
pub async fn issue_for(
    shared: &Shared,
    tenant: &Tenant,
    wanted: &Wanted,
    owner: &str,
    origin: crate::audit::Origin,
) -> Result<Made, Refused> {
    let draft = Draft::new(wanted, owner, &tenant.settings)?;
    bearer_of(tenant, owner, wanted).await?;
    let cap = tenant.settings.api_tokens.max_per_user;
    let what = What::Issue { draft, cap };
    made(shared.api_tokens.change(what, origin).await?)
}

/// Who the bearer of such a token would be.
///
/// # Errors
/// [`Refused::Forbidden`], if the account may have none.
pub async fn bearer_of(
    tenant: &Tenant,
    owner: &str,
    wanted: &Wanted,
) -> Result<Principal, Refused> {
    let bearer = verify::api_token::bearer_of(tenant, owner, &wanted.grants, clock::now()).await;
    bearer.map_err(|no| match no {
        No::Denied(denial) => Refused::Forbidden(denial.to_string()),
        No::Unavailable(outage) => Refused::Unavailable(outage.to_string()),
    })
}

/// Which tokens a list is of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Those of that account.
    user: Option<String>,
    /// Those that are alive, and will not be in so many seconds.
    expiring_in: Option<u64>,
    /// Those that are alive, and were not used for so many seconds, nor issued since.
    unused_for: Option<u64>,
    /// Those behind that one.
    after: Option<TokenId>,
}

impl Filter {
    fn wants(&self, listed: &Listed, now: u64) -> bool {
        let token = &listed.token;
        let alive = token.is_alive(now);
        let expiring = self
            .expiring_in
            .is_none_or(|within| alive && token.expires_at <= now.saturating_add(within));
        let last = listed.last_used.map_or(0, |last_use| last_use.at);
        let unused = self
            .unused_for
            .is_none_or(|since| alive && last.max(token.created_at) <= now.saturating_sub(since));
        expiring && unused
    }
}

/// `GET /tokens?user=&expiring_in=&unused_for=&after=`: a [`Page`] of all tenants' tokens.
pub async fn list_all(shared: web::Data<Shared>, filter: web::Query<Filter>) -> HttpResponse {
    let page = page(&shared, None, filter.into_inner()).await;
    page.map_or_else(
        |refused| answer(&refused),
        |page| HttpResponse::Ok().json(page),
    )
}

/// `GET /tokens/{tenant}?user=&expiring_in=&unused_for=&after=`: a [`Page`].
pub async fn list(
    shared: web::Data<Shared>,
    tenant: web::Path<String>,
    filter: web::Query<Filter>,
) -> HttpResponse {
    let listed = async {
        let tenant = named(&tenant)?;
        let (filter, now) = (filter.into_inner(), clock::now());
        let page = if let Some(user) = &filter.user {
            let owner = Owner::new(tenant.clone(), user);
            let mut tokens = shared.api_tokens.of_owner(owner).await?;
            tokens.retain(|listed| filter.wants(listed, now));
            Page {
                tokens,
                after: None,
            }
        } else {
            page(&shared, Some(tenant.clone()), filter).await?
        };
        if page.tokens.is_empty() {
            must_be_known(&shared, &tenant).await?;
        }
        Ok(HttpResponse::Ok().json(page))
    };
    listed.await.unwrap_or_else(|refused| answer(&refused))
}

async fn page(shared: &Shared, tenant: Option<TenantId>, filter: Filter) -> Result<Page, Refused> {
    let (all, now) = (shared.api_tokens.clone(), clock::now());
    let user = filter.user.as_deref().map(fold);
    let page = web::block(move || {
        let of = |token: &ApiToken| {
            tenant.as_ref().is_none_or(|of| token.tenant == of.as_str())
                && user.as_ref().is_none_or(|user| fold(&token.owner) == *user)
        };
        all.page(filter.after, PAGE, of, |listed| filter.wants(listed, now))
    });
    let page = page
        .await
        .map_err(|error| Refused::Unavailable(error.to_string()))?;
    let (tokens, after) =
        page.map_err(|error: StoreError| Refused::Unavailable(error.to_string()))?;
    Ok(Page { tokens, after })
}

/// Whose tokens are revoked; nobody named is everybody.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfUser {
    user: Option<String>,
}

/// `DELETE /tokens/{tenant}?user=`: the [`ApiToken`]s that were revoked by this.
pub async fn revoke_all(
    http: HttpRequest,
    shared: web::Data<Shared>,
    tenant: web::Path<String>,
    of: web::Query<OfUser>,
) -> HttpResponse {
    let revoked = async {
        let tenant = named(&tenant)?;
        let which = match of.into_inner().user {
            Some(user) => Which::OfOwner(Owner::new(tenant.clone(), &user)),
            None => Which::OfTenant(tenant.clone()),
        };
        let what = What::Revoke(which);
        let Changed { tokens, .. } = shared.api_tokens.change(what, origin(&http)).await?;
        if tokens.is_empty() {
            must_be_known(&shared, &tenant).await?;
        }
        Ok(HttpResponse::Ok().json(tokens))
    };
    revoked.await.unwrap_or_else(|refused| answer(&refused))
}

/// `DELETE /token/{id}`: the [`ApiToken`]s that were revoked by this, which is one.
pub async fn revoke(
    http: HttpRequest,
    shared: web::Data<Shared>,
    id: web::Path<String>,
) -> HttpResponse {
    let revoked = async {
        let what = What::Revoke(Which::One(id_of(&id)?));
        let Changed { tokens, .. } = shared.api_tokens.change(what, origin(&http)).await?;
        Ok(HttpResponse::Ok().json(tokens))
    };
    revoked.await.unwrap_or_else(|refused| answer(&refused))
}

/// How a token is rotated.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    /// For how many seconds the secret before lives on.
    #[serde(default)]
    pub overlap: u64,
}

/// `POST /token/{id}/rotate` with a [`Rotation`]: what was [`Made`].
pub async fn rotate(
    http: HttpRequest,
    shared: web::Data<Shared>,
    id: web::Path<String>,
    rotation: web::Json<Rotation>,
) -> HttpResponse {
    let rotated = async {
        let what = What::Rotate {
            id: id_of(&id)?,
            overlap: rotation.overlap,
        };
        let made = made(shared.api_tokens.change(what, origin(&http)).await?)?;
        Ok(HttpResponse::Ok().json(made))
    };
    rotated.await.unwrap_or_else(|refused| answer(&refused))
}

fn made(changed: Changed) -> Result<Made, Refused> {
    let Changed { tokens, secret } = changed;
    let about = tokens.into_iter().next();
    match (secret, about) {
        (Some(secret), Some(about)) => Ok(Made {
            token: Zeroizing::new(secret.expose().to_owned()),
            about,
        }),
        _ => Err(Refused::Unavailable(
            "no token was made; this is a defect of Postern".into(),
        )),
    }
}

fn id_of(text: &str) -> Result<TokenId, Refused> {
    let id = text.parse::<TokenId>();
    id.map_err(|error| Refused::Invalid(error.to_string()))
}

fn named(tenant: &str) -> Result<TenantId, Refused> {
    tenant.parse().map_err(|_| unknown(tenant))
}

/// The tenant's snapshot.
///
/// # Errors
/// [`Refused::NotFound`], or [`Refused::Unavailable`] where its file never was right.
pub fn serving(shared: &Shared, tenant: &str) -> Result<std::sync::Arc<Tenant>, Refused> {
    let directory = shared.directory.current();
    let reader = directory.tenants.get(tenant);
    let state = reader.ok_or_else(|| unknown(tenant))?.current();
    state.serving.clone().ok_or_else(|| {
        Refused::Unavailable(format!(
            "the file of the tenant {tenant} is broken, and there never was a good one; postern status shows what is wrong"
        ))
    })
}

/// One whose file is gone keeps its tokens, and nobody can use them.
async fn must_be_known(shared: &Shared, tenant: &TenantId) -> Result<(), Refused> {
    if shared.directory.current().tenants.contains_key(tenant) {
        return Ok(());
    }
    let (all, of) = (shared.api_tokens.clone(), tenant.clone());
    let has_any = web::block(move || all.has_any_of(&of)).await;
    let has_any = has_any.map_err(|error| Refused::Unavailable(error.to_string()))??;
    has_any
        .then_some(())
        .ok_or_else(|| unknown(tenant.as_str()))
}

fn unknown(tenant: &str) -> Refused {
    Refused::NotFound(format!(
        "the daemon has no tenant {tenant}, and no token of one; is there a file {tenant}.toml in its tenants folder?"
    ))
}

/// What is said against a request.
#[must_use]
pub fn answer(refused: &Refused) -> HttpResponse {
    let mut response = match refused {
        Refused::Invalid(_) => HttpResponse::BadRequest(),
        Refused::Forbidden(_) => HttpResponse::Forbidden(),
        Refused::NotFound(_) => HttpResponse::NotFound(),
        Refused::Conflict(_) => HttpResponse::Conflict(),
        Refused::Unavailable(_) => HttpResponse::ServiceUnavailable(),
        Refused::Failed(_) => HttpResponse::InternalServerError(),
    };
    response.body(refused.to_string())
}
