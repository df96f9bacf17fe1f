//! See `main.rs`. The configuration is `proxies/nginx/postern.conf`, the one that README.md shows, with nothing changed
//! but its addresses.

/// nginx, the product behind it, and a relay that counts connections.
mod parts;

use parts::{Nginx, Product, Relay, StandIn};

use crate::harness::{
    Answer, Issuer, Postern, PosternBuilder, Request, TenantFile, issuer, tenant,
};

/// A Jira behind nginx, guarded by Postern.
struct Site {
    postern: Postern,
    relay: Relay,
    nginx: Nginx,
    _product: Product,
}

impl Site {
    fn of(postern: PosternBuilder) -> Option<Self> {
        Nginx::installed()?;
        let postern = postern.start();
        let relay = Relay::to(postern.address());
        let product = Product::start();
        let nginx = Nginx::start(relay.address(), product.address());
        Some(Self {
            postern,
            relay,
            nginx,
            _product: product,
        })
    }

    /// A tenant `jira` that trusts this issuer, with its keys fetched.
    fn trusting(acme: &Issuer) -> Option<Self> {
        let site = Self::of(Postern::with(jira(acme)))?;
        site.postern.until_keys("jira");
        Some(site)
    }

    fn get(&self, token: &str) -> Answer {
        self.ask(&myself().bearer(token))
    }

    fn ask(&self, request: &Request) -> Answer {
        request.send(self.nginx.address())
    }
}

fn jira(acme: &Issuer) -> TenantFile {
    tenant("jira").trusting(acme)
}

fn myself() -> Request {
    Request::new("GET", "/rest/api/2/myself")
}

/// The lines that reached the product under that name, in any spelling that a server may fold to it.
fn received<'a>(answer: &'a Answer, name: &str) -> Vec<&'a str> {
    answer
        .body
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(|(known, _)| known.to_ascii_lowercase().replace(['_', '.'], "-") == name)
        .map(|(_, value)| value)
        .collect()
}

/// A refusal as a REST client sees it: the true status, JSON with the reason and the request's id.
#[track_caller]
fn refused(answer: &Answer, status: u16, reason: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    assert_eq!(body["error_description"], reason, "{answer:?}");
    let id = body["request_id"].as_str().unwrap_or_default();
    assert!(!id.is_empty(), "{answer:?}");
    assert_eq!(answer.header("postern-request-id"), Some(id));
}

/// A good token passes, raw address and all, and the product learns who it is but sees no token. With one
/// character changed the call ends at nginx.
#[test]
fn a_token_passes_to_the_product_as_its_account() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = acme.token().subject("ada").sign();
    let raw = "/rest/api/2/search?jql=a%20b%2Fc&x=%C3%BC";
    let passed = site.ask(
        &Request::new("GET", raw)
            .bearer(&token)
            .header("Cookie", "JSESSIONID=1"),
    );
    assert_eq!(passed.status, 200, "{passed:?}");
    assert!(
        passed.body.starts_with(&format!("GET {raw} HTTP/1.1\n")),
        "{passed:?}"
    );
    assert_eq!(received(&passed, "remote-user"), ["ada"]);
    assert_eq!(received(&passed, "postern-method"), ["jwt"]);
    assert_eq!(received(&passed, "authorization"), Vec::<&str>::new());
    assert_eq!(received(&passed, "cookie"), Vec::<&str>::new());
    assert_eq!(
        (
            passed.header("cache-control"),
            passed.header("postern-request-id")
        ),
        (None, None)
    );

    let broken = site.get(&(token + "A"));
    refused(&broken, 401, "bad_signature");
    let challenges: Vec<_> = broken
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .collect();
    assert_eq!(challenges.len(), 1, "{broken:?}");
    assert!(
        challenges[0]
            .1
            .starts_with("Bearer realm=\"postern\", error=\"invalid_token\"")
    );
}

/// The method and the body reach the product; the check itself has neither, and the next one is not mixed up.
#[test]
fn a_body_goes_to_the_product_and_not_to_postern() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = acme.token().sign();
    for _ in 0..3 {
        let mut stream = crate::harness::connect(site.nginx.address());
        let bytes = format!(
            "POST /rest/api/2/issue HTTP/1.1\r\nHost: jira\r\nAuthorization: Bearer {token}\r\nContent-Length: 8\r\n\r\n{{\"a\": 1}}"
        );
        std::io::Write::write_all(&mut stream, bytes.as_bytes()).expect("it is read");
        let passed = Answer::read(&mut stream, "POST");
        assert!(
            passed.body.starts_with("POST /rest/api/2/issue "),
            "{passed:?}"
        );
        assert!(passed.body.ends_with("\n\n{\"a\": 1}"), "{passed:?}");
        refused(&site.ask(&myself()), 401, "no_credential");
    }
}

