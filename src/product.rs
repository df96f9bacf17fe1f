//! What Postern asks the protected product itself: whether a session is somebody's, and who an account is. One call in
//! flight per question, and what was answered is remembered for a while. How each product is asked and answers is one
//! file; nothing else here knows a path or a member of theirs.

mod bitbucket;
mod caller;
mod confluence;
mod jira;
mod questions;

use std::{fmt, net::IpAddr, sync::Arc};

use reqwest::Client;
use zeroize::Zeroizing;

use crate::{
    account::fold,
    decision::{Outage, Unavailable},
    issuer::client::{FetchError, Outgoing},
    policy,
    tenant::settings::{Product as Kind, Upstream},
    verify::TokenDigest,
    witness::Witness,
};
use caller::{As, Caller};
use questions::{Kept, Questions};

/// How long it is believed who an account is, in seconds: a group that is taken away works at the latest then.
const ACCOUNT_KEPT: u64 = 300;
/// The most accounts that are remembered; one in fifty groups takes some 2 KiB.
const ACCOUNTS: usize = 2_000;
/// How long it is believed that a session is somebody's, in seconds: a logout works at the latest then.
const SESSION_KEPT: u64 = 30;
/// The most sessions that are remembered; one takes about 100 bytes.
const SESSIONS: usize = 10_000;

/// An account as the product knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// As the product writes it.
    pub name: String,
    /// Whether it may log in; `None` where the product does not say.
    pub active: Option<bool>,
    /// All its groups.
    pub groups: Box<[String]>,
}

/// The product of one tenant, as it can be asked.
pub struct Product {
    settings: Arc<Upstream>,
    client: Result<Client, FetchError>,
    outgoing: Outgoing,
    accounts: Questions<Box<str>, Option<Arc<Account>>>,
    sessions: Questions<TokenDigest, bool>,
}

impl Product {
    /// The product that `settings` tell how to ask.
    #[must_use]
    pub fn new(settings: Arc<Upstream>, outgoing: Outgoing) -> Self {
        let accounts = Kept {
            is_lasting: Option::is_some,
            seconds: ACCOUNT_KEPT,
            capacity: ACCOUNTS,
        };
        let sessions = Kept {
            is_lasting: |is_somebodys| *is_somebodys,
            seconds: SESSION_KEPT,
            capacity: SESSIONS,
        };
        Self {
            client: outgoing.client(settings.ca.as_deref()),
            accounts: Questions::new(Arc::clone(&settings), accounts),
            sessions: Questions::new(Arc::clone(&settings), sessions),
            settings,
            outgoing,
        }
    }

    /// As the tenant's file says.
    #[must_use]
    pub fn settings(&self) -> &Upstream {
        &self.settings
    }

    /// How looking up accounts and sessions fares, for status: the words of [`Breaker`](crate::issuer::breaker::Breaker).
    #[must_use]
    pub fn breakers(&self, now: u64) -> (&'static str, &'static str) {
        (self.accounts.breaker(now), self.sessions.breaker(now))
    }

    /// Who the account of that name is, compared without regard to case; `None` if there is none. What was answered
    /// less than 5 minutes ago is answered again, that there is none for 10 s.
    ///
    /// # Errors
    /// An outage, if the product cannot be asked, does not know us as an administrator, or answers something else.
    pub async fn account(
        self: &Arc<Self>,
        name: &str,
        now: u64,
        witness: &impl Witness,
    ) -> Result<Option<Arc<Account>>, Outage> {
        let folded = fold(name);
        if let Some(known) = self.accounts.known(folded.as_str(), now) {
            return known;
        }
        witness.may_ask(|| format!("{}, which account that is", self.settings.address))?;
        let call = || {
            let (product, name) = (Arc::clone(self), name.to_owned());
            async move { product.look_up(&name).await }
        };
        let runtime = self.outgoing.runtime();
        self.accounts.ask(folded.into(), runtime, now, call).await
    }

