//! API tokens, by the command line as an administrator has them.

use super::Postern;

impl Postern {
    /// A new API token for that user.
    #[track_caller]
    pub fn issue_token(&self, tenant: &str, user: &str, options: &[&str]) -> String {
        let issued = self.cli(&[&["token", "issue", tenant, user], options].concat());
        assert!(issued.status.success(), "{issued:?}");
        let token = String::from_utf8(issued.stdout).expect("a token is ASCII");
        token.trim_end().to_owned()
    }

    /// Revokes an API token, by the id that it carries.
    #[track_caller]
    pub fn revoke_token(&self, token: &str) {
        let id = token.split('_').nth(1).expect("pst_ID_…");
        let revoked = self.cli(&["token", "revoke", id]);
        assert!(revoked.status.success(), "{revoked:?}");
    }
}
