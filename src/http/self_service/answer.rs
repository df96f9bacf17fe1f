//! What callers are told, as JSON.

use actix_http::{
    Response, StatusCode,
    body::BoxBody,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;

use crate::{
    api_tokens::Refused,
    decision::{Decision, Denial},
    http::{
        contract::Endpoint,
        response::{self, NO_STORE, REQUEST_ID, explain, request_id},
        trail::Trail,
    },
    request::RequestId,
    tenant::TenantId,
};

/// When to come again if tokens can't be read or written, in seconds.
const RETRY: u16 = 10;

/// Why nothing was done.
#[derive(Debug)]
pub enum Refusal {
    /// By the judgement that every check has. The caller is told its word and not its message, which is the operator's.
    Judged(Decision),
    /// What was sent is no credential for this; the message is for the caller.
    Told(Denial),
    /// The method is none of the path's, which are these.
    Method(&'static str),
    /// Anything else.
    Problem {
        /// 4xx or 5xx.
        status: StatusCode,
        /// One word.
        error: &'static str,
        /// What to do about it, for the caller. It may repeat what was sent, and is not logged.
        description: String,
    },
}

impl Refusal {
    /// See [`Refusal::Problem`].
    pub fn problem(
        status: StatusCode,
        error: &'static str,
        description: impl Into<String>,
    ) -> Self {
        Self::Problem {
            status,
            error,
            description: description.into(),
        }
    }

    /// There is no such thing.
    pub fn not_found(description: &str) -> Self {
        Self::problem(StatusCode::NOT_FOUND, "not_found", description)
    }

    /// For the operator. What somebody wrote in the wrong place, of a path or a body, may be a token, and is not logged.
    pub fn log(&self, path: &str, trail: Trail<'_>) {
        let tenant = path.split('/').nth(3).unwrap_or_default();
        let tenant = tenant.parse::<TenantId>().map_or("", |_| tenant);
        let id = trail.id;
        let trail = Trail { tenant, ..trail };
        match self {
            Self::Judged(decision) => trail.tell(decision),
            Self::Told(denial) => trail.tell(&Decision::Deny(denial.clone())),
            Self::Method(_) => {
                tracing::info!(tenant.id = tenant, request.id = %id, status = 405, "self-service refused");
            }
            Self::Problem { status, error, .. } => {
                tracing::info!(tenant.id = tenant, request.id = %id, status = status.as_u16(), error, "self-service refused");
            }
        }
    }

    /// For the caller.
    pub fn answer(&self, id: RequestId) -> Response<BoxBody> {
        match self {
            Self::Judged(decision) => {
                response::from(decision, None, Endpoint::SelfService, id, None)
            }
            Self::Told(denial) => response::tell(denial, id),
            Self::Method(allowed) => {
                let status = StatusCode::METHOD_NOT_ALLOWED;
                let description = format!("the methods of this path are {allowed}");
                let mut response = problem(status, "method_not_allowed", &description, id);
                let allowed = HeaderValue::from_static(allowed);
                response.headers_mut().insert(ALLOW, allowed);
                response
            }
            Self::Problem {
                status,
                error,
                description,
            } => {
                let mut response = problem(*status, error, description, id);
                if *status == StatusCode::SERVICE_UNAVAILABLE {
                    response.headers_mut().insert(RETRY_AFTER, RETRY.into());
                }
                response
            }
        }
    }
}

impl From<Decision> for Refusal {
    fn from(decision: Decision) -> Self {
        Self::Judged(decision)
    }
}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Judged(Decision::Deny(denial))
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let (status, error) = match &refused {
            Refused::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Refused::Forbidden(_) => (StatusCode::FORBIDDEN, "access_denied"),
            Refused::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Refused::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            // What is wrong with the store is the operator's, and not for every user.
            Refused::Unavailable(why) => {
                tracing::warn!("API tokens can't be served: {why}");
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let message = "API tokens can't be served now";
                return Self::problem(status, "temporarily_unavailable", message);
            }
            Refused::Failed(_) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                let message = "nobody knows whether this was done: the store can't be written";
                return Self::problem(status, "server_error", message);
            }
        };
        Self::problem(status, error, refused.to_string())
    }
}

/// JSON, which no cache keeps.
pub fn text(status: StatusCode, body: String, id: RequestId) -> Response<BoxBody> {
    let mut response = Response::with_body(status, BoxBody::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(REQUEST_ID, request_id(id));
    response
}

/// Likewise.
pub fn json(status: StatusCode, body: &impl Serialize, id: RequestId) -> Response<BoxBody> {
    let body = serde_json::to_string(body).expect("texts, numbers and lists of them are JSON");
    text(status, body, id)
}

fn problem(status: StatusCode, error: &str, description: &str, id: RequestId) -> Response<BoxBody> {
    explain(text(status, String::new(), id), error, description, id)
}
