//! Logs. What a line may hold is up to those who write it; where it goes is decided here.

use std::io::IsTerminal as _;

use tracing_subscriber::{EnvFilter, fmt};

/// `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    Pretty,
    /// One JSON object a line.
    Json,
}

/// Sends logs to standard error. `RUST_LOG` chooses what is logged; without it everything from `info` on,
/// and of the HTTP server only what is wrong.
pub fn start(format: Format) {
    let usual = "info,actix_server=warn,actix_http=warn";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let builder = fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    match format {
        Format::Pretty => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => builder.json().flatten_event(true).init(),
    }
}
