//! Whom the caller's address is believed from.

use super::API;
use crate::harness::{Answer, Postern, PosternBuilder, Request, TenantFile, issuer, tenant};

/// Only 192.0.2.0/24 may call, from which 10.0.0.0/8 are our own proxies.
fn office(issuer: &crate::harness::Issuer) -> TenantFile {
    tenant("jira")
        .trusting(issuer)
        .access("allow_networks = [\"192.0.2.0/24\"]")
}

fn behind(proxies: &str, tenant: TenantFile) -> PosternBuilder {
    Postern::with(tenant)
        .flag("--trusted-proxies")
        .flag(proxies)
}

fn from(postern: &Postern, chain: &str, token: &str) -> Answer {
    let asked = Request::new("GET", "/forward-auth/jira")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", API)
        .header("X-Forwarded-For", chain)
        .bearer(token);
    let answer = postern.ask(&asked);
    let envoy = Request::new("GET", &format!("/ext-authz/jira{API}"))
        .header("X-Forwarded-For", chain)
        .bearer(token);
    let other = postern.ask(&envoy);
    assert_eq!(
        (answer.status, answer.reason()),
        (other.status, other.reason())
    );
    answer
}

/// The list is read from the right: what a client wrote stands left of what our proxies added.
#[test]
fn the_first_address_from_the_right_that_is_no_proxy_counts() {
    let acme = issuer();
    let postern = behind("10.0.0.0/8,127.0.0.1", office(&acme)).start();
    let token = acme.token().sign();
    for chain in [
        "192.0.2.7",
        "192.0.2.7, 10.0.0.1",
        "192.0.2.7,10.0.0.2 , 10.0.0.1",
        "198.51.100.1, 192.0.2.7, 10.0.0.1",
        "::ffff:192.0.2.7, ::ffff:10.0.0.1",
        "192.0.2.7:4711, 10.0.0.1:80",
    ] {
        from(&postern, chain, &token).is_allowed_as("ada");
    }
    for chain in [
        "198.51.100.1",
        "192.0.2.7, 198.51.100.1",
        "192.0.2.7, 198.51.100.1, 10.0.0.1",
        "10.0.0.1",
        "192.0.2.7, 2001:db8::1, 10.0.0.1",
    ] {
        from(&postern, chain, &token).is_refused(403, "address_not_allowed");
    }
}

/// What is no address at all is not stepped over.
#[test]
fn a_broken_list_is_refused() {
    let acme = issuer();
    let postern = behind("10.0.0.0/8", office(&acme)).start();
    let token = acme.token().sign();
    for chain in [
        "unknown",
        "192.0.2.7, unknown, 10.0.0.1",
        "192.0.2.7, , 10.0.0.1",
        "192.0.2.7,",
        "_hidden",
        "192.0.2.7 10.0.0.1",
    ] {
        from(&postern, chain, &token).is_refused(400, "bad_check_request");
    }
    // Left of the address that counts, a client may have written anything.
    from(&postern, "unknown, 192.0.2.7, 10.0.0.1", &token).is_allowed_as("ada");
}

/// Where networks are set, an address must be there; where none are, nobody asks for it.
#[test]
fn a_missing_address_matters_only_where_networks_are_set() {
    let acme = issuer();
    let postern = Postern::with(office(&acme))
        .and(tenant("anywhere").trusting(&acme))
        .start();
    let token = acme.token().sign();
    from(&postern, "", &token).is_refused(400, "bad_check_request");
    let asked = |tenant: &str| {
        let target = format!("/ext-authz/{tenant}{API}");
        postern.ask(&Request::new("GET", &target).bearer(&token))
    };
    asked("jira").is_refused(400, "bad_check_request");
    asked("anywhere").is_allowed_as("ada");
}

/// nginx says who called in one header, which is taken as it is: `X-Forwarded-For` is not read there.
#[test]
fn nginx_names_one_address() {
    let acme = issuer();
    let postern = Postern::with(office(&acme)).start();
    let token = acme.token().sign();
    let asked = Request::check("jira", API).bearer(&token);
    let spoofed = asked.clone().header("X-Forwarded-For", "198.51.100.1");
    postern.ask(&spoofed).is_allowed_as("ada");
    let elsewhere = asked
        .replace("X-Real-IP", "198.51.100.1")
        .header("X-Forwarded-For", "192.0.2.7");
    postern
        .ask(&elsewhere)
        .is_refused(403, "address_not_allowed");
}
