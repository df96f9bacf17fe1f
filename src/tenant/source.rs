//! Everything that a tenant was read from: its file, and the contents of all that the file refers to.
//! [`build`](super::build) works on this alone, so that judging a file needs no disk.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Read},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::OFlags;
use zeroize::Zeroizing;

use super::{
    file::{Pem, SecretReference, TenantFile},
    id::{InvalidTenantId, TenantId},
    parse::parse,
};
use crate::secret::Secret;

mod record;

pub use record::{InvalidRecord, SourceRecord};

/// The longest tenant file (design §7): some thousand providers, and far below what would make
/// reading ten thousand of them slow.
pub const MAX_FILE: u64 = 256 * 1024;

/// The longest file that a tenant refers to: the CA bundle of a Linux distribution has about 220 KiB.
pub const MAX_REFERENCED: u64 = 1024 * 1024;

/// The longest secret: above it, something else was named by mistake.
pub const MAX_SECRET: u64 = 16 * 1024;

/// What one tenant was read from.
#[derive(Debug, Clone)]
pub struct TenantSource {
    /// The file's name without `.toml`.
    pub id: TenantId,
    /// The tenant file.
    pub path: PathBuf,
    /// What stands in it.
    pub text: String,
    /// The public files that it refers to, by reference as written. An error is the operating system's words.
    files: BTreeMap<String, Result<String, String>>,
    /// The secrets that it refers to. An error says why there is none and names no secret.
    secrets: BTreeMap<SecretPlace, Result<Secret, String>>,
}

/// Where a secret lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecretPlace {
    /// In a file, named as in the tenant file.
    File(String),
    /// In an environment variable.
    Env(String),
    /// In a file of the folder that systemd names in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

/// Why a tenant file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadProblem {
    /// Its name is no tenant's name.
    #[error("is not named like a tenant: before `.toml`, {0}")]
    Name(InvalidTenantId),
    /// A folder, pipe, socket or device.
    #[error("is no regular file")]
    NotAFile,
    /// Longer than its bound, here in bytes.
    #[error("is longer than {0} bytes")]
    TooLong(u64),
    /// Not text.
    #[error("is not UTF-8 text (byte {0})")]
    NotUtf8(usize),
    /// The operating system says no. The file being gone is one of these, too: whether it is gone
    /// for good is for the folder to say.
    #[error("can't be read: {0}")]
    Io(#[from] io::Error),
}

impl TenantSource {
    /// Reads a tenant file and all that it refers to. Only the tenant file itself can fail; what it refers
    /// to is judged when it is built.
    ///
    /// # Errors
    /// See [`ReadProblem`]. Never waits: a pipe is refused.
    pub fn read(path: &Path) -> Result<Self, ReadProblem> {
        let id = id_of(path)?;
        let text = read_text(path, MAX_FILE)?;
        Ok(Self::of_text(id, path, text))
    }

    /// The source of a file whose text is at hand; what it refers to is read.
    #[must_use]
    pub fn of_text(id: TenantId, path: &Path, text: String) -> Self {
        Self::with_files(id, path, text, |folder, name| {
            read_text(&folder.join(name), MAX_REFERENCED).map_err(|problem| problem.to_string())
        })
    }

    fn with_files(
        id: TenantId,
        path: &Path,
        text: String,
        read: impl Fn(&Path, &str) -> Result<String, String>,
    ) -> Self {
        let folder = folder_of(path);
        let written = parse(path, &text).0.unwrap_or_default();
        let files = references(&written)
            .map(|name| (name.to_owned(), read(folder, name)))
            .collect();
        let credentials = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let secrets = secret_places(&written)
            .map(|place| {
                let secret = place.read(folder, credentials.as_deref());
                (place, secret)
            })
            .collect();
        Self {
            id,
            path: path.to_owned(),
            text,
            files,
            secrets,
        }
    }

    /// The contents of a public file, by its reference as written.
    ///
    /// # Errors
    /// Why it could not be read.
    pub fn file(&self, reference: &str) -> Result<&str, String> {
        match self.files.get(reference) {
            Some(Ok(text)) => Ok(text),
            Some(Err(problem)) => Err(problem.clone()),
            None => Err("was not read".to_owned()),
        }
    }

    /// A secret, by where it lies.
    ///
    /// # Errors
    /// Why there is none.
    pub fn secret(&self, place: &SecretPlace) -> Result<Secret, String> {
        self.secrets
            .get(place)
            .cloned()
            .unwrap_or_else(|| Err("was not read".to_owned()))
    }

    /// The files to watch besides the tenant file, absolute.
    #[must_use]
    pub fn referenced_paths(&self) -> Vec<PathBuf> {
        let folder = folder_of(&self.path);
        let credentials = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
        let files = self.files.keys().map(|name| folder.join(name));
        let secrets = self
            .secrets
            .keys()
            .filter_map(|place| place.path(folder, credentials.as_deref()));
        let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
        let mut paths: Vec<PathBuf> = files.chain(secrets).map(absolute).collect();
        paths.sort();
        paths.dedup();
        paths
    }

    /// A digest over all that was read, secrets included: equal digests build equal settings.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut digest = Digest::new("postern source 1");
        digest.add(self.id.as_str());
        digest.add(&self.text);
        for (name, file) in &self.files {
            digest.add(name);
            digest.add_result(file.as_deref().map_err(String::as_str));
        }
        for (place, secret) in &self.secrets {
            digest.add(&format!("{place:?}"));
            digest.add_result(secret.as_ref().map(Secret::expose).map_err(String::as_str));
        }
        digest.finish()
    }
}

