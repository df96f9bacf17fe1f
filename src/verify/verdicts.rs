//! Tokens that were verified before: facts, never permission. Policy runs on every request.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::digest;
use quick_cache::sync::Cache;

use super::Verified;
use crate::provider::Revision;

/// The most verified tokens that are remembered per tenant; one takes about 1 KiB.
pub const CAPACITY: usize = 10_000;

/// The SHA-256 of a whole token: what a token is remembered by. A shorter or keyless digest would let two
/// tokens be taken for one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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
    entries: OnceLock<Cache<TokenDigest, Entry>>,
}

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
            self.entries.get_or_init(|| Cache::new(CAPACITY)).insert(
                digest,
                Entry {
                    proof,
                    provider,
                    revision,
                },
            );
        }
    }
}

impl fmt::Debug for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verdicts({})", self.entries.get().map_or(0, Cache::len))
    }
}
