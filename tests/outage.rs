//! See `main.rs`.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
};

use postern::dev::AUDIENCE;
use serde_json::json;

use crate::harness::{Fault, Issuer, Postern, TenantFile, eventually, issuer, tenant, until};

/// The issuer is down when the daemon starts: tokens are answered with 503, never with a guess. Once it is up they pass,
/// without a restart.
#[test]
fn an_issuer_that_comes_late_is_noticed() {
    let (late, present) = (issuer(), issuer());
    let token = late.token().sign();
    late.stop();
    let postern = Postern::with(tenant("jira").trusting(&late))
        .and(tenant("wiki").trusting(&present))
        .start();
    let answer = postern.check("jira", &token);
    answer.is_refused(503, "issuer_unavailable");
    assert!(answer.header("retry-after").is_some());
    postern
        .check("wiki", &present.token().sign())
        .is_allowed_as("ada");
    late.resume().expect("the port is free again");
    eventually("the token passes", || {
        postern.check("jira", &token).status == 200
    });
    postern.check("jira", &token).is_allowed_as("ada");
}

/// The issuer goes down while the daemon runs: tokens under the keys that are known go on to pass, and one under a key
/// that is not known cannot be judged.
#[test]
fn tokens_verify_while_the_issuer_is_down() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    let (seen, unseen) = (acme.token().sign(), acme.token().subject("bob").sign());
    postern.check("jira", &seen).is_allowed_as("ada");
    acme.stop();
    postern
        .check("jira", &acme.token().kid("other").sign())
        .is_refused(503, "issuer_unavailable");
    postern.check("jira", &seen).is_allowed_as("ada");
    postern.check("jira", &unseen).is_allowed_as("bob");
    postern
        .check("jira", &(unseen + "A"))
        .is_refused(401, "bad_signature");
}

/// Everything that an issuer can answer instead of its keys. Whatever it is, the keys from before stay, status says
/// what is wrong, and a token under an unknown key cannot be judged.
#[test]
fn whatever_a_failing_issuer_answers_the_known_keys_stay() {
    let elsewhere = issuer();
    let key = elsewhere.jwks()["keys"][0].clone();
    let many: Vec<_> = (0..1001).map(|_| key.clone()).collect();
    let lies = [
        ("empty", keys(&json!({ "keys": [] })), "no usable key"),
        ("none", keys(&json!({})), "no JWK Set"),
        ("list", keys(&json!([key])), "no JWK Set"),
        (
            "torn",
            body("application/json", b"{\"keys\": ["),
            "no JWK Set",
        ),
        ("many", keys(&json!({ "keys": many })), "holds 1001 keys"),
        (
            "weak",
            keys(
                &json!({ "keys": [{ "kty": "RSA", "kid": "a", "n": "w".repeat(171), "e": "AQAB" }] }),
            ),
            "RSA key of 1024 bits",
        ),
        (
            "page",
            body("text/html", b"<h1>Sign in</h1>"),
            "of the type \"text/html\"",
        ),
        (
            "huge",
            body("application/json", &vec![b' '; 10 * 1024 * 1024]),
            "larger than 1048576 bytes",
        ),
        ("error", Fault::Status(500), "status 500"),
        ("absent", Fault::Status(404), "status 404"),
        ("closed", Fault::Close, "error sending request"),
        (
            "moved",
            Fault::RedirectTo(format!("{}/jwks", elsewhere.url())),
            "status 307",
        ),
        ("drip", Fault::Drip, "no whole answer within 5 s"),
        ("hang", Fault::Hang, "no whole answer within 5 s"),
    ];
    let issuers: Vec<_> = lies.iter().map(|_| issuer()).collect();
    let postern = lies
        .iter()
        .zip(&issuers)
        .fold(
            Postern::without_tenants(),
            |daemon, ((name, ..), issuer)| daemon.and(tenant(name).trusting(issuer)),
        )
        .start();
    for ((name, lie, _), issuer) in lies.iter().zip(&issuers) {
        postern.until_keys(name);
        let lie = lie.clone();
        issuer.intercept(move |path| only("/jwks", path, lie.clone()));
        // Its answer takes a second where the issuer takes longer than that; all are asked for by then.
        let answer = postern.check(name, &issuer.token().kid("unknown").sign());
        assert_eq!(answer.status, 503, "{name}: {answer:?}");
    }
    for ((name, _, error), issuer) in lies.iter().zip(&issuers) {
        until(&format!("status shows what {name} answered"), || {
            let status = postern.tenant_status(name);
            let shown = status["providers"][0]["keys"]["error"].as_str()?.to_owned();
            shown.contains(error).then_some(())
        });
        postern
            .check(name, &issuer.token().sign())
            .is_allowed_as("ada");
    }
    assert_eq!(elsewhere.hits("/jwks"), 0, "nobody is led to another host");
}

