//! Real parts that a machine may lack: nginx, node packages, systemd's tools.

use std::path::PathBuf;

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
