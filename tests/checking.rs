//! The three check endpoints: what each reads, what each answers.
//!
//! | file | holds |
//! |---|---|
//! | `endpoints` | each endpoint's contract, and that none falls back on another's |
//! | `identity` | the headers of a yes |
//! | `denials` | the bodies, challenges and headers of a no |
//! | `addresses` | whom the caller's address is believed from |
//! | `passing` | the ways to pass without a proof |
//! | `algorithms` | every algorithm by every way to name a key |
//! | `logs`, `metrics` | what operators see of it |

mod addresses;
mod algorithms;
mod denials;
mod endpoints;
mod identity;
mod logs;
mod metrics;
mod passing;

use crate::harness::{Postern, issuer, tenant};

/// A path of the product's API that holds nothing special.
const API: &str = "/rest/api/2/myself";

/// A token of the tenant's own issuer passes as the account that it names; with one character changed it does not.
#[test]
fn a_token_passes_as_the_account_that_it_names() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().subject("ada").sign();
    postern.check("jira", &token).is_allowed_as("ada");
    let at = token.rfind('.').expect("it has three parts") + 1;
    let other = if token[at..].starts_with('A') {
        "B"
    } else {
        "A"
    };
    let forged = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    postern
        .check("jira", &forged)
        .is_refused(401, "bad_signature");
}
