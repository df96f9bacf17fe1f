//! `postern token revoke`: API tokens that are good no more.

use std::process::ExitCode;

use clap::Args;

use super::{daemon::Daemon, token::token};
use crate::api_tokens::{ApiToken, TokenId};

/// Revoke API tokens
///
/// The very next check refuses them.
#[derive(Debug, Args)]
pub struct TokenRevoke {
    /// Their ids, as `postern token list` shows them
    #[arg(required = true)]
    ids: Vec<TokenId>,

    #[command(flatten)]
    daemon: Daemon,
}

impl TokenRevoke {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        for id in self.ids {
            let revoked: Vec<ApiToken> = self.daemon.ask(|client| client.delete(token(id)))?;
            for token in revoked {
                eprintln!("revoked {}", token.id);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
