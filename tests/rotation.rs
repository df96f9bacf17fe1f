//! See `main.rs`.

use std::{
    sync::{Mutex, mpsc},
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{
    Algorithm, Fault, Issuer, Postern, Request, connect, eventually, issuer, tenant, until,
};

/// An issuer rotates its key: a token under the new one passes at once, for the issuer is asked for the key that is
/// missing; one under the old key passes as long as the issuer publishes it. The neighbour's issuer is not asked.
#[test]
fn a_new_key_works_at_once_and_the_neighbour_is_untouched() {
    let (acme, globex) = (issuer(), issuer());
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&globex))
        .start();
    postern.until_keys("jira");
    postern.until_keys("wiki");
    let (old, neighbours) = (acme.token().sign(), postern.generation("wiki"));
    acme.rotate();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern.check("jira", &old).is_allowed_as("ada");
    assert_eq!((acme.hits("/jwks"), globex.hits("/jwks")), (2, 1));
    postern
        .check("wiki", &globex.token().sign())
        .is_allowed_as("ada");
    assert_eq!(postern.generation("wiki"), neighbours);
}

/// A key that the issuer withdrew stops working at the next refresh, for tokens that were verified and remembered
/// before as for others. It is refused, not put off: the issuer has been asked. Only that issuer's.
#[test]
fn a_withdrawn_key_is_refused_and_what_it_proved_is_forgotten() {
    let (acme, globex) = (issuer(), issuer());
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&globex))
        .start();
    postern.until_keys("jira");
    let (remembered, unseen) = (acme.token().sign(), acme.token().subject("bob").sign());
    let neighbour = globex.token().sign();
    postern.check("jira", &remembered).is_allowed_as("ada");
    postern.check("wiki", &neighbour).is_allowed_as("ada");
    let before = postern.generation("jira");
    acme.rotate();
    acme.withdraw_old();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern.until_generation_after("jira", before);
    for token in [&remembered, &unseen] {
        postern.check("jira", token).is_refused(401, "unknown_key");
    }
    postern.check("wiki", &neighbour).is_allowed_as("ada");
}

/// Fifty tenants trust one issuer, and it is asked for its keys once; for a rotated key once more.
#[test]
fn tenants_of_one_issuer_share_its_keys() {
    let shared = issuer();
    let names: Vec<_> = (0..50).map(|number| format!("t{number}")).collect();
    let postern = names
        .iter()
        .fold(Postern::without_tenants(), |daemon, name| {
            daemon.and(tenant(name).trusting(&shared))
        })
        .start();
    let everybody_passes = |token: &str| {
        for name in &names {
            postern.check(name, token).is_allowed_as("ada");
        }
    };
    everybody_passes(&shared.token().sign());
    assert_eq!(shared.hits("/jwks"), 1);
    shared.rotate();
    everybody_passes(&shared.token().sign());
    assert_eq!(shared.hits("/jwks"), 2);
    assert_eq!(shared.hits("/.well-known/openid-configuration"), 2);
}

/// Somebody sends one tenant tokens with invented key names. The issuer is asked once, not once for each. Until it
/// may be asked again, a name that it has never been asked about is put off: a neighbour's token under a key that is
/// really new is not turned away with 401.
#[test]
fn invented_keys_neither_flood_the_issuer_nor_turn_fresh_tokens_away() {
    let shared = issuer();
    let postern = Postern::with(tenant("jira").trusting(&shared))
        .and(tenant("wiki").trusting(&shared))
        .start();
    postern.until_keys("jira");
    postern.until_keys("wiki");
    let known = shared.token().sign();
    let forged = |kid: &str| shared.token().kid(kid).sign();
    postern
        .check("jira", &forged("first"))
        .is_refused(401, "unknown_key");
    for number in 0..20 {
        let answer = postern.check("jira", &forged(&format!("invented-{number}")));
        answer.is_refused(503, "keys_pending");
        let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{answer:?}");
    }
    postern
        .check("jira", &forged("first"))
        .is_refused(401, "unknown_key");
    shared.rotate();
    postern
        .check("wiki", &shared.token().sign())
        .is_refused(503, "keys_pending");
    postern.check("wiki", &known).is_allowed_as("ada");
    assert_eq!(shared.hits("/jwks"), 2, "the first fetch, and a forced one");
}

