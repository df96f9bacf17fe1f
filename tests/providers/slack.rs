//! Slack. The examples are those of `auth.test`, `openid.connect.token` and `openid.connect.userInfo` (docs.slack.dev).

use serde_json::{Value, json};

use super::trouble::Trouble;
use crate::harness::{
    Algorithm, Issuer, Postern, TenantFile,
    emulator::{self, Asked, Emulator, Reply},
    issuer, tenant,
};

const CLIENT: &str = "25259531569.11152291";
const TEAM: &str = "https://slack.com/team_id";
const USER: &str = "https://slack.com/user_id";

fn claims() -> Value {
    let now = postern::clock::now();
    json!({
        "iss": "https://slack.com", "sub": "U0R7JM", "aud": CLIENT, "exp": now + 300, "iat": now,
        "auth_time": now, "nonce": "abcd", "at_hash": "tUbyWGBHe0V32FJEupkgVQ", TEAM: "T0R7GR", USER: "U0R7JM",
        "email": "krane@slack-corp.com", "email_verified": true, "date_email_verified": 1_622_128_723,
        "locale": "en-US", "name": "krane",
    })
}

fn id_token(keys: &Issuer, claims: &Value) -> String {
    let kid = keys.kid(Algorithm::Es256);
    let header = json!({ "alg": "ES256", "kid": kid, "typ": "JWT" });
    keys.sign_raw(Algorithm::Es256, header.to_string(), claims.to_string())
}

fn auth_test() -> Value {
    json!({
        "ok": true, "url": "https://subarachnoid.slack.com/", "team": "Subarachnoid Workspace", "user": "krane",
        "team_id": "T0R7GR", "user_id": "U0R7JM", "is_enterprise_install": false,
    })
}

fn user_info() -> Value {
    json!({
        "ok": true, "sub": "U0R7JM", USER: "U0R7JM", TEAM: "T0R7GR", "email": "krane@slack-corp.com",
        "email_verified": true, "date_email_verified": 1_622_128_723, "name": "krane", "given_name": "Bront",
        "picture": "https://secure.gravatar.com/…",
    })
}

fn honest(asked: &Asked) -> Reply {
    answering(&auth_test(), &user_info())(asked)
}

fn answering(test: &Value, info: &Value) -> impl Fn(&Asked) -> Reply + Send + Sync + use<> {
    let (test, info) = (test.clone(), info.clone());
    move |asked| {
        let bearer = asked.header("authorization").unwrap_or_default();
        if !bearer.starts_with("Bearer xox") || asked.method != "POST" {
            return failed("not_authed");
        }
        match &*asked.target {
            "/api/auth.test" => emulator::json(200, &test),
            "/api/openid.connect.userInfo" => emulator::json(200, &info),
            _ => failed("unknown_method"),
        }
    }
}

/// Failure is status 200.
fn failed(error: &str) -> Reply {
    emulator::json(200, json!({ "ok": false, "error": error }))
}

fn start(lines: &str) -> (Issuer, Emulator, Postern) {
    let (keys, slack) = (issuer(), Emulator::start(honest));
    let postern = Postern::with(file(&keys, &slack, lines)).start();
    (keys, slack, postern)
}

fn file(keys: &Issuer, slack: &Emulator, lines: &str) -> TenantFile {
    let file = tenant("jira").provider(&format!(
        "kind = \"slack\"\napi_url = \"{}/api\"\n{lines}",
        slack.url()
    ));
    if lines.contains("audience") {
        file.with(&format!(
            "algorithms = [\"ES256\"]\njwks_uri = \"{}/jwks\"",
            keys.url()
        ))
    } else {
        file
    }
}

const IDS: &str = "audience = [\"25259531569.11152291\"]\nteams = [\"T0R7GR\"]";
const OPAQUE: &str = "teams = [\"T0R7GR\", \"E0GRID\"]";

/// An ID token is of our app and of our workspace. Beside it no opaque token is taken unless the file asks for it, and
/// Slack is never shown one.
#[test]
fn an_id_token_is_for_our_app_and_of_our_workspace() {
    let (keys, slack, postern) = start(IDS);
    let check = |claims: &Value| postern.check("jira", &id_token(&keys, claims));
    let answer = check(&claims());
    answer.is_allowed_as("krane@slack-corp.com");
    assert_eq!(answer.header("postern-method"), Some("jwt"));
    for (claim, value, status, reason) in [
        ("aud", json!("25259531569.99999999"), 401, "wrong_audience"),
        (TEAM, json!("T0OTHER"), 401, "wrong_audience"),
        (TEAM, json!(null), 401, "wrong_audience"),
        ("iss", json!("https://slack.com/"), 401, "unknown_issuer"),
        ("email_verified", json!(false), 403, "no_username"),
        ("email_verified", json!(null), 403, "no_username"),
        ("exp", json!(postern::clock::now() - 300), 401, "expired"),
    ] {
        let mut claims = claims();
        claims[claim] = value;
        let answer = check(&claims);
        assert_eq!(
            (answer.status, answer.reason()),
            (status, reason),
            "{claims}"
        );
    }
    postern
        .check("jira", "xoxp-1")
        .is_refused(401, "malformed_token");
    assert!(slack.asked().is_empty());
}

