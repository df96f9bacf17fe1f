//! `postern token issue`: a new API token, shown once.

mod batch;
mod names;
mod sheet;

use std::{io, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Args;

use super::{
    daemon::Daemon,
    token::{named, roughly, tokens_of},
};
use crate::{
    api_tokens::{Scope, Wanted},
    clock::{self, rfc3339},
    http::tokens::Made,
    tenant::TenantId,
};
use sheet::{Form, Sheet};

/// Issue an API token
///
/// Prints the token, and nothing else, to standard output: it is shown this once and kept nowhere. Clients send it as
/// `Authorization: Bearer T`, or in Basic as the password of its owner.
///
/// With - for USER, the names of many are read from standard input, one a line, and each line of the output is a name, a
/// tab and its token, in the order of the names. A name that is refused is told on standard error and stops nobody
/// else's token. Exits with 3 if some were refused, and with 1 if all were.
#[derive(Debug, Args)]
pub struct TokenIssue {
    /// The tenant that it is for
    tenant: TenantId,

    /// The account that its bearer acts as; - reads many from standard input
    user: String,

    /// What it is for
    #[arg(long, default_value = "", hide_default_value = true)]
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

    /// Print JSON with all there is to know of the token; for many, an object a line
    #[arg(long)]
    json: bool,

    /// Print CSV with all there is to know of the token
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl TokenIssue {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let form = match (self.json, self.csv) {
            (true, _) => Form::Json,
            (_, true) => Form::Csv,
            _ => Form::Plain,
        };
        let url = tokens_of(&self.tenant);
        let mut wanted = Wanted {
            owner: None,
            description: self.description,
            expires_in: self.expires.map(|expires| expires.as_secs()),
            scope: self.scope,
            grants: self.grants,
            paths: self.paths,
            networks: self.networks,
        };
        if self.user == "-" {
            return self
                .daemon
                .talk(async |line| batch::issue(line, &url, &wanted, form).await);
        }
        wanted.owner = Some(self.user);
        let made: Made = self.daemon.ask(|client| client.post(url).json(&wanted))?;
        let token = &made.about;
        eprintln!(
            "{}: {}, until {} (for {})",
            named(token),
            token.scope,
            rfc3339(token.expires_at),
            roughly(token.expires_at.saturating_sub(clock::now()))
        );
        let written = Sheet::new(form, false, io::stdout().lock()).write(&made);
        written.with_context(|| unseen(&made))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Of a token that could not be shown, and will not be again.
fn unseen(made: &Made) -> String {
    let token = &made.about;
    format!(
        "{} was issued and could not be shown; postern token revoke {}",
        named(token),
        token.id
    )
}
