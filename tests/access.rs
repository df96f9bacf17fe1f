//! See `main.rs`.

/// What must stay open for somebody to log in, and what must not be reached with a token.
mod endpoints;
/// Attempts to make a session, or a yes, of a credential that is refused.
mod laundering;
/// Application links, the product's own tokens, other schemes.
mod links;
/// Product passwords, and the exceptions to their refusal.
mod passwords;
/// `[[access.rule]]`.
mod rules;
/// What `validate` says of rules that nobody meant.
mod validated;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::harness::{Answer, Issuer, Postern, Request, TenantFile, issuer, tenant};

/// A path of Jira's API that nothing is said of.
const API: &str = "/rest/api/2/myself";

/// A tenant `jira` with these lines in `[access]`, served, and the issuer that it trusts.
fn jira(access: &str) -> (Issuer, Postern) {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme).access(access)).start();
    postern.until_keys("jira");
    (acme, postern)
}

/// A call to the tenant `jira`.
fn call(method: &str, uri: &str) -> Request {
    Request::check("jira", uri).replace("X-Original-Method", method)
}

impl Request {
    /// With a name and a password (RFC 7617).
    fn basic(self, user: &str, password: &str) -> Self {
        let encoded = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.header("Authorization", &format!("Basic {encoded}"))
    }

    /// With a session cookie of Jira.
    fn session(self) -> Self {
        self.header("Cookie", "JSESSIONID=1; theme=dark")
    }
}

impl Answer {
    /// What the product gets as `Authorization` and `Cookie`.
    fn sends_on(&self) -> (&str, &str) {
        let sent = |name| self.header(name).expect("it is always there");
        (sent("authorization"), sent("cookie"))
    }
}