/// The issuer hangs when it is asked for a key. Whoever waits for that key is put off after a second, the issuer is
/// not asked twice, and tokens under keys that are known don't wait.
#[test]
fn a_hanging_issuer_is_asked_once_and_waited_for_one_second() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    acme.intercept(|path| only("/jwks", path, Fault::Hang));
    let started = Instant::now();
    let answer = postern.check("jira", &acme.token().kid("invented").sign());
    let waited = started.elapsed();
    answer.is_refused(503, "keys_pending");
    assert!(answer.header("retry-after").is_some());
    let around_a_second = Duration::from_millis(900)..Duration::from_secs(4);
    assert!(around_a_second.contains(&waited), "{waited:?}");
    assert_eq!(acme.waiting("/jwks"), 1);
    postern
        .check("jira", &acme.token().kid("another").sign())
        .is_refused(503, "keys_pending");
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    assert_eq!(acme.hits("/jwks"), 2);
}

/// Three hundred requests wait for a key of a hanging issuer: 256 may, the others are told at once to come again.
#[test]
fn the_number_of_those_who_wait_for_a_key_is_bounded() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    acme.intercept(|path| only("/jwks", path, Fault::Hang));
    let token = acme.token().kid("invented").sign();
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&token);
    let mut waiting: Vec<_> = (0..300).map(|_| connect(postern.address())).collect();
    for connection in &mut waiting {
        request.write_to(connection);
    }
    for connection in &mut waiting {
        request
            .read_from(connection)
            .is_refused(503, "keys_pending");
    }
    until("somebody was told at once", || {
        postern
            .log()
            .contains("256 requests wait for the keys")
            .then_some(())
    });
    assert_eq!(acme.hits("/jwks"), 2);
}

/// The issuer has just rotated, while the daemon was reading the keys from before. A token under the new key comes in,
/// and that answer does not count against it: the issuer is asked once more.
#[test]
fn a_fetch_that_began_before_a_key_was_missed_is_no_answer() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    let (known, old_keys) = (acme.token().sign(), acme.jwks().to_string().into_bytes());
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(Some(released));
    acme.intercept(move |path| {
        let first = match path {
            "/jwks" => released.lock().ok().and_then(|mut first| first.take()),
            _ => None,
        };
        match first {
            Some(released) => {
                let _ended = released.recv();
                json_body(&old_keys)
            }
            None => Fault::None,
        }
    });
    postern.stop();
    postern.run();
    eventually("the keys are being fetched", || acme.hits("/jwks") == 2);
    acme.rotate();
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&acme.token().sign());
    let mut connection = connect(postern.address());
    request.write_to(&mut connection);
    for _ in 0..20 {
        postern.check("jira", &known).is_allowed_as("ada");
    }
    drop(release);
    request.read_from(&mut connection).is_allowed_as("ada");
    assert_eq!(acme.hits("/jwks"), 3);
}

/// A token that expired long ago under a key long gone is expired, and no reason to ask the issuer for that key.
#[test]
fn an_expired_token_is_no_reason_to_look_for_its_key() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    let gone = || acme.token().kid("gone");
    postern
        .check("jira", &gone().expires_in(-3600).sign())
        .is_refused(401, "expired");
    assert_eq!(acme.hits("/jwks"), 1);
    postern
        .check("jira", &gone().sign())
        .is_refused(401, "unknown_key");
    assert_eq!(acme.hits("/jwks"), 2);
}

