//! Asking a provider about a token: one call in flight per token, whatever the way. Each way to ask is one file.

mod facebook;
mod github;
mod gitlab;
mod google;
mod introspection;
mod parts;
mod slack;
mod userinfo;

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use quick_cache::sync::Cache;
use reqwest::{Client, RequestBuilder, Url, header::HeaderValue};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    breaker::{Admission, Breaker, LONGEST_ASKED, RETRY_AFTER, Setback},
    client::{Answered, FetchError, Outgoing, WHOLE_CALL},
    flights::{Flights, MAX_IN_FLIGHT},
};
use crate::{
    clock,
    decision::{Outage, Unavailable},
    secret::Secret,
    tenant::settings::{AskWay, Asking, ProviderSettings},
    verify::{TokenDigest, claims::Claims, json::Object},
    witness::Witness,
};

/// The largest answer, in bytes: one with hundreds of groups has some 20 KiB.
const MAX_ANSWER: usize = 256 * 1024;
/// How long "active" is believed, in seconds: a revocation works at the latest then.
pub const CACHED_ACTIVE: u64 = 60;
/// How long "inactive" is believed, in seconds: a token that becomes valid is seen soon.
const CACHED_INACTIVE: u64 = 10;
/// The most tokens remembered as inactive. A flood of forged ones turns this over, not the good ones.
const INACTIVE_CAPACITY: usize = 1_000;

/// What the provider said, still to be judged: see [`crate::verify`].
pub enum Answer {
    /// What it says of a token that it calls good.
    Active(Claims<'static>),
    /// A signed answer (RFC 9701 §5), unopened.
    Signed(String),
    /// It does not call it good, or did not a moment ago; with its own word for why, if it has one.
    Inactive(Cow<'static, str>),
}

type Outcome = Result<Arc<Answer>, Outage>;

/// Asks one provider.
pub struct Asker {
    settings: Arc<ProviderSettings>,
    client: Result<Client, FetchError>,
    outgoing: Outgoing,
    breaker: Breaker,
    flights: Flights<TokenDigest, Outcome>,
    inactive: OnceLock<Cache<TokenDigest, u64>>,
    /// Tokens that are not to be asked about for a while: see [`FetchError::OneToken`].
    resting: OnceLock<Cache<TokenDigest, u64>>,
}

impl Asker {
    /// For a provider that has an [`Asking`].
    #[must_use]
    pub fn new(settings: Arc<ProviderSettings>, outgoing: Outgoing) -> Self {
        let client = outgoing.client(settings.ca.as_deref());
        Self {
            settings,
            client,
            outgoing,
            breaker: Breaker::default(),
            flights: Flights::default(),
            inactive: OnceLock::new(),
            resting: OnceLock::new(),
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
    pub async fn ask(
        self: &Arc<Self>,
        token: &str,
        digest: &TokenDigest,
        now: u64,
        witness: &impl Witness,
    ) -> Outcome {
        if self
            .inactive
            .get()
            .and_then(|inactive| inactive.get(digest))
            .is_some_and(|until| now < until)
        {
            return Ok(Arc::new(Answer::Inactive("a moment ago".into())));
        }
        if let Some(resting) = self.resting.get()
            && let Some(until) = resting.get(digest).filter(|until| now < *until)
        {
            return Err(self.outage(until - now, "asked to be left alone about this token"));
        }
        witness.may_ask(|| format!("{}, about this token", self.endpoint()))?;
        let start = |in_flight| {
            if in_flight >= MAX_IN_FLIGHT {
                let message = format!(
                    "{MAX_IN_FLIGHT} calls to {} are in flight ({})",
                    self.endpoint(),
                    self.settings.written_in
                );
                return Err(Outage::new(Unavailable::Overloaded, 1, message));
            }
            if let Admission::Wait(seconds) = self.breaker.admit(now) {
                return Err(self.outage(seconds, "failed several times in a row and is left alone"));
            }
            let (asker, token, digest) =
                (Arc::clone(self), Zeroizing::new(token.to_owned()), *digest);
            Ok(async move { asker.call(&token, &digest).await })
        };
        let runtime = self.outgoing.runtime();
        let outcome = self.flights.join_or_start(*digest, runtime, start).await?;
        outcome.unwrap_or_else(|| Err(self.outage(1, "was being asked when Postern stopped")))
    }

    /// Remembers that the issuer called the token inactive, however it said so.
    pub fn remember_inactive(&self, digest: &TokenDigest, now: u64) {
        self.inactive
            .get_or_init(|| Cache::new(INACTIVE_CAPACITY))
            .insert(*digest, now + CACHED_INACTIVE);
    }

    /// Leaves one token alone for `seconds`, or for as long as is granted to who asks for that.
    fn rest(&self, digest: &TokenDigest, now: u64, seconds: u64) -> u64 {
        let seconds = seconds.clamp(1, LONGEST_ASKED);
        self.resting
            .get_or_init(|| Cache::new(INACTIVE_CAPACITY))
            .insert(*digest, now + seconds);
        seconds
    }

    async fn call(&self, token: &str, digest: &TokenDigest) -> Outcome {
        let answered = match self.caller() {
            // A way that calls twice has no more time than one that calls once.
            Ok(caller) => tokio::time::timeout(WHOLE_CALL, caller.ask(token))
                .await
                .unwrap_or(Err(FetchError::TimedOut)),
            Err(problem) => Err(FetchError::Malformed(problem)),
        };
        let now = clock::now();
        match answered {
            Ok(answer) => {
                self.breaker.succeeded();
                if let Answer::Inactive(_) = answer {
                    self.remember_inactive(digest, now);
                }
                Ok(Arc::new(answer))
            }
            Err(error) => {
                let retry_after = match self.breaker.erred(now, &error) {
                    Setback::Endpoint(seconds) => seconds,
                    Setback::Question(seconds) => self.rest(digest, now, seconds),
                };
                // RFC 7662 §2.3: 401 is about our credentials, never about the caller's token.
                let hint = match error {
                    FetchError::Status {
                        status: 401 | 403,
                        retry_after: None,
                    } => "; check client_id, client_secret and client_auth",
                    _ => "",
                };
                let outage = self.outage(retry_after, &format!("cannot be asked: {error}{hint}"));
                tracing::warn!(
                    issuer = self.label(),
                    provider = self.settings.name,
                    "{outage}"
                );
                Err(outage)
            }
        }
    }

    fn caller(&self) -> Result<Caller<'_>, String> {
        let asking = self.settings.asking.as_ref();
        Ok(Caller {
            asking: asking.ok_or_else(|| "the provider is not asked".to_owned())?,
            settings: &self.settings,
            client: self.client.as_ref().map_err(ToString::to_string)?,
            outgoing: &self.outgoing,
        })
    }

    fn label(&self) -> &str {
        self.settings.label()
    }

    fn endpoint(&self) -> &str {
        let asking = self.settings.asking.as_ref();
        asking.map_or("", |asking| asking.endpoint().as_str())
    }

    fn outage(&self, retry_after: u64, what: &str) -> Outage {
        let message = format!("{} {what} ({})", self.endpoint(), self.settings.written_in);
        Outage::new(Unavailable::IssuerUnavailable, retry_after, message)
    }
}

/// What every way to ask has at hand.
struct Caller<'a> {
    settings: &'a ProviderSettings,
    asking: &'a Asking,
    client: &'a Client,
    outgoing: &'a Outgoing,
}

impl Caller<'_> {
    async fn ask(&self, token: &str) -> Result<Answer, FetchError> {
        match &self.asking.way {
            AskWay::Introspection {
                endpoint,
                signed_answers,
            } => introspection::ask(self, endpoint, signed_answers.is_some(), token).await,
            AskWay::Userinfo { endpoint } => userinfo::ask(self, endpoint, token).await,
            AskWay::Google {
                tokeninfo,
                userinfo,
            } => google::ask(self, tokeninfo, userinfo, token).await,
            AskWay::Github { api } => github::ask(self, api, token).await,
            AskWay::Slack { api } => slack::ask(self, api, token).await,
            AskWay::Gitlab { base, introspect } => {
                gitlab::ask(self, base, *introspect, token).await
            }
            AskWay::Facebook { api } => facebook::ask(self, api, token).await,
        }
    }

    /// Sends a request and reads the answer to its end, whatever its status.
    async fn send(&self, request: RequestBuilder) -> Result<Answered, FetchError> {
        self.outgoing
            .call(request, MAX_ANSWER, self.settings.label())
            .await
    }

    /// Our secret at the provider.
    fn secret(&self) -> Result<&Secret, FetchError> {
        self.asking
            .client_secret
            .as_ref()
            .map_err(|problem| FetchError::Malformed(problem.clone()))
    }
}

/// `Authorization: Basic` with our credentials. RFC 6749 §2.3.1: both are form-encoded before they are joined.
fn basic(client_id: &str, secret: &Secret) -> Result<HeaderValue, FetchError> {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encode(client_id), encode(secret.expose())));
    let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    sensitive(&value)
}

