//! `/self/` on the check listener: users issue, list and revoke their own API tokens, with a token of their provider.
//!
//! `self_service/openapi.json` describes it to them, and is served at `/self/openapi.json`. Every answer is JSON. Not a
//! check, but judged like one ([`caller`]).

mod answer;
mod body;
mod caller;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Instant};

use actix_http::{Method, Payload, Request, Response, StatusCode, body::BoxBody};

use super::{
    Shared,
    contract::{self, Endpoint},
    leave_unread, no_tenant, tokens,
    trail::Trail,
};
use crate::{
    api_tokens::{ApiToken, Refused, Scope, TokenId, What, Which},
    request::{self, RequestId},
    snapshot::Reader,
    tenant::{Tenant, settings::Settings},
};
use answer::Refusal;
use caller::Caller;

/// What `/self/openapi.json` answers, byte for byte.
const DESCRIPTION: &str = include_str!("self_service/openapi.json");

/// Whether a request is none for the check endpoints.
pub fn is_for(http: &Request) -> bool {
    http.path().starts_with("/self/")
}

/// What a request asks for.
enum Call<'h> {
    Describe,
    OfTenant(&'h str, Action<'h>),
}

/// What is to be done about the caller's tokens.
enum Action<'h> {
    List,
    Issue,
    Revoke(&'h str),
}

impl<'h> Call<'h> {
    /// By the path as it is sent: a tenant's name and a token's id have nothing to decode.
    fn read(http: &'h Request) -> Result<Self, Refusal> {
        let path = http.path().strip_prefix("/self/").unwrap_or_default();
        if path == "openapi.json" {
            return match *http.method() {
                Method::GET | Method::HEAD => Ok(Self::Describe),
                _ => Err(Refusal::Method("GET, HEAD")),
            };
        }
        let path = path.strip_prefix("tokens/").unwrap_or_default();
        match path.split_once('/') {
            None if !path.is_empty() => match *http.method() {
                Method::GET | Method::HEAD => Ok(Self::OfTenant(path, Action::List)),
                Method::POST => Ok(Self::OfTenant(path, Action::Issue)),
                _ => Err(Refusal::Method("GET, HEAD, POST")),
            },
            Some((tenant, id)) if !id.is_empty() && !id.contains('/') => match *http.method() {
                Method::DELETE => Ok(Self::OfTenant(tenant, Action::Revoke(id))),
                _ => Err(Refusal::Method("DELETE")),
            },
            _ => Err(Refusal::not_found(
                "there are tokens/TENANT, tokens/TENANT/ID and openapi.json here",
            )),
        }
    }
}

/// Answers a request for which [`is_for`] is true.
pub async fn answer(http: Request, body: Payload, shared: &Shared) -> Response<BoxBody> {
    let (id, started) = (RequestId::next(), Instant::now());
    let mut address = None;
    let mut body = Some(body);
    let answered = match contract::read(&http, Endpoint::SelfService, "", id, &shared.trusted) {
        Ok(request) => {
            address = request.address;
            serve(&http, request, &mut body, shared).await
        }
        Err(denial) => Err(denial.into()),
    };
    let mut response = answered.unwrap_or_else(|refusal| {
        let trail = Trail {
            address,
            method: http.method().as_str(),
            ..Trail::new(id, "", started.elapsed())
        };
        refusal.log(http.path(), trail);
        refusal.answer(id)
    });
    if let Some(unread) = body {
        leave_unread(&http, unread, &mut response);
    }
    response
}

async fn serve(
    http: &Request,
    request: request::Request<'_>,
    body: &mut Option<Payload>,
    shared: &Shared,
) -> Result<Response<BoxBody>, Refusal> {
    let (id, query) = (request.id, http.uri().query());
    let Call::OfTenant(name, action) = Call::read(http)? else {
        return Ok(answer::text(StatusCode::OK, DESCRIPTION.into(), id));
    };
    let tenant = tenant(shared, name)?;
    // Before anything else of the request is looked at: where it is off, there is nothing to attack.
    is_on(&tenant.settings)?;
    match action {
        Action::List => {
            let caller = Caller::judge(&tenant, request, query, Scope::Read).await?;
            let tokens = shared.api_tokens.of_owner(caller.owner()).await?;
            let page = tokens::Page {
                tokens,
                after: None,
            };
            Ok(answer::json(StatusCode::OK, &page, id))
        }
        Action::Issue => {
            let wanted = body::read(http, body).await?;
            let default = tenant.settings.api_tokens.default_scope;
            let scope = wanted.scope.unwrap_or(default);
            let caller = Caller::judge(&tenant, request, query, scope).await?;
            caller.may_have(&wanted)?;
            let bearer = tokens::bearer_of(&tenant, caller.account(), &wanted).await?;
            caller.is_no_narrower_than(&bearer)?;
            let (account, origin) = (caller.account(), caller.origin());
            let made = tokens::issue_for(shared, &tenant, &wanted, account, origin).await?;
            Ok(answer::json(StatusCode::CREATED, &made, id))
        }
        Action::Revoke(token) => {
            let caller = Caller::judge(&tenant, request, query, Scope::Read).await?;
            let revoked = revoke(shared, &caller, token).await?;
            Ok(answer::json(StatusCode::OK, &revoked, id))
        }
    }
}

/// Another's token is as unknown as one that never was.
async fn revoke(shared: &Shared, caller: &Caller<'_>, id: &str) -> Result<ApiToken, Refusal> {
    let none = || Refusal::not_found("you have no such token; GET tokens/TENANT lists yours");
    let id = id.parse::<TokenId>().map_err(|_| none())?;
    let what = What::Revoke(Which::OneOf(id, caller.owner()));
    let revoked = shared.api_tokens.change(what, caller.origin()).await;
    let revoked = revoked.map_err(|refused| match refused {
        Refused::NotFound(_) => none(),
        other => other.into(),
    })?;
    revoked.tokens.into_iter().next().ok_or_else(none)
}

fn tenant(shared: &Shared, name: &str) -> Result<Arc<Tenant>, Refusal> {
    let directory = shared.directory.current();
    let state = directory.tenants.get(name).map(Reader::current);
    let is_known = state.is_some();
    let serving = state.and_then(|state| state.serving.clone());
    serving.ok_or_else(|| {
        let decision = no_tenant(&directory, name, is_known);
        shared.metrics.unknown_tenant.count(&decision, false);
        decision.into()
    })
}

fn is_on(settings: &Settings) -> Result<(), Refusal> {
    let rules = &settings.api_tokens;
    let missing = match (rules.enabled, rules.self_service) {
        (true, true) => return Ok(()),
        (false, _) => "there are no API tokens here: enabled in [api_tokens]",
        (true, false) => {
            "only an administrator issues API tokens here: self_service in [api_tokens]"
        }
    };
    let message = format!("{missing} of the tenant's file is off");
    Err(Refused::Forbidden(message).into())
}
