//! What is counted, and how it is shown to Prometheus.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::{
    Encoder as _, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder, core::Collector, proto::MetricFamily,
};

use crate::{
    decision::{Decision, Denied, METHODS, Unavailable},
    tenant::{Directory, TenantState},
};

/// Seconds; from a cached token (tens of µs) to an issuer that is asked and does not answer (5 s).
const LATENCY_BUCKETS: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// The counters of the whole process. Those of a tenant lie with the tenant ([`Decisions`]), so that the
/// check path looks nothing up.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// How long checks take, in seconds.
    pub check_duration: Histogram,
    /// Outgoing calls by issuer, or by the product's URL, and outcome.
    pub outgoing: IntCounterVec,
    /// Reloads of tenant files that were served.
    pub reloads: IntCounter,
    /// Reloads that were refused because the file is broken.
    pub reload_errors: IntCounter,
    /// Checks for tenants that do not exist.
    pub unknown_tenant: Decisions,
}

/// What was decided for one tenant, by outcome. Plain counters, since a check touches one of them.
#[derive(Debug)]
pub struct Decisions {
    allowed: [AtomicU64; METHODS.len()],
    denied: [AtomicU64; Denied::ALL.len()],
    unavailable: [AtomicU64; Unavailable::ALL.len()],
    /// What would have been denied, or unavailable, and passed.
    observed_denied: [AtomicU64; Denied::ALL.len()],
    observed_unavailable: [AtomicU64; Unavailable::ALL.len()],
    cache_hits: AtomicU64,
    cache_misses: AtomicU64,
}

impl Default for Decisions {
    fn default() -> Self {
        Self {
            allowed: std::array::from_fn(|_| AtomicU64::new(0)),
            denied: std::array::from_fn(|_| AtomicU64::new(0)),
            unavailable: std::array::from_fn(|_| AtomicU64::new(0)),
            observed_denied: std::array::from_fn(|_| AtomicU64::new(0)),
            observed_unavailable: std::array::from_fn(|_| AtomicU64::new(0)),
            cache_hits: AtomicU64::new(0),
            cache_misses: AtomicU64::new(0),
        }
    }
}

