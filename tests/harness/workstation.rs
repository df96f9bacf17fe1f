//! Where a person's or a build server's programs run.

use std::{fs, path::Path, process::Command};

use tempfile::TempDir;

/// Longer than any of them takes on a busy machine; one that waits for an answer at a terminal is ended.
const LIMIT_SECONDS: &str = "120";

/// A home folder of its own, nothing of the real one's settings, and nobody to ask for a password.
pub struct Workstation {
    home: TempDir,
    environment: Vec<(String, String)>,
}

impl Workstation {
    pub fn new() -> Self {
        Self {
            home: tempfile::tempdir().expect("a temporary folder"),
            environment: Vec::new(),
        }
    }

    /// With a variable in every program's environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs lines of a shell, which end at the first that fails.
    pub fn sh(&self, lines: &str) -> Ran {
        self.run(Path::new("bash"), &["-euo", "pipefail", "-c", lines])
    }

    /// Runs a Python program.
    pub fn python(&self, interpreter: &Path, lines: &str) -> Ran {
        self.run(interpreter, &["-B", "-c", lines])
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Ran {
        let output = Command::new("timeout")
            .args(["--kill-after=5", LIMIT_SECONDS])
            .arg(program)
            .args(arguments)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", self.home())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(std::process::Stdio::null())
            .output()
            .expect("coreutils' timeout runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran {
            code: output.status.code(),
            out: text(&output.stdout),
            err: text(&output.stderr),
        }
    }

    /// A file below the home folder.
    pub fn read(&self, path: &str) -> Vec<u8> {
        fs::read(self.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }
}

/// A program that has ended.
#[derive(Debug)]
pub struct Ran {
    code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// It succeeded.
    #[track_caller]
    pub fn worked(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// It failed by itself, and said why.
    #[track_caller]
    pub fn failed(&self, saying: &str) -> &Self {
        // 124 and 137: ended by `timeout`.
        let by_itself = !matches!(self.code, None | Some(0 | 124 | 137));
        assert!(
            by_itself && self.err.contains(saying),
            "{saying}: {self:#?}"
        );
        self
    }
}
