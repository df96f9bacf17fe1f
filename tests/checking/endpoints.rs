//! One contract per endpoint: each reads its own headers, and no other's.

use super::API;
use crate::harness::{Postern, Request, issuer, tenant};

/// The same call, asked about as Traefik and Caddy do.
fn forward_auth(token: &str) -> Request {
    Request::new("GET", "/forward-auth/jira")
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Uri", API)
        .header("X-Forwarded-For", "192.0.2.7")
        .bearer(token)
}

/// The same call, asked about as Envoy does: the request line is the client's.
fn ext_authz(token: &str) -> Request {
    Request::new("GET", &format!("/ext-authz/jira{API}"))
        .header("X-Forwarded-For", "192.0.2.7")
        .bearer(token)
}

/// Three proxies ask about the same call, and get the same answer.
#[test]
fn each_proxy_asks_in_its_own_words() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().sign();
    for asked in [
        Request::check("jira", API).bearer(&token),
        forward_auth(&token),
        ext_authz(&token),
    ] {
        let answer = postern.ask(&asked);
        answer.is_allowed_as("ada");
        assert_eq!(answer.header("postern-upstream-uri"), Some(API));
        postern
            .ask(&asked.without("Authorization"))
            .is_refused(401, "no_credential");
    }
}

/// A piece that is missing is not looked for among another proxy's, where a client may have put it.
#[test]
fn no_endpoint_falls_back_on_the_headers_of_another() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().sign();
    for piece in ["X-Forwarded-Method", "X-Forwarded-Uri"] {
        let asked = forward_auth(&token)
            .without(piece)
            .header("X-Original-Method", "GET")
            .header("X-Original-URI", API);
        postern.ask(&asked).is_refused(400, "bad_check_request");
    }
    for piece in ["X-Original-Method", "X-Original-URI"] {
        let asked = Request::check("jira", API)
            .bearer(&token)
            .without(piece)
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Uri", API);
        postern.ask(&asked).is_refused(400, "bad_check_request");
    }
    // Nor does it mind what it does not read: the other set is the client's own business.
    let asked = ext_authz(&token)
        .header("X-Original-URI", "/browse")
        .header("X-Forwarded-Uri", "/browse");
    postern.ask(&asked).is_allowed_as("ada");
}

/// A piece that comes twice is refused, even where both say the same.
#[test]
fn a_doubled_piece_is_refused() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().sign();
    for (piece, value) in [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Uri", API),
        ("X-Forwarded-For", "192.0.2.7"),
    ] {
        postern
            .ask(&forward_auth(&token).header(piece, value))
            .is_refused(400, "bad_check_request");
    }
    postern
        .ask(&ext_authz(&token).header("X-Forwarded-For", "192.0.2.7"))
        .is_refused(400, "bad_check_request");
    postern.ask(&forward_auth(&token)).is_allowed_as("ada");
}

/// Envoy passes the client's request line on as it came: nothing of it is decoded before it is judged.
#[test]
fn envoys_request_line_is_judged_raw() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("public = [\"GET /rest/api/2/serverInfo\"]"),
    )
    .start();
    let asked = |method: &str, target: &str| {
        let target = format!("/ext-authz/jira{target}");
        postern.ask(&Request::new(method, &target).header("X-Forwarded-For", "192.0.2.7"))
    };
    asked("GET", "/rest/api/2/serverInfo?x=/../y").passes_as("public");
    asked("POST", "/rest/api/2/serverInfo").is_refused(401, "no_credential");
    asked("GET", "/rest%2fapi/2/serverInfo").is_refused(400, "ambiguous_path");
    asked("GET", "/browse/../rest/api/2/issue").is_refused(400, "ambiguous_path");
    asked("GET", "//rest/api/2/issue").is_refused(400, "ambiguous_path");
    asked("GET", "").is_refused(400, "ambiguous_path");
    asked("GET", "?access_token=x").is_refused(400, "ambiguous_path");
    let answer = asked("GET", "/browse/A-1?x=%41;b");
    answer.passes_as("outside");
    assert_eq!(
        answer.header("postern-upstream-uri"),
        Some("/browse/A-1?x=%41;b")
    );
}

/// Whatever method the proxy itself uses to ask, the original one is judged.
#[test]
fn the_proxys_own_method_means_nothing() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme).access("read_only = true")).start();
    let asked = |own: &str, original: &str| {
        let mut request = Request::check("jira", API)
            .replace("X-Original-Method", original)
            .bearer(&acme.token().sign());
        request.method = own.into();
        postern.ask(&request)
    };
    asked("POST", "GET").is_allowed_as("ada");
    asked("HEAD", "GET").is_allowed_as("ada");
    asked("GET", "POST").is_refused(403, "read_only");
    asked("HEAD", "DELETE").is_refused(403, "read_only");
}

/// Nothing else is answered on the check listener, and the ops pages are not there.
#[test]
fn there_is_nothing_else_to_find() {
    let postern = Postern::without_tenants().start();
    for target in [
        "/",
        "/check",
        "/check/jira/more",
        "/metrics",
        "/status",
        "/healthz",
        "/CHECK/jira",
    ] {
        let answer = postern.ask(&Request::new("GET", target));
        assert_eq!(answer.status, 404, "{target}");
    }
    for target in ["/healthz", "/readyz", "/metrics", "/status"] {
        assert_eq!(postern.ops(target).status, 200, "{target}");
        let posted = Request::new("POST", target).header("Content-Length", "0");
        assert!(posted.send(postern.ops_address()).status >= 400, "{target}");
    }
    assert_eq!(postern.ops("/check/jira").status, 404);
}
