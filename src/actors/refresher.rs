//! The `Refresher`: when keys are fetched, and the only writer of what was fetched.

mod schedule;

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use actix::{Actor, Addr, AsyncContext as _, Context, Handler, Message, Recipient, SpawnHandle};

use super::tenant::KeysFetched;
use crate::{
    clock,
    issuer::{
        client::{FetchError, Outgoing},
        jwks::{self, Document},
        key_source::{FetchNow, Fetched, KeyPublisher, KeySource, SourceId},
    },
    keys::KeySet,
    store::{KeyRecord, Store},
    tenant::{TenantId, settings::KeyOrigin},
};

/// The key sources there are, found by what they are: ten thousand tenants of one issuer share one. It lives
/// on the writers' thread, where tenants ask it for their sources.
pub struct Sources {
    known: RefCell<HashMap<SourceId, Arc<KeySource>>>,
    refresher: Addr<Refresher>,
    store: Store,
}

impl Sources {
    /// None yet.
    #[must_use]
    pub fn new(refresher: Addr<Refresher>, store: Store) -> Self {
        Self {
            known: RefCell::default(),
            refresher,
            store,
        }
    }

    /// The source of `origin`, with what the store remembers of it; `None` if its keys are not fetched.
    #[must_use]
    pub fn of(&self, origin: &KeyOrigin, ca: Option<&[u8]>) -> Option<Arc<KeySource>> {
        let id = SourceId::of(origin, ca)?;
        if let Some(source) = self.known.borrow().get(&id) {
            return Some(Arc::clone(source));
        }
        let remembered = self.store.keys(&id).and_then(|record| {
            let keys = KeySet::from_jwks(record.document.as_bytes());
            let keys = keys.inspect_err(|error| tracing::warn!(issuer = id.label(), %error, "the remembered keys are unusable")).ok()?;
            Some((Arc::new(keys), record.confirmed_at))
        });
        let (source, publisher) =
            KeySource::new(id.clone(), remembered, self.refresher.clone().recipient());
        self.known.borrow_mut().insert(id, Arc::clone(&source));
        self.refresher.do_send(Adopt {
            source: Arc::clone(&source),
            publisher,
            ca: ca.map(Arc::from),
        });
        Some(source)
    }
}

/// See the module.
pub struct Refresher {
    sources: Rc<Sources>,
    store: Store,
    outgoing: Outgoing,
    kept: HashMap<SourceId, Kept>,
    following: HashMap<TenantId, HashSet<SourceId>>,
}

/// A source, and how it fares.
struct Kept {
    source: Arc<KeySource>,
    publisher: KeyPublisher,
    ca: Option<Arc<[u8]>>,
    followers: HashMap<TenantId, Follower>,
    in_flight: bool,
    /// A key was missed while a fetch was under way, which may have read the document before that key was in it.
    again: bool,
    failures: u32,
    timer: Option<SpawnHandle>,
}

struct Follower {
    to: Recipient<KeysFetched>,
    stale_after: u64,
}

impl Kept {
    /// The shortest `stale_keys` of those who follow it, in seconds.
    fn patience(&self) -> Option<u64> {
        let times = self.followers.values().map(|follower| follower.stale_after);
        times.min()
    }
}

impl Refresher {
    /// One without sources.
    #[must_use]
    pub fn new(sources: Rc<Sources>, store: Store, outgoing: Outgoing) -> Self {
        Self {
            sources,
            store,
            outgoing,
            kept: HashMap::new(),
            following: HashMap::new(),
        }
    }

    /// Starts a fetch, unless one is under way. The answer arrives as [`Arrived`].
    fn fetch(&mut self, id: &SourceId, context: &mut Context<Self>) {
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        if let Some(timer) = kept.timer.take() {
            context.cancel_future(timer);
        }
        if kept.in_flight {
            return;
        }
        kept.in_flight = true;
        let last_time = self.store.keys(id).map(|record| record.jwks_uri);
        let (outgoing, ca, id, arrived) = (
            self.outgoing.clone(),
            kept.ca.clone(),
            id.clone(),
            context.address(),
        );
        self.outgoing.runtime().spawn(async move {
            let outcome = jwks::fetch(&outgoing, ca.as_deref(), &id, last_time.as_deref()).await;
            arrived.do_send(Arrived {
                source: id,
                outcome,
            });
        });
    }

    fn schedule(&mut self, id: &SourceId, seconds: u64, context: &mut Context<Self>) {
        let Some(kept) = self.kept.get_mut(id) else {
            return;
        };
        if let Some(timer) = kept.timer.take() {
            context.cancel_future(timer);
        }
        let id = id.clone();
        kept.timer = Some(context.run_later(
            schedule::with_jitter(seconds),
            move |refresher, context| {
                // Two: `kept` and `known`. A tenant that is just starting holds its source before it follows it.
                if refresher.kept.get(&id).is_some_and(|kept| {
                    kept.followers.is_empty() && Arc::strong_count(&kept.source) <= 2
                }) {
                    // Both maps at once, on the one thread that uses them: nobody can find it half forgotten.
                    refresher.kept.remove(&id);
                    refresher.sources.known.borrow_mut().remove(&id);
                } else {
                    refresher.fetch(&id, context);
                }
            },
        ));
    }
}

impl Actor for Refresher {
    type Context = Context<Self>;
}

/// Keep this source's keys fresh from now on.
#[derive(Message)]
#[rtype(result = "()")]
struct Adopt {
    source: Arc<KeySource>,
    publisher: KeyPublisher,
    ca: Option<Arc<[u8]>>,
}

