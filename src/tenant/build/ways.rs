//! Which ways a provider has to prove a token: asked by everything else about a provider.

use crate::{
    provider::{Kind, Preset, preset::Wrong},
    tenant::{
        file::ProviderFile,
        report::{Report, member},
        settings::AskWay,
    },
};

/// The keys of a tenant file that say where a provider's keys come from.
pub const KEYS: [&str; 3] = ["public_key", "certificate", "jwks_uri"];
/// The keys that say whom to ask.
pub const ENDPOINTS: [&str; 2] = ["introspection_endpoint", "userinfo_endpoint"];

/// The ways of one provider. What was written and found broken says what its writer wanted as well as what is right.
pub struct Ways {
    /// JWTs are proved by their signature.
    pub signed: bool,
    /// An endpoint is asked that the file names, or that follows from it.
    pub asks: bool,
    /// The provider's own API is asked.
    pub own: Option<Result<AskWay, Wrong>>,
    /// Both must hold for a JWT, and nothing else is accepted.
    pub both: bool,
}

impl Ways {
    /// Of a provider whose preset has been filled in.
    pub fn of(key: &str, file: &ProviderFile, report: &Report<'_>) -> Self {
        let is_broken = |name: &&str| report.is_broken(&member(key, name));
        let has_keys = file.public_key.is_some()
            || file.certificate.is_some()
            || file.jwks_uri.is_some()
            || KEYS.iter().any(is_broken);
        let asks = file.introspection_endpoint.is_some()
            || file.userinfo_endpoint.is_some()
            || ENDPOINTS.iter().any(is_broken);
        let own = (preset(file).ask)(file);
        let signed = has_keys || !(asks || own.is_some());
        Self {
            signed,
            asks,
            own,
            both: signed && asks,
        }
    }

    /// Whether tokens come to the provider by their look, rather than by their issuer.
    pub fn judges_opaque_tokens(&self) -> bool {
        !self.both && (self.asks || self.own.is_some())
    }
}

/// What is known of a provider's kind; of one whose kind is missing, nothing.
pub fn preset(file: &ProviderFile) -> &'static Preset {
    file.kind.unwrap_or(Kind::Custom).preset()
}

/// How its opaque tokens start; none means any.
pub fn prefixes(file: &ProviderFile) -> Vec<&str> {
    match &file.token_prefix {
        Some(prefix) => vec![prefix],
        None => preset(file).prefixes.to_vec(),
    }
}
