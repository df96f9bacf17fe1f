//! GitHub's check of a token of our application (docs.github.com, "REST API endpoints for OAuth authorizations": "Check
//! a token"), and its user's memberships ("REST API endpoints for organization members").

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{
    RequestBuilder, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Answer, Caller, bearer, below, malformed, object, sensitive};
use crate::{
    issuer::client::{Answered, FetchError},
    verify::json::{Json, Object},
};

/// The version of the API whose answers are understood here ("API Versions").
const VERSION: &str = "2022-11-28";
/// For how many seconds to leave GitHub alone where it says that a limit is reached and not for how long: "wait for at
/// least one minute" ("Troubleshooting the REST API", Rate limit errors).
const AT_LEAST: u64 = 60;

pub(super) async fn ask(caller: &Caller<'_>, api: &Url, token: &str) -> Result<Answer, FetchError> {
    let answered = check(caller, api, token).await?;
    // 404: not of our application, expired or revoked. 422: "Validation failed, or the endpoint has been spammed".
    if let 404 | 422 = answered.status {
        // So says GitHub's API. A page of something else says that api_url is wrong, and nothing about the token.
        message(&answered)?;
        let why = format!("it answered {}", answered.status);
        return Ok(Answer::Inactive(why.into()));
    }
    if let Some(seconds) = limit(&answered) {
        return Err(FetchError::Status {
            status: answered.status,
            retry_after: Some(seconds),
        });
    }
    let answered = answered.ok()?;
    let told = Told::read(&object(&answered)?)?;
    let own = &caller.settings.own;
    let mut organizations = Vec::new();
    // The token is used for no more than can still pass.
    if told.app == own.client_id
        && let Some(user) = told.user.as_ref().filter(|user| user.kind == "User")
    {
        for organization in &own.organizations {
            match membership(caller, api, token, organization, &user.id).await? {
                Membership::Active => organizations.push(Json::Text(organization.clone().into())),
                Membership::None => {}
                Membership::Refused => {
                    return Ok(Answer::Inactive("it was revoked a moment ago".into()));
                }
            }
        }
    }
    Ok(Answer::Active(told.claims(organizations).into()))
}

async fn check(caller: &Caller<'_>, api: &Url, token: &str) -> Result<Answered, FetchError> {
    let client_id = &caller.asking.client_id;
    let url = below(api, &["applications", client_id, "token"])?;
    let secret = caller.secret()?;
    // As written, where RFC 6749 §2.3.1 has them encoded: this is HTTP's Basic with the client for a user.
    let pair = Zeroizing::new(format!("{client_id}:{}", secret.expose()));
    let basic = Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
    let request = caller
        .client
        .post(url)
        .header(CONTENT_TYPE, "application/json")
        .body(json!({ "access_token": token }).to_string());
    caller.send(with_headers(request, sensitive(&basic)?)).await
}

fn with_headers(request: RequestBuilder, authorization: HeaderValue) -> RequestBuilder {
    request
        .header(ACCEPT, "application/vnd.github+json")
        .header("X-GitHub-Api-Version", VERSION)
        .header(AUTHORIZATION, authorization)
}

/// What is kept of an answer: it repeats the token (`token`, `hashed_token`), and much else is nobody's business here.
struct Told {
    app: String,
    user: Option<User>,
    scopes: Json<'static>,
    expires: Option<u64>,
}

struct User {
    login: String,
    /// In digits: it is a name that stays, and nothing to reckon with.
    id: String,
    kind: String,
}

impl Told {
    fn read(answer: &Object<'_>) -> Result<Self, FetchError> {
        let app = text(answer.get("app"), "client_id", "app.client_id")?;
        let user = match answer.get("user") {
            None | Some(Json::Null) => None,
            user => Some(User {
                login: text(user, "login", "user.login")?,
                id: id(user, "user.id")?,
                kind: text(user, "type", "user.type")?,
            }),
        };
        let expires = match answer.get("expires_at") {
            None | Some(Json::Null) => None,
            Some(Json::Text(date)) => Some(seconds(date)?),
            Some(_) => return Err(malformed("the answer's expires_at is no date")),
        };
        let scopes = answer.get("scopes").cloned().unwrap_or(Json::Null);
        Ok(Self {
            app,
            user,
            scopes: scopes.into_owned(),
            expires,
        })
    }

