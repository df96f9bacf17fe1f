//! See `../access.rs`.

use super::{API, Postern, call, issuer, jira, tenant};
use crate::harness::Request;

/// Calls that must pass before anybody has a credential, by product.
const OPEN: &[(&str, &[&str])] = &[
    (
        "jira",
        &[
            "POST /plugins/servlet/samlconsumer",
            "GET /plugins/servlet/oidc/callback?code=x&state=y",
            "GET /plugins/servlet/external-login/2",
            "GET /rest/authconfig/1.0/login-options",
            "GET /rest/applinks/1.0/manifest",
            "GET /plugins/servlet/oauth/consumer-info",
            "POST /plugins/servlet/oauth/request-token",
            "POST /plugins/servlet/oauth/access-token",
            "GET /plugins/servlet/oauth/authorize?oauth_token=x",
            "POST /rest/oauth2/latest/token",
            "GET /rest/oauth2/latest/authorize?client_id=x",
            "GET /rest/api/2/serverInfo",
            "POST /rest/cb-automation/latest/hooks/0123456789abcdef",
        ],
    ),
    (
        "confluence",
        &[
            "POST /plugins/servlet/samlconsumer",
            "GET /rest/applinks/latest/manifest",
            "POST /rest/oauth2/latest/token",
            "POST /rest/tsv/1.0/authenticate",
        ],
    ),
    (
        "bitbucket",
        &[
            "POST /plugins/servlet/samlconsumer",
            "GET /plugins/servlet/oidc/callback?code=x",
            "GET /rest/authconfig/1.0/login-options",
            "GET /rest/applinks/1.0/manifest",
        ],
    ),
];

/// Somebody who logs in has no credential yet. The same calls under the context path, and not beside it.
#[test]
fn what_a_login_needs_is_open() {
    let acme = issuer();
    let mut daemon = Postern::without_tenants();
    for (product, _) in OPEN {
        let file = tenant(product).product(product).trusting(&acme);
        let below = file.clone().named(&format!("{product}-below"));
        let below = below.url(&format!("https://example.com/{product}"));
        daemon = daemon.and(file).and(below);
    }
    let postern = daemon.start();
    for (product, calls) in OPEN {
        for call in *calls {
            let (method, uri) = call.split_once(' ').expect("a method");
            let at = |tenant: &str, uri: &str| {
                let request = Request::check(tenant, uri);
                postern.ask(&request.replace("X-Original-Method", method))
            };
            at(product, uri).passes_as("open");
            let below = format!("{product}-below");
            at(&below, &format!("/{product}{uri}")).passes_as("open");
            at(&below, uri).is_refused(403, "not_this_tenant");
        }
    }
}

/// Open is for those without a credential: one that is sent is judged. And only the call that is meant is open.
#[test]
fn what_is_open_is_never_open_with_a_credential() {
    let (acme, postern) = jira("");
    let manifest = || call("GET", "/rest/applinks/1.0/manifest");
    postern.ask(&manifest()).passes_as("open");
    let expired = acme.token().expires_in(-600).sign();
    postern
        .ask(&manifest().bearer(&expired))
        .is_refused(401, "expired");
    postern
        .ask(&manifest().basic("ada", "x"))
        .is_refused(401, "password_not_allowed");
    let in_query = call("GET", "/rest/applinks/1.0/manifest?access_token=x");
    postern
        .ask(&in_query)
        .is_refused(400, "credential_in_query");
    for (method, uri) in [
        ("POST", "/rest/applinks/1.0/manifest"),
        ("GET", "/rest/applinks/1.0/manifest/x"),
        ("GET", "/rest/applinks/1.0/entities"),
        ("GET", "/rest/cb-automation/latest/hooks/x"),
    ] {
        postern
            .ask(&call(method, uri))
            .is_refused(401, "no_credential");
    }
    let overridden = manifest().header("X-HTTP-Method-Override", "DELETE");
    postern.ask(&overridden).is_refused(401, "no_credential");
}

/// The file adds to what is open; an app's webhook, say.
#[test]
fn a_file_opens_more() {
    let (_acme, postern) = jira("open = [\"POST /rest/hooks/1.0/*\"]");
    postern
        .ask(&call("POST", "/rest/hooks/1.0/secret"))
        .passes_as("open");
    postern
        .ask(&call("POST", "/rest/hooks/1.0/secret/x"))
        .is_refused(401, "no_credential");
    postern
        .ask(&call("GET", "/rest/hooks/1.0/secret"))
        .is_refused(401, "no_credential");
}

