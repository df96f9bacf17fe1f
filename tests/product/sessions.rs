//! See `../product.rs`.

use super::{cookie, jira, knows_ada, product, told, whose, with_cookies};
use crate::harness::{Postern, Request, emulator::Emulator, eventually, issuer, tenant};

/// Each product is asked in its own way. A session that is somebody's passes with the product deciding the rest; one
/// that is nobody's is refused.
#[test]
fn a_session_that_is_somebodys_passes_and_an_invented_one_does_not() {
    for kind in ["jira", "confluence", "bitbucket"] {
        let upstream = product(kind);
        let file = tenant("t").product(kind).checking_sessions(&upstream.url());
        let postern = Postern::with(file).start();
        let ada = with_cookies("t", cookie(kind));
        let answer = postern.ask(&ada);
        answer.passes_as("session");
        assert_eq!(answer.header("cookie"), Some(cookie(kind)), "{kind}");
        let invented = cookie(kind).replace("ada", "invented");
        postern
            .ask(&with_cookies("t", &invented))
            .is_refused(401, "no_credential");
        assert_eq!(upstream.hits(whose(kind)), 2, "{kind}");
        assert_eq!(upstream.asked().len(), 2, "nothing else was asked");
        eventually("the log says why", || {
            postern
                .log()
                .contains("the product says that it is nobody's")
        });
    }
}

/// The product sees the session cookies, the caller's address and its own host name, and nothing else of the request.
#[test]
fn the_product_is_shown_the_session_and_nothing_else() {
    let upstream = product("jira");
    let postern = Postern::with(jira("jira", &upstream)).start();
    let cookies = "theme=dark; JSESSIONID=ada;tracking=1; xJSESSIONID=2; atlassian.xsrf.token=B1";
    let request = with_cookies("jira", cookies).header("User-Agent", "a browser");
    let answer = postern.ask(&request);
    answer.passes_as("session");
    assert_eq!(
        answer.header("cookie"),
        Some(cookies),
        "it goes on untouched"
    );
    let asked = upstream.asked();
    let [asked] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(
        (&*asked.method, &*asked.target),
        ("GET", "/rest/api/2/myself")
    );
    assert_eq!(asked.header("cookie"), Some("JSESSIONID=ada"));
    assert_eq!(asked.header("host"), Some("jira.example.com"));
    assert_eq!(asked.header("x-forwarded-for"), Some("192.0.2.7"));
    assert_eq!(asked.header("authorization"), None);
    assert!(
        asked
            .header("user-agent")
            .is_some_and(|agent| agent.starts_with("postern/"))
    );
}

/// All of a product's session cookies are shown together, as the browser sent them: with Crowd's single sign-on it is
/// not the product's own that says who it is.
#[test]
fn single_sign_on_is_a_session() {
    let upstream = Emulator::start(|asked| {
        let sso = asked.header("cookie") == Some("JSESSIONID=old; crowd.token_key=t0ken");
        told("jira", sso.then_some("ada"))
    });
    let postern = Postern::with(jira("jira", &upstream)).start();
    postern
        .ask(&with_cookies(
            "jira",
            "JSESSIONID=old; a=b; crowd.token_key=t0ken",
        ))
        .passes_as("session");
    postern
        .ask(&with_cookies(
            "jira",
            "JSESSIONID=old; a=b; crowd.token_kex=t0ken",
        ))
        .is_refused(401, "no_credential");
}

/// A cookie of another name is no session, and nobody is asked about it.
#[test]
fn a_cookie_of_another_name_is_not_asked_about() {
    let upstream = Emulator::start(|_| told("jira", Some("ada")));
    let postern = Postern::with(jira("jira", &upstream)).start();
    postern
        .ask(&with_cookies(
            "jira",
            "BITBUCKETSESSIONID=ada; theme=JSESSIONID",
        ))
        .is_refused(401, "no_credential");
    assert_eq!(upstream.asked().len(), 0);
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .passes_as("session");
}

/// Bitbucket would use up a remembered login by being asked, and take the browser's for stolen: it is not shown. The
/// browser gets a session by the next page that it loads, which passes untouched.
#[test]
fn a_remembered_login_is_not_spent() {
    let upstream = product("bitbucket");
    let file = tenant("code")
        .product("bitbucket")
        .checking_sessions(&upstream.url());
    let postern = Postern::with(file).start();
    let remembered = "_atl_bitbucket_remember_me=ada";
    postern
        .ask(&with_cookies("code", remembered))
        .is_refused(401, "no_credential");
    assert_eq!(upstream.asked().len(), 0);
    postern
        .ask(&Request::check("code", "/projects").header("Cookie", remembered))
        .passes_as("outside");
    postern
        .ask(&with_cookies(
            "code",
            &format!("{remembered}; {}", cookie("bitbucket")),
        ))
        .passes_as("session");
    assert_eq!(
        upstream.asked()[0].header("cookie"),
        Some(cookie("bitbucket"))
    );
}

/// What is judged without a session is judged without the product: tokens, with whatever cookies, pages, public paths.
#[test]
fn the_product_is_asked_about_sessions_only() {
    let (acme, upstream) = (issuer(), product("jira"));
    let file = jira("jira", &upstream)
        .trusting(&acme)
        .access("public = [\"GET /rest/api/2/serverInfo\"]");
    let postern = Postern::with(file).start();
    let invented = |uri: &str| Request::check("jira", uri).header("Cookie", "JSESSIONID=invented");
    postern
        .ask(&invented("/rest/api/2/search").bearer(&acme.token().sign()))
        .is_allowed_as("ada");
    postern.ask(&invented("/browse/A-1")).passes_as("outside");
    postern
        .ask(&invented("/rest/api/2/serverInfo"))
        .passes_as("public");
    assert_eq!(upstream.asked().len(), 0);
    postern
        .ask(&invented("/rest/api/2/search"))
        .is_refused(401, "no_credential");
    assert_eq!(upstream.asked().len(), 1);
}

/// A session that is nobody's is no more than no session: where that passes, it passes as that.
#[test]
fn a_dead_session_is_anonymous_where_anonymous_passes() {
    let upstream = product("jira");
    let file = jira("jira", &upstream).access("anonymous = \"pass\"");
    let postern = Postern::with(file).start();
    postern
        .ask(&with_cookies("jira", "JSESSIONID=dead"))
        .passes_as("anonymous");
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .passes_as("session");
}

/// Below a context path, the product is asked there.
#[test]
fn the_context_path_is_that_of_the_url() {
    let upstream = Emulator::start(|asked| match asked.path() {
        "/jira/rest/api/2/myself" => knows_ada("jira", asked),
        other => panic!("asked at {other}"),
    });
    let file = jira("jira", &upstream).url("https://example.com/jira");
    let postern = Postern::with(file).start();
    let request = Request::check("jira", "/jira/rest/api/2/search");
    postern
        .ask(&request.clone().header("Cookie", "JSESSIONID=ada"))
        .passes_as("session");
    postern
        .ask(&request.header("Cookie", "JSESSIONID=eve"))
        .is_refused(401, "no_credential");
}
