//! A tenant as requests see it: an immutable snapshot of its settings and of the state of its providers.

pub mod build;
pub mod directory;
pub mod excerpt;
pub mod file;
pub mod folder;
pub mod id;
pub mod lines;
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

use crate::{
    api_tokens::ApiTokens, metrics::Decisions, pins::Pins, policy::rates::Rates, product::Product,
    provider::Provider, recent::Recent, verify::Verdicts,
};
use settings::Settings;

/// One snapshot. Its `TenantActor` makes it whole and publishes it; a request takes it once.
#[derive(Debug)]
pub struct Tenant {
    /// As the file says.
    pub settings: Arc<Settings>,
    /// In the order of `settings.providers`.
    pub providers: Vec<Provider>,
    /// The product, where it is asked anything; shared with the snapshots before and after while `[upstream]` stays.
    pub product: Option<Arc<Product>>,
    /// Verified tokens; shared with the snapshots before and after.
    pub verdicts: Arc<Verdicts>,
    /// Whose its accounts are; likewise, until one is unpinned.
    pub pins: Arc<Pins>,
    /// What is left of its rates; shared as far as the rates are the same.
    pub rates: Rates,
    /// The API tokens of the daemon, those of other tenants too; `None` without a daemon (`provider test`).
    pub api_tokens: Option<ApiTokens>,
    /// Counts of what was decided; shared like the verified tokens.
    pub decisions: Arc<Decisions>,
    /// What was decided lately; likewise.
    pub recent: Arc<Recent>,
}

impl Tenant {
    /// The place of the provider that has exactly this issuer.
    #[must_use]
    pub fn provider_of_issuer(&self, issuer: &str) -> Option<usize> {
        self.providers
            .iter()
            .position(|provider| provider.settings.trusted(issuer).is_some())
    }

    /// The place of the provider whose opaque tokens start like this one, be they of a kind that it refuses.
    #[must_use]
    pub fn provider_of_prefix(&self, token: &str) -> Option<usize> {
        self.providers.iter().position(|provider| {
            let settings = &provider.settings;
            let refused = settings.preset.refused_prefixes.iter();
            settings.judges_opaque_tokens()
                && (settings
                    .token_prefixes
                    .iter()
                    .any(|prefix| token.starts_with(prefix))
                    || refused
                        .into_iter()
                        .any(|(prefix, _)| token.starts_with(prefix)))
        })
    }

    /// The place of the one provider that judges opaque tokens without a prefix.
    #[must_use]
    pub fn provider_of_opaque_tokens(&self) -> Option<usize> {
        self.providers.iter().position(|provider| {
            let settings = &provider.settings;
            settings.judges_opaque_tokens() && settings.token_prefixes.is_empty()
        })
    }
}
