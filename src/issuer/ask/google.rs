//! Google: whose an access token is and for whom, by tokeninfo; and of which domain that person is, by userinfo.

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};

use super::{Answer, Caller, bearer, object, of_this_token, parts::Picked, userinfo};
use crate::{
    issuer::client::FetchError,
    provider::preset::is_marked,
    tenant::settings::Audience,
    verify::json::{Json, Object},
};

/// Seconds of silence about one token after a limit that names no time.
const PAUSE: u64 = 60;
/// What is kept of tokeninfo's answer as it is.
const TOLD: &[&str] = &["azp", "aud", "sub", "scope", "email", "access_type"];

pub(super) async fn ask(
    caller: &Caller<'_>,
    tokeninfo: &Url,
    userinfo: &Url,
    token: &str,
) -> Result<Answer, FetchError> {
    // The documentation shows GET with the token in the query, where logs and proxies keep it. Google's own library
    // posts it as a bearer token (googleapis/google-auth-library-nodejs #991, OAuth2Client.getTokenInfo), and that
    // was tried at this address (PrefectHQ/fastmcp #5185). [not confirmed by documentation]
    let request = caller
        .client
        .post(tokeninfo.clone())
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, bearer(token)?)
        .body("");
    let answered = caller.send(request).await?;
    if matches!(answered.status, 400 | 401)
        && object(&answered).is_ok_and(|members| says(&members, "error") == Some("invalid_token"))
    {
        return Ok(Answer::Inactive("invalid_token".into()));
    }
    let answered = answered.ok()?;
    let members = object(&answered)?;
    let mut picked = Picked::default();
    for name in TOLD {
        picked.keep(name, members.get(name));
    }
    let expires = seconds(&members, "exp")?.ok_or_else(|| {
        FetchError::Malformed("tokeninfo does not say when the token ends".into())
    })?;
    picked.set("exp", expires);
    if let Some(left) = seconds(&members, "expires_in")? {
        picked.set("expires_in", left);
    }
    if let Some(verified) = truth(&members, "email_verified")? {
        picked.set("email_verified", verified);
    }
    let is_machine = is_marked(
        &members.clone().into_owned().into(),
        caller.settings.preset.machine_answers,
    );
    // Without a subject there is nobody to be found again in the other answer; the judgement refuses that.
    if let Some(subject) = says(&members, "sub")
        && !caller.settings.own.hosted_domains.is_empty()
        && !is_machine
        && is_ours(caller, &members)
    {
        let person = userinfo::ask(caller, userinfo, token).await;
        match person.map_err(|error| of_this_token(error, PAUSE))? {
            Answer::Active(person) if person.text("sub") == Some(subject) => {
                picked.keep("hd", person.get("hd"));
                picked.keep("name", person.get("name"));
            }
            Answer::Active(_) => {
                let message = "tokeninfo and userinfo name two different subjects";
                return Err(FetchError::Malformed(message.into()));
            }
            other => return Ok(other),
        }
    }
    picked.answer()
}

/// Whether the token is for our client and was got by it. Another's is refused by the judgement, and costs no second call.
fn is_ours(caller: &Caller<'_>, members: &Object<'_>) -> bool {
    let Audience::OneOf(ours) = &caller.settings.audience else {
        return true;
    };
    ["aud", "azp"].into_iter().all(|name| {
        let client = says(members, name);
        client.is_some_and(|client| ours.iter().any(|own| own == client))
    })
}

fn says<'m>(members: &'m Object<'_>, name: &str) -> Option<&'m str> {
    members.get(name).and_then(Json::as_str)
}

/// Whole seconds, which tokeninfo writes as a text (parse-community/parse-server #2921).
fn seconds(members: &Object<'_>, name: &str) -> Result<Option<u64>, FetchError> {
    let number = match members.get(name) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Number(number)) => number.as_u64(),
        // Digits only: `parse` would take a plus sign as well.
        Some(Json::Text(text)) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok()
        }
        Some(_) => None,
    };
    number
        .map(Some)
        .ok_or_else(|| FetchError::Malformed(format!("tokeninfo's {name} is no number")))
}

/// Likewise.
fn truth(members: &Object<'_>, name: &str) -> Result<Option<bool>, FetchError> {
    match members.get(name) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Bool(value)) => Ok(Some(*value)),
        Some(Json::Text(text)) if text == "true" => Ok(Some(true)),
        Some(Json::Text(text)) if text == "false" => Ok(Some(false)),
        Some(_) => Err(FetchError::Malformed(format!(
            "tokeninfo's {name} is neither true nor false"
        ))),
    }
}
