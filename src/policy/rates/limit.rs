//! One rate and its buckets: `governor`'s (GCRA), in a cache that is bounded.

use std::{convert::Infallible, fmt, hash::Hash, sync::Arc};

use governor::{
    NotUntil, RateLimiter,
    clock::{Clock, MonotonicClock},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, StateStore},
};
use quick_cache::sync::Cache;

use super::Rate;
use crate::decision::UsedUp;

/// The most buckets of one kind that a tenant has. With a long account's name one takes about 200 bytes, so that a
/// flood of keys takes 10 MB and no more, while no instance has as many callers at a time.
///
/// Of more keys, those that are seldom seen are forgotten first, and a forgotten bucket is a full one. Whoever floods us
/// with keys gains nothing by it that matters: his new keys had full buckets anyway, and it takes a good token of as many
/// accounts, or as many addresses, to do it. Whoever is being refused comes often, and so is kept.
pub const CAPACITY: usize = 50_000;

/// What is done to a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Taking {
    /// One is taken out of it.
    Take,
    /// It is only looked at.
    Look,
}

/// Whether one could be taken out of a bucket. What can't be taken changes nothing in it, and so it is told that
/// nothing can.
fn look<T, F, E>(bucket: &InMemoryState, spend: F) -> Result<T, E>
where
    F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
{
    let looked = bucket.measure_and_replace(&NotKeyed::NonKey, |left| {
        Err::<(Infallible, Nanos), _>(spend(left))
    });
    match looked {
        Ok(never) => match never {},
        Err(would) => would.map(|(spent, _)| spent),
    }
}

/// The one bucket of all.
#[derive(Default)]
pub struct Single(InMemoryState);

impl StateStore for Single {
    type Key = Taking;

    fn measure_and_replace<T, F, E>(&self, taking: &Taking, spend: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        match taking {
            Taking::Take => self.0.measure_and_replace(&NotKeyed::NonKey, spend),
            Taking::Look => look(&self.0, spend),
        }
    }
}

/// One bucket for each key, and a full one for a key that is not there.
pub struct Keyed<K>(Cache<K, Arc<InMemoryState>>);

impl<K: Eq + Hash> Default for Keyed<K> {
    fn default() -> Self {
        Self(Cache::new(CAPACITY))
    }
}

impl<K> StateStore for Keyed<K>
where
    K: Clone + Eq + Hash,
{
    type Key = (K, Taking);

    fn measure_and_replace<T, F, E>(&self, (key, taking): &Self::Key, spend: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        if *taking == Taking::Look {
            return match self.0.peek(key) {
                Some(bucket) => look(&bucket, spend),
                None => spend(None).map(|(spent, _)| spent),
            };
        }
        // Two that come at once, with a key that was never seen, are to have one bucket: the second waits until the
        // first has made it, which takes no longer than what is done under the cache's own lock.
        let Ok(bucket) = self
            .0
            .get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
        bucket.measure_and_replace(&NotKeyed::NonKey, spend)
    }
}

/// A rate with what is left of it. The clock is the monotonic one: nobody fills buckets by setting the machine's.
pub struct Limit<S, C = MonotonicClock>
where
    S: StateStore,
    C: Clock,
{
    rate: Rate,
    limiter: RateLimiter<S::Key, S, C, NoOpMiddleware<C::Instant>>,
}

impl<S, C> Limit<S, C>
where
    S: StateStore + Default,
    C: Clock,
{
    /// With full buckets.
    #[must_use]
    pub fn new(rate: Rate, clock: C) -> Self {
        Self {
            rate,
            limiter: RateLimiter::new(rate.quota(), S::default(), clock),
        }
    }

    /// As the tenant file writes it.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    fn used_up(&self, until: &NotUntil<C::Instant>) -> UsedUp {
        let wait = until.wait_time_from(self.limiter.clock().now());
        UsedUp {
            limit: self.rate.most(),
            // Rounded up: whoever comes when told so is not to be told again.
            retry_after: wait.as_secs() + u64::from(wait.subsec_nanos() > 0),
        }
    }
}

impl<K, C> Limit<Keyed<K>, C>
where
    K: Clone + Eq + Hash,
    C: Clock,
{
    /// Takes one out of the bucket of `key`, or looks whether one could be.
    ///
    /// # Errors
    /// If it is empty; then nothing is taken.
    pub fn spend(&self, key: K, taking: Taking) -> Result<(), UsedUp> {
        let spent = self.limiter.check_key(&(key, taking));
        spent.map_err(|until| self.used_up(&until))
    }
}

impl<C> Limit<Single, C>
where
    C: Clock,
{
    /// Takes one out of the only bucket, or looks whether one could be.
    ///
    /// # Errors
    /// If it is empty; then nothing is taken.
    pub fn spend_only(&self, taking: Taking) -> Result<(), UsedUp> {
        let spent = self.limiter.check_key(&taking);
        spent.map_err(|until| self.used_up(&until))
    }
}

/// Without the keys: they are accounts and digests of tokens.
impl<S, C> fmt::Debug for Limit<S, C>
where
    S: StateStore,
    C: Clock,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Limit({})", self.rate)
    }
}

#[cfg(test)]
mod tests;
