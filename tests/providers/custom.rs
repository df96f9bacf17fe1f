//! Any other issuer, here one that can only say who a token's user is, and one whose tokens name their client alone.
//! More of it: `introspection`, `judging`, `mapping`, `django`, `oidc_provider`.

use serde_json::{Value, json};

use crate::harness::{
    Postern, TenantFile,
    emulator::{Emulator, Reply, json},
    issuer, tenant,
};

/// An endpoint (OIDC Core §5.3) where each token's first word says whose it is, or what is wrong with it.
fn userinfo() -> Emulator {
    Emulator::start(|asked| {
        assert_eq!((&*asked.method, &*asked.target), ("GET", "/userinfo"));
        let token = asked
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let of = |name: &str| json!({ "sub": "248289761001", "preferred_username": name, "email": "a@example.com" });
        let challenge = |status: u16, error: &str| {
            let value = format!("Bearer error=\"{error}\"");
            Reply::Full(status, vec![("WWW-Authenticate", value)], String::new())
        };
        match token.unwrap_or_default() {
            "revoked" => challenge(401, "invalid_token"),
            "scopeless" => challenge(403, "insufficient_scope"),
            "limited" => Reply::Full(429, vec![("Retry-After", "55".into())], String::new()),
            "nobody" => json(200, json!({ "preferred_username": "ada" })),
            "number" => json(200, json!({ "sub": 7, "preferred_username": "ada" })),
            "page" => Reply::Full(
                200,
                vec![("Content-Type", "text/html".into())],
                "<h1>".into(),
            ),
            // §5.3.2 allows it where the client has registered for it, which nobody did.
            "signed" => Reply::Full(
                200,
                vec![("Content-Type", "application/jwt".into())],
                "e30.e30.e30".into(),
            ),
            "broken" => json(200, "{\"sub\":\"1\""),
            "twice" => json(
                200,
                "{\"sub\":\"1\",\"preferred_username\":\"ada\",\"preferred_username\":\"bob\"}",
            ),
            "large" => json(
                200,
                json!({ "sub": "1", "preferred_username": "ada", "x": "x".repeat(300_000) }),
            ),
            "down" => json(502, "{}"),
            "hangs" => Reply::Hang,
            token => json(200, of(token.split('-').next().unwrap_or_default())),
        }
    })
}

fn asking(userinfo: &Emulator) -> TenantFile {
    tenant("jira").provider(&format!(
        "userinfo_endpoint = \"{}/userinfo\"\nusername = \"preferred_username\"\naccounts = [\"ada\", \"svc-*\"]",
        userinfo.url()
    ))
}

/// userinfo says who the user is and not for whom the token was made: only listed accounts pass.
#[test]
fn userinfo_names_the_accounts_that_are_listed() {
    let userinfo = userinfo();
    let postern = Postern::with(asking(&userinfo)).start();
    let answer = postern.check("jira", "ada-1");
    answer.is_allowed_as("ada");
    assert_eq!(answer.header("postern-method"), Some("userinfo"));
    postern.check("jira", "ada-1").is_allowed_as("ada");
    assert_eq!(
        userinfo.hits("/userinfo"),
        1,
        "an answer is kept for a minute"
    );
    for token in ["bob-1", "admin-1", "adam-1"] {
        postern
            .check("jira", token)
            .is_refused(403, "account_protected");
    }
    postern.has_not_logged(&["ada-1", "bob-1"]);
}

/// What the file must say for it, and what `validate` says of it.
#[test]
fn userinfo_needs_a_list_of_accounts_and_is_warned_about() {
    let userinfo = userinfo();
    let postern = Postern::with(asking(&userinfo)).start();
    let said = postern.validate(&asking(&userinfo));
    let warning = "any application that one of these accounts uses";
    assert!(
        said.contains(warning) && said.contains("0 errors"),
        "{said}"
    );
    for accounts in ["", "accounts = [\"*\"]", "accounts = []"] {
        let lines = format!(
            "userinfo_endpoint = \"{}/userinfo\"\n{accounts}",
            userinfo.url()
        );
        let said = postern.validate(&tenant("jira").provider(&lines));
        let error = "does not say for whom a token was issued";
        assert!(said.contains(error) && !said.contains("0 errors"), "{said}");
    }
}

/// 401 is about the token, 403 about its scope; all else is no answer, and no token stops the others.
#[test]
fn what_userinfo_refuses_is_inactive_and_what_it_fails_to_say_is_an_outage() {
    let userinfo = userinfo();
    let postern = Postern::with(asking(&userinfo)).start();
    postern.check("jira", "revoked").is_refused(401, "inactive");
    postern
        .check("jira", "scopeless")
        .is_refused(401, "inactive");
    postern.until_logged("it answered 403; has the token the scope openid?");
    for token in [
        "nobody", "number", "page", "signed", "broken", "twice", "large", "down", "hangs",
    ] {
        postern
            .check("jira", token)
            .is_refused(503, "issuer_unavailable");
        postern
            .check("jira", &format!("ada-{token}"))
            .is_allowed_as("ada");
    }
    let asked = userinfo.hits("/userinfo");
    for token in ["limited", "ada-after", "limited"] {
        let answer = postern.check("jira", token);
        answer.is_refused(503, "issuer_unavailable");
        let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((45..=55).contains(&seconds), "{seconds}");
    }
    assert_eq!(userinfo.hits("/userinfo"), asked + 1);
    postern.has_not_logged(&["ada-hangs"]);
}

/// Signed tokens of an issuer that writes no audience pass by the client that got them, and `validate` has nothing
/// against it; without `clients` it has.
#[test]
fn the_client_can_stand_in_for_the_audience() {
    let acme = issuer();
    let file = |clients: &str| {
        tenant("jira").provider(&format!(
            "issuer = {:?}\naudience = \"any\"\n{clients}",
            acme.url()
        ))
    };
    let bounded = file("clients = [\"build-server\"]");
    let postern = Postern::with(bounded.clone()).start();
    let token = |claim: &str, client: Value| {
        acme.token()
            .without("aud")
            .without("client_id")
            .claim(claim, client)
            .sign()
    };
    for claim in ["client_id", "azp", "cid", "appid"] {
        postern
            .check("jira", &token(claim, json!("build-server")))
            .is_allowed_as("ada");
        postern
            .check("jira", &token(claim, json!("other")))
            .is_refused(401, "wrong_audience");
    }
    postern
        .check("jira", &token("x", json!("build-server")))
        .is_refused(401, "wrong_audience");
    postern
        .check("jira", &token("azp", json!(["build-server"])))
        .is_refused(401, "wrong_audience");
    assert!(postern.validate(&bounded).contains("0 warnings"));
    let anybodys = postern.validate(&file(""));
    assert!(
        anybodys.contains("any other application passes, too"),
        "{anybodys}"
    );
}
