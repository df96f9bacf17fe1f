//! Those who write. Messages ask in the imperative and tell in the past; each stands above its handler.
//!
//! ```text
//! files ──▶ Watcher ──FilesChanged──▶ Registry ──Apply, Refuse──▶ TenantActor ──▶ one Publisher<TenantState> each
//!                                        │                              ▲ │
//!                                        └──▶ Publisher<Directory>      │ └Follow─▶ Refresher ◀── issuers
//!                                                                       └─KeysFetched─┘ └──▶ one KeyPublisher per source
//! ```
//!
//! | who | decides | writes |
//! |---|---|---|
//! | [`watcher`] | which files are finished and changed | nothing |
//! | [`registry`] | which tenants there are; which build of each is good | the store's builds, the directory |
//! | [`tenant`] | what a tenant shows | its snapshots |
//! | [`refresher`] | when keys are fetched | the store's keys, the key sources |
//!
//! All of them live on one arbiter of their own, so that a flush never delays a request or a signal, and
//! none waits for another's reply.

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
    snapshot::{Reader, cell},
    store::Store,
    tenant::Directory,
};
use refresher::{Refresher, Sources};
use registry::Registry;
use watcher::Watcher;

/// The name of the writers' thread, by which tools can find it.
pub const THREAD: &str = "writers";

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
    /// Fires once the first complete directory is shown.
    pub complete: oneshot::Receiver<()>,
    arbiter: Arbiter,
}

impl Actors {
    /// Ends them, once nobody asks any more.
    pub fn stop(self) {
        self.arbiter.stop();
        if self.arbiter.join().is_err() {
            tracing::error!("the writers' thread panicked");
        }
    }
}

/// Starts the actors on an arbiter of their own.
///
/// # Errors
/// If the folder can't be watched, or no thread can be started.
pub async fn start(context: Context) -> io::Result<Actors> {
    let arbiter = Arbiter::try_with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    })?;
    let (directory_publisher, directory) = cell(Directory::default());
    let (told_complete, complete) = oneshot::channel();
    let (told_started, started) = oneshot::channel();
    let shown = directory.clone();
    arbiter.spawn_fn(move || {
        if let Err(error) =
            rustix::thread::set_name(&std::ffi::CString::new(THREAD).expect("no NUL"))
        {
            tracing::debug!(%error, "the writers' thread keeps its name");
        }
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
        let registry = Registry::new(registry::Parts {
            directory: directory_publisher,
            told_complete,
            folder: folder.clone(),
            store,
            outgoing,
            metrics,
            refresher,
            sources,
        });
        let registry = registry.start();
        let watcher = Watcher::new(folder, registry.clone().recipient(), shown)
            .map(|watcher| (registry, watcher.start()));
        // The other end is gone only if the daemon is giving up.
        drop(told_started.send(watcher));
    });
    let (registry, watcher) = started
        .await
        .map_err(|_| io::Error::other("the writers' thread ended"))??;
    Ok(Actors {
        registry,
        watcher,
        directory,
        complete,
        arbiter,
    })
}
