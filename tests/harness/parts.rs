//! Real parts that a machine may lack: nginx, git, node and Python packages, systemd's tools.

use std::path::{Path, PathBuf};

/// The path of a real part, or `None` with a line that says what is missing. In CI a missing part is a failure:
/// `.ci/install` installs them all.
///
/// # Panics
/// In CI, if the part is missing.
#[track_caller]
pub fn part(name: &str, found: Option<PathBuf>) -> Option<PathBuf> {
    if found.is_none() {
        assert!(
            std::env::var_os("CI").is_none(),
            "{name} is missing, and in CI it must not be; see .ci/install"
        );
        eprintln!("not run: {name} is missing (.ci/install installs it)");
    }
    found
}

/// The [`part`] that is a program of the system, by its name.
#[track_caller]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Debian has daemons where only root looks.
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    part(name, found)
}

/// The [`part`] that is a folder of Python packages, and with it its interpreter.
#[track_caller]
pub fn python(name: &str, tests: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(tests);
    let interpreter = folder.join("venv/bin/python");
    part(name, interpreter.is_file().then_some(interpreter))
}
