//! Asking the issuer whether a token is active (RFC 7662): one call in flight per token.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use quick_cache::sync::Cache;
use reqwest::{
    Client, RequestBuilder,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use tokio::sync::watch;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    breaker::{Admission, Breaker},
    client::{FetchError, Outgoing, is_json},
};
use crate::{
    clock,
    decision::{Outage, Unavailable},
    tenant::settings::{ClientAuth, IntrospectionProof, ProviderSettings},
    verify::{
        TokenDigest,
        claims::Claims,
        json::{Json, Object},
    },
};

/// The largest answer, in bytes: one with hundreds of groups has some 20 KiB.
const MAX_ANSWER: usize = 256 * 1024;
/// How long "active" is believed, in seconds: a revocation works at the latest then.
pub const CACHED_ACTIVE: u64 = 60;
/// How long "inactive" is believed, in seconds: a token that becomes valid is seen soon.
const CACHED_INACTIVE: u64 = 10;
/// The most tokens remembered as inactive. A flood of forged ones turns this over, not the good ones.
const INACTIVE_CAPACITY: usize = 1_000;
/// The most calls in flight to one endpoint: a hanging issuer costs this many sockets and no more.
const MAX_IN_FLIGHT: usize = 64;

/// What the issuer said, still to be judged: see [`crate::verify`].
pub enum Answer {
    /// A JSON answer (RFC 7662 §2.2), `active` among its members, whatever its value.
    Active(Claims<'static>),
    /// A signed answer (RFC 9701 §5), unopened.
    Signed(String),
    /// It was inactive a moment ago.
    Inactive,
}

/// Whether a content type is the one that was asked for.
type Accepts = fn(&str) -> bool;
type Outcome = Result<Arc<Answer>, Outage>;

/// One provider's introspection endpoint.
pub struct Introspector {
    settings: Arc<ProviderSettings>,
    client: Result<Client, FetchError>,
    outgoing: Outgoing,
    breaker: Breaker,
    in_flight: Mutex<HashMap<TokenDigest, watch::Receiver<Option<Outcome>>>>,
    inactive: OnceLock<Cache<TokenDigest, u64>>,
}

impl Introspector {
    /// For a provider that has an [`IntrospectionProof`].
    #[must_use]
    pub fn new(settings: Arc<ProviderSettings>, outgoing: Outgoing) -> Self {
        let client = outgoing.client(settings.ca.as_deref());
        Self {
            settings,
            client,
            outgoing,
            breaker: Breaker::default(),
            in_flight: Mutex::default(),
            inactive: OnceLock::new(),
        }
    }

    /// The breaker's state, for status.
    #[must_use]
    pub fn breaker(&self, now: u64) -> &'static str {
        self.breaker.word(now)
    }