/// A browser's question whether another site's page may call has no credential by its nature (Fetch §3.2.2).
#[test]
fn a_preflight_passes_and_nothing_like_it() {
    let (acme, postern) = jira("");
    let preflight = || {
        call("OPTIONS", API)
            .header("Origin", "https://portal.example.com")
            .header("Access-Control-Request-Method", "POST")
    };
    postern.ask(&preflight()).passes_as("open");
    let refused = |request: Request| {
        let answer = postern.ask(&request);
        answer.is_refused(401, "no_credential");
    };
    refused(preflight().without("Origin"));
    refused(preflight().without("Access-Control-Request-Method"));
    refused(preflight().replace("X-Original-Method", "GET"));
    refused(preflight().header("X-HTTP-Method-Override", "DELETE"));
    let expired = acme.token().expires_in(-600).sign();
    postern
        .ask(&preflight().bearer(&expired))
        .is_refused(401, "expired");
}

/// A token of limited scope must not make one without limits; what everybody may know there stays readable.
#[test]
fn a_token_does_not_reach_what_gives_out_credentials() {
    let (acme, closed) = jira("");
    let (other, open) = jira("token_endpoints = \"pass\"");
    let token = acme.token().sign();
    for (method, uri) in [
        ("POST", "/rest/pat/latest/tokens"),
        ("GET", "/rest/pat/1.0/tokens"),
        ("GET", "/rest/oauth2/latest/authorize"),
        ("POST", "/plugins/servlet/oauth/authorize"),
        ("PUT", "/rest/applinks/latest/applicationlink"),
        (
            "PUT",
            "/rest/applinks-oauth/1.0/applicationlink/x/authentication/consumer",
        ),
        ("PATCH", "/rest/authconfig/1.0/sso"),
        ("PUT", "/rest/basicauth/1.0/config"),
        ("GET", "/s/x/_/rest/pat/latest/tokens"),
    ] {
        let request = call(method, uri);
        let by = |token: &str| request.clone().bearer(token);
        closed.ask(&by(&token)).is_refused(403, "token_endpoint");
        open.ask(&by(&other.token().sign())).is_allowed_as("ada");
    }
    for uri in ["/rest/applinks/1.0/manifest", "/rest/patterns/1.0", API] {
        closed
            .ask(&call("GET", uri).bearer(&token))
            .is_allowed_as("ada");
    }
    // Whoever has a session there has logged in, and may do what the product lets him.
    let session = call("POST", "/rest/pat/latest/tokens").session();
    closed.ask(&session).passes_as("session");
}

/// Each product has credentials of its own: Bitbucket's are access tokens and keys.
#[test]
fn bitbuckets_keys_are_credentials() {
    let acme = issuer();
    let file = tenant("git").product("bitbucket").trusting(&acme);
    let postern = Postern::with(file).start();
    postern.until_keys("git");
    let token = acme.token().sign();
    let at = |uri: &str| postern.ask(&Request::check("git", uri).bearer(&token));
    at("/rest/access-tokens/latest/users/ada").is_refused(403, "token_endpoint");
    at("/rest/ssh/latest/keys").is_refused(403, "token_endpoint");
    at("/plugins/servlet/ssh/account/keys/add").is_refused(403, "token_endpoint");
    at("/rest/api/latest/projects").is_allowed_as("ada");
}

/// Where the servlets of a product are no API, a path that only looks like none of them is refused all the same.
#[test]
fn an_odd_path_to_a_token_endpoint_is_ambiguous() {
    let acme = issuer();
    let file = tenant("wiki").product("confluence").trusting(&acme);
    let postern = Postern::with(file).start();
    postern.until_keys("wiki");
    let token = acme.token().sign();
    let at = |uri: &str| postern.ask(&Request::check("wiki", uri).bearer(&token));
    at("/plugins/servlet/oauth/authorize").is_refused(403, "token_endpoint");
    at("/plugins//servlet/oauth/authorize").is_refused(400, "ambiguous_path");
    at("/plugins//servlet/x").is_allowed_as("ada");
}