impl Handler<Adopt> for Refresher {
    type Result = ();

    fn handle(
        &mut self,
        Adopt {
            source,
            publisher,
            ca,
        }: Adopt,
        context: &mut Self::Context,
    ) {
        let id = source.id().clone();
        let kept = Kept {
            source,
            publisher,
            ca,
            followers: HashMap::new(),
            in_flight: false,
            again: false,
            failures: 0,
            timer: None,
        };
        self.kept.insert(id.clone(), kept);
        // Whatever the store remembers: after a start the issuer may have rotated long ago.
        self.fetch(&id, context);
    }
}

/// Tell this tenant of these sources (seconds: its `stale_keys`), and of no others.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Follow {
    /// Who.
    pub tenant: TenantId,
    /// Which.
    pub sources: Vec<(SourceId, u64)>,
    /// Whereto.
    pub to: Recipient<KeysFetched>,
}

impl Handler<Follow> for Refresher {
    type Result = ();

    fn handle(
        &mut self,
        Follow {
            tenant,
            sources,
            to,
        }: Follow,
        context: &mut Self::Context,
    ) {
        let next: HashSet<SourceId> = sources.iter().map(|(id, _)| id.clone()).collect();
        for left in self
            .following
            .remove(&tenant)
            .unwrap_or_default()
            .difference(&next)
        {
            if let Some(kept) = self.kept.get_mut(left) {
                kept.followers.remove(&tenant);
            }
            if self
                .kept
                .get(left)
                .is_some_and(|kept| kept.followers.is_empty())
            {
                self.schedule(left, schedule::FIRST_RETRY, context);
            }
        }
        let mut hurried = Vec::new();
        for (id, stale_after) in sources {
            if let Some(kept) = self.kept.get_mut(&id) {
                // The next fetch was set for those who are more patient.
                if kept.patience().is_some_and(|others| stale_after < others) {
                    hurried.push(id.clone());
                }
                kept.followers.insert(
                    tenant.clone(),
                    Follower {
                        to: to.clone(),
                        stale_after,
                    },
                );
            }
            // What was fetched between the tenant's look and this message would be missed otherwise.
            to.do_send(KeysFetched(id));
        }
        for id in hurried {
            self.fetch(&id, context);
        }
        if !next.is_empty() {
            self.following.insert(tenant, next);
        }
    }
}

impl Handler<FetchNow> for Refresher {
    type Result = ();

    fn handle(&mut self, FetchNow(id): FetchNow, context: &mut Self::Context) {
        if let Some(kept) = self.kept.get_mut(&id) {
            kept.again = kept.in_flight;
        }
        self.fetch(&id, context);
    }
}

/// A fetch came to its end.
#[derive(Message)]
#[rtype(result = "()")]
struct Arrived {
    source: SourceId,
    outcome: Result<Document, FetchError>,
}

impl Handler<Arrived> for Refresher {
    type Result = ();

    fn handle(
        &mut self,
        Arrived {
            source: id,
            outcome,
        }: Arrived,
        context: &mut Self::Context,
    ) {
        let now = clock::now();
        let Some(kept) = self.kept.get_mut(&id) else {
            return;
        };
        kept.in_flight = false;
        let again = std::mem::take(&mut kept.again);
        let before = kept.publisher.current();
        // The round that was asked for meanwhile is still to come.
        let rounds = before.rounds + u64::from(!again);
        match outcome {
            Ok(document) => {
                let record = KeyRecord {
                    document: document.text.clone(),
                    jwks_uri: document.jwks_uri.to_string(),
                    confirmed_at: now,
                };
                // Shown even if it can't be kept: on a full disk, a key that the issuer withdrew must still go.
                if let Err(error) = self.store.put_keys(&id, &record) {
                    tracing::error!(issuer = id.label(), %error, "a restart will not know these keys");
                }
                kept.failures = 0;
                kept.source.confirm(now);
                if let Some(keys) = &before.keys {
                    kept.source.replaced(keys, &document.keys);
                }
                let same = before.keys.filter(|keys| keys.same_keys(&document.keys));
                let changed = same.is_none();
                let keys = same.unwrap_or_else(|| Arc::new(document.keys));
                if changed {
                    tracing::info!(
                        issuer = id.label(),
                        keys = keys.len(),
                        skipped = keys.skipped().len(),
                        "the issuer has other keys"
                    );
                    for skipped in keys.skipped() {
                        tracing::warn!(
                            issuer = id.label(),
                            kid = skipped.kid,
                            "a key is passed over: {}",
                            skipped.why
                        );
                    }
                }
                kept.publisher.publish(Fetched {
                    keys: Some(keys),
                    rounds,
                    error: None,
                    left_alone_until: 0,
                });
                if changed {
                    kept.followers
                        .values()
                        .for_each(|follower| follower.to.do_send(KeysFetched(id.clone())));
                }
                let next = schedule::after_success(document.max_age, kept.patience());
                self.schedule(&id, next, context);
            }
            Err(error) => {
                kept.failures = kept.failures.saturating_add(1);
                let failures = kept.failures;
                tracing::warn!(
                    issuer = id.label(),
                    failures,
                    "the keys can't be fetched: {error}"
                );
                let asked = schedule::pause(error.retry_after());
                kept.publisher.publish(Fetched {
                    error: Some(error.to_string().into()),
                    rounds,
                    left_alone_until: now + asked,
                    ..before
                });
                self.schedule(&id, schedule::after_failure(failures, asked), context);
            }
        }
        if again {
            self.fetch(&id, context);
        }
    }
}
