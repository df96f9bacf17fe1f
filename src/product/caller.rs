//! A call to the product, and what all answers have in common.

use std::net::IpAddr;

use reqwest::{
    Client,
    header::{ACCEPT, AUTHORIZATION, COOKIE, HOST, HeaderValue},
};
use zeroize::Zeroizing;

use super::malformed;
use crate::{
    issuer::{
        breaker::RETRY_AFTER,
        client::{Answered, FetchError, Outgoing},
    },
    secret::Secret,
    tenant::settings::Upstream,
    verify::json::{Json, Object},
};

/// The largest answer, in bytes: Jira writes an account in five thousand groups in about so many.
const MAX_ANSWER: usize = 1024 * 1024;
/// How many items a page is asked for.
pub const PAGE: usize = 200;
/// The most pages that are read for one answer: five thousand items.
pub const MAX_PAGES: usize = 25;

/// As whom the product is asked.
#[derive(Clone, Copy)]
pub enum As<'a> {
    /// An administrator.
    Admin(&'a Secret),
    /// Whoever has that session.
    Session {
        /// A `Cookie` field.
        cookies: &'a [u8],
        /// From where, as the proxy tells the product too: Crowd's single sign-on binds sessions to addresses
        /// (docs.atlassian.com, Crowd `HttpAuthenticator`).
        address: Option<IpAddr>,
    },
}

/// What every way to ask has at hand.
pub struct Caller<'a> {
    pub settings: &'a Upstream,
    pub client: &'a Client,
    pub outgoing: &'a Outgoing,
    pub who: As<'a>,
}

impl Caller<'_> {
    /// `GET` of that path below the context path, read to its end whatever its status. A refusal of our own credential
    /// is an error.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Answered, FetchError> {
        let mut url = self.settings.address.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self
            .client
            .get(url)
            .header(ACCEPT, "application/json")
            .header(HOST, &self.settings.host);
        request = match self.who {
            As::Admin(token) => {
                let value = Zeroizing::new(format!("Bearer {}", token.expose()));
                request.header(AUTHORIZATION, sensitive(value.as_bytes())?)
            }
            As::Session { cookies, address } => {
                let request = request.header(COOKIE, sensitive(cookies)?);
                match address {
                    Some(address) => request.header("X-Forwarded-For", address.to_string()),
                    None => request,
                }
            }
        };
        let label = &self.settings.label;
        let answered = self.outgoing.call(request, MAX_ANSWER, label).await?;
        match (self.who, answered.status, answered.retry_after) {
            (As::Admin(_), status @ (401 | 403), None) => Err(malformed(format!(
                "it answered with status {status}; is admin_token an administrator's, and not expired?"
            ))),
            // The products limit rates by user: that is this session's, and stops nobody else.
            (As::Session { .. }, 429, retry_after) => Err(FetchError::OneToken {
                what: "a limit of the session's user is reached".to_owned(),
                retry_after: retry_after.unwrap_or(RETRY_AFTER),
            }),
            _ => Ok(answered),
        }
    }
}

/// The object that an answer is.
pub fn object(answered: &Answered) -> Result<Object<'_>, FetchError> {
    answered.is_json()?;
    Object::read(&answered.body)
        .map_err(|error| malformed(format!("the answer is not understood: {error}")))
}

/// A text that must be there.
pub fn text<'a>(object: &'a Object<'_>, name: &str) -> Result<&'a str, FetchError> {
    let text = object.get(name).and_then(Json::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| malformed(format!("the answer has no {name}")))
}

/// The objects of a list that must be there.
pub fn list<'a, 'j>(object: &'a Object<'j>, name: &str) -> Result<Vec<&'a Object<'j>>, FetchError> {
    let Some(Json::List(items)) = object.get(name) else {
        return Err(malformed(format!("the answer has no {name}")));
    };
    let objects = items.iter().map(|item| match item {
        Json::Object(object) => Ok(object),
        _ => Err(malformed(format!(
            "{name} holds something else than objects"
        ))),
    });
    objects.collect()
}

/// What is said of this account is not whole, and may be of others.
pub fn too_many(what: &str) -> FetchError {
    FetchError::OneToken {
        what: format!("the account is {what}, and not all of it is answered"),
        retry_after: RETRY_AFTER,
    }
}

/// A header that no log of the HTTP client shows.
fn sensitive(bytes: &[u8]) -> Result<HeaderValue, FetchError> {
    let mut value = HeaderValue::from_bytes(bytes)
        .map_err(|_| malformed("a credential can't be sent as a header"))?;
    value.set_sensitive(true);
    Ok(value)
}
