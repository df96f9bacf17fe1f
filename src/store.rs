//! What was learnt or issued, in sled: the last good build of each tenant, the last known keys, whose the accounts are,
//! Postern's own API tokens, and the audit log.
//!
//! The tenants folder is the truth for what operators wrote; the store is the truth for this. A write is
//! flushed before anybody is shown what it holds, so that `kill -9` loses nothing that was acknowledged. What damage
//! takes is noticed at the next start, where sled itself would go on without a word.

mod audit;
mod pins;
mod tokens;
mod tree;

use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use crate::{
    api_tokens::TokenRecord,
    issuer::key_source::SourceId,
    tenant::{TenantId, source::SourceRecord},
};
use audit::AuditLog;
pub use pins::PinName;
use pins::PinTree;
use tree::Tree;

/// The version of the store's layout. A store of a newer one is refused.
const FORMAT: u32 = 1;
/// Bytes of cache: builds, keys and tokens are read at the start and hardly ever after, and most pins are remembered by
/// [`crate::pins`].
const CACHE: u64 = 16 * 1024 * 1024;
/// The trees, in the order in which [`ACKNOWLEDGED`] counts them: new ones come last.
const TREES: [&str; 5] = ["builds", "keys", "pins", "tokens", "audit"];
/// The file beside sled's own that says how many batches of each tree are acknowledged. It is written after the
/// flush, so that it never promises too much, and an older one is still true.
const ACKNOWLEDGED: &str = "acknowledged";

/// The daemon's memory. sled locks its folder, so that there is one per folder.
#[derive(Debug, Clone)]
pub struct Store {
    db: sled::Db,
    path: PathBuf,
    builds: Tree<SourceRecord>,
    keys: Tree<KeyRecord>,
    pins: PinTree,
    tokens: Tree<TokenRecord>,
    /// When tokens were last used. Not sealed: to lose some is no harm.
    uses: sled::Tree,
    audit: AuditLog,
    /// Who flushes. Two at once would acknowledge one another's unfinished work.
    flushing: Arc<Mutex<()>>,
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
        "the store {path} is damaged: {what}; Postern deletes nothing of it. Restore it from a backup, or move it away to start with an empty one: the tenants folder and the issuers fill it again, and accounts are pinned anew to who names them first"
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
    /// A record that is there can't be read.
    #[error("the store can't be read: {0}")]
    Read(String),
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
        let lost = |name: &str, what: String| damaged(format!("{name}: {what}"));
        let store = Self {
            builds: Tree::open(tree("builds")?).map_err(|what| lost("builds", what))?,
            keys: Tree::open(tree("keys")?).map_err(|what| lost("keys", what))?,
            pins: PinTree::new(Tree::open(tree("pins")?).map_err(|what| lost("pins", what))?),
            tokens: Tree::open_unread(tree("tokens")?).map_err(|what| lost("tokens", what))?,
            uses: tree("uses")?,
            audit: AuditLog::open(tree("audit")?).map_err(|what| lost("audit", what))?,
            path: path.to_owned(),
            db: db.clone(),
            flushing: Arc::default(),
        };
        let acknowledged = acknowledged(&path.join(ACKNOWLEDGED));
        for ((name, there), promised) in TREES.iter().zip(store.batches()).zip(acknowledged) {
            if there < promised {
                let what = format!("its last {} writes are lost", promised - there);
                return Err(lost(name, what));
            }
        }
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
        if builds.is_empty() {
            return Ok(());
        }
        let records = builds.iter();
        self.builds
            .put(records.map(|(tenant, record)| (tenant.as_str(), record.as_ref())))?;
        self.flush()
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
        self.keys
            .put([(source.to_string().as_str(), Some(record))])?;
        self.flush()
    }

    /// Waits until everything written is on the disk. sled alone would do it within half a second.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn flush(&self) -> Result<(), StoreError> {
        let _alone = self.flushing.lock().unwrap_or_else(PoisonError::into_inner);
        // Counted first: of what others write meanwhile, nobody knows whether this flush has it.
        let batches = self.batches();
        self.db
            .flush()
            .map_err(|error| StoreError::Write(error.to_string()))?;
        self.acknowledge(batches);
        Ok(())
    }

    /// Of each of the [`TREES`].
    fn batches(&self) -> [u64; TREES.len()] {
        [
            self.builds.batches(),
            self.keys.batches(),
            self.pins.records.batches(),
            self.tokens.batches(),
            self.audit.count(),
        ]
    }

    /// Only after a flush.
    fn acknowledge(&self, batches: [u64; TREES.len()]) {
        let text = format!("{}\n", batches.map(|count| count.to_string()).join(" "));
        let file = self.path.join(ACKNOWLEDGED);
        let aside = file.with_extension("new");
        if let Err(error) = fs::write(&aside, text).and_then(|()| fs::rename(&aside, &file)) {
            tracing::warn!(path = %file.display(), %error, "a loss of what was just written would go unnoticed");
        }
    }
}

/// How many batches of each tree were acknowledged; none where nobody can say, as of a tree that is younger than the
/// file.
fn acknowledged(file: &Path) -> [u64; TREES.len()] {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut numbers = text
        .split_whitespace()
        .map(|number| number.parse().unwrap_or(0));
    [(); TREES.len()].map(|()| numbers.next().unwrap_or(0))
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
