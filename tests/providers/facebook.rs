//! Facebook. The examples are those of "Debugging and Error Handling" (developers.facebook.com), and recorded answers
//! of facebook-apis-rs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::trouble::Trouble;
use crate::harness::{
    Algorithm, Issuer, Postern, TenantFile,
    emulator::{self, Asked, Emulator, Reply},
    issuer, tenant,
};

const APP: &str = "257422819769992";
const ADA: &str = "10215241773831025";

fn debug_token() -> Value {
    let now = postern::clock::now();
    json!({
        "app_id": APP, "type": "USER", "application": "Jira", "data_access_expires_at": now + 7_776_000,
        "expires_at": now + 5_184_000, "is_valid": true, "issued_at": now, "scopes": ["email", "public_profile"],
        "granular_scopes": [{ "scope": "email" }], "user_id": ADA,
    })
}

fn me() -> Value {
    json!({ "id": ADA, "name": "Ada Lovelace", "email": "ada@example.com" })
}

fn error(code: u64, kind: &str, message: &str) -> Reply {
    let error =
        json!({ "message": message, "type": kind, "code": code, "fbtrace_id": "H2il2t5bn4e" });
    emulator::json(400, json!({ "error": error }))
}

fn honest(asked: &Asked) -> Reply {
    answering(&debug_token(), &me())(asked)
}

fn answering(debug: &Value, me: &Value) -> impl Fn(&Asked) -> Reply + Send + Sync + use<> {
    let (debug, me) = (debug.clone(), me.clone());
    move |asked| {
        let field = |name: &str| asked.field(name).unwrap_or_default();
        let secret = postern::dev::CLIENT_SECRET;
        if (&*asked.method, &*field("method")) != ("POST", "GET") {
            return error(100, "GraphMethodException", "Unsupported post request.");
        }
        match &*asked.target {
            "/v25.0/debug_token" if field("access_token") != format!("{APP}|{secret}") => error(
                190,
                "OAuthException",
                "Invalid OAuth access token signature.",
            ),
            "/v25.0/debug_token" => emulator::json(200, json!({ "data": debug })),
            "/v25.0/me" if field("appsecret_proof") != proof(secret, &field("access_token")) => {
                let message = "Invalid appsecret_proof provided in the API argument";
                error(100, "GraphMethodException", message)
            }
            "/v25.0/me" if field("fields") == "id,name,email" => emulator::json(200, &me),
            _ => error(2500, "OAuthException", "Unknown path components"),
        }
    }
}

fn proof(secret: &str, token: &str) -> String {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
    let mut text = String::new();
    for byte in aws_lc_rs::hmac::sign(&key, token.as_bytes()).as_ref() {
        write!(text, "{byte:02x}").expect("a text takes everything");
    }
    text
}

fn start() -> (Issuer, Emulator, Postern) {
    let (keys, facebook) = (issuer(), Emulator::start(honest));
    let postern = Postern::with(file(&keys, &facebook)).start();
    (keys, facebook, postern)
}

fn file(keys: &Issuer, facebook: &Emulator) -> TenantFile {
    tenant("jira").provider(&format!(
        "kind = \"facebook\"\nclient_id = {APP:?}\nclient_secret = {{ env = \"DEV_SECRET\" }}\nalgorithms = [\"ES256\"]\njwks_uri = \"{}/jwks\"\napi_url = \"{}/v25.0\"\nusername_map = [{{ match = '^{ADA}$', to = \"ada\" }}]",
        keys.url(),
        facebook.url()
    ))
}

