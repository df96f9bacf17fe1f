//! See `main.rs`.

/// What asking costs at most: one call per token, short memories, and a breaker.
mod bounds;
/// Answers that are signed (RFC 9701).
mod signed;

use postern::dev::AUDIENCE;
use serde_json::{Value, json};

use crate::harness::{ClientAuth, Fault, Issuer, Postern, TenantFile, issuer, tenant};

/// A token that says nothing by itself passes if its issuer calls it active, as the account that the issuer names.
#[test]
fn an_opaque_token_is_what_its_issuer_says() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let answer = postern.check("jira", &acme.token().subject("bob").opaque());
    answer.is_allowed_as("bob");
    assert_eq!(answer.header("postern-method"), Some("introspection"));
    let revoked = acme.token().opaque();
    acme.revoke(&revoked);
    postern.check("jira", &revoked).is_refused(401, "inactive");
    postern
        .check("jira", "never-issued")
        .is_refused(401, "inactive");
}

/// Issuers want to be shown id and secret in the header or in the form; the tenant's file says which. Characters that
/// need encoding arrive.
#[test]
fn postern_proves_who_it_is_in_the_header_or_in_the_form() {
    let (basic, post) = (issuer(), issuer());
    basic.set_client_auth(ClientAuth::Basic);
    post.set_client_auth(ClientAuth::Post);
    let secret = "100% s:cret+&=/ä";
    basic.set_client("dev", secret);
    post.set_client("dev", secret);
    let in_form = "client_auth = \"client_secret_post\"";
    let postern = Postern::with(tenant("basic").asking(&basic))
        .and(tenant("post").asking(&post).with(in_form))
        .and(tenant("wrong-way").asking(&basic).with(in_form))
        .env("DEV_SECRET", secret)
        .start();
    postern
        .check("basic", &basic.token().opaque())
        .is_allowed_as("ada");
    postern
        .check("post", &post.token().opaque())
        .is_allowed_as("ada");
    postern
        .check("wrong-way", &basic.token().opaque())
        .is_refused(503, "issuer_unavailable");
}

/// The issuer does not accept Postern's secret. That is no word about the caller's token, and the log says what to check.
#[test]
fn a_refused_client_is_an_outage_and_not_the_callers_fault() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    postern
        .check("jira", &acme.token().opaque())
        .is_allowed_as("ada");
    acme.set_client("dev", "another");
    postern
        .check("jira", &acme.token().opaque())
        .is_refused(503, "issuer_unavailable");
    postern.until_logged("status 401; check client_id, client_secret and client_auth");
    postern.has_not_logged(&[]);
}

/// "Active" is not enough: the answer is judged as a token is, each time against one that differs in one thing.
#[test]
fn an_active_token_is_still_judged() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let now = unix_now();
    let good = json!({ "active": true, "sub": "ada", "aud": AUDIENCE, "iss": acme.url(), "exp": now + 600, "typ": "Bearer", "token_use": "access_token" });
    let cases = [
        ("exp", json!(now - 600), 401, "expired"),
        ("exp", json!("tomorrow"), 401, "malformed_token"),
        ("nbf", json!(now + 600), 401, "not_yet_valid"),
        ("aud", json!("somebody-else"), 401, "wrong_audience"),
        ("aud", json!([]), 401, "wrong_audience"),
        ("aud", json!(null), 401, "wrong_audience"),
        (
            "iss",
            json!("https://mallory.example"),
            401,
            "unknown_issuer",
        ),
        ("iss", json!(7), 401, "unknown_issuer"),
        ("cnf", json!({ "jkt": "0ZcOCORZNYy" }), 401, "bound_token"),
        ("typ", json!("Refresh"), 401, "wrong_token_kind"),
        ("token_use", json!("refresh_token"), 401, "wrong_token_kind"),
        ("sub", json!(["ada"]), 403, "no_username"),
        ("sub", json!(""), 403, "no_username"),
        ("active", json!(false), 401, "inactive"),
    ];
    for (at, (claim, value, status, reason)) in cases.into_iter().enumerate() {
        let mut answer = good.clone();
        answer[claim] = value;
        answers(&acme, &answer);
        postern
            .check("jira", &format!("odd-{at}"))
            .is_refused(status, reason);
        answers(&acme, &good);
        postern
            .check("jira", &format!("good-{at}"))
            .is_allowed_as("ada");
    }
}

