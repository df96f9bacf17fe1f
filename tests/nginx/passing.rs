//! See `../nginx.rs`.

use super::{Site, jira, myself, received, refused};
use crate::harness::{Answer, Postern, Request, connect, issuer};

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
        let mut stream = connect(site.nginx.address());
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
