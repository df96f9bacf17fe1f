//! The outgoing HTTP client: bounded in time and size, https only, and never led to another host.

use std::{
    collections::HashMap,
    error::Error as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest;
use reqwest::{
    Certificate, Client, NoProxy, Proxy, RequestBuilder, Response, Url,
    header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER, SET_COOKIE},
    redirect,
};
use url::Host;

use crate::{clock, metrics::Metrics};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(2);
/// How long a whole call may take, the body included: a slow drip ends here.
pub const WHOLE_CALL: Duration = Duration::from_secs(5);
/// Redirects that are followed, on the same host.
const MAX_REDIRECTS: usize = 3;

/// Where outgoing calls run: on a runtime of their own, so that neither a slow issuer nor a caller that
/// hangs up disturbs the other.
#[derive(Clone)]
pub struct Outgoing {
    runtime: tokio::runtime::Handle,
    clients: Arc<Mutex<HashMap<Option<[u8; 32]>, Client>>>,
    metrics: Arc<Metrics>,
}

/// Why an outgoing call brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// No connection, no TLS, or no whole answer.
    #[error("{0}")]
    Unreachable(String),
    /// More than [`WHOLE_CALL`] went by.
    #[error("no whole answer within {} s", WHOLE_CALL.as_secs())]
    TimedOut,
    /// Another status than 200.
    #[error("it answered with status {status}")]
    Status {
        /// As answered.
        status: u16,
        /// `Retry-After` in seconds, if it was sent so.
        retry_after: Option<u64>,
    },
    /// A larger answer than is read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Not the type of document that was asked for.
    #[error("the answer is of the type {0:?}, and JSON is wanted")]
    WrongType(String),
    /// A document that does not say what it must.
    #[error("{0}")]
    Malformed(String),
    /// It says, in words of its own, that it wants to be left alone for that many seconds.
    #[error("it asks to be left alone for {0} s")]
    RateLimited(u64),
    /// What stops one token, or one account, and is no word about the endpoint: a limit of that token's user, say.
    #[error("{what}")]
    OneToken {
        /// What it is.
        what: String,
        /// For how many seconds not to ask about it.
        retry_after: u64,
    },
}

/// An answer, read to its end, whatever its status.
#[derive(Debug)]
pub struct Answered {
    /// As answered.
    pub status: u16,
    /// For how many seconds the other side asks to be left alone.
    pub retry_after: Option<u64>,
    /// Without parameters, in lower case.
    pub content_type: String,
    /// The header fields, without those that carry a session.
    pub headers: HeaderMap,
    /// The whole of it.
    pub body: Vec<u8>,
}

impl Answered {
    /// Itself, if it is 200.
    ///
    /// # Errors
    /// [`FetchError::Status`].
    pub fn ok(self) -> Result<Self, FetchError> {
        match self.status {
            200 => Ok(self),
            status => Err(FetchError::Status {
                status,
                retry_after: self.retry_after,
            }),
        }
    }

    /// Whether it is of that type.
    ///
    /// # Errors
    /// [`FetchError::WrongType`].
    pub fn is_of(&self, essence: &str) -> Result<(), FetchError> {
        if self.content_type == essence {
            return Ok(());
        }
        Err(self.wrong_type())
    }

    /// Whether it is JSON, or says so.
    ///
    /// # Errors
    /// [`FetchError::WrongType`].
    pub fn is_json(&self) -> Result<(), FetchError> {
        if is_json(&self.content_type) {
            return Ok(());
        }
        Err(self.wrong_type())
    }

    fn wrong_type(&self) -> FetchError {
        FetchError::WrongType(self.content_type.chars().take(100).collect())
    }
}

impl FetchError {
    /// The seconds for which the other side asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::RateLimited(seconds) => Some(*seconds),
            Self::OneToken { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }

    /// One word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Status { .. } | Self::OneToken { .. } => "status",
            Self::TooLarge(_) => "too_large",
            Self::WrongType(_) => "wrong_type",
            Self::Malformed(_) => "malformed",
            Self::RateLimited(_) => "rate_limited",
        }
    }
}

impl Outgoing {
    /// Calls will run on `runtime`.
    #[must_use]
    pub fn new(runtime: tokio::runtime::Handle, metrics: Arc<Metrics>) -> Self {
        Self {
            runtime,
            clients: Arc::default(),
            metrics,
        }
    }

    /// Where the calls run.
    #[must_use]
    pub fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// The client that trusts `ca` (PEM) besides the system's authorities. Clients are shared: one per CA.
    ///
    /// # Errors
    /// [`FetchError::Malformed`], if `ca` is no PEM.
    pub fn client(&self, ca: Option<&[u8]>) -> Result<Client, FetchError> {
        let id = ca.map(ca_digest);
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&id) {
            return Ok(client.clone());
        }
        let client = build(ca)?;
        clients.insert(id, client.clone());
        Ok(client)
    }

    /// Sends a request, reads at most `limit` bytes of a 200 of the right type, and counts the outcome under
    /// `issuer`.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn fetch(
        &self,
        request: RequestBuilder,
        limit: usize,
        accepts: fn(&str) -> bool,
        issuer: &str,
    ) -> Result<(HeaderMap, Vec<u8>), FetchError> {
        let fetched = read(request, limit, accepts).await;
        let outcome = fetched.as_ref().map_or_else(FetchError::word, |_| "ok");
        self.count(issuer, outcome);
        fetched
    }

    /// Sends a request, reads at most `limit` bytes of whatever is answered, and counts the outcome under `issuer`.
    ///
    /// # Errors
    /// [`FetchError`], but for [`FetchError::Status`] and [`FetchError::WrongType`].
    pub async fn call(
        &self,
        request: RequestBuilder,
        limit: usize,
        issuer: &str,
    ) -> Result<Answered, FetchError> {
        let answered = async {
            let mut response = request.send().await.map_err(failed)?;
            let mut headers = std::mem::take(response.headers_mut());
            headers.remove(SET_COOKIE);
            Ok(Answered {
                status: response.status().as_u16(),
                retry_after: retry_after(&headers, clock::now()),
                content_type: essence(&headers),
                body: body(&mut response, limit).await?,
                headers,
            })
        };
        let answered = answered.await;
        self.count(
            issuer,
            match &answered {
                Ok(answered) if answered.status == 200 => "ok",
                Ok(_) => "status",
                Err(error) => FetchError::word(error),
            },
        );
        answered
    }

    fn count(&self, issuer: &str, outcome: &str) {
        self.metrics
            .outgoing
            .with_label_values(&[issuer, outcome])
            .inc();
    }
}

