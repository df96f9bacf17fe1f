//! Which tokens introspection calls active: those that were issued and neither revoked nor forgotten.

use std::collections::{HashMap, VecDeque};

use aws_lc_rs::digest;
use serde_json::{Map, Value};

/// How many tokens are remembered; the oldest are forgotten first and are inactive from then on.
/// More than a scenario issues, little enough (some 20 MB at worst) that minting never fills memory.
const CAPACITY: usize = 16_384;

/// The claims of a token, by name.
pub(super) type Claims = Map<String, Value>;

/// A token is looked up by its digest, so that none is kept.
type Digest = [u8; 32];

#[derive(Default)]
pub(super) struct Issued {
    claims: HashMap<Digest, Claims>,
    /// In the order of issue. A revoked token stays in here until its turn comes.
    order: VecDeque<Digest>,
}

impl Issued {
    pub(super) fn remember(&mut self, token: &str, claims: Claims) {
        let digest = sha256(token);
        if self.claims.insert(digest, claims).is_none() {
            self.order.push_back(digest);
        }
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.claims.remove(&oldest);
        }
    }

    pub(super) fn forget(&mut self, token: &str) {
        self.claims.remove(&sha256(token));
    }

    pub(super) fn claims(&self, token: &str) -> Option<&Claims> {
        self.claims.get(&sha256(token))
    }
}

fn sha256(token: &str) -> Digest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    bytes
}
