//! A `TenantActor`: the only writer of what one tenant shows.

use std::{rc::Rc, sync::Arc, time::Duration};

use actix::{Actor, ActorContext as _, Addr, AsyncContext as _, Context, Handler, Message};

use tokio::sync::oneshot;

use super::refresher::{Follow, Refresher, Sources};
use crate::{
    api_tokens::ApiTokens,
    issuer::{ask::Asker, client::Outgoing, key_source::SourceId},
    metrics::Decisions,
    pins::{Ledger, Pins, Unpinned},
    policy::rates::Rates,
    product::Product,
    provider::{Keys, Provider, Revision},
    snapshot::{Publisher, Reader, cell},
    tenant::{
        FileStatus, Tenant, TenantId, TenantState,
        build::Built,
        problem::Problem,
        settings::{KeyOrigin, ProviderSettings, Settings},
    },
    verify::Verdicts,
};

/// What a tenant is started with.
pub struct Start {
    /// Its name.
    pub id: TenantId,
    /// A good build, or none: then it answers 503 until there is one.
    pub built: Option<Box<Built>>,
    /// How its file fares.
    pub file: FileStatus,
    /// For its introspection calls.
    pub outgoing: Outgoing,
    /// For its keys.
    pub refresher: Addr<Refresher>,
    /// Likewise.
    pub sources: Rc<Sources>,
    /// For its accounts.
    pub ledger: Ledger,
    /// Its API tokens, and those of others.
    pub api_tokens: ApiTokens,
}

/// See the module.
pub struct TenantActor {
    id: TenantId,
    outgoing: Outgoing,
    refresher: Addr<Refresher>,
    sources: Rc<Sources>,
    ledger: Ledger,
    api_tokens: ApiTokens,
    publisher: Publisher<TenantState>,
}

impl TenantActor {
    /// The actor, and the reader of a first state that is whole already.
    #[must_use]
    pub fn create_first(start: Start) -> (Self, Reader<TenantState>) {
        let Start {
            id,
            built,
            mut file,
            outgoing,
            refresher,
            sources,
            ledger,
            api_tokens,
        } = start;
        let (publisher, reader) = cell(TenantState {
            serving: None,
            generation: 0,
            file: FileStatus::default(),
        });
        let mut actor = Self {
            id,
            outgoing,
            refresher,
            sources,
            ledger,
            api_tokens,
            publisher,
        };
        let serving = built.and_then(|built| {
            if file.broken_since.is_none() {
                file.problems = built.problems.into();
            }
            built
                .settings
                .map(|settings| Arc::new(actor.tenant(settings, None)))
        });
        actor.publish(serving, file);
        (actor, reader)
    }

    /// Shows the next state.
    fn publish(&mut self, serving: Option<Arc<Tenant>>, file: FileStatus) {
        let generation = self.publisher.current().generation + 1;
        self.publisher.publish(TenantState {
            serving,
            generation,
            file,
        });
    }

    /// The whole next snapshot. What was proved before holds on wherever neither the provider's settings nor
    /// what is told about its principals changed.
    fn tenant(&self, settings: Settings, before: Option<&Tenant>) -> Tenant {
        let same_groups = before.is_some_and(|before| {
            before.settings.access.named_groups == settings.access.named_groups
        });
        let providers = settings
            .providers
            .iter()
            .enumerate()
            .map(|(place, provider)| {
                let known = before
                    .and_then(|before| before.providers.get(place))
                    .filter(|known| known.settings.digest == provider.digest);
                match known {
                    Some(known) if same_groups => known.clone(),
                    Some(known) => Provider {
                        revision: Revision::next(),
                        ..known.clone()
                    },
                    None => self.provider(Arc::clone(provider)),
                }
            })
            .collect();
        let rates = before.map_or_else(Rates::default, |before| before.rates.clone());
        let product = settings.upstream.as_ref().map(|upstream| {
            let known = before.and_then(|before| before.product.as_ref());
            let known = known.filter(|known| known.settings().digest == upstream.digest);
            known.map_or_else(
                || Arc::new(Product::new(Arc::clone(upstream), self.outgoing.clone())),
                Arc::clone,
            )
        });
        Tenant {
            rates: rates.next(&settings.rate_limit),
            product,
            pins: before.map_or_else(
                || Arc::new(Pins::new(self.id.clone(), self.ledger.clone())),
                |before| Arc::clone(&before.pins),
            ),
            api_tokens: Some(self.api_tokens.clone()),
            settings: Arc::new(settings),
            providers,
            verdicts: before.map_or_else(
                || Arc::new(Verdicts::default()),
                |before| Arc::clone(&before.verdicts),
            ),
            recent: before.map_or_else(Arc::default, |before| Arc::clone(&before.recent)),
            decisions: before.map_or_else(
                || Arc::new(Decisions::default()),
                |before| Arc::clone(&before.decisions),
            ),
        }
    }

