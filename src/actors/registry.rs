//! The `Registry`: which tenants there are, and which build of each is good.

use std::{collections::HashMap, path::PathBuf, rc::Rc, sync::Arc};

use actix::{Actor, Addr, Context, Handler, Message};
use tokio::sync::oneshot;

use super::{
    refresher::{Refresher, Sources},
    tenant::{Apply, ForgetPins, Refuse, Retire, Start, TenantActor},
};
use crate::{
    api_tokens::ApiTokens,
    clock,
    issuer::client::Outgoing,
    metrics::Metrics,
    pins::{Ledger, Unpinned},
    snapshot::{Publisher, Reader},
    store::Store,
    tenant::{
        Directory, FileStatus, TenantId, TenantState,
        build::{Built, Secrets, build},
        problem::Problem,
        source::{SourceRecord, TenantSource},
    },
};

/// What the registry is started with.
pub struct Parts {
    /// Where the directory is shown.
    pub directory: Publisher<Directory>,
    /// Told once the first complete directory is shown.
    pub told_complete: oneshot::Sender<()>,
    /// The tenants folder.
    pub folder: PathBuf,
    /// Where good builds are kept.
    pub store: Store,
    /// For the tenants' calls.
    pub outgoing: Outgoing,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// For the tenants' keys.
    pub refresher: Addr<Refresher>,
    /// Likewise.
    pub sources: Rc<Sources>,
    /// For the tenants' accounts.
    pub ledger: Ledger,
    /// For the tenants' API tokens.
    pub api_tokens: ApiTokens,
}

/// The only writer of the [`Directory`] and of the store's builds.
pub struct Registry {
    parts: Parts,
    told_complete: Option<oneshot::Sender<()>>,
    tenants: HashMap<TenantId, (Addr<TenantActor>, Reader<TenantState>)>,
}

impl Registry {
    /// A registry without tenants.
    #[must_use]
    pub fn new(mut parts: Parts) -> Self {
        let (unused, _) = oneshot::channel();
        let told_complete = Some(std::mem::replace(&mut parts.told_complete, unused));
        Self {
            parts,
            told_complete,
            tenants: HashMap::new(),
        }
    }
}

impl Actor for Registry {
    type Context = Context<Self>;
}

/// What became of one tenant file.
#[derive(Debug)]
pub enum FileChange {
    /// It was read anew.
    Read(Box<TenantSource>),
    /// It is there and can't be read.
    Unreadable(TenantId, Problem),
    /// It is gone.
    Gone(TenantId),
}

/// The watcher found files changed. All of them are applied together: one flush, one directory.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct FilesChanged {
    /// Each tenant at most once.
    pub changes: Vec<FileChange>,
    /// Whether the folder was looked through from end to end.
    pub complete: bool,
}

impl Handler<FilesChanged> for Registry {
    type Result = ();

    fn handle(&mut self, message: FilesChanged, _: &mut Self::Context) {
        let now = clock::now();
        let mut durable = Vec::new();
        let mut outcomes = Vec::new();
        for change in message.changes {
            let (id, outcome) = self.judge(change, now);
            match &outcome {
                Outcome::Good {
                    record: Some(record),
                    ..
                } => durable.push((id.clone(), Some(record.clone()))),
                Outcome::Gone => durable.push((id.clone(), None)),
                Outcome::Good { record: None, .. } | Outcome::Broken { .. } => {}
            }
            outcomes.push((id, outcome));
        }
        // Durable first, shown afterwards: a restart must not serve less than was ever acknowledged.
        let written = self.parts.store.put_builds(&durable);
        if let Err(error) = &written {
            tracing::error!(%error, "changed tenant files are not applied");
        }
        let mut members_changed = false;
        for (id, outcome) in outcomes {
            let outcome = match (&written, outcome) {
                (Err(error), Outcome::Good { path, .. }) => Outcome::Broken {
                    problems: vec![Problem::of_file(&path, error.to_string())],
                    last_good: self.last_good(&id),
                },
                (_, outcome) => outcome,
            };
            members_changed |= self.show(id, outcome, now);
        }
        if members_changed || message.complete {
            self.publish(message.complete);
        }
    }
}

/// What a change comes to.
enum Outcome {
    Good {
        path: PathBuf,
        built: Box<Built>,
        /// `None` if the store has it already.
        record: Option<SourceRecord>,
    },
    Broken {
        problems: Vec<Problem>,
        /// What the store remembers, with the time at which it was good; only for a tenant that is not running.
        last_good: Option<(Box<Built>, u64)>,
    },
    Gone,
}

impl Registry {
    fn judge(&self, change: FileChange, now: u64) -> (TenantId, Outcome) {
        match change {
            FileChange::Gone(id) => (id, Outcome::Gone),
            FileChange::Unreadable(id, problem) => {
                let last_good = self.last_good(&id);
                (
                    id,
                    Outcome::Broken {
                        problems: vec![problem],
                        last_good,
                    },
                )
            }
            FileChange::Read(source) => {
                let built = build(&source, Secrets::MustBeThere, now);
                let id = source.id.clone();
                if built.is_good() {
                    let mut record = source.to_record(now);
                    let stored = self.parts.store.build(&id);
                    let known = stored.is_some_and(|stored| {
                        record.saved_at = stored.saved_at;
                        stored == record
                    });
                    record.saved_at = now;
                    (
                        id,
                        Outcome::Good {
                            path: source.path.clone(),
                            built: Box::new(built),
                            record: (!known).then_some(record),
                        },
                    )
                } else {
                    let last_good = self.last_good(&id);
                    (
                        id,
                        Outcome::Broken {
                            problems: built.problems,
                            last_good,
                        },
                    )
                }
            }
        }
    }

