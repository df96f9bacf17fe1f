//! `postern provider test`: does a provider work as it is configured?

use std::{
    io::{IsTerminal as _, Read as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    clock,
    credential::{Authorization, Credential},
    decision::{Denied, No},
    issuer::{ask::Asker, client::Outgoing, jwks, key_source::SourceId},
    keys::KeySet,
    metrics::{Decisions, Metrics},
    pins::Pins,
    policy::rates::Rates,
    provider::{Keys, Provider, Revision},
    status,
    tenant::{
        Tenant, TenantId,
        build::{Secrets, build},
        settings::{KeyOrigin, ProviderSettings},
        source::TenantSource,
    },
    verify::{self, TokenDigest, Verdicts, jwt::Room},
    witness::Silent,
};

/// The longest standard input: a token with its line end, and enough to tell that it is too long.
const MAX_INPUT: u64 = 64 * 1024;

/// Reach a provider, judge a token from standard input, and say what to fix
///
/// Without a token (standard input a terminal or empty) only the provider is reached. Reads the tenant file itself
/// and needs no daemon. Exits with 1 if anything does not work.
#[derive(Debug, Args)]
pub struct ProviderTest {
    /// The tenant
    tenant: TenantId,

    /// The provider's name within the tenant: its `name`, or else its kind
    provider: String,

    /// The folder of tenant files
    #[arg(
        long,
        env = "POSTERN_TENANTS",
        value_name = "DIR",
        default_value = "tenants"
    )]
    tenants: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One step, and what came of it.
#[derive(Debug, Serialize)]
struct Step {
    name: String,
    ok: bool,
    found: String,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    steps: Vec<Step>,
}

impl Report {
    fn add(&mut self, name: impl Into<String>, found: Result<String, String>) {
        let ok = found.is_ok();
        let found = found.unwrap_or_else(|problem| problem);
        self.steps.push(Step {
            name: name.into(),
            ok,
            found,
        });
    }

    fn all_is_well(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }
}

