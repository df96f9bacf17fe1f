//! Those who write. Messages ask in the imperative and tell in the past; each stands above its handler.
//!
//! ```text
//! files ──▶ Watcher ──FilesChanged──▶ Registry ──Apply, Refuse──▶ TenantActor ──▶ one Publisher<TenantState> each
//!                                        │                              ▲ │
//!                                        └──▶ Publisher<Directory>      │ └Follow─▶ Refresher ◀── issuers
//!                                                                       └─KeysFetched─┘ └──▶ one KeyPublisher per source
//!
//! requests ──Pin──▶ Pinner ──▶ the store      commands ──Unpin──▶ Pinner ──Forget──▶ Registry ──ForgetPins──▶ TenantActor
//! ```
//!
//! | who | decides | writes |
//! |---|---|---|
//! | [`watcher`] | which files are finished and changed | nothing |
//! | [`registry`] | which tenants there are; which build of each is good | the store's builds, the directory |
//! | [`tenant`] | what a tenant shows | its snapshots |
//! | [`pinner`] | whose an account is | the store's pins |
//! | [`refresher`] | when keys are fetched | the store's keys, the key sources |
//!
//! All of them but the [`pinner`] live on one arbiter of their own, so that a flush never delays a request or a signal,
//! and none waits for another's reply. The [`pinner`] has another: requests wait for it, and must not wait until a
//! thousand tenant files are read.

pub mod pinner;
pub mod refresher;
pub mod registry;
pub mod tenant;
pub mod watcher;

use std::{io, path::PathBuf, rc::Rc, sync::Arc};

use actix::{Actor as _, Addr, Arbiter, AsyncContext as _};
use tokio::sync::oneshot;

use crate::{
    issuer::client::Outgoing,
    metrics::Metrics,
    pins::Ledger,
    snapshot::{Reader, cell},
    store::Store,
    tenant::Directory,
};
use pinner::Pinner;
use refresher::{Refresher, Sources};
use registry::{Ping, Registry};
use watcher::Watcher;

/// The name of the writers' thread, by which tools can find it.
pub const THREAD: &str = "writers";
/// The name of the pinner's.
const PINNER_THREAD: &str = "pinner";

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
    /// Fires once the first complete directory is shown.
    pub complete: oneshot::Receiver<()>,
    pinner: Addr<Pinner>,
    arbiters: [Arbiter; 2],
}

impl Actors {
    /// Whether all who write answer.
    pub async fn live(&self) -> bool {
        matches!(
            tokio::join!(self.registry.send(Ping), self.pinner.send(Ping)),
            (Ok(()), Ok(()))
        )
    }

    /// Ends them, once nobody asks any more.
    pub fn stop(self) {
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
    let (arbiter, pinners) = (arbiter(THREAD)?, arbiter(PINNER_THREAD)?);
    let pinners_handle = pinners.handle();
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
        complete,
        pinner,
        arbiters: [arbiter, pinners],
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
