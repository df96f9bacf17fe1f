//! RFC 7662, and RFC 9701 where answers are to be signed.

use reqwest::{
    RequestBuilder, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use url::form_urlencoded;

use super::{Answer, Caller, basic, object};
use crate::{issuer::client::FetchError, tenant::settings::ClientAuth, verify::json::Json};

/// The media type of a signed answer (RFC 9701 §4).
const SIGNED: &str = "application/token-introspection+jwt";

pub(super) async fn ask(
    caller: &Caller<'_>,
    endpoint: &Url,
    signed: bool,
    token: &str,
) -> Result<Answer, FetchError> {
    let request = request(caller, endpoint, signed, token)?;
    let answered = caller.send(request).await?.ok()?;
    if signed {
        answered.is_of(SIGNED)?;
        let text = String::from_utf8(answered.body)
            .map_err(|_| FetchError::Malformed("the signed answer is not text".into()))?;
        return Ok(Answer::Signed(text.trim().to_owned()));
    }
    let members = object(&answered)?;
    // RFC 7662 §2.2: `active` is the one member that must be there.
    match members.get("active") {
        Some(Json::Bool(_)) => Ok(Answer::Active(members.into_owned().into())),
        _ => Err(FetchError::Malformed(
            "the answer has no boolean \"active\"".into(),
        )),
    }
}

fn request(
    caller: &Caller<'_>,
    endpoint: &Url,
    signed: bool,
    token: &str,
) -> Result<RequestBuilder, FetchError> {
    let (id, secret) = (&caller.asking.client_id, caller.secret()?);
    // Percent-encoding triples a byte at the most; a buffer that grew would leave copies behind.
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(
        3 * (token.len() + secret.expose().len() + id.len()) + 128,
    ));
    form.append_pair("token", token)
        .append_pair("token_type_hint", "access_token");
    let mut request = caller.client.post(endpoint.clone());
    match caller.asking.client_auth {
        ClientAuth::Post => {
            form.append_pair("client_id", id)
                .append_pair("client_secret", secret.expose());
        }
        ClientAuth::Basic => request = request.header(AUTHORIZATION, basic(id, secret)?),
    }
    Ok(request
        .header(ACCEPT, if signed { SIGNED } else { "application/json" })
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form.finish()))
}
