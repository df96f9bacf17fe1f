//! Names of accounts. The products compare them without regard to case, so Postern does everywhere; only what is
//! sent keeps the case that the provider's mapping gives it.

use std::{fmt, str::FromStr};

use crate::policy::pattern::glob_matches;

/// The form in which accounts are compared.
#[must_use]
pub fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// Accounts that a tenant file names: a whole name, or one with `*` for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPattern {
    written: String,
    folded: String,
}

/// Why a pattern is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccountPattern {
    /// It names nobody.
    #[error("this is empty")]
    Empty,
    /// No account has them.
    #[error("no account's name has control characters or surrounding space")]
    Odd,
}

impl AccountPattern {
    /// Whether an account of that [folded](fold) name is meant.
    #[must_use]
    pub fn matches(&self, folded: &str) -> bool {
        glob_matches(self.folded.as_bytes(), folded.as_bytes(), 1)
    }

    /// Whether every account is.
    #[must_use]
    pub fn is_everybody(&self) -> bool {
        self.folded.bytes().all(|byte| byte == b'*')
    }
}

impl FromStr for AccountPattern {
    type Err = InvalidAccountPattern;

    fn from_str(written: &str) -> Result<Self, InvalidAccountPattern> {
        if written.is_empty() {
            return Err(InvalidAccountPattern::Empty);
        }
        if written.trim() != written || written.contains(char::is_control) {
            return Err(InvalidAccountPattern::Odd);
        }
        Ok(Self {
            written: written.to_owned(),
            folded: fold(written),
        })
    }
}

impl fmt::Display for AccountPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_and_case_is_nothing() {
        let matches = |pattern: &str, name: &str| {
            let pattern: AccountPattern = pattern.parse().unwrap();
            pattern.matches(&fold(name))
        };
        for (pattern, name) in [
            ("admin", "Admin"),
            ("*", ""),
            ("*", "anyone"),
            ("svc-*", "SVC-ci"),
            ("SVC-*", "svc-"),
            ("*@example.com", "ada@example.com"),
            ("a*b*c", "a%2fbxc"),
            ("zo*", "Zoë"),
        ] {
            assert!(matches(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("admin", "admin2"),
            ("admin", "sysadmin"),
            ("svc-*", "service-ci"),
            ("*@example.com", "ada@example.com.evil"),
            ("a*b", "ab "),
        ] {
            assert!(!matches(pattern, name), "{pattern} {name}");
        }
        assert!("".parse::<AccountPattern>().is_err());
        assert!(" a".parse::<AccountPattern>().is_err());
        assert!("a\n".parse::<AccountPattern>().is_err());
    }
}
