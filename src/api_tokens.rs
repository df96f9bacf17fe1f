//! Postern's own API tokens: who has which, what each may do, and how one comes and goes.
//!
//! A request reads: [`ApiTokens::find`] looks into memory, since a read of the store would cost a third of a check. The
//! [`Registrar`](crate::actors::registrar) alone writes: a token that was issued, and one that was revoked, is on the
//! disk before anybody is told, and revoked in memory before that, so that the very next check refuses it.

pub mod draft;
pub mod text;

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use actix::{Message, Recipient};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use draft::{Draft, Wanted};
pub use text::TokenId;

use crate::{
    account::fold,
    audit::Origin,
    decision::{Outage, Unavailable},
    policy::pattern::PathPattern,
    secret::Secret,
    store::{Store, StoreError},
    tenant::TenantId,
};
use text::SecretDigest;

/// How often a token's last use is noted, in seconds: a write a minute is what an operator needs and a disk can bear.
const USE_INTERVAL: u64 = 60;
/// The most tokens that are looked at for one page of a list: some tenths of a second.
const SCAN: usize = 20_000;

/// What a token may be used for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// GET, HEAD and OPTIONS; on git paths, to fetch.
    Read,
    /// Everything that the account may.
    Write,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Write => "write",
        })
    }
}

/// Everything about a token but its secret: what lists show. Times are seconds since the epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiToken {
    /// Its name.
    pub id: TokenId,
    /// The tenant that it is for.
    pub tenant: String,
    /// The account that its bearer acts as.
    pub owner: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// What it may be used for.
    pub scope: Scope,
    /// The OAuth scopes that it holds against rules that want some.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// The paths that it is good for; none written is every path.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<PathPattern>,
    /// The networks that it is good from; none written is anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<IpNet>,
    /// When it was issued.
    pub created_at: u64,
    /// Who issued it.
    pub created_by: String,
    /// From when on it is good no more.
    pub expires_at: u64,
    /// When it got the secret that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<u64>,
    /// From when on the secret before that is good no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring_until: Option<u64>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
    /// Who revoked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_by: Option<String>,
}

impl ApiToken {
    /// Whether it would be accepted.
    #[must_use]
    pub fn is_alive(&self, now: u64) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }

    /// In one word.
    #[must_use]
    pub fn state(&self, now: u64) -> State {
        match self {
            Self {
                revoked_at: Some(_),
                ..
            } => State::Revoked,
            _ if !self.is_alive(now) => State::Expired,
            Self {
                retiring_until: Some(until),
                ..
            } if now < *until => State::Rotating,
            _ => State::Alive,
        }
    }
}

/// What has become of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It is good.
    Alive,
    /// So is the secret that it had before.
    Rotating,
    /// It is good no more, since its time is over.
    Expired,
    /// It is good no more, since somebody said so.
    Revoked,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Alive => "alive",
            Self::Rotating => "rotating",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        })
    }
}

/// A token as the store keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenRecord {
    /// What may be shown.
    #[serde(flatten)]
    pub token: ApiToken,
    /// What its bearer must know.
    pub secret: SecretDigest,
    /// What its bearer might know until [`ApiToken::retiring_until`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retiring: Option<SecretDigest>,
}

/// The secret before the last rotation.
#[derive(Debug)]
pub struct Retiring {
    /// What a bearer must know.
    pub secret: SecretDigest,
    /// From when on it is good no more, in seconds since the epoch.
    pub until: u64,
}

/// When and from where a token was last used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastUse {
    /// In seconds since the epoch, to the minute.
    pub at: u64,
    /// The client's address, if the proxy told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// A token with its last use, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The token.
    #[serde(flatten)]
    pub token: ApiToken,
    /// `None` where it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<LastUse>,
}

/// What a check must know of a token: what stays in memory, some 400 bytes for each with its
/// place in the index and among its owner's.
#[derive(Debug)]
pub struct Known {
    /// The tenant that it is for.
    pub tenant: TenantId,
    /// The account that its bearer acts as.
    pub owner: Box<str>,
    /// What its bearer must know.
    pub secret: SecretDigest,
    /// What its bearer might know still.
    pub retiring: Option<Box<Retiring>>,
    /// From when on it is good no more, in seconds since the epoch.
    pub expires_at: u64,
    /// Whether it was revoked.
    pub revoked: bool,
    /// What it may be used for.
    pub scope: Scope,
    /// Seldom there.
    pub limits: Option<Box<Limits>>,
    /// When a use was last noted, in seconds since the epoch; 0 is never since the start.
    used_at: AtomicU64,
}

/// What not every token has.
#[derive(Debug)]
pub struct Limits {
    /// The OAuth scopes that it holds.
    pub grants: Vec<String>,
    /// The paths that it is good for; empty is every path.
    pub paths: Vec<PathPattern>,
    /// The networks that it is good from; empty is anywhere.
    pub networks: Vec<IpNet>,
}

