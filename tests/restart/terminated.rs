use std::{net::TcpStream, thread, time::Duration};

use super::fixed;
use crate::harness::{Fault, Postern, Request, eventually, issuer, tenant};

/// A check waits for its issuer when SIGTERM arrives: it is answered, nobody else is let in, and the exit is clean.
#[test]
fn sigterm_finishes_the_check_that_waits_for_its_issuer() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").asking(&acme)).start();
    let token = acme.token().opaque();
    acme.intercept(|path| match path {
        "/introspect" => Fault::Delay(Duration::from_millis(1500)),
        _ => Fault::None,
    });
    let address = postern.address().to_owned();
    let waiting = thread::spawn(move || {
        Request::check("jira", "/rest/api/2/myself")
            .bearer(&token)
            .send(&address)
    });
    eventually("the issuer is asked", || acme.waiting("/introspect") == 1);
    postern.signal("TERM");
    eventually("nobody is let in any more", || {
        TcpStream::connect(postern.address()).is_err()
    });
    assert_eq!(acme.waiting("/introspect"), 1, "the check still waits");
    waiting.join().expect("it ends").is_allowed_as("ada");
    assert_eq!(postern.wait().code(), Some(0));
    assert!(
        !postern.admin_socket().exists(),
        "the socket is cleared away"
    );
}

/// An issuer that never answers does not keep the daemon from ending.
#[test]
fn sigterm_does_not_wait_for_an_issuer_that_hangs() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|path| match path {
        "/introspect" => Fault::Hang,
        _ => Fault::None,
    });
    let (address, token) = (postern.address().to_owned(), acme.token().opaque());
    let waiting = thread::spawn(move || {
        Request::check("jira", "/rest/api/2/myself")
            .bearer(&token)
            .send(&address)
    });
    eventually("the issuer is asked", || acme.waiting("/introspect") == 1);
    assert_eq!(postern.stop().code(), Some(0));
    waiting
        .join()
        .expect("it ends")
        .is_refused(503, "issuer_unavailable");
}

/// SIGTERM in the middle of a storm of reloads is a clean end, and what was served is served again.
#[test]
fn sigterm_during_reloads_loses_nothing() {
    let acme = issuer();
    let mut postern = Postern::with(fixed("jira", &acme, "0")).start();
    for round in 1..4 {
        let audience = round.to_string();
        postern.write(&fixed("jira", &acme, &audience));
        let token = acme.token().audience(audience).sign();
        eventually("it is served", || {
            postern.check("jira", &token).status == 200
        });
        postern.write(&fixed("jira", &acme, "unseen"));
        assert_eq!(postern.stop().code(), Some(0));
        std::fs::write(postern.tenant_path("jira"), "broken").expect("it is written");
        postern.run();
        let unseen = acme.token().audience("unseen").sign();
        let answers = [&token, &unseen].map(|token| postern.check("jira", token).status);
        assert!(answers.contains(&200), "either file is served: {answers:?}");
    }
}
