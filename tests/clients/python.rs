//! See `../clients.rs`.

use std::path::PathBuf;

use super::Site;
use crate::harness::{Ran, Workstation, client_lines, issuer, python};

const TOKEN_AUTH: &str = "## Python: jira";
const TOKEN: &str = "## Python: atlassian-python-api";

/// The interpreter, where its packages are installed.
fn interpreter() -> Option<PathBuf> {
    python("the jira and atlassian-python-api of PyPI", "tests/clients")
}

impl Site {
    /// Runs the lines of docs/clients.md after that mark, and then these.
    fn python(&self, interpreter: &std::path::Path, token: &str, after: &str, then: &str) -> Ran {
        let lines = client_lines(after, "python", &self.nginx.url());
        let at = Workstation::new().env("T", token);
        at.python(interpreter, &(lines + then))
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
    for form in [TOKEN_AUTH, TOKEN] {
        let ran = site.python(&interpreter, &token, form, "");
        assert_eq!(ran.worked().out, "alice\n", "{form}");
        let ran = site.python(&interpreter, &(token.clone() + "A"), form, "");
        ran.failed("401");
    }
    site.has_seen_only("alice", &token);
    let ran = site.python(
        &interpreter,
        &token,
        TOKEN_AUTH,
        "
issue = jira.create_issue(project='CI', summary='built', issuetype={'name': 'Task'})
print(issue.fields.creator.name, [found.key for found in jira.search_issues('project = CI')])
",
    );
    eprintln!("{ran:?}");
    let ran = site.python(&interpreter, &token, TOKEN, "
print(jira.create_issue({'project': {'key': 'CI'}, 'summary': 'built', 'issuetype': {'name': 'Task'}}))
print(jira.jql('project = CI'))
");
    eprintln!("{ran:?}");
}
