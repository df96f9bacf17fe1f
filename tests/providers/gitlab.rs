//! GitLab: access tokens of one application, about which GitLab is asked, and ID tokens where the file says so.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern::{clock, dev::CLIENT_SECRET};
use serde_json::{Value, json};

use crate::harness::{
    Algorithm, Issuer, Postern, TenantFile,
    emulator::{Asked, Emulator, Reply, json},
    issuer, tenant,
};

const OURS: &str = "1cb242f495280beb4291e64bee2a17f330902e499882fe8e1e2aa875519cab33";
const INTROSPECT: &str = "/gitlab/oauth/introspect";
const INFO: &str = "/gitlab/oauth/token/info";
const USERINFO: &str = "/gitlab/oauth/userinfo";

/// An access token: 64 hexadecimal digits, which begin with that word's.
fn token(word: &str) -> String {
    let number = word
        .bytes()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("{number:0<64}")
}

fn error(status: u16, word: &str) -> Reply {
    let description = "The access token is invalid";
    json(
        status,
        json!({ "error": word, "error_description": description, "state": "unauthorized" }),
    )
}

/// What introspection says of a token of ours.
fn active(more: Value) -> Reply {
    let now = clock::now();
    merged(
        json!({
            "active": true, "scope": "openid email", "client_id": OURS, "token_type": "Bearer",
            "iat": now - 60, "exp": now + 7140
        }),
        more,
    )
}

/// What token/info says of a token of ours.
fn info(more: Value) -> Reply {
    merged(
        json!({
            "resource_owner_id": 1, "scope": ["openid", "email"], "expires_in": 7140,
            "application": { "uid": OURS }, "created_at": 1_575_890_427
        }),
        more,
    )
}

/// What userinfo says of Ada.
fn ada(more: Value) -> Reply {
    merged(
        json!({
            "sub": "1", "name": "Ada Lovelace", "nickname": "ada", "preferred_username": "ada",
            "email": "ada@example.com", "email_verified": true, "website": "", "profile": "https://gitlab.com/ada",
            "picture": "https://gitlab.com/uploads/-/ada.png", "groups": ["engineering", "engineering/release"],
            "https://gitlab.org/claims/groups/owner": ["engineering"]
        }),
        more,
    )
}

fn merged(mut answer: Value, more: Value) -> Reply {
    if let (Some(answer), Value::Object(more)) = (answer.as_object_mut(), more) {
        answer.extend(more);
    }
    json(200, answer)
}

/// A GitLab with a relative root. Each token's first word says what it is.
fn gitlab() -> Emulator {
    gitlab_but(|_, _| None)
}

/// The same, where `but` does not answer instead.
fn gitlab_but(but: impl Fn(&str, &str) -> Option<Reply> + Send + Sync + 'static) -> Emulator {
    Emulator::start(move |asked| {
        let bearer = asked
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let sent = match asked.path() {
            INTROSPECT => asked.field("token").expect("a token"),
            _ => bearer.expect("a token").to_owned(),
        };
        assert!(!asked.target.contains(&sent), "a token in a URL");
        if let Some(reply) = but(asked.path(), &sent) {
            return reply;
        }
        let is = |word: &str| sent.starts_with(&token(word)[..2 * word.len()]);
        match asked.path() {
            INTROSPECT if !knows_us(asked) => error(401, "invalid_client"),
            // An application may ask about its own tokens; others' are inactive, like those that are none.
            INTROSPECT if is("theirs") || is("revoked") => json(200, json!({ "active": false })),
            INTROSPECT => active(json!({})),
            _ if is("revoked") => error(401, "invalid_token"),
            INFO if is("theirs") => info(json!({ "application": { "uid": "theirs" } })),
            INFO if is("machine") => info(json!({ "resource_owner_id": null })),
            INFO => info(json!({})),
            USERINFO if is("machine") || is("scopeless") => error(403, "insufficient_scope"),
            USERINFO => ada(json!({})),
            path => panic!("asked for {path}"),
        }
    })
}

fn knows_us(asked: &Asked) -> bool {
    let basic = format!(
        "Basic {}",
        STANDARD.encode(format!("{OURS}:{CLIENT_SECRET}"))
    );
    let in_form = (asked.field("client_id"), asked.field("client_secret"))
        == (Some(OURS.into()), Some(CLIENT_SECRET.into()));
    asked.header("authorization") == Some(&basic) || in_form
}

/// Its application is ours, and it is asked with our secret.
fn introspecting(gitlab: &Emulator) -> TenantFile {
    asking_info(gitlab).with("client_secret = { env = \"DEV_SECRET\" }")
}

