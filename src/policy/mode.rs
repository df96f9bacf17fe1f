//! `access.mode = "observe"`: judged for real, and passed untouched, so that a gate can be introduced without an outage.
//!
//! All of it passes so, a proved caller too: until the gate is closed the product may know the caller in another way (a
//! plugin that takes the very same tokens), or not believe `Remote-User` yet. As nobody is named, nobody is named wrongly.
//! Rates, failures by address, pins and the questions to issuers are those of a real judgement: one that spared them would
//! find less than enforcing does.

use crate::{
    credential::{Authorization, holds_api_token},
    request::Request,
    tenant::settings::{Access, Mode},
};

/// Whether a request passes untouched, whatever is judged of it. What this refuses is enforced:
///
/// - An API token of Postern's own. The product would take it for a wrong password, lock the account and know the token.
///   Nobody depended on one before there was Postern.
/// - Several `Authorization` headers: only one can be handed on.
/// - A target that is no path. Behind the product's address in a proxy's configuration it might name another host.
#[must_use]
pub fn passes_untouched(access: &Access, request: &Request<'_>) -> bool {
    access.mode == Mode::Observe
        && request.target.starts_with(b"/")
        && !matches!(request.authorization, Authorization::Several)
        && !holds_api_token(request.authorization)
}
