//! Google. The examples are those of "OpenID Connect", of parse-server #2921 (tokeninfo) and fastmcp #3601 (failure).

use serde_json::{Value, json};

use super::trouble::Trouble;
use crate::harness::{
    Algorithm, Issuer, Postern, TenantFile,
    emulator::{self, Asked, Emulator, Reply},
    issuer, tenant,
};

const OURS: &str = "1008719970978-hb24n2dstb40o45d4feuo2ukqmcc6381.apps.googleusercontent.com";
const THEIRS: &str = "407408718192-other.apps.googleusercontent.com";
const ROBOT: &str = "ci@build-1234.iam.gserviceaccount.com";
const NUMBER: &str = "108765432109876543210";

/// The claims of an ID token.
fn claims() -> Value {
    let now = postern::clock::now();
    json!({
        "iss": "https://accounts.google.com", "azp": OURS, "aud": OURS, "sub": "110169484474386276334",
        "hd": "example.com", "email": "ada@example.com", "email_verified": true,
        "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q", "nonce": "0394852", "iat": now, "exp": now + 3600,
    })
}

fn id_token(keys: &Issuer, claims: &Value) -> String {
    let kid = keys.kid(Algorithm::Es256);
    let header = json!({ "alg": "ES256", "kid": kid, "typ": "JWT" });
    keys.sign_raw(Algorithm::Es256, header.to_string(), claims.to_string())
}

/// What tokeninfo says of an access token: texts all of them.
fn tokeninfo() -> Value {
    json!({
        "azp": OURS, "aud": OURS, "sub": "110169484474386276334",
        "scope": "openid https://www.googleapis.com/auth/userinfo.email",
        "exp": (postern::clock::now() + 3497).to_string(), "expires_in": "3497",
        "email": "ada@example.com", "email_verified": "true", "access_type": "online",
    })
}

fn userinfo() -> Value {
    json!({
        "sub": "110169484474386276334", "name": "Ada Lovelace", "given_name": "Ada", "picture": "https://…",
        "email": "ada@example.com", "email_verified": true, "hd": "example.com",
    })
}

fn honest(asked: &Asked) -> Reply {
    answering(&tokeninfo(), &userinfo())(asked)
}

fn answering(info: &Value, person: &Value) -> impl Fn(&Asked) -> Reply + Send + Sync + use<> {
    let (info, person) = (info.clone(), person.clone());
    move |asked| {
        let bearer = asked.header("authorization").unwrap_or_default();
        if !bearer.starts_with("Bearer ya29.") {
            let error = json!({ "error": "invalid_request" });
            return emulator::json(400, error);
        }
        match (&*asked.method, asked.path()) {
            ("POST", "/tokeninfo") => emulator::json(200, &info),
            ("GET", "/v1/userinfo") => emulator::json(200, &person),
            _ => emulator::json(404, "{}"),
        }
    }
}

fn file(keys: &Issuer, google: &Emulator) -> TenantFile {
    tenant("jira").provider(&format!(
        "kind = \"google\"\naudience = [{OURS:?}]\nalgorithms = [\"ES256\"]\njwks_uri = \"{}/jwks\"\napi_url = {:?}",
        keys.url(),
        google.url()
    ))
}

fn start(more: &str) -> (Issuer, Emulator, Postern) {
    let (keys, google) = (issuer(), Emulator::start(honest));
    let postern = Postern::with(file(&keys, &google).with(more)).start();
    (keys, google, postern)
}

const DOMAINS: &str = "hosted_domains = [\"example.com\"]";