/// An opaque token is good and of a listed workspace or organisation, and its user's address is verified. That any app
/// of that user could bring it, `validate` says.
#[test]
fn an_opaque_token_is_of_a_listed_workspace() {
    let (_keys, slack, postern) = start(OPAQUE);
    for prefix in ["xoxp-", "xoxe.xoxp-1-"] {
        let answer = postern.check("jira", &format!("{prefix}1234"));
        answer.is_allowed_as("krane@slack-corp.com");
        assert_eq!(answer.header("postern-method"), Some("userinfo"));
    }
    let change = |of: fn() -> Value, name: &str, value: Value| {
        let mut answer = of();
        answer[name] = value;
        answer
    };
    let outage = (503, "issuer_unavailable");
    for (at, (test, info, expected)) in [
        (
            change(auth_test, "team_id", json!("T0OTHER")),
            change(user_info, TEAM, json!("T0OTHER")),
            (401, "wrong_audience"),
        ),
        (
            auth_test(),
            change(user_info, "email_verified", json!(false)),
            (403, "no_username"),
        ),
        (
            auth_test(),
            change(user_info, "email", json!(null)),
            (403, "no_username"),
        ),
        (
            auth_test(),
            change(user_info, TEAM, json!("T0OTHER")),
            outage,
        ),
        (
            auth_test(),
            change(user_info, USER, json!("U0OTHER")),
            outage,
        ),
        (auth_test(), change(user_info, USER, json!(null)), outage),
        (
            change(auth_test, "user_id", json!(null)),
            user_info(),
            outage,
        ),
        (
            change(auth_test, "team_id", json!(["T0R7GR"])),
            user_info(),
            outage,
        ),
        (change(auth_test, "ok", json!("true")), user_info(), outage),
        (change(auth_test, "ok", json!(null)), user_info(), outage),
        (auth_test(), change(user_info, "ok", json!(1)), outage),
    ]
    .into_iter()
    .enumerate()
    {
        slack.answer(answering(&test, &info));
        let answer = postern.check("jira", &format!("xoxp-odd-{at}"));
        assert_eq!((answer.status, answer.reason()), expected, "{test} {info}");
        slack.answer(honest);
        postern
            .check("jira", &format!("xoxp-good-{at}"))
            .is_allowed_as("krane@slack-corp.com");
    }
    // In Enterprise Grid a workspace is listed by its organisation.
    let mut grid = change(auth_test, "team_id", json!("T0GRID"));
    // Another workspace, so another person.
    let info = change(user_info, "email", json!("grid@slack-corp.com"));
    for (enterprise, passes) in [("E0GRID", true), ("E0OTHER", false)] {
        grid["enterprise_id"] = enterprise.into();
        slack.answer(answering(&grid, &info));
        let answer = postern.check("jira", &format!("xoxp-{enterprise}"));
        if passes {
            answer.is_allowed_as("grid@slack-corp.com");
        } else {
            answer.is_refused(401, "wrong_audience");
        }
    }
    let validated = postern.cli(&["validate"]);
    let text =
        String::from_utf8_lossy(&validated.stdout) + String::from_utf8_lossy(&validated.stderr);
    assert!(
        text.contains("any app that a member of these workspaces has installed"),
        "{text}"
    );
}

/// Where Slack names the app, it must be ours. With `client_id` both kinds of tokens are taken.
#[test]
fn a_token_of_another_app_is_refused_where_slack_says_so() {
    let (keys, slack, postern) = start(&format!("{IDS}\nclient_id = \"A0R7GR\""));
    postern
        .check("jira", &id_token(&keys, &claims()))
        .is_allowed_as("krane@slack-corp.com");
    for (app, passes) in [
        (json!(null), true),
        (json!("A0R7GR"), true),
        (json!("A0OTHER"), false),
        (json!(7), false),
    ] {
        let mut test = auth_test();
        test["app_id"] = app.clone();
        slack.answer(answering(&test, &user_info()));
        let answer = postern.check(
            "jira",
            &format!("xoxp-{}", app.to_string().trim_matches('"')),
        );
        if passes {
            answer.is_allowed_as("krane@slack-corp.com");
        } else {
            answer.is_refused(401, "wrong_audience");
        }
    }
}

