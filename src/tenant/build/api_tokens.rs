//! `[api_tokens]`: who may have tokens of Postern's own.

use std::time::Duration;

use super::{duration, names};
use crate::{
    api_tokens::Scope,
    tenant::{
        file::{ApiTokensFile, Count, DEFAULT_MAX_LIFETIME, DEFAULT_MAX_PER_USER},
        report::{Report, member},
        settings::{ApiTokenSettings, Settings},
    },
};

/// The bounds of `max_lifetime`: a token that nobody will live to see expire has no expiry.
const LIFETIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(1)..=Duration::from_hours(10 * 365 * 24);
/// The bounds of `max_per_user`.
const COUNTS: std::ops::RangeInclusive<i64> = 1..=10_000;

/// What a file says of API tokens; none where it says nothing.
pub fn api_tokens(
    file: Option<&ApiTokensFile>,
    has_provider: bool,
    report: &mut Report<'_>,
) -> Option<ApiTokenSettings> {
    let default = ApiTokensFile::default();
    let key = |name: &str| member("api_tokens", name);
    let enabled = file.is_some_and(|file| file.enabled == Some(true));
    // Whoever wrote the section expects tokens.
    if file.is_some_and(|file| file.enabled.is_none()) && !report.is_broken(&key("enabled")) {
        let message =
            "there are no API tokens, and what stands here has no effect without enabled = true";
        report
            .warning("api_tokens", message)
            .help("add enabled = true, or enabled = false if that is meant");
    }
    let file = file.unwrap_or(&default);
    let self_service = file.self_service.unwrap_or(false);
    if self_service && file.enabled == Some(false) {
        report
            .warning(
                &key("self_service"),
                "this has no effect with enabled = false",
            )
            .help("remove it, or write enabled = true");
    } else if self_service && !has_provider {
        let message = "nobody can use this: users issue their own tokens with a token of a provider, and there is none";
        report
            .warning(&key("self_service"), message)
            .help("add a [[provider]], or remove it");
    }
    let max_lifetime = file.max_lifetime.as_deref().unwrap_or(DEFAULT_MAX_LIFETIME);
    let max_lifetime = duration(&key("max_lifetime"), max_lifetime, LIFETIMES, report);
    let max_per_user = file
        .max_per_user
        .map_or(DEFAULT_MAX_PER_USER, |Count(count)| count);
    if !COUNTS.contains(&max_per_user) {
        let message = format!(
            "this must lie between {} and {}",
            COUNTS.start(),
            COUNTS.end()
        );
        report.error(&key("max_per_user"), message);
    }
    let groups = file.groups.as_deref().unwrap_or_default();
    let groups = names(&key("groups"), groups, report);
    Some(ApiTokenSettings {
        enabled,
        max_lifetime: max_lifetime?,
        max_per_user: usize::try_from(max_per_user).ok()?,
        groups: groups?,
        default_scope: file.default_scope.unwrap_or(Scope::Read),
        self_service,
    })
}

/// Groups of API tokens' owners are the product's, and only an administrator may ask it.
pub fn groups_are_known(settings: &Settings, report: &mut Report<'_>) {
    let upstream = settings.upstream.as_ref();
    let can_ask = upstream.is_some_and(|upstream| upstream.admin_token.is_some());
    if !settings.api_tokens.enabled || can_ask {
        return;
    }
    let help = "add admin_token to [upstream]";
    if !settings.api_tokens.groups.is_empty() {
        let message =
            "no API token can pass: its owner's groups are the product's, and it can't be asked";
        report.error("api_tokens.groups", message).help(help);
    }
    if !settings.access.allow_groups.is_empty() {
        let message = "API tokens are refused here: their owners' groups are the product's, and it can't be asked";
        report.warning("access.allow_groups", message).help(help);
    }
}
