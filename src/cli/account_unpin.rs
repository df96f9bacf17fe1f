//! `postern account unpin`: the next who names the account is taken for its owner.

use std::process::ExitCode;

use clap::Args;

use super::{
    account::{pins_of, shown},
    daemon::Daemon,
};
use crate::{pins::PinRecord, tenant::TenantId};

/// Let an account be claimed anew
///
/// Forgets the provider, issuer and subject that an account is pinned to: the next that names it is pinned. For
/// somebody who has a new identity at the issuer, or moved to another provider; be sure that it is the same person.
/// What the old identity proved is void from then on. Exits with 1 if the account is not pinned.
#[derive(Debug, Args)]
pub struct AccountUnpin {
    /// Whose account
    tenant: TenantId,

    /// Its name, in any case of letters
    account: String,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON: what the account was pinned to
    #[arg(long)]
    json: bool,
}

impl AccountUnpin {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mut url = pins_of(&self.tenant);
        url.query_pairs_mut().append_pair("account", &self.account);
        let pin: PinRecord = self.daemon.ask(|client| client.delete(url))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&pin)?);
        } else {
            eprintln!(
                "{} of {} is nobody's now; it was pinned to {}",
                shown(&pin.account),
                self.tenant,
                pin.identity
            );
            eprintln!(
                "API tokens of the account stay good: if it is another person's now, run: postern token revoke --tenant {} --user ACCOUNT",
                self.tenant
            );
        }
        Ok(ExitCode::SUCCESS)
    }
}
