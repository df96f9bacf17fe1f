//! See `../clients.rs`.

use super::Site;
use crate::harness::{Ran, Workstation, client_lines, issuer, program};

const BASIC: &str = "## curl";
const BEARER: &str = "A header from standard input";

impl Site {
    /// Runs the lines of docs/clients.md after that mark.
    fn curl(&self, token: &str, after: &str) -> Ran {
        let at = Workstation::new().env("T", token);
        at.sh(&client_lines(after, "sh", &self.nginx.url()))
    }
}

/// As it is shown, and after it was revoked no more.
#[test]
fn a_token_passes_as_its_owner_until_it_is_revoked() {
    let acme = issuer();
    let (Some(site), Some(_)) = (Site::trusting(&acme), program("curl")) else {
        return;
    };
    let token = site.token(&[]);
    for form in [BASIC, BEARER] {
        let ran = site.curl(&token, form);
        assert!(ran.worked().out.contains("\"name\":\"alice\""), "{ran:?}");
    }
    site.has_seen_only("alice", &token);
    site.postern.revoke_token(&token);
    for form in [BASIC, BEARER] {
        let ran = site.curl(&token, form);
        assert!(ran.failed("401").out.contains("\"revoked\""), "{ran:?}");
    }
}

/// The ways in which tools put a token into a user and a password, and somebody else's name.
#[test]
fn a_token_in_every_form_of_basic() {
    let acme = issuer();
    let (Some(site), Some(_)) = (Site::trusting(&acme), program("curl")) else {
        return;
    };
    let token = site.token(&[]);
    let at = Workstation::new().env("T", &token);
    let shown = client_lines(BASIC, "sh", &site.nginx.url());
    let named = |user: &str| at.sh(&shown.replace("\"alice:$T\"", user));
    for user in ["\"x-token-auth:$T\"", "\"$T:\"", "\":$T\""] {
        let ran = named(user);
        assert!(ran.worked().out.contains("\"name\":\"alice\""), "{ran:?}");
    }
    let ran = named("\"bob:$T\"");
    assert!(ran.failed("401").out.contains("\"not_owner\""), "{ran:?}");
    site.has_seen_only("alice", &token);
}
