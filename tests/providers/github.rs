//! GitHub: opaque tokens of one OAuth app or GitHub App, about which GitHub is asked.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern::dev::CLIENT_SECRET;
use serde_json::{Value, json};

use crate::harness::{
    Postern, TenantFile,
    emulator::{Asked, Emulator, Reply, json},
    tenant,
};

const CLIENT: &str = "abcde12345fghij67890";
const CHECK: &str = "/api/v3/applications/abcde12345fghij67890/token";

/// What "Check a token" answers about the octocat's token, as its documentation shows it.
fn authorization(token: &str) -> Value {
    json!({
        "id": 1, "url": "https://api.github.com/authorizations/1", "scopes": ["public_repo", "user"],
        "token": token, "token_last_eight": &token[token.len() - 8..],
        "hashed_token": "25f94a2a5c7fbaf499c665bc73d67c1c87e496da8985131633ee0a95819db2e8",
        "app": { "url": "http://my-github-app.com", "name": "my github app", "client_id": CLIENT },
        "note": "optional note", "note_url": "http://optional/note/url",
        "updated_at": "2011-09-06T20:39:23Z", "created_at": "2011-09-06T17:26:27Z", "expires_at": null,
        "fingerprint": "jklmnop12345678",
        "user": {
            "login": "Octocat", "id": 1, "node_id": "MDQ6VXNlcjE=", "gravatar_id": "",
            "url": "https://api.github.com/users/octocat", "type": "User", "site_admin": false
        }
    })
}

/// The same with another value at that JSON pointer.
fn changed(token: &str, at: &str, value: Value) -> Reply {
    let mut answer = authorization(token);
    *answer.pointer_mut(at).expect("it is there") = value;
    json(200, answer)
}

fn error(status: u16, message: &str) -> Reply {
    let url = "https://docs.github.com/rest/apps/oauth-applications#check-a-token";
    json(
        status,
        json!({ "message": message, "documentation_url": url, "status": status.to_string() }),
    )
}

fn limited(status: u16, message: &str, headers: &[(&'static str, String)]) -> Reply {
    let Reply::Full(status, mut fields, body) = error(status, message) else {
        unreachable!("it is a whole one")
    };
    fields.extend_from_slice(headers);
    Reply::Full(status, fields, body)
}

/// GitHub Enterprise Server, whose answers about tokens `about` gives; it looks at how it is asked.
fn github(about: impl Fn(&str) -> Reply + Send + Sync + 'static) -> Emulator {
    Emulator::start(move |asked| {
        if asked.path() != CHECK {
            return membership(asked);
        }
        let basic = STANDARD.encode(format!("{CLIENT}:{CLIENT_SECRET}"));
        if asked.header("authorization") != Some(&format!("Basic {basic}")) {
            return error(401, "Bad credentials");
        }
        let said = |name: &str| asked.header(name).unwrap_or_default();
        assert_eq!(said("accept"), "application/vnd.github+json");
        assert_eq!(said("x-github-api-version"), "2022-11-28");
        assert!(said("user-agent").starts_with("postern/"));
        let body: Value = serde_json::from_str(&asked.body).expect("JSON");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1));
        about(body["access_token"].as_str().expect("a token"))
    })
}

/// `GET /user/memberships/orgs/ORG`: what the token holds says of which organisation its user is what.
fn membership(asked: &Asked) -> Reply {
    let organization = asked
        .path()
        .strip_prefix("/api/v3/user/memberships/orgs/")
        .unwrap_or_else(|| panic!("asked for {}", asked.path()));
    let token = asked.header("authorization").unwrap_or_default();
    let is = |state: &str| token.contains(&format!("{state}_{organization}"));
    let (state, user) = match () {
        () if is("active") => ("active", 1),
        () if is("pending") => ("pending", 1),
        () if is("other") => ("active", 2),
        () if is("odd") => ("retired", 1),
        () if is("limited") => {
            let reset = (postern::clock::now() + 900).to_string();
            let headers = [
                ("x-ratelimit-remaining", "0".into()),
                ("x-ratelimit-reset", reset),
            ];
            return limited(403, "API rate limit exceeded for user ID 1.", &headers);
        }
        () if is("scopeless") => {
            return error(403, "You need to be a member of this organization.");
        }
        () => return error(404, "Not Found"),
    };
    json(
        200,
        json!({
            "url": "https://api.github.com/orgs/octocat/memberships/defunkt", "state": state, "role": "member",
            "organization_url": "https://api.github.com/orgs/octocat",
            "organization": { "login": organization, "id": 1, "node_id": "MDEyOk9yZ2FuaXphdGlvbjE=" },
            "user": { "login": "Octocat", "id": user, "node_id": "MDQ6VXNlcjE=", "type": "User" }
        }),
    )
}

