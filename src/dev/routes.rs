//! The issuer's HTTP: discovery, keys, introspection, and the conveniences that a real issuer lacks.
//!
//! The conveniences ask for no credential, and a web page can make a browser on this machine send
//! requests to loopback. [`admit`] therefore refuses whatever names another host (DNS rebinding) or
//! comes from a page (`Origin`).

use std::collections::HashMap;

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::Next,
    web,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    authority::{Authority, ClientAuth},
    fault, lock,
    token::TokenBuilder,
};

/// What a client asks for, and gets, if it wants a signed answer (RFC 9701 §4).
const SIGNED_ANSWER: &str = "application/token-introspection+jwt";

/// A form holds at most one token, and tests send tokens over the 16 KiB that Postern reads.
const FORM_LIMIT: usize = 256 * 1024;

type Form = web::Form<HashMap<String, String>>;

/// Why a client was not let in.
enum ClientError {
    /// RFC 6749 §5.2 `invalid_client`.
    Unknown,
    /// RFC 6749 §2.3: no more than one way at a time.
    Twice,
}

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let form = web::FormConfig::default()
        .limit(FORM_LIMIT)
        .error_handler(|error, _| {
            // The extractor's own words could repeat what was sent, and that may be a token.
            let response = refused(StatusCode::BAD_REQUEST, "invalid_request", "not a form");
            actix_web::error::InternalError::from_response(error, response).into()
        });
    config
        .app_data(form)
        .route("/", web::get().to(index))
        .service(web::resource("/.well-known/openid-configuration").get(metadata))
        .service(web::resource("/.well-known/oauth-authorization-server").get(metadata))
        .service(web::resource("/jwks").get(jwks))
        .service(web::resource("/introspect").post(introspect))
        .service(web::resource("/token").post(token))
        .service(web::resource("/rotate").post(rotate))
        .service(web::resource("/withdraw").post(withdraw))
        .service(web::resource("/revoke").post(revoke));
}

/// Stands before every route: counts, keeps browsers out, and lets a test's faults have their way.
pub(super) async fn admit(
    authority: web::Data<Authority>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    authority.traffic.hit(request.path());
    if !is_own_host(&authority, request.request()) {
        let status = StatusCode::MISDIRECTED_REQUEST;
        return Ok(request.into_response(refused(status, "invalid_request", "not my host")));
    }
    if request.headers().contains_key(header::ORIGIN) {
        let status = StatusCode::FORBIDDEN;
        return Ok(request.into_response(refused(status, "invalid_request", "no web pages")));
    }
    match fault::answer(&authority, request.request()).await? {
        Some(response) => Ok(request.into_response(response)),
        None => next.call(request).await,
    }
}

fn is_own_host(authority: &Authority, request: &HttpRequest) -> bool {
    let own = authority.url.trim_start_matches("http://");
    let port = own.rsplit(':').next().unwrap_or_default();
    request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| host == own || host.strip_prefix("localhost:") == Some(port))
}

async fn index(authority: web::Data<Authority>) -> String {
    let url = &authority.url;
    format!(
        "The issuer of `postern serve --dev`. For loopback only: it gives any token to whoever asks.\n\
         \n\
         GET  {url}/.well-known/openid-configuration\n\
         GET  {url}/.well-known/oauth-authorization-server\n\
         GET  {url}/jwks\n\
         POST {url}/introspect   token; client_secret_basic or client_secret_post\n\
         POST {url}/token        sub, aud, scope (separated by spaces), groups (by commas),\n\
         \x20                    kind=jwt|opaque, expires_in (seconds), alg\n\
         POST {url}/rotate       new keys; the old ones stay published\n\
         POST {url}/withdraw     only the current keys stay published\n\
         POST {url}/revoke       token\n\
         \n\
         curl -s {url}/token -d sub=ada -d groups=staff\n"
    )
}

async fn metadata(authority: web::Data<Authority>) -> HttpResponse {
    HttpResponse::Ok().json(authority.metadata())
}

async fn jwks(authority: web::Data<Authority>) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(value) = &lock(&authority.settings).cache_control {
        response.insert_header((header::CACHE_CONTROL, value.as_str()));
    }
    response.json(authority.jwks())
}

async fn introspect(
    authority: web::Data<Authority>,
    request: HttpRequest,
    form: Form,
) -> HttpResponse {
    let client = match client(&authority, &request, &form) {
        Ok(client) => client,
        Err(ClientError::Twice) => {
            let status = StatusCode::BAD_REQUEST;
            return refused(status, "invalid_request", "two ways to prove one client");
        }
        Err(ClientError::Unknown) => {
            let challenge = (header::WWW_AUTHENTICATE, r#"Basic realm="postern-dev""#);
            return no_store(StatusCode::UNAUTHORIZED)
                .insert_header(challenge)
                .json(json!({ "error": "invalid_client" }));
        }
    };
    let Some(token) = form.get("token") else {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "token is missing",
        );
    };
    let wanted = request.headers().get_all(header::ACCEPT).any(|accept| {
        accept
            .to_str()
            .is_ok_and(|accept| accept.contains(SIGNED_ANSWER))
    });
    let signed = wanted && lock(&authority.settings).signed_introspection;
    if signed {
        no_store(StatusCode::OK)
            .content_type(SIGNED_ANSWER)
            .body(authority.introspect_signed(token, &client))
    } else {
        no_store(StatusCode::OK).json(authority.introspect(token))
    }
}

