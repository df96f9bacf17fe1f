//! The issuer seen from outside, over real connections; `jsonwebtoken` is the independent reader.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, crypto, jwk::JwkSet};
use serde_json::{Value, json};

use super::*;

mod faults;
mod introspection;

struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A connection that has sent one request.
fn send(issuer: &Issuer, request: &str, headers: &[&str], body: &str) -> TcpStream {
    let mut connection = TcpStream::connect(issuer.address()).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut text = format!("{request} HTTP/1.1\r\nConnection: close\r\n");
    if !headers.iter().any(|header| header.starts_with("Host:")) {
        write!(text, "Host: {}\r\n", issuer.address()).unwrap();
    }
    if !body.is_empty() {
        let form = "application/x-www-form-urlencoded";
        write!(
            text,
            "Content-Type: {form}\r\nContent-Length: {}\r\n",
            body.len()
        )
        .unwrap();
    }
    for header in headers {
        write!(text, "{header}\r\n").unwrap();
    }
    connection
        .write_all(format!("{text}\r\n{body}").as_bytes())
        .unwrap();
    connection
}

fn http(issuer: &Issuer, request: &str, headers: &[&str], body: &str) -> Reply {
    let mut text = String::new();
    send(issuer, request, headers, body)
        .read_to_string(&mut text)
        .unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    Reply {
        status: head[9..12].parse().unwrap(),
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

fn get(issuer: &Issuer, path: &str) -> Reply {
    http(issuer, &format!("GET {path}"), &[], "")
}

fn post(issuer: &Issuer, path: &str, body: &str) -> Reply {
    http(issuer, &format!("POST {path}"), &[], body)
}

fn part(token: &str, index: usize) -> Value {
    let text = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

fn kids(issuer: &Issuer) -> Vec<String> {
    let keys = get(issuer, "/jwks").json()["keys"].clone();
    let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys.as_array().unwrap().iter().map(kid).collect()
}

/// The signature of a token is good under the published key that the token names.
fn verifies(issuer: &Issuer, token: &str) -> bool {
    let header = part(token, 0);
    let mut jwks = get(issuer, "/jwks").json();
    for key in jwks["keys"].as_array_mut().unwrap() {
        if key["alg"] == "Ed25519" {
            key["alg"] = "EdDSA".into(); // jsonwebtoken does not know the new name
        }
    }
    let keys: JwkSet = serde_json::from_value(jwks).unwrap();
    let Some(key) = keys.find(header["kid"].as_str().unwrap()) else {
        return false;
    };
    let algorithm: Jwa = match header["alg"].as_str().unwrap() {
        "Ed25519" => Jwa::EdDSA,
        name => name.parse().unwrap(),
    };
    let (message, signature) = token.rsplit_once('.').unwrap();
    let key = DecodingKey::from_jwk(key).unwrap();
    crypto::verify(signature, message.as_bytes(), &key, algorithm).unwrap()
}

fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < end, "waited in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn tokens_of_every_algorithm_verify_with_the_published_key() {
    let issuer = Issuer::start().unwrap();
    for algorithm in Algorithm::ALL {
        let token = issuer.token().algorithm(algorithm).sign();
        let header = part(&token, 0);
        assert_eq!(header["alg"], algorithm.as_str());
        assert_eq!(header["kid"], issuer.kid(algorithm));
        assert_eq!(header["typ"], "at+jwt");
        assert!(verifies(&issuer, &token), "{algorithm}");
        assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
    }
    for key in issuer.jwks()["keys"].as_array().unwrap() {
        assert_eq!(key["use"], "sig");
        assert!(key["kty"].is_string() && key["alg"].is_string() && key.get("d").is_none());
    }
    let (rsa, pkcs1) = (
        issuer.public_key_pem(Algorithm::Ps384),
        issuer.rsa_pkcs1_pem(),
    );
    let token = issuer.token().algorithm(Algorithm::Ps384).sign();
    let (message, signature) = token.rsplit_once('.').unwrap();
    for pem in [rsa, pkcs1] {
        let key = DecodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        assert!(crypto::verify(signature, message.as_bytes(), &key, Jwa::PS384).unwrap());
    }
    assert!(DecodingKey::from_ec_pem(issuer.public_key_pem(Algorithm::Es384).as_bytes()).is_ok());
    assert!(DecodingKey::from_ed_pem(issuer.public_key_pem(Algorithm::EdDsa).as_bytes()).is_ok());
}

#[test]
fn an_rsa_issuer_publishes_its_key_from_the_start_and_others_only_on_use() {
    let rsa = Issuer::builder()
        .algorithm(Algorithm::Rs256)
        .start()
        .unwrap();
    assert_eq!(part(&rsa.token().sign(), 0)["alg"], "RS256");
    assert!(kids(&rsa).contains(&rsa.kid(Algorithm::Rs256)));
    let ec = Issuer::start().unwrap();
    assert_eq!(ec.default_algorithm(), Algorithm::Es256);
    assert!(kids(&ec).iter().all(|kid| !kid.starts_with("RS")));
    let name = ec.kid(Algorithm::Rs256);
    assert!(kids(&ec).contains(&name));
}

#[test]
fn tokens_say_what_a_test_wants() {
    let issuer = Issuer::start().unwrap();
    let honest = part(&issuer.token().sign(), 1);
    assert_eq!(honest["iss"], issuer.url());
    assert_eq!(
        (&honest["sub"], &honest["aud"]),
        (&json!("ada"), &json!(AUDIENCE))
    );
    let lifetime = honest["exp"].as_i64().unwrap() - honest["iat"].as_i64().unwrap();
    assert_eq!(lifetime, 600);
    assert_ne!(honest["jti"], part(&issuer.token().sign(), 1)["jti"]);

    let odd = issuer
        .token()
        .subject("eve")
        .audience(["a", "b"])
        .scope("x y");
    let odd = odd
        .groups(["staff"])
        .claim("n", 1)
        .without("jti")
        .expires_in(-5);
    let odd = odd.typ("JWT").kid("../etc").header("crit", json!(["b64"]));
    let odd = odd.header("alg", "none").without_header("typ").sign();
    assert_eq!(
        part(&odd, 0),
        json!({ "alg": "none", "kid": "../etc", "crit": ["b64"] })
    );
    let claims = part(&odd, 1);
    assert_eq!(
        (&claims["sub"], &claims["aud"]),
        (&json!("eve"), &json!(["a", "b"]))
    );
    assert_eq!(
        (&claims["groups"], &claims["scope"]),
        (&json!(["staff"]), &json!("x y"))
    );
    assert!(claims.get("jti").is_none() && claims["exp"].as_i64() < claims["iat"].as_i64());

    let twice = r#"{"alg":"ES256","alg":"none"}"#;
    let raw = issuer.sign_raw(Algorithm::Es256, twice, b"\xff");
    let mut parts = raw
        .split('.')
        .map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    assert_eq!(parts.next().unwrap(), twice.as_bytes());
    assert_eq!(
        (parts.next().unwrap(), parts.next().unwrap().len()),
        (vec![0xff], 64)
    );
    assert!(
        issuer
            .sign_raw(SignWith::Nothing, "{}", "{}")
            .ends_with('.')
    );
    let pem = issuer.public_key_pem(Algorithm::Es256);
    let forged = issuer.sign_raw(SignWith::Hs256(pem.as_bytes()), r#"{"alg":"HS256"}"#, "{}");
    let (message, signature) = forged.rsplit_once('.').unwrap();
    let secret = DecodingKey::from_secret(pem.as_bytes());
    assert!(crypto::verify(signature, message.as_bytes(), &secret, Jwa::HS256).unwrap());
}

#[test]
fn a_handle_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Issuer>();
}

#[test]
fn discovery_names_this_issuer_and_its_routes() {
    let issuer = Issuer::start().unwrap();
    let oidc = get(&issuer, "/.well-known/openid-configuration").json();
    let oauth = get(&issuer, "/.well-known/oauth-authorization-server").json();
    assert_eq!((&oidc, &oauth), (&issuer.metadata(), &oidc));
    assert_eq!(oidc["issuer"], issuer.url());
    assert_eq!(oidc["jwks_uri"], format!("{}/jwks", issuer.url()));
    assert!(get(&issuer, "/").body.contains("/introspect"));
    assert!(
        get(&issuer, "/jwks")
            .head
            .contains("cache-control: max-age=300")
    );
    issuer.set_cache_control(Some("max-age=7".to_owned()));
    assert!(
        get(&issuer, "/jwks")
            .head
            .contains("cache-control: max-age=7")
    );
    issuer.set_cache_control(None);
    assert!(!get(&issuer, "/jwks").head.contains("cache-control"));
    assert_eq!(get(&issuer, "/nowhere").status, 404);
    assert_eq!(get(&issuer, "/rotate").status, 405);
}

#[test]
fn keys_rotate_and_are_withdrawn() {
    let issuer = Issuer::builder()
        .algorithm(Algorithm::Rs256)
        .start()
        .unwrap();
    let (old, first) = (issuer.kid(Algorithm::Rs256), issuer.token().sign());
    let answer = post(&issuer, "/rotate", "").json();
    let new = issuer.kid(Algorithm::Rs256);
    assert_eq!(answer["kid"], new);
    assert!(kids(&issuer).contains(&old) && kids(&issuer).contains(&new));
    assert!(verifies(&issuer, &first) && verifies(&issuer, &issuer.token().sign()));
    post(&issuer, "/withdraw", "");
    assert!(!verifies(&issuer, &first) && verifies(&issuer, &issuer.token().sign()));
    let bounded = Issuer::start().unwrap();
    (0..300).for_each(|_| bounded.rotate());
    assert!(kids(&bounded).len() < 1_000);
    bounded.withdraw_old();
    assert_eq!(kids(&bounded).len(), 4);
}