fn trusting(github: &Emulator) -> TenantFile {
    tenant("jira").provider(&format!(
        "kind = \"github\"\napi_url = \"{}/api/v3\"\nclient_id = {CLIENT:?}\nclient_secret = {{ env = \"DEV_SECRET\" }}",
        github.url()
    ))
}

/// A token of our application is its user's, by their login; the answer repeats the token and is not kept.
#[test]
fn a_token_of_our_application_is_its_users() {
    let github = github(|token| match token {
        "gho_16C7e42F292c6912E7710c838347Ae178B4a" => json(200, authorization(token)),
        "ghu_16C7e42F292c6912E7710c838347Ae178B4a" => json(200, authorization(token)),
        // Not of this application, expired, revoked or invented: GitHub does not say which.
        _ => error(404, "Not Found"),
    });
    let lower = trusting(&github).with("username_case = \"lower\"");
    let by_number = trusting(&github)
        .with("username = \"user.id\"\nusername_map = [{ match = '^(\\d+)$', to = \"gh-$1\" }]");
    let postern = Postern::with(lower).start();
    let tokens = [
        "gho_16C7e42F292c6912E7710c838347Ae178B4a",
        "ghu_16C7e42F292c6912E7710c838347Ae178B4a",
    ];
    for token in tokens {
        let answer = postern.check("jira", token);
        answer.is_allowed_as("octocat");
        assert_eq!(answer.header("postern-method"), Some("introspection"));
    }
    postern.check("jira", tokens[0]).is_allowed_as("octocat");
    assert_eq!(github.hits(CHECK), 2, "an answer is kept for a minute");
    let others = "gho_anotherApplications0000000000000000000";
    postern.check("jira", others).is_refused(401, "inactive");
    postern.has_not_logged(&[tokens[0], tokens[1], others]);
    // The number is a name like others, if the file says so.
    let postern = Postern::with(by_number).start();
    postern.check("jira", tokens[0]).is_allowed_as("gh-1");
}

/// GitHub says for which application a token is; where it says another, the token is another's.
#[test]
fn an_answer_about_another_application_is_refused() {
    let github = github(|token| match token {
        "gho_ours" => json(200, authorization("gho_ours....")),
        _ => changed("gho_theirs..", "/app/client_id", json!("Iv1.theirs")),
    });
    let postern = Postern::with(trusting(&github).with("organizations = [\"acme\"]")).start();
    let theirs = postern.check("jira", "gho_theirs_active_acme");
    theirs.is_refused(401, "wrong_audience");
    postern.until_logged(
        "GitHub answers about the application \"Iv1.theirs\", and client_id is abcde12345fghij67890",
    );
    assert_eq!(github.asked().len(), 1, "it is used for nothing more");
}

/// Tokens that are no application's or no user's are refused by how they start, without a word to GitHub. An
/// installation's may look like a JWT.
#[test]
fn tokens_of_other_kinds_are_refused_unasked() {
    let github = github(|token| json(200, authorization(token)));
    let postern = Postern::with(trusting(&github)).start();
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJnaXRodWIifQ.c2lnbmF0dXJl";
    for (token, why) in [
        (
            "ghp_16C7e42F292c6912E7710c838347Ae178B4a".to_owned(),
            "this is a personal access token",
        ),
        (
            "github_pat_11A_16C7e42F292c6912E77".to_owned(),
            "fine-grained personal access token",
        ),
        (
            "ghs_16C7e42F292c6912E7710c838347Ae178B4a".to_owned(),
            "this is an installation token",
        ),
        (
            format!("ghs_1234567_{jwt}"),
            "this is an installation token",
        ),
        (
            "ghr_1B4a2e77838347a7E420ce178F2E7c6912E1".to_owned(),
            "this is a refresh token",
        ),
    ] {
        postern
            .check("jira", &token)
            .is_refused(401, "wrong_token_kind");
        postern.until_logged(why);
    }
    postern
        .check("jira", "0123456789abcdef")
        .is_refused(401, "malformed_token");
    assert!(github.asked().is_empty());
    postern
        .check("jira", "gho_16C7e42F292c")
        .is_allowed_as("Octocat");
}

