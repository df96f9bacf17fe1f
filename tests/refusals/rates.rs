//! What comes too often. The rows are asked one after the other, and each takes from what the next one finds.

use postern::decision::Denied::{
    BadCheckRequest, BadSignature, NoCredential, RateLimited, TooManyFailures,
};

use super::row::{API, Row, World, ada, at, refused};
use crate::harness::Request;

#[test]
fn what_comes_too_often_is_told_when_to_come_again() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let good = world.acme.token().sign();
    let forged = world
        .mallory
        .token()
        .claim("iss", world.acme.url())
        .kid(world.acme.kid(crate::harness::Algorithm::Es256))
        .sign();
    let elsewhere = |token: &str| at("guarded", token).replace("X-Real-IP", "192.0.2.8");
    vec![
        ada("the first call in an hour", at("hourly", &good)),
        refused("the second", at("hourly", &good), RateLimited),
        ada("the second, where no rate is set", at("jira", &good)),
        refused("the first forgery", at("guarded", &forged), BadSignature),
        refused("the second", at("guarded", &forged), TooManyFailures),
        refused("the first elsewhere", elsewhere(&forged), BadSignature),
        ada("a good token beside forgeries", at("guarded", &good)),
        refused(
            "no credential beside forgeries",
            Request::check("guarded", API),
            NoCredential,
        ),
        refused(
            "a good token from nobody knows where",
            at("guarded", &good).without("X-Real-IP"),
            BadCheckRequest,
        ),
        ada(
            "the same where nothing is counted by address",
            at("jira", &good).without("X-Real-IP"),
        ),
    ]
}
