//! Whose the accounts are, in the store. Unlike builds and keys they are read by requests while they are written, and
//! what is written and not flushed yet must not be believed.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use super::{Store, StoreError, tree::Tree};
use crate::{pins::PinRecord, tenant::TenantId};

/// The tree, and what in it the disk may not have yet.
#[derive(Debug, Clone)]
pub(super) struct PinTree {
    pub(super) records: Tree<PinRecord>,
    unflushed: Arc<Mutex<HashSet<PinName>>>,
}

impl PinTree {
    pub(super) fn new(records: Tree<PinRecord>) -> Self {
        Self {
            records,
            unflushed: Arc::default(),
        }
    }
}

/// What a pin is found by: `TENANT/ACCOUNT`, the account folded. No tenant's name has a slash, so that no two names
/// are one, whatever the account is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PinName(String);

impl PinName {
    /// The name of that account's pin.
    #[must_use]
    pub fn new(tenant: &TenantId, folded: &str) -> Self {
        Self(format!("{tenant}/{folded}"))
    }
}

impl Store {
    /// Whose an account (by its folded name) is, if the disk has it; what is being written is `None`.
    ///
    /// # Errors
    /// [`StoreError::Read`]: a pin that can't be read is not one that isn't there.
    pub fn pin(&self, tenant: &TenantId, folded: &str) -> Result<Option<PinRecord>, StoreError> {
        let name = PinName::new(tenant, folded);
        // Read first: whatever was seen was on the disk before it was no longer among these.
        let read = self.written_pin(&name)?;
        let unflushed = self.pins.unflushed.lock();
        let unflushed = unflushed.unwrap_or_else(PoisonError::into_inner);
        Ok(read.filter(|_| !unflushed.contains(&name)))
    }

    /// Whose an account is, on the disk or not: for who writes it.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn written_pin(&self, name: &PinName) -> Result<Option<PinRecord>, StoreError> {
        self.pins.records.read(&name.0)
    }

    /// All pins of a tenant.
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn pins(&self, tenant: &TenantId) -> Result<Vec<PinRecord>, StoreError> {
        self.pins.records.starting_with(&format!("{tenant}/"))
    }

    /// How many batches of pins were ever written.
    #[cfg(test)]
    pub(crate) fn pin_batches(&self) -> u64 {
        self.pins.records.batches()
    }

    /// Keeps or (`None`) forgets pins, in one flush, which everything written before is part of.
    ///
    /// # Errors
    /// [`StoreError::Write`].
    pub fn put_pins(
        &self,
        changes: impl IntoIterator<Item = (PinName, Option<PinRecord>)>,
    ) -> Result<(), StoreError> {
        let changes: Vec<_> = changes.into_iter().collect();
        let unflushed = || {
            let unflushed = self.pins.unflushed.lock();
            unflushed.unwrap_or_else(PoisonError::into_inner)
        };
        unflushed().extend(changes.iter().map(|(name, _)| name.clone()));
        if !changes.is_empty() {
            let records = changes.iter();
            self.pins
                .records
                .put(records.map(|(name, pin)| (name.0.as_str(), pin.as_ref())))?;
        }
        self.flush()?;
        unflushed().clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pins::Identity;

    fn pin(account: &str) -> PinRecord {
        PinRecord {
            tenant: "jira".into(),
            account: account.into(),
            identity: Identity {
                provider: "custom".into(),
                issuer: "https://sso.example.com".into(),
                subject: Some("1".into()),
            },
            pinned_at: 1,
        }
    }

    /// Between a write and its flush only the writer sees the pin.
    #[test]
    fn what_is_not_flushed_is_not_believed() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).unwrap();
        let tenant: TenantId = "jira".parse().unwrap();
        let (name, ada) = (PinName::new(&tenant, "ada"), pin("ada"));
        // As `put_pins` leaves it when the flush fails.
        store.pins.unflushed.lock().unwrap().insert(name.clone());
        store
            .pins
            .records
            .put([(name.0.as_str(), Some(&ada))])
            .unwrap();
        assert_eq!(store.pin(&tenant, "ada").unwrap(), None);
        assert_eq!(store.written_pin(&name).unwrap(), Some(ada.clone()));
        // The next flush is everybody's.
        store.put_pins([]).unwrap();
        assert_eq!(store.pin(&tenant, "ada").unwrap(), Some(ada));
        store.put_pins([(name, None)]).unwrap();
        assert_eq!(store.pin(&tenant, "ada").unwrap(), None);
    }

    /// A pin that can't be read is an error: taken for none, the account would be the next one's.
    #[test]
    fn an_unreadable_pin_is_not_taken_for_none() {
        let data = tempfile::tempdir().unwrap();
        let store = Store::open(data.path()).unwrap();
        let tree = store.db.open_tree("pins").unwrap();
        tree.insert("jira/ada", b"\x01{").unwrap();
        let tenant: TenantId = "jira".parse().unwrap();
        assert!(matches!(
            store.pin(&tenant, "ada"),
            Err(StoreError::Read(_))
        ));
        assert!(store.pins(&tenant).is_err());
    }
}
