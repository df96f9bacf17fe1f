//! Why a call would pass or not, and why one did, on the admin socket: what `postern explain` asks.

use std::{borrow::Cow, fmt, net::IpAddr};

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    Shared,
    contract::is_method,
    tokens::{answer, serving},
};
use crate::{
    api_tokens::Refused,
    clock,
    credential::Authorization,
    explain::{self, Served, Verdict},
    recent::{self, Past},
    request::{Request, RequestId},
    tenant::TenantId,
};

/// A call that is asked about.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// As the client would send it.
    pub method: String,
    /// The raw request target; the product's API where none is said.
    pub uri: Option<String>,
    /// The client's address.
    pub from: Option<IpAddr>,
    /// The whole value of `Authorization`.
    pub authorization: Option<Zeroizing<String>>,
    /// Whether a session cookie of the product is sent. Its value proves nothing, and so none is asked for.
    #[serde(default)]
    pub session: bool,
    /// Whether excerpts are for a terminal.
    #[serde(default)]
    pub colour: bool,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

/// `POST /explain/{tenant}` with a [`Question`]: the check, [`Explained`](explain::Explained).
pub async fn explain(
    shared: web::Data<Shared>,
    tenant: web::Path<String>,
    question: web::Json<Question>,
) -> HttpResponse {
    let explained = async {
        let tenant = serving(&shared, &tenant)?;
        let settings = &*tenant.settings;
        if !is_method(&question.method) {
            let message = format!("{:?} is no method (RFC 9110 §9.1)", question.method);
            return Err(Refused::Invalid(message));
        }
        let target = question.uri.as_deref().map_or_else(
            || {
                let api = settings.product.api_paths().first().copied();
                Cow::Owned(format!("{}{}", settings.context_path, api.unwrap_or("/")))
            },
            Cow::Borrowed,
        );
        let cookie = settings.product.session_cookies().first();
        let cookie = cookie.filter(|_| question.session);
        let request = Request {
            id: RequestId::next(),
            method: &question.method,
            method_override: None,
            target: target.as_bytes(),
            address: question.from.map(|address| address.to_canonical()),
            authorization: match &question.authorization {
                Some(value) => Authorization::One(value.as_bytes()),
                None => Authorization::Absent,
            },
            is_preflight: false,
            cookie: cookie.map(|name| format!("{name}=explained").into_bytes().into()),
        };
        let text = served_text(&shared, &settings.id);
        let file = shared.tenants.join(format!("{}.toml", settings.id));
        let served = Served {
            file: &file,
            text: &text,
            colour: question.colour,
        };
        let explained = explain::explain(&tenant, &request, served, clock::now()).await;
        Ok(HttpResponse::Ok().json(explained))
    };
    explained.await.unwrap_or_else(|refused| answer(&refused))
}

/// A decision of a while ago.
#[derive(Debug, Serialize, Deserialize)]
pub struct Remembered {
    /// As the caller and the log know it.
    pub request_id: String,
    /// Whose it was.
    pub tenant: String,
    /// When, in seconds since the epoch.
    pub at: u64,
    /// As the client sent it.
    pub method: String,
    /// The path under the context path; absent where it had several readings.
    pub path: Option<String>,
    /// From where.
    pub address: Option<IpAddr>,
    /// What it came to; the line is that of the file which is served now.
    pub verdict: Verdict,
}

/// How a decision is shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manner {
    #[serde(default)]
    colour: bool,
}

/// `GET /decision/{request}`: what was [`Remembered`] of it.
pub async fn decision(
    shared: web::Data<Shared>,
    request: web::Path<String>,
    manner: web::Query<Manner>,
) -> HttpResponse {
    let directory = shared.directory.current();
    let found = directory.tenants.iter().find_map(|(id, reader)| {
        let state = reader.current();
        let (past, key) = state.serving.as_ref()?.recent.find(&request)?;
        Some((id, past, key))
    });
    let Some((id, past, key)) = found else {
        return answer(&Refused::NotFound(format!(
            "no decision of the request {request:?} is kept: of each tenant the last {kept} refusals are, and the last {kept} calls that passed, since the daemon started; refusals are in its log as well",
            request = request.as_str(),
            kept = recent::KEPT
        )));
    };
    let text = served_text(&shared, id);
    let file = shared.tenants.join(format!("{id}.toml"));
    let served = Served {
        file: &file,
        text: &text,
        colour: manner.colour,
    };
    let verdict = Verdict::of_past(&past, key.as_deref(), served);
    let Past {
        request,
        at,
        method,
        path,
        address,
        ..
    } = past;
    HttpResponse::Ok().json(Remembered {
        request_id: request.to_string(),
        tenant: id.to_string(),
        at,
        method,
        path: Some(path).filter(|path| !path.is_empty()),
        address,
        verdict,
    })
}

/// The file that the serving build was read from. Nothing, if the store has lost it: then there are no lines to show.
fn served_text(shared: &Shared, tenant: &TenantId) -> String {
    let build = shared.store.build(tenant);
    build.map_or_else(String::new, |record| record.text().to_owned())
}
