//! See `../access.rs`.

use super::{API, Postern, Request, call, issuer, jira, tenant};

/// What an application link sends (RFC 5849 §3.5.1): it speaks for itself, so that the token is empty.
pub const SIGNED: &str = "OAuth oauth_consumer_key=\"jenkins\", oauth_token=\"\", oauth_signature_method=\"RSA-SHA1\", oauth_timestamp=\"1\", oauth_nonce=\"2\", oauth_signature=\"c2ln\", oauth_version=\"1.0\"";
const SIGNED_QUERY: &str = "oauth_consumer_key=jenkins&oauth_token=&oauth_signature_method=RSA-SHA1&oauth_timestamp=1&oauth_nonce=2&oauth_signature=c2ln";

fn signed(uri: &str) -> Request {
    call("GET", uri).header("Authorization", SIGNED)
}

/// It passes as it came but for the cookies, since a session beside it would be taken for the caller.
#[test]
fn a_request_of_an_application_link_passes_without_cookies() {
    let (_acme, postern) = jira("");
    let passed = postern.ask(&signed(API).session());
    passed.passes_as("oauth1");
    assert_eq!(passed.sends_on(), (SIGNED, ""));
    postern.ask(&signed("/browse/A-1")).passes_as("oauth1");
    let in_query = call("GET", &format!("{API}?{SIGNED_QUERY}")).session();
    let in_query = postern.ask(&in_query);
    in_query.passes_as("oauth1");
    assert_eq!(in_query.sends_on(), ("", ""));
    // In parts of both.
    let header = SIGNED.replace("oauth_nonce=\"2\", ", "");
    let both = call("GET", &format!("{API}?oauth_nonce=2")).header("Authorization", &header);
    postern.ask(&both).passes_as("oauth1");
}

/// Its own parameters may stand in the query, and nobody else's.
#[test]
fn a_link_names_its_user_in_the_query() {
    let (acme, postern) = jira("");
    for query in [
        "xoauth_requestor_id=ada",
        "user_id=ada",
        "oauth_version=1.0",
    ] {
        let uri = format!("{API}?{query}");
        postern.ask(&signed(&uri)).passes_as("oauth1");
    }
    for query in [
        "os_username=ada",
        "os_password=x",
        "os_authType=basic",
        "os_authType=none",
        "access_token=x",
    ] {
        let uri = format!("{API}?xoauth_requestor_id=ada&{query}");
        postern
            .ask(&signed(&uri))
            .is_refused(400, "credential_in_query");
        let uri = format!("{API}?{SIGNED_QUERY}&{query}");
        postern
            .ask(&call("GET", &uri))
            .is_refused(400, "credential_in_query");
    }
    let token = acme.token().sign();
    for query in [
        "xoauth_requestor_id=ada",
        "oauth_token=",
        "%6fauth_nonce=1",
        "OAUTH_TOKEN=x",
        SIGNED_QUERY,
    ] {
        let request = call("GET", &format!("{API}?{query}")).bearer(&token);
        postern.ask(&request).is_refused(400, "credential_in_query");
    }
    // To everybody but a link it means nothing.
    let user_id = call("GET", &format!("{API}?user_id=ada")).bearer(&token);
    postern.ask(&user_id).is_allowed_as("ada");
}

/// All six once each; anything less, or twice, is no request of a link.
#[test]
fn an_incomplete_signature_is_malformed() {
    let (_acme, postern) = jira("anonymous = \"pass\"");
    for (from, to) in [
        ("oauth_consumer_key=\"jenkins\", ", ""),
        ("oauth_token=\"\", ", ""),
        ("oauth_signature_method=\"RSA-SHA1\", ", ""),
        ("oauth_timestamp=\"1\", ", ""),
        ("oauth_nonce=\"2\", ", ""),
        ("oauth_signature=\"c2ln\", ", ""),
        ("\"jenkins\"", "\"\""),
        ("oauth_nonce=\"2\"", "oauth_nonce=\"2\", oauth_nonce=\"2\""),
        ("oauth_nonce=\"2\"", "oauth_nonce=2"),
        (", oauth_version", " oauth_version"),
    ] {
        let header = SIGNED.replace(from, to);
        assert_ne!(header, SIGNED);
        let request = call("GET", API).header("Authorization", &header);
        postern.ask(&request).is_refused(401, "malformed_token");
    }
    let doubled = signed(&format!("{API}?oauth_token="));
    postern.ask(&doubled).is_refused(401, "malformed_token");
    for query in [&SIGNED_QUERY[1..], "oauth_token=x", "oauth_consumer_key=x"] {
        let request = call("GET", &format!("{API}?x={query}").replace("x=", "a=1&"));
        postern.ask(&request).is_refused(400, "credential_in_query");
    }
}

/// Where links are not wanted, a whole signature is no more than a junk one.
#[test]
fn links_can_be_refused() {
    let (_acme, postern) = jira("oauth1 = \"deny\"\nanonymous = \"pass\"");
    postern
        .ask(&signed(API))
        .is_refused(401, "unsupported_scheme");
    let in_query = call("GET", &format!("{API}?{SIGNED_QUERY}"));
    postern
        .ask(&in_query)
        .is_refused(400, "credential_in_query");
}