/// `Authorization: Bearer` with the token that is asked about.
fn bearer(token: &str) -> Result<HeaderValue, FetchError> {
    sensitive(&Zeroizing::new(format!("Bearer {token}")))
}

/// A header that no log of the HTTP client shows.
fn sensitive(text: &str) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| FetchError::Malformed("a credential can't be sent as a header".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// An answer that does not say what it must.
fn malformed(what: impl Into<String>) -> FetchError {
    FetchError::Malformed(what.into())
}

/// That path below `base`, each part of it encoded.
fn below(base: &Url, path: &[&str]) -> Result<Url, FetchError> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| malformed("nothing lies below this URL"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

/// A limit of calls that are made with the caller's own token: it is that caller's, and stops nobody else.
fn of_this_token(error: FetchError, usual: u64) -> FetchError {
    let seconds = match error {
        FetchError::RateLimited(seconds) => seconds,
        FetchError::Status {
            status: 429,
            retry_after,
        } => retry_after.unwrap_or(usual),
        other => return other,
    };
    FetchError::OneToken {
        what: "a limit of the token's user is reached".to_owned(),
        retry_after: seconds,
    }
}

/// The provider says, in words of its own, that it does not answer about this token.
fn unanswered(what: String) -> FetchError {
    FetchError::OneToken {
        what,
        retry_after: RETRY_AFTER,
    }
}

/// The object that an answer is.
fn object(answered: &Answered) -> Result<Object<'_>, FetchError> {
    answered.is_json()?;
    Object::read(&answered.body)
        .map_err(|error| FetchError::Malformed(format!("the answer is not understood: {error}")))
}

impl fmt::Debug for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asker({})", self.label())
    }
}