impl SecretReference {
    /// The place, if exactly one is named.
    #[must_use]
    pub fn place(&self) -> Option<SecretPlace> {
        match (&self.file, &self.env, &self.credential) {
            (Some(file), None, None) => Some(SecretPlace::File(file.clone())),
            (None, Some(name), None) => Some(SecretPlace::Env(name.clone())),
            (None, None, Some(name)) => Some(SecretPlace::Credential(name.clone())),
            _ => None,
        }
    }
}

impl SecretPlace {
    fn read(&self, folder: &Path, credentials: Option<&Path>) -> Result<Secret, String> {
        let text = match (self, self.path(folder, credentials)) {
            (Self::Env(name), _) if name.is_empty() || name.contains(['=', '\0']) => {
                return Err("is no name of an environment variable".to_owned());
            }
            (Self::Env(name), _) => match env::var(name) {
                Ok(text) => Zeroizing::new(text),
                Err(env::VarError::NotPresent) => return Err("is not set".to_owned()),
                Err(env::VarError::NotUnicode(_)) => return Err("is not UTF-8 text".to_owned()),
            },
            (Self::Credential(name), _) if !is_credential_name(name) => {
                return Err("is no name of a systemd credential".to_owned());
            }
            (Self::Credential(_), None) => {
                return Err(NO_CREDENTIALS.to_owned());
            }
            (_, Some(path)) => read_text(&path, MAX_SECRET)
                .map(Zeroizing::new)
                .map_err(|problem| problem.to_string())?,
            (Self::File(_), None) => return Err("is no path".to_owned()),
        };
        let secret = text.strip_suffix('\n').unwrap_or(&text);
        let secret = secret.strip_suffix('\r').unwrap_or(secret);
        if secret.is_empty() {
            return Err("is empty".to_owned());
        }
        // RFC 6749 appendix A.2 allows printable ASCII. Issuers go further, but never to control
        // characters: those mean that some other file was named.
        if secret.contains(char::is_control) {
            return Err("holds more than one line, or control characters".to_owned());
        }
        Ok(Secret::new(secret.to_owned()))
    }

    fn path(&self, folder: &Path, credentials: Option<&Path>) -> Option<PathBuf> {
        match self {
            Self::File(name) => Some(folder.join(name)),
            Self::Credential(name) if is_credential_name(name) => {
                credentials.map(|credentials| credentials.join(name))
            }
            Self::Env(_) | Self::Credential(_) => None,
        }
    }
}

/// A digest over several pieces, each with its length before it, so that no two lists of pieces are alike.
pub(super) struct Digest(Context);

impl Digest {
    /// `purpose` keeps digests of different things apart, and those of different versions of one.
    pub fn new(purpose: &str) -> Self {
        let mut digest = Self(Context::new(&SHA256));
        digest.add(purpose);
        digest
    }

    pub fn add(&mut self, piece: &str) {
        self.0.update(&(piece.len() as u64).to_be_bytes());
        self.0.update(piece.as_bytes());
    }

    pub fn add_result(&mut self, piece: Result<&str, &str>) {
        self.add(if piece.is_ok() { "ok" } else { "err" });
        self.add(piece.unwrap_or_else(|problem| problem));
    }

    pub fn finish(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.finish().as_ref());
        bytes
    }
}

fn id_of(path: &Path) -> Result<TenantId, ReadProblem> {
    let name = path.file_name().and_then(|name| name.to_str());
    let stem = name
        .and_then(|name| name.strip_suffix(".toml"))
        .unwrap_or_default();
    TenantId::from_str(stem).map_err(ReadProblem::Name)
}

/// Why no credential can be read by a process that systemd gave none, like a command that a person types.
pub const NO_CREDENTIALS: &str =
    "can't be read: this process was given no credentials ($CREDENTIALS_DIRECTORY is not set)";

/// References are relative to the folder through which the tenant file was reached, not to where a
/// symbolic link leads: Kubernetes links each file of a mount by itself.
fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

fn is_credential_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

fn references(file: &TenantFile) -> impl Iterator<Item = &str> {
    let providers = file.provider.iter().flatten();
    let pems =
        providers.flat_map(|provider| [&provider.public_key, &provider.certificate, &provider.ca]);
    let upstream = file.upstream.iter().map(|upstream| &upstream.ca);
    pems.chain(upstream).filter_map(|pem| match pem {
        Some(Pem::File(reference)) => reference.file.as_deref(),
        _ => None,
    })
}

fn secret_places(file: &TenantFile) -> impl Iterator<Item = SecretPlace> {
    let providers = file.provider.iter().flatten();
    let secrets = providers.map(|provider| &provider.client_secret);
    let upstream = file.upstream.iter().map(|upstream| &upstream.admin_token);
    secrets
        .chain(upstream)
        .filter_map(|secret| secret.as_ref()?.place())
}

/// Reads a regular file of bounded length. Opened without waiting, since to open a pipe waits for its
/// other end; what was opened is asked what it is, since a path may change between two looks.
fn read_text(path: &Path, limit: u64) -> Result<String, ReadProblem> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).expect("open's flags are an int in C");
    let file = fs::OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(ReadProblem::NotAFile);
    }
    // One allocation for the usual file: a secret leaves no copies behind as its buffer grows.
    let length = usize::try_from(metadata.len().min(limit)).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(length + 1));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(ReadProblem::TooLong(limit));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(ReadProblem::NotUtf8(error.valid_up_to())),
    }
}

#[cfg(test)]
mod tests;
