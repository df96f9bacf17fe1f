//! What the providers that sign their tokens have in common: RSA keys that sign whatever a scenario says, and a server
//! that publishes them as the provider does.

use std::sync::LazyLock;

use postern::clock;
use serde_json::{Value, json};

use crate::harness::{
    Algorithm, Answer, Issuer, Postern, TenantFile,
    emulator::{self, Asked, Emulator, Reply},
    until,
};

/// A key pair. RS256, as all of these providers sign.
pub struct Signer(Issuer);

/// The key that signs.
pub static KEY: LazyLock<Signer> = LazyLock::new(Signer::new);
/// Another one, of the same provider or of a stranger.
pub static OTHER_KEY: LazyLock<Signer> = LazyLock::new(Signer::new);

impl Signer {
    fn new() -> Self {
        let issuer = Issuer::builder().algorithm(Algorithm::Rs256).start();
        Self(issuer.expect("a loopback port is to be had"))
    }

    /// Exactly this header and these claims, signed.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let (header, claims) = (header.to_string(), claims.to_string());
        self.0.sign_raw(Algorithm::Rs256, header, claims)
    }

    /// The public key, with these members besides `kty`, `n` and `e`.
    pub fn jwk(&self, members: Value) -> Value {
        let kid = self.0.kid(Algorithm::Rs256);
        let document = self.0.jwks();
        let mut keys = document["keys"].as_array().expect("a list").iter();
        let key = keys.find(|key| key["kid"] == kid).expect("it is published");
        with(
            json!({ "kty": "RSA", "n": key["n"], "e": key["e"] }),
            members,
        )
    }
}

/// The object with these members changed, those that are null taken out.
pub fn with(mut object: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    let members = object.as_object_mut().expect("an object");
    for (name, value) in changes {
        match value {
            Value::Null => members.remove(&name),
            value => members.insert(name, value),
        };
    }
    object
}

/// Seconds since the epoch.
pub fn now() -> u64 {
    clock::now()
}

/// A JWK Set, as all of them answer it.
pub fn key_set(keys: &[Value]) -> Reply {
    emulator::json(200, json!({ "keys": keys }))
}

/// A server that publishes these keys, whatever it is asked.
pub fn publishing(keys: Vec<Value>) -> Emulator {
    Emulator::start(move |_| key_set(&keys))
}