/// A token stops working once it is revoked or its day has come; a page that is not GitHub's says nothing about it.
#[test]
fn revoked_and_expired_tokens_are_refused() {
    let github = github(|token| match token {
        "gho_revoked." => error(404, "Not Found"),
        "gho_spammed." => error(422, "Validation Failed"),
        "gho_expired." => changed(token, "/expires_at", json!("2025-01-01T00:00:00Z")),
        "ghu_expires." => changed(token, "/expires_at", json!("2999-01-01T00:00:00Z")),
        "gho_odd_date" => changed(token, "/expires_at", json!("tomorrow")),
        "gho_no_date." => changed(token, "/expires_at", json!(1_893_456_000)),
        "gho_page....." => Reply::Full(
            404,
            vec![("Content-Type", "text/html".into())],
            "<h1>".into(),
        ),
        _ => json(200, authorization(token)),
    });
    let postern = Postern::with(trusting(&github)).start();
    postern
        .check("jira", "gho_revoked.")
        .is_refused(401, "inactive");
    postern
        .check("jira", "gho_spammed.")
        .is_refused(401, "inactive");
    postern
        .check("jira", "gho_expired.")
        .is_refused(401, "expired");
    postern
        .check("jira", "ghu_expires.")
        .is_allowed_as("Octocat");
    for token in ["gho_odd_date", "gho_no_date.", "gho_page....."] {
        postern
            .check("jira", token)
            .is_refused(503, "issuer_unavailable");
    }
    postern.until_logged("is api_url right?");
    postern
        .check("jira", "gho_no_expiry")
        .is_allowed_as("Octocat");
}

/// Whoever is not a person is nobody.
#[test]
fn bots_and_organisations_are_no_users() {
    let github = github(|token| match token {
        "gho_bot....." => changed(token, "/user/type", json!("Bot")),
        "gho_org....." => changed(token, "/user/type", json!("Organization")),
        "gho_nobody.." => changed(token, "/user", Value::Null),
        _ => json(200, authorization(token)),
    });
    let postern = Postern::with(trusting(&github)).start();
    for token in ["gho_bot.....", "gho_org.....", "gho_nobody.."] {
        postern
            .check("jira", token)
            .is_refused(401, "wrong_token_kind");
    }
    postern
        .check("jira", "gho_person..")
        .is_allowed_as("Octocat");
}

/// With `organizations`, an active membership of one of them is needed, and the active ones are the user's groups.
#[test]
fn members_of_our_organisations_pass() {
    let github = github(|token| json(200, authorization(token)));
    let members = trusting(&github)
        .with("organizations = [\"acme\", \"Labs\"]")
        .access("allow_groups = [\"Labs\"]");
    let postern = Postern::with(members).start();
    let both = postern.check("jira", "gho_active_acme_active_Labs");
    both.is_allowed_as("Octocat");
    assert_eq!(both.header("remote-groups"), Some("Labs"));
    postern
        .check("jira", "gho_active_Labs")
        .is_allowed_as("Octocat");
    // Of ours, but not of the one that may call.
    postern
        .check("jira", "gho_active_acme")
        .is_refused(403, "not_in_group");
    for token in [
        "gho_nowhere",
        "gho_pending_Labs",
        "gho_scopeless_Labs",
        "gho_active_Other",
    ] {
        postern.check("jira", token).is_refused(403, "not_in_group");
    }
    postern.until_logged("is no active member of acme or Labs");
    for token in ["gho_other_acme", "gho_odd_acme"] {
        postern
            .check("jira", token)
            .is_refused(503, "issuer_unavailable");
    }
    postern.has_not_logged(&["gho_active_acme", "gho_other_acme"]);
}

/// A user whose own limit is used up stops nobody else, and is not asked about until it ends.
#[test]
fn a_users_own_limit_is_theirs_alone() {
    let github = github(|token| json(200, authorization(token)));
    let postern = Postern::with(trusting(&github).with("organizations = [\"acme\"]")).start();
    for _ in 0..2 {
        let answer = postern.check("jira", "gho_limited_acme");
        answer.is_refused(503, "issuer_unavailable");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((890..=900).contains(&seconds), "{seconds}");
        assert_eq!(github.asked().len(), 2);
    }
    postern
        .check("jira", "gho_active_acme")
        .is_allowed_as("Octocat");
}

