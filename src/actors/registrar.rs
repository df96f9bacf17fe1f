//! The `Registrar`: the only writer of Postern's own API tokens.

use std::{
    collections::{BTreeMap, HashMap},
    panic::{self, AssertUnwindSafe},
    sync::Arc,
    time::Duration,
};

use actix::{Actor, AsyncContext as _, Context, Handler, Message};

use super::registry::Ping;
use crate::{
    api_tokens::{
        ApiToken, Change, Changed, Index, Known, LastUse, ListOwned, Listed, Owner, Refused,
        TokenId, TokenRecord, Used, What, Which, text,
    },
    audit::{Action, Event, Origin},
    clock,
    secret::Secret,
    store::{Store, StoreError},
    tenant::TenantId,
};

/// How long a token stays in the store after it expired, in seconds: long enough to be asked why something stopped.
const KEPT: u64 = 30 * 24 * 60 * 60;
/// The most tokens of one account that are kept though they are good no more: whoever issues and revokes again and again
/// must not fill memory and the disk.
const DEAD_OF_ONE: usize = 100;
/// How often those are looked for that nobody will ask about any more.
const SWEEP: Duration = Duration::from_hours(24);
/// How often uses are written: each token's at most once a minute, and many tokens' in one batch.
const WRITE_USES: Duration = Duration::from_secs(1);

/// See the module.
pub struct Registrar {
    store: Store,
    index: Arc<Index>,
    /// Every account's tokens, in the order in which they were issued.
    owners: HashMap<Owner, Vec<TokenId>>,
    /// Asked for since the last write.
    asked: Vec<Change>,
    /// Whether the last write failed: what was written then may be read, and not be on the disk.
    unflushed: bool,
    /// Noted since the last write.
    used: HashMap<TokenId, LastUse>,
}

impl Registrar {
    /// One that has read nothing yet. What it knows, it shows in `index`.
    #[must_use]
    pub fn new(store: Store, index: Arc<Index>) -> Self {
        Self {
            store,
            index,
            owners: HashMap::new(),
            asked: Vec::new(),
            unflushed: false,
            used: HashMap::new(),
        }
    }

    /// Reads every token into memory. Whoever asks meanwhile waits in the mailbox; checks read the store.
    fn load(&mut self) {
        let mut tenants: HashMap<String, TenantId> = HashMap::new();
        let mut unnamed = None;
        let mut issued: HashMap<Owner, Vec<(u64, TokenId)>> = HashMap::new();
        // sled meets some damage with a panic.
        let load = AssertUnwindSafe(|| {
            self.store.load_tokens(|record| {
                let ApiToken { id, created_at, .. } = record.token;
                // A million tokens share a few names.
                let name = &record.token.tenant;
                let tenant = match (tenants.get(name), name.parse::<TenantId>()) {
                    (Some(tenant), _) => tenant.clone(),
                    (None, Ok(tenant)) => {
                        tenants.insert(name.clone(), tenant.clone());
                        tenant
                    }
                    (None, Err(error)) => {
                        unnamed = Some(format!("the token {id}: {error}"));
                        return;
                    }
                };
                let known = Known::new(record, tenant);
                issued
                    .entry(known.belongs_to())
                    .or_default()
                    .push((created_at, id));
                self.index.insert(id, known);
            })
        });
        let loaded = panic::catch_unwind(load)
            .unwrap_or_else(|_| Err("they can't be read (see the message above)".into()));
        if let Some(what) = loaded.err().or(unnamed) {
            tracing::error!(
                "the store's API tokens are damaged: {what}; none of them is accepted. Stop Postern, and restore DATA/store from a backup"
            );
            self.index.is_damaged(what);
            return;
        }
        let mut count = 0;
        for (owner, mut tokens) in issued {
            count += tokens.len();
            tokens.sort_unstable();
            let ids = tokens.into_iter().map(|(_, id)| id).collect();
            self.owners.insert(owner, ids);
        }
        self.index.is_loaded();
        tracing::info!(tokens = count, "the API tokens are in memory");
    }

    fn owned<'r>(&'r self, owner: &Owner) -> impl Iterator<Item = TokenId> + use<'r> {
        self.owners.get(owner).into_iter().flatten().copied()
    }
}

/// Records as they are going to be, with those that the same write has changed already.
struct Pages<'r> {
    registrar: &'r Registrar,
    /// `None` is one to be removed.
    changes: BTreeMap<TokenId, Option<TokenRecord>>,
    events: Vec<Event>,
    now: u64,
}

