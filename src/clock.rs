//! The one place that reads the time; everything that judges is handed it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, as `exp` and `nbf` count them (RFC 7519 §2, NumericDate).
///
/// A clock before 1970 reads as 0, which makes every token "not yet valid" or its keys stale: it fails closed.
#[must_use]
pub fn now() -> u64 {
    since_epoch().as_secs()
}

/// The same to the nanosecond, for the times of files.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are sent to"
)]
pub fn since_epoch() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Such a time for people (RFC 3339, in UTC).
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    // The last second that has four digits for its year: no other is written so.
    const LAST: u64 = 253_402_300_799;
    let time = UNIX_EPOCH + Duration::from_secs(seconds.min(LAST));
    humantime::format_rfc3339_seconds(time).to_string()
}
