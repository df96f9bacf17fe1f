//! `postern package-files`: what a package holds besides the binary, from the definition of the commands.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::{Args, CommandFactory as _, ValueEnum as _};
use clap_complete::Shell;

use super::Cli;

/// Write the man pages and shell completions of a package into a folder
#[derive(Debug, Args)]
pub struct PackageFiles {
    /// Made if it is not there
    folder: PathBuf,
}

impl PackageFiles {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        fs::create_dir_all(&self.folder)?;
        clap_mangen::generate_to(Cli::command(), &self.folder)?;
        for shell in Shell::value_variants() {
            clap_complete::generate_to(*shell, &mut Cli::command(), "postern", &self.folder)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
