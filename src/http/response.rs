//! The only place that turns a [`Decision`] into a status and headers.

use actix_http::{
    Response, StatusCode,
    body::BoxBody,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue,
        RETRY_AFTER, WWW_AUTHENTICATE,
    },
};

use super::contract::Endpoint;
use crate::{
    credential::Authorization,
    decision::{Decision, Denial, Denied, Grant, UsedUp},
    policy::git,
    request::{Request, RequestId},
    tenant::settings::Settings,
};

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const METHOD: HeaderName = HeaderName::from_static("postern-method");
const PROVIDER: HeaderName = HeaderName::from_static("postern-provider");
pub const REQUEST_ID: HeaderName = HeaderName::from_static("postern-request-id");
const UPSTREAM_URI: HeaderName = HeaderName::from_static("postern-upstream-uri");
const REASON: HeaderName = HeaderName::from_static("postern-reason");

/// What is left of a rate, in the three fields of draft-ietf-httpapi-ratelimit-headers up to -06, which gateways send and
/// clients read. From -07 to -10 the draft has put them into `RateLimit` and `RateLimit-Policy`, twice in another syntax,
/// and it is still no RFC. With a 429 only: on a yes they would reach the proxy, and nobody behind it.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const RATE_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RATE_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// RFC 7617 §2.
const BASIC: HeaderValue = HeaderValue::from_static("Basic realm=\"postern\"");
const EMPTY: HeaderValue = HeaderValue::from_static("");
/// A proxy that caches answers would answer for another token.
pub const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The answer to a check.
pub fn from(
    decision: &Decision,
    request: Option<&Request<'_>>,
    endpoint: Endpoint,
    id: RequestId,
    settings: Option<&Settings>,
) -> Response<BoxBody> {
    match (decision, request) {
        (Decision::Allow(grant), Some(request)) => allow(grant, request),
        // A request that could not be read can't have been allowed.
        (Decision::Allow(_), None) => deny(Denied::BadCheckRequest, endpoint, id),
        (Decision::Deny(denial), Some(request))
            if denial.reason.status() == 401
                && settings.is_some_and(|settings| git::asks(settings, request)) =>
        {
            let mut response = deny(denial.reason, endpoint, id);
            // git asks for a user and a token only then, and nginx before 1.23 hands on one challenge.
            let headers = response.headers_mut();
            headers.insert(WWW_AUTHENTICATE, BASIC);
            response
        }
        (Decision::Deny(denial), _) => {
            let mut response = deny(denial.reason, endpoint, id);
            if let Some(used_up) = denial.used_up {
                tell_when(response.headers_mut(), used_up);
            }
            response
        }
        (Decision::Unavailable(outage), _) => {
            let mut response = refuse(
                status(outage.reason.status()),
                outage.reason.word(),
                id,
                endpoint,
                None,
            );
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(outage.retry_after));
            response
        }
    }
}

fn deny(reason: Denied, endpoint: Endpoint, id: RequestId) -> Response<BoxBody> {
    refuse(
        status(reason.status()),
        reason.word(),
        id,
        endpoint,
        Some(reason),
    )
}

/// RFC 6585 §4. The reset is not later than `Retry-After`, as the draft wants them beside one another.
fn tell_when(headers: &mut HeaderMap, used_up: UsedUp) {
    let UsedUp { limit, retry_after } = used_up;
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    headers.insert(RATE_LIMIT, HeaderValue::from(limit));
    headers.insert(RATE_REMAINING, HeaderValue::from(0));
    headers.insert(RATE_RESET, HeaderValue::from(retry_after));
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("the closed list holds valid statuses only")
}

/// A refusal at `/self/` whose message is for the caller, who alone can do something about it.
pub fn tell(denial: &Denial, id: RequestId) -> Response<BoxBody> {
    let denied = denial.reason;
    let error = error_code(denied).unwrap_or(denied.word());
    let response = deny(denied, Endpoint::Check, id);
    explain(response, error, &denial.to_string(), id)
}

