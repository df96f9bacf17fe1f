//! See `../git.rs`.

use super::Site;
use crate::harness::{Request, issuer};

const COMMIT: &str = "cd app; git commit --quiet --allow-empty -m second; git rev-parse HEAD";

/// A token that may write pushes as its owner; one that may read clones, and is told so before it sends anything.
#[test]
fn a_write_token_pushes_and_a_read_token_does_not() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let first = site.bitbucket.head("main");
    let read = site.token("read");
    let at = site.clone(&read);
    at.sh(COMMIT).worked();
    at.sh("git -C app push --quiet").failed("error: 403");
    assert_eq!(site.bitbucket.head("main"), first);
    // git's first word of a push is a GET, which is where it ends; the same GET for a clone passes.
    let asked = site.bitbucket.asked();
    assert!(!asked.iter().any(|asked| asked.target.contains("receive")));
    let refs = |service: &str| {
        Request::new(
            "GET",
            &format!("/scm/ci/app.git/info/refs?service={service}"),
        )
        .bearer(&read)
        .send(site.nginx.address())
    };
    let refused = refs("git-receive-pack");
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(
        refused.body.contains("\"insufficient_scope\""),
        "{refused:?}"
    );
    assert_eq!(refs("git-upload-pack").status, 200);

    let write = site.token("write");
    let at = site.clone(&write);
    let second = at.sh(COMMIT).worked().out.trim().to_owned();
    at.sh("git -C app push --quiet").worked();
    assert_eq!(site.bitbucket.head("main"), second);
    site.has_seen_only("alice", &write);
}

/// A large push is sent in chunks, since git does not know its length when it starts, or whole, where its buffer is
/// larger than that; nginx takes both, without asking Postern to read either.
#[test]
fn a_large_push_arrives_in_chunks_and_whole() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let at = site.clone(&site.token("write"));
    for (buffer, chunked) in [("1m", true), ("16m", false)] {
        let pushed = at.sh(&format!(
            "cd app; head --bytes=4M /dev/urandom > large; git add large; git commit --quiet -m {buffer}
             export GIT_TRACE_CURL=1 GIT_TRACE_CURL_NO_DATA=1
             git -c http.postBuffer={buffer} push --quiet; git rev-parse HEAD"
        ));
        let pushed = pushed.worked();
        assert_eq!(pushed.err.contains("Transfer-Encoding: chunked"), chunked);
        assert_eq!(site.bitbucket.head("main"), pushed.out.trim());
    }
    let asked = site.bitbucket.asked();
    let large = asked.iter().filter(|asked| asked.bytes.len() > 4 << 20);
    assert_eq!(large.count(), 2);
}
