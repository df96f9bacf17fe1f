//! A folder of tenant files, and which of its entries are tenant files.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The tenant files of a folder in the order of their names: everything called `*.toml` that is not
/// hidden (editors and Kubernetes hide what they are not done with) and not a folder. Symbolic links
/// are followed; one that leads nowhere counts, so that its loss is a visible error and does
/// not retire the tenant.
///
/// # Errors
/// The folder can't be read. Nothing is known about its tenants then, least of all that they are gone.
pub fn tenant_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_tenant_file(&path) && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a path is named like a tenant file. Its name may still be no tenant's name, which is an
/// error to show and not a reason to overlook the file.
#[must_use]
pub fn is_tenant_file(path: &Path) -> bool {
    let hidden = path
        .file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
    !hidden
        && path
            .extension()
            .is_some_and(|extension| extension == "toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_so_and_is_no_folder_is_a_tenant_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in [
            "b.toml",
            "a.toml",
            "Odd.toml",
            ".hidden.toml",
            "#a.toml#",
            "a.toml~",
            "a.pem",
        ] {
            fs::write(path(name), "").unwrap();
        }
        fs::create_dir(path("examples.toml")).unwrap();
        std::os::unix::fs::symlink("nowhere", path("lost.toml")).unwrap();
        std::os::unix::fs::symlink("a.toml", path("link.toml")).unwrap();
        let expected = ["Odd.toml", "a.toml", "b.toml", "link.toml", "lost.toml"].map(path);
        assert_eq!(tenant_files(folder.path()).unwrap(), expected);
        assert!(tenant_files(&path("none")).is_err());
    }
}