impl ProviderTest {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let tenant = self.read()?;
        let token = token()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let outgoing = Outgoing::new(runtime.handle().clone(), Arc::new(Metrics::default()));
        let report = runtime.block_on(examine(tenant, outgoing, token));
        if self.json {
            println!("{}", serde_json::to_string_pretty(&report)?);
        } else {
            for step in &report.steps {
                println!(
                    "{} {}: {}",
                    if step.ok { "ok  " } else { "FAIL" },
                    step.name,
                    step.found
                );
            }
        }
        Ok(if report.all_is_well() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// The tenant as its file says, with the one provider that is asked about.
    fn read(&self) -> anyhow::Result<crate::tenant::settings::Settings> {
        let path = self.tenants.join(format!("{}.toml", self.tenant));
        let source = TenantSource::read(&path).with_context(|| path.display().to_string())?;
        let built = build(&source, Secrets::MayBeAbsent, clock::now());
        let Some(mut settings) = built.settings else {
            let problems: Vec<_> = built.problems.iter().map(ToString::to_string).collect();
            bail!(
                "the tenant's file is broken; see postern validate {}\n{}",
                path.display(),
                problems.join("\n")
            );
        };
        let names: Vec<_> = settings
            .providers
            .iter()
            .map(|provider| provider.name.clone())
            .collect();
        settings
            .providers
            .retain(|provider| provider.name == self.provider);
        if settings.providers.is_empty() {
            bail!(
                "the tenant {} has no provider {:?}, but {}",
                self.tenant,
                self.provider,
                names.join(", ")
            );
        }
        Ok(settings)
    }
}

async fn examine(
    settings: crate::tenant::settings::Settings,
    outgoing: Outgoing,
    token: Option<Zeroizing<String>>,
) -> Report {
    let mut report = Report::default();
    let mut providers = Vec::new();
    for provider in &settings.providers {
        providers.push(reach(provider, &outgoing, &mut report).await);
    }
    let tenant = Tenant {
        // The daemon has the pins, and a look at a token is not to make any.
        pins: Arc::new(Pins::without_ledger(settings.id.clone())),
        api_tokens: None,
        settings: Arc::new(settings),
        providers,
        product: None,
        verdicts: Arc::new(Verdicts::default()),
        // Nor to spend anything.
        rates: Rates::default(),
        decisions: Arc::new(Decisions::default()),
        recent: Arc::default(),
    };
    if let Some(token) = token {
        let judged = judge(&tenant, token.trim_end()).await;
        report.add("the token", judged);
    } else {
        for provider in &tenant.providers {
            if let Some(asker) = &provider.asker {
                // No issuer knows it, so that a working endpoint answers "inactive".
                let nobodys = "postern-provider-test";
                let answer = asker
                    .ask(
                        nobodys,
                        &TokenDigest::of(nobodys.as_bytes()),
                        clock::now(),
                        &Silent,
                    )
                    .await;
                report.add(
                    provider
                        .settings
                        .asking
                        .as_ref()
                        .map_or("asking", |asking| asking.way.word()),
                    answer
                        .map(|_| "the endpoint answers, and knows us".into())
                        .map_err(|outage| outage.to_string()),
                );
            }
        }
    }
    report
}

async fn reach(
    settings: &Arc<ProviderSettings>,
    outgoing: &Outgoing,
    report: &mut Report,
) -> Provider {
    let mut keys = Vec::new();
    for origin in settings.signature.iter().flat_map(|proof| &proof.keys) {
        keys.push(fetch("keys", origin, settings, outgoing, report).await);
    }
    let mut answer_keys = None;
    if let Some(signed) = settings
        .asking
        .as_ref()
        .and_then(|asking| asking.signed_answers())
    {
        answer_keys = Some(
            fetch(
                "keys of signed answers",
                &signed.keys,
                settings,
                outgoing,
                report,
            )
            .await,
        );
    }
    let asker = settings
        .asking
        .is_some()
        .then(|| Arc::new(Asker::new(Arc::clone(settings), outgoing.clone())));
    Provider {
        settings: Arc::clone(settings),
        revision: Revision::next(),
        keys,
        answer_keys,
        asker,
        refusals: Arc::default(),
    }
}

async fn fetch(
    step: &str,
    origin: &KeyOrigin,
    settings: &ProviderSettings,
    outgoing: &Outgoing,
    report: &mut Report,
) -> Keys {
    let place = status::origin(origin);
    let fetched = match (origin, SourceId::of(origin, settings.ca.as_deref())) {
        (KeyOrigin::Fixed(set), _) => Ok(Arc::clone(set)),
        (_, Some(id)) => jwks::fetch(outgoing, settings.ca.as_deref(), &id, None)
            .await
            .map(|document| Arc::new(document.keys))
            .map_err(|error| error.to_string()),
        (_, None) => Err("there is no source of keys".into()),
    };
    let described = fetched
        .as_ref()
        .map(|set| describe(set))
        .map_err(Clone::clone);
    report.add(format!("{step} ({place})"), described);
    Keys {
        set: fetched.ok(),
        source: None,
        stale_after: u64::MAX,
    }
}

fn describe(set: &KeySet) -> String {
    let skipped: Vec<_> = set
        .skipped()
        .iter()
        .map(|key| {
            format!(
                "{}: {}",
                key.kid.as_deref().unwrap_or("without a kid"),
                key.why
            )
        })
        .collect();
    if skipped.is_empty() {
        format!("{} usable", set.len())
    } else {
        format!(
            "{} usable, {} passed over ({})",
            set.len(),
            skipped.len(),
            skipped.join("; ")
        )
    }
}

async fn judge(tenant: &Tenant, token: &str) -> Result<String, String> {
    let field = Zeroizing::new(format!("Bearer {token}"));
    let refused = |reason: &str, message: String| format!("{reason}: {message}");
    let credential = Credential::read(Authorization::One(field.as_bytes()))
        .map_err(|denial| refused(denial.reason.word(), denial.to_string()))?;
    let Credential::Bearer(presented) = credential else {
        return Err("it is no bearer token".into());
    };
    let token = presented
        .text()
        .map_err(|denial| refused(denial.reason.word(), denial.to_string()))?;
    let mut room = Room::default();
    let judge = verify::judge(tenant, token, &mut room)
        .map_err(|denial| refused(denial.reason.word(), denial.to_string()))?
        .ok_or_else(|| {
            let message =
                "the token is no JWT (three parts of base64url), and the provider takes no others";
            refused(Denied::MalformedToken.word(), message.into())
        })?;
    let verified = judge
        .verify(token, &presented.digest(), tenant, clock::now(), &Silent)
        .await
        .map_err(|no| match no {
            No::Denied(denial) => refused(denial.reason.word(), denial.to_string()),
            No::Unavailable(outage) => refused(outage.reason.word(), outage.to_string()),
        })?;
    let principal = verified.principal();
    Ok(format!(
        "it is {}{}, proved by {}, in {} groups{}",
        principal.account(),
        if principal.is_machine() {
            " (a machine)"
        } else {
            ""
        },
        principal.method().word(),
        principal.groups().count(),
        principal
            .groups_unknown()
            .map_or_else(String::new, |why| format!(" that are known; {why}"))
    ))
}

/// The token on standard input, if there is one.
fn token() -> anyhow::Result<Option<Zeroizing<String>>> {
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut text = Zeroizing::new(String::new());
    input
        .take(MAX_INPUT)
        .read_to_string(&mut text)
        .context("standard input is not text")?;
    Ok((!text.trim().is_empty()).then_some(text))
}
