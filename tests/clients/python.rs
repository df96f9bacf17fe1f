//! See `../clients.rs`.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::Site;
use crate::harness::{Ran, Workstation, client_lines, emulator::Asked, issuer, python};

// Marks of docs/clients.md.
const JIRA: &str = "## Python: jira";
const JIRA_BASIC: &str = "takes the token for the password";
const ATLASSIAN: &str = "## Python: atlassian-python-api";
const ATLASSIAN_BASIC: &str = "Or with a user and a password";

/// What each library does to write, and to find what it wrote.
const WRITE: [(&str, &str); 4] = [
    (JIRA, WITH_JIRA),
    (JIRA_BASIC, WITH_JIRA),
    (ATLASSIAN, WITH_ATLASSIAN),
    (ATLASSIAN_BASIC, WITH_ATLASSIAN),
];
const WITH_JIRA: &str = "
jira.create_issue(project={'key': 'CI'}, summary='built', issuetype={'name': 'Task'})
print({issue.fields.creator.name for issue in jira.search_issues('project = CI')})
";
// What it raises says "Unknown error" of whatever is not Jira's own JSON.
const WITH_ATLASSIAN: &str = "
from requests import HTTPError
try:
    jira.create_issue({'project': {'key': 'CI'}, 'summary': 'built', 'issuetype': {'name': 'Task'}})
except HTTPError as refused:
    raise SystemExit(f'{refused.response.status_code} {refused.response.text}')
print({issue['fields']['creator']['name'] for issue in jira.jql('project = CI')['issues']})
";

/// The interpreter, where its packages are installed.
fn interpreter() -> Option<PathBuf> {
    python("the jira and atlassian-python-api of PyPI", "tests/clients")
}

impl Site {
    /// Runs the lines of docs/clients.md after that mark, and then these.
    fn python(&self, interpreter: &Path, token: &str, after: &str, then: &str) -> Ran {
        let lines = client_lines(after, "python", &self.nginx.url());
        let at = Workstation::new().env("T", token);
        at.python(interpreter, &(lines + then))
    }
}

/// In all four forms a token that may write creates an issue as its owner, and after it was revoked says nothing more.
#[test]
fn a_write_token_creates_issues_until_it_is_revoked() {
    let acme = issuer();
    let (Some(interpreter), Some(site)) = (interpreter(), Site::trusting(&acme)) else {
        return;
    };
    let token = site.token("write");
    for (form, write) in WRITE {
        let ran = site.python(&interpreter, &token, form, write);
        assert_eq!(ran.worked().out, "alice\n{'alice'}\n", "{form}");
    }
    assert_eq!(site.jira.issues(), WRITE.len());
    site.has_seen_only("alice", &token);
    // What is sent for Jira's XSRF check is Jira's own affair, and arrives.
    let asked = site.jira.asked();
    let unchecked = |asked: &Asked| asked.header("x-atlassian-token") == Some("no-check");
    assert!(
        asked
            .iter()
            .any(|asked| asked.method == "POST" && unchecked(asked))
    );
    site.postern.revoke(&token);
    for (form, _) in WRITE {
        let ran = site.python(&interpreter, &token, form, "");
        assert_eq!(ran.failed("401").out, "", "{form}");
    }
}

/// A token that may read says who it is, and creates nothing.
#[test]
fn a_read_token_creates_no_issue() {
    let acme = issuer();
    let (Some(interpreter), Some(site)) = (interpreter(), Site::trusting(&acme)) else {
        return;
    };
    let token = site.token("read");
    for (form, write) in WRITE {
        let ran = site.python(&interpreter, &token, form, write);
        assert_eq!(ran.failed("403").out, "alice\n", "{form}");
        ran.failed("insufficient_scope");
    }
    assert_eq!(site.jira.issues(), 0);
}

/// Somebody else's name beside the token is refused, where a name is sent.
#[test]
fn a_token_under_another_name_is_refused() {
    let acme = issuer();
    let (Some(interpreter), Some(site)) = (interpreter(), Site::trusting(&acme)) else {
        return;
    };
    let bobs = site.postern.issue("jira", "bob", json!({}));
    for form in [JIRA_BASIC, ATLASSIAN_BASIC] {
        let ran = site.python(&interpreter, &bobs, form, "");
        assert_eq!(ran.failed("401").out, "", "{form}");
    }
    assert_eq!(site.jira.asked().len(), 0);
    for form in [JIRA, ATLASSIAN] {
        let ran = site.python(&interpreter, &bobs, form, "");
        assert_eq!(ran.worked().out, "bob\n", "{form}");
    }
}

/// Both libraries send an identity provider's token where they have a place for a token.
#[test]
fn a_providers_token_is_sent_as_bearer() {
    let acme = issuer();
    let (Some(interpreter), Some(site)) = (interpreter(), Site::trusting(&acme)) else {
        return;
    };
    let token = acme.token().subject("alice").sign();
    for form in [JIRA, ATLASSIAN] {
        let ran = site.python(&interpreter, &token, form, "");
        assert_eq!(ran.worked().out, "alice\n", "{form}");
        let ran = site.python(&interpreter, &(token.clone() + "A"), form, "");
        assert_eq!(ran.failed("401").out, "", "{form}");
    }
    site.has_seen_only("alice", &token);
}
