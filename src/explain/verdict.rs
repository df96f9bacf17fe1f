//! What a check comes to, in words: and where it says no, the line of the tenant's file and the way out.

use serde::{Deserialize, Serialize};

use super::{Served, way_out};
use crate::{
    decision::{Decision, Denied, Unavailable},
    recent,
    tenant::{excerpt::Excerpt, lines::Lines},
};

/// What a check comes to, or came to.
#[derive(Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// `allowed`, `refused`, `unavailable`, or `not_asked` where only somebody's answer would decide.
    pub decision: Ruling,
    /// The value of `Postern-Method`, where it passes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The account that was proved, where one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The value of `Postern-Reason`, where it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The HTTP status, where it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// As the log has it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The line of the tenant's file that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What would let it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way_out: Option<String>,
}

/// See [`Verdict::decision`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ruling {
    /// It passes.
    Allowed,
    /// The caller's fault.
    Refused,
    /// Nobody can tell.
    Unavailable,
    /// Nobody was asked.
    NotAsked,
}

/// Where the tenant's file, as it is served, says so.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cause {
    /// The file.
    pub file: String,
    /// The key, as a dotted path.
    pub key: String,
    /// Its line, counted from 1; absent where the key is not written, and its default holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The line as `postern validate` shows lines.
    pub excerpt: String,
}

impl Verdict {
    /// Of a decision, by the file that is served.
    #[must_use]
    pub fn of(decision: &Decision, served: Served<'_>) -> Self {
        match decision {
            Decision::Allow(grant) => {
                let account = grant.proof().map(|proof| proof.principal().account());
                Self::allowed(grant.method(), account)
            }
            Decision::Deny(denial) => {
                let key = denial.key.as_deref();
                Self::denied(denial.reason, &denial.to_string(), key, served)
            }
            Decision::Unavailable(outage) => Self::unavailable(outage.reason, &outage.to_string()),
        }
    }

    /// Of one that is past, by the file that is served now.
    #[must_use]
    pub fn of_past(past: &recent::Past, key: Option<&str>, served: Served<'_>) -> Self {
        match past.outcome {
            recent::Outcome::Allowed(method) => {
                Self::allowed(method, Some(&*past.about).filter(|name| !name.is_empty()))
            }
            recent::Outcome::Denied(reason) => Self::denied(reason, &past.about, key, served),
            recent::Outcome::Unavailable(reason) => Self::unavailable(reason, &past.about),
        }
    }

    fn new(decision: Ruling, message: &str) -> Self {
        Self {
            decision,
            method: None,
            account: None,
            reason: None,
            status: None,
            message: message.to_owned(),
            cause: None,
            way_out: None,
        }
    }

    fn allowed(method: &str, account: Option<&str>) -> Self {
        Self {
            method: Some(method.to_owned()),
            account: account.map(str::to_owned),
            ..Self::new(Ruling::Allowed, "")
        }
    }

    fn denied(reason: Denied, message: &str, key: Option<&str>, served: Served<'_>) -> Self {
        let way_out = way_out::of(reason, key);
        Self {
            reason: Some(reason.word().to_owned()),
            status: Some(reason.status()),
            cause: key.and_then(|key| Cause::find(key, message, &way_out, served)),
            way_out: Some(way_out),
            ..Self::new(Ruling::Refused, message)
        }
    }

    fn unavailable(reason: Unavailable, message: &str) -> Self {
        Self {
            reason: Some(reason.word().to_owned()),
            status: Some(reason.status()),
            ..Self::new(Ruling::Unavailable, message)
        }
    }

    /// Of one that only an answer of theirs would decide.
    pub(super) fn open(whom: &str) -> Self {
        let message = format!(
            "it can't be told without asking {whom}; an explanation asks nobody, and nothing is remembered of an answer"
        );
        Self::new(Ruling::NotAsked, &message)
    }
}

impl Cause {
    fn find(key: &str, message: &str, way_out: &str, served: Served<'_>) -> Option<Self> {
        let lines = Lines::new(served.file, served.text);
        let line = lines.of(key);
        let message = match line {
            Some(_) => message.to_owned(),
            None => format!("{message} (the key is not written, and its default holds)"),
        };
        let problem = lines.problem(key, &message, way_out)?;
        Some(Self {
            file: served.file.display().to_string(),
            key: key.to_owned(),
            line,
            excerpt: Excerpt::new(served.text).render(&problem, served.colour),
        })
    }
}
