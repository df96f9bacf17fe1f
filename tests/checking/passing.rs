//! The ways to pass without a proof: the product decides, and what is judged is only what kind of request it is.

use super::API;
use crate::harness::{Answer, Postern, Request, issuer, tenant};

fn page(postern: &Postern, tenant: &str, uri: &str) -> Answer {
    postern.ask(&Request::check(tenant, uri))
}

/// Tokens are for the API; a product's own pages are between it and its users.
#[test]
fn each_product_has_its_own_api() {
    let acme = issuer();
    let of = |product| tenant(product).product(product).trusting(&acme);
    let postern = Postern::with(of("jira"))
        .and(of("confluence"))
        .and(of("bitbucket"))
        .start();
    for (product, api, not) in [
        (
            "jira",
            &[
                "/rest",
                "/rest/api/2/myself",
                "/plugins/servlet/x",
                "/secure/attachment/1/a",
            ][..],
            &[
                "/",
                "/browse/A-1",
                "/restful",
                "/secure/Dashboard.jspa",
                "/scm/a",
                "/download/x",
            ][..],
        ),
        (
            "confluence",
            &["/rest/api/content", "/download/attachments/1/a"],
            &["/display/A", "/downloads", "/secure/attachment/1/a"],
        ),
        (
            "bitbucket",
            &[
                "/rest/api/1.0",
                "/scm/a/b.git/info/refs",
                "/git/a/b",
                "/plugins/servlet/x",
            ],
            &["/projects/A", "/scmx", "/rpc/soap"],
        ),
    ] {
        for path in api {
            page(&postern, product, path).is_refused(401, "no_credential");
        }
        for path in not {
            page(&postern, product, path).passes_as("outside");
        }
    }
}

/// The product's pages call its API with the session cookie; a cookie of another product is none.
#[test]
fn a_session_cookie_passes_with_the_session() {
    let acme = issuer();
    let of = |product| tenant(product).product(product).trusting(&acme);
    let postern = Postern::with(of("jira"))
        .and(of("confluence"))
        .and(of("bitbucket"))
        .start();
    let with = |product: &str, cookie: &str| {
        let api = if product == "bitbucket" {
            "/rest/api/1.0"
        } else {
            "/rest/api"
        };
        postern.ask(&Request::check(product, api).header("Cookie", cookie))
    };
    for (product, cookie) in [
        ("jira", "JSESSIONID=1"),
        ("jira", "theme=dark; seraph.rememberme.cookie=1"),
        ("confluence", "seraph.confluence=1;x=y"),
        ("bitbucket", "BITBUCKETSESSIONID=1"),
        ("bitbucket", "a=b; crowd.token_key=1"),
    ] {
        with(product, cookie).passes_as("session");
    }
    for (product, cookie) in [
        ("jira", "jsessionid=1"),
        ("jira", "XJSESSIONID=1; note=JSESSIONID=1"),
        ("jira", "BITBUCKETSESSIONID=1"),
        ("bitbucket", "JSESSIONID=1"),
        ("jira", ""),
    ] {
        with(product, cookie).is_refused(401, "no_credential");
    }
}

/// A token is judged wherever it is sent: on a public path or a page, a refused one stays refused, or a login there
/// would launder it.
#[test]
fn a_credential_is_judged_wherever_it_is_sent() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("public = [\"GET /rest/api/2/serverInfo\"]\nanonymous = \"pass\""),
    )
    .start();
    let (good, old) = (acme.token().sign(), acme.token().expires_in(-600).sign());
    for (uri, way) in [
        ("/rest/api/2/serverInfo", "public"),
        ("/browse/A-1", "outside"),
        (API, "anonymous"),
    ] {
        let asked = Request::check("jira", uri);
        postern.ask(&asked).passes_as(way);
        postern
            .ask(&asked.clone().bearer(&good))
            .is_allowed_as("ada");
        postern
            .ask(&asked.clone().bearer(&old))
            .is_refused(401, "expired");
        let cookie = asked.clone().header("Cookie", "JSESSIONID=1");
        postern.ask(&cookie.bearer(&old)).is_refused(401, "expired");
        postern
            .ask(&asked.header("Authorization", "Negotiate x"))
            .is_refused(401, "unsupported_scheme");
    }
}

/// A public line opens what it says and nothing beside it.
#[test]
fn a_public_line_opens_one_method_and_one_pattern() {
    let acme = issuer();
    let lines =
        "public = [\"GET /rest/api/2/serverInfo\", \"/rest/open/**\", \"HEAD /rest/*/about\"]";
    let postern = Postern::with(tenant("jira").trusting(&acme).access(lines)).start();
    let asked = |method: &str, uri: &str| {
        postern.ask(&Request::check("jira", uri).replace("X-Original-Method", method))
    };
    for (method, uri) in [
        ("GET", "/rest/api/2/serverInfo"),
        ("GET", "/rest/api/2/%73erverInfo?x=1"),
        ("DELETE", "/rest/open/a/b"),
        ("HEAD", "/rest/7/about"),
        // A GET without its body (RFC 9110 §9.3.2).
        ("HEAD", "/rest/api/2/serverInfo"),
        ("GET", "/s/x/_/rest/api/2/serverInfo"),
        // The products take a slash at the end for nothing.
        ("GET", "/rest/api/2/serverInfo/"),
    ] {
        asked(method, uri).passes_as("public");
    }
    for (method, uri) in [
        ("POST", "/rest/api/2/serverInfo"),
        ("get", "/rest/api/2/serverInfo"),
        ("GET", "/rest/api/2/serverinfo"),
        ("GET", "/rest/openly/a"),
        ("HEAD", "/rest/7/8/about"),
    ] {
        asked(method, uri).is_refused(401, "no_credential");
    }
}

/// The operator may add paths to the API, and a context path stands before all of them.
#[test]
fn added_api_paths_lie_below_the_context_path() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .url("https://example.com/jira/")
            .trusting(&acme)
            .access("api_paths = [\"/reports\"]"),
    )
    .start();
    for path in [
        "/jira/rest/api/2/myself",
        "/jira/reports",
        "/jira/reports/7",
    ] {
        page(&postern, "jira", path).is_refused(401, "no_credential");
    }
    for path in ["/jira", "/jira/", "/jira/reportsx", "/jira/jira/rest"] {
        page(&postern, "jira", path).passes_as("outside");
    }
    for path in ["/rest/api/2/myself", "/reports", "/jirax"] {
        page(&postern, "jira", path).is_refused(403, "not_this_tenant");
    }
}

/// Read-only binds whoever passes, by whatever method the product might take.
#[test]
fn read_only_binds_those_without_a_token_too() {
    let acme = issuer();
    let frozen = tenant("jira")
        .trusting(&acme)
        .access("read_only = true\nanonymous = \"pass\"");
    let postern = Postern::with(frozen).start();
    let asked = |method: &str| Request::check("jira", API).replace("X-Original-Method", method);
    postern.ask(&asked("GET")).passes_as("anonymous");
    postern.ask(&asked("POST")).is_refused(403, "read_only");
    let session = |method: &str| asked(method).header("Cookie", "JSESSIONID=1");
    postern.ask(&session("GET")).passes_as("session");
    postern.ask(&session("PUT")).is_refused(403, "read_only");
    postern
        .ask(&session("GET").header("X-HTTP-Method-Override", "DELETE"))
        .is_refused(403, "read_only");
    let comment = Request::check("jira", "/secure/AddComment.jspa");
    postern
        .ask(&comment.replace("X-Original-Method", "POST"))
        .is_refused(403, "read_only");
}
