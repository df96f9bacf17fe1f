//! A sled tree that holds one type of record, each with its version before it, under a seal.
//!
//! Where sled finds its log damaged it may go on with what lies before the damage, and say nothing. So every batch
//! carries a [`Seal`] over the whole tree: records that are missing, or older than the seal, don't fit it.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    ops::Bound,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// The first byte of every record. A record of another version is migrated when there is one.
const VERSION: u8 = 1;
/// Where the seal lies. No record is named so: none starts with a control character.
const SEAL: &[u8] = b"\0seal";

/// Name → record.
#[derive(Debug)]
pub struct Tree<R> {
    records: sled::Tree,
    seal: Arc<Mutex<Seal>>,
    record: PhantomData<fn() -> R>,
}

/// What a tree holds, in short: how many batches were written to it, and the sum of its records' digests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seal {
    batches: u64,
    sum: [u8; 32],
}

impl Seal {
    /// Adds a record, or takes it out again: the sum is a XOR, in which order is nothing.
    fn toggle(&mut self, name: &[u8], bytes: &[u8]) {
        let length = (name.len() as u64).to_be_bytes();
        let record = digest(&SHA256, &[&length, name, bytes].concat());
        for (sum, byte) in self.sum.iter_mut().zip(record.as_ref()) {
            *sum ^= byte;
        }
    }

    fn to_bytes(self) -> Vec<u8> {
        [&self.batches.to_be_bytes()[..], &self.sum].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (batches, sum) = bytes.split_first_chunk()?;
        Some(Self {
            batches: u64::from_be_bytes(*batches),
            sum: sum.try_into().ok()?,
        })
    }
}

impl<R> Clone for Tree<R> {
    fn clone(&self) -> Self {
        Self {
            records: self.records.clone(),
            seal: Arc::clone(&self.seal),
            record: PhantomData,
        }
    }
}

impl<R: Serialize + DeserializeOwned> Tree<R> {
    /// Reads every record once: better to learn of damage now than at the next outage of an issuer.
    pub fn open(tree: sled::Tree) -> Result<Self, String> {
        let tree = Self::open_unread(tree)?;
        tree.read_all(|_| ())?;
        Ok(tree)
    }

    /// Believes the seal, until [`read_all`](Self::read_all): for a tree that takes long to be read.
    pub fn open_unread(tree: sled::Tree) -> Result<Self, String> {
        let failed = |error: sled::Error| error.to_string();
        let seal = match tree.get(SEAL).map_err(failed)? {
            Some(bytes) => Seal::from_bytes(&bytes).ok_or("its seal is unreadable")?,
            None if tree.iter().next().is_none() => Seal::default(),
            None => return Err("its seal is lost".into()),
        };
        Ok(Self {
            records: tree,
            seal: Arc::new(Mutex::new(seal)),
            record: PhantomData,
        })
    }

    /// Hands every record over, and compares all of them with the seal. Nobody may write meanwhile.
    pub fn read_all(&self, mut each: impl FnMut(R)) -> Result<(), String> {
        let mut found = Seal::default();
        for entry in &self.records {
            let (name, bytes) = entry.map_err(|error| error.to_string())?;
            if name == SEAL {
                continue;
            }
            let record = decode::<R>(&bytes).map_err(|error| {
                format!("the record {:?}: {error}", String::from_utf8_lossy(&name))
            })?;
            found.toggle(&name, &bytes);
            each(record);
        }
        let seal = *self.seal.lock().unwrap_or_else(PoisonError::into_inner);
        if found.sum != seal.sum {
            return Err("some of its records are lost, or are older ones".into());
        }
        Ok(())
    }

    /// How many batches were ever written.
    pub fn batches(&self) -> u64 {
        self.seal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .batches
    }

    /// The record; `None` also where it can't be read, for what can be learnt again.
    pub fn get(&self, name: &str) -> Option<R> {
        self.read(name)
            .inspect_err(|error| tracing::error!(%error, name, "a record is taken for none"))
            .ok()?
    }

    /// The record, or why it can't be read.
    pub fn read(&self, name: &str) -> Result<Option<R>, StoreError> {
        let bytes = self.records.get(name);
        let bytes = bytes.map_err(|error| StoreError::Read(error.to_string()))?;
        bytes
            .map(|bytes| decode(&bytes).map_err(StoreError::Read))
            .transpose()
    }

    /// The records whose names start so, in the order of their names.
    pub fn starting_with(&self, start: &str) -> Result<Vec<R>, StoreError> {
        let entries = self.records.scan_prefix(start);
        let records = entries.map(|entry| {
            let (_, bytes) = entry.map_err(|error| StoreError::Read(error.to_string()))?;
            decode(&bytes).map_err(StoreError::Read)
        });
        records.collect()
    }

    /// The records whose names come behind that one, in the order of their names.
    pub fn after(&self, name: &str) -> impl Iterator<Item = Result<R, StoreError>> + use<R> {
        let behind = (Bound::Excluded(name.as_bytes()), Bound::Unbounded);
        let entries = self.records.range::<&[u8], _>(behind);
        let records = entries.filter(|entry| !matches!(entry, Ok((name, _)) if name == SEAL));
        records.map(|entry| {
            let (_, bytes) = entry.map_err(|error| StoreError::Read(error.to_string()))?;
            decode(&bytes).map_err(StoreError::Read)
        })
    }

    /// Keeps or (`None`) forgets records: all of them, or none.
    pub fn put<'r>(
        &self,
        records: impl IntoIterator<Item = (&'r str, Option<&'r R>)>,
    ) -> Result<(), StoreError>
    where
        R: 'r,
    {
        let failed = |error: sled::Error| StoreError::Write(error.to_string());
        let changes: BTreeMap<_, _> = records.into_iter().collect();
        let mut seal = self.seal.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut next, mut batch) = (*seal, sled::Batch::default());
        for (name, record) in changes {
            if let Some(before) = self.records.get(name).map_err(failed)? {
                next.toggle(name.as_bytes(), &before);
            }
            let Some(record) = record else {
                batch.remove(name);
                continue;
            };
            let bytes = encode(record)?;
            next.toggle(name.as_bytes(), &bytes);
            batch.insert(name, bytes);
        }
        next.batches += 1;
        batch.insert(SEAL, next.to_bytes());
        self.records.apply_batch(batch).map_err(failed)?;
        *seal = next;
        Ok(())
    }
}

/// A record with its version before it.
pub fn encode<R: Serialize>(record: &R) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record)
        .map_err(|error| StoreError::Write(error.to_string()))?;
    Ok(bytes)
}

/// What [`encode`] made.
pub fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, String> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!(
            "it has version {version}, and this Postern knows {VERSION}"
        )),
        None => Err("it is empty".into()),
    }
}