impl Pages<'_> {
    fn record(&self, id: &TokenId) -> Result<TokenRecord, Refused> {
        if let Some(changed) = self.changes.get(id) {
            return changed.clone().ok_or_else(|| no_such(id));
        }
        let record = self.registrar.store.token(id);
        let record = record.map_err(|error| Refused::Unavailable(error.to_string()))?;
        record.ok_or_else(|| no_such(id))
    }

    fn change(&mut self, record: TokenRecord, action: Action, detail: String, origin: &Origin) {
        let token = &record.token;
        let event = Event::new(action, &token.tenant, &token.owner, origin);
        self.events.push(event.about(token.id, detail));
        self.changes.insert(token.id, Some(record));
    }

    /// The tokens that the same write has changed or made.
    fn changed(&self) -> impl Iterator<Item = &TokenRecord> {
        self.changes.values().flatten()
    }

    /// Removes the oldest of an account's dead tokens, so that there is room for one more.
    fn bury(&mut self, owner: &Owner) {
        let index = &self.registrar.index;
        let dead = |id: &TokenId| index.get(id).is_some_and(|known| !known.is_alive(self.now));
        let of_owner = self.registrar.owned(owner);
        let dead: Vec<_> = of_owner
            .filter(|id| !self.changes.contains_key(id) && dead(id))
            .collect();
        let excess = (dead.len() + 1).saturating_sub(DEAD_OF_ONE);
        for id in dead.into_iter().take(excess) {
            let tenant = owner.tenant.as_str();
            let account = index
                .get(&id)
                .map_or_else(String::new, |known| known.owner.to_string());
            let event = Event::new(Action::TokenRemoved, tenant, &account, &Origin::daemon());
            let detail = format!("its owner has {DEAD_OF_ONE} others that are good no more");
            self.events.push(event.about(id, detail));
            self.changes.insert(id, None);
        }
    }

    /// What a change comes to; it is written and shown afterwards.
    fn judge(&mut self, what: &What, origin: &Origin) -> Result<Changed, Refused> {
        if let Some(what) = self.registrar.index.damage() {
            return Err(Refused::Unavailable(format!(
                "the store's API tokens are damaged: {what}"
            )));
        }
        match what {
            What::Issue { .. } => self.issue(what, origin),
            What::Revoke(which) => self.revoke(which, origin),
            What::Rotate { id, overlap } => self.rotate(id, *overlap, origin),
        }
    }

    fn issue(&mut self, what: &What, origin: &Origin) -> Result<Changed, Refused> {
        let What::Issue { draft, cap } = what else {
            unreachable!("its only caller looked");
        };
        let owner = Owner::new(draft.tenant.clone(), &draft.owner);
        // Those of this very write are not in the index yet.
        let written = self.registrar.owned(&owner).filter(|id| {
            let known = self.registrar.index.get(id);
            !self.changes.contains_key(id) && known.is_some_and(|known| known.is_alive(self.now))
        });
        let written = written.count();
        let changed = self.changed().filter(|record| {
            let token = &record.token;
            token.is_alive(self.now)
                && token.tenant == draft.tenant.as_str()
                && Owner::new(draft.tenant.clone(), &token.owner) == owner
        });
        let alive = written + changed.count();
        if alive >= *cap {
            return Err(Refused::Conflict(format!(
                "{} has {alive} API tokens already, and max_per_user of [api_tokens] is {cap}; revoke one first",
                draft.owner
            )));
        }
        self.bury(&owner);
        let (secret, claimed) = loop {
            let (secret, claimed) = text::new();
            if let Err(Refused::NotFound(_)) = self.record(&claimed.id) {
                break (secret, claimed);
            }
        };
        let token = ApiToken {
            id: claimed.id,
            tenant: draft.tenant.to_string(),
            owner: draft.owner.clone(),
            description: draft.description.clone(),
            scope: draft.scope,
            grants: draft.grants.clone(),
            paths: draft.paths.clone(),
            networks: draft.networks.clone(),
            created_at: self.now,
            created_by: origin.by.clone(),
            expires_at: self.now.saturating_add(draft.lifetime),
            rotated_at: None,
            retiring_until: None,
            revoked_at: None,
            revoked_by: None,
        };
        let record = TokenRecord {
            token: token.clone(),
            secret: claimed.secret,
            retiring: None,
        };
        let detail = format!(
            "{}, until {}",
            token.scope,
            clock::rfc3339(token.expires_at)
        );
        self.change(record, Action::TokenIssued, detail, origin);
        Ok(changed_to(token, secret))
    }

    fn revoke(&mut self, which: &Which, origin: &Origin) -> Result<Changed, Refused> {
        let ids: Vec<TokenId> = match which {
            Which::One(id) | Which::OneOf(id, _) => vec![*id],
            Which::OfOwner(owner) => self.registrar.owned(owner).collect(),
            Which::OfTenant(tenant) => {
                let owners = self.registrar.owners.iter();
                let of_tenant = owners.filter(|(owner, _)| owner.tenant == *tenant);
                of_tenant.flat_map(|(_, ids)| ids).copied().collect()
            }
        };
        // Those that were issued in this very write as well: whoever asks to revoke all, means all.
        let issued = self.changed().filter(|record| {
            let tenant = record.token.tenant.parse::<TenantId>();
            tenant.is_ok_and(|tenant| match which {
                Which::One(_) | Which::OneOf(..) => false,
                Which::OfOwner(owner) => Owner::new(tenant, &record.token.owner) == *owner,
                Which::OfTenant(of) => tenant == *of,
            })
        });
        let mut ids: Vec<_> = issued.map(|record| record.token.id).chain(ids).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut tokens = Vec::new();
        for id in ids {
            let mut record = self.record(&id)?;
            if let Which::OneOf(_, owner) = which
                && (record.token.tenant != owner.tenant.as_str()
                    || Owner::new(owner.tenant.clone(), &record.token.owner) != *owner)
            {
                return Err(no_such(&id));
            }
            match (which, record.token.revoked_at) {
                (Which::One(_) | Which::OneOf(..), Some(_)) => {
                    return Err(Refused::Conflict(format!(
                        "the token {id} was revoked before"
                    )));
                }
                (_, Some(_)) => continue,
                (_, None) => {}
            }
            record.token.revoked_at = Some(self.now);
            record.token.revoked_by = Some(origin.by.clone());
            record.retiring = None;
            record.token.retiring_until = None;
            tokens.push(record.token.clone());
            self.change(record, Action::TokenRevoked, String::new(), origin);
        }
        Ok(Changed {
            tokens,
            secret: None,
        })
    }

    fn rotate(&mut self, id: &TokenId, overlap: u64, origin: &Origin) -> Result<Changed, Refused> {
        let mut record = self.record(id)?;
        if !record.token.is_alive(self.now) {
            return Err(Refused::Conflict(format!(
                "the token {id} is revoked or expired, and a new secret would not revive it; issue another"
            )));
        }
        let (secret, claimed) = text::with_id(*id);
        let before = std::mem::replace(&mut record.secret, claimed.secret);
        // The rotation leaves the token's end where it was, for both secrets.
        let until = self
            .now
            .saturating_add(overlap)
            .min(record.token.expires_at);
        record.retiring = Some(before);
        record.token.retiring_until = Some(until);
        record.token.rotated_at = Some(self.now);
        let token = record.token.clone();
        let detail = if overlap == 0 {
            "the secret before is good no more".into()
        } else {
            format!("the secret before is good until {}", clock::rfc3339(until))
        };
        self.change(record, Action::TokenRotated, detail, origin);
        Ok(changed_to(token, secret))
    }
}

