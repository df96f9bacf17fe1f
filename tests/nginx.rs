//! See `main.rs`. The configuration is `proxies/nginx/postern.conf`, the one that README.md shows, with nothing changed
//! but its addresses.

/// Who is refused, and how that looks to a client.
mod closed;
/// What passes, and why: each kind of request, for each product.
mod kinds;
/// How the gate is introduced.
mod observing;
/// The product behind nginx, and a relay that counts connections.
pub mod parts;
/// Who passes, and what the product gets.
mod passing;
/// Users and their own API tokens.
mod self_service;

use parts::{Product, Relay};

use crate::harness::{Answer, Issuer, Nginx, Postern, PosternBuilder, Request, TenantFile, tenant};

/// A Jira behind nginx, guarded by Postern.
struct Site {
    postern: Postern,
    relay: Relay,
    nginx: Nginx,
    product: Product,
}

impl Site {
    fn of(postern: PosternBuilder) -> Option<Self> {
        Self::behind(postern, Nginx::start)
    }

    /// With `proxies/nginx/self-service.conf` as well.
    fn with_self_service(postern: PosternBuilder) -> Option<Self> {
        Self::behind(postern, Nginx::with_self_service)
    }

    fn behind(postern: PosternBuilder, start: fn(&str, &str, &str) -> Nginx) -> Option<Self> {
        Nginx::installed()?;
        let postern = postern.start();
        let relay = Relay::to(postern.address());
        let product = Product::start();
        let nginx = start("jira", relay.address(), product.address());
        Some(Self {
            postern,
            relay,
            nginx,
            product,
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
