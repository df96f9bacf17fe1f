//! See `../nginx.rs`. The snippet is `../proxies/nginx/self-service.conf`, as docs/proxies.md shows it.

use std::io::Write as _;

use serde_json::{Value, json};

use super::{Site, jira, refused};
use crate::harness::{Answer, Postern, Request, connect, issuer};

impl Site {
    /// At the path that the operator chose.
    fn self_service(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let mut stream = connect(self.nginx.address());
        let request = Request::new(method, &format!("/api-tokens/{path}"))
            .bearer(token)
            .header("Content-Type", "application/json")
            .header("Content-Length", &body.len().to_string());
        // What a client may say of itself, and nginx takes away.
        let spoofed = request
            .header("X-Forwarded-For", "203.0.113.9")
            .header("X-HTTP-Method-Override", "DELETE")
            .header("Remote-User", "bob")
            .header("Cookie", "JSESSIONID=1");
        spoofed.write_to(&mut stream);
        stream.write_all(body.as_bytes()).expect("it is read");
        spoofed.read_from(&mut stream)
    }
}

/// A user's whole story by way of nginx: the token that Postern issues there passes to the product there, until it is
/// revoked there. The product sees nothing of it but the calls.
#[test]
fn users_have_their_own_tokens_at_a_path_of_the_operators_choice() {
    let acme = issuer();
    let tenant = jira(&acme)
        .api_tokens("enabled = true")
        .api_tokens("self_service = true")
        .access("deny_networks = [\"203.0.113.0/24\"]\nread_only = true");
    let Some(site) = Site::with_self_service(Postern::with(tenant)) else {
        return;
    };
    site.postern.until_keys("jira");
    let ada = acme.token().subject("ada").sign();
    let wanted = json!({ "description": "build server" }).to_string();
    let made = site.self_service("POST", "tokens/jira", &ada, &wanted);
    assert_eq!(made.status, 201, "{made:?}");
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let token = made["token"].as_str().expect("a token");
    assert_eq!(made["owner"], "ada");
    assert_eq!(site.get(token).status, 200);

    let listed = site.self_service("GET", "tokens/jira", &ada, "");
    let listed: Value = serde_json::from_str(&listed.body).expect("JSON");
    assert_eq!(listed["tokens"][0]["id"], made["id"]);
    // From where is nginx's word.
    site.postern.until_logged("from=\"127.0.0.1\"");

    let path = format!("tokens/jira/{}", made["id"].as_str().expect("an id"));
    assert_eq!(site.self_service("DELETE", &path, &ada, "").status, 200);
    refused(&site.get(token), 401, "revoked");

    // Refusals have their status, body and challenge here, too.
    let with_it = site.self_service("GET", "tokens/jira", token, "");
    assert_eq!(
        (with_it.status, with_it.reason()),
        (401, "wrong_token_kind")
    );
    let challenge = with_it.header("www-authenticate").unwrap_or_default();
    assert!(challenge.starts_with("Bearer realm="), "{with_it:?}");
    let large = site.self_service("POST", "tokens/jira", &ada, &" ".repeat(20_000));
    assert_eq!(large.status, 413, "{large:?}");
    let large: Value = serde_json::from_str(&large.body).expect("JSON");
    assert_eq!(large["error"], "payload_too_large");

    // The file describes paths below its own.
    let described = site.self_service("GET", "openapi.json", "", "");
    let described: Value = serde_json::from_str(&described.body).expect("JSON");
    assert_eq!(described["servers"][0]["url"], ".");
    assert!(described["paths"]["/tokens/{tenant}"].is_object());
    // Nothing but `/self/` of Postern is to be reached so.
    for path in ["../check/jira", "..%2fcheck/jira", "check/jira"] {
        let answer = site.self_service("GET", path, &ada, "");
        assert!(answer.header("remote-user").is_none(), "{answer:?}");
        assert_ne!(answer.status, 200, "{answer:?}");
    }
}
