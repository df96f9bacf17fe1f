//! See `main.rs`. The lines that the scenarios run are those of docs/clients.md.

/// The Bitbucket that they work with.
mod bitbucket;
/// Who may clone, and what git is told who may not.
mod clone;
/// Bitbucket's repositories, by git's own server.
mod http_backend;
/// What git-lfs sends and fetches beside git.
mod lfs;
/// Who may push, and what.
mod push;

use std::fs;

use serde_json::json;

use bitbucket::{Bitbucket, Objects};

use crate::harness::{Issuer, Nginx, Postern, Ran, Workstation, client_lines, program, tenant};

// Marks of docs/clients.md.
const HELPER: &str = "## git\n";
const CLONE: &str = "After that git is as ever";
const BEARER: &str = "As `Bearer`";

/// A Bitbucket behind nginx, guarded by Postern. It trusts an issuer and has API tokens.
struct Site {
    bitbucket: Bitbucket,
    nginx: Nginx,
    postern: Postern,
}

impl Site {
    /// `None` where a part is missing.
    fn trusting(acme: &Issuer) -> Option<Self> {
        Self::with_objects(acme, Objects::ByTheirCredential)
    }

    fn with_objects(acme: &Issuer, objects: Objects) -> Option<Self> {
        program("git")?;
        Nginx::installed()?;
        let tenant = tenant("bitbucket").product("bitbucket");
        let postern = Postern::with(tenant.trusting(acme).api_tokens("enabled = true")).start();
        postern.until_keys("bitbucket");
        let bitbucket = Bitbucket::start();
        let nginx = Nginx::start("bitbucket", postern.address(), &bitbucket.address());
        bitbucket.serve_at(&nginx.url(), objects);
        Some(Self {
            bitbucket,
            nginx,
            postern,
        })
    }

    /// Runs the lines of docs/clients.md after that mark.
    fn run(&self, at: &Workstation, after: &str) -> Ran {
        at.sh(&client_lines(after, "sh", &self.nginx.url()))
    }

    /// A workstation with this token and a clone in `app`, made with the helper of docs/clients.md.
    #[track_caller]
    fn clone(&self, token: &str) -> Workstation {
        let at = workstation(token);
        self.run(&at, HELPER).worked();
        self.run(&at, CLONE).worked();
        at
    }

    /// An API token of alice's, to `read` or to `write`.
    fn token(&self, scope: &str) -> String {
        let wanted = json!({ "scope": scope });
        self.postern.issue("bitbucket", "alice", wanted)
    }

    /// What reached Bitbucket came as that account, and with nothing else that says who it is.
    #[track_caller]
    fn has_seen_only(&self, account: &str, token: &str) {
        let asked = self.bitbucket.asked();
        assert!(!asked.is_empty());
        for asked in asked {
            assert_eq!(asked.header("remote-user"), Some(account), "{asked:?}");
            assert_eq!(asked.header("authorization"), None, "{asked:?}");
            assert!(!format!("{:?}", asked.headers).contains(token), "{asked:?}");
        }
        self.postern.has_not_logged(&[token]);
    }
}

/// A workstation with this token in `T`.
fn workstation(token: &str) -> Workstation {
    let at = Workstation::new().env("T", token);
    // git-lfs repeats what was refused, by default for a minute.
    let settings =
        "[user]\nname = Alice\nemail = alice@example.com\n[lfs \"transfer\"]\nmaxretries = 1\n";
    fs::write(at.home().join(".gitconfig"), settings).expect("it can be written");
    at
}