/// An answer that is not understood says nothing, neither yes nor no.
#[test]
fn an_answer_that_is_not_understood_is_an_outage() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let cases = [
        ("application/json", r#"{"active":"true","sub":"ada"}"#),
        ("application/json", r#"{"sub":"ada"}"#),
        ("application/json", "[true]"),
        ("application/json", r#"{"active":false,"active":true}"#),
        ("application/json", r#"{"active":tr"#),
        ("text/html", r#"{"active":true}"#),
        ("application/token-introspection+jwt", "e30.e30."),
    ];
    for (at, (content_type, body)) in cases.into_iter().enumerate() {
        acme.intercept(move |_| Fault::Body {
            content_type: content_type.into(),
            body: body.into(),
        });
        postern
            .check("jira", &format!("odd-{at}"))
            .is_refused(503, "issuer_unavailable");
        acme.intercept(|_| Fault::None);
        postern
            .check("jira", &acme.token().opaque())
            .is_allowed_as("ada");
    }
}

/// A provider with keys and an introspection endpoint: both must hold, the signature first. A forged token never
/// reaches the endpoint; a revoked one has a good signature and is refused.
#[test]
fn where_keys_and_introspection_are_configured_both_must_hold() {
    let acme = issuer();
    let postern = Postern::with(both(&acme)).start();
    postern
        .check("jira", &(acme.token().sign() + "A"))
        .is_refused(401, "bad_signature");
    postern
        .check("jira", &acme.token().audience("other").sign())
        .is_refused(401, "wrong_audience");
    postern
        .check("jira", &acme.token().opaque())
        .is_refused(401, "malformed_token");
    assert_eq!(acme.hits("/introspect"), 0);
    let revoked = acme.token().sign();
    acme.revoke(&revoked);
    postern.check("jira", &revoked).is_refused(401, "inactive");
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    assert_eq!(acme.hits("/introspect"), 2);
    let unheard = acme.token().sign();
    acme.intercept(|path| match path {
        "/introspect" => Fault::Status(500),
        _ => Fault::None,
    });
    postern
        .check("jira", &unheard)
        .is_refused(503, "issuer_unavailable");
}

/// A tenant with several providers shows a token to one of them: the one whose issuer it names, whose prefix it has, or
/// who takes what has none. A token that names another issuer is shown to nobody.
#[test]
fn a_token_is_shown_to_one_provider_at_most() {
    let [named, prefixed, rest, stranger] = [issuer(), issuer(), issuer(), issuer()];
    let file = tenant("jira")
        .trusting(&named)
        .with("name = \"named\"")
        .asking(&prefixed)
        .with("name = \"prefixed\"\ntoken_prefix = \"corp_\"")
        .asking(&rest)
        .with("name = \"rest\"");
    let postern = Postern::with(file).start();
    let asked = || [&named, &prefixed, &rest, &stranger].map(|issuer| issuer.hits("/introspect"));
    // Each has its own account: one that two of them named would be the first one's.
    let provider = |token: &str| {
        let answer = postern.check("jira", token);
        let provider = answer.header("postern-provider").unwrap().to_owned();
        answer.is_allowed_as(&provider);
        provider
    };
    assert_eq!(provider(&named.token().subject("named").sign()), "named");
    assert_eq!(asked(), [0, 0, 0, 0]);
    assert_eq!(
        provider(
            &prefixed
                .token()
                .subject("prefixed")
                .prefix("corp_")
                .opaque()
        ),
        "prefixed"
    );
    assert_eq!(
        provider(&prefixed.token().subject("prefixed").sign()),
        "prefixed"
    );
    assert_eq!(asked(), [0, 2, 0, 0]);
    assert_eq!(provider(&rest.token().subject("rest").opaque()), "rest");
    assert_eq!(asked(), [0, 2, 1, 0]);
    postern
        .check("jira", &rest.token().prefix("corp_").opaque())
        .is_refused(401, "inactive");
    assert_eq!(asked(), [0, 3, 1, 0]);
    postern
        .check("jira", &stranger.token().sign())
        .is_refused(401, "unknown_issuer");
    postern
        .check("jira", &stranger.token().without("iss").sign())
        .is_refused(401, "unknown_issuer");
    assert_eq!(asked(), [0, 3, 1, 0]);
}

/// A tenant `jira` that checks both the signature and the issuer's word.
fn both(issuer: &Issuer) -> TenantFile {
    let keys = format!("jwks_uri = \"{}/jwks\"", issuer.url());
    tenant("jira").asking(issuer).with(&keys)
}

/// From now on the issuer answers every introspection with this.
fn answers(issuer: &Issuer, answer: &Value) {
    let body = answer.to_string().into_bytes();
    issuer.intercept(move |path| match path {
        "/introspect" => Fault::Body {
            content_type: "application/json".into(),
            body: body.clone(),
        },
        _ => Fault::None,
    });
}

fn unix_now() -> u64 {
    postern::clock::now()
}