    fn provider(&self, settings: Arc<ProviderSettings>) -> Provider {
        let keys = |origin: &KeyOrigin, stale_keys: Duration| {
            self.keys(origin, settings.ca.as_deref(), stale_keys)
        };
        let answers = settings
            .asking
            .as_ref()
            .and_then(|asking| asking.signed_answers());
        Provider {
            revision: Revision::next(),
            keys: settings
                .signature
                .iter()
                .flat_map(|proof| {
                    proof
                        .keys
                        .iter()
                        .map(|origin| keys(origin, proof.stale_keys))
                })
                .collect(),
            answer_keys: answers.map(|signed| keys(&signed.keys, signed.stale_keys)),
            asker: settings
                .asking
                .is_some()
                .then(|| Arc::new(Asker::new(Arc::clone(&settings), self.outgoing.clone()))),
            refusals: Arc::default(),
            settings,
        }
    }

    fn keys(&self, origin: &KeyOrigin, ca: Option<&[u8]>, stale_keys: Duration) -> Keys {
        let source = self.sources.of(origin, ca);
        let set = match (origin, &source) {
            (KeyOrigin::Fixed(set), _) => Some(Arc::clone(set)),
            (_, Some(source)) => source.fetched().keys,
            (_, None) => None,
        };
        Keys {
            set,
            source,
            stale_after: stale_keys.as_secs(),
        }
    }

    fn follow(&self, to: &Addr<Self>) {
        let state = self.publisher.current();
        let providers = state.serving.iter().flat_map(|tenant| &tenant.providers);
        let keys = providers.flat_map(|provider| provider.keys.iter().chain(&provider.answer_keys));
        let sources = keys.filter_map(|keys| {
            keys.source
                .as_ref()
                .map(|source| (source.id().clone(), keys.stale_after))
        });
        self.refresher.do_send(Follow {
            tenant: self.id.clone(),
            sources: sources.collect(),
            to: to.clone().recipient(),
        });
    }
}

impl Actor for TenantActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.follow(&context.address());
    }
}

/// Serve a new good build.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Apply {
    /// The build.
    pub built: Box<Built>,
    /// When it was read, in seconds since the epoch.
    pub now: u64,
}

impl Handler<Apply> for TenantActor {
    type Result = ();

    fn handle(&mut self, Apply { built, now }: Apply, context: &mut Self::Context) {
        let Some(settings) = built.settings else {
            return;
        };
        let before = self.publisher.current();
        let tenant = self.tenant(settings, before.serving.as_deref());
        let file = FileStatus {
            applied_at: now,
            broken_since: None,
            problems: built.problems.into(),
        };
        self.publish(Some(Arc::new(tenant)), file);
        tracing::info!(tenant.id = %self.id, generation = before.generation + 1, "the tenant's file was read anew and is served");
        self.follow(&context.address());
    }
}

/// Keep what is served, and show that the file is broken.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Refuse {
    /// What is wrong.
    pub problems: Arc<[Problem]>,
    /// When it was read, in seconds since the epoch.
    pub now: u64,
}

impl Handler<Refuse> for TenantActor {
    type Result = ();