/// The provider's keys can't be had, each time for another reason: nobody passes, nobody is told that the token is bad,
/// and all is well once they can be had. `tenant` is one whose keys are at a URL; `token` passes with `keys` as ada.
pub fn without_keys_nobody_passes(
    tenant: impl Fn(&str, &str) -> TenantFile,
    keys: Vec<Value>,
    token: &str,
    account: &str,
) {
    let html = || {
        let fields = vec![("Content-Type", "text/html".to_owned())];
        Reply::Full(200, fields, "<html>Sign in</html>".to_owned())
    };
    let wrong = move |asked: &Asked| match asked.path() {
        "/failing" => emulator::json(500, "{}"),
        "/hanging" => Reply::Hang,
        "/html" => html(),
        "/broken" => emulator::json(200, "{\"keys\":["),
        "/empty" => key_set(&[]),
        "/secret" => key_set(&[json!({ "kty": "oct", "k": "c2VjcmV0", "kid": "a" })]),
        "/huge" => emulator::json(200, " ".repeat(2 << 20)),
        "/busy" => {
            let mut reply = emulator::json(429, r#"{"message":"Rate exceeded"}"#);
            if let Reply::Full(_, fields, _) = &mut reply {
                fields.push(("Retry-After", "120".to_owned()));
            }
            reply
        }
        other => panic!("nobody asks for {other}"),
    };
    let provider = Emulator::start(wrong);
    let names = ["failing", "html", "broken", "empty", "secret", "huge"];
    let at = |name: &str| tenant(name, &format!("{}/{name}", provider.url()));
    let mut builder = Postern::with(at("busy")).and(at("hanging"));
    for name in names {
        builder = builder.and(at(name));
    }
    let postern = builder.start();
    for name in names {
        postern
            .check(name, token)
            .is_refused(503, "issuer_unavailable");
    }
    postern
        .check("hanging", token)
        .is_refused(503, "keys_pending");
    // Left alone for as long as it asked.
    for _ in 0..3 {
        let answer = postern.check("busy", token);
        answer.is_refused(503, "issuer_unavailable");
        let wait = retry_after(&answer);
        assert!((100..=120).contains(&wait), "{answer:?}");
    }
    assert_eq!(provider.hits("/busy"), 1);
    provider.answer(move |_| key_set(&keys));
    for name in names {
        until("the keys are there", || {
            (postern.check(name, token).status == 200).then_some(())
        });
        postern.check(name, token).is_allowed_as(account);
    }
    assert_eq!(provider.hits("/busy"), 1);
    is_not_logged(&postern, &[token]);
}

fn retry_after(answer: &Answer) -> u64 {
    let seconds = answer.header("retry-after").expect("a Retry-After");
    seconds.parse().expect("in seconds")
}

/// No token and no secret is in the log, and no signature, which would be enough to tell which token it was.
pub fn is_not_logged(postern: &Postern, secrets: &[&str]) {
    let log = postern.log();
    for secret in secrets {
        for part in secret.split('.').filter(|part| part.len() > 6) {
            assert!(!log.contains(part), "{part} is in the log");
        }
    }
}

/// The line of the log about this refusal.
pub fn line_of(postern: &Postern, answer: &Answer) -> String {
    let id = answer.header("postern-request-id").expect("an id");
    until("the line is logged", || {
        let log = postern.log();
        log.lines()
            .find(|line| line.contains(id))
            .map(str::to_owned)
    })
}

/// The provider can't be asked about tokens, each time for another reason: nobody passes, nobody is told that the token
/// is bad, and all is well once it can be asked. `tenant` is one that asks at a URL; about each `token`, `good` is what
/// is answered well; `busy` are the header fields of a 429 that asks for half a minute.
pub fn without_answers_nobody_passes(
    tenant: impl Fn(&str, &str) -> TenantFile,
    token: impl Fn() -> String,
    good: Value,
    busy: Vec<(&'static str, String)>,
    account: &str,
) {
    let body = good.to_string();
    let wrong = move |asked: &Asked| match asked.path() {
        "/failing" => emulator::json(500, r#"{"error":"server_error"}"#),
        "/unknown-client" => emulator::json(401, r#"{"error":"invalid_client"}"#),
        "/elsewhere" => {
            let away = vec![("Location", "https://elsewhere.invalid/".to_owned())];
            Reply::Full(307, away, String::new())
        }
        "/hanging" => Reply::Hang,
        "/html" => {
            let html = vec![("Content-Type", "text/html".to_owned())];
            Reply::Full(200, html, "<html></html>".to_owned())
        }
        "/broken" => emulator::json(200, &body[..body.len() - 1]),
        "/list" => emulator::json(200, format!("[{body}]")),
        "/text" => emulator::json(200, body.replace("true", "\"true\"")),
        "/silent" => emulator::json(200, "{}"),
        "/huge" => emulator::json(
            200,
            body.replace('{', &format!("{{{}", " ".repeat(300_000))),
        ),
        "/busy" => {
            let mut reply = emulator::json(429, r#"{"errorCode":"E0000047"}"#);
            if let Reply::Full(_, fields, _) = &mut reply {
                fields.extend(busy.clone());
            }
            reply
        }
        other => panic!("nobody asks for {other}"),
    };
    let provider = Emulator::start(wrong);
    let names = [
        "hanging",
        "failing",
        "unknown-client",
        "elsewhere",
        "html",
        "broken",
        "list",
        "text",
        "silent",
        "huge",
    ];
    let at = |name: &str| tenant(name, &format!("{}/{name}", provider.url()));
    let mut builder = Postern::with(at("busy"));
    for name in names {
        builder = builder.and(at(name));
    }
    let postern = builder.start();
    for name in names {
        postern
            .check(name, &token())
            .is_refused(503, "issuer_unavailable");
    }
    for _ in 0..3 {
        let answer = postern.check("busy", &token());
        answer.is_refused(503, "issuer_unavailable");
        let wait = retry_after(&answer);
        assert!((20..=30).contains(&wait), "{answer:?}");
    }
    provider.answer(move |_| emulator::json(200, &good));
    for name in names {
        postern.check(name, &token()).is_allowed_as(account);
    }
    postern
        .check("busy", &token())
        .is_refused(503, "issuer_unavailable");
    assert_eq!(
        provider.hits("/busy"),
        1,
        "it was asked while it was to be left alone"
    );
    let shown: Vec<_> = provider
        .asked()
        .iter()
        .filter_map(|asked| asked.field("token"))
        .collect();
    assert!(
        provider
            .asked()
            .iter()
            .all(|asked| !asked.target.contains('?'))
    );
    is_not_logged(
        &postern,
        &shown.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    is_not_logged(&postern, &[postern::dev::CLIENT_SECRET]);
}
