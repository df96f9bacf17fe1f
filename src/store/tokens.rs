//! API tokens in the store, and when each was last used.

use super::{
    Store, StoreError,
    tree::{decode, encode},
};
use crate::{
    api_tokens::{LastUse, TokenId, TokenRecord},
    audit::Event,
};

/// The most records of one batch: a batch is held in memory, and a tenant may have a million tokens.
const BATCH: usize = 10_000;

impl Store {
    /// The token of that id, written or on the disk.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn token(&self, id: &TokenId) -> Result<Option<TokenRecord>, StoreError> {
        self.tokens.read(id.as_str())
    }

    /// The tokens behind that id, in the order of their ids.
    pub fn tokens_after(
        &self,
        id: Option<TokenId>,
    ) -> impl Iterator<Item = Result<TokenRecord, StoreError>> + use<> {
        self.tokens.after(id.as_ref().map_or("", TokenId::as_str))
    }

    /// Hands every token over, and says what is wrong if they are not those that were written. Only for who writes them,
    /// before anything else: opening the store does not read them, since a million take seconds.
    ///
    /// # Errors
    /// With what was found.
    pub fn load_tokens(&self, each: impl FnMut(TokenRecord)) -> Result<(), String> {
        self.tokens.read_all(each)
    }

    /// Keeps or (`None`) forgets tokens, and the events that tell of it, in one flush. The events get their numbers.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn put_tokens(
        &self,
        changes: &[(TokenId, Option<TokenRecord>)],
        events: &mut [Event],
    ) -> Result<(), StoreError> {
        // First: rather an event of what did not come to pass than a change that nobody hears of.
        self.audit.append(events)?;
        for batch in changes.chunks(BATCH) {
            self.tokens.put(
                batch
                    .iter()
                    .map(|(id, record)| (id.as_str(), record.as_ref())),
            )?;
        }
        let gone = changes.iter().filter(|(_, record)| record.is_none());
        for (id, _) in gone {
            self.uses
                .remove(id.as_str())
                .map_err(|error| StoreError::Write(error.to_string()))?;
        }
        self.flush()
    }

    /// When a token was last used, as far as that was noted.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn last_use(&self, id: &TokenId) -> Result<Option<LastUse>, StoreError> {
        let bytes = self.uses.get(id.as_str());
        let bytes = bytes.map_err(|error| StoreError::Read(error.to_string()))?;
        // A use is no credential: one that can't be read is one that was not noted.
        Ok(bytes.and_then(|bytes| decode(&bytes).ok()))
    }

    /// Notes uses. They are on the disk with the next flush, or half a second later.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn put_uses(
        &self,
        uses: impl IntoIterator<Item = (TokenId, LastUse)>,
    ) -> Result<(), StoreError> {
        let mut batch = sled::Batch::default();
        for (id, last_use) in uses {
            batch.insert(id.as_str(), encode(&last_use)?);
        }
        let applied = self.uses.apply_batch(batch);
        applied.map_err(|error| StoreError::Write(error.to_string()))
    }

    /// Writes a record past its tree and the seal.
    #[cfg(test)]
    pub(crate) fn tamper_with_token(
        &self,
        id: &TokenId,
        record: &TokenRecord,
        how: impl FnOnce(&mut TokenRecord),
    ) {
        let mut record = record.clone();
        how(&mut record);
        let tree = self.db.open_tree("tokens").expect("it is open");
        let bytes = encode(&record).expect("it is written");
        tree.insert(id.as_str(), bytes).expect("it is written");
    }
}
