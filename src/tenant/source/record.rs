//! A source as the store keeps it: without secrets, which are read again from where they lie.

use std::{collections::BTreeMap, path::Path, str::FromStr};

use serde::{Deserialize, Serialize};

use super::TenantSource;
use crate::tenant::id::TenantId;

/// The version that is written. What an older one lacks is filled in by `from_record`; a newer one
/// is refused, since it may say something that matters and that we do not know.
const VERSION: u32 = 1;

/// The last good source of a tenant, to be served again after a restart even when its file has
/// been broken since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRecord {
    version: u32,
    /// When it was stored, in Unix seconds.
    pub saved_at: u64,
    id: String,
    text: String,
    files: BTreeMap<String, String>,
}

/// Why a record can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    /// Written by a later Postern.
    #[error("the record has version {0}, and this Postern knows versions up to {VERSION}")]
    Newer(u32),
    /// Not a tenant's name.
    #[error("the record is of {0:?}, which is no tenant's name")]
    Name(String),
}

impl SourceRecord {
    /// The text of the tenant file.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl TenantSource {
    /// The source without its secrets. `now` is in Unix seconds.
    #[must_use]
    pub fn to_record(&self, now: u64) -> SourceRecord {
        let files = self.files.iter();
        let readable = files.filter_map(|(name, file)| Some((name.clone(), file.clone().ok()?)));
        SourceRecord {
            version: VERSION,
            saved_at: now,
            id: self.id.to_string(),
            text: self.text.clone(),
            files: readable.collect(),
        }
    }

    /// The source as it was stored, its secrets read anew. `folder` is where tenant files lie now, since
    /// secrets may be named relative to it.
    ///
    /// # Errors
    /// See [`InvalidRecord`].
    pub fn from_record(record: &SourceRecord, folder: &Path) -> Result<Self, InvalidRecord> {
        if record.version > VERSION {
            return Err(InvalidRecord::Newer(record.version));
        }
        let id =
            TenantId::from_str(&record.id).map_err(|_| InvalidRecord::Name(record.id.clone()))?;
        let path = folder.join(format!("{id}.toml"));
        Ok(Self::with_files(
            id,
            &path,
            record.text.clone(),
            |_, name| {
                let file = record.files.get(name).cloned();
                file.ok_or_else(|| "was not stored".to_owned())
            },
        ))
    }
}
