//! See `../clients.rs`.

use std::path::Path;

use super::Site;
use crate::harness::{BINARY, Workstation, client_lines, id_of, issuer, program};

// Marks of docs/clients.md.
const ISSUE: &str = "With one in the environment";
const BASIC: &str = "## curl";
const BEARER: &str = "A header from standard input";

/// All of it on one command line: a token is issued, passes as its owner, is revoked, and fails the next call.
#[test]
fn a_token_passes_as_its_owner_until_it_is_revoked() {
    let acme = issuer();
    let (Some(site), Some(_)) = (Site::trusting(&acme), program("curl")) else {
        return;
    };
    let folder = Path::new(BINARY).parent().expect("it is in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", folder.display());
    let at = Workstation::new().env("PATH", &path).env(
        "POSTERN_ADMIN_SOCKET",
        &site.postern.admin_socket().to_string_lossy(),
    );
    let lines = |after: &str| client_lines(after, "sh", &site.nginx.url());
    let issued = at.sh(&(lines(ISSUE) + "echo \"$T\""));
    let token = issued.worked().out.trim_end();
    let at = at.env("T", token);
    for form in [BASIC, BEARER] {
        let ran = at.sh(&lines(form));
        assert!(ran.worked().out.contains("\"name\":\"alice\""), "{ran:?}");
    }
    site.has_seen_only("alice", token);
    at.sh(&format!("postern token revoke {}", id_of(token)))
        .worked();
    for form in [BASIC, BEARER] {
        let ran = at.sh(&lines(form));
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
    let token = site.token("read");
    let at = Workstation::new().env("T", &token);
    let shown = client_lines(BASIC, "sh", &site.nginx.url());
    let named = |user: &str| at.sh(&shown.replace("alice:$T", user));
    for user in ["x-token-auth:$T", "$T:", ":$T"] {
        let ran = named(user);
        assert!(ran.worked().out.contains("\"name\":\"alice\""), "{ran:?}");
    }
    let ran = named("bob:$T");
    assert!(ran.failed("401").out.contains("\"not_owner\""), "{ran:?}");
    site.has_seen_only("alice", &token);
}
