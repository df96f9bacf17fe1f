//! The `Authorization` header and the query.

use postern::{credential::MAX_TOKEN, decision::Denied};

use super::row::{API, Expected, Row, World, ada, jira, refused, row};
use crate::harness::Request;

#[test]
fn a_credential_is_one_bearer_token_in_one_header() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = authorization(world);
    rows.extend(lengths(world));
    rows.extend(schemes(world));
    rows.extend(query(world));
    rows
}

fn authorization(world: &World) -> Vec<Row> {
    use Denied::{MalformedToken, NoCredential};
    let token = world.acme.token().sign();
    let bearer = format!("Bearer {token}");
    let with = |value: &str| Request::check("jira", API).header("Authorization", value);
    vec![
        ada("a token", with(&bearer)),
        refused("nothing", Request::check("jira", API), NoCredential),
        refused(
            "a cookie that is no session's",
            Request::check("jira", API).header("Cookie", "theme=dark; JSESSIONIDX=1"),
            NoCredential,
        ),
        refused(
            "the same token in two headers",
            with(&bearer).header("Authorization", &bearer),
            MalformedToken,
        ),
        refused(
            "a password and then a token",
            with("Basic YWRhOmFkYQ==").header("Authorization", &bearer),
            MalformedToken,
        ),
        refused(
            "a token and then an empty header",
            with(&bearer).header("Authorization", ""),
            MalformedToken,
        ),
        ada("bearer in small letters", with(&format!("bearer {token}"))),
        refused("a tab", with(&format!("Bearer\t{token}")), MalformedToken),
        refused(
            "two spaces",
            with(&format!("Bearer  {token}")),
            MalformedToken,
        ),
        refused(
            "a space and a tab",
            with(&format!("Bearer \t{token}")),
            MalformedToken,
        ),
        refused("a colon", with(&format!("Bearer:{token}")), MalformedToken),
        refused("Bearer alone", with("Bearer"), MalformedToken),
        refused(
            "two tokens",
            with(&format!("{bearer} {token}")),
            MalformedToken,
        ),
        refused(
            "two tokens by comma",
            with(&format!("{bearer},{token}")),
            MalformedToken,
        ),
        refused(
            "a parameter",
            with(&format!("Bearer token=\"{token}\"")),
            MalformedToken,
        ),
        refused(
            "a character of no token",
            with(&format!("{bearer}!")),
            MalformedToken,
        ),
        refused(
            "a letter that is not ASCII",
            with(&format!("{bearer}é")),
            MalformedToken,
        ),
    ]
}

fn lengths(world: &World) -> Vec<Row> {
    let padded = |length: usize| {
        let token = world.acme.token().claim("pad", "x".repeat(length));
        token.sign()
    };
    // Base64 makes four characters of three bytes, so the first that is too long is at most two too long.
    let over = (11_000..12_300)
        .find(|length| padded(*length).len() > MAX_TOKEN)
        .expect("a longer text makes a longer token");
    vec![
        ada("the longest token that is read", jira(&padded(over - 1))),
        refused(
            "a token over 16 KiB",
            jira(&padded(over)),
            Denied::MalformedToken,
        ),
        refused(
            "a token of 40 KiB",
            jira(&padded(30_000)),
            Denied::MalformedToken,
        ),
    ]
}

fn schemes(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let with = |value: &str| Request::check("jira", API).header("Authorization", value);
    let mut rows = vec![
        refused(
            "a password in Basic",
            with("Basic YWRhOmFkYQ=="),
            Denied::PasswordNotAllowed,
        ),
        refused(
            "a token as a password in Basic",
            with(&format!("basic {token}")),
            Denied::MalformedToken,
        ),
        // A credential is judged wherever it is sent, or a login there would turn it into a session.
        refused(
            "a password off the API",
            Request::check("jira", "/browse/A-1").header("Authorization", "Basic YWRhOmFkYQ=="),
            Denied::PasswordNotAllowed,
        ),
        row(
            "the same page without a password",
            Request::check("jira", "/browse/A-1"),
            Expected::Passes("outside"),
        ),
    ];
    let schemes = [
        "Negotiate abc".to_owned(),
        "Digest username=\"ada\"".to_owned(),
        format!("JWT {token}"),
        format!("DPoP {token}"),
        format!("BearerX {token}"),
        token.clone(),
        String::new(),
    ];
    rows.extend(schemes.iter().map(|scheme| {
        let what = format!("the scheme of {:?}", &scheme[..scheme.len().min(12)]);
        refused(what, with(scheme), Denied::UnsupportedScheme)
    }));
    rows
}

fn query(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let asked = |query: &str| Request::check("jira", &format!("{API}?{query}"));
    let mut rows = Vec::new();
    for query in [
        format!("access_token={token}"),
        format!("a=b&access_token={token}"),
        "access_token".to_owned(),
        format!("jwt={token}"),
        "ACCESS_TOKEN=x".to_owned(),
        "%61ccess_token=x".to_owned(),
        "os_username=ada&os_password=ada".to_owned(),
        "os_authType=basic".to_owned(),
    ] {
        let what = format!("{:?} in the query", &query[..query.len().min(20)]);
        let request = asked(&query);
        rows.push(refused(
            format!("{what}, beside a good token"),
            request.clone().bearer(&token),
            Denied::CredentialInQuery,
        ));
        rows.push(refused(what, request, Denied::CredentialInQuery));
    }
    for query in [
        "my_access_token=x",
        "jql=access_token%3Dx",
        "access%5Ftokens=x",
    ] {
        rows.push(ada(
            format!("{query:?} in the query"),
            asked(query).bearer(&token),
        ));
    }
    rows
}
