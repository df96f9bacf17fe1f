//! A check that is looked at: each step, what was compared with what, and what would let it pass. It is the path of a
//! real check ([`check::before`]), which spends nothing and asks nobody when it is only looked at.

mod compared;
mod way_out;

use std::{cell::RefCell, fmt, net::IpAddr, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    check,
    decision::{Decision, Denied, Outage, Unavailable},
    recent,
    request::Request,
    tenant::{Tenant, excerpt::Excerpt, lines::Lines},
    witness::{Step, Witness, not_asked},
};
use compared::Compared;

/// A check, explained.
#[derive(Debug, Serialize, Deserialize)]
pub struct Explained {
    /// Whose it is.
    pub tenant: String,
    /// As it was asked about.
    pub method: String,
    /// The path under the context path, where it has one reading.
    pub path: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// In the order in which they were judged, up to the one that decided.
    pub steps: Vec<StepTold>,
    /// What it comes to.
    pub verdict: Verdict,
}

/// One step of a check.
#[derive(Debug, Serialize, Deserialize)]
pub struct StepTold {
    /// What it is called.
    pub step: String,
    /// What it came to.
    pub outcome: Outcome,
    /// What was compared with what.
    pub compared: String,
    /// The key of the tenant's file that it is judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The line of that key in the file that is served; absent where it is not written, and a default holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It says yes.
    Passed,
    /// It says no.
    Refused,
    /// It has nothing to say of this call.
    NotApplicable,
    /// It can't be judged for want of somebody's answer.
    Unavailable,
    /// Somebody would have to be asked, and was not.
    NotAsked,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::NotApplicable => "not applicable",
            Self::Unavailable => "unavailable",
            Self::NotAsked => "not asked",
        })
    }
}

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

/// The tenant's file as it is served.
#[derive(Debug, Clone, Copy)]
pub struct Served<'s> {
    /// As it is shown.
    pub file: &'s Path,
    /// What stands in it.
    pub text: &'s str,
    /// Whether excerpts are for a terminal.
    pub colour: bool,
}

/// Looks at the check of `request`.
pub async fn explain(
    tenant: &Tenant,
    request: &Request<'_>,
    served: Served<'_>,
    now: u64,
) -> Explained {
    let explanation = Explanation {
        tenant,
        request,
        told: RefCell::default(),
    };
    let decision = check::before(tenant, request, now, &explanation).await;
    let Told {
        steps, not_asked, ..
    } = explanation.told.into_inner();
    let lines = Lines::new(served.file, served.text);
    let last = steps.len().saturating_sub(1);
    let path = crate::policy::path::place(request.target, &tenant.settings.context_path, |_| true);
    Explained {
        tenant: tenant.settings.id.to_string(),
        method: request.method.to_owned(),
        path: compared::canonical(path.ok().as_ref()),
        address: request.address,
        steps: steps
            .into_iter()
            .enumerate()
            .map(|(at, step)| {
                let ended = match &decision {
                    _ if at < last => None,
                    Decision::Allow(_) => None,
                    Decision::Deny(denial) => Some((Outcome::Refused, denial.to_string())),
                    Decision::Unavailable(outage) => Some(match &not_asked {
                        Some(whom) => (Outcome::NotAsked, format!("a real check would ask {whom}")),
                        None => (Outcome::Unavailable, outage.to_string()),
                    }),
                };
                step.told(&lines, ended)
            })
            .collect(),
        verdict: match (&decision, not_asked) {
            (Decision::Unavailable(_), Some(whom)) => Verdict::open(&whom),
            _ => Verdict::of(&decision, served),
        },
    }
}

/// What is told of one check.
struct Explanation<'e> {
    tenant: &'e Tenant,
    request: &'e Request<'e>,
    told: RefCell<Told>,
}

#[derive(Default)]
struct Told {
    steps: Vec<Compared>,
    /// Whose settings the token is judged by.
    provider: Option<usize>,
    not_asked: Option<String>,
}

impl Witness for Explanation<'_> {
    const IS_REAL: bool = false;

    fn begin(&self, step: Step<'_>) {
        let mut told = self.told.borrow_mut();
        if let Step::Signature(place) = step {
            told.provider = Some(place);
        }
        let compared = Compared::of(step, &self.tenant.settings, self.request, told.provider);
        told.steps.push(compared);
    }

    fn found(&self, what: impl FnOnce() -> String) {
        if let Some(step) = self.told.borrow_mut().steps.last_mut() {
            step.found(&what());
        }
    }

    fn may_ask(&self, whom: impl FnOnce() -> String) -> Result<(), Outage> {
        let whom = whom();
        let outage = not_asked(&whom);
        self.told.borrow_mut().not_asked = Some(whom);
        Err(outage)
    }
}

impl Compared {
    fn told(self, lines: &Lines<'_>, ended: Option<(Outcome, String)>) -> StepTold {
        let line = self.key.as_deref().and_then(|key| lines.of(key));
        let (outcome, compared) = match ended {
            Some((outcome, how)) if self.text.is_empty() => (outcome, how),
            Some((outcome, how)) => (outcome, format!("{}; {how}", self.text)),
            None if self.applies => (Outcome::Passed, self.text),
            None => (Outcome::NotApplicable, self.text),
        };
        StepTold {
            step: self.name.to_owned(),
            outcome,
            compared,
            key: self.key,
            line,
        }
    }
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

    fn open(whom: &str) -> Self {
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