/// A bot is a machine: it comes only where its id is listed, and only of a listed workspace. Nobody's address is asked.
#[test]
fn a_bot_comes_only_where_it_is_listed() {
    let (_keys, slack, postern) = start(&format!(
        "{OPAQUE}\nservice_accounts = {{ B0R7GR = \"svc-bot\" }}"
    ));
    let bot = |id: Value, team: &str| {
        let mut test = auth_test();
        test["bot_id"] = id;
        test["team_id"] = team.into();
        answering(&test, &user_info())
    };
    slack.answer(bot(json!("B0R7GR"), "T0R7GR"));
    postern.check("jira", "xoxb-1").is_allowed_as("svc-bot");
    postern
        .check("jira", "xoxe.xoxb-1-1")
        .is_allowed_as("svc-bot");
    assert_eq!(slack.hits("/api/openid.connect.userInfo"), 0);
    slack.answer(bot(json!("B0OTHER"), "T0R7GR"));
    postern
        .check("jira", "xoxb-2")
        .is_refused(403, "no_username");
    slack.answer(bot(json!(["B0R7GR"]), "T0R7GR"));
    postern
        .check("jira", "xoxb-3")
        .is_refused(403, "no_username");
    slack.answer(bot(json!("B0R7GR"), "T0OTHER"));
    postern
        .check("jira", "xoxb-4")
        .is_refused(401, "wrong_audience");
    let calls = slack.asked().len();
    for other in ["xapp-1-A0R7GR-1-a", "xoxe-1-abcdefg"] {
        postern
            .check("jira", other)
            .is_refused(401, "wrong_token_kind");
    }
    assert!(postern.log().contains("this is an app-level token"));
    assert_eq!(slack.asked().len(), calls);
}

/// Slack lists no groups in either kind of token, so that a group rule refuses.
#[test]
fn nobody_is_in_a_group() {
    let (keys, slack) = (issuer(), Emulator::start(honest));
    let lines = format!("{IDS}\nclient_id = \"A0R7GR\"");
    let file = file(&keys, &slack, &lines).access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    for token in ["xoxp-1", &id_token(&keys, &claims())] {
        postern.check("jira", token).is_refused(403, "not_in_group");
    }
}

/// `ok` decides and not the status: these are words about the token, and every other is none.
#[test]
fn failure_inside_status_200_is_understood() {
    let (_keys, slack, postern) = start(OPAQUE);
    let inactive = [
        "invalid_auth",
        "token_revoked",
        "token_expired",
        "account_inactive",
        "not_authed",
    ];
    let outage = [
        "org_login_required",
        "internal_error",
        "fatal_error",
        "access_denied",
        "",
        "InvalidAuth",
    ];
    for error in inactive.into_iter().chain(outage) {
        let is_known = inactive.contains(&error);
        for at in ["/api/auth.test", "/api/openid.connect.userInfo"] {
            slack.answer(move |asked| {
                if asked.path() == at {
                    failed(error)
                } else {
                    honest(asked)
                }
            });
            let answer = postern.check("jira", &format!("xoxp-{error}-{}", at.len()));
            let expected = if is_known {
                (401, "inactive")
            } else {
                (503, "issuer_unavailable")
            };
            assert_eq!((answer.status, answer.reason()), expected, "{error:?} {at}");
        }
    }
    slack.answer(|asked| match asked.path() {
        "/api/auth.test" => honest(asked),
        _ => emulator::json(200, json!({ "ok": false, "error": "missing_scope", "needed": "openid", "provided": "identify" })),
    });
    postern
        .check("jira", "xoxp-scope")
        .is_refused(401, "inactive");
    // None of it was held against Slack.
    slack.answer(honest);
    postern
        .check("jira", "xoxp-good")
        .is_allowed_as("krane@slack-corp.com");
}

/// Slack is away, hangs, says nonsense, or wants to be left alone, by its status or in words; no token in the log.
#[test]
fn slack_in_trouble_is_an_outage() {
    let (_keys, api, postern) = start(OPAQUE);
    let trouble = Trouble {
        postern: &postern,
        api: &api,
        honest,
        prefix: "xoxp-secret-",
        account: "krane@slack-corp.com",
    };
    trouble.of_all_kinds_is_an_outage();
    let fields = vec![("Retry-After", "30".to_owned())];
    let limited = json!({ "ok": false, "error": "ratelimited" }).to_string();
    trouble.is_left_alone(Reply::Full(429, fields, limited), 30);
    assert!(!postern.log().contains("xoxp-secret"));
    let (_keys, api, postern) = start(OPAQUE);
    let trouble = Trouble {
        postern: &postern,
        api: &api,
        ..trouble
    };
    trouble.is_left_alone(failed("ratelimited"), 60);
    let (_keys, api, postern) = start(OPAQUE);
    drop(api);
    postern
        .check("jira", "xoxp-away")
        .is_refused(503, "issuer_unavailable");
}
