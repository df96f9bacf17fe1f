//! The trail: one event for each decision, under the target `decision`. Its fields are documented in docs/operations.md.
//!
//! What strangers wrote stands in it only where it is the call itself (method and path), cut or canonical; subscribers
//! escape it. A token is known by its name, once that was proved.

use std::{borrow::Cow, net::IpAddr, time::Duration};

use crate::{
    check::Found,
    decision::{Decision, Denied},
    policy::{self, path, path::Place},
    request::{Request, RequestId},
    telemetry::Share,
    tenant::settings::Settings,
    verify::Verified,
};

/// The most that is shown of a name that a stranger may have made up, in bytes: as long as a tenant's name can be.
const MAX_SHOWN: usize = 63;

/// What is told beside a decision.
pub struct Trail<'d> {
    /// Of the request.
    pub id: RequestId,
    /// As it was asked for.
    pub tenant: &'d str,
    /// Of the tenant, if there is one.
    pub settings: Option<&'d Settings>,
    /// Unless the proxy broke its contract.
    pub request: Option<&'d Request<'d>>,
    /// Of the client, as far as the proxy is believed.
    pub address: Option<IpAddr>,
    /// As the client sent it; empty where that could not be read.
    pub method: &'d str,
    /// On the way to the decision.
    pub found: Found<'d>,
    /// Whether the call passes untouched, whatever was decided.
    pub observed: bool,
    /// Which reads are told like writes.
    pub logged_reads: Share,
    /// From the request's arrival to the decision.
    pub took: Duration,
}

/// As [`Trail::tell`] writes it. The level of an event must be a constant.
macro_rules! event {
    ($level:ident, $trail:expr, $decision:expr, $($message:tt)+) => {
        if tracing::enabled!(target: "decision", tracing::Level::$level) {
            let trail: &Trail<'_> = $trail;
            let decision: &Decision = $decision;
            let caller = trail.caller(decision);
            let principal = caller.map(Verified::principal);
            tracing::event!(
                target: "decision",
                tracing::Level::$level,
                request.id = %trail.id,
                tenant.id = shown(trail.tenant),
                outcome = trail.outcome(decision),
                mode = trail.observed.then_some("observe"),
                reason = reason(decision),
                method = trail.way(decision),
                account = principal.map(|caller| caller.account()),
                provider = principal.map(|caller| caller.provider()).filter(|name| !name.is_empty()),
                token.id = caller.and_then(Verified::token),
                client.address = trail.address.map(tracing::field::display),
                http.method = Some(shown(trail.method)).filter(|method| !method.is_empty()),
                http.method_override = trail.request.and_then(|request| request.method_override).map(shown),
                path = trail.path().as_deref(),
                duration_ms = milliseconds(trail.took),
                $($message)+
            );
        }
    };
}

impl<'d> Trail<'d> {
    /// Of a request of which nothing else is known.
    pub fn new(id: RequestId, tenant: &'d str, took: Duration) -> Self {
        Self {
            id,
            tenant,
            settings: None,
            request: None,
            address: None,
            method: "",
            found: Found::default(),
            observed: false,
            logged_reads: Share::NONE,
            took,
        }
    }

    /// With the request, if it could be read.
    pub fn about(self, request: Option<&'d Request<'d>>) -> Self {
        Self {
            request,
            address: request.and_then(|request| request.address),
            method: request.map_or("", |request| request.method),
            ..self
        }
    }

    /// Logs the decision. Everything but a call that passes, only reads and is not sampled is told at `info` or above; such
    /// calls are most, and nothing is made up for them where `debug` is off.
    pub fn tell(mut self, decision: &Decision) {
        match decision {
            Decision::Allow(_) => {
                self.look_at_place(decision);
                let would_be = if self.observed { "would be " } else { "" };
                if self.writes() || self.logged_reads.takes(self.id) {
                    event!(INFO, &self, decision, "{would_be}allowed");
                } else {
                    event!(DEBUG, &self, decision, "{would_be}allowed");
                }
            }
            Decision::Deny(denial) => {
                self.look_at_place(decision);
                if self.observed {
                    event!(INFO, &self, decision, "would be denied: {denial}");
                } else {
                    event!(INFO, &self, decision, "denied: {denial}");
                }
            }
            Decision::Unavailable(outage) => {
                self.look_at_place(decision);
                if self.observed {
                    event!(WARN, &self, decision, "would be unavailable: {outage}");
                } else {
                    event!(WARN, &self, decision, "unavailable: {outage}");
                }
            }
        }
    }

    /// Judges the path where the decision did not depend on it, but not once more where it has no single reading.
    fn look_at_place(&mut self, decision: &Decision) {
        let was_judged = matches!(decision, Decision::Deny(denial) if matches!(denial.reason, Denied::AmbiguousPath | Denied::NotThisTenant));
        if self.found.place.is_none()
            && !was_judged
            && let (Some(request), Some(settings)) = (self.request, self.settings)
        {
            let protected = |path: &str| policy::is_protected(settings, path);
            let place = path::place(request.target, &settings.context_path, protected);
            self.found.place = place.ok();
        }
    }

    /// Whether the call may change something in the product.
    fn writes(&self) -> bool {
        let place = self.found.place.as_ref().unwrap_or(&Place::Product);
        self.request
            .zip(self.settings)
            .is_some_and(|(request, settings)| {
                !policy::only_reads(settings.product, request, place)
            })
    }

    /// The canonical path, if the path has only one reading.
    fn path(&self) -> Option<Cow<'_, str>> {
        match (&self.found.place, self.settings) {
            (Some(Place::Canonical(path)), Some(settings)) => {
                Some(policy::shown_path(settings, path))
            }
            _ => None,
        }
    }

    /// Who was proved.
    fn caller<'v>(&'v self, decision: &'v Decision) -> Option<&'v Verified> {
        match decision {
            Decision::Allow(grant) => grant.proof(),
            Decision::Deny(_) | Decision::Unavailable(_) => self.found.refused.as_deref(),
        }
    }

    /// How that was proved, or which way that proves nothing was taken.
    fn way(&self, decision: &Decision) -> Option<&'static str> {
        match decision {
            Decision::Allow(grant) => Some(grant.method()),
            Decision::Deny(_) | Decision::Unavailable(_) => self
                .found
                .refused
                .as_ref()
                .map(|caller| caller.principal().method().word()),
        }
    }

    /// As the metric has it.
    fn outcome(&self, decision: &Decision) -> &'static str {
        match decision {
            Decision::Allow(_) => "allow",
            Decision::Deny(_) | Decision::Unavailable(_) if self.observed => "observe",
            Decision::Deny(_) => "deny",
            Decision::Unavailable(_) => "unavailable",
        }
    }
}

fn reason(decision: &Decision) -> Option<&'static str> {
    match decision {
        Decision::Allow(_) => None,
        Decision::Deny(denial) => Some(denial.reason.word()),
        Decision::Unavailable(outage) => Some(outage.reason.word()),
    }
}

fn shown(text: &str) -> &str {
    let end = (0..=MAX_SHOWN.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// To the microsecond, at most 71 minutes.
fn milliseconds(duration: Duration) -> f64 {
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(microseconds) / 1000.0
}