/// The id of the client that proved itself.
fn client(
    authority: &Authority,
    request: &HttpRequest,
    form: &HashMap<String, String>,
) -> Result<String, ClientError> {
    let settings = lock(&authority.settings);
    let basic = request.headers().get(header::AUTHORIZATION);
    let (id, secret) = match (basic, form.get("client_secret")) {
        (Some(_), Some(_)) => return Err(ClientError::Twice),
        (Some(basic), None) if settings.client_auth != ClientAuth::Post => {
            let basic = basic.to_str().ok().and_then(basic_credentials);
            basic.ok_or(ClientError::Unknown)?
        }
        (None, Some(secret)) if settings.client_auth != ClientAuth::Basic => {
            let id = form.get("client_id").ok_or(ClientError::Unknown)?;
            (id.clone(), secret.clone())
        }
        _ => return Err(ClientError::Unknown),
    };
    if settings.is_client(&id, &secret) {
        Ok(id)
    } else {
        Err(ClientError::Unknown)
    }
}

/// Id and secret are form-encoded before they go into the header (RFC 6749 §2.3.1). Many issuers
/// forgive clients that forget; this one does not, so that a test notices.
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let form = format!("id={id}&secret={secret}");
    let mut form = web::Query::<HashMap<String, String>>::from_query(&form).ok()?;
    Some((form.remove("id")?, form.remove("secret")?))
}

/// A convenience that no issuer offers: any token for whoever asks.
async fn token(authority: web::Data<Authority>, form: Form) -> HttpResponse {
    let bad = |description| refused(StatusCode::BAD_REQUEST, "invalid_request", description);
    let mut token = TokenBuilder::new(&authority);
    let mut opaque = false;
    for (name, value) in form.into_inner() {
        token = match name.as_str() {
            "sub" => token.subject(value),
            "aud" => match value.split(' ').collect::<Vec<_>>().as_slice() {
                [one] => token.audience(*one),
                several => token.audience(several),
            },
            "scope" => token.scope(value),
            "groups" => token.groups(
                value
                    .split(',')
                    .map(str::trim)
                    .filter(|group| !group.is_empty()),
            ),
            "expires_in" => match value.parse() {
                Ok(seconds) => token.expires_in(seconds),
                Err(_) => return bad("expires_in is a number of seconds"),
            },
            "alg" => match value.parse() {
                Ok(algorithm) => token.algorithm(algorithm),
                Err(_) => return bad("alg is none of this issuer's"),
            },
            "kind" if value == "jwt" || value == "opaque" => {
                opaque = value == "opaque";
                token
            }
            "kind" => return bad("kind is jwt or opaque"),
            _ => return bad("known are sub, aud, scope, groups, kind, expires_in and alg"),
        };
    }
    let expires_in = token.remaining();
    let token = if opaque { token.opaque() } else { token.sign() };
    no_store(StatusCode::OK).json(json!({
        "access_token": token,
        "token_type": "Bearer",
        "expires_in": expires_in,
    }))
}

async fn rotate(authority: web::Data<Authority>) -> HttpResponse {
    authority.rotate();
    current(&authority)
}

async fn withdraw(authority: web::Data<Authority>) -> HttpResponse {
    authority.withdraw_old();
    current(&authority)
}

fn current(authority: &Authority) -> HttpResponse {
    let kid = authority.current_keys().kid(authority.algorithm);
    no_store(StatusCode::OK).json(json!({ "kid": kid }))
}

/// RFC 7009 §2.2: a token that is unknown is as good as revoked. No client need prove itself: who
/// can reach this can also have a token.
async fn revoke(authority: web::Data<Authority>, form: Form) -> HttpResponse {
    match form.get("token") {
        Some(token) => {
            authority.revoke(token);
            no_store(StatusCode::OK).finish()
        }
        None => refused(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "token is missing",
        ),
    }
}

fn refused(status: StatusCode, error: &str, description: &str) -> HttpResponse {
    let body: Value = json!({ "error": error, "error_description": description });
    no_store(status).json(body)
}

/// Tokens and what is said of them stay in no cache (RFC 6749 §5.1).
fn no_store(status: StatusCode) -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((header::CACHE_CONTROL, "no-store"));
    response
}
