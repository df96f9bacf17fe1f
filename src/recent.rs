//! The last decisions of a tenant, for whoever has a request id and asks why: in memory, and gone with the daemon.
//!
//! No credential is kept, nor a query, nor a path that can be read in several ways: what was meant as a query may stand
//! in it.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    clock,
    decision::Decision,
    policy::{
        path::{self, Place},
        product,
    },
    request::{Request, RequestId},
    tenant::Tenant,
};

/// How many refusals are kept, and of what passed as many more: good calls, of which there are many, push no refusal
/// out. At a refusal a second it is the last eight minutes, which is as long as an operator takes to be told of one.
pub const KEPT: usize = 512;
/// How many slots are made at once.
const PART: usize = 32;
/// The most bytes of a path or of an account's name.
const MAX_NAME: usize = 256;
/// The most bytes of a message: a few name every group of the tenant's file. With all else, a tenant has 2 MB at the
/// very most.
const MAX_MESSAGE: usize = 1024;

/// See the module.
#[derive(Default)]
pub struct Recent {
    passed: Ring,
    refused: Ring,
}

/// One decision.
#[derive(Debug, Clone)]
pub struct Past {
    /// As the caller and the log know it.
    pub request: RequestId,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// As the client sent it.
    pub method: String,
    /// The path in canonical form, without the context path; empty where it has none.
    pub path: String,
    /// The client's.
    pub address: Option<IpAddr>,
    /// What it came to.
    pub outcome: Outcome,
    /// The account that was proved, or the message.
    pub about: String,
}

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed, by that `Postern-Method`.
    Allowed(&'static str),
    /// It was the caller's fault.
    Denied(crate::decision::Denied),
    /// Nobody could tell.
    Unavailable(crate::decision::Unavailable),
}

/// Some slots, of which the oldest is written over.
#[derive(Default)]
struct Ring {
    next: AtomicUsize,
    /// Each part is made on first use: ten thousand idle tenants should cost nothing, and a quiet one little.
    parts: OnceLock<Box<[Part]>>,
}

type Part = OnceLock<Box<[Slot]>>;
type Slot = Mutex<Option<Box<Entry>>>;

/// A decision, and the key of the file by which it was so.
struct Entry {
    past: Past,
    key: Option<String>,
}

impl Ring {
    /// The slot that holds the oldest.
    fn oldest(&self) -> &Slot {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % KEPT;
        let parts = || (0..KEPT / PART).map(|_| Part::new()).collect();
        let slots = || (0..PART).map(|_| Slot::default()).collect();
        &self.parts.get_or_init(parts)[at / PART].get_or_init(slots)[at % PART]
    }

    fn slots(&self) -> impl Iterator<Item = &Slot> {
        let parts = self.parts.get().into_iter().flatten();
        parts.filter_map(Part::get).flatten()
    }
}

impl Recent {
    /// Keeps what was decided. It waits for nobody: where somebody reads that slot at this moment, nothing is kept.
    pub fn remember(&self, tenant: &Tenant, request: &Request<'_>, decision: &Decision) {
        let (ring, outcome) = match decision {
            Decision::Allow(grant) => (&self.passed, Outcome::Allowed(grant.method())),
            Decision::Deny(denial) => (&self.refused, Outcome::Denied(denial.reason)),
            Decision::Unavailable(outage) => (&self.refused, Outcome::Unavailable(outage.reason)),
        };
        let Ok(mut slot) = ring.oldest().try_lock() else {
            return;
        };
        // What the slot held gives its room to what it holds now: nothing is allocated once the ring has come round.
        let entry = || Box::new(Entry::empty(request.id, outcome));
        let Entry { past, key } = &mut **slot.get_or_insert_with(entry);
        past.request = request.id;
        past.at = clock::now();
        past.address = request.address;
        past.outcome = outcome;
        put(&mut past.method, request.method, MAX_NAME);
        let settings = &tenant.settings;
        past.path.clear();
        if let Ok(Place::Canonical(path)) =
            path::place(request.target, &settings.context_path, |_| true)
        {
            put(&mut past.path, product::without_secret(&path), MAX_NAME);
        }
        *key = None;
        match decision {
            Decision::Allow(grant) => {
                let account = grant.proof().map(|proof| proof.principal().account());
                put(&mut past.about, account.unwrap_or_default(), MAX_NAME);
            }
            Decision::Deny(denial) => {
                put(&mut past.about, &denial.to_string(), MAX_MESSAGE);
                *key = denial.key.as_deref().map(str::to_owned);
            }
            Decision::Unavailable(outage) => {
                put(&mut past.about, &outage.to_string(), MAX_MESSAGE);
            }
        }
    }

    /// What was decided of that request, and the key of the file by which it was so, if it is known still.
    #[must_use]
    pub fn find(&self, request: &str) -> Option<(Past, Option<String>)> {
        let mut slots = self.refused.slots().chain(self.passed.slots());
        slots.find_map(|slot| {
            let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = slot.as_deref()?;
            let is_it = entry.past.request.to_string() == request;
            is_it.then(|| (entry.past.clone(), entry.key.clone()))
        })
    }
}

impl Entry {
    fn empty(request: RequestId, outcome: Outcome) -> Self {
        let past = Past {
            request,
            at: 0,
            method: String::new(),
            path: String::new(),
            address: None,
            outcome,
            about: String::new(),
        };
        Self { past, key: None }
    }
}

/// Writes `text` over what is there, cut where it is too long.
fn put(room: &mut String, text: &str, most: usize) {
    room.clear();
    room.push_str(&text[..text.floor_char_boundary(most)]);
}

/// Without what is kept: accounts and paths.
impl fmt::Debug for Recent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recent")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_letters() {
        let mut room = "what was there before".to_owned();
        put(&mut room, "aä", 2);
        assert_eq!(room, "a");
        put(&mut room, "aä", 3);
        assert_eq!(room, "aä");
    }
}
