//! See `../product.rs`.

use std::time::Duration;

use super::{jira, knows_ada, product, told, with_cookies};
use crate::harness::{
    Postern, Request, connect,
    emulator::{Emulator, Reply},
    eventually,
};

/// That a session is somebody's holds for a while, and so does that it is nobody's, but not for long: a session that
/// becomes somebody's by a login is noticed soon.
#[test]
fn a_session_is_asked_about_once_in_a_while() {
    let upstream = product("jira");
    let postern = Postern::with(jira("jira", &upstream)).start();
    let (ada, new) = (
        with_cookies("jira", "JSESSIONID=ada"),
        with_cookies("jira", "JSESSIONID=new"),
    );
    for _ in 0..3 {
        postern.ask(&ada).passes_as("session");
        postern.ask(&new).is_refused(401, "no_credential");
    }
    assert_eq!(upstream.asked().len(), 2);
    // She logs out, and with the new session in.
    upstream.answer(|asked| {
        let is_new = asked.header("cookie") == Some("JSESSIONID=new");
        told("jira", is_new.then_some("ada"))
    });
    let took = eventually("the login is noticed", || postern.ask(&new).status == 200);
    assert!(took > Duration::from_secs(5), "{took:?}");
    postern.ask(&ada).passes_as("session");
    assert_eq!(upstream.asked().len(), 3);
}

/// Crowd binds a session to an address, so an answer for one address is none for another.
#[test]
fn an_answer_is_for_one_address() {
    let upstream = Emulator::start(|asked| {
        let from_home = asked.header("x-forwarded-for") == Some("192.0.2.7");
        told("jira", from_home.then_some("ada"))
    });
    let postern = Postern::with(jira("jira", &upstream)).start();
    let request = with_cookies("jira", "crowd.token_key=ada");
    postern.ask(&request).passes_as("session");
    postern
        .ask(&request.replace("X-Real-IP", "198.51.100.1"))
        .is_refused(401, "no_credential");
}

/// Forty requests of one page arrive while the product takes its time: it is asked once, and all pass.
#[test]
fn one_call_is_made_however_many_ask() {
    let upstream = Emulator::start(|asked| {
        std::thread::sleep(Duration::from_millis(500));
        knows_ada("jira", asked)
    });
    let postern = Postern::with(jira("jira", &upstream)).start();
    let request = with_cookies("jira", "JSESSIONID=ada");
    let mut asking: Vec<_> = (0..40).map(|_| connect(postern.address())).collect();
    for connection in &mut asking {
        request.write_to(connection);
    }
    for connection in &mut asking {
        request.read_from(connection).passes_as("session");
    }
    assert_eq!(upstream.asked().len(), 1);
}

/// A file that changes elsewhere leaves what was answered; another `[upstream]` asks anew, and there.
#[test]
fn what_was_answered_outlives_a_reload() {
    let (upstream, other) = (product("jira"), product("jira"));
    let file = jira("jira", &upstream);
    let postern = Postern::with(file.clone()).start();
    let ada = with_cookies("jira", "JSESSIONID=ada");
    postern.ask(&ada).passes_as("session");
    let reload = |file| {
        let before = postern.generation("jira");
        postern.write(&file);
        postern.until_generation_after("jira", before);
    };
    reload(file.access("read_only = true"));
    postern.ask(&ada).passes_as("session");
    assert_eq!(upstream.asked().len(), 1);
    postern
        .ask(&ada.clone().replace("X-Original-Method", "POST"))
        .is_refused(403, "read_only");
    reload(jira("jira", &other));
    postern.ask(&ada).passes_as("session");
    assert_eq!((upstream.asked().len(), other.asked().len()), (1, 1));
}

/// What one tenant's product says of a session is nothing to another's.
#[test]
fn tenants_have_memories_of_their_own() {
    let (upstream, other) = (product("jira"), Emulator::start(|_| told("jira", None)));
    let postern = Postern::with(jira("jira", &upstream))
        .and(jira("other", &other))
        .start();
    postern
        .ask(&with_cookies("jira", "JSESSIONID=ada"))
        .passes_as("session");
    postern
        .ask(&with_cookies("other", "JSESSIONID=ada"))
        .is_refused(401, "no_credential");
}

/// A caller hangs up while the product is being asked; whoever asks next finds it answered.
#[test]
fn a_caller_that_hangs_up_does_not_undo_the_call() {
    let upstream = Emulator::start(|_| Reply::Hang);
    let postern = Postern::with(jira("jira", &upstream)).start();
    let request: Request = with_cookies("jira", "JSESSIONID=ada");
    let mut connection = connect(postern.address());
    request.write_to(&mut connection);
    eventually("the product is being asked", || upstream.asked().len() == 1);
    drop(connection);
    let mut connection = connect(postern.address());
    request.write_to(&mut connection);
    request
        .read_from(&mut connection)
        .is_refused(503, "product_unavailable");
    assert_eq!(upstream.asked().len(), 1, "it joined the call");
}
