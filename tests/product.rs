//! What the product itself is asked. The products here are emulators that answer as Atlassian's pages say; what those
//! leave open is marked in `src/product/`.
//!
//! | file | holds |
//! |---|---|
//! | `sessions` | `sessions = "check"`: whose sessions pass, and what the product is shown |
//! | `memory` | how often it is asked |
//! | `trouble` | a product that fails, lies or hangs |
//! | `account` | who an account is, as `postern::product` answers it |
//! | `owners` | who owns an API token |
//! | `settings` | `[upstream]` in a tenant's file |

pub mod account;
mod memory;
mod owners;
mod sessions;
mod settings;
mod trouble;

use serde_json::json;

use crate::harness::{
    Request, TenantFile,
    emulator::{Asked, Emulator, Reply, json},
    tenant,
};

/// The cookie of a session that is ada's, by product.
fn cookie(product: &str) -> &'static str {
    match product {
        "bitbucket" => "BITBUCKETSESSIONID=ada",
        _ => "JSESSIONID=ada",
    }
}

/// Where each product is asked whose a session is.
fn whose(product: &str) -> &'static str {
    match product {
        "jira" => "/rest/api/2/myself",
        "confluence" => "/rest/api/user/current",
        _ => "/rest/api/latest/application-properties",
    }
}

/// The answer to [`whose`], for that name or for nobody.
fn told(product: &str, name: Option<&str>) -> Reply {
    match (product, name) {
        ("jira", Some(name)) => json(
            200,
            json!({ "name": name, "key": "JIRAUSER1", "active": true }),
        ),
        ("jira", None) => json(
            401,
            json!({ "errorMessages": ["You are not authenticated."], "errors": {} }),
        ),
        ("confluence", Some(name)) => json(
            200,
            json!({ "type": "known", "username": name, "userKey": "4028", "displayName": name }),
        ),
        ("confluence", None) => json(
            200,
            json!({ "type": "anonymous", "profilePicture": {}, "displayName": "Anonymous" }),
        ),
        (_, name) => {
            let name = name.map(|name| ("X-AUSERNAME", name.to_owned()));
            let kind = ("Content-Type", "application/json;charset=UTF-8".to_owned());
            let body =
                json!({ "version": "9.4.0", "buildNumber": "9004000", "displayName": "Bitbucket" });
            Reply::Full(
                200,
                name.into_iter().chain([kind]).collect(),
                body.to_string(),
            )
        }
    }
}

/// A product that knows ada's session, and no other.
fn product(kind: &'static str) -> Emulator {
    Emulator::start(move |asked| knows_ada(kind, asked))
}

fn knows_ada(kind: &str, asked: &Asked) -> Reply {
    let is_ada = asked.header("cookie") == Some(cookie(kind));
    told(kind, is_ada.then_some("ada"))
}

/// A Jira tenant that asks `product` about sessions, and has nothing else.
fn jira(name: &str, product: &Emulator) -> TenantFile {
    tenant(name).checking_sessions(&product.url())
}

/// An API request with these cookies and nothing else.
fn with_cookies(tenant: &str, cookies: &str) -> Request {
    Request::check(tenant, "/rest/api/2/search").header("Cookie", cookies)
}
