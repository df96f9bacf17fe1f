//! See `../git.rs`.

use super::Site;
use crate::harness::issuer;

/// A token of an identity provider is sent as `Bearer`, without being asked.
#[test]
fn a_providers_token_clones_in_a_header_of_its_own() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = acme.token().subject("alice").sign();
    let at = site.workstation(&token);
    site.run(&at, "As `Bearer`").worked();
    assert_eq!(at.read("app/README"), b"hello\n");
    site.has_seen_only("alice", &token);
    let forged = site.workstation(&(token + "A"));
    site.run(&forged, "As `Bearer`")
        .failed("could not read Username");
}
