//! Jira Data Center (developer.atlassian.com/server/jira/platform/rest, groups "user" and "myself").

use super::{
    Account,
    caller::{Caller, list, object, text, too_many},
    malformed,
};
use crate::{issuer::client::FetchError, verify::json::Json};

/// `GET /rest/api/2/myself`: 401 to anonymous, "the safe probe"; a dead token or session is anonymous.
pub async fn whose(caller: &Caller<'_>) -> Result<Option<String>, FetchError> {
    let answered = caller.get("/rest/api/2/myself", &[]).await?;
    if answered.status == 401 {
        return Ok(None);
    }
    let answered = answered.ok()?;
    Ok(Some(text(&object(&answered)?, "name")?.to_owned()))
}

/// `GET /rest/api/2/user?username=…&expand=groups`: 404 if there is none, and otherwise `name`, `active` and
/// `groups.items[].name`, which `groups.size` counts [not confirmed: whether long lists are cut].
pub async fn account(caller: &Caller<'_>, name: &str) -> Result<Option<Account>, FetchError> {
    let query = [("username", name), ("expand", "groups")];
    let answered = caller.get("/rest/api/2/user", &query).await?;
    if answered.status == 404 {
        // Not that of a server that is no Jira: Jira's own has `errorMessages`.
        let refusal = object(&answered)?;
        return match refusal.get("errorMessages") {
            Some(Json::List(_)) => Ok(None),
            _ => Err(malformed("the answer has no errorMessages")),
        };
    }
    let answered = answered.ok()?;
    let user = object(&answered)?;
    let Some(Json::Bool(active)) = user.get("active") else {
        return Err(malformed("the answer has no active"));
    };
    let Some(Json::Object(groups)) = user.get("groups") else {
        return Err(malformed("the answer has no groups"));
    };
    let items = list(groups, "items")?;
    let Some(Json::Number(size)) = groups.get("size") else {
        return Err(malformed("the answer has no groups.size"));
    };
    if size.as_u64() != Some(items.len() as u64) {
        return Err(too_many(&format!("in {size} groups")));
    }
    let names = items
        .iter()
        .map(|group| Ok(text(group, "name")?.to_owned()));
    Ok(Some(Account {
        name: text(&user, "name")?.to_owned(),
        active: Some(*active),
        groups: names.collect::<Result<_, FetchError>>()?,
    }))
}