/// A user's token is of our application by two proofs, and neither it nor our secret stands in a URL.
#[test]
fn a_users_token_is_of_our_application() {
    let (_keys, facebook, postern) = start();
    let answer = postern.check("jira", "EAAhonest");
    answer.is_allowed_as("ada");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    let asked = facebook.asked();
    assert_eq!(
        asked.iter().map(|asked| &*asked.target).collect::<Vec<_>>(),
        ["/v25.0/debug_token", "/v25.0/me"]
    );
    assert!(asked[0].body.contains("input_token=EAAhonest"));
    // Nobody else's opaque tokens are shown to Facebook.
    postern
        .check("jira", "ya29.x")
        .is_refused(401, "malformed_token");
    assert_eq!(facebook.asked().len(), 2);
    let now = postern::clock::now();
    let outage = (503, "issuer_unavailable");
    for (at, (member, value, expected)) in [
        // As old documentation shows them.
        ("app_id", json!(257_422_819_769_992_u64), (200, "")),
        ("user_id", json!(10_215_241_773_831_025_u64), (200, "")),
        ("expires_at", json!(0), (200, "")),
        ("data_access_expires_at", json!(0), (200, "")),
        ("app_id", json!("257422819769993"), (401, "wrong_audience")),
        ("app_id", json!("0257422819769992"), (401, "wrong_audience")),
        ("app_id", json!(null), outage),
        ("app_id", json!([APP]), outage),
        ("type", json!("APP"), (401, "wrong_token_kind")),
        ("type", json!("PAGE"), (401, "wrong_token_kind")),
        ("type", json!(null), (401, "wrong_token_kind")),
        ("expires_at", json!(now - 60), (401, "expired")),
        ("data_access_expires_at", json!(now - 60), (401, "expired")),
        ("expires_at", json!(null), outage),
        ("expires_at", json!("0"), outage),
        ("expires_at", json!(-1), outage),
        ("is_valid", json!(false), (401, "inactive")),
        ("is_valid", json!("true"), outage),
        ("is_valid", json!(null), outage),
        ("user_id", json!("10215241773831026"), outage),
        ("user_id", json!(null), outage),
    ]
    .into_iter()
    .enumerate()
    {
        let mut debug = debug_token();
        debug[member] = value;
        facebook.answer(answering(&debug, &me()));
        let answer = postern.check("jira", &format!("EAAodd{at}"));
        assert_eq!((answer.status, answer.reason()), expected, "{debug}");
        facebook.answer(honest);
        postern
            .check("jira", &format!("EAAgood{at}"))
            .is_allowed_as("ada");
    }
}

/// Another application's token: Facebook will not say anything about it. Who somebody is there is nobody here.
#[test]
fn a_token_of_another_application_or_of_a_stranger_is_refused() {
    let (_keys, facebook, postern) = start();
    facebook.answer(|_| {
        let message = "(#100) The App_id in the input_token did not match the Viewing App";
        error(100, "OAuthException", message)
    });
    postern
        .check("jira", "EAAother")
        .is_refused(401, "wrong_audience");
    assert_eq!(facebook.hits("/v25.0/me"), 0);
    // Another error of that number says nothing about the token.
    facebook.answer(|_| error(100, "GraphMethodException", "Unsupported post request."));
    postern
        .check("jira", "EAAunsupported")
        .is_refused(503, "issuer_unavailable");
    let mut debug = debug_token();
    debug["user_id"] = "10215241773831026".into();
    let stranger =
        json!({ "id": "10215241773831026", "name": "Ada Lovelace", "email": "ada@example.com" });
    facebook.answer(answering(&debug, &stranger));
    postern
        .check("jira", "EAAstranger")
        .is_refused(403, "no_username");
}

/// Revoked, expired and unreadable tokens: HTTP 200 with failure inside, or error 190 where the token itself asks.
#[test]
fn a_revoked_token_is_inactive() {
    let (_keys, facebook, postern) = start();
    let mut expired = debug_token();
    expired["is_valid"] = false.into();
    expired["error"] = json!({ "code": 190, "message": "Error validating access token: Session has expired on Wednesday, 16-Nov-22 07:45:51 PST. The current time is Thursday, 17-Nov-22 21:30:03 PST.", "subcode": 463 });
    let unreadable = json!({ "error": { "code": 190, "message": "The access token could not be decrypted" }, "is_valid": false, "scopes": [] });
    for (at, debug) in [expired, unreadable].iter().enumerate() {
        facebook.answer(answering(debug, &me()));
        postern
            .check("jira", &format!("EAAgone{at}"))
            .is_refused(401, "inactive");
    }
    facebook.answer(|asked| match asked.path() {
        "/v25.0/debug_token" => honest(asked),
        _ => error(190, "OAuthException", "Error validating access token: Session has expired on Wednesday, 14-Feb-18 18:00:00 PST."),
    });
    postern.check("jira", "EAAgone").is_refused(401, "inactive");
    // The same number where our own token asks is about our secret: no word about the caller's token.
    facebook.answer(|_| {
        error(
            190,
            "OAuthException",
            "Invalid OAuth access token signature.",
        )
    });
    postern
        .check("jira", "EAAsecret")
        .is_refused(503, "issuer_unavailable");
    assert!(postern.log().contains("check client_id and client_secret"));
}

