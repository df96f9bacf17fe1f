//! See `main.rs`.

use std::net::TcpStream;

use crate::harness::{
    Answer, Fault, Issuer, Postern, Request, TenantFile, connect, eventually, issuer, tenant, until,
};

/// One tenant's introspection endpoint hangs, and sixty-four requests of it hang along. While they do, the neighbour's
/// tokens, never seen before, are judged as if nothing were. The sixty-fifth is told to come again.
#[test]
fn a_hanging_introspection_endpoint_costs_the_neighbours_nothing() {
    let (dead, alive) = (issuer(), issuer());
    let postern = Postern::with(tenant("jira").asking(&dead))
        .and(tenant("wiki").asking(&alive))
        .and(tenant("code").trusting(&alive))
        .start();
    postern.until_keys("code");
    dead.intercept(|_| Fault::Hang);
    let hanging = hang(&postern, 64);
    eventually("sixty-four calls hang", || {
        dead.waiting("/introspect") == 64
    });
    postern
        .check("jira", "one-more")
        .is_refused(503, "overloaded");
    for _ in 0..30 {
        postern
            .check("wiki", &alive.token().opaque())
            .is_allowed_as("ada");
        postern
            .check("code", &alive.token().sign())
            .is_allowed_as("ada");
    }
    assert_eq!(dead.waiting("/introspect"), 64, "they hung all the while");
    for answer in finish(hanging) {
        answer.is_refused(503, "issuer_unavailable");
    }
    assert_eq!(breaker(&postern, "jira"), "open");
    assert_eq!(breaker(&postern, "wiki"), "closed");
}

/// One tenant's issuer never gave its keys and hangs when asked for them. Its callers wait a second at most, and the
/// neighbour's not at all.
#[test]
fn an_issuer_that_hangs_from_the_start_costs_the_neighbours_nothing() {
    let (dead, alive) = (issuer(), issuer());
    dead.intercept(|_| Fault::Hang);
    let postern = Postern::with(tenant("jira").trusting(&dead))
        .and(tenant("wiki").trusting(&alive))
        .start();
    eventually("the issuer is being asked", || {
        dead.waiting("/.well-known/openid-configuration") == 1
    });
    let token = dead.token().sign();
    let hanging: Vec<_> = (0..64).map(|_| send(&postern, &token)).collect();
    for _ in 0..30 {
        postern
            .check("wiki", &alive.token().sign())
            .is_allowed_as("ada");
    }
    for answer in finish(hanging) {
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.header("retry-after").is_some(), "{answer:?}");
    }
    assert_eq!(dead.hits("/.well-known/openid-configuration"), 1);
}

/// Two tenants ask the same issuer about the same token. Each asks for itself: what one was told is not the other's.
#[test]
fn what_one_tenant_was_told_the_other_has_to_ask() {
    let shared = issuer();
    let postern = Postern::with(tenant("jira").asking(&shared))
        .and(tenant("wiki").asking(&shared))
        .start();
    let token = shared.token().opaque();
    postern.check("jira", &token).is_allowed_as("ada");
    shared.revoke(&token);
    postern.check("wiki", &token).is_refused(401, "inactive");
    postern.check("jira", &token).is_allowed_as("ada");
    assert_eq!(shared.hits("/introspect"), 2);
}

/// Two tenants trust one issuer for different audiences. A token that one has verified, and remembers, is still the
/// wrong one for the other.
#[test]
fn what_one_tenant_verified_the_other_judges_itself() {
    let shared = issuer();
    let for_wiki = format!("issuer = {:?}\naudience = \"wiki\"", shared.url());
    let postern = Postern::with(tenant("jira").trusting(&shared))
        .and(tenant("wiki").provider(&for_wiki))
        .start();
    let token = shared.token().sign();
    for _ in 0..2 {
        postern.check("jira", &token).is_allowed_as("ada");
        postern
            .check("wiki", &token)
            .is_refused(401, "wrong_audience");
    }
    postern
        .check("wiki", &shared.token().audience("wiki").sign())
        .is_allowed_as("ada");
}

/// One tenant's file has a secret that the issuer no longer takes. Its breaker opens; the neighbour asks the same
/// endpoint with a good secret, and is answered.
#[test]
fn a_breaker_is_one_tenants_own() {
    let shared = issuer();
    let wrong = with_secret("jira", &shared, "WRONG_SECRET");
    let postern = Postern::with(wrong)
        .and(tenant("wiki").asking(&shared))
        .env("WRONG_SECRET", "wrong")
        .start();
    for number in 0..5 {
        postern
            .check("jira", &format!("token-{number}"))
            .is_refused(503, "issuer_unavailable");
    }
    assert_eq!(breaker(&postern, "jira"), "open");
    postern
        .check("wiki", &shared.token().opaque())
        .is_allowed_as("ada");
    assert_eq!(breaker(&postern, "wiki"), "closed");
}

/// Two tenants share an issuer, and one of them goes. The other's keys are looked after as before.
#[test]
fn a_tenant_that_goes_takes_no_neighbour_along() {
    let shared = issuer();
    let postern = Postern::with(tenant("jira").trusting(&shared))
        .and(tenant("wiki").trusting(&shared))
        .start();
    postern.until_keys("wiki");
    std::fs::remove_file(postern.tenant_path("jira")).expect("it is there");
    until("the tenant is gone", || {
        postern.tenant_status("jira").is_null().then_some(())
    });
    shared.rotate();
    postern
        .check("wiki", &shared.token().sign())
        .is_allowed_as("ada");
    postern
        .check("jira", &shared.token().sign())
        .is_refused(403, "tenant_unknown");
}

type Sent = (Request, TcpStream);

fn send(postern: &Postern, token: &str) -> Sent {
    let request = Request::check("jira", "/rest/api/2/myself").bearer(token);
    let mut connection = connect(postern.address());
    request.write_to(&mut connection);
    (request, connection)
}

/// Asks about that many tokens at once, and waits for no answer.
fn hang(postern: &Postern, number: usize) -> Vec<Sent> {
    let tokens = (0..number).map(|number| format!("unheard-{number}"));
    tokens.map(|token| send(postern, &token)).collect()
}

fn finish(sent: Vec<Sent>) -> impl Iterator<Item = Answer> {
    let read = |(request, mut connection): Sent| request.read_from(&mut connection);
    sent.into_iter().map(read)
}

fn breaker(postern: &Postern, tenant: &str) -> String {
    let status = postern.tenant_status(tenant);
    let word = status["providers"][0]["breaker"].as_str();
    word.expect("it has one").to_owned()
}

fn with_secret(name: &str, issuer: &Issuer, variable: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "introspection_endpoint = \"{}/introspect\"\naudience = \"any\"\nclient_id = \"dev\"\nclient_secret = {{ env = {variable:?} }}",
        issuer.url()
    ))
}
