//! Questions of one kind to one product: asked once at a time, and remembered for a while.

use std::{
    borrow::Borrow,
    hash::Hash,
    sync::{Arc, OnceLock},
};

use quick_cache::sync::Cache;
use tokio::runtime::Handle;

use super::outage;
use crate::{
    clock,
    decision::{Outage, Unavailable},
    issuer::{
        breaker::{Admission, Breaker, Setback},
        client::{FetchError, WHOLE_CALL},
        flights::{Flights, MAX_IN_FLIGHT},
    },
    tenant::settings::Upstream,
};

/// How long an answer that may soon be another is kept, in seconds: an account that is made is seen soon.
const BRIEFLY: u64 = 10;
/// The most answers that are kept briefly. A flood of invented names or cookies turns this over, and not the others.
const BRIEF_CAPACITY: usize = 1_000;

/// What becomes of answers.
pub struct Kept<T> {
    /// Whether an answer is one that is kept for long.
    pub is_lasting: fn(&T) -> bool,
    /// For how long, in seconds.
    pub seconds: u64,
    /// How many of them.
    pub capacity: usize,
}

/// See the module.
pub struct Questions<K, T>(Arc<State<K, T>>);

struct State<K, T> {
    settings: Arc<Upstream>,
    kept: Kept<T>,
    flights: Flights<K, Result<T, Outage>>,
    breaker: Breaker,
    lasting: OnceLock<Cache<K, Remembered<T>>>,
    /// Those that may soon be others, and questions that are not to be asked for a while.
    brief: OnceLock<Cache<K, Remembered<Result<T, Outage>>>>,
}

/// An answer, and the seconds in which it holds.
#[derive(Clone)]
struct Remembered<T> {
    /// A clock that is set back must not make it hold longer.
    from: u64,
    until: u64,
    told: T,
}

impl<T> Remembered<T> {
    fn new(now: u64, seconds: u64, told: T) -> Self {
        Self {
            from: now,
            until: now + seconds,
            told,
        }
    }

    fn holds(&self, now: u64) -> bool {
        (self.from..self.until).contains(&now)
    }
}

impl<K, T> Questions<K, T>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub fn new(settings: Arc<Upstream>, kept: Kept<T>) -> Self {
        Self(Arc::new(State {
            settings,
            kept,
            flights: Flights::default(),
            breaker: Breaker::default(),
            lasting: OnceLock::new(),
            brief: OnceLock::new(),
        }))
    }

    /// What is remembered of that question.
    pub fn known<Q>(&self, key: &Q, now: u64) -> Option<Result<T, Outage>>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let lasting = self.0.lasting.get().and_then(|all| all.get(key));
        if let Some(known) = lasting.filter(|known| known.holds(now)) {
            return Some(Ok(known.told));
        }
        let brief = self.0.brief.get().and_then(|all| all.get(key));
        let known = brief.filter(|known| known.holds(now))?;
        Some(known.told.map_err(|mut outage| {
            outage.retry_after = known.until - now;
            outage
        }))
    }

    /// The answer of `call`, or of the one that is being made about `key`.
    pub async fn ask<F>(
        &self,
        key: K,
        runtime: &Handle,
        now: u64,
        call: impl FnOnce() -> F,
    ) -> Result<T, Outage>
    where
        F: Future<Output = Result<T, FetchError>> + Send + 'static,
    {
        let state = &self.0;
        let start = |in_flight| {
            if in_flight >= MAX_IN_FLIGHT {
                let settings = &state.settings;
                let message = format!(
                    "{MAX_IN_FLIGHT} calls to {} are in flight ({})",
                    settings.address, settings.written_in
                );
                return Err(Outage::new(Unavailable::Overloaded, 1, message));
            }
            if let Admission::Wait(seconds) = state.breaker.admit(now) {
                let what = "failed several times in a row and is left alone";
                return Err(outage(&state.settings, seconds, what));
            }
            let (state, key, call) = (Arc::clone(state), key.clone(), call());
            Ok(async move {
                // Several calls for one answer have no more time than one.
                let answered = tokio::time::timeout(WHOLE_CALL, call).await;
                state.settle(key, answered.unwrap_or(Err(FetchError::TimedOut)))
            })
        };
        let asked = state.flights.join_or_start(key.clone(), runtime, start);
        let stopped = || {
            let what = "was being asked when Postern stopped";
            Err(outage(&state.settings, 1, what))
        };
        asked.await?.unwrap_or_else(stopped)
    }

    /// The breaker's state, for status.
    pub fn breaker(&self, now: u64) -> &'static str {
        self.0.breaker.word(now)
    }
}

impl<K: Eq + Hash + Clone, T: Clone> State<K, T> {
    /// What an answer, or the want of one, comes to.
    fn settle(&self, key: K, answered: Result<T, FetchError>) -> Result<T, Outage> {
        let now = clock::now();
        let error = match answered {
            Ok(answer) => {
                self.breaker.succeeded();
                if (self.kept.is_lasting)(&answer) {
                    let known = Remembered::new(now, self.kept.seconds, answer.clone());
                    let all = self.lasting.get_or_init(|| Cache::new(self.kept.capacity));
                    all.insert(key, known);
                } else {
                    self.remember_briefly(key, Remembered::new(now, BRIEFLY, Ok(answer.clone())));
                }
                return Ok(answer);
            }
            Err(error) => error,
        };
        let setback = self.breaker.erred(now, &error);
        let (Setback::Endpoint(seconds) | Setback::Question(seconds)) = setback;
        let hint = if self.settings.is_url {
            "; no address is written, and if url leads through the proxy, Postern asks itself"
        } else {
            ""
        };
        let what = format!("cannot be asked: {error}{hint}");
        let outage = outage(&self.settings, seconds, &what);
        if let Setback::Question(seconds) = setback {
            self.remember_briefly(key, Remembered::new(now, seconds, Err(outage.clone())));
        }
        tracing::warn!(product = self.settings.label, "{outage}");
        Err(outage)
    }

    fn remember_briefly(&self, key: K, known: Remembered<Result<T, Outage>>) {
        self.brief
            .get_or_init(|| Cache::new(BRIEF_CAPACITY))
            .insert(key, known);
    }
}