/// An issuer publishes its key among others that nobody can use: they are passed over and counted, the good one works.
#[test]
fn unusable_keys_are_passed_over_and_counted() {
    let acme = issuer();
    let mut document = acme.jwks();
    let keys = document["keys"].as_array_mut().unwrap();
    let good = keys.len();
    keys.extend([
        json!({ "kty": "oct", "kid": "secret", "k": "c2VjcmV0" }),
        json!({ "kty": "RSA", "kid": "small", "n": "w".repeat(171), "e": "AQAB" }),
        json!({ "kty": "EC", "kid": "torn", "crv": "P-256", "x": "AA" }),
        json!({ "kty": "RSA", "kid": "for-secrets", "use": "enc", "n": "w".repeat(342), "e": "AQAB" }),
        json!("no key at all"),
    ]);
    let body = document.to_string().into_bytes();
    acme.intercept(move |path| only("/jwks", path, json_body(&body)));
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    postern.until_keys("jira");
    let keys = &postern.tenant_status("jira")["providers"][0]["keys"];
    assert_eq!(
        (&keys["usable"], &keys["skipped"]),
        (&json!(good), &json!(5))
    );
    assert!(postern.log().contains("it is an RSA key of 1024 bits"));
    postern
        .check("jira", &acme.token().kid("torn").sign())
        .is_refused(401, "unknown_key");
}

/// A tenant that gives stale keys little time joins one that gives them a day: the keys that both share are refreshed
/// in time for the less patient of the two, so at once.
#[test]
fn shared_keys_are_refreshed_for_the_least_patient_tenant() {
    let shared = issuer();
    let postern = Postern::with(tenant("jira").trusting(&shared)).start();
    postern.until_keys("jira");
    postern.write(&tenant("wiki").trusting(&shared));
    postern.until_keys("wiki");
    assert_eq!(
        shared.hits("/jwks"),
        1,
        "as patient: the keys are fresh enough"
    );
    postern.write(
        &tenant("hasty")
            .trusting(&shared)
            .with("stale_keys = \"1m\""),
    );
    until("the keys are refreshed", || {
        (shared.hits("/jwks") == 2).then_some(())
    });
    postern
        .check("hasty", &shared.token().sign())
        .is_allowed_as("ada");
}

/// Every algorithm's key comes from one document; a token that names one algorithm under another's key is refused.
#[test]
fn a_key_proves_only_the_algorithm_that_it_was_published_for() {
    let acme = Issuer::builder()
        .algorithm(Algorithm::Rs256)
        .start()
        .unwrap();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    let other = acme
        .token()
        .algorithm(Algorithm::Ps256)
        .kid(acme.kid(Algorithm::Rs256));
    postern
        .check("jira", &other.sign())
        .is_refused(401, "algorithm_not_allowed");
}

fn only(path: &str, asked: &str, fault: Fault) -> Fault {
    if asked == path { fault } else { Fault::None }
}

fn json_body(body: &[u8]) -> Fault {
    Fault::Body {
        content_type: "application/json".into(),
        body: body.to_vec(),
    }
}

/// An issuer that asks to be left alone is left alone, whatever keys callers name, and they are told for how long.
#[test]
fn an_issuer_that_limits_rates_is_not_asked_for_keys() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    postern.until_keys("jira");
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");
    acme.intercept(|path| match path {
        "/jwks" => Fault::Busy(300),
        _ => Fault::None,
    });
    acme.rotate();
    let told = || {
        let answer = postern.check("jira", &acme.token().sign());
        answer
            .header("retry-after")
            .and_then(|after| after.parse::<u64>().ok())
    };
    postern
        .check("jira", &acme.token().sign())
        .is_refused(503, "issuer_unavailable");
    let asked = acme.hits("/jwks");
    eventually("the pause is told", || {
        told().is_some_and(|wait| (60..=300).contains(&wait))
    });
    postern
        .check("jira", &acme.token().sign())
        .is_refused(503, "keys_pending");
    assert_eq!(acme.hits("/jwks"), asked);
}