impl Known {
    /// Of a record of that tenant.
    #[must_use]
    pub fn new(record: TokenRecord, tenant: TenantId) -> Self {
        let TokenRecord {
            token,
            secret,
            retiring,
        } = record;
        let limits = Limits {
            grants: token.grants,
            paths: token.paths,
            networks: token.networks,
        };
        // What is revoked needs none of it.
        let none = token.revoked_at.is_some()
            || (limits.grants.is_empty() && limits.paths.is_empty() && limits.networks.is_empty());
        Self {
            tenant,
            owner: token.owner.into(),
            secret,
            retiring: retiring
                .zip(token.retiring_until)
                .map(|(secret, until)| Box::new(Retiring { secret, until })),
            expires_at: token.expires_at,
            revoked: token.revoked_at.is_some(),
            scope: token.scope,
            limits: (!none).then(|| Box::new(limits)),
            used_at: AtomicU64::new(0),
        }
    }

    /// Whether it would be accepted.
    #[must_use]
    pub fn is_alive(&self, now: u64) -> bool {
        !self.revoked && now < self.expires_at
    }

    /// Whose it is: the key under which its owner's tokens are counted.
    #[must_use]
    pub fn belongs_to(&self) -> Owner {
        Owner::new(self.tenant.clone(), &self.owner)
    }
}

/// An account of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Of that tenant.
    pub tenant: TenantId,
    folded: Box<str>,
}

impl Owner {
    /// The account of that name, in any case of letters.
    #[must_use]
    pub fn new(tenant: TenantId, account: &str) -> Self {
        Self {
            tenant,
            folded: fold(account).into(),
        }
    }
}

/// The tokens in memory.
#[derive(Debug, Default)]
pub struct Index {
    tokens: papaya::HashMap<TokenId, Arc<Known>>,
    /// Whether every token of the store is there.
    loaded: AtomicBool,
    /// Why none of them can be believed, if so.
    damage: OnceLock<String>,
}

impl Index {
    /// The token of that id.
    #[must_use]
    pub fn get(&self, id: &TokenId) -> Option<Arc<Known>> {
        self.tokens.pin().get(id).cloned()
    }

    /// Only the [`Registrar`](crate::actors::registrar) shows tokens, after they are on the disk.
    pub fn insert(&self, id: TokenId, known: Known) {
        self.tokens.pin().insert(id, Arc::new(known));
    }

    /// Likewise.
    pub fn remove(&self, id: &TokenId) {
        self.tokens.pin().remove(id);
    }

    /// Those that were good no more at that time.
    #[must_use]
    pub fn expired_before(&self, time: u64) -> Vec<TokenId> {
        let tokens = self.tokens.pin();
        let expired = tokens.iter().filter(|(_, known)| known.expires_at < time);
        expired.map(|(id, _)| *id).collect()
    }

    /// From now on a token that is not here is none.
    pub fn is_loaded(&self) {
        self.loaded.store(true, Ordering::Release);
    }

    /// From now on none is believed.
    pub fn is_damaged(&self, what: String) {
        drop(self.damage.set(what));
    }

    /// Why none is believed, if so.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }
}

/// What a change may come to instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The request can't be meant.
    #[error("{0}")]
    Invalid(String),
    /// The tenant's file, or who asks, forbids it.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such token, tenant or account.
    #[error("{0}")]
    NotFound(String),
    /// It can't be done as things are.
    #[error("{0}")]
    Conflict(String),
    /// Nobody can tell now.
    #[error("{0}")]
    Unavailable(String),
    /// The store could not be written: nobody knows what is on the disk.
    #[error("the store can't be written, so that nobody knows whether this was done: {0}")]
    Failed(Arc<str>),
}

/// A change that somebody asks for: only the [`Registrar`](crate::actors::registrar) makes it.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Change {
    /// What.
    pub what: What,
    /// By whom.
    pub origin: Origin,
    /// Told once it is on the disk, and true for every check.
    pub reply: oneshot::Sender<Result<Changed, Refused>>,
}

/// What is to be changed.
#[derive(Debug)]
pub enum What {
    /// A new token, unless its owner has `cap` of them that are alive.
    Issue {
        /// What it is to be.
        draft: Draft,
        /// The most that its owner may have.
        cap: usize,
    },
    /// Good no more.
    Revoke(Which),
    /// A new secret.
    Rotate {
        /// Which token.
        id: TokenId,
        /// For how many seconds the secret before lives on.
        overlap: u64,
    },
}

/// Which tokens.
#[derive(Debug, Clone)]
pub enum Which {
    /// That one.
    One(TokenId),
    /// That one, if it is that account's.
    OneOf(TokenId, Owner),
    /// All of an account's.
    OfOwner(Owner),
    /// All of a tenant's.
    OfTenant(TenantId),
}

/// What was changed.
#[derive(Debug)]
pub struct Changed {
    /// The tokens, as they are now.
    pub tokens: Vec<ApiToken>,
    /// The new token of whoever asked for one: shown once, and kept nowhere.
    pub secret: Option<Secret>,
}

/// Which tokens does that account have?
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct ListOwned {
    /// Whose.
    pub owner: Owner,
    /// Told them.
    pub reply: oneshot::Sender<Result<Vec<Listed>, StoreError>>,
}

