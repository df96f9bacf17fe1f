//! Slack: whether a token is good and of which workspace, by `auth.test`; and whose address that person has, by
//! `openid.connect.userInfo`.

use std::borrow::Cow;

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};

use super::{
    Answer, Caller, bearer, object, of_this_token,
    parts::{Picked, below},
    unanswered,
};
use crate::{
    issuer::client::FetchError,
    provider::preset::slack::{ENTERPRISE, TEAM, USER},
    verify::{
        claims::quoted,
        json::{Json, Object},
    },
};

/// The words for a token that is not good (docs.slack.dev, `auth.test`, Errors).
const NOT_GOOD: &[&str] = &[
    "invalid_auth",
    "not_authed",
    "token_revoked",
    "token_expired",
    "account_inactive",
];
/// Seconds of silence after `ratelimited` without `Retry-After`: Slack's limits are by the minute.
const PAUSE: u64 = 60;

pub(super) async fn ask(caller: &Caller<'_>, api: &Url, token: &str) -> Result<Answer, FetchError> {
    let test = match call(caller, api, "auth.test", token).await? {
        Said::Yes(members) => members,
        Said::No(why) => return Ok(Answer::Inactive(why)),
    };
    let (user, team) = (id(&test, "user_id")?, id(&test, "team_id")?);
    let mut picked = Picked::default();
    picked.set(USER, user);
    picked.set(TEAM, team);
    picked.set("sub", user);
    picked.keep(ENTERPRISE, test.get("enterprise_id"));
    picked.keep("app_id", test.get("app_id"));
    picked.keep("bot_id", test.get("bot_id"));
    if test.get("bot_id").is_some_and(|bot| *bot != Json::Null) {
        // A bot is no OpenID user.
        return picked.answer();
    }
    // Whoever is not of our workspaces is refused by the judgement, and costs no second call.
    let teams = &caller.settings.own.teams;
    let listed = |id: Option<&Json<'_>>| {
        let id = id.and_then(Json::as_str);
        id.is_some_and(|id| teams.iter().any(|own| own == id))
    };
    if !listed(test.get("team_id")) && !listed(test.get("enterprise_id")) {
        return picked.answer();
    }
    let info = match call(caller, api, "openid.connect.userInfo", token)
        .await
        .map_err(|error| of_this_token(error, PAUSE))?
    {
        Said::Yes(members) => members,
        Said::No(why) => return Ok(Answer::Inactive(why)),
    };
    // A token for a whole Grid organisation may be of another of its workspaces in each answer. [not confirmed]
    let in_grid = test
        .get("enterprise_id")
        .is_some_and(|id| *id != Json::Null);
    if id(&info, USER)? != user || (id(&info, TEAM)? != team && !in_grid) {
        let message = "auth.test and openid.connect.userInfo name two different people";
        return Err(FetchError::Malformed(message.into()));
    }
    for name in ["email", "email_verified", "name"] {
        picked.keep(name, info.get(name));
    }
    picked.answer()
}

enum Said {
    Yes(Object<'static>),
    No(Cow<'static, str>),
}

/// Calls a method. Whether it worked stands in `ok`; the status is 200 either way.
async fn call(
    caller: &Caller<'_>,
    api: &Url,
    method: &'static str,
    token: &str,
) -> Result<Said, FetchError> {
    let request = caller
        .client
        .post(below(api, method)?)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(AUTHORIZATION, bearer(token)?)
        .body("");
    let answered = caller.send(request).await?.ok()?;
    let members = object(&answered)?;
    let error = members.get("error").and_then(Json::as_str);
    match (members.get("ok"), error) {
        (Some(Json::Bool(true)), _) => Ok(Said::Yes(members.into_owned())),
        (Some(Json::Bool(false)), Some("ratelimited")) => Err(FetchError::RateLimited(
            answered.retry_after.unwrap_or(PAUSE),
        )),
        // The token is good, and does not let us know whose it is.
        (Some(Json::Bool(false)), Some("missing_scope")) => Ok(Said::No(
            "missing_scope; has the token the scopes openid and email?".into(),
        )),
        (Some(Json::Bool(false)), Some(error)) => {
            match NOT_GOOD.iter().find(|known| **known == error) {
                Some(known) => Ok(Said::No((*known).into())),
                None => Err(unanswered(format!(
                    "{method} answered {}",
                    quoted(&error.into())
                ))),
            }
        }
        _ => Err(FetchError::Malformed(format!(
            "the answer of {method} does not say whether it is one (ok)"
        ))),
    }
}

fn id<'m>(members: &'m Object<'_>, name: &str) -> Result<&'m str, FetchError> {
    let text = members.get(name).and_then(Json::as_str);
    text.filter(|text| !text.is_empty())
        .ok_or_else(|| FetchError::Malformed(format!("the answer has no {name}")))
}