/// Identifies a CA in keys of maps and of the store.
#[must_use]
pub fn ca_digest(pem: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, pem)
        .as_ref()
        .try_into()
        .expect("SHA-256 has 32 bytes")
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are sent to"
)]
fn build(ca: Option<&[u8]>) -> Result<Client, FetchError> {
    let same_host = redirect::Policy::custom(|attempt| {
        let came_from = attempt.previous().first().map(origin);
        if came_from == Some(origin(attempt.url())) && attempt.previous().len() <= MAX_REDIRECTS {
            attempt.follow()
        } else {
            attempt.stop()
        }
    });
    let mut builder = Client::builder()
        .user_agent(concat!("postern/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(WHOLE_CALL)
        .redirect(same_host)
        // By itself reqwest would hand what goes to loopback over http, secrets and all, to HTTP_PROXY.
        .no_proxy();
    if let Some(proxy) = https_proxy()? {
        builder = builder.proxy(proxy);
    }
    if let Some(pem) = ca {
        let unusable = |error| FetchError::Malformed(format!("`ca` is not usable: {error}"));
        for certificate in Certificate::from_pem_bundle(pem).map_err(unusable)? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| {
        FetchError::Unreachable(format!("no HTTP client can be made: {}", chain(&error)))
    })
}

/// The proxy of `HTTPS_PROXY`, which sees nothing but TLS, except for the hosts of `NO_PROXY`.
fn https_proxy() -> Result<Option<Proxy>, FetchError> {
    let mut address = ["https_proxy", "HTTPS_PROXY"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok());
    let Some(address) = address.find(|address| !address.is_empty()) else {
        return Ok(None);
    };
    // The address may hold a password, so the error must not repeat it.
    let proxy = Proxy::https(address)
        .map_err(|_| FetchError::Malformed("HTTPS_PROXY holds no usable address".into()))?;
    Ok(Some(proxy.no_proxy(NoProxy::from_env())))
}

/// The client of the daemon's own admin socket.
///
/// # Errors
/// If no client can be made.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that the others are sent to"
)]
pub fn over_socket(path: &std::path::Path) -> reqwest::Result<Client> {
    Client::builder()
        .unix_socket(path)
        .timeout(WHOLE_CALL)
        .build()
}

fn origin(url: &Url) -> (String, Option<String>, Option<u16>) {
    (
        url.scheme().to_owned(),
        url.host_str().map(str::to_owned),
        url.port_or_known_default(),
    )
}

async fn read(
    request: RequestBuilder,
    limit: usize,
    accepts: fn(&str) -> bool,
) -> Result<(HeaderMap, Vec<u8>), FetchError> {
    let mut response = request.send().await.map_err(failed)?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(FetchError::Status {
            status,
            retry_after: retry_after(response.headers(), clock::now()),
        });
    }
    let essence = essence(response.headers());
    if !accepts(&essence) {
        return Err(FetchError::WrongType(essence.chars().take(100).collect()));
    }
    let body = body(&mut response, limit).await?;
    Ok((std::mem::take(response.headers_mut()), body))
}

async fn body(response: &mut Response, limit: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > limit {
            return Err(FetchError::TooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The content type without its parameters.
fn essence(headers: &HeaderMap) -> String {
    let content_type = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// For how many seconds the other side asks to be left alone: `Retry-After` (RFC 9110 §10.2.3, either form), or else a
/// used-up limit and its end, as GitHub (`x-ratelimit-*`) and Okta (`x-rate-limit-*`) tell them.
fn retry_after(headers: &HeaderMap, now: u64) -> Option<u64> {
    if let Some(after) = text(headers, RETRY_AFTER.as_str()) {
        let at = || {
            let date = httpdate::parse_http_date(after).ok()?;
            let date = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(date.as_secs().saturating_sub(now))
        };
        return after.parse().ok().or_else(at);
    }
    ["x-ratelimit", "x-rate-limit"].iter().find_map(|prefix| {
        let of = |name: &str| text(headers, &format!("{prefix}-{name}"));
        let reset: u64 = of("reset")
            .filter(|_| of("remaining") == Some("0"))?
            .parse()
            .ok()?;
        Some(reset.saturating_sub(now).max(1))
    })
}

fn failed(error: reqwest::Error) -> FetchError {
    if error.is_timeout() {
        FetchError::TimedOut
    } else {
        FetchError::Unreachable(chain(&error.without_url()))
    }
}

/// An error with its causes: "error sending request" alone helps nobody at night.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// `application/json` and every `+json` (RFC 6839 §3.1).
#[must_use]
pub fn is_json(essence: &str) -> bool {
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Whether Postern may connect to `url`: https, or http towards this very machine.
#[must_use]
pub fn is_allowed(url: &Url) -> bool {
    match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(url),
        _ => false,
    }
}

/// Whether `url` leads to this very machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
