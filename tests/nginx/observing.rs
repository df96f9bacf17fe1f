//! See `../nginx.rs`.

use super::{
    Site, jira,
    kinds::{PASSWORD, SIGNED, cookies_set, each, passed},
    myself, received, refused,
};
use crate::harness::{Answer, Postern, Request, basic, issuer};

/// It came to the product as the client sent it, and the product's cookies came back.
#[track_caller]
fn untouched(answer: &Answer, authorization: &[&str], cookie: &[&str]) {
    passed(answer, "observe", authorization, cookie);
    assert_eq!(cookies_set(answer), 2, "{answer:?}");
}

/// Nothing changes for anybody on the day on which Postern comes. The metric says who would have been turned away; what
/// must pass is put into the file, and then the gate is shut.
#[test]
fn the_gate_is_introduced_without_an_outage() {
    let acme = issuer();
    let open = jira(&acme).access("mode = \"observe\"");
    let Some(site) = Site::of(Postern::with(open.clone())) else {
        return;
    };
    site.postern.until_keys("jira");
    let token = format!("Bearer {}", acme.token().subject("ada").sign());
    let stray = format!("Bearer {}", acme.token().audience("other").sign());
    let (script, person) = (basic("svc-report", "secret"), basic("ada", "secret"));
    let with = |value: &str| {
        let request = myself().header("Cookie", "JSESSIONID=1");
        site.ask(&request.header("Authorization", value))
    };

    // Day one. A plugin of the product knows tokens, a script sends a password, and so does somebody else.
    for value in [&token, &stray, &script, &person] {
        untouched(&with(value), &[value], &["JSESSIONID=1"]);
    }
    let raw = "/rest/api/2/search?jql=a%20b&os_authType=basic";
    let odd = site.ask(&Request::new("GET", raw));
    untouched(&odd, &[], &[]);
    assert!(
        odd.body.starts_with(&format!("GET {raw} HTTP/1.1\n")),
        "{odd:?}"
    );
    // Nobody becomes somebody meanwhile.
    let spoofed = site.ask(&myself().header("Remote-User", "admin"));
    untouched(&spoofed, &[], &[]);

    let would = |reason: &str| site.postern.counted("jira", "observe", reason);
    assert_eq!(would("password_not_allowed"), 2);
    assert_eq!(would("wrong_audience"), 1);
    assert_eq!(would("credential_in_query"), 1);

    // The script must pass. Once the file says so, its password is counted no more.
    let excepted = |mode| {
        let file = jira(&acme).access(&format!("mode = {mode:?}"));
        file.access("password_accounts = [\"svc-*\"]")
    };
    let before = site.postern.generation("jira");
    site.postern.write(&excepted("observe"));
    site.postern.until_generation_after("jira", before);
    untouched(&with(&script), &[&script], &["JSESSIONID=1"]);
    assert_eq!(would("password_not_allowed"), 2);

    // The gate is shut.
    let before = site.postern.generation("jira");
    site.postern.write(&excepted("enforce"));
    site.postern.until_generation_after("jira", before);
    let passed = with(&script);
    assert_eq!(received(&passed, "postern-method"), ["password"]);
    assert_eq!(received(&passed, "authorization"), [script.as_str()]);
    let passed = with(&token);
    assert_eq!(received(&passed, "remote-user"), ["ada"]);
    assert_eq!(received(&passed, "authorization"), [""; 0]);
    refused(&with(&person), 401, "password_not_allowed");
    refused(&with(&stray), 401, "wrong_audience");
}

/// Where the gate only observes, each kind of request passes as it came, and the product's cookies come back.
#[test]
fn behind_nginx_an_open_gate_changes_nothing() {
    each("mode = \"observe\"", |kind, site, acme| {
        let good = format!("Bearer {}", acme.token().subject("ada").sign());
        let stray = format!("Bearer {}", acme.token().audience("other").sign());
        for request in [kind.get(), kind.page(), Request::new("POST", kind.login)] {
            let with_cookie = request.clone().header("Cookie", kind.cookie);
            untouched(&site.ask(&request), &[], &[]);
            untouched(&site.ask(&with_cookie), &[], &[kind.cookie]);
            for value in [
                &good,
                &stray,
                SIGNED,
                PASSWORD,
                "Negotiate x",
                "Bearer opaque",
            ] {
                let request = with_cookie.clone().header("Authorization", value);
                untouched(&site.ask(&request), &[value], &[kind.cookie]);
            }
        }
    });
}