fn changed_to(token: ApiToken, secret: Secret) -> Changed {
    Changed {
        tokens: vec![token],
        secret: Some(secret),
    }
}

fn no_such(id: &TokenId) -> Refused {
    Refused::NotFound(format!("there is no token {id}"))
}

impl Actor for Registrar {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.load();
        context.notify(Sweep);
        context.run_interval(SWEEP, |_, context| context.notify(Sweep));
        context.run_interval(WRITE_USES, |registrar, _| registrar.write_uses());
    }
}

impl Handler<Ping> for Registrar {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

impl Handler<Change> for Registrar {
    type Result = ();

    fn handle(&mut self, change: Change, context: &mut Self::Context) {
        if self.asked.is_empty() {
            // Behind what is in the mailbox by now: all of that is one write.
            context.notify(Write);
        }
        self.asked.push(change);
    }
}

/// Write what was asked for: one batch and one flush for all of it, then show it, and then the answers.
#[derive(Message)]
#[rtype(result = "()")]
struct Write;

impl Handler<Write> for Registrar {
    type Result = ();

    fn handle(&mut self, _: Write, _: &mut Self::Context) {
        let asked = std::mem::take(&mut self.asked);
        let mut pages = Pages {
            registrar: self,
            changes: BTreeMap::new(),
            events: Vec::new(),
            now: clock::now(),
        };
        let outcomes: Vec<_> = asked
            .into_iter()
            .map(|change| {
                let outcome = pages.judge(&change.what, &change.origin);
                (outcome, change.reply)
            })
            .collect();
        let Pages {
            changes,
            mut events,
            ..
        } = pages;
        let changes: Vec<_> = changes.into_iter().collect();
        let written = self.write(changes, &mut events);
        for (outcome, reply) in outcomes {
            let outcome = match (&written, outcome) {
                (Err(error), Ok(_) | Err(Refused::Conflict(_))) => {
                    Err(Refused::Failed(Arc::clone(error)))
                }
                (_, outcome) => outcome,
            };
            // Whoever asked may be gone.
            drop(reply.send(outcome));
        }
    }
}

impl Registrar {
    /// On the disk, then in memory. What could not be written may be on the disk all the same: then what is revoked stays
    /// so in memory, and what is new does not appear.
    fn write(
        &mut self,
        changes: Vec<(TokenId, Option<TokenRecord>)>,
        events: &mut [Event],
    ) -> Result<(), Arc<str>> {
        if changes.is_empty() && !self.unflushed {
            return Ok(());
        }
        // Though nothing may change: what an answer rests on may have been written before, and never flushed.
        let written = self.store.put_tokens(&changes, events);
        self.unflushed = written.is_err();
        if let Err(error) = &written {
            tracing::error!(%error, "API tokens can't be changed");
        } else {
            for event in &*events {
                event.tell();
            }
        }
        for (id, record) in changes {
            match record {
                Some(record) if written.is_ok() || record.token.revoked_at.is_some() => {
                    self.show(id, record);
                }
                None if written.is_ok() => self.forget(&id),
                Some(_) | None => {}
            }
        }
        written.map_err(|error| error.to_string().into())
    }

