//! A tenant as requests see it: an immutable snapshot of its settings and of the state of its providers.

pub mod build;
pub mod directory;
pub mod excerpt;
pub mod file;
pub mod folder;
pub mod id;
mod parse;
pub mod problem;
pub mod reference;
mod report;
pub mod schema;
pub mod settings;
mod shape;
pub mod source;

use std::sync::Arc;

pub use directory::{Directory, FileStatus, TenantState};
pub use id::TenantId;

use crate::{metrics::Decisions, pins::Pins, provider::Provider, verify::Verdicts};
use settings::Settings;

/// One snapshot. Its `TenantActor` makes it whole and publishes it; a request takes it once.
#[derive(Debug)]
pub struct Tenant {
    /// As the file says.
    pub settings: Arc<Settings>,
    /// In the order of `settings.providers`.
    pub providers: Vec<Provider>,
    /// Verified tokens; shared with the snapshots before and after.
    pub verdicts: Arc<Verdicts>,
    /// Whose its accounts are; likewise, until one is unpinned.
    pub pins: Arc<Pins>,
    /// Counts of what was decided; likewise.
    pub decisions: Arc<Decisions>,
}

impl Tenant {
    /// The place of the provider whose `issuer` is exactly this.
    #[must_use]
    pub fn provider_of_issuer(&self, issuer: &str) -> Option<usize> {
        self.providers
            .iter()
            .position(|provider| provider.settings.issuer.as_deref() == Some(issuer))
    }

    /// The place of the provider whose `token_prefix` the token has.
    #[must_use]
    pub fn provider_of_prefix(&self, token: &str) -> Option<usize> {
        let has = |prefix: &str| token.starts_with(prefix);
        self.providers
            .iter()
            .position(|provider| provider.settings.token_prefix.as_deref().is_some_and(has))
    }

    /// The place of the one provider that judges opaque tokens without a prefix.
    #[must_use]
    pub fn provider_of_opaque_tokens(&self) -> Option<usize> {
        self.providers.iter().position(|provider| {
            provider.settings.signature.is_none() && provider.settings.token_prefix.is_none()
        })
    }
}
