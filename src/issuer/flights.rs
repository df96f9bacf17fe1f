//! Calls in flight: one for each question, however many ask it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{runtime::Handle, sync::watch};

/// The most calls in flight to one endpoint: one that hangs costs this many sockets and no more.
pub const MAX_IN_FLIGHT: usize = 64;

/// The calls that are in flight, by what is asked.
pub struct Flights<K, T>(Arc<Mutex<InFlight<K, T>>>);

type InFlight<K, T> = HashMap<K, watch::Receiver<Option<T>>>;

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K, T> Flights<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    /// The outcome of the call about `key`: of the one that is in flight, or else of the one that `start` makes, which
    /// is told how many others there are. It runs on `runtime` and goes on if whoever waits for it hangs up, so that
    /// the next one finds it answered. `None` if it ended without an outcome, as all do when Postern stops.
    ///
    /// # Errors
    /// What `start` says instead of making a call.
    pub async fn join_or_start<F, E>(
        &self,
        key: K,
        runtime: &Handle,
        start: impl FnOnce(usize) -> Result<F, E>,
    ) -> Result<Option<T>, E>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut outcome = self.receiver(key, runtime, start)?;
        let outcome = outcome.wait_for(Option::is_some).await;
        Ok(outcome.ok().and_then(|outcome| outcome.clone()))
    }

    fn receiver<F, E>(
        &self,
        key: K,
        runtime: &Handle,
        start: impl FnOnce(usize) -> Result<F, E>,
    ) -> Result<watch::Receiver<Option<T>>, E>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut in_flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = in_flight.get(&key) {
            return Ok(outcome.clone());
        }
        let call = start(in_flight.len())?;
        let (sender, receiver) = watch::channel(None);
        in_flight.insert(key.clone(), receiver.clone());
        let ends = Ends {
            in_flight: Arc::clone(&self.0),
            key,
        };
        runtime.spawn(async move {
            let outcome = call.await;
            drop(ends);
            sender.send_replace(Some(outcome));
        });
        Ok(receiver)
    }
}

/// A call in flight: whatever becomes of it, it is in flight no more when this goes.
struct Ends<K: Eq + Hash, T> {
    in_flight: Arc<Mutex<InFlight<K, T>>>,
    key: K,
}

impl<K: Eq + Hash, T> Drop for Ends<K, T> {
    fn drop(&mut self) {
        let in_flight = self.in_flight.lock();
        in_flight
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
