//! What a caller wants, out of the body of a POST.

use std::time::Duration;

use actix_http::{
    HttpMessage as _, Payload, Request, StatusCode,
    body::{BodyStream, to_bytes_limited},
};
use actix_rt::time::timeout;

use super::answer::Refusal;
use crate::api_tokens::{Refused, Wanted};

/// The longest body, in bytes: 64 paths, networks and scopes have room in it.
const MAX_BODY: usize = 16 * 1024;
/// How long a body may take. Proxies send one that they have whole.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads it. What was not read to its end stays in `body`.
pub async fn read(http: &Request, body: &mut Option<Payload>) -> Result<Wanted, Refusal> {
    if !http.content_type().eq_ignore_ascii_case("application/json") {
        return Err(Refusal::problem(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send JSON, as Content-Type: application/json",
        ));
    }
    let bytes = match body {
        Some(payload) => {
            let read = to_bytes_limited(BodyStream::new(payload), MAX_BODY);
            let read = timeout(BODY_TIMEOUT, read).await;
            let read = read.map_err(|_| {
                Refusal::problem(
                    StatusCode::REQUEST_TIMEOUT,
                    "request_timeout",
                    "the body did not come within 5 s",
                )
            })?;
            let read = read.map_err(|_| {
                Refusal::problem(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "payload_too_large",
                    "a body has at most 16 KiB",
                )
            })?;
            read.map_err(|error| Refused::Invalid(format!("the body ends early: {error}")))?
        }
        None => actix_web::web::Bytes::new(),
    };
    *body = None;
    // An array would be read as the members in their order.
    if !bytes.trim_ascii_start().starts_with(b"{") {
        return Err(Refused::Invalid("the body is no JSON object".into()).into());
    }
    let wanted = serde_json::from_slice(&bytes);
    wanted.map_err(|error| Refused::Invalid(error.to_string()).into())
}
