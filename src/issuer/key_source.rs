//! The keys of one URL, shared by every tenant that trusts it. The [`Refresher`](crate::actors::refresher)
//! fetches and shows them here; a request comes here only for a key that its tenant does not know yet.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use actix::{Message, Recipient};
use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};

use crate::{
    decision::{No, Outage, Unavailable},
    keys::{KeySet, NoKey},
    tenant::settings::KeyOrigin,
    witness::Witness,
};

/// How long a request waits for keys that are being fetched.
const WAIT: Duration = Duration::from_secs(1);
/// Seconds between two fetches that an unknown `kid` may cause: tokens with invented ones must not make
/// us flood the issuer (RFC 8725 §3.10).
pub const FORCED_EVERY: u64 = 60;
/// The most requests that wait for one URL: the rest is told to come again.
const MAX_WAITING: usize = 256;
/// The most unknown `kid`s remembered per URL.
const ABSENT_CAPACITY: usize = 1_000;

/// Which document of keys, fetched under whose authority.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SourceId {
    origin: FetchedFrom,
    /// The digest of the private CA. Two tenants that trust different ones share nothing.
    ca: Option<[u8; 32]>,
}

/// See [`KeyOrigin`], of which these are the ones that are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FetchedFrom {
    /// A `jwks_uri`.
    Jwks(String),
    /// An issuer, whose metadata names the `jwks_uri`.
    Discovery(String),
}

impl SourceId {
    /// The source that `origin` names; `None`, if its keys are not fetched at all.
    #[must_use]
    pub fn of(origin: &KeyOrigin, ca: Option<&[u8]>) -> Option<Self> {
        let origin = match origin {
            KeyOrigin::Fixed(_) => return None,
            KeyOrigin::Jwks(url) => FetchedFrom::Jwks(url.to_string()),
            KeyOrigin::Discovery(issuer) => FetchedFrom::Discovery(issuer.clone()),
        };
        Some(Self {
            origin,
            ca: ca.map(super::client::ca_digest),
        })
    }

    /// Where the keys come from.
    #[must_use]
    pub fn origin(&self) -> &FetchedFrom {
        &self.origin
    }

    /// The issuer or the URL: what metrics and logs call it.
    #[must_use]
    pub fn label(&self) -> &str {
        let (FetchedFrom::Jwks(text) | FetchedFrom::Discovery(text)) = &self.origin;
        text
    }
}

/// As it is written in the store.
impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.origin {
            FetchedFrom::Jwks(_) => "jwks",
            FetchedFrom::Discovery(_) => "discovery",
        };
        write!(f, "{kind} {}", self.label())?;
        self.ca
            .iter()
            .flatten()
            .enumerate()
            .try_for_each(|(at, byte)| {
                let before = if at == 0 { " ca:" } else { "" };
                write!(f, "{before}{byte:02x}")
            })
    }
}

/// Tells the [`Refresher`](crate::actors::refresher) that a key is missed: fetch now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct FetchNow(pub SourceId);

/// What is known of a source.
#[derive(Debug, Clone, Default)]
pub struct Fetched {
    /// The last good keys.
    pub keys: Option<Arc<KeySet>>,
    /// How many fetches came to an end since the start, well or badly.
    pub rounds: u64,
    /// Why the last fetch brought nothing, if it did not.
    pub error: Option<Arc<str>>,
    /// Until when the issuer asked to be left alone (`Retry-After`), in seconds since the epoch.
    pub left_alone_until: u64,
}

/// See the module.
pub struct KeySource {
    id: SourceId,
    fetched: watch::Receiver<Fetched>,
    /// When the issuer last confirmed the keys, in seconds since the epoch; 0 is never. Beside `fetched`,
    /// since every check reads it and most refreshes change nothing else.
    confirmed_at: AtomicU64,
    refresher: Recipient<FetchNow>,
    forced: Mutex<Forced>,
    absent: Cache<[u8; 32], ()>,
    waiting: Semaphore,
}

/// The last fetch that a missed key caused.
#[derive(Debug, Default)]
struct Forced {
    at: u64,
    /// The number of the round that will answer it.
    round: u64,
}

/// The writing end of a [`KeySource`]; the `Refresher` holds it.
#[derive(Debug)]
pub struct KeyPublisher(watch::Sender<Fetched>);

impl KeyPublisher {
    /// Shows the outcome of a fetch.
    pub fn publish(&self, fetched: Fetched) {
        self.0.send_replace(fetched);
    }

    /// What is shown now.
    #[must_use]
    pub fn current(&self) -> Fetched {
        self.0.borrow().clone()
    }
}

impl KeySource {
    /// A source that starts with the keys that the store remembers, and its writing end.
    #[must_use]
    pub fn new(
        id: SourceId,
        remembered: Option<(Arc<KeySet>, u64)>,
        refresher: Recipient<FetchNow>,
    ) -> (Arc<Self>, KeyPublisher) {
        let (keys, confirmed_at) = remembered.map_or((None, 0), |(keys, at)| (Some(keys), at));
        let (sender, fetched) = watch::channel(Fetched {
            keys,
            ..Fetched::default()
        });
        let source = Self {
            id,
            fetched,
            confirmed_at: AtomicU64::new(confirmed_at),
            refresher,
            forced: Mutex::default(),
            absent: Cache::new(ABSENT_CAPACITY),
            waiting: Semaphore::new(MAX_WAITING),
        };
        (Arc::new(source), KeyPublisher(sender))
    }

    /// Which one.
    #[must_use]
    pub fn id(&self) -> &SourceId {
        &self.id
    }

    /// What is known now.
    #[must_use]
    pub fn fetched(&self) -> Fetched {
        self.fetched.borrow().clone()
    }

