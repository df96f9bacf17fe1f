//! The page of test vectors, asked of the daemon as nginx asks.

use super::page::{Judged, Vector, page};
use crate::harness::{Answer, Postern, TenantFile, connect, issuer, tenant};
use std::io::Write as _;

/// A tenant for each context path of the page, with its protected paths.
fn tenants() -> [(&'static str, TenantFile); 3] {
    let trusts = issuer();
    [("", "root"), ("/jira", "one"), ("/a/jira", "two")].map(|(context, name)| {
        let file = tenant(name)
            .url(&format!("https://{name}.example.com{context}"))
            .trusting(&trusts)
            .access("api_paths = [\"/secure/a%20b\"]");
        (context, file)
    })
}

/// `/check` about `GET` of that target, byte by byte.
pub fn check(address: &str, tenant: &str, target: &[u8]) -> Answer {
    let mut stream = connect(address);
    let head = format!(
        "GET /check/{tenant} HTTP/1.1\r\nHost: postern\r\nX-Original-Method: GET\r\nX-Original-URI: "
    );
    let question = [head.as_bytes(), target, b"\r\n\r\n"].concat();
    stream.write_all(&question).expect("the daemon reads");
    Answer::read(&mut stream, "GET")
}

/// What the page says is what the proxy is told: without a credential, protected paths are refused for the lack of
/// one, the product's pages pass, and what is ambiguous or another tenant's never gets so far.
#[test]
fn the_daemon_judges_every_line_of_the_page() {
    let tenants = tenants();
    let daemon = tenants
        .iter()
        .fold(Postern::without_tenants(), |daemon, (_, file)| {
            daemon.and(file.clone())
        })
        .start();
    let mut wrong = Vec::new();
    for Vector {
        context,
        target,
        judged,
        why,
    } in page()
    {
        let (_, file) = tenants
            .iter()
            .find(|(known, _)| *known == context)
            .expect("each context of the page has its tenant");
        let answer = check(daemon.address(), file.name(), &target);
        // No header can carry them (RFC 9110 §5.5), so the parser refuses them, before there is a reason.
        let unheard = target
            .iter()
            .any(|byte| matches!(byte, 0..=8 | 0x0b | 0x7f));
        let expected = match &judged {
            Judged::Ambiguous if unheard => (400, ""),
            Judged::Ambiguous => (400, "ambiguous_path"),
            Judged::Outside => (403, "not_this_tenant"),
            Judged::Is(path) if is_protected(path) => (401, "no_credential"),
            Judged::Is(_) | Judged::Product => (200, ""),
        };
        let passes = answer.header("postern-method");
        let as_expected = (answer.status, answer.reason()) == expected
            && passes == (expected.0 == 200).then_some("outside");
        if !as_expected {
            let shown = String::from_utf8_lossy(&target);
            wrong.push(format!("{shown} under '{context}' ({why}): {answer:?}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn is_protected(path: &str) -> bool {
    ["/rest", "/secure/a%20b"].iter().any(|root| {
        path.strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
