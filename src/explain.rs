//! A check that is looked at: each step, what was compared with what, and what would let it pass. It is the path of a
//! real check ([`check::before`]), which spends nothing and asks nobody when it is only looked at.

mod compared;
mod verdict;
mod way_out;

use std::{cell::RefCell, fmt, net::IpAddr, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    check,
    decision::{Decision, Outage},
    policy::path,
    request::Request,
    tenant::{Tenant, lines::Lines},
    witness::{Step, Witness, not_asked},
};
use compared::Compared;
pub use verdict::{Cause, Ruling, Verdict};

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
    let decision = check::before(
        tenant,
        request,
        now,
        &explanation,
        &mut check::Found::default(),
    )
    .await;
    let Told {
        steps, not_asked, ..
    } = explanation.told.into_inner();
    let lines = Lines::new(served.file, served.text);
    let last = steps.len().saturating_sub(1);
    let path = path::place(request.target, &tenant.settings.context_path, |_| true);
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
