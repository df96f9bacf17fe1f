//! Bitbucket Data Center (developer.atlassian.com/server/bitbucket/rest, groups "system maintenance" and "permission
//! management").

use super::{
    Account,
    caller::{Caller, MAX_PAGES, PAGE, list, object, text, too_many},
    malformed,
};
use crate::{
    account::fold,
    issuer::client::FetchError,
    verify::json::{Json, Object},
};

/// Cookies that a request uses up: Bitbucket answers to a remembered login with a new one, which nobody would give to
/// the browser, and takes the old one for stolen when it comes again [not confirmed; Jira and Confluence keep theirs].
pub const SPENT_BY_ASKING: &[&str] = &["_atl_bitbucket_remember_me"];

/// `GET /rest/api/latest/application-properties` is answered to everybody; whom it is answered to stands in
/// `X-AUSERNAME`, which anonymous does not get (github.com/eclipse-che/che-server/pull/790, which also says that
/// `/plugins/servlet/applinks/whoami` no longer tells with a token since 8.19.14).
pub async fn whose(caller: &Caller<'_>) -> Result<Option<String>, FetchError> {
    let path = "/rest/api/latest/application-properties";
    let answered = caller.get(path, &[]).await?;
    if answered.status == 401 {
        return Ok(None);
    }
    let answered = answered.ok()?;
    // Not the page of somebody who answers to everything.
    text(&object(&answered)?, "displayName")?;
    let name = answered.headers.get("x-ausername");
    let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
    // What Jira writes there for nobody.
    Ok(name.filter(|name| !name.is_empty() && name != "anonymous"))
}

/// `GET /rest/api/latest/admin/users?filter=…`, of which one is of exactly that name or there is none, and
/// `GET /rest/api/latest/admin/users/more-members?context=…`.
pub async fn account(caller: &Caller<'_>, name: &str) -> Result<Option<Account>, FetchError> {
    let wanted = fold(name);
    let users = "/rest/api/latest/admin/users";
    let found = each(caller, users, ("filter", name), |user| {
        if fold(text(user, "name")?) != wanted {
            return Ok(None);
        }
        let Some(Json::Bool(active)) = user.get("active") else {
            return Err(malformed("the answer has no active"));
        };
        Ok(Some((text(user, "name")?.to_owned(), *active)))
    });
    let Some((name, active)) = found.await? else {
        return Ok(None);
    };
    let mut groups = Vec::new();
    let path = "/rest/api/latest/admin/users/more-members";
    let all = each(caller, path, ("context", &name), |group| {
        groups.push(text(group, "name")?.to_owned());
        Ok(None::<()>)
    });
    all.await?;
    Ok(Some(Account {
        name,
        active: Some(active),
        groups: groups.into(),
    }))
}

/// Looks at the `values` of page after page until one is what is looked for. The last page says so (`isLastPage`), and
/// the others where the next one starts (`nextPageStart`).
async fn each<T>(
    caller: &Caller<'_>,
    path: &str,
    (name, value): (&str, &str),
    mut look: impl FnMut(&Object<'_>) -> Result<Option<T>, FetchError>,
) -> Result<Option<T>, FetchError> {
    let (mut start, limit) = (0, PAGE.to_string());
    for _ in 0..MAX_PAGES {
        let from = start.to_string();
        let query = [(name, value), ("start", &from), ("limit", &limit)];
        let answered = caller.get(path, &query).await?.ok()?;
        let page = object(&answered)?;
        for item in list(&page, "values")? {
            if let Some(found) = look(item)? {
                return Ok(Some(found));
            }
        }
        match (page.get("isLastPage"), page.get("nextPageStart")) {
            (Some(Json::Bool(true)), _) => return Ok(None),
            (Some(Json::Bool(false)), Some(Json::Number(next))) => {
                let next = next.as_u64().filter(|next| *next > start);
                start = next.ok_or_else(|| malformed("the next page starts before this one"))?;
            }
            _ => return Err(malformed("a page does not say whether it is the last")),
        }
    }
    Err(too_many("one of very many, or in very many groups"))
}
