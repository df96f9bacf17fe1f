//! GitLab: whose token it is by introspection or by `token/info`, and who its user is by userinfo (docs.gitlab.com,
//! "OAuth 2.0 identity provider API", "OpenID Connect identity provider"; doorkeeper and doorkeeper-openid_connect).

use reqwest::{
    Url,
    header::{ACCEPT, AUTHORIZATION},
};

use super::{Answer, Caller, bearer, below, introspection, malformed, object};
use crate::{
    clock,
    issuer::client::{Answered, FetchError},
    verify::json::{Json, Object},
};

/// For how many seconds a token is left alone where GitLab says that a limit is reached and not for how long.
const AT_LEAST: u64 = 60;

pub(super) async fn ask(
    caller: &Caller<'_>,
    base: &Url,
    introspect: bool,
    token: &str,
) -> Result<Answer, FetchError> {
    let told = if introspect {
        introspected(caller, base, token).await?
    } else {
        info(caller, base, token).await?
    };
    let told = match told {
        Ok(told) => told,
        Err(why) => return Ok(Answer::Inactive(why.into())),
    };
    // The token of another application is used for nothing more.
    if told.client.as_deref() != Some(&*caller.settings.own.client_id) {
        return Ok(told.of_nobody());
    }
    if let Owner::Nobody = told.owner {
        return Ok(told.of_nobody());
    }
    let answered = userinfo(caller, base, token).await?;
    if answered.status == 200 {
        return told.of(&object(&answered)?);
    }
    // A machine's token has no user, and a user's without the scope `openid` may not say who that is: only what GitLab
    // says of the token tells them apart, or the second would be taken for the first.
    if let Owner::Unknown = told.owner
        && let Ok(again) = info(caller, base, token).await?
        && let Owner::Nobody = again.owner
        && again.client == told.client
    {
        return Ok(again.of_nobody());
    }
    match answered.status {
        401 | 403 | 404 => {
            let why = format!(
                "its userinfo answered {}; has the token the scope openid?",
                answered.status
            );
            Ok(Answer::Inactive(why.into()))
        }
        _ => answered
            .ok()
            .and_then(|_| Err(malformed("userinfo has no answer"))),
    }
}

/// What GitLab says of a token, or why it does not call it good.
type Found = Result<Told, &'static str>;

struct Told {
    client: Option<String>,
    owner: Owner,
    scope: Json<'static>,
    expires: Option<u64>,
}

/// Whose the token is.
enum Owner {
    /// That was not said.
    Unknown,
    /// A client got it for itself.
    Nobody,
    /// The user of that number.
    User(u64),
}

impl Told {
    /// The claims without a user: a machine's, or those of a token that is not ours.
    fn of_nobody(self) -> Answer {
        let machine = matches!(self.owner, Owner::Nobody);
        let owner = if machine { "none" } else { "unknown" };
        Answer::Active(self.claims(Object::default(), owner).into())
    }

    /// The claims with what userinfo says of the user.
    fn of(self, user: &Object<'_>) -> Result<Answer, FetchError> {
        let sub = user.get("sub").and_then(Json::as_str).unwrap_or_default();
        if sub.is_empty() || !sub.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed("userinfo has no number of the user (sub)"));
        }
        if let Owner::User(number) = self.owner
            && number.to_string() != sub
        {
            return Err(malformed("userinfo is about another user than token/info"));
        }
        let user = user.clone().into_owned();
        Ok(Answer::Active(self.claims(user, "user").into()))
    }

    /// What the token is goes before what a user's profile might say.
    fn claims(self, user: Object<'static>, owner: &'static str) -> Object<'static> {
        let text = |text: Option<String>| text.map_or(Json::Null, |text| Json::Text(text.into()));
        let expires = self
            .expires
            .map_or(Json::Null, |at| Json::Number(at.into()));
        user.with("client_id", text(self.client))
            .with("resource_owner", owner.into())
            .with("scope", self.scope)
            .with("exp", expires)
            .with("nbf", Json::Null)
            .with("cnf", Json::Null)
    }
}

