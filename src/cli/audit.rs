//! `postern audit`: who changed what, from where and for whom.

use std::{
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::{Duration, UNIX_EPOCH},
};

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use url::Url;

use super::{account::shown, daemon::Daemon, token::unless_hung_up};
use crate::{
    api_tokens::TokenId,
    audit::Event,
    clock::{self, rfc3339},
    http::audit::Page,
    tenant::TenantId,
};

/// Show who changed what
///
/// API tokens issued, revoked, rotated and removed, and accounts unpinned: by whom, from where, for whom. The oldest
/// comes first.
#[derive(Debug, Args)]
pub struct Audit {
    /// Not what is older than this, like 7d, or from before this time, like 2026-11-25 or 2026-11-25T13:00:00Z
    #[arg(long, value_name = "DURATION|TIME", value_parser = since)]
    since: Option<Since>,

    /// Only what was done at this tenant
    #[arg(long)]
    tenant: Option<TenantId>,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON, an event a line, with times in seconds since the epoch
    #[arg(long)]
    json: bool,
}

/// Since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// That long ago.
    Ago(Duration),
    /// In seconds since the epoch.
    At(u64),
}

impl Audit {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let log = self.log(clock::now());
        let mut output = BufWriter::new(io::stdout().lock());
        let mut any = false;
        let written = self.daemon.talk(async |line| {
            line.each_page(&log, |page: Page| {
                if self.json {
                    for event in &page.events {
                        serde_json::to_writer(&mut output, event)?;
                        writeln!(output)?;
                    }
                } else if !page.events.is_empty() || (page.after.is_none() && !any) {
                    // A table for each page: the log may be of any length.
                    writeln!(output, "{}", table(&page.events))?;
                    any = true;
                }
                Ok(page.after)
            })
            .await?;
            Ok(output.flush()?)
        });
        unless_hung_up(written)?;
        Ok(ExitCode::SUCCESS)
    }

    fn log(&self, now: u64) -> Url {
        let mut log: Url = "http://postern/audit".parse().expect("it is a URL");
        let since = self.since.map(|since| match since {
            Since::Ago(ago) => now.saturating_sub(ago.as_secs()),
            Since::At(at) => at,
        });
        if let Some(since) = since {
            log.query_pairs_mut()
                .append_pair("since", &since.to_string());
        }
        if let Some(tenant) = &self.tenant {
            log.query_pairs_mut().append_pair("tenant", tenant.as_str());
        }
        log
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        return Ok(Since::Ago(ago));
    }
    // A day alone is its beginning.
    let time = humantime::parse_rfc3339_weak(text)
        .or_else(|_| humantime::parse_rfc3339(&format!("{text}T00:00:00Z")));
    let time = time.map_err(|_| "7d, 2026-11-25 or 2026-11-25T13:00:00Z is wanted")?;
    let time = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Since::At(time.as_secs()))
}

fn table(events: &[Event]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header([
            "TIME", "WHAT", "TENANT", "ACCOUNT", "TOKEN", "BY", "FROM", "DETAIL",
        ]);
    for event in events {
        table.add_row([
            rfc3339(event.at),
            event.action.word().to_owned(),
            event.tenant.clone(),
            shown(&event.account),
            event
                .token
                .as_ref()
                .map(TokenId::to_string)
                .unwrap_or_default(),
            shown(&event.origin.by),
            shown(&event.origin.from),
            shown(&event.detail),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_several_ways() {
        let hour = Duration::from_hours(1);
        assert_eq!(since("1h"), Ok(Since::Ago(hour)));
        assert_eq!(since("7d"), Ok(Since::Ago(hour * 24 * 7)));
        let midnight = Ok(Since::At(1_764_028_800));
        assert_eq!(since("2025-11-25"), midnight);
        assert_eq!(since("2025-11-25 00:00:00"), midnight);
        assert_eq!(since("2025-11-25T00:00:00Z"), midnight);
        for wrong in [
            "",
            "yesterday",
            "2025-13-01",
            "-7d",
            "2025-11-25T00:00:00+01:00x",
        ] {
            assert!(since(wrong).is_err(), "{wrong:?}");
        }
    }
}
