//! A breaker: an endpoint that fails is left alone for a while, so that its callers don't wait in vain.

use std::sync::{Mutex, PoisonError};

use super::client::FetchError;

/// Seconds after which it is worth asking again, where the other side does not say it.
pub const RETRY_AFTER: u64 = 5;

/// Failures in a row that open it. One or two happen to every service.
const FAILURES: u32 = 5;
/// The first pause, in seconds; it doubles with every failed probe.
const FIRST_PAUSE: u64 = 5;
/// The longest pause, in seconds: an issuer that is back is noticed within it.
const LONGEST_PAUSE: u64 = 60;

/// The longest pause that is granted to who asks for one (`Retry-After`), in seconds: GitHub's limits are by the hour.
pub const LONGEST_ASKED: u64 = 3600;

/// The state of one endpoint. It is looked at only when the endpoint is about to be called.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    /// Since when it is open. An earlier time than this means that the clock was set back.
    since: u64,
    open_until: u64,
    probing: bool,
    /// The pause was asked for.
    asked: bool,
}

/// What the breaker says of a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// Call.
    Call,
    /// Do not, for that many seconds.
    Wait(u64),
}

/// What a call that failed holds back, and for how many seconds.
#[derive(Debug, PartialEq, Eq)]
pub enum Setback {
    /// Nothing by itself: it is for the breaker to let calls through, and this for callers to come again.
    Endpoint(u64),
    /// The same question: it is not to be asked again so soon, and others are answered.
    Question(u64),
}

impl Breaker {
    /// Counts a call that failed, by what its error says of the endpoint.
    pub fn erred(&self, now: u64, error: &FetchError) -> Setback {
        match error {
            FetchError::Status {
                status: 403 | 429 | 503,
                retry_after: Some(seconds),
            } => Setback::Endpoint(self.pause(now, *seconds)),
            FetchError::RateLimited(seconds) => Setback::Endpoint(self.pause(now, *seconds)),
            // What is said of one user may be as long as that user likes.
            FetchError::TooLarge(_) => {
                self.succeeded();
                Setback::Question(RETRY_AFTER)
            }
            FetchError::OneToken { retry_after, .. } => {
                self.succeeded();
                Setback::Question(*retry_after)
            }
            // It doesn't like this one token: nobody's odd tokens close the endpoint for the others.
            FetchError::Status {
                status: 400 | 402..=428 | 430..=499,
                ..
            } => {
                self.succeeded();
                Setback::Endpoint(RETRY_AFTER)
            }
            _ => {
                self.failed(now);
                Setback::Endpoint(RETRY_AFTER)
            }
        }
    }

    /// Whether the endpoint may be called at `now`. After a pause one call is let through as a probe.
    pub fn admit(&self, now: u64) -> Admission {
        let mut state = self.state();
        if state.failures < FAILURES {
            return Admission::Call;
        }
        let wait = state.open_until.saturating_sub(now);
        if wait > 0 && now >= state.since {
            return Admission::Wait(wait);
        }
        if state.probing {
            return Admission::Wait(1);
        }
        state.probing = true;
        Admission::Call
    }

    /// The endpoint answered sensibly.
    pub fn succeeded(&self) {
        let mut state = self.state();
        // A call that was under way when it opened ends no pause that was asked for.
        if !state.asked || state.probing {
            *state = State::default();
        }
    }

    /// It did not.
    pub fn failed(&self, now: u64) {
        let mut state = self.state();
        // Calls that were under way when it opened are part of the same bad moment.
        if now < state.open_until && !state.probing {
            return;
        }
        state.failures = state.failures.saturating_add(1);
        state.probing = false;
        if let Some(pauses) = state.failures.checked_sub(FAILURES) {
            state.since = now;
            state.open_until = now + (FIRST_PAUSE << pauses.min(8)).min(LONGEST_PAUSE);
        }
    }

    /// The endpoint asked not to be called for that long (`Retry-After`). Answers for how long it is not.
    pub fn pause(&self, now: u64, seconds: u64) -> u64 {
        let mut state = self.state();
        state.failures = state.failures.max(FAILURES);
        state.probing = false;
        state.asked = true;
        let seconds = seconds.clamp(1, LONGEST_ASKED);
        state.since = now;
        state.open_until = now + seconds;
        seconds
    }

    /// For status: `closed`, `open` or `half-open`.
    #[must_use]
    pub fn word(&self, now: u64) -> &'static str {
        let state = self.state();
        match (state.failures < FAILURES, now < state.open_until) {
            (true, _) => "closed",
            (false, true) => "open",
            (false, false) => "half-open",
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_five_failures_and_lets_one_probe_through() {
        let breaker = Breaker::default();
        for _ in 0..4 {
            breaker.failed(100);
        }
        assert_eq!(
            (breaker.admit(100), breaker.word(100)),
            (Admission::Call, "closed")
        );
        breaker.failed(100);
        assert_eq!(
            (breaker.admit(101), breaker.word(101)),
            (Admission::Wait(4), "open")
        );
        assert_eq!(breaker.word(105), "half-open");
        assert_eq!(breaker.admit(105), Admission::Call);
        assert_eq!(breaker.admit(105), Admission::Wait(1));
        breaker.failed(105);
        assert_eq!(breaker.admit(106), Admission::Wait(9));
        assert_eq!(breaker.admit(115), Admission::Call);
        breaker.succeeded();
        assert_eq!(
            (breaker.admit(115), breaker.word(115)),
            (Admission::Call, "closed")
        );
    }

    #[test]
    fn a_burst_of_failures_counts_as_one() {
        let breaker = Breaker::default();
        for _ in 0..64 {
            breaker.failed(100);
        }
        assert_eq!(breaker.admit(100), Admission::Wait(FIRST_PAUSE));
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_lengthen_the_pause() {
        let breaker = Breaker::default();
        breaker.pause(10_000, 30);
        assert_eq!(breaker.admit(10_000), Admission::Wait(30));
        assert_eq!(breaker.admit(6_400), Admission::Call);
        breaker.failed(6_400);
        assert_eq!(breaker.admit(6_400), Admission::Wait(2 * FIRST_PAUSE));
        assert_eq!(breaker.admit(6_410), Admission::Call);
    }

    #[test]
    fn a_pause_that_was_asked_for_outlasts_calls_that_were_under_way() {
        let breaker = Breaker::default();
        breaker.pause(100, 30);
        breaker.succeeded();
        assert_eq!(breaker.admit(101), Admission::Wait(29));
        assert_eq!(breaker.admit(130), Admission::Call);
        breaker.succeeded();
        assert_eq!(breaker.admit(130), Admission::Call);
    }

    #[test]
    fn its_pause_is_bounded() {
        let breaker = Breaker::default();
        let mut now = 0;
        for _ in 0..1000 {
            breaker.failed(now);
            if let Admission::Wait(seconds) = breaker.admit(now) {
                now += seconds;
            }
        }
        breaker.failed(now);
        assert_eq!(breaker.admit(now), Admission::Wait(LONGEST_PAUSE));
        breaker.succeeded();
        assert_eq!(breaker.pause(0, 1_000_000), LONGEST_ASKED);
        assert_eq!(breaker.admit(0), Admission::Wait(LONGEST_ASKED));
    }
}
