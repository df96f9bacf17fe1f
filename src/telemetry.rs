//! Logs. What a line may hold is up to those who write it; where it goes is decided here.

use std::{io::IsTerminal as _, str::FromStr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::request::RequestId;

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
        // Machines tell the trail and the audit log from the rest by it.
        Format::Json => builder.with_target(true).json().flatten_event(true).init(),
    }
}

/// A share of requests, as nginx's `split_clients` writes it: `1%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Out of 2^32.
    of_all: u64,
}

const ALL: u64 = 1 << 32;

impl Share {
    /// No request.
    pub const NONE: Self = Self { of_all: 0 };

    /// Whether a request is one of them. Requests are numbered; multiplied by 2^64 over the golden ratio the numbers are
    /// spread evenly (Knuth, TAOCP vol. 3, §6.4), so that the share holds for few requests too, and follows no rhythm of
    /// theirs.
    #[must_use]
    pub fn takes(self, id: RequestId) -> bool {
        id.number().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32 < self.of_all
    }
}

impl FromStr for Share {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text
            .strip_suffix('%')
            .and_then(|number| number.parse().ok());
        match number {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "it is neither negative nor above 2^32"
            )]
            Some(percent @ 0.0..=100.0) => Ok(Self {
                of_all: (percent / 100.0 * ALL as f64).round() as u64,
            }),
            Some::<f64>(_) | None => Err("write a percentage from 0% to 100%, as in 1% or 0.5%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_that_share_of_any_thousand() {
        for (text, expected) in [("0%", 0), ("1%", 10), ("12.5%", 125), ("100%", 1000)] {
            let share: Share = text.parse().expect("a percentage");
            let taken = (0..1000).filter(|_| share.takes(RequestId::next())).count();
            assert!(taken.abs_diff(expected) <= 2, "{text}: {taken}");
        }
    }

    #[test]
    fn what_is_no_percentage_is_refused() {
        for text in ["", "1", "0.01", "%", "101%", "-1%", "NaN%", "inf%", "1 %"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }
}
