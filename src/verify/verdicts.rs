//! Tokens that were verified before: facts, never permission. Policy runs on every request.

use std::{
    fmt,
    hash::{BuildHasherDefault, Hash, Hasher},
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest;
use quick_cache::{
    UnitWeighter,
    sync::{Cache, DefaultLifecycle},
};

use super::Verified;
use crate::provider::Revision;

/// The most verified tokens that are remembered per tenant; one takes about 1 KiB.
pub const CAPACITY: usize = 10_000;

/// The SHA-256 of a whole token: what a token is remembered by. A shorter or keyless digest would let two
/// tokens be taken for one another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenDigest([u8; 32]);

impl TokenDigest {
    /// The digest of `token`.
    #[must_use]
    pub fn of(token: &[u8]) -> Self {
        Self(
            digest::digest(&digest::SHA256, token)
                .as_ref()
                .try_into()
                .expect("SHA-256 has 32 bytes"),
        )
    }
}

/// Any eight bytes of a digest are as good a hash as there is.
impl Hash for TokenDigest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (first, _) = self
            .0
            .split_first_chunk()
            .expect("32 bytes are more than 8");
        state.write_u64(u64::from_ne_bytes(*first));
    }
}

/// Takes the hash that a [`TokenDigest`] brings along. Only tokens that were verified are kept, so that nobody can
/// choose many whose digests start alike.
#[derive(Default)]
struct Uniform(u64);

impl Hasher for Uniform {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl fmt::Debug for TokenDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigest(redacted)")
    }
}

#[derive(Clone)]
struct Entry {
    proof: Arc<Verified>,
    /// The provider's place and revision when it proved the token: another revision proves nothing.
    provider: usize,
    revision: Revision,
}

/// The verified tokens of one tenant, shared by its snapshots.
#[derive(Default)]
pub struct Verdicts {
    /// Made on first use: ten thousand idle tenants should cost nothing.
    entries: OnceLock<Entries>,
}

type Entries = Cache<TokenDigest, Entry, UnitWeighter, BuildHasherDefault<Uniform>>;

impl Verdicts {
    /// The proof of a token, if it was proved under `revision_of` its provider and has not run out.
    pub fn get(
        &self,
        digest: &TokenDigest,
        now: u64,
        revision_of: impl Fn(usize) -> Option<Revision>,
    ) -> Option<Arc<Verified>> {
        let entry = self.entries.get()?.get(digest)?;
        if now < entry.proof.reusable_until && revision_of(entry.provider) == Some(entry.revision) {
            return Some(entry.proof);
        }
        self.entries.get()?.remove(digest);
        None
    }

    /// Remembers what the provider at that place proved under `revision`.
    pub fn insert(
        &self,
        digest: TokenDigest,
        proof: Arc<Verified>,
        provider: usize,
        revision: Revision,
    ) {
        if proof.reusable_until > 0 {
            let entry = Entry {
                proof,
                provider,
                revision,
            };
            self.entries.get_or_init(entries).insert(digest, entry);
        }
    }
}

fn entries() -> Entries {
    Cache::with(
        CAPACITY,
        CAPACITY as u64,
        UnitWeighter,
        BuildHasherDefault::default(),
        DefaultLifecycle::default(),
    )
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verdicts({})", self.entries.get().map_or(0, Cache::len))
    }
}
