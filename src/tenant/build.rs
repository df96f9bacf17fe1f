//! From a source to settings, or to everything that is wrong with it. Reads nothing and asks no clock.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use humantime::format_duration;

use super::{
    file::TenantFile,
    parse::parse,
    problem::{Problem, Severity},
    report::{Report, element},
    settings::Settings,
    source::TenantSource,
};

mod access;
mod across;
mod address;
mod api_tokens;
mod idle;
mod introspection;
mod mapping;
mod pem;
mod provider;
mod rate_limit;
mod rules;
mod secret;
mod signature;
mod upstream;
mod ways;

pub use address::outgoing;

/// What a secret that can't be read means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// An error: the daemon takes no file into service whose secrets are not there.
    MustBeThere,
    /// A warning: `validate` may run where the secrets are not; and a last good build is served
    /// again even if its secret has gone, so that whatever needs no secret goes on.
    MayBeAbsent,
}

/// What became of a source.
#[derive(Debug)]
pub struct Built {
    /// Present if and only if no problem is an error.
    pub settings: Option<Settings>,
    /// Everything that was found, in the order of the file.
    pub problems: Vec<Problem>,
}

impl Built {
    /// Whether nothing forbids to serve the file.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.settings.is_some()
    }
}

/// Judges a source. `now` is in Unix seconds; certificates are judged by it.
#[must_use]
pub fn build(source: &TenantSource, secrets: Secrets, now: u64) -> Built {
    let (written, mut report) = parse(&source.path, &source.text);
    let settings = written.and_then(|written| {
        let mut draft = Draft {
            source,
            secrets,
            now,
            report: &mut report,
        };
        tenant(&written, &mut draft)
    });
    // Half of the settings are never served: an error anywhere forbids them all.
    let settings = settings.filter(|_| !report.has_errors());
    debug_assert!(
        settings.is_some() || report.has_errors(),
        "an absence without a reason"
    );
    Built {
        settings,
        problems: report.finish(),
    }
}

/// What every judgement needs at hand.
struct Draft<'d, 't> {
    source: &'t TenantSource,
    secrets: Secrets,
    now: u64,
    report: &'d mut Report<'t>,
}

impl Draft<'_, '_> {
    /// What an unreadable secret is to the caller.
    fn secret_severity(&self) -> Severity {
        match self.secrets {
            Secrets::MustBeThere => Severity::Error,
            Secrets::MayBeAbsent => Severity::Warning,
        }
    }
}

fn tenant(written: &TenantFile, draft: &mut Draft<'_, '_>) -> Option<Settings> {
    if written.product.is_none() {
        draft.report.missing(
            "",
            "product",
            "a tenant file says which product it stands before",
            "write product = \"jira\", \"confluence\" or \"bitbucket\"",
        );
    }
    if written.url.is_none() {
        draft.report.missing(
            "",
            "url",
            "a tenant file says at which URL users know the product",
            "write url = \"https://jira.example.com\", with the context path if there is one",
        );
    }
    let base = written
        .url
        .as_deref()
        .and_then(|url| match address::base(url) {
            Ok(base) => Some(base),
            Err(reason) => {
                draft.report.error("url", reason);
                None
            }
        });
    let files = written.provider.as_deref().unwrap_or_default();
    // One that is broken is to be mended, not missed.
    let has_provider = !files.is_empty() || draft.report.is_broken("provider");
    let api_tokens =
        api_tokens::api_tokens(written.api_tokens.as_ref(), has_provider, draft.report);
    let has_api_tokens = api_tokens.as_ref().is_none_or(|tokens| tokens.enabled);
    if files.is_empty() && !has_api_tokens && !draft.report.is_broken("provider") {
        draft
            .report
            .warning("provider", "there is no provider, so no token can pass")
            .help("add a [[provider]], or [api_tokens] with enabled = true");
    }
    let filled: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(index, file)| provider::fill(&element("provider", index), file, draft.report))
        .collect();
    let providers: Vec<_> = files
        .iter()
        .zip(&filled)
        .enumerate()
        .map(|(index, (written, file))| {
            provider::provider(&element("provider", index), written, file, draft)
        })
        .collect();
    across::judge(&filled, draft.report);
    let around = access::Around {
        product: written.product,
        context_path: base.as_ref().map_or("", |base| &base.context_path),
        providers: &filled,
        has_api_tokens,
    };
    let access = access::access(written.access.as_ref(), &around, draft.report);
    let rate_limit = rate_limit::rate_limit(written.rate_limit.as_ref(), draft.report);
    let upstream = upstream::upstream(written, base.as_ref(), draft);
    let base = base?;
    let providers = providers
        .into_iter()
        .map(|provider| provider.map(Arc::new))
        .collect::<Option<Vec<_>>>()?;
    let settings = Settings {
        service_accounts: mapping::service_accounts(&providers),
        id: draft.source.id.clone(),
        product: written.product?,
        url: base.url,
        context_path: base.context_path,
        enabled: written.enabled.unwrap_or(true),
        providers,
        api_tokens: api_tokens?,
        access: access?,
        rate_limit: rate_limit?,
        upstream: upstream.map(Arc::new),
    };
    api_tokens::groups_are_known(&settings, draft.report);
    Some(settings)
}

/// A duration as written, within bounds that the message repeats.
fn duration(
    key: &str,
    text: &str,
    within: RangeInclusive<Duration>,
    report: &mut Report<'_>,
) -> Option<Duration> {
    let Ok(duration) = humantime::parse_duration(text) else {
        report
            .error(key, "this is no duration")
            .help("write a number and its unit, as in \"30s\", \"5m\" or \"24h\"");
        return None;
    };
    if !within.contains(&duration) {
        let (least, most) = (
            format_duration(*within.start()),
            format_duration(*within.end()),
        );
        report.error(key, format!("this must lie between {least} and {most}"));
        return None;
    }
    Some(duration)
}

/// A text that must name something: not empty, and without anything that no one would type on purpose.
fn name(key: &str, text: &str, report: &mut Report<'_>) -> Option<String> {
    let reason = if text.is_empty() {
        "this is empty"
    } else if text.trim() != text {
        "this starts or ends with a space"
    } else if text.contains(char::is_control) {
        "this holds control characters"
    } else {
        return Some(text.to_owned());
    };
    report.error(key, reason);
    None
}

/// Several such names, each once.
fn names(key: &str, texts: &[String], report: &mut Report<'_>) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(texts.len());
    let mut all = true;
    for (index, text) in texts.iter().enumerate() {
        let key = element(key, index);
        match name(&key, text, report) {
            Some(name) if names.contains(&name) => {
                report.warning(&key, "this stands here twice");
            }
            Some(name) => names.push(name),
            None => all = false,
        }
    }
    all.then_some(names)
}

/// A provider for tests, as these lines of a `[[provider]]` make it.
#[cfg(test)]
#[must_use]
pub fn provider_of(lines: &str) -> Arc<super::settings::ProviderSettings> {
    let text =
        format!("product = \"jira\"\nurl = \"https://jira.example.com\"\n[[provider]]\n{lines}\n");
    let id = "jira".parse().expect("a name");
    let source = TenantSource::of_text(id, std::path::Path::new("tenants/jira.toml"), text);
    let built = build(&source, Secrets::MayBeAbsent, crate::clock::now());
    let settings = built
        .settings
        .unwrap_or_else(|| panic!("{:?}", built.problems));
    Arc::clone(&settings.providers[0])
}

#[cfg(test)]
mod tests;