    fn claims(self, organizations: Vec<Json<'static>>) -> Object<'static> {
        let app = Object::default().with("client_id", Json::Text(self.app.into()));
        let user = self.user.map_or(Json::Null, |user| {
            let members = Object::default()
                .with("login", Json::Text(user.login.into()))
                .with("id", Json::Text(user.id.into()))
                .with("type", Json::Text(user.kind.into()));
            Json::Object(members)
        });
        let expires = self
            .expires
            .map_or(Json::Null, |at| Json::Number(at.into()));
        Object::default()
            .with("app", Json::Object(app))
            .with("user", user)
            .with("scopes", self.scopes)
            .with("organizations", Json::List(organizations))
            .with("exp", expires)
    }
}

enum Membership {
    Active,
    None,
    /// The token is good no more.
    Refused,
}

/// Whether the token's user is an active member of the organisation, which the token has to be allowed to know
/// (`read:org`, or a GitHub App's permission "Members").
async fn membership(
    caller: &Caller<'_>,
    api: &Url,
    token: &str,
    organization: &str,
    user: &str,
) -> Result<Membership, FetchError> {
    let url = below(api, &["user", "memberships", "orgs", organization])?;
    let request = with_headers(caller.client.get(url), bearer(token)?);
    let answered = caller.send(request).await?;
    // The limit is the user's own, and whatever else they do counts: it stops nobody else.
    if let Some(seconds) = limit(&answered) {
        return Err(FetchError::OneToken {
            what: format!(
                "it answered {} about an organisation: a limit of the token's user is reached",
                answered.status
            ),
            retry_after: seconds,
        });
    }
    match answered.status {
        // 403: the token may not know, or the organisation wants SAML or has not approved our application.
        403 | 404 => return Ok(Membership::None),
        401 => return Ok(Membership::Refused),
        _ => {}
    }
    let answered = answered.ok()?;
    let told = object(&answered)?;
    let state = text_of(told.get("state"), "state")?;
    let is_asked = text(told.get("organization"), "login", "organization.login")?
        .eq_ignore_ascii_case(organization);
    if !is_asked || id(told.get("user"), "user.id")? != user {
        return Err(malformed(
            "the answer is about another user's membership or another organisation",
        ));
    }
    match state.as_str() {
        "active" => Ok(Membership::Active),
        "pending" => Ok(Membership::None),
        _ => Err(malformed(
            "the answer's state is neither active nor pending",
        )),
    }
}

/// For how many seconds GitHub is to be left alone, if a limit is reached: it answers 403 or 429 then.
fn limit(answered: &Answered) -> Option<u64> {
    match answered.status {
        429 => Some(answered.retry_after.unwrap_or(AT_LEAST)),
        403 => answered.retry_after.or_else(|| {
            let message = message(answered).ok()?.to_ascii_lowercase();
            let is_limit = message.contains("rate limit") || message.contains("abuse");
            is_limit.then_some(AT_LEAST)
        }),
        _ => None,
    }
}

/// What GitHub's API says of an error.
fn message(answered: &Answered) -> Result<String, FetchError> {
    let not_githubs = || {
        let status = answered.status;
        malformed(format!(
            "it answered with status {status} and not as GitHub's API does; is api_url right?"
        ))
    };
    let told = object(answered).map_err(|_| not_githubs())?;
    let message = told.get("message").and_then(Json::as_str);
    message.map(str::to_owned).ok_or_else(not_githubs)
}

fn text(of: Option<&Json<'_>>, name: &str, path: &str) -> Result<String, FetchError> {
    text_of(of.and_then(|of| of.get(name)), path)
}

fn text_of(value: Option<&Json<'_>>, path: &str) -> Result<String, FetchError> {
    let text = value.and_then(Json::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| malformed(format!("the answer's {path} is no text")))
}

fn id(of: Option<&Json<'_>>, path: &str) -> Result<String, FetchError> {
    match of.and_then(|of| of.get("id")) {
        Some(Json::Number(number)) if number.is_u64() => Ok(number.to_string()),
        _ => Err(malformed(format!("the answer's {path} is no whole number"))),
    }
}

/// An ISO 8601 date, as GitHub writes them.
fn seconds(date: &str) -> Result<u64, FetchError> {
    let read = humantime::parse_rfc3339(date).ok();
    let since = read.and_then(|at: SystemTime| at.duration_since(UNIX_EPOCH).ok());
    since
        .map(|since| since.as_secs())
        .ok_or_else(|| malformed("the answer's expires_at is no date"))
}
