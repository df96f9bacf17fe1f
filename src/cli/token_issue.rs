//! `postern token issue`: a new API token, shown once.

use std::{process::ExitCode, time::Duration};

use clap::Args;

use super::{daemon::Daemon, token::tokens_of};
use crate::{
    api_tokens::{Scope, Wanted},
    http::tokens::Made,
    tenant::TenantId,
};

/// Issue an API token
///
/// Prints the token, and nothing else, to standard output: it is shown this once and kept nowhere. Clients send it as
/// `Authorization: Bearer T`, or in Basic as the password of its owner.
#[derive(Debug, Args)]
pub struct TokenIssue {
    /// The tenant that it is for
    tenant: TenantId,

    /// The account that its bearer acts as
    user: String,

    /// What it is for
    #[arg(long, default_value = "")]
    description: String,

    /// How long it lives, like 90d or 12h [default: 90d, or max_lifetime of the tenant if that is shorter]
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expires: Option<Duration>,

    /// What it may be used for [default: default_scope of the tenant]
    #[arg(long)]
    scope: Option<Scope>,

    /// A network that it is good from, like 10.0.0.0/8; several are possible [default: anywhere]
    #[arg(long = "network", value_name = "NET")]
    networks: Vec<String>,

    /// A path that it is good for, like /rest/api/2/issue/**; several are possible [default: every path]
    #[arg(long = "path", value_name = "PATTERN")]
    paths: Vec<String>,

    /// An OAuth scope that it holds against access rules that want one; several are possible
    #[arg(long = "grant", value_name = "SCOPE")]
    grants: Vec<String>,

    #[command(flatten)]
    daemon: Daemon,
}

impl TokenIssue {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let wanted = Wanted {
            owner: Some(self.user),
            description: self.description,
            expires_in: self.expires.map(|expires| expires.as_secs()),
            scope: self.scope,
            grants: self.grants,
            paths: self.paths,
            networks: self.networks,
        };
        let url = tokens_of(&self.tenant);
        let made: Made = self.daemon.ask(|client| client.post(url).json(&wanted))?;
        println!("{}", *made.token);
        Ok(ExitCode::SUCCESS)
    }
}
