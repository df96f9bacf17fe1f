//! Those who write. Messages ask in the imperative and tell in the past; each stands above its handler.
//!
//! ```text
//! files ──▶ Watcher ──FilesChanged──▶ Registry ──Apply, Refuse──▶ TenantActor ──▶ one Publisher<TenantState> each
//!                                        │                              ▲ │
//!                                        └──▶ Publisher<Directory>      │ └Follow─▶ Refresher ◀── issuers
//!                                                                       └─KeysFetched─┘ └──▶ one KeyPublisher per source
//!
//! requests ──Pin──▶ Pinner ──▶ the store      commands ──Unpin──▶ Pinner ──Forget──▶ Registry ──ForgetPins──▶ TenantActor
//! requests ──Used──▶ Registrar ──▶ the store, then the index of API tokens ◀── Registrar ◀──Change── commands, users
//! ```
//!
//! | who | decides | writes |
//! |---|---|---|
//! | [`watcher`] | which files are finished and changed | nothing |
//! | [`registry`] | which tenants there are; which build of each is good | the store's builds, the directory |
//! | [`tenant`] | what a tenant shows | its snapshots |
//! | [`pinner`] | whose an account is | the store's pins |
//! | [`registrar`] | which API tokens there are | the store's tokens, their index in memory |
//! | [`refresher`] | when keys are fetched | the store's keys, the key sources |
//!
//! All of them but two live on one arbiter of their own, so that a flush never delays a request or a signal, and none waits
//! for another's reply. The [`pinner`] has another: requests wait for it, and must not wait until a thousand tenant files
//! are read. So has the [`registrar`], which reads a million tokens at its start.

pub mod pinner;
pub mod refresher;
pub mod registrar;
pub mod registry;
pub mod tenant;
pub mod watcher;

use std::{io, path::PathBuf, rc::Rc, sync::Arc};

use actix::{Actor as _, Addr, Arbiter, AsyncContext as _};
use tokio::sync::oneshot;

use crate::{
    api_tokens::{ApiTokens, Desk, Index},
    issuer::client::Outgoing,
    metrics::Metrics,
    pins::Ledger,
    snapshot::{Reader, cell},
    store::Store,
    tenant::Directory,
};
use pinner::Pinner;
use refresher::{Refresher, Sources};
use registrar::{Registrar, WriteUses};
use registry::{Ping, Registry};
use watcher::Watcher;

/// The name of the writers' thread, by which tools can find it.
pub const THREAD: &str = "writers";
/// The name of the pinner's.
const PINNER_THREAD: &str = "pinner";
/// The name of the registrar's.
const REGISTRAR_THREAD: &str = "registrar";

/// What the actors are started with.
pub struct Context {
    /// The tenants folder.
    pub folder: PathBuf,
    /// The daemon's memory.
    pub store: Store,
    /// For calls to issuers.
    pub outgoing: Outgoing,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// The actors, running.
pub struct Actors {
    /// To be asked whether the writers live.
    pub registry: Addr<Registry>,
    /// To be told to rescan.
    pub watcher: Addr<Watcher>,
    /// What they show.
    pub directory: Reader<Directory>,
    /// Whose the accounts are.
    pub ledger: Ledger,
    /// Postern's own API tokens.
    pub api_tokens: ApiTokens,
    /// Fires once the first complete directory is shown.
    pub complete: oneshot::Receiver<()>,
    pinner: Addr<Pinner>,
    registrar: Addr<Registrar>,
    arbiters: [Arbiter; 3],
}

impl Actors {
    /// Whether all who write answer.
    pub async fn live(&self) -> bool {
        matches!(
            tokio::join!(
                self.registry.send(Ping),
                self.pinner.send(Ping),
                self.registrar.send(Ping)
            ),
            (Ok(()), Ok(()), Ok(()))
        )
    }

    /// Ends them, once nobody asks any more.
    pub async fn stop(self) {
        if self.registrar.send(WriteUses).await.is_err() {
            tracing::error!(
                "the registrar's thread ended before the last uses of API tokens were noted"
            );
        }
        for arbiter in self.arbiters {
            arbiter.stop();
            if arbiter.join().is_err() {
                tracing::error!("a writers' thread panicked");
            }
        }
    }
}

/// Starts the actors on arbiters of their own.
///
/// # Errors
/// If the folder can't be watched, or no thread can be started.
pub async fn start(context: Context) -> io::Result<Actors> {
    let (pinners, registrars) = (arbiter(PINNER_THREAD)?, arbiter(REGISTRAR_THREAD)?);
    let arbiter = arbiter(THREAD)?;
    let pinners_handle = pinners.handle();
    let (index, tokens) = (Arc::new(Index::default()), context.store.clone());
    let registrar = {
        let (tokens, index) = (tokens.clone(), Arc::clone(&index));
        Registrar::start_in_arbiter(&registrars.handle(), |_| Registrar::new(tokens, index))
    };
    let desk = Desk {
        change: registrar.clone().recipient(),
        owned: registrar.clone().recipient(),
        used: registrar.clone().recipient(),
    };
    let api_tokens = ApiTokens::new(index, tokens, desk);
    let tenants_tokens = api_tokens.clone();
    let (directory_publisher, directory) = cell(Directory::default());
    let (told_complete, complete) = oneshot::channel();
    let (told_started, started) = oneshot::channel();
    let shown = directory.clone();
    arbiter.spawn_fn(move || {
        let Context {
            folder,
            store,
            outgoing,
            metrics,
        } = context;
        let mut shared = None;
        let refresher = Refresher::create(|context| {
            let sources = Rc::new(Sources::new(context.address(), store.clone()));
            shared = Some(Rc::clone(&sources));
            Refresher::new(sources, store.clone(), outgoing.clone())
        });
        let sources = shared.expect("create runs its closure");
        let mut accounts = None;
        let registry = Registry::create(|context| {
            let (written, told) = (store.clone(), context.address().recipient());
            let pinner = Pinner::start_in_arbiter(&pinners_handle, |_| Pinner::new(written, told));
            let ledger = Ledger::new(
                store.clone(),
                pinner.clone().recipient(),
                pinner.clone().recipient(),
            );
            accounts = Some((ledger.clone(), pinner));
            Registry::new(registry::Parts {
                directory: directory_publisher,
                told_complete,
                folder: folder.clone(),
                store,
                outgoing,
                metrics,
                refresher,
                sources,
                ledger,
                api_tokens: tenants_tokens,
            })
        });
        let (ledger, pinner) = accounts.expect("create runs its closure");
        let watcher = Watcher::new(folder, registry.clone().recipient(), shown)
            .map(|watcher| (registry, watcher.start(), ledger, pinner));
        // The other end is gone only if the daemon is giving up.
        drop(told_started.send(watcher));
    });
    let (registry, watcher, ledger, pinner) = started
        .await
        .map_err(|_| io::Error::other("the writers' thread ended"))??;
    Ok(Actors {
        registry,
        watcher,
        directory,
        ledger,
        api_tokens,
        complete,
        pinner,
        registrar,
        arbiters: [arbiter, pinners, registrars],
    })
}

/// A thread of that name, for actors.
fn arbiter(name: &str) -> io::Result<Arbiter> {
    let arbiter = Arbiter::try_with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    })?;
    let name = std::ffi::CString::new(name).expect("no NUL");
    arbiter.spawn_fn(move || {
        if let Err(error) = rustix::thread::set_name(&name) {
            tracing::debug!(%error, "a writers' thread keeps its name");
        }
    });
    Ok(arbiter)
}