    /// The last good build of a tenant that is not running, judged as of when it was good: a certificate that
    /// has run out since is found by the checks, and says so.
    fn last_good(&self, id: &TenantId) -> Option<(Box<Built>, u64)> {
        if self.tenants.contains_key(id) {
            return None;
        }
        let record = self.parts.store.build(id)?;
        let source = TenantSource::from_record(&record, &self.parts.folder)
            .inspect_err(|error| tracing::error!(tenant.id = %id, %error, "the last good build in the store is unreadable"))
            .ok()?;
        let built = build(&source, Secrets::MayBeAbsent, record.saved_at);
        built.is_good().then(|| (Box::new(built), record.saved_at))
    }

    /// Answers whether a tenant came or went.
    fn show(&mut self, id: TenantId, outcome: Outcome, now: u64) -> bool {
        match outcome {
            Outcome::Good { built, .. } => {
                self.parts.metrics.reloads.inc();
                log_problems(&id, &built.problems);
                match self.tenants.get(&id) {
                    Some((actor, _)) => {
                        actor.do_send(Apply { built, now });
                        false
                    }
                    None => self.start(
                        id,
                        Some(built),
                        FileStatus {
                            applied_at: now,
                            ..FileStatus::default()
                        },
                    ),
                }
            }
            Outcome::Broken {
                problems,
                last_good,
            } => {
                self.parts.metrics.reload_errors.inc();
                tracing::error!(tenant.id = %id, errors = problems.len(), "the tenant's file is broken; the last good build stays");
                log_problems(&id, &problems);
                let problems: Arc<[Problem]> = problems.into();
                match self.tenants.get(&id) {
                    Some((actor, _)) => {
                        actor.do_send(Refuse { problems, now });
                        false
                    }
                    None => {
                        if let Some((built, _)) = &last_good {
                            log_problems(&id, &built.problems);
                        }
                        let (built, applied_at) =
                            last_good.map_or((None, 0), |(built, at)| (Some(built), at));
                        self.start(
                            id,
                            built,
                            FileStatus {
                                applied_at,
                                broken_since: Some(now),
                                problems,
                            },
                        )
                    }
                }
            }
            Outcome::Gone => match self.tenants.remove(&id) {
                Some((actor, _)) => {
                    tracing::info!(tenant.id = %id, "the tenant's file is gone; it is retired");
                    actor.do_send(Retire);
                    true
                }
                None => false,
            },
        }
    }

    fn start(&mut self, id: TenantId, built: Option<Box<Built>>, file: FileStatus) -> bool {
        let (actor, reader) = TenantActor::create_first(Start {
            id: id.clone(),
            built,
            file,
            outgoing: self.parts.outgoing.clone(),
            refresher: self.parts.refresher.clone(),
            sources: Rc::clone(&self.parts.sources),
            ledger: self.parts.ledger.clone(),
            api_tokens: self.parts.api_tokens.clone(),
        });
        self.tenants.insert(id, (actor.start(), reader));
        true
    }

    fn publish(&mut self, complete: bool) {
        let complete = complete || self.parts.directory.current().complete;
        let tenants = self
            .tenants
            .iter()
            .map(|(id, (_, reader))| (id.clone(), reader.clone()))
            .collect();
        self.parts
            .directory
            .publish(Directory { tenants, complete });
        if complete && let Some(told) = self.told_complete.take() {
            tracing::info!(
                tenants = self.tenants.len(),
                "the first complete directory is served"
            );
            // Nobody listens any more only if the daemon is giving up.
            let _ = told.send(());
        }
    }
}

fn log_problems(id: &TenantId, problems: &[Problem]) {
    for problem in problems {
        tracing::warn!(tenant.id = %id, "{problem}");
    }
}

/// Answer, as a sign of life of the writers.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Ping;

impl Handler<Ping> for Registry {
    type Result = ();

    fn handle(&mut self, _: Ping, _: &mut Self::Context) {}
}

/// An account was unpinned: have its tenant forget who it was, and then say so.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Forget {
    /// Whose account.
    pub tenant: TenantId,
    /// Who asked for it.
    pub reply: oneshot::Sender<Unpinned>,
    /// What to tell them.
    pub outcome: Unpinned,
}

impl Handler<Forget> for Registry {
    type Result = ();

    fn handle(&mut self, message: Forget, _: &mut Self::Context) {
        let Forget {
            tenant,
            reply,
            outcome,
        } = message;
        match self.tenants.get(&tenant) {
            Some((actor, _)) => actor.do_send(ForgetPins { reply, outcome }),
            // It remembers nothing when it comes back. Whoever asked may be gone.
            None => drop(reply.send(outcome)),
        }
    }
}
