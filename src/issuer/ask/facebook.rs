//! Facebook: whose a token is and of which application, by `debug_token`; and who that is, by `me`.

use aws_lc_rs::hmac;
use reqwest::{
    Url,
    header::{ACCEPT, CONTENT_TYPE},
};
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::{
    Answer, Caller, object, of_this_token,
    parts::{Picked, below, digits},
    unanswered,
};
use crate::{
    clock,
    issuer::client::{Answered, FetchError},
    verify::json::{Json, Object},
};

/// Seconds of silence after an error that means a limit: the limits are by the hour, and whoever asks on makes it
/// longer ("Rate Limits", developers.facebook.com).
const PAUSE: u64 = 60;

pub(super) async fn ask(caller: &Caller<'_>, api: &Url, token: &str) -> Result<Answer, FetchError> {
    let (id, secret) = (&caller.asking.client_id, caller.secret()?.expose());
    let ours = Zeroizing::new(format!("{id}|{secret}"));
    let asked = [("input_token", token), ("access_token", &ours)];
    let answered = match call(caller, below(api, "debug_token")?, &asked).await? {
        Said::Answer(answered) => answered,
        Said::Error { code: 100, message } if message.contains(FOREIGN) => {
            let mut picked = Picked::default();
            picked.set("app_id", "another than ours, which Facebook does not name");
            return picked.answer();
        }
        // 190 as well: what is wrong with the caller's token is told with status 200 (facebook-apis-rs has both), so
        // that this is about ours.
        Said::Error { code, .. } => {
            return Err(unanswered(format!(
                "debug_token answered with error {code}; check client_id and client_secret"
            )));
        }
    };
    let members = object(&answered)?;
    let Some(Json::Object(debug)) = members.get("data") else {
        return Err(FetchError::Malformed("the answer has no data".into()));
    };
    match debug.get("is_valid") {
        Some(Json::Bool(true)) => {}
        Some(Json::Bool(false)) => {
            let code = debug.get("error").and_then(|error| error.get("code"));
            let code = code.map(|code| format!(" (error {})", code.quoted()));
            let why = format!("is_valid is false{}", code.unwrap_or_default());
            return Ok(Answer::Inactive(why.into()));
        }
        _ => {
            let message = "the answer has no boolean \"is_valid\"";
            return Err(FetchError::Malformed(message.into()));
        }
    }
    let app = number(debug, "app_id")?;
    let mut picked = Picked::default();
    picked.set("app_id", &*app);
    picked.keep("type", debug.get("type"));
    picked.keep("scopes", debug.get("scopes"));
    if app != *id || debug.get("type").and_then(Json::as_str) != Some("USER") {
        // The judgement refuses it; nobody is asked who it is.
        return picked.answer();
    }
    // What the application may not read any more it may not be told of: the earlier of the two ends it.
    let expires = instant(debug, "expires_at")?
        .ok_or_else(|| FetchError::Malformed("the answer has no \"expires_at\"".into()))?;
    let data_access = instant(debug, "data_access_expires_at")?.unwrap_or(0);
    // 0 is never. [not confirmed]
    if let Some(end) = [expires, data_access]
        .into_iter()
        .filter(|end| *end > 0)
        .min()
    {
        picked.set("exp", end);
        let leeway = caller.settings.leeway.as_secs();
        if clock::now() >= end.saturating_add(leeway) {
            return picked.answer();
        }
    }
    let user = number(debug, "user_id")?;
    let proof = Zeroizing::new(proof(secret, token));
    let asked = [
        ("fields", "id,name,email"),
        ("access_token", token),
        ("appsecret_proof", &proof),
    ];
    let answered = match call(caller, below(api, "me")?, &asked)
        .await
        .map_err(|error| of_this_token(error, PAUSE))?
    {
        Said::Answer(answered) => answered,
        Said::Error { code: 190, .. } => return Ok(Answer::Inactive("me answered 190".into())),
        Said::Error { code, .. } => {
            return Err(unanswered(format!("me answered with error {code}")));
        }
    };
    let me = object(&answered)?;
    if number(&me, "id")? != user {
        let message = "debug_token and me name two different users";
        return Err(FetchError::Malformed(message.into()));
    }
    picked.set("id", user);
    picked.keep("name", me.get("name"));
    picked.keep("email", me.get("email"));
    picked.answer()
}

/// What Facebook says of a token of another application, with error 100. [the text is not documented]
const FOREIGN: &str = "did not match the Viewing App";

enum Said {
    Answer(Answered),
    Error { code: u64, message: String },
}

/// Asks with everything in the body, since URLs are kept in logs. The documentation shows GET; that a POST with
/// `method=GET` is one, Facebook's own PHP SDK relied on (facebook-php-sdk 3, `BaseFacebook::_graph`). [not confirmed
/// for the current version]
async fn call(
    caller: &Caller<'_>,
    endpoint: Url,
    fields: &[(&str, &str)],
) -> Result<Said, FetchError> {
    let request = caller
        .client
        .post(endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(form(fields));
    let answered = caller.send(request).await?;
    if answered.status == 200 {
        return Ok(Said::Answer(answered));
    }
    // "Handling Errors" (developers.facebook.com): a number, and a text that changes.
    let error = object(&answered).ok().and_then(|members| {
        let error = members.get("error")?;
        let message = error.get("message").and_then(Json::as_str);
        let code = match error.get("code")? {
            Json::Number(code) => code.as_u64()?,
            _ => return None,
        };
        Some((code, message.unwrap_or_default().to_owned()))
    });
    match error {
        // "Rate Limits": 4 of the application, 17 of the user, 32 of the page, 613 of this very call.
        Some((4 | 17 | 32 | 613, _)) => Err(FetchError::RateLimited(
            answered.retry_after.unwrap_or(PAUSE),
        )),
        // 1 and 2 are "possibly a temporary issue due to downtime".
        Some((code, message)) if answered.status < 500 && code > 2 => {
            Ok(Said::Error { code, message })
        }
        _ => {
            answered.ok()?;
            Err(FetchError::Malformed("the answer is none".into()))
        }
    }
}

fn form(fields: &[(&str, &str)]) -> String {
    // Percent-encoding triples a byte at the most; a buffer that grew would leave copies behind.
    let length: usize = fields.iter().map(|(_, value)| 3 * value.len() + 32).sum();
    let mut form = form_urlencoded::Serializer::new(String::with_capacity(length + 32));
    form.append_pair("method", "GET").extend_pairs(fields);
    form.finish()
}

/// `appsecret_proof` ("Securing Graph API requests"): that the token is used by its own application.
fn proof(secret: &str, token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, token.as_bytes());
    let hex = tag.as_ref().iter();
    hex.flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| char::from(b"0123456789abcdef"[usize::from(nibble)]))
        .collect()
}

/// An id, written as a text today and as a number in older documentation.
fn number(members: &Object<'_>, name: &str) -> Result<String, FetchError> {
    digits(members.get(name))
        .ok_or_else(|| FetchError::Malformed(format!("the answer has no number as {name}")))
}

/// A point in time in whole seconds, if it is there.
fn instant(members: &Object<'_>, name: &str) -> Result<Option<u64>, FetchError> {
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Number(number)) if number.as_u64().is_some() => Ok(number.as_u64()),
        Some(_) => Err(FetchError::Malformed(format!("{name} is no point in time"))),
    }
}

#[cfg(test)]
mod tests {
    /// The example of RFC 4231 §4.3.
    #[test]
    fn the_proof_is_an_hmac_in_hexadecimal() {
        assert_eq!(
            super::proof("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