/// A redirect within the issuer's own host is followed, as issuers move their documents; one to another host is not.
#[test]
fn a_redirect_is_followed_on_the_same_host_only() {
    let (acme, other) = (issuer(), issuer());
    let postern = Postern::with(moved_keys("jira", &acme, &acme))
        .and(moved_keys("wiki", &other, &acme))
        .start();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern
        .check("wiki", &other.token().sign())
        .is_refused(503, "issuer_unavailable");
    assert_eq!(acme.hits("/jwks"), 1);
}

/// The metadata document must be the configured issuer's own: another's would have its keys believed.
#[test]
fn the_metadata_of_another_issuer_is_refused() {
    let (acme, mallory) = (issuer(), issuer());
    let liar = issuer();
    let metadata = mallory.metadata().to_string().into_bytes();
    liar.intercept(move |path| {
        if path.starts_with("/.well-known/") {
            body("application/json", &metadata)
        } else {
            Fault::None
        }
    });
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&liar))
        .start();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    for token in [
        liar.token().sign(),
        mallory.token().claim("iss", liar.url()).sign(),
    ] {
        postern
            .check("wiki", &token)
            .is_refused(503, "issuer_unavailable");
    }
    assert!(error_of(&postern, "wiki").contains("is the document of the issuer"));
    assert_eq!(mallory.hits("/jwks"), 0);
}

/// Issuers publish their metadata as OpenID Connect says or as RFC 8414 says: either will do, neither will not.
#[test]
fn both_forms_of_metadata_are_found() {
    let (openid, oauth, neither) = (issuer(), issuer(), issuer());
    openid.intercept(|path| only(OAUTH, path, Fault::Status(404)));
    oauth.intercept(|path| only(OPENID, path, Fault::Status(404)));
    neither.intercept(|path| match path {
        OPENID | OAUTH => Fault::Status(404),
        _ => Fault::None,
    });
    let postern = Postern::with(tenant("openid").trusting(&openid))
        .and(tenant("oauth").trusting(&oauth))
        .and(tenant("neither").trusting(&neither))
        .start();
    for (name, issuer) in [("openid", &openid), ("oauth", &oauth)] {
        postern
            .check(name, &issuer.token().sign())
            .is_allowed_as("ada");
    }
    postern
        .check("neither", &neither.token().sign())
        .is_refused(503, "issuer_unavailable");
    assert!(error_of(&postern, "neither").contains("status 404"));
}

/// A metadata document can't send Postern anywhere: keys come over https, or from loopback if the issuer is there.
#[test]
fn metadata_cannot_name_keys_that_are_not_on_https() {
    let liar = issuer();
    let mut metadata = liar.metadata();
    metadata["jwks_uri"] = json!("http://keys.example.com/jwks");
    liar.intercept(move |path| only(OPENID, path, keys(&metadata)));
    let postern = Postern::with(tenant("jira").trusting(&liar)).start();
    postern
        .check("jira", &liar.token().sign())
        .is_refused(503, "issuer_unavailable");
    assert!(error_of(&postern, "jira").contains("is not an https URL"));
}

/// Proxies in the environment: `HTTPS_PROXY` is asked to connect to the issuer, and learns no more than its name. What
/// goes to loopback over http goes there directly, since any proxy could read it and put in keys of its own.
#[test]
fn nothing_is_sent_in_the_clear_through_a_proxy() {
    let acme = issuer();
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", proxy.local_addr().expect("it is bound"));
    let far = "issuer = \"https://sso.invalid\"\naudience = \"jira\"";
    let postern = Postern::with(tenant("near").trusting(&acme))
        .env("HTTP_PROXY", &address)
        .env("http_proxy", &address)
        .env("ALL_PROXY", &address)
        .env("HTTPS_PROXY", &address)
        .start();
    postern
        .check("near", &acme.token().sign())
        .is_allowed_as("ada");
    postern.write(&tenant("far").provider(far));
    let (connection, _) = proxy.accept().expect("a connection");
    let mut line = String::new();
    BufReader::new(connection)
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "CONNECT sso.invalid:443 HTTP/1.1\r\n");
}

const OPENID: &str = "/.well-known/openid-configuration";
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// A tenant whose keys are at `/keys` of `issuer`, which redirects to the keys of `whereto`.
fn moved_keys(name: &str, issuer: &Issuer, whereto: &Issuer) -> TenantFile {
    let (url, target) = (issuer.url(), format!("{}/jwks", whereto.url()));
    issuer.intercept(move |path| only("/keys", path, Fault::RedirectTo(target.clone())));
    tenant(name).provider(&format!(
        "issuer = {url:?}\naudience = {AUDIENCE:?}\njwks_uri = \"{url}/keys\""
    ))
}

fn error_of(postern: &Postern, tenant: &str) -> String {
    let status = postern.tenant_status(tenant);
    let error = status["providers"][0]["keys"]["error"].as_str();
    error.unwrap_or_default().to_owned()
}

fn only(path: &str, asked: &str, fault: Fault) -> Fault {
    if asked == path { fault } else { Fault::None }
}

fn keys(document: &serde_json::Value) -> Fault {
    body("application/json", document.to_string().as_bytes())
}

fn body(content_type: &str, body: &[u8]) -> Fault {
    Fault::Body {
        content_type: content_type.into(),
        body: body.to_vec(),
    }
}
