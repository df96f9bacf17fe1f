//! Whose an account is: the identity that named it first, until an operator says otherwise.
//!
//! A request reads: its tenant's [`Pins`] remember who was judged before, and the [`store`](crate::store) knows the
//! rest. Only for an account that nobody was seen as yet it waits, until the [`Pinner`](crate::actors::pinner) has
//! the pin on the disk: a yes that a crash could make somebody else's is none.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix::{Message, Recipient};
use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::{
    account::fold,
    audit::Origin,
    decision::{Denial, Denied, No, Outage, Unavailable},
    store::{Store, StoreError},
    tenant::TenantId,
    verify::claims::quoted_text,
    witness::Witness,
};

/// The most accounts that are remembered per tenant: as many as verified tokens
/// ([`CAPACITY`](crate::verify::verdicts::CAPACITY)), since a miss is a look into the store and costs microseconds.
/// One takes its name and about 100 bytes.
const CAPACITY: usize = 10_000;
/// How long a request waits for its account to be pinned. A flush takes milliseconds; a disk that needs longer than
/// this is in trouble.
const WAIT: Duration = Duration::from_secs(2);
/// The most pins of one tenant that are asked for and not answered yet: the rest is told to come again.
const MAX_WAITING: usize = 256;

/// Who a token says that its bearer is, whatever account that comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The provider's name within its tenant.
    pub provider: String,
    /// Its issuer, or nothing.
    pub issuer: String,
    /// Who it is there, compared byte by byte. `None` where the provider does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Identity {
    /// Whether this one, pinned, becomes `claimed`: the same provider and issuer say now what they did not before.
    #[must_use]
    pub fn adopts(&self, claimed: &Self) -> bool {
        self.subject.is_none()
            && claimed.subject.is_some()
            && (&self.provider, &self.issuer) == (&claimed.provider, &claimed.issuer)
    }

    /// Equal for equal identities only: each text is told from the next by its length.
    fn digest(&self) -> [u8; 32] {
        let mut sum = digest::Context::new(&digest::SHA256);
        for text in [
            Some(&self.provider),
            Some(&self.issuer),
            self.subject.as_ref(),
        ] {
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            sum.update(&length.to_be_bytes());
            sum.update(text.map(String::as_bytes).unwrap_or_default());
        }
        let digest = sum.finish();
        digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }
}

/// A stranger's texts, for a message.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "provider {}, ", quoted_text(&self.provider))?;
        match self.issuer.as_str() {
            "" => f.write_str("no issuer, ")?,
            issuer => write!(f, "issuer {}, ", quoted_text(issuer))?,
        }
        match &self.subject {
            None => f.write_str("no subject"),
            Some(subject) => write!(f, "subject {}", quoted_text(subject)),
        }
    }
}

/// An account and whose it is, as the store keeps it and `postern account list` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinRecord {
    /// The tenant's name.
    pub tenant: String,
    /// As the first token named it. It is found by its [`fold`]ed name.
    pub account: String,
    /// Whose it is.
    #[serde(flatten)]
    pub identity: Identity,
    /// Since when, in seconds since the epoch. A subject that is adopted later changes nothing here.
    pub pinned_at: u64,
}

/// Pin this account to this identity, unless it is another's: only the [`Pinner`](crate::actors::pinner) does.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Pin {
    /// Whose account.
    pub tenant: TenantId,
    /// As the token names it.
    pub account: String,
    /// Who claims it.
    pub identity: Identity,
    /// Told whose it is now, once that is on the disk; or why it can't be.
    pub reply: oneshot::Sender<Result<PinRecord, Arc<str>>>,
    /// Given back when it was answered, not when the request gave up: a disk that hangs must not fill the mailbox.
    pub place: OwnedSemaphorePermit,
}

/// Forget whose this account is.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Unpin {
    /// Whose account.
    pub tenant: TenantId,
    /// In any case of letters.
    pub account: String,
    /// Who asks.
    pub origin: Origin,
    /// Told whose it was, if anybody's, once it is forgotten everywhere; or why it can't be.
    pub reply: oneshot::Sender<Unpinned>,
}

/// What became of an [`Unpin`].
pub type Unpinned = Result<Option<PinRecord>, Arc<str>>;

/// All pins of the daemon: how they are read, and whom to ask for a change.
#[derive(Debug, Clone)]
pub struct Ledger {
    store: Store,
    pinner: Recipient<Pin>,
    unpinner: Recipient<Unpin>,
}

impl Ledger {
    /// Of that store, written by that `Pinner` alone.
    #[must_use]
    pub fn new(store: Store, pinner: Recipient<Pin>, unpinner: Recipient<Unpin>) -> Self {
        Self {
            store,
            pinner,
            unpinner,
        }
    }

    /// Those of one tenant, running or not, in the order of their folded names.
    ///
    /// # Errors
    /// If the store can't be read.
    pub fn list(&self, tenant: &TenantId) -> Result<Vec<PinRecord>, StoreError> {
        self.store.pins(tenant)
    }

    /// Forgets whose an account is, and every yes that was said on the strength of it; answers whose it was. The next
    /// who names it is pinned.
    ///
    /// # Errors
    /// If that can't be written. The account may be pinned still.
    pub async fn unpin(&self, tenant: TenantId, account: String, origin: Origin) -> Unpinned {
        let (reply, answer) = oneshot::channel();
        self.unpinner.do_send(Unpin {
            tenant,
            account,
            origin,
            reply,
        });
        answer
            .await
            .unwrap_or_else(|_| Err("the pinner's thread ended; restart Postern".into()))
    }
}