    fn handle(&mut self, Refuse { problems, now }: Refuse, _: &mut Self::Context) {
        let before = self.publisher.current();
        let broken_since = Some(before.file.broken_since.unwrap_or(now));
        self.publish(
            before.serving.clone(),
            FileStatus {
                applied_at: before.file.applied_at,
                broken_since,
                problems,
            },
        );
    }
}

/// A source has other keys than before.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct KeysFetched(pub SourceId);

impl Handler<KeysFetched> for TenantActor {
    type Result = ();

    fn handle(&mut self, KeysFetched(source): KeysFetched, _: &mut Self::Context) {
        let before = self.publisher.current();
        let Some(tenant) = &before.serving else {
            return;
        };
        let mut changed = false;
        let mut renew = |keys: &mut Keys| {
            let Some(fetched) = keys
                .source
                .as_ref()
                .filter(|own| *own.id() == source)
                .map(|own| own.fetched().keys)
            else {
                return false;
            };
            let same = match (&keys.set, &fetched) {
                (Some(ours), Some(new)) => Arc::ptr_eq(ours, new),
                (ours, new) => ours.is_none() && new.is_none(),
            };
            keys.set = fetched;
            changed |= !same;
            !same
        };
        let providers = tenant.providers.iter().cloned().map(|mut provider| {
            // A key that is gone takes with it what it proved: another revision, and the verdicts are void.
            let all = provider.keys.iter_mut().chain(&mut provider.answer_keys);
            let renewed = all.map(&mut renew).fold(false, |any, one| any | one);
            if renewed {
                provider.revision = Revision::next();
            }
            provider
        });
        let next = Tenant {
            providers: providers.collect(),
            settings: Arc::clone(&tenant.settings),
            product: tenant.product.clone(),
            verdicts: Arc::clone(&tenant.verdicts),
            pins: Arc::clone(&tenant.pins),
            rates: tenant.rates.clone(),
            api_tokens: tenant.api_tokens.clone(),
            decisions: Arc::clone(&tenant.decisions),
            recent: Arc::clone(&tenant.recent),
        };
        if changed {
            self.publish(Some(Arc::new(next)), before.file.clone());
            tracing::info!(tenant.id = %self.id, issuer = source.label(), generation = before.generation + 1, "the tenant has other keys");
        }
    }
}

/// Forget whose the accounts were, all of them: one was unpinned.
#[derive(Message)]
#[rtype(result = "()")]
pub struct ForgetPins {
    /// Who asked for it.
    pub reply: oneshot::Sender<Unpinned>,
    /// What to tell them, once it is forgotten.
    pub outcome: Unpinned,
}

impl Handler<ForgetPins> for TenantActor {
    type Result = ();

    fn handle(&mut self, ForgetPins { reply, outcome }: ForgetPins, _: &mut Self::Context) {
        let before = self.publisher.current();
        if let Some(tenant) = &before.serving {
            // Another revision voids the verdicts, those too that are being made of the snapshot before.
            let providers = tenant.providers.iter().cloned().map(|provider| Provider {
                revision: Revision::next(),
                ..provider
            });
            let next = Tenant {
                providers: providers.collect(),
                product: tenant.product.clone(),
                pins: Arc::new(tenant.pins.forgetful()),
                rates: tenant.rates.clone(),
                settings: Arc::clone(&tenant.settings),
                verdicts: Arc::clone(&tenant.verdicts),
                api_tokens: tenant.api_tokens.clone(),
                decisions: Arc::clone(&tenant.decisions),
                recent: Arc::clone(&tenant.recent),
            };
            self.publish(Some(Arc::new(next)), before.file.clone());
        }
        // Whoever asked may be gone.
        drop(reply.send(outcome));
    }
}

/// End: the tenant's file is gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Retire;

impl Handler<Retire> for TenantActor {
    type Result = ();

    fn handle(&mut self, _: Retire, context: &mut Self::Context) {
        self.refresher.do_send(Follow {
            tenant: self.id.clone(),
            sources: Vec::new(),
            to: context.address().recipient(),
        });
        context.stop();
    }
}
