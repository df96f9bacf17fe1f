//! See `main.rs`.

use crate::harness::{Postern, issuer, tenant};

/// A token of the tenant's own issuer passes as the account that it names; with one character changed it does not.
#[test]
fn a_token_passes_as_the_account_that_it_names() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().subject("ada").sign();
    postern.check("jira", &token).is_allowed_as("ada");
    let forged = acme.token().subject("ada").sign() + "A";
    postern
        .check("jira", &forged)
        .is_refused(401, "bad_signature");
}
