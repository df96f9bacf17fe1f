//! See `../nginx.rs`. What passes, and why, as the tables of docs/what-passes.md have it: each kind of request through
//! nginx, for each product. What the product receives is what counts.

use super::{Site, received, refused};
use crate::harness::{Answer, Issuer, Postern, Request, issuer, tenant};

/// How the requests of one product look.
pub struct Kind {
    pub product: &'static str,
    pub api: &'static str,
    pub page: &'static str,
    pub cookie: &'static str,
    /// What must pass before anybody has a credential.
    pub open: (&'static str, &'static str),
    /// Where a login's password is in the body.
    pub login: &'static str,
    /// What gives out credentials.
    pub tokens: &'static str,
}

const KINDS: [Kind; 3] = [
    Kind {
        product: "jira",
        api: "/rest/api/2/myself",
        page: "/browse/A-1",
        cookie: "JSESSIONID=1",
        open: ("POST", "/plugins/servlet/samlconsumer"),
        login: "/rest/auth/1/session",
        tokens: "/rest/pat/latest/tokens",
    },
    Kind {
        product: "confluence",
        api: "/rest/api/content",
        page: "/display/A",
        cookie: "seraph.confluence=1",
        open: ("GET", "/rest/applinks/1.0/manifest"),
        login: "/rpc/xmlrpc",
        tokens: "/rest/pat/latest/tokens",
    },
    Kind {
        product: "bitbucket",
        api: "/rest/api/latest/projects",
        page: "/projects/A",
        cookie: "BITBUCKETSESSIONID=1",
        open: ("GET", "/plugins/servlet/oidc/callback?code=x"),
        login: "/rest/auth/latest/session",
        tokens: "/rest/access-tokens/latest/users/ada",
    },
];

pub const SIGNED: &str = "OAuth oauth_consumer_key=\"k\", oauth_token=\"\", oauth_signature_method=\"RSA-SHA1\", oauth_timestamp=\"1\", oauth_nonce=\"2\", oauth_signature=\"c2ln\"";
pub const PASSWORD: &str = "Basic YWRhOnNlY3JldA==";

impl Kind {
    pub fn get(&self) -> Request {
        Request::new("GET", self.api)
    }

    pub fn page(&self) -> Request {
        Request::new("GET", self.page)
    }
}

/// Each product behind nginx, with these lines in `[access]`.
pub fn each(access: &str, story: impl Fn(&Kind, &Site, &Issuer)) {
    for kind in &KINDS {
        let acme = issuer();
        let file = tenant("jira").product(kind.product).trusting(&acme);
        let Some(site) = Site::of(Postern::with(file.access(access))) else {
            return;
        };
        site.postern.until_keys("jira");
        story(kind, &site, &acme);
    }
}

/// It passed by that method, and the product got these as `Authorization` and `Cookie`.
#[track_caller]
pub fn passed(answer: &Answer, method: &str, authorization: &[&str], cookie: &[&str]) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(received(answer, "postern-method"), [method], "{answer:?}");
    assert_eq!(received(answer, "remote-user"), [""; 0], "{answer:?}");
    assert_eq!(
        received(answer, "authorization"),
        authorization,
        "{answer:?}"
    );
    assert_eq!(received(answer, "cookie"), cookie, "{answer:?}");
}

/// How many cookies of the product reached the client.
pub fn cookies_set(answer: &Answer) -> usize {
    let names = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    names.count()
}

/// A product's pages call its API with their session.
#[test]
fn behind_nginx_a_session_passes_with_its_cookies() {
    each("", |kind, site, _| {
        for request in [kind.get(), Request::new("POST", kind.api)] {
            let answer = site.ask(&request.header("Cookie", kind.cookie));
            passed(&answer, "session", &[], &[kind.cookie]);
            assert_eq!(cookies_set(&answer), 2);
        }
        let page = site.ask(&kind.page().header("Cookie", kind.cookie));
        passed(&page, "outside", &[], &[kind.cookie]);
    });
}

/// Where sessions are denied, pages keep working and the API is for credentials.
#[test]
fn behind_nginx_sessions_can_be_kept_off_the_api() {
    each("sessions = \"deny\"", |kind, site, _| {
        let api = site.ask(&kind.get().header("Cookie", kind.cookie));
        refused(&api, 401, "no_credential");
        let page = site.ask(&kind.page().header("Cookie", kind.cookie));
        passed(&page, "outside", &[], &[kind.cookie]);
    });
}

