//! HTTP: the check listener, the ops listener and the admin socket. Each handler reads what it needs, asks,
//! and answers; only [`response`] turns decisions into statuses.

mod admin;
pub mod audit;
pub mod contract;
pub mod explain;
mod ops;
mod pins;
mod response;
mod self_service;
pub mod tokens;
mod trail;

use std::{
    cell::RefCell,
    convert::Infallible,
    io,
    net::TcpListener,
    os::unix::net::UnixListener,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_http::{
    ConnectionType, HttpMessage as _, HttpService, Payload, Protocol, Request, Response,
    StatusCode,
    body::BoxBody,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use actix_rt::net::UnixStream;
use actix_server::{GracefulShutdownSignal, Server, ServerBuilder};
use actix_service::{Service, ServiceFactory, ServiceFactoryExt as _, fn_service};
use actix_web::{App, HttpServer, web};

use crate::{
    api_tokens::ApiTokens,
    check::{self, Found},
    clock,
    decision::{Decision, Denial, Denied, Grant, Outage, PassThrough, Unavailable},
    metrics::Metrics,
    pins::Ledger,
    policy::mode,
    request::RequestId,
    settings::{Listener, TrustedProxies},
    snapshot::Reader,
    store::Store,
    telemetry::Share,
    tenant::{Directory, TenantId},
};
use trail::Trail;

/// Longer than nginx keeps idle upstream connections (60 s), so that it is never we who close first under it.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a client may take to send its header.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long requests in flight may take once the daemon is told to stop, in seconds.
const DRAIN: u64 = 10;

/// What the handlers of all workers read.
#[derive(Debug)]
pub struct Shared {
    /// The tenants.
    pub directory: Reader<Directory>,
    /// Whose their accounts are.
    pub ledger: Ledger,
    /// Postern's own API tokens.
    pub api_tokens: ApiTokens,
    /// For the audit log, which is read and not written here.
    pub store: Store,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whose word about the client's address is taken.
    pub trusted: TrustedProxies,
    /// Which of the calls that pass and only read are logged as those that write are.
    pub logged_reads: Share,
    /// Where tenant files lie, as it was named.
    pub tenants: PathBuf,
}

/// Starts the check listeners, which answer once the server is awaited or spawned.
///
/// # Errors
/// If a socket can't be listened on.
pub fn serve_checks(
    shared: &Arc<Shared>,
    listeners: Vec<Listener>,
    workers: usize,
) -> io::Result<Server> {
    let builder = Server::build()
        .workers(workers)
        .shutdown_timeout(DRAIN)
        .disable_signals();
    let checks = Checks {
        shared: Arc::clone(shared),
        stopping: builder.graceful_shutdown_signal(),
    };
    let listen = |builder: ServerBuilder, listener| {
        let checks = checks.clone();
        match listener {
            Listener::Tcp(listener) => {
                builder.listen("checks", listener, move || checks.service().tcp())
            }
            Listener::Unix(listener) => builder.listen_uds("checks", listener, move || {
                fn_service(|stream: UnixStream| async { Ok((stream, Protocol::Http1, None)) })
                    .and_then(checks.service())
            }),
        }
    };
    let builder = listeners.into_iter().try_fold(builder, listen)?;
    Ok(builder.run())
}

/// What each worker makes its service of. There is one handler and nothing to route, so it stands on actix-http
/// itself: actix-web's `App` in between took a tenth of the check of a remembered token (measured).
#[derive(Clone)]
struct Checks {
    shared: Arc<Shared>,
    stopping: GracefulShutdownSignal,
}

impl Checks {
    fn service<Stream: 'static>(
        &self,
    ) -> HttpService<
        Stream,
        impl ServiceFactory<
            Request,
            Config = (),
            Response = Response<BoxBody>,
            Error = Infallible,
            InitError = (),
            Service: Service<Request, Future: 'static>,
            Future: 'static,
        > + use<Stream>,
        BoxBody,
    > {
        let (shared, stopping) = (Arc::clone(&self.shared), self.stopping.clone());
        HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEADER_TIMEOUT)
            .on_connect_ext(|_, connection| {
                connection.insert(UnreadBody::default());
            })
            .finish(move |request| {
                let shared = Arc::clone(&shared);
                async move { Ok(answer(request, &shared).await) }
            })
    }
}

/// Starts the ops listener.
///
/// # Errors
/// If the socket can't be listened on.
pub fn serve_ops(shared: &Arc<Shared>, listener: TcpListener) -> io::Result<Server> {
    let data = web::Data::from(Arc::clone(shared));
    let server = HttpServer::new(move || App::new().app_data(data.clone()).configure(ops::routes))
        .listen(listener)?;
    Ok(server
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals()
        .run())
}