/// The pins of one tenant, shared by its snapshots until an account is unpinned: then the next snapshot has new ones,
/// which remember nothing.
pub struct Pins {
    tenant: TenantId,
    ledger: Option<Ledger>,
    /// Folded account → the digest of whose it is. Only pins that nothing but an unpin can change are in it, those
    /// with a subject. Made on first use: ten thousand idle tenants should cost nothing.
    known: OnceLock<Cache<Box<str>, [u8; 32]>>,
    waiting: Arc<Semaphore>,
}

impl Pins {
    /// Of that tenant, remembering none.
    #[must_use]
    pub fn new(tenant: TenantId, ledger: Ledger) -> Self {
        Self::of(tenant, Some(ledger))
    }

    /// Pins nobody, and knows of no pins: for a look at a token without a daemon and its store (`provider test`).
    #[must_use]
    pub fn without_ledger(tenant: TenantId) -> Self {
        Self::of(tenant, None)
    }

    fn of(tenant: TenantId, ledger: Option<Ledger>) -> Self {
        Self {
            tenant,
            ledger,
            known: OnceLock::new(),
            waiting: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }

    /// The same, remembering none.
    #[must_use]
    pub fn forgetful(&self) -> Self {
        Self::of(self.tenant.clone(), self.ledger.clone())
    }

    /// May this identity be this account? If nobody was, it is from now on.
    ///
    /// # Errors
    /// [`Denied::AccountChanged`], if the account is another's; an outage, if nobody can tell or it can't be pinned.
    pub async fn judge<W: Witness>(
        &self,
        account: &str,
        identity: &Identity,
        witness: &W,
    ) -> Result<(), No> {
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        let (folded, digest) = (fold(account), identity.digest());
        let known = self.known.get().and_then(|known| known.get(&*folded));
        if known == Some(digest) {
            witness.found(|| format!("it is pinned to {identity}"));
            return Ok(());
        }
        let kept = ledger.store.pin(&self.tenant, &folded);
        let pinned = match kept.map_err(|error| self.outage(10, &error.to_string()))? {
            Some(pin) if !pin.identity.adopts(identity) => pin,
            Some(_) | None if !W::IS_REAL => {
                witness.found(|| format!("a real check would pin it to {identity}"));
                return Ok(());
            }
            Some(_) | None => self.ask(ledger, account, identity).await?,
        };
        if pinned.identity != *identity {
            return Err(self.changed(account, &pinned, identity).into());
        }
        witness.found(|| format!("it is pinned to {identity}"));
        if W::IS_REAL && identity.subject.is_some() {
            self.known
                .get_or_init(|| Cache::new(CAPACITY))
                .insert(folded.into(), digest);
        }
        Ok(())
    }

    /// Whose the account is, by the `Pinner`'s word and on the disk.
    async fn ask(
        &self,
        ledger: &Ledger,
        account: &str,
        identity: &Identity,
    ) -> Result<PinRecord, Outage> {
        let place = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| {
            let message = format!("{MAX_WAITING} requests wait for accounts of this tenant to be pinned; if that lasts, look at the disk of --data");
            Outage::new(Unavailable::Overloaded, 1, message)
        })?;
        let (reply, answer) = oneshot::channel();
        ledger.pinner.do_send(Pin {
            tenant: self.tenant.clone(),
            account: account.to_owned(),
            identity: identity.clone(),
            reply,
            place,
        });
        match timeout(WAIT, answer).await {
            Ok(Ok(answered)) => answered.map_err(|error| self.outage(10, &error)),
            Ok(Err(_)) => Err(self.outage(10, "the pinner's thread ended; restart Postern")),
            Err(_) => {
                let why = format!("that was not on the disk within {} s", WAIT.as_secs());
                Err(self.outage(2, &why))
            }
        }
    }

    fn outage(&self, retry_after: u64, why: &str) -> Outage {
        let message = format!(
            "an account of tenant {} can't be pinned to who claims it: {why}; look at the disk of --data",
            self.tenant
        );
        Outage::new(Unavailable::TenantUnavailable, retry_after, message)
    }

    fn changed(&self, account: &str, pinned: &PinRecord, claimed: &Identity) -> Denial {
        let message = format!(
            "the account {} of tenant {} is pinned to {}, and the token is of {claimed}; if this is the same person, run: postern account unpin {} {}",
            quoted_text(account),
            self.tenant,
            pinned.identity,
            self.tenant,
            as_argument(account)
        );
        Denial::new(Denied::AccountChanged, message)
    }
}

/// An account's name in a command that an operator will copy. Strangers choose such names, so that one which a shell
/// could take for anything else is left for the operator to write.
fn as_argument(account: &str) -> &str {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._@+-".contains(&byte);
    if account.starts_with('-') || !account.bytes().all(plain) {
        return "ACCOUNT";
    }
    account
}

impl fmt::Debug for Pins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.known.get().map_or(0, Cache::len);
        write!(f, "Pins({}, {known})", self.tenant)
    }
}

#[cfg(test)]
mod tests;