/// It is asked with nothing but the tokens.
fn asking_info(gitlab: &Emulator) -> TenantFile {
    let issuer = format!("{}/gitlab", gitlab.url());
    tenant("jira").provider(&format!(
        "kind = \"gitlab\"\nissuer = {issuer:?}\nclient_id = {OURS:?}"
    ))
}

/// Both ways to ask bind a token to our application, and then ask who its user is. Another application's token is
/// used for nothing more.
#[test]
fn a_token_of_our_application_is_its_users() {
    for (way, reason) in [(true, "inactive"), (false, "wrong_audience")] {
        let gitlab = gitlab();
        let ways = if way { introspecting } else { asking_info };
        let postern =
            Postern::with(ways(&gitlab).access("allow_groups = [\"engineering/release\"]")).start();
        let theirs = postern.check("jira", &token("theirs"));
        theirs.is_refused(401, reason);
        assert_eq!(gitlab.hits(USERINFO), 0);
        let answer = postern.check("jira", &token("ours"));
        answer.is_allowed_as("ada");
        assert_eq!(answer.header("postern-method"), Some("introspection"));
        assert_eq!(answer.header("remote-groups"), Some("engineering/release"));
        postern.check("jira", &token("ours")).is_allowed_as("ada");
        assert_eq!(gitlab.hits(USERINFO), 1, "an answer is kept for a minute");
        postern.has_not_logged(&[&token("ours"), &token("theirs")]);
    }
    // Whichever way it wants to be shown the secret.
    let gitlab = gitlab();
    let in_form = introspecting(&gitlab).with("client_auth = \"client_secret_post\"");
    let postern = Postern::with(in_form).start();
    postern.check("jira", &token("ours")).is_allowed_as("ada");
}

/// What GitLab answers is compared, though it answers only about our tokens.
#[test]
fn an_answer_about_another_application_is_refused() {
    let gitlab = gitlab_but(|path, sent| {
        let lies = path == INTROSPECT && sent == token("lie");
        lies.then(|| active(json!({ "client_id": "theirs" })))
    });
    let postern = Postern::with(introspecting(&gitlab)).start();
    postern
        .check("jira", &token("lie"))
        .is_refused(401, "wrong_audience");
    postern.until_logged("the token is of the application \"theirs\", and client_id is");
    assert_eq!(gitlab.hits(USERINFO), 0);
    postern.check("jira", &token("truth")).is_allowed_as("ada");
}

/// A token that the application got for itself is the account that the file says. A user's that may not say whose it
/// is (no scope `openid`) looks alike to userinfo, and is refused.
#[test]
fn a_machine_is_what_the_file_says() {
    for ways in [introspecting, asking_info] {
        let gitlab = gitlab();
        let listed = format!("service_accounts = {{ {OURS:?} = \"svc-gitlab\" }}");
        let postern = Postern::with(ways(&gitlab).with(&listed)).start();
        postern
            .check("jira", &token("machine"))
            .is_allowed_as("svc-gitlab");
        postern
            .check("jira", &token("scopeless"))
            .is_refused(401, "inactive");
        postern.until_logged("has the token the scope openid?");
        let postern = Postern::with(ways(&gitlab)).start();
        postern
            .check("jira", &token("machine"))
            .is_refused(403, "no_username");
    }
}

/// Tokens that are no application's are refused by how they start, without a word to GitLab.
#[test]
fn tokens_of_other_kinds_are_refused_unasked() {
    let gitlab = gitlab();
    let postern = Postern::with(introspecting(&gitlab)).start();
    for (sent, why) in [
        (
            "glpat-z_sxgtrfAxKr8q1TPY8Y",
            "this is a personal access token",
        ),
        (
            "glpat-aW1hZ2luYXJ5.01.0z1abcdef",
            "this is a personal access token",
        ),
        ("glcbt-64_eyJhbGciOiJSUzI1NiJ9", "this is a CI job token"),
        ("gldt-z_sxgtrfAxKr8q1TPY8Y", "this is a deploy token"),
        ("gloas-0123456789abcdef", "this is an application's secret"),
    ] {
        postern
            .check("jira", sent)
            .is_refused(401, "wrong_token_kind");
        postern.until_logged(why);
    }
    assert!(gitlab.asked().is_empty());
    postern.check("jira", &token("ours")).is_allowed_as("ada");
}

