//! Waiting for a state, never for a time.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// The longest that anything may take on a busy machine before it counts as never.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until `state` gives something, and gives it.
///
/// # Panics
/// If that does not happen within the limit.
#[track_caller]
pub fn until<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = state() {
            return found;
        }
        assert!(
            started.elapsed() < LIMIT,
            "waited {LIMIT:?} in vain: {what}"
        );
        // The pause between two looks; nothing depends on its length.
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until `state` is true, and says how long that took.
///
/// # Panics
/// If that does not happen within the limit.
#[track_caller]
pub fn eventually(what: &str, mut state: impl FnMut() -> bool) -> Duration {
    let started = Instant::now();
    until(what, || state().then_some(()));
    started.elapsed()
}

/// Tells threads to end when it is dropped: after a failure, too, or the scope that they are in would wait for ever.
pub struct Ends<'a>(pub &'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
