//! `[rate_limit]`: how much.

use crate::{
    policy::rates::{InvalidRate, Rate},
    tenant::{
        file::RateLimitFile,
        report::{Report, quoted},
        settings::RateLimits,
    },
};

/// The rates that a file sets; none where it says nothing.
pub fn rate_limit(file: Option<&RateLimitFile>, report: &mut Report<'_>) -> Option<RateLimits> {
    let default = RateLimitFile::default();
    let file = file.unwrap_or(&default);
    let per_user = rate("rate_limit.per_user", file.per_user.as_deref(), report);
    let per_token = rate("rate_limit.per_token", file.per_token.as_deref(), report);
    let per_tenant = rate("rate_limit.per_tenant", file.per_tenant.as_deref(), report);
    let failures = rate(
        "rate_limit.failures_per_address",
        file.failures_per_address.as_deref(),
        report,
    );
    let limits = RateLimits {
        per_user: per_user?,
        per_token: per_token?,
        per_tenant: per_tenant?,
        failures_per_address: failures?,
    };
    never_reached(&limits, report);
    Some(limits)
}

/// `Some(None)` is a rate that is not set.
#[expect(
    clippy::option_option,
    reason = "the outer one is that of every part of a build: it is broken, and reported"
)]
fn rate(key: &str, written: Option<&str>, report: &mut Report<'_>) -> Option<Option<Rate>> {
    let Some(text) = written else {
        return Some(None);
    };
    match text.parse() {
        Ok(rate) => Some(Some(rate)),
        Err(reason @ InvalidRate::Form) => {
            report
                .error(key, format!("{}: {reason}", quoted(text)))
                .help("write a number and its unit (s, min or h), as in \"600/min\"");
            None
        }
        Err(reason @ InvalidRate::Number) => {
            report
                .error(key, reason.to_string())
                .help("leave the key out to limit nothing");
            None
        }
    }
}

/// Rates that can't be used up before a wider one is.
fn never_reached(limits: &RateLimits, report: &mut Report<'_>) {
    let token = ("per_token", limits.per_token);
    let user = ("per_user", limits.per_user);
    let tenant = ("per_tenant", limits.per_tenant);
    for ((narrow, rate), wider) in [(token, [user, tenant].as_slice()), (user, &[tenant])] {
        let Some(rate) = rate else {
            continue;
        };
        let first = wider.iter().find_map(|(key, wide)| {
            wide.filter(|wide| wide.is_within(rate))
                .map(|wide| (key, wide))
        });
        if let Some((key, wide)) = first {
            let message = format!("this is never used up: rate_limit.{key} ({wide}) is before it");
            report.warning(&format!("rate_limit.{narrow}"), message);
        }
    }
}