/// `POST /oauth/introspect`. GitLab lets an application ask about tokens of its own alone, and calls all others
/// inactive (doorkeeper, `allow_token_introspection`).
async fn introspected(caller: &Caller<'_>, base: &Url, token: &str) -> Result<Found, FetchError> {
    let endpoint = below(base, &["oauth", "introspect"])?;
    let Answer::Active(claims) = introspection::ask(caller, &endpoint, false, token).await? else {
        return Err(malformed("the answer is not plain JSON"));
    };
    if !claims.get("active").is_some_and(|active| *active == true) {
        return Ok(Err("its introspection says so"));
    }
    let is_bearer = claims
        .text("token_type")
        .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
    if !is_bearer {
        return Ok(Err("it is no Bearer token"));
    }
    let client = claims.text("client_id");
    let expires = match claims.get("exp") {
        None => None,
        Some(Json::Number(number)) if number.is_u64() => number.as_u64(),
        Some(_) => return Err(malformed("the answer's exp is no date")),
    };
    Ok(Ok(Told {
        client: client.map(str::to_owned),
        owner: Owner::Unknown,
        scope: claims.get("scope").cloned().unwrap_or(Json::Null),
        expires,
    }))
}

/// `GET /oauth/token/info`, which the token itself is enough for.
async fn info(caller: &Caller<'_>, base: &Url, token: &str) -> Result<Found, FetchError> {
    let answered = get(caller, &below(base, &["oauth", "token", "info"])?, token).await?;
    if answered.status == 401 {
        return Ok(Err("its token/info answered 401"));
    }
    let answered = answered.ok()?;
    let told = object(&answered)?;
    let owner = match told.get("resource_owner_id") {
        // doorkeeper writes what the token's row has, which is nothing for a client's own [not confirmed].
        Some(Json::Null) => Owner::Nobody,
        Some(Json::Number(number)) if number.is_u64() => {
            Owner::User(number.as_u64().unwrap_or_default())
        }
        _ => return Err(malformed("the answer's resource_owner_id is no number")),
    };
    let expires = match told.get("expires_in") {
        None | Some(Json::Null) => None,
        Some(Json::Number(number)) if number.is_i64() || number.is_u64() => {
            let left = number.as_i64().unwrap_or(i64::MAX).max(0);
            Some(clock::now().saturating_add(left.unsigned_abs()))
        }
        Some(_) => return Err(malformed("the answer's expires_in is no number")),
    };
    let application = told.get("application").and_then(|of| of.get("uid"));
    let client = match application {
        None | Some(Json::Null) => None,
        Some(Json::Text(uid)) => Some(uid.clone().into_owned()),
        Some(_) => return Err(malformed("the answer's application.uid is no text")),
    };
    Ok(Ok(Told {
        client,
        owner,
        scope: told
            .get("scope")
            .cloned()
            .unwrap_or(Json::Null)
            .into_owned(),
        expires,
    }))
}

/// `GET /oauth/userinfo`, whatever it answers. A limit there is the token's user's, and stops nobody else [not
/// confirmed: GitLab's limits are by user for calls with a token, and by address for others].
async fn userinfo(caller: &Caller<'_>, base: &Url, token: &str) -> Result<Answered, FetchError> {
    let url = below(base, &["oauth", "userinfo"])?;
    let this_user = |what: String, retry_after| FetchError::OneToken { what, retry_after };
    match get(caller, &url, token).await {
        Ok(answered) if answered.status == 429 => Err(this_user(
            "its userinfo answered 429: a limit of the token's user is reached".to_owned(),
            answered.retry_after.unwrap_or(AT_LEAST),
        )),
        // That of somebody in thousands of groups.
        Err(error @ FetchError::TooLarge(_)) => {
            Err(this_user(format!("its userinfo: {error}"), AT_LEAST))
        }
        other => other,
    }
}

async fn get(caller: &Caller<'_>, url: &Url, token: &str) -> Result<Answered, FetchError> {
    let request = caller
        .client
        .get(url.clone())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer(token)?);
    caller.send(request).await
}
