//! When keys are fetched next: ahead of their expiry, and after failures ever more seldom.

use std::time::Duration;

use aws_lc_rs::rand;

use crate::issuer::breaker::LONGEST_ASKED;

/// Seconds between two fetches where the issuer names no time, and the bounds of what it may name.
const USUAL: u64 = 60 * 60;
const SHORTEST: u64 = 5 * 60;
const LONGEST: u64 = 24 * 60 * 60;
/// Seconds until a failed fetch is tried again; doubled with each failure in a row, up to the second figure.
pub const FIRST_RETRY: u64 = 1;
const LAST_RETRY: u64 = 60;

/// Seconds for which fetched keys are good: `max_age` is what the issuer said (`Cache-Control`), `patience` the
/// shortest `stale_keys` of the tenants. Half of that leaves room for failed fetches before the keys are too old.
pub fn after_success(max_age: Option<u64>, patience: Option<u64>) -> u64 {
    let cached = max_age.unwrap_or(USUAL).clamp(SHORTEST, LONGEST);
    patience.map_or(cached, |patience| cached.min(patience / 2))
}

/// For how many seconds an issuer is left alone that asked for it (`Retry-After`).
pub fn pause(asked: Option<u64>) -> u64 {
    asked.unwrap_or(0).min(LONGEST_ASKED)
}

/// Seconds after which a fetch is tried again that has failed so often in a row, this time included; `asked` is for how
/// long the issuer is to be left alone at the least, whatever [`with_jitter`] takes off.
pub fn after_failure(failures: u32, asked: u64) -> u64 {
    let doubled = FIRST_RETRY << failures.saturating_sub(1).min(16);
    doubled.min(LAST_RETRY).max(asked.div_ceil(3) * 4)
}

/// Three quarters to all of `seconds`: ahead of the expiry, and not all sources at the same moment.
pub fn with_jitter(seconds: u64) -> Duration {
    let mut byte = [0];
    // Without randomness there is no jitter, which is a pity and no danger.
    let _ = rand::fill(&mut byte);
    Duration::from_secs(seconds).mul_f64(0.75 + f64::from(byte[0]) / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_issuers_time_is_honoured_within_bounds() {
        for (named, seconds) in [
            (None, USUAL),
            (Some(0), SHORTEST),
            (Some(299), SHORTEST),
            (Some(301), 301),
            (Some(7200), 7200),
            (Some(86_401), LONGEST),
            (Some(u64::MAX), LONGEST),
        ] {
            assert_eq!(after_success(named, Some(30 * LONGEST)), seconds);
        }
    }

    #[test]
    fn keys_are_refreshed_well_before_they_are_too_old_for_anyone() {
        assert_eq!(after_success(None, Some(60)), 30);
        assert_eq!(after_success(Some(u64::MAX), Some(LONGEST)), LONGEST / 2);
        assert_eq!(after_success(Some(600), Some(LONGEST)), 600);
    }

    #[test]
    fn failures_are_retried_ever_more_seldom() {
        let pauses: Vec<_> = (1..=11)
            .map(|failures| after_failure(failures, 0))
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
        assert_eq!(after_failure(u32::MAX, 0), LAST_RETRY);
        assert_eq!(after_failure(1, 120), 160);
        assert_eq!(after_failure(9, 30), LAST_RETRY);
        assert_eq!(pause(Some(u64::MAX)), LONGEST_ASKED);
        assert!(with_jitter(after_failure(1, 120)) >= Duration::from_mins(2));
    }

    #[test]
    fn jitter_only_ever_shortens() {
        let whole = Duration::from_secs(1000);
        for _ in 0..1000 {
            assert!((whole.mul_f64(0.75)..whole).contains(&with_jitter(1000)));
        }
    }
}
