//! A real little OAuth 2.0 issuer for loopback only: `serve --dev` shows it, and the tests drive it.
//!
//! It signs with real keys, publishes them, answers discovery and introspection, rotates on demand,
//! and lies or fails exactly when a test tells it to. It must never be reachable from elsewhere: its
//! keys live in memory and `POST /token` hands a token to whoever asks. So it binds loopback
//! addresses only, and turns browsers away (see `routes`), since a page from anywhere can make a
//! browser talk to loopback.
//!
//! | file | holds |
//! |---|---|
//! | `keys` | key pairs by generation, signatures, the key set as published |
//! | `token` | what a token says, and odd tokens for tests |
//! | `issued` | which tokens introspection calls active |
//! | `authority` | the three together, with the issuer's settings: the state that outlives a stop |
//! | `fault` | what a lying or failing issuer does, and counts of what was asked |
//! | `routes` | HTTP |
//! | `server` | the thread that serves it |

mod authority;
mod fault;
mod issued;
mod keys;
mod routes;
mod server;
#[cfg(test)]
mod tests;
mod token;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

pub use authority::ClientAuth;
use authority::{Authority, Settings};
pub use fault::Fault;
pub use keys::{Algorithm, UnknownAlgorithm};
use server::Server;
pub use token::{SignWith, TokenBuilder};

/// Whom access tokens are for unless a test says otherwise; the tenant `dev` expects the same.
pub const AUDIENCE: &str = "postern-dev";

/// The OAuth client that may ask for introspection unless [`Issuer::set_client`] names another.
pub const CLIENT_ID: &str = "dev";

/// The secret that goes with [`CLIENT_ID`]. No secret at all: it guards loopback test data.
pub const CLIENT_SECRET: &str = "dev-secret";

/// A handle to a running issuer. The server stops when the last handle drops.
#[derive(Clone)]
#[must_use = "the server stops when the last handle drops"]
pub struct Issuer(Arc<Running>);

struct Running {
    authority: Arc<Authority>,
    address: SocketAddr,
    /// `None` between [`Issuer::stop`] and [`Issuer::resume`].
    server: Mutex<Option<Server>>,
}

/// What must be known before an issuer starts; made by [`Issuer::builder`].
#[derive(Debug, Clone)]
#[must_use = "an issuer runs only after start()"]
pub struct Builder {
    algorithm: Algorithm,
    address: SocketAddr,
}

// === impl Builder ===

impl Builder {
    /// What tokens and introspection answers are signed with unless they say otherwise; its key is
    /// made at the start, so that it is published from the first fetch. ES256 if not set, because
    /// its keys are made in no time.
    pub fn algorithm(mut self, algorithm: Algorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Where to listen; 127.0.0.1 with a port of the system's choosing if not set.
    pub fn address(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// Binds and serves. The issuer answers once this returns.
    ///
    /// # Errors
    /// If the address is not a loopback address, or cannot be bound.
    pub fn start(self) -> io::Result<Issuer> {
        let listener = server::bind(self.address)?;
        let address = listener.local_addr()?;
        let authority = Arc::new(Authority::new(address, self.algorithm));
        let server = Server::start(listener, &authority)?;
        Ok(Issuer(Arc::new(Running {
            authority,
            address,
            server: Mutex::new(Some(server)),
        })))
    }
}

// === impl Issuer ===

impl Issuer {
    /// An issuer on 127.0.0.1, at a port of the system's choosing, that signs with ES256.
    ///
    /// # Errors
    /// If no port can be bound.
    pub fn start() -> io::Result<Self> {
        Self::builder().start()
    }

    /// The same at a given address. To bring an issuer back *with its keys*, use [`Issuer::stop`]
    /// and [`Issuer::resume`]; a second start at an address is another issuer.
    ///
    /// # Errors
    /// If the address is not a loopback address, or cannot be bound.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        Self::builder().address(address).start()
    }

    /// An issuer that is set up before it starts.
    pub fn builder() -> Builder {
        Builder {
            algorithm: Algorithm::Es256,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        }
    }

    /// The `iss` of its tokens and the root of its routes: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.0.authority.url
    }

    /// Where it listens, stopped or not.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// What tokens are signed with unless they say otherwise.
    #[must_use]
    pub fn default_algorithm(&self) -> Algorithm {
        self.0.authority.algorithm
    }

    /// Closes the listener and every connection, those that hang included. Once this returns,
    /// connects are refused. Keys, tokens, settings and counts stay.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Serves again after [`Issuer::stop`], at the same address and with the same state. Does
    /// nothing if the issuer is running.
    ///
    /// # Errors
    /// If another process took the port in the meantime and keeps it.
    pub fn resume(&self) -> io::Result<()> {
        let mut server = lock(&self.0.server);
        if server.is_none() {
            let listener = server::rebind(self.0.address)?;
            *server = Some(Server::start(listener, &self.0.authority)?);
        }
        Ok(())
    }