/// A revoked token is refused, and so is one that has expired, whoever still calls it active.
#[test]
fn revoked_and_expired_tokens_are_refused() {
    for ways in [introspecting, asking_info] {
        let gitlab = gitlab_but(|path, sent| match path {
            INTROSPECT if sent == token("old") => Some(active(json!({ "exp": clock::now() - 60 }))),
            INFO if sent == token("old") => Some(error(401, "invalid_token")),
            INFO if sent == token("endless") => Some(info(json!({ "expires_in": null }))),
            _ => None,
        });
        let postern = Postern::with(ways(&gitlab)).start();
        postern
            .check("jira", &token("revoked"))
            .is_refused(401, "inactive");
        assert_eq!(postern.check("jira", &token("old")).status, 401);
        postern
            .check("jira", &token("endless"))
            .is_allowed_as("ada");
    }
}

/// GitLab.com's ID tokens: its own `iss`, and keys of ours in place of its.
fn id_token(gitlab: &Issuer, more: Value) -> String {
    let mut claims = json!({
        "iss": "https://gitlab.com", "sub": "1", "aud": OURS, "exp": clock::now() + 120, "iat": clock::now(),
        "auth_time": clock::now() - 60, "sub_legacy": "0b1e", "nickname": "ada", "preferred_username": "ada",
        "groups_direct": ["engineering"]
    });
    if let (Some(claims), Value::Object(more)) = (claims.as_object_mut(), more) {
        claims.extend(more);
    }
    let header = json!({ "typ": "JWT", "alg": "ES256", "kid": gitlab.kid(Algorithm::Es256) });
    gitlab.sign_raw(Algorithm::Es256, header.to_string(), claims.to_string())
}

/// ID tokens pass only where the file says so. The same keys sign the tokens of CI jobs, whose author writes the
/// audience: these never pass.
#[test]
fn id_tokens_pass_where_they_are_wanted_and_ci_jobs_never() {
    let (keys, idle) = (issuer(), gitlab());
    let com = tenant("jira").provider(&format!("kind = \"gitlab\"\nclient_id = {OURS:?}"));
    let on = format!(
        "id_tokens = true\njwks_uri = \"{}/jwks\"\nalgorithms = [\"ES256\"]",
        keys.url()
    );
    let off = asking_info(&idle);
    let postern = Postern::with(com.with(&on).access("allow_groups = [\"engineering\"]"))
        .and(off.named("off"))
        .start();
    postern
        .check("jira", &id_token(&keys, json!({})))
        .is_allowed_as("ada");
    let theirs = id_token(&keys, json!({ "aud": "theirs" }));
    postern
        .check("jira", &theirs)
        .is_refused(401, "wrong_audience");
    // A job's, as "ID token authentication" shows it.
    let job = json!({
        "namespace_id": "72", "namespace_path": "my-group", "project_id": "20", "project_path": "my-group/my-project",
        "user_id": "1", "user_login": "ada", "user_email": "ada@example.com", "pipeline_id": "574", "job_id": "302",
        "sub": "project_path:my-group/my-project:ref_type:branch:ref:feature-branch-1", "auth_time": null,
        "sub_legacy": null, "preferred_username": "ada"
    });
    postern
        .check("jira", &id_token(&keys, job))
        .is_refused(401, "wrong_token_kind");
    for one in [
        json!({ "project_path": "my-group/my-project" }),
        json!({ "job_id": "302" }),
        json!({ "pipeline_id": "574" }),
        json!({ "user_login": "ada" }),
        json!({ "sub": "project_path:my-group/my-project" }),
        json!({ "sub": 1 }),
        json!({ "auth_time": null, "sub_legacy": null }),
    ] {
        postern
            .check("jira", &id_token(&keys, one))
            .is_refused(401, "wrong_token_kind");
    }
    // Off, they are not even asked about.
    let own = json!({ "iss": format!("{}/gitlab", idle.url()) });
    postern
        .check("off", &id_token(&keys, own))
        .is_refused(401, "wrong_token_kind");
    postern.until_logged("id_tokens = true would accept a user's ID token");
    assert!(idle.asked().is_empty());
}

