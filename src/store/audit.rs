//! The audit log in the store: events by number, never changed and never removed.

use std::sync::{Arc, Mutex, PoisonError};

use super::{
    Store, StoreError,
    tree::{decode, encode},
};
use crate::audit::Event;

/// The log.
#[derive(Debug, Clone)]
pub(super) struct AuditLog {
    events: sled::Tree,
    /// The number of the last event.
    last: Arc<Mutex<u64>>,
}

impl AuditLog {
    pub(super) fn open(events: sled::Tree) -> Result<Self, String> {
        let last = match events.last().map_err(|error| error.to_string())? {
            None => 0,
            Some((number, bytes)) => {
                let number = <[u8; 8]>::try_from(&*number).map_err(|_| "a number is unreadable")?;
                let event: Event = decode(&bytes)?;
                if event.number != u64::from_be_bytes(number) {
                    return Err("its last event has another's number".into());
                }
                event.number
            }
        };
        Ok(Self {
            events,
            last: Arc::new(Mutex::new(last)),
        })
    }

    /// How many events were ever written.
    pub(super) fn count(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers them and writes them, all or none. A flush is the caller's.
    pub(super) fn append(&self, events: &mut [Event]) -> Result<(), StoreError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = sled::Batch::default();
        let mut next = *last;
        for event in events {
            next += 1;
            event.number = next;
            batch.insert(&next.to_be_bytes(), encode(event)?);
        }
        let applied = self.events.apply_batch(batch);
        applied.map_err(|error| StoreError::Write(error.to_string()))?;
        *last = next;
        Ok(())
    }
}

impl Store {
    /// The events behind that number, in their order.
    pub fn audit_after(
        &self,
        number: u64,
    ) -> impl Iterator<Item = Result<Event, StoreError>> + use<> {
        let entries = self
            .audit
            .events
            .range(number.saturating_add(1).to_be_bytes()..);
        entries.map(|entry| {
            let (_, bytes) = entry.map_err(|error| StoreError::Read(error.to_string()))?;
            decode(&bytes).map_err(StoreError::Read)
        })
    }

    /// Tells of a change that is in another tree. The flush that the change needs anyway is the caller's.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn append_audit(&self, event: &mut Event) -> Result<(), StoreError> {
        self.audit.append(std::slice::from_mut(event))
    }
}
