//! The headers of a yes: all of them always, so that a proxy overwrites what a client sent.

use super::API;
use crate::harness::{Answer, Postern, Request, issuer, tenant};

/// Every header that a proxy copies.
const ALWAYS: &[&str] = &[
    "remote-user",
    "remote-name",
    "remote-email",
    "remote-groups",
    "postern-method",
    "postern-provider",
    "postern-request-id",
    "authorization",
    "cookie",
    "postern-upstream-uri",
];

#[track_caller]
fn has_all(answer: &Answer) {
    for name in ALWAYS {
        let found = answer.headers.iter().filter(|(known, _)| known == name);
        assert_eq!(found.count(), 1, "{name} in {answer:?}");
    }
    assert_eq!(answer.body, "");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(
        !answer
            .header("postern-upstream-uri")
            .unwrap_or_default()
            .is_empty()
    );
    let id = answer.header("postern-request-id").unwrap_or_default();
    assert!(
        id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id:?}"
    );
}

/// The product is told who it is, and never sees the token or a cookie beside it.
#[test]
fn a_principal_comes_with_every_header() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .with("name = \"corp-sso\"\nusername_case = \"lower\"")
            .access("allow_groups = [\"staff\", \"ops\"]"),
    )
    .start();
    let token = acme
        .token()
        .subject("Ada")
        .claim("name", "Ada Lovelace")
        .claim("email", "ada@example.com")
        .groups(["secret-project", "staff", "ops"])
        .sign();
    let answer = postern.ask(
        &Request::check("jira", "/rest/api/2/search?jql=a%20b")
            .bearer(&token)
            .header("Cookie", "JSESSIONID=stolen"),
    );
    has_all(&answer);
    for (name, value) in [
        ("remote-user", "ada"),
        ("remote-name", "Ada Lovelace"),
        ("remote-email", "ada@example.com"),
        ("remote-groups", "staff,ops"),
        ("postern-method", "jwt"),
        ("postern-provider", "corp-sso"),
        ("authorization", ""),
        ("cookie", ""),
        ("postern-upstream-uri", "/rest/api/2/search?jql=a%20b"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
}

/// An opaque token that its issuer vouches for comes with the same headers.
#[test]
fn the_issuers_word_makes_a_principal_too() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let answer = postern.check("jira", &acme.token().opaque());
    has_all(answer.is_allowed_as("ada"));
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    assert_eq!(answer.header("postern-provider"), Some("custom"));
}

/// Who passes unproved is nobody, whatever the client wrote, and keeps what the product needs to judge.
#[test]
fn who_passes_unproved_is_nobody() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("anonymous = \"pass\"\npublic = [\"/rest/api/2/serverInfo\"]"),
    )
    .and(tenant("off").trusting(&acme).top("enabled = false"))
    .start();
    let session = "JSESSIONID=1; theme=dark";
    for (method, tenant, uri, cookie) in [
        ("session", "jira", API, session),
        ("anonymous", "jira", API, "theme=dark"),
        ("public", "jira", "/rest/api/2/serverInfo", session),
        ("outside", "jira", "/secure/Dashboard.jspa", session),
        ("outside", "off", API, session),
    ] {
        let answer = postern.ask(
            &Request::check(tenant, uri)
                .header("Cookie", cookie)
                .header("Remote-User", "admin")
                .header("Remote-Groups", "jira-administrators")
                .header("Postern-Method", "jwt"),
        );
        has_all(answer.passes_as(method));
        for name in [
            "remote-name",
            "remote-email",
            "remote-groups",
            "postern-provider",
            "authorization",
        ] {
            assert_eq!(answer.header(name), Some(""), "{name} as {method}");
        }
        assert_eq!(answer.header("cookie"), Some(cookie), "as {method}");
        assert_eq!(answer.header("postern-upstream-uri"), Some(uri));
    }
}

/// Where a tenant is off, the product gets what it would have got without us.
#[test]
fn a_tenant_that_is_off_leaves_the_credentials_alone() {
    let acme = issuer();
    let postern = Postern::with(tenant("off").trusting(&acme).top("enabled = false")).start();
    let password = "Basic YWRhOmFkYQ==";
    let answer = postern.ask(
        &Request::check("off", API)
            .header("Authorization", password)
            .header("Cookie", "a=1")
            .header("Cookie", "b=2"),
    );
    has_all(answer.passes_as("outside"));
    assert_eq!(answer.header("authorization"), Some(password));
    assert_eq!(answer.header("cookie"), Some("a=1; b=2"));
}

/// What could end an item of a list, or a line, is percent-encoded; `%` as well, so that it can be undone.
#[test]
fn names_and_groups_are_encoded() {
    let acme = issuer();
    let groups = r#"allow_groups = ["a,b", "50%", "Zoë's", "plain group", "not-hers"]"#;
    let postern = Postern::with(tenant("jira").trusting(&acme).access(groups)).start();
    let token = acme
        .token()
        .subject("zoë")
        .claim("name", "Zoë\r\nRemote-User: admin")
        .claim("email", serde_json::json!(["not", "a", "text"]))
        .groups(["Zoë's", "a,b", "not,hers", "50%", "plain group"])
        .sign();
    let answer = postern.check("jira", &token);
    has_all(answer.is_allowed_as("zo%C3%AB"));
    assert_eq!(
        answer.header("remote-name"),
        Some("Zo%C3%AB%0D%0ARemote-User: admin")
    );
    assert_eq!(answer.header("remote-email"), Some(""));
    assert_eq!(
        answer.header("remote-groups"),
        Some("Zo%C3%AB's,a%2Cb,50%25,plain group")
    );
}

/// Five hundred groups would not fit a proxy's buffer: whole ones are sent, up to 4 KiB.
#[test]
fn groups_end_at_four_kibibytes() {
    let acme = issuer();
    let names: Vec<String> = (0..500)
        .map(|number| format!("group-{number:04}"))
        .collect();
    let list = format!("allow_groups = {names:?}");
    let postern = Postern::with(tenant("jira").trusting(&acme).access(&list)).start();
    let answer = postern.check("jira", &acme.token().groups(&names).sign());
    let sent = answer
        .is_allowed_as("ada")
        .header("remote-groups")
        .unwrap_or_default();
    assert!(
        (4096 - 12..=4096).contains(&sent.len()),
        "{} bytes",
        sent.len()
    );
    assert!(
        sent.split(',')
            .all(|group| names.iter().any(|name| name == group))
    );
}
