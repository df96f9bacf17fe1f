//! What the daemon says of what it does, which arrives a moment after the answer; what it counts; and what `validate` says of a file.

use super::{Postern, TenantFile, eventually};

impl Postern {
    /// How often that was decided.
    pub fn counted(&self, tenant: &str, outcome: &str, reason: &str) -> u64 {
        let labels = format!("outcome=\"{outcome}\",reason=\"{reason}\",tenant=\"{tenant}\"");
        let counted = self.metric(&format!("postern_decisions_total{{{labels}}}"));
        counted.to_string().parse().expect("a whole number")
    }

    /// Waits until it has logged that text.
    #[track_caller]
    pub fn until_logged(&self, text: &str) {
        // As it stands in a line, where quotes may be escaped.
        let has = |log: &str| log.contains(text) || log.replace("\\\"", "\"").contains(text);
        eventually(&format!("{text:?} is logged"), || has(&self.log()));
    }

    /// What `validate` says of a file that is not served.
    pub fn validate(&self, file: &TenantFile) -> String {
        let path = self.folder().join(format!("{}.toml", file.name()));
        std::fs::write(&path, file.text()).expect("it is written");
        let said = self.cli(&["validate", path.to_str().expect("UTF-8")]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&said.stdout) + &text(&said.stderr)
    }

    /// Neither these tokens nor the secret that the harness gives it are in the log, which has come as far as now.
    #[track_caller]
    pub fn has_not_logged(&self, tokens: &[&str]) {
        let mark = "no-such-tenant";
        self.check(mark, "x");
        self.until_logged(mark);
        let log = self.log();
        for secret in tokens.iter().copied().chain([postern::dev::CLIENT_SECRET]) {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
        }
    }
}
