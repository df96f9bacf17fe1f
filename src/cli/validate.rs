//! `postern validate`: every problem of every tenant file, told before the daemon meets it.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::Serialize;

use crate::{
    clock,
    tenant::{
        build::{Secrets, build},
        excerpt::Excerpt,
        folder,
        problem::{Problem, Severity},
        source::TenantSource,
    },
};

/// Check tenant files and print every problem
///
/// Reads the files as the daemon does, needs no running daemon and changes nothing. Secrets that
/// can't be read here are warnings, since they may lie only where the daemon runs.
/// Exits with 1 if there is any error, and with 0 if there are warnings only.
#[derive(Debug, clap::Args)]
pub struct Validate {
    /// Tenant files, or folders whose *.toml are meant (sub-folders are not) [default: the folder of --tenants]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The folder of tenant files
    #[arg(
        long,
        value_name = "DIR",
        env = "POSTERN_TENANTS",
        default_value = "tenants"
    )]
    tenants: PathBuf,

    /// Print a JSON document instead: {"files": […], "problems": […]}
    #[arg(long)]
    json: bool,
}

/// What became of all that was asked for; its JSON form is the answer of `--json`.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    files: Vec<FileVerdict>,
    problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
struct FileVerdict {
    file: String,
    /// Whether the daemon would take it into service.
    valid: bool,
    /// For the excerpts.
    #[serde(skip)]
    text: String,
}

impl Validate {
    /// Judges every file and prints what is wrong: for people to stderr, for machines to stdout.
    ///
    /// # Errors
    /// Nobody reads it. What is wrong with the files is told by the exit code.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let paths = if self.paths.is_empty() {
            vec![self.tenants]
        } else {
            self.paths
        };
        let verdict = Verdict::of(&paths, clock::now());
        let printed = if self.json {
            verdict.print_json()
        } else {
            verdict.print()
        };
        printed.context("cannot print the result")?;
        Ok(if verdict.count(Severity::Error) > 0 {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        })
    }
}

impl Verdict {
    fn of(paths: &[PathBuf], now: u64) -> Self {
        let mut verdict = Self::default();
        for path in paths {
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => verdict.judge_folder(path, now),
                Ok(_) => verdict.judge_file(path, now),
                Err(error) => verdict.unreadable(path, &error),
            }
        }
        verdict
    }

    fn judge_folder(&mut self, folder: &Path, now: u64) {
        match folder::tenant_files(folder) {
            Ok(files) if files.is_empty() => {
                let mut problem = Problem::of_file(folder, "holds no tenant file");
                problem.severity = Severity::Warning;
                problem.help("a tenant file is called NAME.toml; `postern tenant new` writes one");
                self.problems.push(problem);
            }
            Ok(files) => files.iter().for_each(|file| self.judge_file(file, now)),
            Err(error) => self.unreadable(folder, &error),
        }
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        self.problems
            .push(Problem::of_file(path, format!("can't be read: {error}")));
    }

    fn judge_file(&mut self, path: &Path, now: u64) {
        let file = path.display().to_string();
        if self.files.iter().any(|known| known.file == file) {
            return;
        }
        let (valid, text, problems) = match TenantSource::read(path) {
            Ok(source) => {
                let built = build(&source, Secrets::MayBeAbsent, now);
                (built.settings.is_some(), source.text, built.problems)
            }
            Err(problem) => (
                false,
                String::new(),
                vec![Problem::of_file(path, problem.to_string())],
            ),
        };
        self.files.push(FileVerdict { file, valid, text });
        self.problems.extend(problems);
    }

    fn count(&self, severity: Severity) -> usize {
        self.problems
            .iter()
            .filter(|problem| problem.severity == severity)
            .count()
    }

    fn print_json(&self) -> io::Result<()> {
        let mut out = io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, self)?;
        writeln!(out)
    }

    fn print(&self) -> io::Result<()> {
        let mut out = io::stderr().lock();
        let colour = out.is_terminal() && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let nothing = Excerpt::new("");
        let mut problems = self.problems.iter().peekable();
        while let Some(first) = problems.peek() {
            // The problems of a file stand together: its excerpt is made once.
            let file = first.file.clone();
            let shown = file.display().to_string();
            let text = self.files.iter().find(|known| known.file == shown);
            let excerpt = text.map(|known| Excerpt::new(&known.text));
            while let Some(problem) = problems.next_if(|problem| problem.file == file) {
                writeln!(
                    out,
                    "{}\n",
                    excerpt.as_ref().unwrap_or(&nothing).render(problem, colour)
                )?;
            }
        }
        writeln!(out, "{}", self.summary())
    }

    fn summary(&self) -> String {
        let counted = |count: usize, what: &str| match count {
            1 => format!("1 {what}"),
            _ => format!("{count} {what}s"),
        };
        format!(
            "{}, {}, {}",
            counted(self.files.len(), "file"),
            counted(self.count(Severity::Error), "error"),
            counted(self.count(Severity::Warning), "warning"),
        )
    }
}

#[cfg(test)]
mod tests;