/// Starts the admin socket.
///
/// # Errors
/// If the socket can't be listened on.
pub fn serve_admin(shared: &Arc<Shared>, listener: UnixListener) -> io::Result<Server> {
    let data = web::Data::from(Arc::clone(shared));
    let app = move || App::new().app_data(data.clone()).configure(admin::routes);
    let server = HttpServer::new(app)
        .on_connect(admin::remember_peer)
        .listen_uds(listener)?;
    Ok(server
        .workers(1)
        .shutdown_timeout(1)
        .disable_signals()
        .run())
}

/// A body that was announced and is never read, kept until its connection ends: actix-http closes the connection of
/// an unread body, but of one that was dropped it awaits the last chunk, and that may never come.
#[derive(Default)]
struct UnreadBody(RefCell<Option<Payload>>);

async fn answer(mut http: Request, shared: &Shared) -> Response<BoxBody> {
    let body = http.take_payload();
    if self_service::is_for(&http) {
        // Boxed, since its future is large and would be moved with that of every check.
        return Box::pin(self_service::answer(http, body, shared)).await;
    }
    let Some((endpoint, tenant, target)) = contract::route(&http) else {
        return Response::new(StatusCode::NOT_FOUND);
    };
    let started = Instant::now();
    let id = RequestId::next();
    let request = contract::read(&http, endpoint, target, id, &shared.trusted);
    let directory = shared.directory.current();
    let reader = directory.tenants.get(tenant);
    let state = reader.map(Reader::current);
    let serving = state.as_ref().and_then(|state| state.serving.as_deref());
    let mut found = Found::default();
    let decision = match (&request, serving) {
        (Err(denial), _) => Decision::Deny(denial.clone()),
        (Ok(request), Some(tenant)) => {
            check::check(tenant, request, clock::now(), &mut found).await
        }
        (Ok(_), None) => no_tenant(&directory, tenant, state.is_some()),
    };
    let (request, settings) = (request.ok(), serving.map(|tenant| &*tenant.settings));
    let observed = settings
        .zip(request.as_ref())
        .is_some_and(|(settings, request)| mode::passes_untouched(&settings.access, request));
    serving
        .map_or(&shared.metrics.unknown_tenant, |tenant| &tenant.decisions)
        .count(&decision, observed);
    let took = started.elapsed();
    shared.metrics.check_duration.observe(took.as_secs_f64());
    if let (Some(request), Some(tenant)) = (&request, serving) {
        tenant.recent.remember(tenant, request, &decision);
    }
    let trail = Trail {
        settings,
        found,
        observed,
        logged_reads: shared.logged_reads,
        ..Trail::new(id, tenant, took)
    };
    trail.about(request.as_ref()).tell(&decision);
    let decision = if observed {
        Decision::Allow(Grant::product_decides(PassThrough::Observe))
    } else {
        decision
    };
    let mut response = response::from(&decision, request.as_ref(), endpoint, id, settings);
    leave_unread(&http, body, &mut response);
    response
}

/// Ends the connection behind the answer to a request whose body was announced and not read to its end.
fn leave_unread(http: &Request, body: Payload, response: &mut Response<BoxBody>) {
    if announces_body(http) {
        // nginx announces a body and sends none, and would take our next answer for another request's.
        response
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        if let Some(unread) = http.conn_data::<UnreadBody>() {
            unread.0.replace(Some(body));
        }
    }
}

fn no_tenant(directory: &Directory, name: &str, known: bool) -> Decision {
    if known {
        let message = "the tenant's file is broken, and there never was a good one; postern status shows what is wrong";
        return Decision::Unavailable(Outage::new(Unavailable::TenantUnavailable, 10, message));
    }
    if !directory.complete {
        return Decision::Unavailable(Outage::new(
            Unavailable::TenantUnavailable,
            1,
            "the tenants are being read",
        ));
    }
    let message = match name.parse::<TenantId>() {
        Ok(name) => {
            format!("there is no tenant {name}; is there a file {name}.toml in the tenants folder?")
        }
        Err(invalid) => invalid.to_string(),
    };
    Decision::Deny(Denial::new(Denied::TenantUnknown, message))
}

fn announces_body(http: &Request) -> bool {
    let headers = http.headers();
    headers.contains_key(TRANSFER_ENCODING)
        || headers
            .get_all(CONTENT_LENGTH)
            .any(|length| length.as_bytes() != b"0")
}
