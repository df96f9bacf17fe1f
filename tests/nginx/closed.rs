//! See `../nginx.rs`.

use super::{Site, jira, myself, refused};
use crate::harness::{Postern, Request, issuer};

/// What Postern asks about is what nginx saw, not what a client claims to have asked for.
#[test]
fn a_client_cannot_say_what_the_original_request_was() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    for (name, value) in [
        ("X-Original-URI", "/login.jsp"),
        ("X_Original_URI", "/login.jsp"),
        ("X.Original.URI", "/login.jsp"),
        ("X-Original-Method", "OPTIONS"),
        ("X-Real-IP", "127.0.0.1"),
    ] {
        refused(
            &site.ask(&myself().header(name, value)),
            401,
            "no_credential",
        );
    }
}

/// Refusals cost no connection: forty checks, refused in three ways or allowed, share one connection to Postern.
#[test]
fn connections_to_postern_are_kept_on_refusals() {
    let acme = issuer();
    let tenant = jira(&acme).access("allow_groups = [\"staff\"]");
    let Some(site) = Site::of(Postern::with(tenant)) else {
        return;
    };
    site.postern.until_keys("jira");
    let staff = acme.token().groups(["staff"]).sign();
    let stranger = acme.token().sign();
    for _ in 0..10 {
        assert_eq!(site.get(&staff).status, 200);
        refused(&site.get(&stranger), 403, "not_in_group");
        refused(&site.ask(&myself()), 401, "no_credential");
        refused(&site.get("not.a.token"), 401, "malformed_token");
    }
    assert_eq!(site.relay.connections(), 1);
}

/// The check path is nginx's own: a client that asks for it finds nothing, and Postern is not asked.
#[test]
fn a_clients_own_request_for_the_check_path_is_not_found() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = acme.token().sign();
    for path in [
        "/_postern",
        "/_postern?x",
        "//_postern",
        "/x/../_postern",
        "/%5fpostern",
    ] {
        assert_eq!(
            site.ask(&Request::new("GET", path).bearer(&token)).status,
            404,
            "{path}"
        );
    }
    assert_eq!(site.relay.connections(), 0);
}

/// nginx makes 500 of 400, 429 and 503; the client gets the true status, and when to come again.
#[test]
fn statuses_that_nginx_does_not_know_are_true_again() {
    let acme = issuer();
    let Some(site) = Site::of(Postern::with(jira(&acme).top("nonsense = true"))) else {
        return;
    };
    let unavailable = site.get(&acme.token().sign());
    refused(&unavailable, 503, "tenant_unavailable");
    assert_eq!(unavailable.header("retry-after"), Some("10"));
    site.postern.write(&jira(&acme));
    site.postern.until_keys("jira");
    assert_eq!(site.get(&acme.token().sign()).status, 200);
    let query = Request::new("GET", "/rest/api/2/myself?access_token=x");
    refused(&site.ask(&query), 400, "credential_in_query");
    refused(
        &site.ask(&Request::new("GET", "/rest/api/2/..;/x").bearer("x")),
        400,
        "ambiguous_path",
    );
}

/// A client that comes too often is told when to come again, in every field, and reaches no product; so is one that
/// forges, by its own address as nginx sees it.
#[test]
fn too_many_requests_are_answered_with_their_time() {
    let (acme, mallory) = (issuer(), issuer());
    let tenant = jira(&acme)
        .rate_limit("per_user = \"1/h\"")
        .rate_limit("failures_per_address = \"2/h\"");
    let Some(site) = Site::of(Postern::with(tenant)) else {
        return;
    };
    let (good, unknown) = (acme.token().sign(), mallory.token().sign());
    assert_eq!(site.get(&good).status, 200);
    for _ in 0..2 {
        refused(&site.get(&unknown), 401, "unknown_issuer");
    }
    let served = site.product.requests();
    for (token, reason, limit) in [
        (&good, "rate_limited", "1"),
        (&unknown, "too_many_failures", "2"),
    ] {
        let limited = site.get(token);
        refused(&limited, 429, reason);
        let retry_after = limited.header("retry-after").unwrap_or_default();
        let seconds: u64 = retry_after.parse().expect("a number of seconds");
        assert!((1500..=3600).contains(&seconds), "{seconds}");
        assert_eq!(limited.header("ratelimit-limit"), Some(limit));
        assert_eq!(limited.header("ratelimit-remaining"), Some("0"));
        assert_eq!(limited.header("ratelimit-reset"), Some(retry_after));
        assert_eq!(limited.header("www-authenticate"), None);
    }
    assert_eq!(site.product.requests(), served);
}

/// Without Postern nobody passes, not even where anybody would, and nginx finds it again by itself.
#[test]
fn without_postern_nobody_passes() {
    let acme = issuer();
    let Some(mut site) = Site::trusting(&acme) else {
        return;
    };
    let login = Request::new("GET", "/login.jsp");
    assert_eq!(site.ask(&login).status, 200);
    site.postern.kill();
    for _ in 0..3 {
        let closed = site.ask(&login);
        refused(&closed, 503, "postern_unreachable");
        assert!(closed.header("retry-after").is_some());
        assert_eq!(site.get(&acme.token().sign()).status, 503);
    }
    site.postern.run();
    site.relay.lead_to(site.postern.address());
    assert_eq!(site.get(&acme.token().sign()).status, 200);
}