/// An ID token names one of two issuers, and only a token of our client and our Workspace passes: each refusal differs
/// from it in one claim.
#[test]
fn an_id_token_is_for_our_client_by_our_client_and_of_our_workspace() {
    let (keys, google, postern) = start(DOMAINS);
    for iss in ["https://accounts.google.com", "accounts.google.com"] {
        let mut claims = claims();
        claims["iss"] = iss.into();
        let answer = postern.check("jira", &id_token(&keys, &claims));
        answer.is_allowed_as("ada@example.com");
        assert_eq!(answer.header("postern-method"), Some("jwt"));
    }
    for (claim, value, status, reason) in [
        (
            "iss",
            json!("https://accounts.google.com/"),
            401,
            "unknown_issuer",
        ),
        ("aud", json!(THEIRS), 401, "wrong_audience"),
        ("azp", json!(THEIRS), 401, "wrong_audience"),
        ("azp", json!(null), 401, "wrong_audience"),
        ("azp", json!([OURS]), 401, "wrong_audience"),
        // A consumer's account has no domain, and any verified address.
        ("hd", json!(null), 401, "wrong_audience"),
        (
            "hd",
            json!("example.com.mallory.example"),
            401,
            "wrong_audience",
        ),
        ("hd", json!(["example.com"]), 401, "wrong_audience"),
        ("sub", json!(null), 403, "no_username"),
        ("email_verified", json!(false), 403, "no_username"),
        ("email_verified", json!("true"), 403, "no_username"),
        ("email", json!(null), 403, "no_username"),
        ("exp", json!(postern::clock::now() - 3600), 401, "expired"),
        ("exp", json!("1477342432"), 401, "malformed_token"),
        ("cnf", json!({ "jkt": "x" }), 401, "bound_token"),
    ] {
        let mut claims = claims();
        claims[claim] = value;
        let answer = postern.check("jira", &id_token(&keys, &claims));
        assert_eq!(
            (answer.status, answer.reason()),
            (status, reason),
            "{claims}"
        );
    }
    postern
        .check("jira", &(id_token(&keys, &claims()) + "A"))
        .is_refused(401, "bad_signature");
    assert!(google.asked().is_empty());
}

