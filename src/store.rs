//! What was learnt or issued, in sled: the last good build of each tenant and the last known keys.
//!
//! The tenants folder is the truth for what operators wrote; the store is the truth for this. A write is
//! flushed before anybody is shown what it holds, so that `kill -9` loses nothing that was acknowledged.

mod tree;

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    issuer::key_source::SourceId,
    tenant::{TenantId, source::SourceRecord},
};
use tree::Tree;

/// The version of the store's layout. A store of a newer one is refused.
const FORMAT: u32 = 1;
/// Bytes of cache: the store is read at the start and hardly ever after.
const CACHE: u64 = 16 * 1024 * 1024;

/// The daemon's memory. sled locks its folder, so that there is one per folder.
#[derive(Debug, Clone)]
pub struct Store {
    db: sled::Db,
    builds: Tree<SourceRecord>,
    keys: Tree<KeyRecord>,
}

/// The keys of a source, as the issuer sent them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The JWK Set document.
    pub document: String,
    /// Where it was found, by the issuer's metadata or the tenant's file.
    pub jwks_uri: String,
    /// When the issuer last confirmed it, in seconds since the epoch.
    pub confirmed_at: u64,
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process has it open.
    #[error(
        "the store {0} is in use by another process; only one `postern serve` can use a --data folder"
    )]
    InUse(PathBuf),
    /// Written by a later Postern.
    #[error(
        "the store {path} has the format {found}, and this Postern knows {FORMAT}; install the newer Postern again, or move the store away to start with an empty one"
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Not what was written.
    #[error(
        "the store {path} is damaged: {what}; nothing was deleted. Restore it from a backup, or move it away to start with an empty one: the tenants folder and the issuers fill it again"
    )]
    Damaged {
        /// The folder.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// The folder can't be made or read.
    #[error("the store {path} can't be used: {error}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// The operating system's words.
        error: std::io::Error,
    },
    /// A write failed: nothing of it may be shown.
    #[error("the store can't be written: {0}")]
    Write(String),
}

impl Store {
    /// Opens or makes `data/store`; `data` is made with mode 0700.
    ///
    /// # Errors
    /// [`StoreError`]. Nothing is ever deleted to get it open.
    pub fn open(data: &Path) -> Result<Self, StoreError> {
        let path = data.join("store");
        let io = |error| StoreError::Io {
            path: path.clone(),
            error,
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data)
            .map_err(io)?;
        let mode = fs::metadata(data).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %data.display(), mode = format!("{:o}", mode & 0o777), "the data folder can be entered by others; chmod 700 it");
        }
        let existed = path.join("db").exists();
        // sled meets some damage with a panic, which would end in a restart loop without a word of advice.
        let opened = panic::catch_unwind(AssertUnwindSafe(|| Self::open_and_read(&path, existed)));
        opened.unwrap_or_else(|_| {
            Err(StoreError::Damaged {
                path,
                what: "it can't be recovered (see the message above)".into(),
            })
        })
    }

    fn open_and_read(path: &Path, existed: bool) -> Result<Self, StoreError> {
        let failed = |error| from_sled(path, error);
        let damaged = |what: String| StoreError::Damaged {
            path: path.to_owned(),
            what,
        };
        let db = sled::Config::new()
            .path(path)
            .cache_capacity(CACHE)
            .open()
            .map_err(failed)?;
        let format = db.get(b"format").map_err(failed)?;
        match format.as_deref().map(<[u8; 4]>::try_from) {
            Some(Ok(bytes)) if u32::from_be_bytes(bytes) == FORMAT => {}
            Some(Ok(bytes)) => {
                return Err(StoreError::Newer {
                    path: path.to_owned(),
                    found: u32::from_be_bytes(bytes),
                });
            }
            Some(Err(_)) => return Err(damaged("its format is unreadable".into())),
            None if existed => {
                return Err(damaged(
                    "it has no format, though it was written before".into(),
                ));
            }
            None => {
                db.insert(b"format", &FORMAT.to_be_bytes())
                    .map_err(failed)?;
                db.flush().map_err(failed)?;
            }
        }
        let tree = |name: &str| db.open_tree(name).map_err(failed);
        let store = Self {
            builds: Tree::new(tree("builds")?),
            keys: Tree::new(tree("keys")?),
            db: db.clone(),
        };
        // Better to learn of damage now than at the next outage of an issuer.
        store
            .builds
            .check()
            .map_err(|what| damaged(format!("builds: {what}")))?;
        store
            .keys
            .check()
            .map_err(|what| damaged(format!("keys: {what}")))?;
        Ok(store)
    }

    /// The last good build of a tenant.
    #[must_use]
    pub fn build(&self, tenant: &TenantId) -> Option<SourceRecord> {
        self.builds.get(tenant.as_str())
    }

    /// Keeps the last good builds of some tenants and forgets those of others, in one flush.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn put_builds(
        &self,
        builds: &[(TenantId, Option<SourceRecord>)],
    ) -> Result<(), StoreError> {
        for (tenant, record) in builds {
            match record {
                Some(record) => self.builds.put(tenant.as_str(), record)?,
                None => self.builds.remove(tenant.as_str())?,
            }
        }
        if builds.is_empty() {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// The last known keys of a source.
    #[must_use]
    pub fn keys(&self, source: &SourceId) -> Option<KeyRecord> {
        self.keys.get(&source.to_string())
    }

    /// Keeps the keys of a source, flushed.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn put_keys(&self, source: &SourceId, record: &KeyRecord) -> Result<(), StoreError> {
        self.keys.put(&source.to_string(), record)?;
        self.flush()
    }

    /// Waits until everything written is on the disk. sled alone would do it within half a second.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn flush(&self) -> Result<(), StoreError> {
        self.db
            .flush()
            .map(drop)
            .map_err(|error| StoreError::Write(error.to_string()))
    }
}

fn from_sled(path: &Path, error: sled::Error) -> StoreError {
    let path = path.to_owned();
    match error {
        sled::Error::Io(error)
            if error.kind() == std::io::ErrorKind::WouldBlock
                || error.to_string().contains("could not acquire lock") =>
        {
            StoreError::InUse(path)
        }
        sled::Error::Io(error) => StoreError::Io { path, error },
        other => StoreError::Damaged {
            path,
            what: other.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