/// A token was used.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Used {
    /// Which.
    pub id: TokenId,
    /// When and from where.
    pub last_use: LastUse,
}

/// Who writes.
#[derive(Debug, Clone)]
pub struct Desk {
    /// For changes.
    pub change: Recipient<Change>,
    /// For lists that need what only the writer knows.
    pub owned: Recipient<ListOwned>,
    /// For uses.
    pub used: Recipient<Used>,
}

/// All API tokens of the daemon: how they are found, and whom to ask for a change.
#[derive(Debug, Clone)]
pub struct ApiTokens {
    index: Arc<Index>,
    store: Store,
    desk: Desk,
}

impl ApiTokens {
    /// Of that store, written by that `Registrar` alone.
    #[must_use]
    pub fn new(index: Arc<Index>, store: Store, desk: Desk) -> Self {
        Self { index, store, desk }
    }

    /// The token of that id. While the tokens are being read into memory, those that are not there yet are looked for in
    /// the store.
    ///
    /// # Errors
    /// An outage, if nobody can tell.
    pub fn find(&self, id: &TokenId) -> Result<Option<Arc<Known>>, Outage> {
        let outage = |what: &str| {
            let message = format!("API tokens can't be judged: {what}");
            Outage::new(Unavailable::TenantUnavailable, 10, message)
        };
        if let Some(what) = self.index.damage() {
            return Err(outage(what));
        }
        // Asked first: what comes in between is in memory.
        let loaded = self.index.loaded.load(Ordering::Acquire);
        if let Some(known) = self.index.get(id) {
            return Ok(Some(known));
        }
        if loaded {
            return Ok(None);
        }
        let record = self.store.token(id);
        let record = record.map_err(|error| outage(&error.to_string()))?;
        Ok(record.and_then(|record| {
            let tenant = record.token.tenant.parse().ok()?;
            Some(Arc::new(Known::new(record, tenant)))
        }))
    }

    /// Notes that a token was used, at most once a minute and without waiting for the write.
    pub fn note_use(&self, id: TokenId, known: &Known, now: u64, address: Option<IpAddr>) {
        let before = known.used_at.load(Ordering::Relaxed);
        if now < before.saturating_add(USE_INTERVAL) {
            return;
        }
        let first =
            known
                .used_at
                .compare_exchange(before, now, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            let last_use = LastUse { at: now, address };
            self.desk.used.do_send(Used { id, last_use });
        }
    }

    /// Has a change made, and answers once it is on the disk and true for every check.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn change(&self, what: What, origin: Origin) -> Result<Changed, Refused> {
        let (reply, answer) = oneshot::channel();
        self.desk.change.do_send(Change {
            what,
            origin,
            reply,
        });
        answer.await.unwrap_or_else(|_| Err(ended()))
    }

    /// An account's tokens, in the order in which they were issued.
    ///
    /// # Errors
    /// [`Refused::Unavailable`].
    pub async fn of_owner(&self, owner: Owner) -> Result<Vec<Listed>, Refused> {
        let (reply, answer) = oneshot::channel();
        self.desk.owned.do_send(ListOwned { owner, reply });
        let listed = answer.await.map_err(|_| ended())?;
        listed.map_err(|error| Refused::Unavailable(error.to_string()))
    }

    /// Some of all tokens, in the order of their ids: at most `limit` of those behind `after` that both filters want,
    /// and behind which one to go on, if there may be more. It reads the store, and takes its time: of a million tokens
    /// among which few are wanted, one page holds those of the first [`SCAN`].
    ///
    /// # Errors
    /// [`StoreError::Read`].
    pub fn page(
        &self,
        after: Option<TokenId>,
        limit: usize,
        of: impl Fn(&ApiToken) -> bool,
        wanted: impl Fn(&Listed) -> bool,
    ) -> Result<(Vec<Listed>, Option<TokenId>), StoreError> {
        let mut page = Vec::new();
        for (seen, record) in (1..).zip(self.store.tokens_after(after)) {
            let token = record?.token;
            let id = token.id;
            if of(&token) {
                let last_used = self.store.last_use(&id)?;
                let listed = Listed { token, last_used };
                if wanted(&listed) {
                    page.push(listed);
                }
            }
            if page.len() == limit || seen == SCAN {
                return Ok((page, Some(id)));
            }
        }
        Ok((page, None))
    }

    /// Whether there is any token of that tenant, dead or alive. It looks at all of them.
    ///
    /// # Errors
    /// [`Refused::Unavailable`], while they are being read into memory, and where they can't be believed.
    pub fn has_any_of(&self, tenant: &TenantId) -> Result<bool, Refused> {
        if let Some(what) = self.index.damage() {
            return Err(Refused::Unavailable(format!(
                "the store's API tokens are damaged: {what}"
            )));
        }
        if !self.index.loaded.load(Ordering::Acquire) {
            return Err(Refused::Unavailable(
                "the tokens are being read; try again in a moment".into(),
            ));
        }
        let tokens = self.index.tokens.pin();
        Ok(tokens.values().any(|known| known.tenant == *tenant))
    }
}

fn ended() -> Refused {
    Refused::Unavailable("the registrar's thread ended; restart Postern".into())
}