/// Nothing at all: pages and what a login needs, and no API.
#[test]
fn behind_nginx_nothing_opens_pages_and_what_a_login_needs() {
    each("", |kind, site, _| {
        refused(&site.ask(&kind.get()), 401, "no_credential");
        passed(&site.ask(&kind.page()), "outside", &[], &[]);
        let open = site.ask(&Request::new(kind.open.0, kind.open.1));
        passed(&open, "open", &[], &[]);
        // Whoever logs in there gets the session.
        assert_eq!(cookies_set(&open), 2);
        let preflight = Request::new("OPTIONS", kind.api).header("Origin", "https://a.example");
        refused(&site.ask(&preflight), 401, "no_credential");
        let preflight = preflight.header("Access-Control-Request-Method", "POST");
        passed(&site.ask(&preflight), "open", &[], &[]);
    });
}

/// The product's own anonymous access, where the file leaves it to the product.
#[test]
fn behind_nginx_anonymous_calls_pass_where_the_file_says_so() {
    each("anonymous = \"pass\"", |kind, site, _| {
        passed(&site.ask(&kind.get()), "anonymous", &[], &[]);
    });
}

/// A path that the file calls public, and one method of it.
#[test]
fn behind_nginx_a_public_call_needs_nothing() {
    each(
        "public = [\"GET /rest/api/latest/status\"]",
        |_, site, _| {
            let status = |method| site.ask(&Request::new(method, "/rest/api/latest/status"));
            passed(&status("GET"), "public", &[], &[]);
            refused(&status("POST"), 401, "no_credential");
        },
    );
}

/// A password is refused wherever it is sent, and in a body too.
#[test]
fn behind_nginx_a_password_is_refused_everywhere() {
    each("", |kind, site, _| {
        for request in [
            kind.get(),
            kind.page(),
            Request::new(kind.open.0, kind.open.1),
        ] {
            let request = request.header("Authorization", PASSWORD);
            refused(&site.ask(&request), 401, "password_not_allowed");
        }
        refused(
            &site.ask(&Request::new("POST", kind.login)),
            401,
            "password_not_allowed",
        );
    });
}

/// Where passwords pass, they pass without the cookies beside them; the session that they earn is the user's.
#[test]
fn behind_nginx_a_password_passes_where_the_file_says_so() {
    each("passwords = \"pass\"", |kind, site, _| {
        let request = kind.get().header("Authorization", PASSWORD);
        let answer = site.ask(&request.header("Cookie", kind.cookie));
        passed(&answer, "password", &[PASSWORD], &[]);
        assert_eq!(cookies_set(&answer), 2);
        passed(
            &site.ask(&Request::new("POST", kind.login)),
            "password",
            &[],
            &[],
        );
    });
}

/// The exceptions: by network, by account, and for the day on which nothing else works.
#[test]
fn behind_nginx_some_passwords_are_excepted() {
    for (access, passes) in [
        ("password_networks = [\"127.0.0.0/8\"]", true),
        ("password_networks = [\"192.0.2.0/24\"]", false),
        ("password_accounts = [\"ada\"]", true),
        ("password_accounts = [\"svc-*\"]", false),
        ("break_glass = [\"ada\"]", true),
        (
            "break_glass = [\"ada\"]\ndeny_networks = [\"127.0.0.1\"]",
            false,
        ),
    ] {
        each(access, |kind, site, _| {
            let answer = site.ask(&kind.get().header("Authorization", PASSWORD));
            if passes {
                passed(&answer, "password", &[PASSWORD], &[]);
            } else {
                assert!(matches!(answer.status, 401 | 403), "{access}: {answer:?}");
            }
        });
    }
}

/// An application link is the product's to judge; it passes without cookies, and earns none.
#[test]
fn behind_nginx_an_application_link_passes_without_cookies() {
    each("", |kind, site, _| {
        let request = kind.get().header("Authorization", SIGNED);
        let answer = site.ask(&request.header("Cookie", kind.cookie));
        passed(&answer, "oauth1", &[SIGNED], &[]);
        assert_eq!(cookies_set(&answer), 0);
        let less = SIGNED.replace("oauth_nonce=\"2\", ", "");
        let request = kind.get().header("Authorization", &less);
        refused(&site.ask(&request), 401, "malformed_token");
    });
}

