//! See `../self_service.rs`.

use std::io::{Read as _, Write as _};

use serde_json::json;

use super::{Site, any, call, described, issued, post, refused};
use crate::harness::Answer;

/// One object of known members in JSON is taken, in whatever pieces it comes; everything else is said to be wrong, and
/// issues nothing.
#[test]
fn a_body_is_one_json_object_of_known_members() {
    let site = Site::start();
    let ada = site.token("ada");
    let request = post("/self/tokens/jira").bearer(&ada);
    issued(&site.ask(&request, "{}"));
    issued(&site.ask(&request, " {\"scope\": \"read\"}\n"));
    issued(&site.ask_in(&request, &["{\"descr", "iption\": \"in ", "pieces\"}"]));
    let charset = request
        .clone()
        .replace("Content-Type", "Application/JSON; charset=utf-8");
    issued(&site.ask(&charset, "{}"));
    for body in [
        "",
        "{",
        "null",
        "[]",
        "[\"ada\"]",
        "\"{}\"",
        "{} {}",
        "{\"scope\": \"admin\"}",
        "{\"scope\": \"read\", \"scope\": \"write\"}",
        "{\"user\": \"ada\"}",
        "{\"expires_in\": -1}",
        "{\"expires_in\": 0}",
        "{\"expires_in\": \"90d\"}",
        "{\"paths\": [\"rest\"]}",
        "{\"paths\": [\"/rest/%2e%2e\"]}",
        "{\"networks\": [\"everywhere\"]}",
        "{\"grants\": [\"\"]}",
        "{\"description\": \"two\\nlines\"}",
        "{\"description\": \"\\u0007\"}",
        "{\"description\": \"\u{7}\"}",
    ] {
        let answer = site.ask(&request, body);
        // A scope that the caller has not is refused before anybody asks whether there could be one of that name.
        if body.contains("grants") {
            refused(&answer, 403, "access_denied");
        } else {
            refused(&answer, 400, "invalid_request");
        }
    }
    let long = json!({ "description": "x".repeat(256) });
    refused(&site.issue(&ada, &long), 400, "invalid_request");
    issued(&site.issue(&ada, &json!({ "description": "x".repeat(255) })));
    let many = vec!["/rest/**"; 65];
    refused(
        &site.issue(&ada, &json!({ "paths": many })),
        400,
        "invalid_request",
    );
    issued(&site.issue(&ada, &json!({ "paths": many[1..] })));
    assert_eq!(site.ids(&ada).len(), 6);

    for (name, value) in [
        ("Content-Type", "text/plain"),
        ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "application/jsonp"),
        ("X-Content-Type", "application/json"),
    ] {
        let answer = call("POST", "/self/tokens/jira")
            .bearer(&ada)
            .header(name, value);
        refused(&site.ask(&answer, "{}"), 415, "unsupported_media_type");
    }
}

/// What was pasted in the wrong place is told back to whoever pasted it, and not logged.
#[test]
fn what_a_body_holds_is_not_logged() {
    let site = Site::start();
    let ada = site.token("ada");
    let secret = "pst_0123456789ab_pasted";
    let answer = site.issue(&ada, &json!({ secret: 1 }));
    assert!(refused(&answer, 400, "invalid_request").contains(secret));
    refused(
        &site.issue(&ada, &json!({ "paths": [secret] })),
        400,
        "invalid_request",
    );
    refused(&site.revoke(&ada, secret), 404, "not_found");
    site.ask(&call("GET", &format!("/self/tokens/{secret}")), "")
        .is_refused(403, "tenant_unknown");
    site.postern.has_not_logged(&[secret, &ada]);
}

/// 16 KiB are taken and one byte more is not, whether its length is announced or not. The connection that has the rest of
/// it ends; one whose body was read serves on.
#[test]
fn a_body_has_at_most_16_kib() {
    let site = Site::start();
    let ada = site.token("ada");
    let request = post("/self/tokens/jira").bearer(&ada);
    let sized = |size: usize| format!("{{{}}}", " ".repeat(size - 2));
    let whole = site.ask(&request, &sized(16 * 1024));
    issued(&whole);
    assert_ne!(whole.header("connection"), Some("close"));
    for size in [16 * 1024 + 1, 20_000] {
        let answer = site.ask(&request, &sized(size));
        refused(&answer, 413, "payload_too_large");
        assert_eq!(answer.header("connection"), Some("close"));
        let long = sized(size);
        let (one, two) = long.split_at(10_000);
        let answer = site.ask_in(&request, &[one, two]);
        refused(&answer, 413, "payload_too_large");
    }
    assert_eq!(site.ids(&ada).len(), 1);

    let mut stream = site.postern.connect();
    for _ in 0..3 {
        let request = request.clone().header("Content-Length", "2");
        request.write_to(&mut stream);
        stream.write_all(b"{}").expect("it is read");
        issued(&request.read_from(&mut stream));
    }
    // A body where none is wanted is not taken for the next request.
    let odd = call("GET", "/self/tokens/jira")
        .bearer(&ada)
        .header("Content-Length", "40");
    odd.write_to(&mut stream);
    stream
        .write_all(b"GET /self/openapi.json HTTP/1.1\r\nHost: x\r\n")
        .expect("it is read");
    assert_eq!(odd.read_from(&mut stream).status, 200);
    let mut rest = Vec::new();
    drop(stream.read_to_end(&mut rest));
    assert_eq!(String::from_utf8_lossy(&rest), "");
}

/// A body that does not come is waited for a moment, and neither for ever nor at another's expense.
#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let site = Site::start();
    let ada = site.token("ada");
    let request = post("/self/tokens/jira")
        .bearer(&ada)
        .header("Content-Length", "40");
    let mut stream = site.postern.connect();
    request.write_to(&mut stream);
    stream.write_all(b"{").expect("it is read");
    issued(&site.issue(&ada, &any()));
    let answer = Answer::read(&mut stream, "POST");
    described::compare(&request, &answer);
    refused(&answer, 408, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(site.ids(&ada).len(), 1);
}