/// GitLab's own limits stop our calls; those of one user stop what concerns that user's token.
#[test]
fn limits_are_respected() {
    let gitlab = gitlab_but(|path, sent| {
        let limited = |seconds: &str| {
            let fields = vec![
                ("Content-Type", "text/plain".into()),
                ("Retry-After", seconds.into()),
            ];
            Some(Reply::Full(429, fields, "Retry later\n".into()))
        };
        match path {
            USERINFO if sent == token("busy") => limited("50"),
            INTROSPECT if sent == token("flood") => limited("40"),
            _ => None,
        }
    });
    let postern = Postern::with(introspecting(&gitlab)).start();
    let is_told_to_wait = |word: &str, longest: u64| {
        let answer = postern.check("jira", &token(word));
        answer.is_refused(503, "issuer_unavailable");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!(
            (longest - 10..=longest).contains(&seconds),
            "{seconds} of {longest}"
        );
    };
    is_told_to_wait("busy", 50);
    is_told_to_wait("busy", 50);
    assert_eq!((gitlab.hits(INTROSPECT), gitlab.hits(USERINFO)), (1, 1));
    postern.check("jira", &token("ours")).is_allowed_as("ada");
    is_told_to_wait("flood", 40);
    is_told_to_wait("new", 40);
    assert_eq!(gitlab.hits(INTROSPECT), 3);
    postern.check("jira", &token("ours")).is_allowed_as("ada");
}

/// That our secret is wrong is not the caller's fault, and the log says what to look at.
#[test]
fn a_wrong_secret_is_an_outage() {
    let gitlab = gitlab();
    let postern = Postern::with(introspecting(&gitlab))
        .env("DEV_SECRET", "old")
        .start();
    postern
        .check("jira", &token("ours"))
        .is_refused(503, "issuer_unavailable");
    postern.until_logged("check client_id, client_secret");
}

/// An answer of a shape that is not GitLab's says nothing: neither yes nor no.
#[test]
fn lies_and_silence_are_outages() {
    let lies = |path: &str, sent: &str| {
        let is = |word: &str| sent == token(word);
        match path {
            INTROSPECT if is("active") => Some(active(json!({ "active": "true" }))),
            INTROSPECT if is("exp") => Some(active(json!({ "exp": "soon" }))),
            INTROSPECT if is("broken") => Some(json(200, "{\"active\":true,")),
            INTROSPECT if is("down") => Some(json(502, "{}")),
            INTROSPECT if is("hangs") => Some(Reply::Hang),
            INFO if is("owner") => Some(info(json!({ "resource_owner_id": "1" }))),
            INFO if is("other") => Some(info(json!({ "resource_owner_id": 2 }))),
            INFO if is("expires") => Some(info(json!({ "expires_in": "7200" }))),
            INFO if is("uid") => Some(info(json!({ "application": { "uid": 1 } }))),
            USERINFO if is("sub") => Some(ada(json!({ "sub": 1 }))),
            USERINFO if is("letters") => Some(ada(json!({ "sub": "ada" }))),
            USERINFO if is("page") => Some(Reply::Full(200, vec![], "<h1>".into())),
            USERINFO if is("large") => Some(ada(json!({ "groups": ["g".repeat(300_000)] }))),
            USERINFO if is("fails") => Some(json(500, "{}")),
            _ => None,
        }
    };
    let asked = [
        (
            true,
            &[
                "active", "exp", "broken", "down", "hangs", "sub", "letters", "page", "large",
                "fails",
            ][..],
        ),
        (
            false,
            &["owner", "other", "expires", "uid", "sub", "page", "fails"],
        ),
    ];
    for (way, words) in asked {
        let gitlab = gitlab_but(lies);
        let ways = if way { introspecting } else { asking_info };
        let postern = Postern::with(ways(&gitlab)).start();
        for word in words {
            postern
                .check("jira", &token(word))
                .is_refused(503, "issuer_unavailable");
            // The endpoint is asked again: no token stops the others.
            postern
                .check("jira", &token(&format!("ok-{word}")))
                .is_allowed_as("ada");
            postern.has_not_logged(&[&token(word)]);
        }
    }
}

/// What `validate` warns about, and what it asks for.
#[test]
fn dangerous_files_are_warned_about() {
    let postern = Postern::without_tenants().start();
    let com = |more: &str| tenant("jira").provider(&format!("kind = \"gitlab\"\n{more}"));
    let anybody = "anybody with a GitLab.com account can come";
    let app = format!("client_id = {OURS:?}\n");
    assert!(postern.validate(&com(&app)).contains(anybody));
    assert!(
        !postern
            .validate(&com(&format!("{app}accounts = [\"*\"]")))
            .contains(anybody)
    );
    let own = format!("{app}issuer = \"https://git.example.com/gitlab\"\n");
    assert!(postern.validate(&com(&own)).contains("0 warnings"));
    let ids = postern.validate(&com(&format!("{own}id_tokens = true")));
    assert!(
        ids.contains("the same keys sign tokens of CI jobs"),
        "{ids}"
    );
    let none = postern.validate(&com(""));
    assert!(none.contains("write client_id"), "{none}");
}
