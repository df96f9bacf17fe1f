//! `postern status`: what a running daemon serves.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use anyhow::bail;
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};

use super::daemon::Daemon;
use crate::{
    clock,
    status::{self, KeyStatus, ProviderStatus, TenantStatus},
    tenant::TenantId,
};

/// Show what a running daemon serves
///
/// For each tenant: generation, product, providers, age of keys, and what is wrong.
/// Exits with 1 if the tenant asked for does not exist.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this tenant
    tenant: Option<TenantId>,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Status {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut status: status::Status = self
            .daemon
            .ask(|client| client.get("http://postern/status"))?;
        if let Some(wanted) = &self.tenant {
            status
                .tenants
                .retain(|tenant| tenant.tenant == wanted.as_str());
            if status.tenants.is_empty() {
                bail!(
                    "the daemon has no tenant {wanted}; is there a file {wanted}.toml in its tenants folder?"
                );
            }
        }
        if self.json {
            println!("{}", serde_json::to_string_pretty(&status)?);
        } else {
            print!("{}", text(&status, clock::now()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(status: &status::Status, now: u64) -> String {
    let mut text = String::new();
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header([
        "TENANT",
        "STATE",
        "GENERATION",
        "READ",
        "PRODUCT",
        "PROVIDERS",
    ]);
    for tenant in &status.tenants {
        let providers: Vec<_> = tenant.providers.iter().map(provider).collect();
        table.add_row([
            tenant.tenant.clone(),
            state(tenant),
            tenant.generation.to_string(),
            ago(tenant.applied_at, now),
            product(tenant),
            providers.join("\n"),
        ]);
    }
    let ready = if status.ready { "ready" } else { "starting" };
    writeln!(
        text,
        "postern {} is {ready}, with {} tenants",
        status.version,
        status.tenants.len()
    )
    .expect("a String takes everything");
    writeln!(text, "{table}").expect("a String takes everything");
    for tenant in &status.tenants {
        problems(&mut text, tenant, now);
        refusals(&mut text, tenant, now);
    }
    text
}

/// What was wrong with the last token that each provider refused: often the answer to why somebody can't get in.
fn refusals(text: &mut String, tenant: &TenantStatus, now: u64) {
    for provider in &tenant.providers {
        if let Some(refusal) = &provider.last_refusal {
            writeln!(
                text,
                "{}, provider {}: the last token refused, {}: {}: {} (request {})",
                tenant.tenant,
                provider.name,
                ago(refusal.at, now),
                refusal.reason,
                refusal.message,
                refusal.request_id
            )
            .expect("a String takes everything");
        }
    }
}

fn problems(text: &mut String, tenant: &TenantStatus, now: u64) {
    if let Some(since) = tenant.broken_since {
        let serving = if tenant.applied_at > 0 {
            "the last good build is served"
        } else {
            "there is no good build: checks are answered 503"
        };
        writeln!(
            text,
            "\n{}: the file was found broken {}; {serving}",
            tenant.tenant,
            ago(since, now)
        )
        .expect("a String takes everything");
    }
    for problem in &tenant.problems {
        let key = if problem.key.is_empty() {
            String::new()
        } else {
            format!("{}: ", problem.key)
        };
        writeln!(
            text,
            "{}: {}:{}:{}: {key}{}",
            problem.severity, problem.file, problem.line, problem.column, problem.message
        )
        .expect("a String takes everything");
        if let Some(help) = &problem.help {
            writeln!(text, "  help: {help}").expect("a String takes everything");
        }
    }
}

/// A gate that stands open must be seen at a glance.
fn state(tenant: &TenantStatus) -> String {
    match tenant.mode.as_deref() {
        Some("observe") => format!("{}\nonly observes", tenant.state),
        _ => tenant.state.clone(),
    }
}

fn product(tenant: &TenantStatus) -> String {
    let mut text = tenant.product.clone().unwrap_or_default();
    if let Some(upstream) = &tenant.upstream {
        write!(
            text,
            "\nasked at {}: accounts, breaker {}; sessions, breaker {}",
            upstream.address, upstream.accounts, upstream.sessions
        )
        .expect("a String takes everything");
    }
    text
}

fn provider(provider: &ProviderStatus) -> String {
    let mut text = provider.name.clone();
    for (what, keys) in [
        ("keys", &provider.keys),
        ("answer keys", &provider.answer_keys),
    ] {
        if let Some(keys) = keys {
            write!(text, ", {}", key_text(what, keys)).expect("a String takes everything");
        }
    }
    if let Some(breaker) = &provider.breaker {
        write!(text, ", breaker {breaker}").expect("a String takes everything");
    }
    text
}

fn key_text(what: &str, keys: &KeyStatus) -> String {
    let age = keys
        .age
        .map(|age| {
            format!(
                ", confirmed {} ago",
                humantime::format_duration(Duration::from_secs(age))
            )
        })
        .unwrap_or_default();
    let skipped = if keys.skipped > 0 {
        format!(", {} passed over", keys.skipped)
    } else {
        String::new()
    };
    let error = keys
        .error
        .as_ref()
        .map(|error| format!(", {error}"))
        .unwrap_or_default();
    format!("{} {what}{age}{skipped}{error}", keys.usable)
}

fn ago(at: u64, now: u64) -> String {
    if at == 0 {
        "never".into()
    } else {
        format!(
            "{} ago",
            humantime::format_duration(Duration::from_secs(now.saturating_sub(at)))
        )
    }
}
