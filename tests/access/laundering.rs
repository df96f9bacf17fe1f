//! See `../access.rs`. Each attempt stands beside the honest request that differs from it in one thing.

use super::{API, Postern, Request, call, issuer, jira, tenant};

/// A password that is refused on the API earns no session on a page, with which the API could be had.
#[test]
fn a_password_on_a_page_earns_no_session_for_the_api() {
    let (_acme, postern) = jira("sessions = \"pass\"");
    for uri in ["/browse/A-1", "/login.jsp", "/", "/secure/Dashboard.jspa"] {
        let login = call("GET", uri).basic("ada", "secret");
        let refused = postern.ask(&login);
        refused.is_refused(401, "password_not_allowed");
        assert_eq!(refused.header("authorization"), None);
        postern.ask(&call("GET", uri)).passes_as("outside");
        let with_cookie = call("GET", uri).session().basic("ada", "secret");
        postern
            .ask(&with_cookie)
            .is_refused(401, "password_not_allowed");
    }
}

/// A cookie proves nothing: it never makes a principal, and does not excuse a token that is refused.
#[test]
fn a_junk_cookie_is_nobody() {
    let (acme, postern) = jira("");
    let junk = call("GET", API).header("Cookie", "JSESSIONID=junk");
    postern.ask(&junk).passes_as("session");
    let expired = acme.token().expires_in(-600).sign();
    postern
        .ask(&junk.clone().bearer(&expired))
        .is_refused(401, "expired");
    let good = postern.ask(&junk.bearer(&acme.token().sign()));
    good.is_allowed_as("ada");
    assert_eq!(good.sends_on(), ("", ""));
    let (_acme, strict) = jira("sessions = \"deny\"");
    strict
        .ask(&call("GET", API).session())
        .is_refused(401, "no_credential");
}

/// A header that only calls itself OAuth excuses nothing, least of all the cookie beside it.
#[test]
fn a_junk_oauth_header_is_no_application_link() {
    let (_acme, postern) = jira("anonymous = \"pass\"");
    for junk in [
        "OAuth",
        "OAuth ",
        "OAuth junk",
        "oauth oauth_token=\"x\"",
        "OAuth oauth_consumer_key=\"k\", oauth_token=\"\"",
    ] {
        let request = call("GET", API).session().header("Authorization", junk);
        postern.ask(&request).is_refused(401, "malformed_token");
    }
    let whole = call("GET", API)
        .session()
        .header("Authorization", super::links::SIGNED);
    let passed = postern.ask(&whole);
    passed.passes_as("oauth1");
    assert_eq!(passed.sends_on().1, "");
}

/// A header that makes a GET of a POST, or a POST of a GET, is judged as both.
#[test]
fn a_method_override_to_get_opens_nothing() {
    let (acme, postern) = jira("read_only = true\npublic = [\"GET /rest/api/2/status\"]");
    let token = acme.token().sign();
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        let write = call("POST", API).header(name, "GET").bearer(&token);
        postern.ask(&write).is_refused(403, "read_only");
        let write = call("GET", "/rest/api/2/status").header(name, "PUT");
        postern.ask(&write).is_refused(403, "read_only");
        let read = call("GET", "/rest/api/2/status").header(name, "GET");
        postern.ask(&read).passes_as("public");
    }
    let doubled = call("GET", API)
        .bearer(&token)
        .header("X-HTTP-Method", "GET");
    let doubled = doubled.header("X-HTTP-Method-Override", "GET");
    postern.ask(&doubled).is_refused(400, "bad_check_request");
}

/// The products forward `/s/…/_/P` to `P`, and decode what is encoded: the API is the API.
#[test]
fn the_api_by_another_path_is_the_api() {
    let (acme, postern) = jira("");
    for uri in [
        "/s/x/_/rest/api/2/myself",
        "/S/x/y/_/rest/api/2/myself",
        "/%72est/api/2/myself",
        "/r%65st/%61pi/2/myself",
    ] {
        postern
            .ask(&call("GET", uri))
            .is_refused(401, "no_credential");
        let expired = acme.token().expires_in(-600).sign();
        postern
            .ask(&call("GET", uri).bearer(&expired))
            .is_refused(401, "expired");
        postern
            .ask(&call("GET", uri).bearer(&acme.token().sign()))
            .is_allowed_as("ada");
    }
    postern
        .ask(&call("GET", "/s/x/_/images/a.png"))
        .passes_as("outside");
}

/// Another tenant lies beside the context path, and is not judged by this one's rules.
#[test]
fn a_path_without_the_context_path_is_not_this_tenants() {
    let acme = issuer();
    let file = tenant("jira")
        .url("https://example.com/jira")
        .trusting(&acme);
    let postern = Postern::with(file).start();
    postern.until_keys("jira");
    let token = acme.token().sign();
    let at = |uri: &str| postern.ask(&call("GET", uri).bearer(&token));
    at("/jira/rest/api/2/myself").is_allowed_as("ada");
    at("/rest/api/2/myself").is_refused(403, "not_this_tenant");
    at("/jirax/rest/api/2/myself").is_refused(403, "not_this_tenant");
}

/// A credential in the query is one under any spelling of its name, and on any path.
#[test]
fn a_credential_in_the_query_is_refused_however_it_is_written() {
    let (_acme, postern) = jira("anonymous = \"pass\"\npublic = [\"/rest/api/2/status\"]");
    for query in [
        "os_username=ada",
        "os_password=x",
        "os_authType=basic",
        "OS_USERNAME=ada",
        "%6fs_username=ada",
        "a=b&os%5Fpassword=x",
        "access_token=x",
        "access%5ftoken=x",
        "oauth_token=x",
        "%6F%61uth_consumer_key=x",
        "xoauth_requestor_id=ada",
        "xoauth%5Frequestor_id=ada",
        "oauth_=",
    ] {
        for path in [API, "/browse/A-1", "/rest/api/2/status", "/login.jsp"] {
            let uri = format!("{path}?{query}");
            for request in [call("GET", &uri), call("GET", &uri).session()] {
                postern.ask(&request).is_refused(400, "credential_in_query");
            }
        }
    }
    let honest: &[Request] = &[
        call("GET", &format!("{API}?username=ada&oauthtoken=x&user_id=1")),
        call("GET", &format!("{API}?jql=os_username%3Dada")),
    ];
    for request in honest {
        postern.ask(request).passes_as("anonymous");
    }
}
