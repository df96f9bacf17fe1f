//! See `../product.rs`.

use serde_json::json;

use super::{jira, knows_ada, product, told, with_cookies};
use crate::harness::{
    Postern, connect,
    emulator::{Emulator, Reply, json},
    eventually, issuer, tenant,
};

/// A product that is away says nothing about sessions, so new ones wait for it. Those that it spoke of a moment ago
/// pass, tokens are judged as ever, and another tenant notices nothing.
#[test]
fn a_product_that_is_away_makes_sessions_unavailable_and_nothing_else() {
    let (acme, upstream, other) = (issuer(), product("jira"), product("jira"));
    let postern = Postern::with(jira("jira", &upstream).trusting(&acme))
        .and(jira("other", &other))
        .start();
    let ada = with_cookies("jira", "JSESSIONID=ada");
    postern.ask(&ada).passes_as("session");
    upstream.answer(|_| Reply::Full(500, Vec::new(), String::new()));
    assert_eq!(breaker(&postern), "closed");
    for number in 0..5 {
        let answer = postern.ask(&with_cookies("jira", &format!("JSESSIONID={number}")));
        answer.is_refused(503, "product_unavailable");
        assert_eq!(answer.header("retry-after"), Some("5"));
    }
    assert_eq!(breaker(&postern), "open");
    postern
        .ask(&with_cookies("jira", "JSESSIONID=5"))
        .is_refused(503, "product_unavailable");
    assert_eq!(
        upstream.asked().len(),
        6,
        "the last one was not asked about"
    );
    postern.ask(&ada).passes_as("session");
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern
        .ask(&with_cookies("other", "JSESSIONID=ada"))
        .passes_as("session");
    assert!(
        postern.log().contains(&upstream.url()),
        "the log says which"
    );
    upstream.answer(|asked| knows_ada("jira", asked));
    eventually("the product is asked again", || {
        postern.ask(&with_cookies("jira", "JSESSIONID=new")).status == 401
    });
    assert_eq!(breaker(&postern), "closed");
}

/// Nobody listens where the product should be.
#[test]
fn a_product_that_is_not_there_is_an_outage() {
    let away = issuer();
    away.stop();
    let postern = Postern::with(tenant("jira").checking_sessions(away.url())).start();
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .is_refused(503, "product_unavailable");
    postern
        .ask(&with_cookies("jira", "theme=dark"))
        .is_refused(401, "no_credential");
}

/// A product that hangs costs its own callers five seconds, and another tenant's nothing.
#[test]
fn a_product_that_hangs_costs_the_neighbour_nothing() {
    let (hanging, other) = (Emulator::start(|_| Reply::Hang), product("jira"));
    let postern = Postern::with(jira("jira", &hanging))
        .and(jira("other", &other))
        .start();
    let mut waiting: Vec<_> = (0..64)
        .map(|number| {
            let request = with_cookies("jira", &format!("JSESSIONID={number}"));
            let mut connection = connect(postern.address());
            request.write_to(&mut connection);
            (request, connection)
        })
        .collect();
    eventually("sixty-four calls hang", || hanging.asked().len() == 64);
    postern
        .ask(&with_cookies("jira", "JSESSIONID=one-more"))
        .is_refused(503, "overloaded");
    for number in 0..30 {
        postern
            .ask(&with_cookies("other", &format!("JSESSIONID={number}")))
            .is_refused(401, "no_credential");
    }
    postern
        .ask(&with_cookies("other", "JSESSIONID=ada"))
        .passes_as("session");
    for (request, connection) in &mut waiting {
        request
            .read_from(connection)
            .is_refused(503, "product_unavailable");
    }
}

