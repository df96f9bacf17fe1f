//! Confluence Data Center (developer.atlassian.com/server/confluence/rest, group "user").

use super::{
    Account,
    caller::{Caller, MAX_PAGES, PAGE, list, object, text, too_many},
    malformed,
};
use crate::{
    issuer::client::FetchError,
    verify::json::{Json, Object},
};

/// `GET /rest/api/user/current`: to anonymous a user of the `type` `anonymous`, and otherwise one that is `known`. Where
/// anonymous may not use Confluence at all it is 401 or 403 [not confirmed], and so is a user who may not.
pub async fn whose(caller: &Caller<'_>) -> Result<Option<String>, FetchError> {
    let answered = caller.get("/rest/api/user/current", &[]).await?;
    if matches!((answered.status, answered.retry_after), (401 | 403, None)) {
        return Ok(None);
    }
    let answered = answered.ok()?;
    let user = object(&answered)?;
    match text(&user, "type")? {
        "anonymous" => Ok(None),
        "known" => Ok(Some(text(&user, "username")?.to_owned())),
        _ => Err(malformed("the answer is no user's")),
    }
}

/// `GET /rest/api/user?username=…&expand=status` and `GET /rest/api/user/memberof?username=…`.
pub async fn account(caller: &Caller<'_>, name: &str) -> Result<Option<Account>, FetchError> {
    let query = [("username", name), ("expand", "status")];
    let answered = caller.get("/rest/api/user", &query).await?;
    if answered.status == 404 {
        // [not confirmed: its members.] Not that of a server that is no Confluence: Confluence's own is JSON.
        text(&object(&answered)?, "message")?;
        return Ok(None);
    }
    let answered = answered.ok()?;
    let user = object(&answered)?;
    if text(&user, "type")? != "known" {
        return Err(malformed("the answer is no user's"));
    }
    Ok(Some(Account {
        name: text(&user, "username")?.to_owned(),
        active: active(&user)?,
        groups: groups(caller, name).await?.into(),
    }))
}

/// `status` is a member that is only there where it is asked for, `_expandable` says; `current` is an active account's
/// [not confirmed, like `deactivated` for others]. A Confluence that does not know it says nothing.
fn active(user: &Object<'_>) -> Result<Option<bool>, FetchError> {
    match user.get("status") {
        None | Some(Json::Null) => Ok(None),
        Some(Json::Text(status)) => Ok(Some(status.eq_ignore_ascii_case("current"))),
        Some(_) => Err(malformed("the answer's status is no text")),
    }
}

/// Pages of `results[].name`; another follows where `_links.next` is there. A page may be shorter than asked for.
async fn groups(caller: &Caller<'_>, name: &str) -> Result<Vec<String>, FetchError> {
    let mut groups = Vec::new();
    for _ in 0..MAX_PAGES {
        let (start, limit) = (groups.len().to_string(), PAGE.to_string());
        let query = [("username", name), ("start", &start), ("limit", &limit)];
        let answered = caller.get("/rest/api/user/memberof", &query).await?.ok()?;
        let page = object(&answered)?;
        let results = list(&page, "results")?;
        for group in &results {
            groups.push(text(group, "name")?.to_owned());
        }
        let next = page.get("_links").and_then(|links| links.get("next"));
        if next.is_none_or(|next| *next == Json::Null) {
            return Ok(groups);
        }
        if results.is_empty() {
            return Err(malformed("a page of groups is empty, and not the last"));
        }
    }
    Err(too_many("in very many groups"))
}