    /// A token in the making, with honest defaults.
    pub fn token(&self) -> TokenBuilder<'_> {
        TokenBuilder::new(&self.0.authority)
    }

    /// A compact JWS over exactly these texts, however odd they are: members twice, `alg` none, a
    /// wrong `typ`, no JSON at all. Nothing is added, and introspection does not know the result.
    ///
    /// What signs is told apart from what the header claims: see [`SignWith`]; an [`Algorithm`]
    /// alone means the current key for it.
    #[must_use]
    pub fn sign_raw<'a>(
        &self,
        with: impl Into<SignWith<'a>>,
        header: impl AsRef<[u8]>,
        payload: impl AsRef<[u8]>,
    ) -> String {
        let keys = self.0.authority.current_keys();
        token::compact(&keys, with.into(), header.as_ref(), payload.as_ref())
    }

    /// The name of the current key for an algorithm, as in the key set. An RSA key pair is made on
    /// first use, which takes a while; asking for its name is a way to have it published early.
    #[must_use]
    pub fn kid(&self, algorithm: Algorithm) -> String {
        self.0.authority.current_keys().kid(algorithm)
    }

    /// The current public key for an algorithm as a PEM `SubjectPublicKeyInfo` (`PUBLIC KEY`).
    #[must_use]
    pub fn public_key_pem(&self, algorithm: Algorithm) -> String {
        self.0.authority.current_keys().spki_pem(algorithm)
    }

    /// The current RSA public key as PEM PKCS#1 (`RSA PUBLIC KEY`).
    #[must_use]
    pub fn rsa_pkcs1_pem(&self) -> String {
        self.0.authority.current_keys().rsa_pkcs1_pem()
    }

    /// The key set just as `/jwks` serves it, for tests that publish it with something added.
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.0.authority.jwks()
    }

    /// The metadata document just as discovery serves it, for the same kind of tests.
    #[must_use]
    pub fn metadata(&self) -> Value {
        self.0.authority.metadata()
    }

    /// Makes a new current key for every algorithm in use; the old ones stay published.
    pub fn rotate(&self) {
        self.0.authority.rotate();
    }

    /// Leaves only the current keys in the published key set.
    pub fn withdraw_old(&self) {
        self.0.authority.withdraw_old();
    }

    /// From now on introspection calls this token inactive. Its signature stays good, of course.
    pub fn revoke(&self, token: &str) {
        self.0.authority.revoke(token);
    }

    /// The `Cache-Control` of `/jwks`, or none. `max-age=300` at the start.
    pub fn set_cache_control(&self, value: Option<String>) {
        self.change(|settings| settings.cache_control = value);
    }

    /// The one client that may introspect; [`CLIENT_ID`] and [`CLIENT_SECRET`] at the start.
    pub fn set_client(&self, id: impl Into<String>, secret: impl Into<String>) {
        self.change(|settings| {
            (settings.client_id, settings.client_secret) = (id.into(), secret.into());
        });
    }

    /// How that client must prove itself; [`ClientAuth::Either`] at the start.
    pub fn set_client_auth(&self, auth: ClientAuth) {
        self.change(|settings| settings.client_auth = auth);
    }

    /// Whether introspection answers with a signed JWT (RFC 9701) when it is asked for one. Off at
    /// the start: then such a request gets plain JSON, as from an issuer that does not know how.
    pub fn set_signed_introspection(&self, on: bool) {
        self.change(|settings| settings.signed_introspection = on);
    }

    /// Decides, for the path of every request from now on, whether the issuer fails. It replaces
    /// the decision before; `|_| Fault::None` makes the issuer honest again.
    ///
    /// The closure must not hold an [`Issuer`]: that handle would keep this issuer alive for good.
    pub fn intercept(&self, decide: impl Fn(&str) -> Fault + Send + Sync + 'static) {
        self.0.authority.traffic.intercept(Arc::new(decide));
    }

    /// How many requests for this path have come in, those that met a fault included.
    #[must_use]
    pub fn hits(&self, path: &str) -> usize {
        self.0.authority.traffic.count(path).hits
    }

    /// How many requests for this path are being held at this moment by [`Fault::Hang`],
    /// [`Fault::Drip`] or [`Fault::Delay`].
    #[must_use]
    pub fn waiting(&self, path: &str) -> usize {
        self.0.authority.traffic.count(path).waiting
    }

    fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut lock(&self.0.authority.settings));
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&self.url()).finish()
    }
}

// === impl Running ===

impl Running {
    fn stop(&self) {
        // Waiting happens under the lock on purpose: a resume at the same time must find the port free.
        let mut server = lock(&self.server);
        if let Some(server) = server.take() {
            server.stop();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A test that panics while it holds one of these locks must not take the issuer from the others;
/// every value behind them is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