/// Answers that are no product's word on a session are no word at all: a login page where JSON is wanted, a user
/// without a name, somebody else's JSON, a redirect to another host, an answer without an end.
#[test]
fn an_answer_that_is_no_products_is_an_outage() {
    let html = |status| {
        let kind = ("Content-Type", "text/html".to_owned());
        Reply::Full(status, vec![kind], "<html>Log in</html>".to_owned())
    };
    let redirect = |to: &str| Reply::Full(302, vec![("Location", to.to_owned())], String::new());
    let rows = [
        ("jira", "a login page", html(200)),
        ("jira", "no name", json(200, json!({ "key": "JIRAUSER1" }))),
        ("jira", "an empty name", json(200, json!({ "name": "" }))),
        ("jira", "a list", json(200, json!([{ "name": "ada" }]))),
        (
            "jira",
            "two names",
            json(200, r#"{"name":"ada","name":"eve"}"#),
        ),
        (
            "jira",
            "a redirect",
            redirect("https://sso.example.com/login"),
        ),
        ("jira", "no such page", html(404)),
        (
            "jira",
            "far too much",
            json(200, "x".repeat(2 * 1024 * 1024)),
        ),
        ("confluence", "a login page", html(200)),
        (
            "confluence",
            "no type",
            json(200, json!({ "username": "ada" })),
        ),
        (
            "confluence",
            "another type",
            json(200, json!({ "type": "group", "username": "ada" })),
        ),
        (
            "confluence",
            "a user without a name",
            json(200, json!({ "type": "known" })),
        ),
        ("bitbucket", "a login page", html(200)),
        (
            "bitbucket",
            "another server",
            Reply::Full(
                200,
                vec![
                    ("X-AUSERNAME", "ada".to_owned()),
                    ("Content-Type", "application/json".to_owned()),
                ],
                "{}".to_owned(),
            ),
        ),
    ];
    for (number, (kind, what, reply)) in rows.into_iter().enumerate() {
        let upstream = Emulator::start(move |_| reply.clone());
        let file = tenant("t").product(kind).checking_sessions(&upstream.url());
        let postern = Postern::with(file).start();
        let cookie = super::cookie(kind).replace("ada", &number.to_string());
        let answer = postern.ask(&with_cookies("t", &cookie));
        assert_eq!(
            (answer.status, answer.reason()),
            (503, "product_unavailable"),
            "{kind}: {what}"
        );
        let good = told(kind, Some("ada"));
        upstream.answer(move |_| good.clone());
        postern
            .ask(&with_cookies("t", super::cookie(kind)))
            .passes_as("session");
    }
}

/// The products limit rates by user. Somebody's limit keeps that one waiting, and nobody else.
#[test]
fn one_users_limit_is_not_anothers() {
    let upstream = Emulator::start(|asked| match asked.header("cookie") {
        Some("JSESSIONID=busy") => {
            Reply::Full(429, vec![("Retry-After", "30".to_owned())], String::new())
        }
        _ => knows_ada("jira", asked),
    });
    let postern = Postern::with(jira("jira", &upstream)).start();
    for _ in 0..8 {
        let answer = postern.ask(&with_cookies("jira", "JSESSIONID=busy"));
        answer.is_refused(503, "product_unavailable");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((20..=30).contains(&wait), "{answer:?}");
    }
    assert_eq!(upstream.asked().len(), 1, "it is left alone");
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .passes_as("session");
    assert_eq!(breaker(&postern), "closed");
}

/// Calls to the product are counted under its URL.
#[test]
fn calls_are_counted() {
    let upstream = product("jira");
    let postern = Postern::with(jira("jira", &upstream)).start();
    let count = |outcome: &str| {
        postern.metric(&format!(
            "postern_outgoing_requests_total{{issuer=\"https://jira.example.com\",outcome={outcome:?}}}"
        ))
    };
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .passes_as("session");
    postern
        .ask(&with_cookies("jira", "JSESSIONID=eve"))
        .is_refused(401, "no_credential");
    assert_eq!((count("ok"), count("status")), (1.0, 1.0));
    let log = postern.log();
    assert!(
        !log.contains("JSESSIONID=") && !log.contains("=eve"),
        "no session is logged"
    );
}

fn breaker(postern: &Postern) -> String {
    let status = postern.tenant_status("jira");
    let word = status["upstream"]["sessions"].as_str();
    word.expect("it is shown").to_owned()
}
