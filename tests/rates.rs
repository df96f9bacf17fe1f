//! See `main.rs`. Every rate here is so low that what is spent stays spent while a scenario lasts.

/// What a 429 says, and where it is counted.
mod answers;
/// Postern's own tokens.
mod api_tokens;
/// Forged and unknown credentials, by the address that they come from.
mod failures;
/// What each rate counts, and what it does not.
mod kinds;
/// A tenant file that changes while its rates are being used up.
mod reload;

use postern::dev::Issuer;

use crate::harness::{Algorithm, Answer, Postern, Request, TenantFile, tenant};

/// A tenant `jira` with that line in `[rate_limit]`, whose issuer names accounts by a claim.
fn limited(acme: &Issuer, line: &str) -> TenantFile {
    tenant("jira")
        .trusting(acme)
        .with("username = \"preferred_username\"")
        .rate_limit(line)
}

/// Another token of that user, with each call.
fn token(acme: &Issuer, user: &str) -> String {
    let token = acme.token().subject(user.to_lowercase());
    token.claim("preferred_username", user).sign()
}

/// A token that says to be of the issuer, and is signed by somebody else under the name of its key.
fn forged(mallory: &Issuer, acme: &Issuer) -> String {
    let token = mallory.token().kid(acme.kid(Algorithm::Es256));
    token.claim("iss", acme.url()).sign()
}

/// Asks with that token, from that address.
fn from(postern: &Postern, address: &str, token: &str) -> Answer {
    let asked = Request::check("jira", "/rest/api/2/myself").bearer(token);
    postern.ask(&asked.replace("X-Real-IP", address))
}
