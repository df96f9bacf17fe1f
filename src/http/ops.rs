//! The ops listener: nothing on it changes state or shows a secret.

use actix_web::{HttpResponse, Responder, web};

use super::Shared;
use crate::{clock, status::Status};

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(|| async { "ok\n" }))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics))
        .route("/status", web::get().to(status_for_anybody));
}

async fn readyz(shared: web::Data<Shared>) -> HttpResponse {
    if shared.directory.current().complete {
        HttpResponse::Ok().body("ready\n")
    } else {
        HttpResponse::ServiceUnavailable().body("the tenants are being read\n")
    }
}

async fn metrics(shared: web::Data<Shared>) -> impl Responder {
    let text = shared
        .metrics
        .render(&shared.directory.current(), clock::now());
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(text)
}

/// Without what was found in refused tokens: whoever is on the machine can read this page.
async fn status_for_anybody(shared: web::Data<Shared>) -> impl Responder {
    let mut status = Status::of(&shared.directory.current(), clock::now());
    let providers = status
        .tenants
        .iter_mut()
        .flat_map(|tenant| &mut tenant.providers);
    for refusal in providers.filter_map(|provider| provider.last_refusal.as_mut()) {
        refusal.message = "postern status shows what was found, and what to change".into();
    }
    web::Json(status)
}

pub async fn status(shared: web::Data<Shared>) -> impl Responder {
    web::Json(Status::of(&shared.directory.current(), clock::now()))
}
