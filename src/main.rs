//! Parse, dispatch, exit code.

use std::process::ExitCode;

use clap::Parser as _;
use postern::cli::Cli;

#[expect(
    clippy::print_stderr,
    reason = "an error that ends the process is told to whoever started it"
)]
fn main() -> ExitCode {
    match Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postern: {error:#}");
            ExitCode::FAILURE
        }
    }
}