/// Identity is Postern's to tell: whatever a client sends under these names, in any spelling, the product gets
/// Postern's word or nothing.
#[test]
fn identity_headers_of_a_client_are_overwritten() {
    let acme = issuer();
    let tenant = jira(&acme).access("anonymous = \"pass\"");
    let Some(site) = Site::of(Postern::with(tenant)) else {
        return;
    };
    let token = acme.token().subject("ada").sign();
    let spoofed = |name: &str| myself().header(name, "admin").header(name, "root");
    for name in [
        "Remote-User",
        "remote_user",
        "Remote.User",
        "REMOTE-USER",
        "Remote-Groups",
        "remote_groups",
        "Remote-Email",
        "Remote-Name",
        "Postern-Method",
        "Postern-Provider",
        "Postern-Request-Id",
        "Postern-Upstream-Uri",
    ] {
        let passed = site.ask(&spoofed(name).bearer(&token));
        assert_eq!(
            received(&passed, "remote-user"),
            ["ada"],
            "{name}: {passed:?}"
        );
        assert!(
            !passed.body.contains("admin") && !passed.body.contains("root"),
            "{name}: {passed:?}"
        );
        let nobody = site.ask(&spoofed(name));
        assert_eq!(nobody.status, 200, "{nobody:?}");
        assert_eq!(
            received(&nobody, "remote-user"),
            Vec::<&str>::new(),
            "{name}"
        );
        assert_eq!(received(&nobody, "postern-method"), ["anonymous"], "{name}");
        assert!(
            !nobody.body.contains("admin") && !nobody.body.contains("root"),
            "{name}: {nobody:?}"
        );
    }
}

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

/// The product's session cookie on an answer to a token is dropped, or the token would earn a session that outlives
/// it. Where the product decides about its own session, every one of its cookies arrives.
#[test]
fn a_token_earns_no_session() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let cookies = |answer: &Answer| {
        answer
            .headers
            .iter()
            .filter(|(name, _)| name == "set-cookie")
            .count()
    };
    let judged = site.get(&acme.token().sign());
    assert_eq!((judged.status, cookies(&judged)), (200, 0), "{judged:?}");
    let session = site.ask(&myself().header("Cookie", "JSESSIONID=ABC; other=1"));
    assert_eq!((session.status, cookies(&session)), (200, 2), "{session:?}");
    assert_eq!(received(&session, "cookie"), ["JSESSIONID=ABC; other=1"]);
    assert_eq!(received(&session, "postern-method"), ["session"]);
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

/// The largest that is promised passes: a token of 16 KiB beside a cookie of 8 KiB, and 200 groups for the product.
#[test]
fn a_large_token_a_large_cookie_and_many_groups_pass() {
    let acme = issuer();
    let groups: Vec<String> = (0..200)
        .map(|number| format!("group-number-{number:04}"))
        .collect();
    let tenant = jira(&acme).access(&format!("allow_groups = {groups:?}"));
    let Some(site) = Site::of(Postern::with(tenant)) else {
        return;
    };
    site.postern.until_keys("jira");
    let sized = |padding: usize| {
        acme.token()
            .groups(groups.clone())
            .claim("pad", "x".repeat(padding))
            .sign()
    };
    let token = sized((16 * 1024 - sized(0).len()) * 3 / 4 - 3);
    assert!(
        (16 * 1024 - 8..=16 * 1024).contains(&token.len()),
        "{}",
        token.len()
    );
    let cookie = format!("JSESSIONID=1; large={}", "y".repeat(8 * 1024 - 21));
    let passed = site.ask(&myself().bearer(&token).header("Cookie", &cookie));
    assert_eq!(
        received(&passed, "remote-groups"),
        [groups.join(",")],
        "{passed:?}"
    );

    let session = site.ask(&myself().header("Cookie", &cookie));
    assert_eq!(received(&session, "cookie"), [cookie], "{session:?}");
    let too_large = sized((16 * 1024 - sized(0).len()) * 3 / 4 + 9);
    refused(&site.get(&too_large), 401, "malformed_token");
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

/// 429 has no reason yet that this Postern gives; the configuration is ready for it.
#[test]
fn too_many_requests_is_mapped_with_its_time() {
    if Nginx::installed().is_none() {
        return;
    }
    let limit = StandIn::answering(
        "HTTP/1.1 429 Too Many Requests\r\nPostern-Reason: rate_limited\r\nPostern-Request-Id: 0af7\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    );
    let product = Product::start();
    let nginx = Nginx::start(limit.address(), product.address());
    let limited = myself().send(nginx.address());
    refused(&limited, 429, "rate_limited");
    assert_eq!(limited.header("retry-after"), Some("7"));
    assert_eq!(product.requests(), 0);
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