impl Decisions {
    /// Counts a decision. `observed` is one that was not enforced: what it refuses is counted apart, since it passed.
    pub fn count(&self, decision: &Decision, observed: bool) {
        let (denied, unavailable) = if observed {
            (&self.observed_denied, &self.observed_unavailable)
        } else {
            (&self.denied, &self.unavailable)
        };
        let counter = match decision {
            Decision::Allow(grant) => METHODS
                .iter()
                .position(|method| *method == grant.method())
                .map(|at| &self.allowed[at]),
            Decision::Deny(denial) => Some(&denied[denial.reason as usize]),
            Decision::Unavailable(outage) => Some(&unavailable[outage.reason as usize]),
        };
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a token that had been verified before (`hit`), or not.
    pub fn count_cache(&self, hit: bool) {
        let counter = if hit {
            &self.cache_hits
        } else {
            &self.cache_misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn outcomes(&self) -> impl Iterator<Item = (&'static str, &'static str, u64)> {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let allowed = METHODS
            .iter()
            .zip(&self.allowed)
            .map(move |(method, counter)| ("allow", *method, load(counter)));
        let denied = |outcome, counters| {
            let each = Denied::ALL.iter().zip(counters);
            each.map(move |(reason, counter)| (outcome, reason.word(), load(counter)))
        };
        let unavailable = |outcome, counters| {
            let each = Unavailable::ALL.iter().zip(counters);
            each.map(move |(reason, counter)| (outcome, reason.word(), load(counter)))
        };
        allowed
            .chain(denied("deny", &self.denied))
            .chain(unavailable("unavailable", &self.unavailable))
            .chain(denied("observe", &self.observed_denied))
            .chain(unavailable("observe", &self.observed_unavailable))
            .filter(|(_, _, count)| *count > 0)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let registry = Registry::new();
        let check_duration = Histogram::with_opts(
            HistogramOpts::new("postern_check_duration_seconds", "How long checks took.")
                .buckets(LATENCY_BUCKETS.to_vec()),
        )
        .expect("the name and the buckets are valid");
        let outgoing = counters(
            "postern_outgoing_requests_total",
            "Outgoing calls by issuer and outcome.",
            &["issuer", "outcome"],
        );
        let reloads = counter(
            "postern_reloads_total",
            "Tenant files that were read anew and are served.",
        );
        let reload_errors = counter(
            "postern_reload_errors_total",
            "Tenant files that were read anew and are broken.",
        );
        for collector in [
            Box::new(check_duration.clone()) as Box<dyn Collector>,
            Box::new(outgoing.clone()),
            Box::new(reloads.clone()),
            Box::new(reload_errors.clone()),
            Box::new(prometheus::process_collector::ProcessCollector::for_self()),
        ] {
            registry
                .register(collector)
                .expect("each name is registered once");
        }
        Self {
            registry,
            check_duration,
            outgoing,
            reloads,
            reload_errors,
            unknown_tenant: Decisions::default(),
        }
    }
}

impl Metrics {
    /// The text that Prometheus scrapes.
    #[must_use]
    pub fn render(&self, directory: &Directory, now: u64) -> String {
        let mut families = self.registry.gather();
        families.extend(self.tenants(directory, now));
        let mut text = Vec::new();
        // A family without samples is an error of the encoder, and no information.
        families.retain(|family| !family.get_metric().is_empty());
        match TextEncoder::new().encode(&families, &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) => format!("# {error}\n"),
        }
    }

    fn tenants(&self, directory: &Directory, now: u64) -> Vec<MetricFamily> {
        let decisions = counters(
            "postern_decisions_total",
            "Decisions by tenant, outcome and reason.",
            &["tenant", "outcome", "reason"],
        );
        let cache = counters(
            "postern_verdict_cache_total",
            "Tokens looked up among those verified before.",
            &["tenant", "result"],
        );
        let generation = gauges(
            "postern_tenant_generation",
            "The number of the tenant's snapshot.",
            &["tenant"],
        );
        let broken = gauges(
            "postern_tenant_file_broken",
            "1 while the tenant's file is broken.",
            &["tenant"],
        );
        let key_age = gauges(
            "postern_key_age_seconds",
            "Since the issuer last confirmed its keys.",
            &["issuer"],
        );
        let tenants =
            Gauge::new("postern_tenants", "Tenants in the directory.").expect("the name is valid");
        let complete = IntGauge::new(
            "postern_ready",
            "1 once the first scan of the tenants is served.",
        )
        .expect("the name is valid");
        complete.set(i64::from(directory.complete));
        #[expect(
            clippy::cast_precision_loss,
            reason = "there are fewer than 2^52 tenants"
        )]
        tenants.set(directory.tenants.len() as f64);

        let count = |tenant: &str, counted: &Decisions| {
            for (outcome, reason, count) in counted.outcomes() {
                decisions
                    .with_label_values(&[tenant, outcome, reason])
                    .inc_by(count);
            }
        };
        count("", &self.unknown_tenant);
        for (id, reader) in &directory.tenants {
            let state: &TenantState = &reader.current();
            let id = id.as_str();
            generation
                .with_label_values(&[id])
                .set(whole(state.generation));
            broken
                .with_label_values(&[id])
                .set(i64::from(state.file.broken_since.is_some()));
            let Some(tenant) = &state.serving else {
                continue;
            };
            count(id, &tenant.decisions);
            cache
                .with_label_values(&[id, "hit"])
                .inc_by(tenant.decisions.cache_hits.load(Ordering::Relaxed));
            cache
                .with_label_values(&[id, "miss"])
                .inc_by(tenant.decisions.cache_misses.load(Ordering::Relaxed));
            let sources = tenant
                .providers
                .iter()
                .flat_map(|provider| provider.keys.iter().chain(&provider.answer_keys));
            for source in sources
                .filter_map(|keys| keys.source.as_ref())
                .filter(|source| source.confirmed_at() > 0)
            {
                key_age
                    .with_label_values(&[source.id().label()])
                    .set(whole(now.saturating_sub(source.confirmed_at())));
            }
        }
        [
            decisions.collect(),
            cache.collect(),
            generation.collect(),
            broken.collect(),
            key_age.collect(),
            tenants.collect(),
            complete.collect(),
        ]
        .concat()
    }
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect("the name is valid")
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("the names are valid")
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect("the names are valid")
}
