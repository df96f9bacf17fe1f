//! A provider as it runs: its settings with the keys and the endpoint that prove its tokens.

pub mod preset;

pub use preset::{Kind, Preset};

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    decision::{Denial, No, Outage, Unavailable},
    issuer::{ask::Asker, key_source::KeySource},
    keys::KeySet,
    request::RequestId,
    tenant::settings::ProviderSettings,
    witness::Witness,
};

/// A provider in one snapshot of its tenant.
#[derive(Debug, Clone)]
pub struct Provider {
    /// As the tenant's file says.
    pub settings: Arc<ProviderSettings>,
    /// Changes whenever a token proved before might not be proved again: new settings, new keys.
    pub revision: Revision,
    /// What proves signatures, in the order of [`SignatureProof::keys`]; empty where only asking proves.
    ///
    /// [`SignatureProof::keys`]: crate::tenant::settings::SignatureProof::keys
    pub keys: Vec<Keys>,
    /// What proves signed introspection answers.
    pub answer_keys: Option<Keys>,
    /// Whom to ask; `None` where a signature alone is the proof.
    pub asker: Option<Arc<Asker>>,
    /// The last token of this provider that was refused, for status.
    pub refusals: Arc<Refusals>,
}

/// A token that was refused.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// The request, as the caller and the log know it.
    pub request: RequestId,
    /// Why, and what to change.
    pub denial: Denial,
}

/// The last refusal of a provider.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Option<Refusal>>);

impl Refusals {
    /// Remembers one, unless another is being remembered at this moment: requests wait for nobody here.
    pub fn remember(&self, refusal: Refusal) {
        if let Ok(mut last) = self.0.try_lock() {
            *last = Some(refusal);
        }
    }

    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<Refusal> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

impl Provider {
    /// The revision under which tokens proved before still count; `None` while its keys may not be used.
    #[must_use]
    pub fn usable_revision(&self, now: u64) -> Option<Revision> {
        // Those that were never fetched have proved nothing.
        let usable = |keys: &Keys| keys.condition(now).is_ok();
        self.keys.iter().all(usable).then_some(self.revision)
    }
}

/// A number that no other provider state of this process has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(u64);

impl Revision {
    /// A number never given before.
    #[must_use]
    pub fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// The keys of a provider in one snapshot.
#[derive(Debug, Clone)]
pub struct Keys {
    /// `None` until the first fetch.
    pub set: Option<Arc<KeySet>>,
    /// Where newer ones are; `None` for keys that the operator wrote down.
    pub source: Option<Arc<KeySource>>,
    /// Seconds for which the last known keys serve while the issuer is away.
    pub stale_after: u64,
}

/// Whether keys may be used.
pub enum KeyCondition<'k> {
    /// Yes.
    Usable(&'k KeySet),
    /// There are none yet.
    NeverFetched,
}

impl Keys {
    /// Judges the keys' own dates and how long ago the issuer confirmed them.
    ///
    /// # Errors
    /// An outage: it is not the caller's fault.
    pub fn condition(&self, now: u64) -> Result<KeyCondition<'_>, Outage> {
        let Some(set) = self.set.as_deref() else {
            return Ok(KeyCondition::NeverFetched);
        };
        if let Some((not_before, not_after)) = set.validity()
            && !(not_before..=not_after).contains(&now)
        {
            let message =
                "the certificate of the provider is not valid now; replace it in the tenant's file";
            return Err(Outage::new(Unavailable::IssuerUnavailable, 60, message));
        }
        if let Some(source) = &self.source {
            let age = now.saturating_sub(source.confirmed_at());
            if age > self.stale_after {
                let message = format!(
                    "the keys of {} were last confirmed {age} s ago, and stale_keys is {} s",
                    source.id().label(),
                    self.stale_after
                );
                return Err(Outage::new(Unavailable::IssuerUnavailable, 10, message));
            }
        }
        Ok(KeyCondition::Usable(set))
    }

    /// See [`KeySource::look_for`]; keys that the operator wrote down are all there is.
    ///
    /// # Errors
    /// As there.
    pub async fn look_for(
        &self,
        kid: &str,
        now: u64,
        witness: &impl Witness,
    ) -> Result<Arc<KeySet>, No> {
        match &self.source {
            Some(source) => source.look_for(kid, now, witness).await,
            None => Err(crate::keys::NoKey::UnknownKid.denial(Some(kid)).into()),
        }
    }

    /// See [`KeySource::first`].
    ///
    /// # Errors
    /// As there.
    pub async fn first(&self, now: u64, witness: &impl Witness) -> Result<Arc<KeySet>, Outage> {
        match &self.source {
            Some(source) => source.first(now, witness).await,
            None => Err(Outage::new(
                Unavailable::IssuerUnavailable,
                10,
                "the provider has no keys",
            )),
        }
    }
}

#[cfg(test)]
mod tests;
