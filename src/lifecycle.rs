//! A daemon from its start to its end: sockets, readiness, signals, the watchdog and the drain.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use sd_notify::NotifyState;
use serde::Serialize;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{interval, sleep, timeout},
};

use crate::{
    actors::{self, Actors, registry::Ping, watcher::Rescan},
    http::{self, Shared},
    issuer::client::Outgoing,
    metrics::Metrics,
    settings::{ListenAddress, Listener, TrustedProxies, bind_unix},
    store::Store,
    telemetry::Share,
};

/// Between the last accept and the stop. actix drops connections that were accepted and have not reached a worker
/// yet when it stops; those that wait in the socket are the next daemon's, if the socket is systemd's.
const SETTLE: Duration = Duration::from_millis(250);

/// Everything that a daemon is started with.
#[derive(Debug)]
pub struct Daemon {
    /// The tenants folder.
    pub tenants: PathBuf,
    /// The folder of the store.
    pub data: PathBuf,
    /// Where checks are answered.
    pub check: Vec<Listener>,
    /// Where operators look.
    pub ops: std::net::SocketAddr,
    /// Where commands ask.
    pub admin: PathBuf,
    /// Whose word is taken.
    pub trusted: TrustedProxies,
    /// Where to write the bound addresses.
    pub announce: Option<PathBuf>,
    /// How many threads answer checks.
    pub workers: usize,
    /// Which of the calls that pass and only read are logged.
    pub logged_reads: Share,
}

/// What `--announce` writes: where the daemon listens, so that port 0 is usable.
#[derive(Debug, Serialize)]
struct Announcement {
    check: Vec<String>,
    ops: String,
    admin: PathBuf,
    pid: u32,
}

impl Daemon {
    /// Serves until SIGTERM or SIGINT. `ready` is called once everything is up.
    ///
    /// # Errors
    /// If the daemon can't start, with what to change.
    pub async fn run(
        self,
        outgoing_runtime: tokio::runtime::Handle,
        ready: impl FnOnce(),
    ) -> anyhow::Result<()> {
        let mut signals = Signals::listen().context("signals can't be listened to")?;
        let store = Store::open(&self.data)?;
        let metrics = Arc::new(Metrics::default());
        let outgoing = Outgoing::new(outgoing_runtime, Arc::clone(&metrics));
        let mut actors = actors::start(actors::Context {
            folder: self.tenants.clone(),
            store: store.clone(),
            outgoing,
            metrics: Arc::clone(&metrics),
        })
        .await?;
        let shared = Arc::new(Shared {
            directory: actors.directory.clone(),
            ledger: actors.ledger.clone(),
            api_tokens: actors.api_tokens.clone(),
            store: store.clone(),
            metrics,
            trusted: self.trusted.clone(),
            logged_reads: self.logged_reads,
            tenants: self.tenants.clone(),
        });

        let ops = std::net::TcpListener::bind(self.ops)
            .with_context(|| format!("--ops-listen {} can't be bound", self.ops))?;
        if !self.ops.ip().is_loopback() {
            tracing::warn!(ops = %self.ops, "the ops listener can be reached from other machines; it names tenants and issuers");
        }
        let announcement = self.announcement(&ops)?;
        let ops = http::serve_ops(&shared, ops)?;
        let ops_handle = ops.handle();
        actix_rt::spawn(ops);

        // A check before the first complete directory would be told of a tenant that it does not exist.
        (&mut actors.complete)
            .await
            .context("the writers' thread ended")?;
        let admin = bind_private(&self.admin)
            .with_context(|| format!("--admin-socket {} can't be bound", self.admin.display()))?;
        let admin = http::serve_admin(&shared, admin)?;
        let checks = http::serve_checks(&shared, self.check, self.workers)?;
        let handles = [checks.handle(), ops_handle, admin.handle()];
        actix_rt::spawn(admin);
        let checks = actix_rt::spawn(checks);
        if let Some(path) = &self.announce {
            announce(path, &announcement)
                .with_context(|| format!("--announce {} can't be written", path.display()))?;
        }
        tracing::info!(
            check = announcement.check.join(" "),
            ops = announcement.ops,
            "ready"
        );
        ready();
        notify(&[NotifyState::Ready]);

        serve(&mut signals, &actors).await;

        notify(&[NotifyState::Stopping]);
        tracing::info!("stopping");
        let [check_handle, ops_handle, admin_handle] = handles;
        check_handle.pause().await;
        sleep(SETTLE).await;
        check_handle.stop(true).await;
        drop(checks.await);
        ops_handle.stop(false).await;
        admin_handle.stop(false).await;
        drop(std::fs::remove_file(&self.admin));
        actors.stop().await;
        store.flush()?;
        tracing::info!("stopped");
        Ok(())
    }

    fn announcement(&self, ops: &std::net::TcpListener) -> anyhow::Result<Announcement> {
        let check = self
            .check
            .iter()
            .map(|listener| {
                listener
                    .address()
                    .map(|address: ListenAddress| address.to_string())
            })
            .collect::<io::Result<_>>()?;
        Ok(Announcement {
            check,
            ops: ops.local_addr()?.to_string(),
            admin: self.admin.clone(),
            pid: std::process::id(),
        })
    }
}

/// Until a signal ends it: reloads, and the sign of life for systemd's watchdog.
async fn serve(signals: &mut Signals, actors: &Actors) {
    // Twice as often as systemd expects it (sd_watchdog_enabled(3)).
    let watchdog = sd_notify::watchdog_enabled();
    let mut tick = interval(watchdog.map_or(Duration::from_hours(24), |every| every / 2));
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return,
            _ = signals.interrupt.recv() => return,
            _ = signals.hangup.recv() => reload(actors).await,
            _ = tick.tick(), if watchdog.is_some() => {
                if writers_live(actors, tick.period()).await {
                    notify(&[NotifyState::Watchdog]);
                } else {
                    tracing::error!("the writers do not answer; the watchdog is not fed");
                }
            }
        }
    }
}

/// SIGHUP. systemd is told so that a drop-in may choose Type=notify-reload (systemd 253 and later).
async fn reload(actors: &Actors) {
    let reloading =
        NotifyState::monotonic_usec_now().map(|now| notify(&[NotifyState::Reloading, now]));
    if let Err(error) = reloading {
        tracing::warn!(%error, "systemd is not told of the reload");
    }
    tracing::info!("SIGHUP: looking through the tenants folder");
    // The watcher has told the registry of what it found before the registry hears the ping.
    if actors.watcher.send(Rescan).await.is_err() || actors.registry.send(Ping).await.is_err() {
        tracing::error!("the writers' thread ended");
    }
    notify(&[NotifyState::Ready]);
}

async fn writers_live(actors: &Actors, patience: Duration) -> bool {
    timeout(patience, actors.live()).await == Ok(true)
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "systemd can't be told");
    }
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Binds a socket that only this user can connect to. It is bound under another name first: between bind and
/// chmod it would be open.
fn bind_private(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::fs::PermissionsExt as _;
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    drop(bind_unix(path)?);
    let listener = bind_unix(&aside)?;
    std::fs::set_permissions(&aside, std::fs::Permissions::from_mode(0o600))?;
    std::fs::rename(&aside, path)?;
    Ok(listener)
}

/// Written aside and renamed: whoever waits for the file finds it whole.
fn announce(path: &Path, announcement: &Announcement) -> io::Result<()> {
    let aside = path.with_extension("new");
    std::fs::write(&aside, serde_json::to_vec(announcement)?)?;
    std::fs::rename(aside, path)
}