    /// The issuer's answer about `token`. Requests that ask about a token that is being asked about wait for
    /// that call. It goes on if they hang up, so that the next one finds it answered.
    ///
    /// # Errors
    /// An outage, if the endpoint cannot be asked.
    pub async fn ask(self: &Arc<Self>, token: &str, digest: &TokenDigest, now: u64) -> Outcome {
        if self
            .inactive
            .get()
            .and_then(|inactive| inactive.get(digest))
            .is_some_and(|until| now < until)
        {
            return Ok(Arc::new(Answer::Inactive));
        }
        let mut answer = self.join_or_start(token, digest, now)?;
        let outcome = answer
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|answer| answer.clone());
        outcome.unwrap_or_else(|| Err(self.outage(1, "was being asked when Postern stopped")))
    }

    /// Remembers that the issuer called the token inactive, however it said so.
    pub fn remember_inactive(&self, digest: &TokenDigest, now: u64) {
        self.inactive
            .get_or_init(|| Cache::new(INACTIVE_CAPACITY))
            .insert(*digest, now + CACHED_INACTIVE);
    }

    fn join_or_start(
        self: &Arc<Self>,
        token: &str,
        digest: &TokenDigest,
        now: u64,
    ) -> Result<watch::Receiver<Option<Outcome>>, Outage> {
        let mut in_flight = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = in_flight.get(digest) {
            return Ok(answer.clone());
        }
        if in_flight.len() >= MAX_IN_FLIGHT {
            let message = format!(
                "{MAX_IN_FLIGHT} calls to the introspection endpoint of provider {} are in flight",
                self.settings.name
            );
            return Err(Outage::new(Unavailable::Overloaded, 1, message));
        }
        if let Admission::Wait(seconds) = self.breaker.admit(now) {
            return Err(self.outage(seconds, "failed several times in a row and is left alone"));
        }
        let (sender, receiver) = watch::channel(None);
        in_flight.insert(*digest, receiver.clone());
        let (asker, token, digest) = (Arc::clone(self), Zeroizing::new(token.to_owned()), *digest);
        self.outgoing.runtime().spawn(async move {
            let called = Called {
                asker: &asker,
                digest,
            };
            let outcome = asker.call(&token).await;
            drop(called);
            sender.send_replace(Some(outcome));
        });
        Ok(receiver)
    }

    async fn call(&self, token: &str) -> Outcome {
        let fetched = match self.request(token) {
            Ok((request, accepts)) => self
                .outgoing
                .fetch(request, MAX_ANSWER, accepts, self.label())
                .await
                .and_then(|(_, body)| self.read(body)),
            Err(problem) => Err(FetchError::Malformed(problem)),
        };
        let now = clock::now();
        match fetched {
            Ok(answer) => {
                self.breaker.succeeded();
                Ok(Arc::new(answer))
            }
            Err(error) => {
                match error {
                    // It doesn't like this one token: nobody's odd tokens close the endpoint for the others.
                    FetchError::Status {
                        status: 400 | 402..=428 | 430..=499,
                        ..
                    } => self.breaker.succeeded(),
                    FetchError::Status {
                        status: 429 | 503,
                        retry_after: Some(seconds),
                    } => self.breaker.pause(now, seconds),
                    _ => self.breaker.failed(now),
                }
                // RFC 7662 §2.3: 401 is about our credentials, never about the caller's token.
                let hint = if let FetchError::Status {
                    status: 401 | 403, ..
                } = error
                {
                    "; check client_id, client_secret and client_auth"
                } else {
                    ""
                };
                let outage = self.outage(5, &format!("cannot be asked: {error}{hint}"));
                tracing::warn!(
                    issuer = self.label(),
                    provider = self.settings.name,
                    "{outage}"
                );
                Err(outage)
            }
        }
    }

    fn request(&self, token: &str) -> Result<(RequestBuilder, Accepts), String> {
        let proof = self.proof()?;
        let client = self.client.as_ref().map_err(ToString::to_string)?;
        let secret = proof.client_secret.as_ref().map_err(Clone::clone)?;
        // Percent-encoding triples a byte at the most; a buffer that grew would leave copies behind.
        let mut form = form_urlencoded::Serializer::new(String::with_capacity(
            3 * (token.len() + secret.expose().len() + proof.client_id.len()) + 128,
        ));
        form.append_pair("token", token)
            .append_pair("token_type_hint", "access_token");
        let mut request = client.post(proof.endpoint.clone());
        match proof.client_auth {
            ClientAuth::Post => {
                form.append_pair("client_id", &proof.client_id)
                    .append_pair("client_secret", secret.expose());
            }
            ClientAuth::Basic => {
                // RFC 6749 §2.3.1: both are form-encoded before they are joined.
                let encode = |text: &str| {
                    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>()
                };
                let pair = Zeroizing::new(format!(
                    "{}:{}",
                    encode(&proof.client_id),
                    encode(secret.expose())
                ));
                let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
                let mut value = HeaderValue::from_str(&value)
                    .map_err(|_| "client_secret cannot be sent".to_owned())?;
                value.set_sensitive(true);
                request = request.header(AUTHORIZATION, value);
            }
        }
        let (accept, accepts): (_, Accepts) = if proof.signed_answers.is_some() {
            ("application/token-introspection+jwt", |essence| {
                essence == "application/token-introspection+jwt"
            })
        } else {
            ("application/json", is_json)
        };
        let request = request
            .header(ACCEPT, accept)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form.finish());
        Ok((request, accepts))
    }

    fn read(&self, body: Vec<u8>) -> Result<Answer, FetchError> {
        if self
            .proof()
            .is_ok_and(|proof| proof.signed_answers.is_some())
        {
            let text = String::from_utf8(body)
                .map_err(|_| FetchError::Malformed("the signed answer is not text".into()))?;
            return Ok(Answer::Signed(text.trim().to_owned()));
        }
        let members = Object::read(&body).map_err(|error| {
            FetchError::Malformed(format!("the answer is not understood: {error}"))
        })?;
        // RFC 7662 §2.2: `active` is the one member that must be there.
        match members.get("active") {
            Some(Json::Bool(_)) => Ok(Answer::Active(members.into_owned().into())),
            _ => Err(FetchError::Malformed(
                "the answer has no boolean \"active\"".into(),
            )),
        }
    }

    fn proof(&self) -> Result<&IntrospectionProof, String> {
        self.settings
            .introspection
            .as_ref()
            .ok_or_else(|| "the provider has no introspection endpoint".to_owned())
    }

    fn label(&self) -> &str {
        let endpoint = self
            .settings
            .introspection
            .as_ref()
            .map_or("", |proof| proof.endpoint.as_str());
        self.settings.issuer.as_deref().unwrap_or(endpoint)
    }

    fn outage(&self, retry_after: u64, what: &str) -> Outage {
        let message = format!(
            "the introspection endpoint of provider {} {what}",
            self.settings.name
        );
        Outage::new(Unavailable::IssuerUnavailable, retry_after, message)
    }
}

/// A call in flight: whatever becomes of it, it is in flight no more when this goes.
struct Called<'a> {
    asker: &'a Introspector,
    digest: TokenDigest,
}

impl Drop for Called<'_> {
    fn drop(&mut self) {
        let in_flight = self.asker.in_flight.lock();
        in_flight
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.digest);
    }
}

impl fmt::Debug for Introspector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Introspector({})", self.label())
    }
}