    fn show(&mut self, id: TokenId, record: TokenRecord) {
        let Ok(tenant) = record.token.tenant.parse() else {
            return;
        };
        let known = Known::new(record, tenant);
        let owned = self.owners.entry(known.belongs_to()).or_default();
        if !owned.contains(&id) {
            owned.push(id);
        }
        self.index.insert(id, known);
    }

    fn forget(&mut self, id: &TokenId) {
        let Some(known) = self.index.get(id) else {
            return;
        };
        self.index.remove(id);
        let owner = known.belongs_to();
        if let Some(owned) = self.owners.get_mut(&owner) {
            owned.retain(|own| own != id);
            if owned.is_empty() {
                self.owners.remove(&owner);
            }
        }
    }

    fn write_uses(&mut self) {
        if self.used.is_empty() {
            return;
        }
        if let Err(error) = self.store.put_uses(self.used.drain()) {
            tracing::error!(%error, "last uses of API tokens are not noted");
        }
    }
}

/// Remove the tokens that expired long ago. Expiry itself needs no sweep.
#[derive(Message)]
#[rtype(result = "()")]
struct Sweep;

impl Handler<Sweep> for Registrar {
    type Result = ();

    fn handle(&mut self, _: Sweep, _: &mut Self::Context) {
        let expired = self.index.expired_before(clock::now().saturating_sub(KEPT));
        let mut events: Vec<_> = expired
            .iter()
            .filter_map(|id| {
                let known = self.index.get(id)?;
                let daemon = Origin::daemon();
                let event = Event::new(
                    Action::TokenRemoved,
                    known.tenant.as_str(),
                    &known.owner,
                    &daemon,
                );
                Some(event.about(*id, "it expired 30 days ago".into()))
            })
            .collect();
        let changes = expired.into_iter().map(|id| (id, None)).collect();
        // Logged there; the next sweep tries again.
        drop(self.write(changes, &mut events));
    }
}

impl Handler<ListOwned> for Registrar {
    type Result = ();

    fn handle(&mut self, ListOwned { owner, reply }: ListOwned, _: &mut Self::Context) {
        let listed = |id: TokenId| {
            let Some(record) = self.store.token(&id)? else {
                return Ok(None);
            };
            let last_used = match self.used.get(&id) {
                Some(last_use) => Some(*last_use),
                None => self.store.last_use(&id)?,
            };
            let token = record.token;
            Ok(Some(Listed { token, last_used }))
        };
        let all: Result<Vec<_>, StoreError> = self
            .owned(&owner)
            .filter_map(|id| listed(id).transpose())
            .collect();
        // Whoever asked may be gone.
        drop(reply.send(all));
    }
}

impl Handler<Used> for Registrar {
    type Result = ();

    fn handle(&mut self, Used { id, last_use }: Used, _: &mut Self::Context) {
        self.used.insert(id, last_use);
    }
}

/// Write the uses that were noted: the daemon ends.
#[derive(Message)]
#[rtype(result = "()")]
pub struct WriteUses;

impl Handler<WriteUses> for Registrar {
    type Result = ();

    fn handle(&mut self, _: WriteUses, _: &mut Self::Context) {
        self.write_uses();
    }
}

#[cfg(test)]
mod tests;
