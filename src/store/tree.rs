//! A sled tree that holds one type of record, each with its version before it.

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::StoreError;

/// The first byte of every record. A record of another version is migrated when there is one.
const VERSION: u8 = 1;

/// Name → record.
#[derive(Debug)]
pub struct Tree<R> {
    tree: sled::Tree,
    record: PhantomData<fn() -> R>,
}

impl<R> Clone for Tree<R> {
    fn clone(&self) -> Self {
        Self::new(self.tree.clone())
    }
}

impl<R> Tree<R> {
    pub fn new(tree: sled::Tree) -> Self {
        Self {
            tree,
            record: PhantomData,
        }
    }
}

impl<R: Serialize + DeserializeOwned> Tree<R> {
    pub fn get(&self, name: &str) -> Option<R> {
        let bytes = self
            .tree
            .get(name)
            .inspect_err(|error| tracing::error!(%error, name, "the store can't be read"))
            .ok()??;
        decode(&bytes)
            .inspect_err(|error| {
                tracing::error!(error, name, "a record of the store is unreadable");
            })
            .ok()
    }

    pub fn put(&self, name: &str, record: &R) -> Result<(), StoreError> {
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, record)
            .map_err(|error| StoreError::Write(error.to_string()))?;
        self.tree
            .insert(name, bytes)
            .map(drop)
            .map_err(|error| StoreError::Write(error.to_string()))
    }

    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.tree
            .remove(name)
            .map(drop)
            .map_err(|error| StoreError::Write(error.to_string()))
    }

    /// Reads every record once.
    pub fn check(&self) -> Result<(), String> {
        for entry in &self.tree {
            let (name, bytes) = entry.map_err(|error| error.to_string())?;
            decode::<R>(&bytes).map_err(|error| {
                format!("the record {:?}: {error}", String::from_utf8_lossy(&name))
            })?;
        }
        Ok(())
    }
}

fn decode<R: DeserializeOwned>(bytes: &[u8]) -> Result<R, String> {
    match bytes.split_first() {
        Some((&VERSION, json)) => serde_json::from_slice(json).map_err(|error| error.to_string()),
        Some((version, _)) => Err(format!(
            "it has version {version}, and this Postern knows {VERSION}"
        )),
        None => Err("it is empty".into()),
    }
}