/// The dance by which a link gets its first token: there is none yet, and a browser carries it around.
#[test]
fn the_dance_of_a_link_passes() {
    let (_acme, postern) = jira("");
    let first = SIGNED.replace("oauth_token=\"\", ", "");
    let ask = |uri: &str| postern.ask(&call("POST", uri).header("Authorization", &first));
    ask("/plugins/servlet/oauth/request-token").passes_as("oauth1");
    ask("/plugins/servlet/oauth/access-token").is_refused(401, "malformed_token");
    let authorize = "/plugins/servlet/oauth/authorize?oauth_token=x&oauth_callback=y";
    let browser = call("GET", authorize).session();
    let passed = postern.ask(&browser);
    passed.passes_as("open");
    assert_eq!(passed.sends_on().1, "JSESSIONID=1; theme=dark");
    let back = "/plugins/servlet/applinks/oauth/login-dance/access?oauth_token=x&oauth_verifier=y";
    postern.ask(&call("GET", back).session()).passes_as("open");
    let more = format!("{authorize}&oauth_consumer_key=x");
    postern
        .ask(&call("GET", &more))
        .is_refused(400, "credential_in_query");
    let elsewhere = call("GET", &format!("{API}?oauth_token=x")).session();
    postern
        .ask(&elsewhere)
        .is_refused(400, "credential_in_query");
}

/// An opaque token that no provider takes may be one of the product's; it passes alone and as nobody.
#[test]
fn a_product_token_passes_where_the_file_says_so() {
    let (mallory, stranger) = (issuer(), call("GET", API).session());
    let (_acme, closed) = jira("");
    let (_other, open) = jira("product_tokens = \"pass\"");
    let request = stranger.clone().bearer("NjE2MDk0OTc4MTU1OvA5TqS");
    closed.ask(&request).is_refused(401, "malformed_token");
    let passed = open.ask(&request);
    passed.passes_as("product-token");
    assert_eq!(passed.sends_on(), ("Bearer NjE2MDk0OTc4MTU1OvA5TqS", ""));
    // A JWT says whose it is, and whose it is not.
    let jwt = stranger.bearer(&mallory.token().sign());
    open.ask(&jwt).is_refused(401, "unknown_issuer");
    let junk = call("GET", API).header("Authorization", "Bearer a b");
    open.ask(&junk).is_refused(401, "malformed_token");
}

/// Whose prefix a token has, he is asked about it; it never becomes the product's.
#[test]
fn a_token_that_a_provider_takes_is_not_the_products() {
    let acme = issuer();
    let file = tenant("jira").asking(&acme).with("token_prefix = \"ac_\"");
    let postern = Postern::with(file.access("product_tokens = \"pass\"")).start();
    let (good, gone) = (
        acme.token().prefix("ac_").opaque(),
        acme.token().prefix("ac_").opaque(),
    );
    acme.revoke(&gone);
    let ask = |token: &str| postern.ask(&call("GET", API).bearer(token));
    ask(&good).is_allowed_as("ada");
    ask(&gone).is_refused(401, "inactive");
    ask("xy_1").passes_as("product-token");
}

/// Bitbucket's tokens stand in place of a password as well; its passwords do not become tokens by that.
#[test]
fn a_token_of_bitbucket_passes_in_basic() {
    let acme = issuer();
    let file = tenant("jira").product("bitbucket").trusting(&acme);
    let postern = Postern::with(file.access("product_tokens = \"pass\"")).start();
    let token = format!("BBDC-{}", "x".repeat(44));
    let git = || call("GET", "/scm/a/b.git/info/refs");
    postern
        .ask(&git().basic("ada", &token))
        .passes_as("product-token");
    postern
        .ask(&git().basic("x-token-auth", "any"))
        .passes_as("product-token");
    postern
        .ask(&git().basic("ada", "BBDC-short"))
        .is_refused(401, "password_not_allowed");
    let (_acme, jira) = jira("product_tokens = \"pass\"");
    let of_jira = call("GET", API).basic("ada", &token);
    jira.ask(&of_jira).is_refused(401, "password_not_allowed");
}

/// Other schemes are the product's business where the file says so; cookies go along only where they may pass alone.
#[test]
fn a_listed_scheme_is_left_to_the_product() {
    let negotiate = || {
        call("GET", API)
            .session()
            .header("Authorization", "negotiate YII=")
    };
    let (_acme, postern) = jira("pass_schemes = [\"Negotiate\"]");
    let passed = postern.ask(&negotiate());
    passed.passes_as("scheme");
    assert_eq!(
        passed.sends_on(),
        ("negotiate YII=", "JSESSIONID=1; theme=dark")
    );
    let other = call("GET", API).header("Authorization", "JWT eyJ");
    postern.ask(&other).is_refused(401, "unsupported_scheme");
    let (_acme, postern) = jira("pass_schemes = [\"Negotiate\"]\nsessions = \"deny\"");
    let passed = postern.ask(&negotiate());
    passed.passes_as("scheme");
    assert_eq!(passed.sends_on(), ("negotiate YII=", ""));
    let (_acme, postern) = jira("");
    postern
        .ask(&negotiate())
        .is_refused(401, "unsupported_scheme");
}
