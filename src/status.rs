//! What is served, for people and machines: the body of `/status` and what `postern status` prints.

use serde::{Deserialize, Serialize};

use crate::{
    product::Product,
    provider::{Keys, Provider},
    tenant::{Directory, TenantId, TenantState, problem::Problem, settings::KeyOrigin},
};

/// The whole daemon.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    /// Of the daemon.
    pub version: String,
    /// Whether the first complete directory is served.
    pub ready: bool,
    /// In the order of their names.
    pub tenants: Vec<TenantStatus>,
}

/// One tenant.
#[derive(Debug, Serialize, Deserialize)]
pub struct TenantStatus {
    /// Its name.
    pub tenant: String,
    /// `serving`, `disabled`, `stale` (the file is broken, and the last good build serves) or `unavailable`
    /// (it is broken, and there is none).
    pub state: String,
    /// `enforce` or `observe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// The number of its snapshot.
    pub generation: u64,
    /// When what is served was read, in seconds since the epoch; 0 is never.
    pub applied_at: u64,
    /// `jira`, `confluence` or `bitbucket`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The product's base URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// How asking the product fares, where it is asked anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<UpstreamStatus>,
    /// In the order of the file.
    pub providers: Vec<ProviderStatus>,
    /// When the file was found broken, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub broken_since: Option<u64>,
    /// What is wrong with the file, warnings included.
    pub problems: Vec<ProblemStatus>,
}

/// One provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProviderStatus {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Its issuers.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub issuers: Vec<String>,
    /// The keys that prove its tokens' signatures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyStatus>,
    /// The keys that prove its signed introspection answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_keys: Option<KeyStatus>,
    /// `closed`, `open` or `half-open`: how the endpoint that it is asked at fares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breaker: Option<String>,
    /// The last of its tokens that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refusal: Option<RefusalStatus>,
}

/// How asking the product itself fares: each breaker is `closed`, `open` or `half-open`.
#[derive(Debug, Serialize, Deserialize)]
pub struct UpstreamStatus {
    /// Where it is asked.
    pub address: String,
    /// Who accounts are.
    pub accounts: String,
    /// Whose sessions are.
    pub sessions: String,
}

/// A token that was refused.
#[derive(Debug, Serialize, Deserialize)]
pub struct RefusalStatus {
    /// When, in seconds since the epoch.
    pub at: u64,
    /// The caller's `Postern-Request-Id`.
    pub request_id: String,
    /// Out of the closed list.
    pub reason: String,
    /// What was found, and what to change.
    pub message: String,
}

/// The keys of a provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeyStatus {
    /// How many are usable.
    pub usable: usize,
    /// How many were passed over.
    pub skipped: usize,
    /// Seconds since the issuer last confirmed them; absent for keys of the tenant's file and before the first fetch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u64>,
    /// Why the last fetch brought nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A [`Problem`] on its way out.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProblemStatus {
    /// `error` or `warning`.
    pub severity: String,
    /// The tenant file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// As a dotted path.
    pub key: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Status {
    /// Of everything that `directory` shows.
    #[must_use]
    pub fn of(directory: &Directory, now: u64) -> Self {
        let mut tenants: Vec<_> = directory
            .tenants
            .iter()
            .map(|(id, reader)| TenantStatus::of(id, &reader.current(), now))
            .collect();
        tenants.sort_by(|one, other| one.tenant.cmp(&other.tenant));
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            ready: directory.complete,
            tenants,
        }
    }
}

impl TenantStatus {
    fn of(id: &TenantId, state: &TenantState, now: u64) -> Self {
        let serving = state.serving.as_deref();
        let word = match (serving, state.file.broken_since) {
            (None, _) => "unavailable",
            (Some(_), Some(_)) => "stale",
            (Some(tenant), None) if !tenant.settings.enabled => "disabled",
            (Some(_), None) => "serving",
        };
        Self {
            tenant: id.to_string(),
            state: word.into(),
            mode: serving.map(|tenant| tenant.settings.access.mode.to_string()),
            generation: state.generation,
            applied_at: state.file.applied_at,
            product: serving.map(|tenant| tenant.settings.product.to_string()),
            url: serving.map(|tenant| tenant.settings.url.clone()),
            upstream: serving
                .and_then(|tenant| tenant.product.as_ref())
                .map(|product| UpstreamStatus::of(product, now)),
            providers: serving
                .iter()
                .flat_map(|tenant| &tenant.providers)
                .map(|provider| ProviderStatus::of(provider, now))
                .collect(),
            broken_since: state.file.broken_since,
            problems: state.file.problems.iter().map(ProblemStatus::of).collect(),
        }
    }
}

impl UpstreamStatus {
    fn of(product: &Product, now: u64) -> Self {
        let (accounts, sessions) = product.breakers(now);
        Self {
            address: product.settings().address.to_string(),
            accounts: accounts.into(),
            sessions: sessions.into(),
        }
    }
}

impl ProviderStatus {
    fn of(provider: &Provider, now: u64) -> Self {
        let keys = |keys: &Option<Keys>| keys.as_ref().map(|keys| KeyStatus::of(keys, now));
        Self {
            name: provider.settings.name.clone(),
            kind: provider.settings.preset.kind.as_str().into(),
            issuers: provider
                .settings
                .issuers
                .iter()
                .map(|trusted| trusted.issuer.clone())
                .collect(),
            keys: KeyStatus::of_all(&provider.keys, now),
            answer_keys: keys(&provider.answer_keys),
            breaker: provider
                .asker
                .as_ref()
                .map(|asker| asker.breaker(now).into()),
            last_refusal: provider.refusals.last().map(|refusal| RefusalStatus {
                at: refusal.at,
                request_id: refusal.request.to_string(),
                reason: refusal.denial.reason.word().into(),
                message: refusal.denial.to_string(),
            }),
        }
    }
}

impl KeyStatus {
    /// Of several sets of keys together: the oldest age, and the first error.
    fn of_all(all: &[Keys], now: u64) -> Option<Self> {
        let each = all.iter().map(|keys| Self::of(keys, now));
        each.reduce(|one, other| Self {
            usable: one.usable + other.usable,
            skipped: one.skipped + other.skipped,
            age: one.age.max(other.age),
            error: one.error.or(other.error),
        })
    }

    fn of(keys: &Keys, now: u64) -> Self {
        let set = keys.set.as_ref();
        let source = keys.source.as_ref();
        Self {
            usable: set.map_or(0, |set| set.len()),
            skipped: set.map_or(0, |set| set.skipped().len()),
            age: source
                .map(|source| source.confirmed_at())
                .filter(|at| *at > 0)
                .map(|at| now.saturating_sub(at)),
            error: source
                .and_then(|source| source.fetched().error)
                .map(|error| error.to_string()),
        }
    }
}

impl ProblemStatus {
    fn of(problem: &Problem) -> Self {
        Self {
            severity: problem.severity.to_string(),
            file: problem.file.display().to_string(),
            line: problem.line,
            column: problem.column,
            key: problem.key.clone(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}

/// Where a provider's keys come from, in words.
#[must_use]
pub fn origin(origin: &KeyOrigin) -> String {
    match origin {
        KeyOrigin::Fixed(_) => "written in the tenant's file".into(),
        KeyOrigin::Jwks(url) => url.to_string(),
        KeyOrigin::Discovery(issuer) => format!("the metadata of {issuer}"),
    }
}
