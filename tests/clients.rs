//! See `main.rs`. The lines that the scenarios run are those of docs/clients.md.

/// The command line.
mod curl;
/// The Jira that they work with.
mod jira;
/// PyPI's `jira` and `atlassian-python-api`.
mod python;

use jira::Jira;
use serde_json::json;

use crate::harness::{Issuer, Nginx, Postern, tenant};

/// A Jira behind nginx, guarded by Postern. It trusts an issuer and has API tokens.
struct Site {
    jira: Jira,
    nginx: Nginx,
    postern: Postern,
}

impl Site {
    /// `None` where nginx is missing.
    fn trusting(acme: &Issuer) -> Option<Self> {
        Nginx::installed()?;
        let postern =
            Postern::with(tenant("jira").trusting(acme).api_tokens("enabled = true")).start();
        postern.until_keys("jira");
        let jira = Jira::start();
        let nginx = Nginx::start("jira", postern.address(), &jira.address());
        Some(Self {
            jira,
            nginx,
            postern,
        })
    }

    /// An API token of alice's, to `read` or to `write`.
    fn token(&self, scope: &str) -> String {
        self.postern
            .issue("jira", "alice", json!({ "scope": scope }))
    }

    /// What reached Jira came as that account, and with nothing else that says who it is.
    #[track_caller]
    fn has_seen_only(&self, account: &str, token: &str) {
        let asked = self.jira.asked();
        assert!(!asked.is_empty());
        for asked in asked {
            assert_eq!(asked.header("remote-user"), Some(account), "{asked:?}");
            for name in ["authorization", "cookie"] {
                assert_eq!(asked.header(name), None, "{asked:?}");
            }
            assert!(!format!("{:?}", asked.headers).contains(token), "{asked:?}");
        }
        self.postern.has_not_logged(&[token]);
    }
}
