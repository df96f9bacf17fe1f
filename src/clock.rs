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
