//! `postern account list`: whose the accounts are.

use std::{process::ExitCode, time::Duration};

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};

use super::{
    account::{pins_of, shown},
    daemon::Daemon,
};
use crate::{clock, pins::PinRecord, tenant::TenantId};

/// Show whose a tenant's accounts are
///
/// An account is pinned to the provider, issuer and subject that named it first. Exits with 1 if the daemon has no such
/// tenant. One whose file is gone is known as long as accounts of it are pinned.
#[derive(Debug, Args)]
pub struct AccountList {
    /// Whose accounts
    tenant: TenantId,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl AccountList {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let url = pins_of(&self.tenant);
        let pins: Vec<PinRecord> = self.daemon.ask(|client| client.get(url))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&pins)?);
        } else {
            println!("{}", table(&pins, clock::now()));
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn table(pins: &[PinRecord], now: u64) -> Table {
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["ACCOUNT", "PROVIDER", "ISSUER", "SUBJECT", "SINCE"]);
    for pin in pins {
        let age = Duration::from_secs(now.saturating_sub(pin.pinned_at));
        table.add_row([
            shown(&pin.account),
            shown(&pin.identity.provider),
            shown(&pin.identity.issuer),
            shown(pin.identity.subject.as_deref().unwrap_or_default()),
            format!("{} ago", humantime::format_duration(age)),
        ]);
    }
    table
}