/// Limited Login: pinned issuer and keys, our application as audience.
#[test]
fn an_id_token_of_limited_login_is_for_our_application() {
    let (keys, facebook, postern) = start();
    let now = postern::clock::now();
    let good = json!({
        "iss": "https://www.facebook.com", "aud": APP, "sub": ADA, "iat": now, "exp": now + 3600, "jti": "xYz",
        "nonce": "foobar", "name": "Ada Lovelace", "email": "ada@example.com", "picture": "https://…",
    });
    let check = |claims: &Value| {
        let header = json!({ "alg": "ES256", "kid": keys.kid(Algorithm::Es256), "typ": "JWT" });
        let token = keys.sign_raw(Algorithm::Es256, header.to_string(), claims.to_string());
        postern.check("jira", &token)
    };
    let answer = check(&good);
    answer.is_allowed_as("ada");
    assert_eq!(answer.header("postern-method"), Some("jwt"));
    for (claim, value, status, reason) in [
        ("aud", json!("257422819769993"), 401, "wrong_audience"),
        ("aud", json!(257_422_819_769_992_u64), 401, "wrong_audience"),
        ("aud", json!(null), 401, "wrong_audience"),
        ("iss", json!("https://facebook.com"), 401, "unknown_issuer"),
        (
            "iss",
            json!("https://limited.facebook.com"),
            401,
            "unknown_issuer",
        ),
        ("sub", json!("10215241773831026"), 403, "no_username"),
        ("exp", json!(now - 60), 401, "expired"),
    ] {
        let mut claims = good.clone();
        claims[claim] = value;
        let answer = check(&claims);
        assert_eq!(
            (answer.status, answer.reason()),
            (status, reason),
            "{claims}"
        );
    }
    assert!(facebook.asked().is_empty());
}

/// Facebook lists no groups, so that a group rule refuses.
#[test]
fn nobody_is_in_a_group() {
    let (keys, facebook) = (issuer(), Emulator::start(honest));
    let file = file(&keys, &facebook).access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    postern
        .check("jira", "EAAgrouped")
        .is_refused(403, "not_in_group");
}

/// Facebook is away, hangs, says nonsense, or has had enough for this hour; neither token nor secret in the log.
#[test]
fn facebook_in_trouble_is_an_outage() {
    let (_keys, api, postern) = start();
    let trouble = Trouble {
        postern: &postern,
        api: &api,
        honest,
        prefix: "EAAsecret",
        account: "ada",
    };
    trouble.of_all_kinds_is_an_outage();
    let me_lies = |me: Value| answering(&debug_token(), &me);
    for (at, me) in [json!({ "name": "Ada" }), json!({ "id": "1" }), json!([])]
        .into_iter()
        .enumerate()
    {
        api.answer(me_lies(me));
        postern
            .check("jira", &format!("EAAsecretlie{at}"))
            .is_refused(503, "issuer_unavailable");
    }
    api.answer(honest);
    postern.check("jira", "EAAsecretcalm").is_allowed_as("ada");
    trouble.is_left_alone(
        error(
            4,
            "OAuthException",
            "(#4) Application request limit reached",
        ),
        60,
    );
    let log = postern.log();
    assert!(!log.contains("EAAsecret") && !log.contains(postern::dev::CLIENT_SECRET));
    for code in [17, 32, 613] {
        let (_keys, api, postern) = start();
        api.answer(move |asked| match asked.path() {
            "/v25.0/debug_token" => honest(asked),
            _ => error(code, "OAuthException", "User request limit reached"),
        });
        let answer = postern.check("jira", "EAAlimited");
        answer.is_refused(503, "issuer_unavailable");
        assert_eq!(answer.header("retry-after"), Some("60"));
    }
    let (_keys, api, postern) = start();
    drop(api);
    postern
        .check("jira", "EAAaway")
        .is_refused(503, "issuer_unavailable");
}
