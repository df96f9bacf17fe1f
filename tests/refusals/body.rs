//! The check endpoints never wait for a body.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use super::row::{API, at};
use crate::harness::{Answer, Postern, Request, issuer, tenant};

/// What each way of announcing a body looks like.
const ANNOUNCED: &[(&str, &str)] = &[("Content-Length", "10"), ("Transfer-Encoding", "chunked")];

/// nginx announces the client's body and sends none: the answer comes at once, and the connection ends, so
/// that nothing that follows is taken for another question.
#[test]
fn an_announced_body_is_not_waited_for() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let good = at("jira", &acme.token().sign());
    for (name, value) in ANNOUNCED {
        let mut stream = postern.connect();
        let request = good.clone().header(name, value);
        request.send_on(&mut stream).is_allowed_as("ada");
        assert_ended(&mut stream, name);

        let mut stream = postern.connect();
        let refused = Request::check("jira", API).header(name, value);
        refused
            .send_on(&mut stream)
            .is_refused(401, "no_credential");
        assert_ended(&mut stream, name);
    }
}

/// The endpoints whose denials have a body of their own are no different.
#[test]
fn nor_where_a_denial_has_a_body_of_its_own() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    for (name, value) in ANNOUNCED {
        let mut stream = postern.connect();
        let request = Request::new("POST", &format!("/ext-authz/jira{API}")).header(name, value);
        request
            .send_on(&mut stream)
            .is_refused(401, "no_credential");
        assert_ended(&mut stream, name);
    }
}

/// A body that reads like a request is no request.
#[test]
fn a_smuggled_request_is_not_answered() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let smuggled = "GET /check/jira HTTP/1.1\r\nHost: postern\r\n\r\n";
    let mut stream = postern.connect();
    let head = format!(
        "GET /check/jira HTTP/1.1\r\nHost: postern\r\nX-Original-Method: GET\r\nX-Original-URI: {API}\r\nContent-Length: {}\r\n\r\n{smuggled}",
        smuggled.len()
    );
    stream.write_all(head.as_bytes()).expect("the daemon reads");
    Answer::read(&mut stream, "GET").is_refused(401, "no_credential");
    assert_ended(&mut stream, "a smuggled request");
}

/// Its twin: without a body the connection is kept, after yes and after no.
#[test]
fn without_a_body_the_connection_is_kept() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let good = at("jira", &acme.token().sign());
    let none = Request::check("jira", API);
    let mut stream = postern.connect();
    for _ in 0..3 {
        good.send_on(&mut stream).is_allowed_as("ada");
        none.send_on(&mut stream).is_refused(401, "no_credential");
        good.clone()
            .header("Content-Length", "0")
            .send_on(&mut stream)
            .is_allowed_as("ada");
        Request::new("GET", "/check/nobody")
            .send_on(&mut stream)
            .is_refused(400, "bad_check_request");
    }
}

#[track_caller]
fn assert_ended(stream: &mut TcpStream, what: &str) {
    let mut rest = Vec::new();
    // A reset ends it as well as a close does.
    let ended = stream.read_to_end(&mut rest);
    let timed_out = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!timed_out, "{what}: the connection was kept");
    assert!(
        rest.is_empty(),
        "{what}: more was answered: {}",
        String::from_utf8_lossy(&rest)
    );
}
