//! `postern token revoke`: API tokens that are good no more.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    process::ExitCode,
};

use anyhow::bail;
use clap::Args;

use super::{
    daemon::{Daemon, Line, PATIENCE},
    token::{id, named, outcome, token, tokens_of},
};
use crate::{api_tokens::ApiToken, status::Status, tenant::TenantId};

/// Revoke API tokens
///
/// The very next check refuses them. With several ids, each is tried: exits with 3 if some could not be revoked, and
/// with 1 if none could.
#[derive(Debug, Args)]
#[command(override_usage = "postern token revoke [OPTIONS] <ID>...
       postern token revoke [OPTIONS] --user <USER> [--tenant <TENANT>]
       postern token revoke [OPTIONS] --tenant <TENANT> [--yes]")]
pub struct TokenRevoke {
    /// Their ids, as `postern token list` shows them
    #[arg(value_name = "ID", required_unless_present_any = ["user", "tenant"], conflicts_with_all = ["user", "tenant"])]
    ids: Vec<String>,

    /// All of this account's, in any case of letters; needs --tenant where there are several
    #[arg(long)]
    user: Option<String>,

    /// All of this tenant's, or of its --user
    #[arg(long)]
    tenant: Option<TenantId>,

    /// Don't ask whether all of a tenant's are meant
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON: what was revoked
    #[arg(long)]
    json: bool,
}

impl TokenRevoke {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        self.daemon.talk(async |line| {
            if self.ids.is_empty() {
                self.all_of(line).await
            } else {
                self.each(line).await
            }
        })
    }

    async fn each(&self, line: &Line) -> anyhow::Result<ExitCode> {
        let (mut all, mut failed) = (Vec::new(), 0);
        for text in &self.ids {
            let revoked = async {
                let url = token(id(text)?);
                let revoked: Vec<ApiToken> = line.ask(|client| client.delete(url)).await?;
                anyhow::Ok(revoked)
            };
            match revoked.await {
                Ok(revoked) => {
                    self.tell(&revoked);
                    all.extend(revoked);
                }
                Err(error) => {
                    failed += 1;
                    eprintln!("postern: {error:#}");
                }
            }
        }
        self.print(&all)?;
        Ok(outcome(all.len() as u64, failed))
    }

    async fn all_of(&self, line: &Line) -> anyhow::Result<ExitCode> {
        let tenant = match &self.tenant {
            Some(tenant) => tenant.clone(),
            None => only_tenant(line).await?,
        };
        let mut url = tokens_of(&tenant);
        let of = match &self.user {
            Some(user) => {
                url.query_pairs_mut().append_pair("user", user);
                format!("of that account at {tenant}")
            }
            None => {
                self.make_sure(&tenant)?;
                format!("of {tenant}")
            }
        };
        let revoked = line.ask(|client| client.delete(url).timeout(PATIENCE));
        let revoked: Vec<ApiToken> = revoked.await?;
        self.tell(&revoked);
        if revoked.is_empty() {
            eprintln!("there was no token {of} to revoke");
        }
        self.print(&revoked)?;
        Ok(ExitCode::SUCCESS)
    }

    /// A slip of the keyboard must not take every script of a company its token.
    fn make_sure(&self, tenant: &TenantId) -> anyhow::Result<()> {
        if self.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() {
            bail!("this revokes every API token of {tenant}; if that is meant, say --yes");
        }
        eprint!("Revoke every API token of {tenant}? [y/N] ");
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            bail!("nothing was revoked");
        }
        Ok(())
    }

    fn tell(&self, revoked: &[ApiToken]) {
        if !self.json {
            for token in revoked {
                eprintln!("revoked {}", named(token));
            }
        }
    }

    fn print(&self, revoked: &[ApiToken]) -> anyhow::Result<()> {
        if self.json {
            let mut output = io::stdout().lock();
            serde_json::to_writer_pretty(&mut output, revoked)?;
            writeln!(output)?;
        }
        Ok(())
    }
}

/// The tenant, where there is no other.
async fn only_tenant(line: &Line) -> anyhow::Result<TenantId> {
    let status: Status = line
        .ask(|client| client.get("http://postern/status"))
        .await?;
    match status.tenants.as_slice() {
        [only] => Ok(only.tenant.parse()?),
        tenants => bail!(
            "the daemon has {} tenants, and an account may have tokens of each: say which with --tenant",
            tenants.len()
        ),
    }
}
