//! The ops listener: nothing on it changes state or shows a secret.

use actix_web::{HttpResponse, Responder, web};

use super::Shared;
use crate::{clock, status::Status};

pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/healthz", web::get().to(|| async { "ok\n" }))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(metrics))
        .route("/status", web::get().to(status));
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

pub async fn status(shared: web::Data<Shared>) -> impl Responder {
    web::Json(Status::of(&shared.directory.current(), clock::now()))
}
