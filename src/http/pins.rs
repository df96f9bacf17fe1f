//! Whose accounts are: what `postern account` asks on the admin socket.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Shared, admin::origin};
use crate::{store::StoreError, tenant::TenantId};

/// `GET /pins/{tenant}`: its [`PinRecord`](crate::pins::PinRecord)s.
pub async fn list(shared: web::Data<Shared>, tenant: web::Path<String>) -> HttpResponse {
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return unknown(&tenant);
    };
    match shared.ledger.list(&tenant) {
        Ok(pins) if pins.is_empty() && !is_served(&shared, &tenant) => unknown(tenant.as_str()),
        Ok(pins) => HttpResponse::Ok().json(pins),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

/// Which account is unpinned. It stands in the query: no segment of a path can be called `..`, and an account can.
#[derive(Debug, Deserialize)]
pub struct Which {
    account: String,
}

/// `DELETE /pins/{tenant}?account=…`: the [`PinRecord`](crate::pins::PinRecord) that was there.
pub async fn unpin(
    http: HttpRequest,
    shared: web::Data<Shared>,
    tenant: web::Path<String>,
    which: web::Query<Which>,
) -> HttpResponse {
    let Ok(tenant) = tenant.parse::<TenantId>() else {
        return unknown(&tenant);
    };
    let account = which.into_inner().account;
    let unpinned = shared.ledger.unpin(tenant.clone(), account, origin(&http));
    match unpinned.await {
        Ok(Some(pin)) => HttpResponse::Ok().json(pin),
        Ok(None) => match is_known(&shared, &tenant) {
            Ok(true) => HttpResponse::NotFound().body(format!(
                "no account of that name is pinned; postern account list {tenant} shows those that are"
            )),
            Ok(false) => unknown(tenant.as_str()),
            Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
        },
        Err(error) => HttpResponse::InternalServerError()
            .body(format!("the account may be pinned still: {error}")),
    }
}

/// A tenant whose file is gone keeps its pins, and is known by them.
fn is_known(shared: &Shared, tenant: &TenantId) -> Result<bool, StoreError> {
    Ok(is_served(shared, tenant) || !shared.ledger.list(tenant)?.is_empty())
}

fn is_served(shared: &Shared, tenant: &TenantId) -> bool {
    shared.directory.current().tenants.contains_key(tenant)
}

fn unknown(tenant: &str) -> HttpResponse {
    HttpResponse::NotFound().body(format!(
        "the daemon has no tenant {tenant}, and no account of one is pinned; is there a file {tenant}.toml in its tenants folder?"
    ))
}
