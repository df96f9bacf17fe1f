//! See `../trail.rs`.

use super::{call, told};
use crate::harness::{Postern, issuer, tenant};

const READS: usize = 200;

/// So many reads pass; as many are told as come.
fn told_reads(postern: &Postern, token: &str) -> usize {
    for _ in 0..READS {
        postern.check("jira", token).is_allowed_as("ada");
    }
    postern.settle();
    let events = postern.trail();
    events
        .iter()
        .filter(|event| event["outcome"] == "allow")
        .count()
}

/// Reads are told in the share that the operator asks for; by default, none.
#[test]
fn reads_are_told_in_the_share_that_was_asked_for() {
    let acme = issuer();
    let token = acme.token().subject("ada").sign();
    let daemon = || told(tenant("jira").trusting(&acme));
    assert_eq!(told_reads(&daemon().start(), &token), 0);
    let tenth = daemon().flag("--log-reads").flag("10%").start();
    let told = told_reads(&tenth, &token);
    assert!(told.abs_diff(READS / 10) <= 2, "{told} of {READS}");
    let all = daemon().env("POSTERN_LOG_READS", "100%").start();
    assert_eq!(told_reads(&all, &token), READS);
}

/// A share that is none is no reason to start with another.
#[test]
fn a_share_that_is_none_is_refused() {
    let postern = Postern::without_tenants().start();
    let refused = postern.cli(&["serve", "--log-reads", "0.01"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("0% to 100%"), "{said}");
}

/// Who wants all of them in the log, or none of the trail, says so by its target.
#[test]
fn the_target_chooses_what_is_told() {
    let acme = issuer();
    let token = acme.token().subject("ada").sign();
    let daemon = |filter| told(tenant("jira").trusting(&acme)).env("RUST_LOG", filter);
    assert_eq!(
        told_reads(&daemon("info,decision=debug").start(), &token),
        READS
    );
    let silent = daemon("info,decision=off").start();
    silent
        .ask(&call("POST", "/rest/api/2/issue").bearer(&token))
        .is_allowed_as("ada");
    silent
        .ask(&call("GET", "/rest/api/2/issue"))
        .is_refused(401, "no_credential");
    silent.signal("HUP");
    // It goes on logging what is no decision.
    silent.write(&tenant("jira").trusting(&acme).access("read_only = true"));
    silent.until_logged("read anew");
    assert_eq!(silent.trail(), Vec::<serde_json::Value>::new());
}

/// What writes is told, by method; what only reads is not. A page's form counts like a call of the API.
#[test]
fn what_writes_is_told_and_what_reads_is_not() {
    let acme = issuer();
    let postern = told(tenant("jira").trusting(&acme)).start();
    let token = acme.token().subject("ada").sign();
    for (method, uri, way) in [
        ("POST", "/rest/api/2/issue", "jwt"),
        ("PATCH", "/rest/api/2/issue", "jwt"),
        ("DELETE", "/browse/A-1", "jwt"),
    ] {
        let answer = postern.ask(&call(method, uri).bearer(&token));
        assert_eq!(postern.event(&answer)["method"], way);
    }
    let form = postern.ask(&call("POST", "/login.jsp"));
    assert_eq!(postern.event(&form)["method"], "outside");
    let by_override = call("GET", "/rest/api/2/issue").header("X-HTTP-Method", "PUT");
    postern.event(&postern.ask(&by_override.bearer(&token)));
    let before = postern.trail().len();
    for method in ["GET", "HEAD", "OPTIONS"] {
        let read = call(method, "/rest/api/2/issue").bearer(&token);
        postern.ask(&read).is_allowed_as("ada");
    }
    postern.ask(&call("GET", "/login.jsp")).passes_as("outside");
    postern.settle();
    assert_eq!(postern.trail().len(), before + 1);
}

/// To fetch by git is a POST and reads; to announce a push is a GET and writes.
#[test]
fn on_git_paths_writing_follows_the_service() {
    let acme = issuer();
    let file = tenant("jira").product("bitbucket").trusting(&acme);
    let postern = told(file).start();
    let token = acme.token().subject("ada").sign();
    let git = |method, rest: &str| {
        let request = call(method, &format!("/scm/p/r.git/{rest}"));
        let answer = postern.ask(&request.bearer(&token));
        answer.is_allowed_as("ada");
        answer
    };
    git("GET", "info/refs?service=git-upload-pack");
    git("POST", "git-upload-pack");
    let announced = git("GET", "info/refs?service=git-receive-pack");
    postern.event(&git("POST", "git-receive-pack"));
    let event = postern.event(&announced);
    assert_eq!(event["path"], "/scm/p/r.git/info/refs");
    assert_eq!(postern.trail().len(), 2);
}