/// Where GitHub says that a limit is reached, it is left alone for as long as it says, and callers are told so.
#[test]
fn limits_are_respected() {
    let reset = (postern::clock::now() + 120).to_string();
    let used_up = [
        ("x-ratelimit-remaining", "0".to_owned()),
        ("x-ratelimit-reset", reset),
    ];
    for (reply, wait) in [
        (
            limited(429, "Too many requests", &[("retry-after", "77".into())]),
            77,
        ),
        (limited(403, "API rate limit exceeded", &used_up), 120),
        (
            limited(403, "You have exceeded a secondary rate limit.", &[]),
            60,
        ),
        (limited(429, "", &[]), 60),
    ] {
        let github = github(move |token| match token {
            "gho_known..." => json(200, authorization(token)),
            _ => reply.clone(),
        });
        let postern = Postern::with(trusting(&github)).start();
        postern
            .check("jira", "gho_known...")
            .is_allowed_as("Octocat");
        for token in ["gho_unknown1", "gho_unknown2", "gho_unknown2"] {
            let answer = postern.check("jira", token);
            answer.is_refused(503, "issuer_unavailable");
            let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((wait - 10..=wait).contains(&seconds), "{seconds} of {wait}");
        }
        assert_eq!(github.hits(CHECK), 2, "the pause is a pause");
        postern
            .check("jira", "gho_known...")
            .is_allowed_as("Octocat");
    }
}

/// That our secret is wrong is not the caller's fault, and the log says what to look at.
#[test]
fn a_wrong_secret_is_an_outage() {
    let github = github(|token| json(200, authorization(token)));
    let postern = Postern::with(trusting(&github))
        .env("DEV_SECRET", "old")
        .start();
    postern
        .check("jira", "gho_anybodys")
        .is_refused(503, "issuer_unavailable");
    postern.until_logged("check client_id, client_secret");
    let postern = Postern::with(trusting(&github)).start();
    postern
        .check("jira", "gho_anybodys")
        .is_allowed_as("Octocat");
}

/// An answer of a shape that is not GitHub's says nothing: neither yes nor no.
#[test]
fn lies_and_silence_are_outages() {
    let github = github(|token| match token {
        "gho_id_text." => changed(token, "/user/id", json!("1")),
        "gho_id_part." => changed(token, "/user/id", json!(1.5)),
        "gho_login..." => changed(token, "/user/login", json!(7)),
        "gho_app....." => changed(token, "/app", json!(CLIENT)),
        "gho_list...." => json(200, json!([authorization(token)])),
        "gho_broken.." => json(200, &authorization(token).to_string()[..300]),
        "gho_page...." => Reply::Full(
            200,
            vec![("Content-Type", "text/html".into())],
            "<h1>".into(),
        ),
        "gho_large..." => changed(token, "/note", json!("x".repeat(300_000))),
        "gho_error..." => error(500, "Server Error"),
        "gho_refused." => error(403, "Forbidden"),
        "gho_hangs..." => Reply::Hang,
        _ => json(200, authorization(token)),
    });
    let postern = Postern::with(trusting(&github)).start();
    for (place, token) in [
        "gho_id_text.",
        "gho_id_part.",
        "gho_login...",
        "gho_app.....",
        "gho_list....",
        "gho_broken..",
        "gho_page....",
        "gho_large...",
        "gho_error...",
        "gho_refused.",
        "gho_hangs...",
    ]
    .iter()
    .enumerate()
    {
        postern
            .check("jira", token)
            .is_refused(503, "issuer_unavailable");
        // The endpoint is asked again: no token stops the others.
        let good = format!("gho_good{place:04}");
        postern.check("jira", &good).is_allowed_as("Octocat");
        postern.has_not_logged(&[token, &good]);
    }
}

/// What `validate` warns about, and what it asks for.
#[test]
fn dangerous_files_are_warned_about() {
    let postern = Postern::without_tenants().start();
    let with = |more: &str| {
        let app = "kind = \"github\"\nclient_id = \"a\"\nclient_secret = { env = \"DEV_SECRET\" }";
        postern.validate(&tenant("jira").provider(&format!("{app}\n{more}")))
    };
    let anybody = "anybody with a GitHub account can come";
    assert!(with("").contains(anybody));
    for bounded in [
        "organizations = [\"acme\"]",
        "accounts = [\"octocat\"]",
        "api_url = \"https://git.example.com/api/v3\"",
        "api_url = \"https://api.acme.ghe.com\"",
    ] {
        assert!(with(bounded).contains("0 warnings"), "{}", with(bounded));
    }
    let root = with("api_url = \"https://git.example.com\"");
    assert!(
        root.contains("Enterprise Server's API lies under /api/v3"),
        "{root}"
    );
    let odd = with("organizations = [\"acme/../..\"]");
    assert!(odd.contains("this is no organisation's name"), "{odd}");
    let plain = with("api_url = \"http://git.example.com/api/v3\"");
    assert!(plain.contains("https"), "{plain}");
    let secret = postern.validate(&tenant("jira").provider("kind = \"github\"\nclient_id = \"a\""));
    assert!(secret.contains("client_secret"), "{secret}");
}
