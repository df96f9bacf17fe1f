//! The thread that serves the issuer, with an actix system of its own, so that it works inside the
//! daemon and in a synchronous test alike.

use std::{
    any::Any,
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsFd,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpServer,
    dev::{Extensions, Server as Serving},
    rt, web,
};
use tokio::sync::oneshot;

use super::{authority::Authority, routes};

/// How long an idle connection stays open: longer than clients keep theirs (reqwest: 90 s), so that
/// none sends a request into a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_mins(2);

/// How long a stop waits for the worker to let go of its connections. It takes milliseconds, unless
/// a test's decision about faults blocks the worker.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How long a resume waits for its port: while the issuer was stopped, a client connection on this
/// machine may have been given it for a moment.
const REBIND_LIMIT: Duration = Duration::from_secs(5);

/// A running server. Dropped without [`Server::stop`], it stops too, but nobody waits for it.
pub(super) struct Server {
    stop: oneshot::Sender<Infallible>,
    thread: JoinHandle<()>,
    /// Closed once the worker and all its connections are gone, because each holds a sender.
    gone: mpsc::Receiver<Infallible>,
}

impl Server {
    pub(super) fn start(listener: TcpListener, authority: &Arc<Authority>) -> io::Result<Self> {
        let authority = web::Data::from(Arc::clone(authority));
        let (stop, stopped) = oneshot::channel::<Infallible>();
        let (alive, gone) = mpsc::channel();
        let (ready, started) = mpsc::channel();
        let serve = async move {
            let server = match listen(listener, authority, alive) {
                Ok(server) => server,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let handle = server.handle();
            rt::spawn(async move {
                let _ = stopped.await;
                // Not gracefully: a connection that hangs is what tests are about.
                handle.stop(false).await;
            });
            let _ = ready.send(Ok(()));
            if let Err(error) = server.await {
                tracing::error!(%error, "the dev issuer could not serve");
            }
        };
        let thread = thread::Builder::new()
            .name("dev-issuer".to_owned())
            .spawn(move || rt::System::new().block_on(serve))?;
        started.recv().map_err(io::Error::other)??;
        Ok(Self { stop, thread, gone })
    }

    /// Returns once the listener and all connections are closed.
    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
        // The server has told its worker to stop, but does not wait for it.
        let _ = self.gone.recv_timeout(STOP_LIMIT);
    }
}

fn listen(
    listener: TcpListener,
    authority: web::Data<Authority>,
    alive: mpsc::Sender<Infallible>,
) -> io::Result<Serving> {
    let app = move || {
        App::new()
            .app_data(alive.clone())
            .app_data(authority.clone())
            .wrap(actix_web::middleware::from_fn(routes::admit))
            .configure(routes::configure)
    };
    let server = HttpServer::new(app)
        .workers(1)
        .disable_signals()
        .keep_alive(KEEP_ALIVE)
        // A client that gave up ends its request, so that it no longer counts as waiting.
        .h1_allow_half_closed(false)
        .on_connect(keep_connection)
        .listen(listener)?;
    Ok(server.run())
}

/// Keeps a second handle to the connection within reach of its requests: actix-web has no other way
/// to close a connection without an answer.
fn keep_connection(connection: &dyn Any, extensions: &mut Extensions) {
    if let Some(connection) = connection.downcast_ref::<rt::net::TcpStream>()
        && let Ok(connection) = connection.as_fd().try_clone_to_owned()
    {
        extensions.insert(TcpStream::from(connection));
    }
}

/// Binds a loopback address, and no other: whoever reaches this issuer can have any token.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "the dev issuer gives a token to whoever asks, so it listens on loopback only, not on {address}"
            ),
        ));
    }
    TcpListener::bind(address)
}

/// Binds an address that this process has bound before.
pub(super) fn rebind(address: SocketAddr) -> io::Result<TcpListener> {
    let end = Instant::now() + REBIND_LIMIT;
    loop {
        match bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < end => {
                thread::sleep(Duration::from_millis(20));
            }
            result => return result,
        }
    }
}
