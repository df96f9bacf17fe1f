//! `postern token rotate`: a new secret for an API token.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use zeroize::Zeroizing;

use super::{
    daemon::Daemon,
    token::{id, named, rotation},
};
use crate::{
    clock::{self, rfc3339},
    http::tokens::{Made, Rotation},
};

/// Give an API token a new secret
///
/// Prints the token as it is from now on, and nothing else, to standard output: it is shown this once and kept nowhere.
/// Its id, its limits and its end stay as they are.
#[derive(Debug, Args)]
pub struct TokenRotate {
    /// Its id, as `postern token list` shows it
    id: String,

    /// How long the token as it was is good as well, like 24h; never longer than the token itself
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "0s")]
    overlap: Duration,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON with all there is to know of the token
    #[arg(long)]
    json: bool,
}

impl TokenRotate {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let url = rotation(id(&self.id)?);
        let rotation = Rotation {
            overlap: self.overlap.as_secs(),
        };
        let made: Made = self.daemon.ask(|client| client.post(url).json(&rotation))?;
        let token = &made.about;
        let before = match token.retiring_until {
            Some(until) if until > clock::now() => format!("is good until {}", rfc3339(until)),
            _ => "is good no more".into(),
        };
        eprintln!(
            "{} has a new secret; the one before {before}, and the token expires at {} as before",
            named(token),
            rfc3339(token.expires_at)
        );
        let text = Zeroizing::new(if self.json {
            serde_json::to_string_pretty(&made)?
        } else {
            made.token.to_string()
        });
        let written = writeln!(io::stdout().lock(), "{}", *text);
        written.with_context(|| {
            format!(
                "the new secret could not be shown; postern token rotate {} makes another",
                token.id
            )
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