/// Where links are denied.
#[test]
fn behind_nginx_application_links_can_be_refused() {
    each("oauth1 = \"deny\"", |kind, site, _| {
        let request = kind.get().header("Authorization", SIGNED);
        refused(&site.ask(&request), 401, "unsupported_scheme");
    });
}

/// A provider's token: the product hears who it is, and gets neither the token nor a cookie; a page judges it as the API.
#[test]
fn behind_nginx_a_token_is_an_identity_and_nothing_else() {
    each("", |kind, site, acme| {
        let (good, old) = (acme.token().sign(), acme.token().expires_in(-600).sign());
        for request in [kind.get(), kind.page()] {
            let request = request.header("Cookie", kind.cookie);
            let answer = site.ask(&request.clone().bearer(&good));
            assert_eq!(received(&answer, "remote-user"), ["ada"], "{answer:?}");
            assert_eq!(received(&answer, "authorization"), [""; 0], "{answer:?}");
            assert_eq!(received(&answer, "cookie"), [""; 0], "{answer:?}");
            assert_eq!(cookies_set(&answer), 0);
            refused(&site.ask(&request.bearer(&old)), 401, "expired");
        }
    });
}

/// No token reaches what gives out others.
#[test]
fn behind_nginx_a_token_mints_no_token() {
    each("", |kind, site, acme| {
        let request = Request::new("POST", kind.tokens);
        let by_token = site.ask(&request.clone().bearer(&acme.token().sign()));
        refused(&by_token, 403, "token_endpoint");
        let by_session = site.ask(&request.header("Cookie", kind.cookie));
        passed(&by_session, "session", &[], &[kind.cookie]);
    });
}

/// The product's own token passes as nobody, where the file says so.
#[test]
fn behind_nginx_a_product_token_passes_where_the_file_says_so() {
    let request = |kind: &Kind| {
        let request = kind.get().header("Cookie", kind.cookie);
        request.bearer("NjE2MDk0OTc4MTU1OvA5")
    };
    each("", |kind, site, _| {
        refused(&site.ask(&request(kind)), 401, "malformed_token");
    });
    each("product_tokens = \"pass\"", |kind, site, _| {
        let answer = site.ask(&request(kind));
        passed(
            &answer,
            "product-token",
            &["Bearer NjE2MDk0OTc4MTU1OvA5"],
            &[],
        );
        assert_eq!(cookies_set(&answer), 0);
    });
}

/// Another scheme is left to the product, where the file lists it.
#[test]
fn behind_nginx_a_listed_scheme_passes() {
    let request = |kind: &Kind| kind.get().header("Authorization", "Negotiate YII=");
    each("", |kind, site, _| {
        refused(&site.ask(&request(kind)), 401, "unsupported_scheme");
    });
    each("pass_schemes = [\"Negotiate\"]", |kind, site, _| {
        passed(
            &site.ask(&request(kind)),
            "scheme",
            &["Negotiate YII="],
            &[],
        );
    });
}

/// What a rule asks of a token, and what it denies to everybody.
#[test]
fn behind_nginx_rules_are_asked() {
    let rules = "[[access.rule]]\npath = \"/rest/x/**\"\nscopes = [\"x\"]\n[[access.rule]]\npath = \"/rest/y/**\"\neffect = \"deny\"\n";
    each(rules, |kind, site, acme| {
        let x = Request::new("GET", "/rest/x/1");
        let with = acme.token().scope("x").sign();
        assert_eq!(site.ask(&x.clone().bearer(&with)).status, 200);
        refused(
            &site.ask(&x.bearer(&acme.token().sign())),
            403,
            "insufficient_scope",
        );
        let y = Request::new("GET", "/rest/y/1").header("Cookie", kind.cookie);
        refused(&site.ask(&y), 403, "rule_denied");
    });
}

/// A credential in the query, whatever else there is.
#[test]
fn behind_nginx_a_credential_in_the_query_is_refused() {
    each("anonymous = \"pass\"", |kind, site, acme| {
        for query in [
            "os_username=ada&os_password=x",
            "access_token=x",
            "oauth_token=x",
        ] {
            let request = Request::new("GET", &format!("{}?{query}", kind.api));
            refused(&site.ask(&request), 400, "credential_in_query");
            let request = request.bearer(&acme.token().sign());
            refused(&site.ask(&request), 400, "credential_in_query");
        }
    });
}
