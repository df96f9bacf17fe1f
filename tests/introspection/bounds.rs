//! See `../introspection.rs`.

use std::time::Duration;

use serde_json::{Value, json};

use super::answers;
use crate::harness::{Fault, Postern, Request, connect, eventually, issuer, tenant};

/// Forty requests with one token arrive while the issuer takes its time: it is asked once, and all pass.
#[test]
fn one_call_is_made_however_many_ask() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|_| Fault::Delay(Duration::from_millis(500)));
    let token = acme.token().opaque();
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&token);
    let mut asking: Vec<_> = (0..40).map(|_| connect(postern.address())).collect();
    for connection in &mut asking {
        request.write_to(connection);
    }
    for connection in &mut asking {
        request.read_from(connection).is_allowed_as("ada");
    }
    assert_eq!(acme.hits("/introspect"), 1);
}

/// A caller hangs up while the issuer is being asked; the call goes on, and whoever asks next finds it answered.
#[test]
fn a_caller_that_hangs_up_does_not_undo_the_call() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|_| Fault::Delay(Duration::from_millis(500)));
    let token = acme.token().opaque();
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&token);
    let mut connection = connect(postern.address());
    request.write_to(&mut connection);
    eventually("the issuer is being asked", || {
        acme.waiting("/introspect") == 1
    });
    drop(connection);
    postern.ask(&request).is_allowed_as("ada");
    assert_eq!(acme.hits("/introspect"), 1);
}

/// What the issuer said is remembered: a yes for a minute, a no for ten seconds, so that a token that becomes valid is
/// noticed soon.
#[test]
fn a_yes_is_remembered_and_a_no_is_soon_forgotten() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let (active, early) = (acme.token().opaque(), acme.token().opaque());
    for _ in 0..3 {
        postern.check("jira", &active).is_allowed_as("ada");
    }
    assert_eq!(acme.hits("/introspect"), 1);
    answers(&acme, &json!({ "active": false }));
    for _ in 0..3 {
        postern.check("jira", &early).is_refused(401, "inactive");
    }
    assert_eq!(acme.hits("/introspect"), 2);
    postern.check("jira", &active).is_allowed_as("ada");
    acme.intercept(|_| Fault::None);
    let took = eventually("the no is forgotten", || {
        postern.check("jira", &early).status == 200
    });
    assert!(took > Duration::from_secs(5), "{took:?}");
    assert_eq!(acme.hits("/introspect"), 3);
}

/// An answer is never remembered past the token's end.
#[test]
fn a_yes_ends_with_the_token() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme).with("leeway = \"0s\"")).start();
    let token = acme.token().expires_in(3).opaque();
    postern.check("jira", &token).is_allowed_as("ada");
    eventually("the token has expired", || {
        postern.check("jira", &token).status == 401
    });
    postern.check("jira", &token).is_refused(401, "inactive");
    assert_eq!(
        acme.hits("/introspect"),
        2,
        "once while it lived, and once after"
    );
}

/// Five failures in a row, and the endpoint is left alone: callers are told when to come again, and the issuer is not
/// asked. After the pause one call tries, and all is well again.
#[test]
fn a_failing_endpoint_is_left_alone_for_a_while() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let known = acme.token().opaque();
    postern.check("jira", &known).is_allowed_as("ada");
    acme.intercept(|_| Fault::Status(500));
    assert_eq!(breaker(&postern), "closed");
    for number in 0..5 {
        let answer = postern.check("jira", &format!("unheard-{number}"));
        answer.is_refused(503, "issuer_unavailable");
    }
    assert_eq!(breaker(&postern), "open");
    let answer = postern.check("jira", &acme.token().opaque());
    answer.is_refused(503, "issuer_unavailable");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{answer:?}");
    assert_eq!(acme.hits("/introspect"), 6, "the last one was not asked");
    postern.check("jira", &known).is_allowed_as("ada");
    acme.intercept(|_| Fault::None);
    eventually("the endpoint is asked again", || {
        postern.check("jira", &acme.token().opaque()).status == 200
    });
    assert_eq!(breaker(&postern), "closed");
}

/// Sixty calls are in flight when the issuer falters for a moment. That is one bad moment, not sixty: the pause is the
/// short one.
#[test]
fn a_burst_of_failures_counts_as_one() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|_| Fault::Hang);
    let mut asking: Vec<_> = (0..60)
        .map(|number| {
            let token = format!("unheard-{number}");
            let request = Request::check("jira", "/rest/api/2/myself").bearer(&token);
            let mut connection = connect(postern.address());
            request.write_to(&mut connection);
            (request, connection)
        })
        .collect();
    eventually("all are in flight", || acme.waiting("/introspect") == 60);
    acme.stop();
    for (request, connection) in &mut asking {
        request
            .read_from(connection)
            .is_refused(503, "issuer_unavailable");
    }
    let answer = postern.check("jira", "one-more");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=5).contains(&wait), "{answer:?}");
}

/// An issuer that says how long to leave it alone is left alone, from the first time on.
#[test]
fn retry_after_is_honoured() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|_| Fault::Busy(30));
    postern
        .check("jira", &acme.token().opaque())
        .is_refused(503, "issuer_unavailable");
    assert_eq!(breaker(&postern), "open");
    acme.intercept(|_| Fault::None);
    let answer = postern.check("jira", &acme.token().opaque());
    answer.is_refused(503, "issuer_unavailable");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((20..=30).contains(&wait), "{answer:?}");
    assert_eq!(acme.hits("/introspect"), 1);
}

/// An issuer that answers 400 to a token that it does not like is well: a caller with odd tokens can't have the
/// endpoint left alone for everybody.
#[test]
fn a_caller_with_odd_tokens_cannot_close_the_endpoint_for_others() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|_| Fault::Status(400));
    for number in 0..10 {
        postern
            .check("jira", &format!("odd-{number}"))
            .is_refused(503, "issuer_unavailable");
    }
    assert_eq!(breaker(&postern), "closed");
    acme.intercept(|_| Fault::None);
    postern
        .check("jira", &acme.token().opaque())
        .is_allowed_as("ada");
}

/// The secret is replaced and the tenant's file with it: what was proved under the old settings is asked anew.
#[test]
fn other_settings_forget_what_was_remembered() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").asking(&acme)).start();
    let token = acme.token().opaque();
    postern.check("jira", &token).is_allowed_as("ada");
    acme.revoke(&token);
    postern.check("jira", &token).is_allowed_as("ada");
    let before = postern.generation("jira");
    postern.write(&tenant("jira").asking(&acme).with("leeway = \"10s\""));
    postern.until_generation_after("jira", before);
    postern.check("jira", &token).is_refused(401, "inactive");
}

fn breaker(postern: &Postern) -> String {
    let status = postern.tenant_status("jira");
    let Value::String(word) = &status["providers"][0]["breaker"] else {
        panic!("no breaker in {status}");
    };
    word.clone()
}