/// An access token says nothing by itself. Google does, and is not shown the token in a URL.
#[test]
fn an_access_token_is_what_tokeninfo_and_userinfo_say() {
    let (_keys, google, postern) = start(DOMAINS);
    let answer = postern.check("jira", "ya29.a0ARrdaM-honest.c.d");
    answer.is_allowed_as("ada@example.com");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    let targets: Vec<_> = google
        .asked()
        .into_iter()
        .map(|asked| asked.target)
        .collect();
    assert_eq!(targets, ["/tokeninfo", "/v1/userinfo"]);
    // Nobody else's opaque tokens are shown to Google.
    postern
        .check("jira", "xoxp-1-2")
        .is_refused(401, "malformed_token");
    assert_eq!(google.asked().len(), 2);
    let past = (postern::clock::now() - 60).to_string();
    for (at, (member, value, status, reason)) in [
        ("aud", json!(THEIRS), 401, "wrong_audience"),
        ("azp", json!(THEIRS), 401, "wrong_audience"),
        ("azp", json!(null), 401, "wrong_audience"),
        ("email_verified", json!("false"), 403, "no_username"),
        ("email_verified", json!(null), 403, "no_username"),
        ("sub", json!(null), 403, "no_username"),
        ("exp", json!(past), 401, "expired"),
        // What is not understood is no answer.
        ("exp", json!(null), 503, "issuer_unavailable"),
        ("exp", json!("+1999999999"), 503, "issuer_unavailable"),
        ("exp", json!(""), 503, "issuer_unavailable"),
        ("expires_in", json!("soon"), 503, "issuer_unavailable"),
        ("email_verified", json!("yes"), 503, "issuer_unavailable"),
        ("email_verified", json!(1), 503, "issuer_unavailable"),
        (
            "sub",
            json!("110169484474386276335"),
            503,
            "issuer_unavailable",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let mut info = tokeninfo();
        info[member] = value;
        google.answer(answering(&info, &userinfo()));
        let answer = postern.check("jira", &format!("ya29.odd{at}"));
        assert_eq!((answer.status, answer.reason()), (status, reason), "{info}");
        google.answer(honest);
        postern
            .check("jira", &format!("ya29.good{at}"))
            .is_allowed_as("ada@example.com");
    }
}

/// gmail.com and verified addresses of other people's domains: no Workspace, no entry. Without `hosted_domains` anybody
/// comes, Google is asked once, and `validate` says what that means.
#[test]
fn a_consumer_account_comes_only_where_no_domain_is_asked_for() {
    let (_keys, google, postern) = start(DOMAINS);
    let mut consumer = userinfo();
    for hd in [json!(null), json!("other.example")] {
        consumer["hd"] = hd.clone();
        google.answer(answering(&tokeninfo(), &consumer));
        postern
            .check("jira", &format!("ya29.consumer-{}", hd.is_null()))
            .is_refused(401, "wrong_audience");
    }
    let (_keys, google, postern) = start("");
    google.answer(answering(&tokeninfo(), &consumer));
    postern
        .check("jira", "ya29.consumer")
        .is_allowed_as("ada@example.com");
    assert_eq!(google.hits("/v1/userinfo"), 0);
    let validated = postern.cli(&["validate"]);
    let text =
        String::from_utf8_lossy(&validated.stdout) + String::from_utf8_lossy(&validated.stderr);
    assert!(
        text.contains("anybody with a Google account can come"),
        "{text}"
    );
}

/// Anybody's service account can have an ID token made for any audience, ours too. It comes only where it is listed.
#[test]
fn a_service_account_comes_only_where_it_is_listed() {
    let robot = |more: Value| {
        let mut claims = claims();
        claims["azp"] = NUMBER.into();
        claims["sub"] = NUMBER.into();
        claims["hd"] = Value::Null;
        claims["email"] = Value::Null;
        claims["email_verified"] = Value::Null;
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
    };
    let with_address = robot(json!({ "email": ROBOT, "email_verified": true }));
    let unverified = robot(json!({ "email": ROBOT, "email_verified": false }));
    let (keys, _google, postern) = start(DOMAINS);
    for claims in [&robot(json!({})), &with_address] {
        postern
            .check("jira", &id_token(&keys, claims))
            .is_refused(403, "no_username");
    }
    let listed = format!("{DOMAINS}\nservice_accounts = {{ {ROBOT:?} = \"svc-ci\" }}");
    let (keys, google, postern) = start(&listed);
    let check = |claims: &Value| postern.check("jira", &id_token(&keys, claims));
    check(&with_address).is_allowed_as("svc-ci");
    check(&unverified).is_refused(403, "no_username");
    check(&robot(json!({}))).is_refused(403, "no_username");
    check(&robot(json!({ "aud": THEIRS }))).is_refused(401, "wrong_audience");
    // A person's token stays a person's.
    check(&claims()).is_allowed_as("ada@example.com");
    // Its access tokens are for itself.
    let mut info = tokeninfo();
    for name in ["aud", "azp", "sub"] {
        info[name] = NUMBER.into();
    }
    info["email"] = ROBOT.into();
    google.answer(answering(&info, &userinfo()));
    postern
        .check("jira", "ya29.c.robot")
        .is_refused(401, "wrong_audience");
    let listed = format!("{DOMAINS}\nservice_accounts = {{ {NUMBER:?} = \"svc-reports\" }}");
    let (keys, _google, postern) = start(&listed);
    postern
        .check("jira", &id_token(&keys, &robot(json!({}))))
        .is_allowed_as("svc-reports");
}

/// Google lists no groups in either kind of token, so that a group rule refuses.
#[test]
fn nobody_is_in_a_group() {
    let (keys, google) = (issuer(), Emulator::start(honest));
    let file = file(&keys, &google).access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    for token in ["ya29.grouped", &id_token(&keys, &claims())] {
        postern.check("jira", token).is_refused(403, "not_in_group");
    }
}

/// A revoked or forged token is answered with status 400, and a token without the scopes has no userinfo.
#[test]
fn a_revoked_token_is_inactive() {
    let (_keys, google, postern) = start(DOMAINS);
    let gone = json!({ "error": "invalid_token", "error_description": "Invalid Value" });
    google.answer(move |_| emulator::json(400, &gone));
    postern
        .check("jira", "ya29.revoked")
        .is_refused(401, "inactive");
    // It was said a moment ago.
    postern
        .check("jira", "ya29.revoked")
        .is_refused(401, "inactive");
    assert_eq!(google.hits("/tokeninfo"), 1);
    // 400 for any other reason is no word about the token.
    google.answer(|_| emulator::json(400, json!({ "error": "invalid_request" })));
    postern
        .check("jira", "ya29.misunderstood")
        .is_refused(503, "issuer_unavailable");
    for status in [401, 403] {
        google.answer(move |asked| match asked.path() {
            "/tokeninfo" => honest(asked),
            _ => emulator::json(status, "{}"),
        });
        postern
            .check("jira", &format!("ya29.no-scope-{status}"))
            .is_refused(401, "inactive");
    }
}

/// Google is away, hangs, says nonsense, or wants to be left alone: 503, and no token in the log.
#[test]
fn google_in_trouble_is_an_outage() {
    let (_keys, api, postern) = start(DOMAINS);
    let trouble = Trouble {
        postern: &postern,
        api: &api,
        honest,
        prefix: "ya29.secret-",
        account: "ada@example.com",
    };
    trouble.of_all_kinds_is_an_outage();
    let fields = vec![("Retry-After", "37".to_owned())];
    trouble.is_left_alone(Reply::Full(429, fields, String::new()), 37);
    assert!(!postern.log().contains("ya29."));
    let (_keys, api, postern) = start(DOMAINS);
    drop(api);
    postern
        .check("jira", "ya29.away")
        .is_refused(503, "issuer_unavailable");
}