    /// When the issuer last confirmed the keys, in seconds since the epoch; 0 is never.
    #[must_use]
    pub fn confirmed_at(&self) -> u64 {
        self.confirmed_at.load(Ordering::Relaxed)
    }

    /// The issuer confirmed the keys at `now`. Only the `Refresher` calls it.
    pub fn confirm(&self, now: u64) {
        self.confirmed_at.store(now, Ordering::Relaxed);
    }

    /// The issuer has put `after` in the place of `before`: whoever asks for a key that went is refused, not put
    /// off until the issuer may be asked again. Only the `Refresher` calls it.
    pub fn replaced(&self, before: &KeySet, after: &KeySet) {
        for kid in before.names().filter(|kid| !after.has(kid)) {
            self.absent.insert(digest_of(kid), ());
        }
    }

    /// The keys, newer than the asking tenant's, that may hold `kid`.
    ///
    /// # Errors
    /// `unknown_key`, if the issuer was asked since the `kid` was first seen and does not have it;
    /// `keys_pending`, if it is to be asked and was not yet; `issuer_unavailable`, if asking failed.
    pub async fn look_for<W: Witness>(
        &self,
        kid: &str,
        now: u64,
        witness: &W,
    ) -> Result<Arc<KeySet>, No> {
        let name = digest_of(kid);
        let round = {
            let fetched = self.fetched.borrow();
            if let Some(keys) = fetched.keys.as_ref().filter(|keys| keys.has(kid)) {
                return Ok(Arc::clone(keys));
            }
            fetched.rounds
        };
        if !W::IS_REAL && self.absent.peek(&name).is_some() {
            return Err(NoKey::UnknownKid.denial(Some(kid)).into());
        }
        witness.may_ask(|| format!("{}, for the key of that kid", self.id.label()))?;
        self.ask(now, round).map_err(|wait| match self.absent.get(&name) {
            Some(()) => No::Denied(NoKey::UnknownKid.denial(Some(kid))),
            None => pending(wait, format!("the kid of the token is not known, and the keys of {} may not be asked for again so soon", self.id.label())).into(),
        })?;
        let fetched = self.next_round(round).await?;
        if let Some(error) = fetched.error {
            let message = format!(
                "the kid of the token is not known, and the keys of {} can't be fetched: {error}",
                self.id.label()
            );
            return Err(Outage::new(Unavailable::IssuerUnavailable, FORCED_EVERY, message).into());
        }
        match fetched.keys {
            Some(keys) if keys.has(kid) => Ok(keys),
            _ => {
                self.absent.insert(name, ());
                Err(NoKey::UnknownKid.denial(Some(kid)).into())
            }
        }
    }

    /// The first keys of this source, which is being asked for them.
    ///
    /// # Errors
    /// As [`KeySource::look_for`].
    pub async fn first(&self, now: u64, witness: &impl Witness) -> Result<Arc<KeySet>, Outage> {
        let mut fetched = self.fetched();
        if fetched.keys.is_none() && fetched.rounds == 0 {
            witness.may_ask(|| format!("{}, for its first keys", self.id.label()))?;
            fetched = self.next_round(0).await?;
        }
        match (fetched.keys, fetched.error) {
            (Some(keys), _) => Ok(keys),
            (None, Some(error)) => {
                let message = format!(
                    "the keys of {} were never fetched: {error}",
                    self.id.label()
                );
                let wait = match fetched.left_alone_until.saturating_sub(now) {
                    0 => 5,
                    asked => asked,
                };
                Err(Outage::new(Unavailable::IssuerUnavailable, wait, message))
            }
            (None, None) => Err(pending(
                1,
                format!(
                    "the keys of {} are being fetched for the first time",
                    self.id.label()
                ),
            )),
        }
    }

    /// Has the source fetched, unless a fetch is under way already; or says in how many seconds it may be.
    fn ask(&self, now: u64, round: u64) -> Result<(), u64> {
        let asked = self.fetched.borrow().left_alone_until.saturating_sub(now);
        if asked > 0 {
            return Err(asked);
        }
        let mut forced = self.forced.lock().unwrap_or_else(PoisonError::into_inner);
        if forced.round > round {
            return Ok(());
        }
        let wait = (forced.at + FORCED_EVERY).saturating_sub(now);
        // A longer wait than there is means that the clock was set back.
        if (1..=FORCED_EVERY).contains(&wait) {
            return Err(wait);
        }
        // Stamped before the fetch: one that hangs or fails counts as well.
        *forced = Forced {
            at: now,
            round: round + 1,
        };
        self.refresher.do_send(FetchNow(self.id.clone()));
        Ok(())
    }

    async fn next_round(&self, round: u64) -> Result<Fetched, Outage> {
        let _place = self.waiting.try_acquire().map_err(|_| {
            pending(
                1,
                format!(
                    "{MAX_WAITING} requests wait for the keys of {}",
                    self.id.label()
                ),
            )
        })?;
        let mut fetched = self.fetched.clone();
        let next = timeout(WAIT, fetched.wait_for(|fetched| fetched.rounds > round)).await;
        match next {
            Ok(Ok(fetched)) => Ok(fetched.clone()),
            Ok(Err(_)) | Err(_) => Err(pending(
                1,
                format!("the keys of {} are being fetched", self.id.label()),
            )),
        }
    }
}

fn pending(retry_after: u64, message: String) -> Outage {
    Outage::new(Unavailable::KeysPending, retry_after, message)
}

/// A `kid` can be as long as a token; its digest is what is remembered.
fn digest_of(kid: &str) -> [u8; 32] {
    digest::digest(&digest::SHA256, kid.as_bytes())
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySource({})", self.id)
    }
}