/// Every header is always there, so that the proxy overwrites what the client sent under its name.
fn allow(grant: &Grant, request: &Request<'_>) -> Response<BoxBody> {
    let mut response = Response::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.reserve(12);
    match grant.proof() {
        Some(proof) => {
            let identity = proof.headers();
            headers.append(REMOTE_USER, identity.user());
            headers.append(REMOTE_NAME, identity.name());
            headers.append(REMOTE_EMAIL, identity.email());
            headers.append(REMOTE_GROUPS, identity.groups());
            headers.append(PROVIDER, identity.provider());
            // What was judged never reaches the product, nor does a cookie beside it: a token must not earn a session.
            headers.append(AUTHORIZATION, EMPTY);
            headers.append(COOKIE, EMPTY);
        }
        None => {
            for name in [
                REMOTE_USER,
                REMOTE_NAME,
                REMOTE_EMAIL,
                REMOTE_GROUPS,
                PROVIDER,
            ] {
                headers.append(name, EMPTY);
            }
            let authorization = match request.authorization {
                Authorization::One(value) => value,
                Authorization::Absent | Authorization::Several => b"",
            };
            headers.append(AUTHORIZATION, unchanged(authorization));
            let cookies = request.cookie.as_deref().filter(|_| grant.with_cookies());
            headers.append(COOKIE, unchanged(cookies.unwrap_or_default()));
        }
    }
    headers.append(METHOD, HeaderValue::from_static(grant.method()));
    headers.append(REQUEST_ID, request_id(request.id));
    headers.append(UPSTREAM_URI, unchanged(request.target));
    headers.append(CACHE_CONTROL, NO_STORE);
    response
}

/// A value that came in as a header can go out as one.
fn unchanged(value: &[u8]) -> HeaderValue {
    HeaderValue::from_bytes(value).unwrap_or(EMPTY)
}

/// The value of `Postern-Request-Id`.
pub fn request_id(id: RequestId) -> HeaderValue {
    HeaderValue::from_bytes(&id.text()).expect("hexadecimal digits are a valid value")
}

fn refuse(
    status: StatusCode,
    reason: &'static str,
    id: RequestId,
    endpoint: Endpoint,
    challenge: Option<Denied>,
) -> Response<BoxBody> {
    let mut response = Response::with_body(status, BoxBody::new(()));
    let headers = response.headers_mut();
    headers.insert(REASON, HeaderValue::from_static(reason));
    headers.insert(REQUEST_ID, request_id(id));
    headers.insert(CACHE_CONTROL, NO_STORE);
    let error = challenge.map_or("temporarily_unavailable", |denied| {
        error_code(denied).unwrap_or(reason)
    });
    // Another credential is not what a 429 asks for.
    if let Some(denied) = challenge.filter(|denied| denied.status() != 429) {
        headers.insert(WWW_AUTHENTICATE, www_authenticate(denied));
    }
    match endpoint {
        // nginx drops the connection of an answer with a body.
        Endpoint::Check => response,
        Endpoint::ForwardAuth | Endpoint::ExtAuthz | Endpoint::SelfService => {
            explain(response, error, reason, id)
        }
    }
}

/// RFC 6750 §3.1. A request without a credential gets no code.
fn error_code(denied: Denied) -> Option<&'static str> {
    match (denied.status(), denied) {
        (_, Denied::NoCredential) => None,
        (400, _) => Some("invalid_request"),
        (401, _) => Some("invalid_token"),
        // RFC 6750 has no word for it, and the nginx configuration says this one.
        (429, _) => Some("too_many_requests"),
        _ => Some("insufficient_scope"),
    }
}

fn www_authenticate(denied: Denied) -> HeaderValue {
    let challenge = match error_code(denied) {
        None => "Bearer realm=\"postern\"".to_owned(),
        Some(code) => {
            format!("Bearer realm=\"postern\", error=\"{code}\", error_description=\"{denied}\"")
        }
    };
    HeaderValue::from_str(&challenge).expect("words of closed lists are a valid value")
}

/// With the JSON body of an error.
pub fn explain(
    response: Response<BoxBody>,
    error: &str,
    description: &str,
    id: RequestId,
) -> Response<BoxBody> {
    let body = serde_json::json!({ "error": error, "error_description": description, "request_id": id.to_string() });
    let mut response = response.set_body(BoxBody::new(body.to_string()));
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