    /// Whether the product's session among `cookies` (a `Cookie` field) is somebody's, for a caller at `address`. What
    /// was answered less than 30 s ago is answered again, that it is nobody's for 10 s.
    ///
    /// # Errors
    /// An outage, if the product cannot be asked, or answers something else.
    pub async fn is_session(
        self: &Arc<Self>,
        cookies: &[u8],
        address: Option<IpAddr>,
        now: u64,
        witness: &impl Witness,
    ) -> Result<bool, Outage> {
        let cookies = self.session_among(cookies);
        if cookies.is_empty() {
            return Ok(false);
        }
        let digest = digest(&cookies, address);
        if let Some(known) = self.sessions.known(&digest, now) {
            return known;
        }
        witness.may_ask(|| format!("{}, whose session that is", self.settings.address))?;
        let call = || {
            let product = Arc::clone(self);
            async move {
                let session = As::Session {
                    cookies: &cookies,
                    address,
                };
                Ok(product.whose(session).await?.is_some())
            }
        };
        let runtime = self.outgoing.runtime();
        self.sessions.ask(digest, runtime, now, call).await
    }

    /// The product's session cookies among others, without those that asking would spend.
    fn session_among(&self, cookies: &[u8]) -> Zeroizing<Vec<u8>> {
        let product = self.settings.product;
        let spent = match product {
            Kind::Jira | Kind::Confluence => &[][..],
            Kind::Bitbucket => bitbucket::SPENT_BY_ASKING,
        };
        // As long as it can become: it leaves no copies behind as it grows.
        let mut session = Zeroizing::new(Vec::with_capacity(cookies.len() + 1));
        for (name, cookie) in policy::session_cookies(product, cookies) {
            if spent.iter().any(|spent| spent.as_bytes() == name) {
                continue;
            }
            if !session.is_empty() {
                session.extend_from_slice(b"; ");
            }
            session.extend_from_slice(cookie);
        }
        session
    }

    async fn look_up(&self, name: &str) -> Result<Option<Arc<Account>>, FetchError> {
        let token = match &self.settings.admin_token {
            Some(Ok(token)) => token,
            Some(Err(reason)) => return Err(malformed(format!("admin_token {reason}"))),
            None => return Err(malformed("no admin_token is written")),
        };
        let caller = self.caller(As::Admin(token))?;
        let account = match self.settings.product {
            Kind::Jira => jira::account(&caller, name).await?,
            Kind::Confluence => confluence::account(&caller, name).await?,
            Kind::Bitbucket => bitbucket::account(&caller, name).await?,
        };
        // The products take a dead token for none and answer as to anonymous: that may be less, and is not the truth.
        if self.whose(As::Admin(token)).await?.is_none() {
            return Err(malformed(
                "it takes us for anonymous; is admin_token expired or revoked?",
            ));
        }
        match account {
            Some(account) if fold(&account.name) != fold(name) => {
                Err(malformed("it answers about another account"))
            }
            account => Ok(account.map(Arc::new)),
        }
    }

    /// Whom the product takes such a caller for; `None` is anonymous.
    async fn whose(&self, caller: As<'_>) -> Result<Option<String>, FetchError> {
        let caller = self.caller(caller)?;
        match self.settings.product {
            Kind::Jira => jira::whose(&caller).await,
            Kind::Confluence => confluence::whose(&caller).await,
            Kind::Bitbucket => bitbucket::whose(&caller).await,
        }
    }

    fn caller<'a>(&'a self, who: As<'a>) -> Result<Caller<'a>, FetchError> {
        Ok(Caller {
            settings: &self.settings,
            client: self.client.as_ref().map_err(FetchError::clone)?,
            outgoing: &self.outgoing,
            who,
        })
    }
}

/// What a session is remembered by. The address belongs to it: Crowd's single sign-on binds sessions to addresses.
fn digest(cookies: &[u8], address: Option<IpAddr>) -> TokenDigest {
    let address = address.map_or_else(String::new, |address| address.to_string());
    // No header field has a line end in it.
    let text = Zeroizing::new([cookies, b"\n", address.as_bytes()].concat());
    TokenDigest::of(&text)
}

/// "We cannot tell", because of the product.
fn outage(settings: &Upstream, retry_after: u64, what: &str) -> Outage {
    let message = format!("{} {what} ({})", settings.address, settings.written_in);
    Outage::new(Unavailable::ProductUnavailable, retry_after, message)
}

/// An answer that does not say what it must.
fn malformed(what: impl Into<String>) -> FetchError {
    FetchError::Malformed(what.into())
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Product({})", self.settings.label)
    }
}
