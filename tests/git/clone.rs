//! See `../git.rs`.

use super::{BEARER, CLONE, HELPER, Site, workstation};
use crate::harness::{Request, emulator::Asked, issuer};

/// git asks without a credential, is told `Basic`, asks its helper, and clones as the token's owner; and Bitbucket sees
/// neither the first request nor the token.
#[test]
fn a_clone_with_a_helper_passes_as_the_owner() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = site.token("read");
    let at = site.clone(&token);
    assert_eq!(at.read("app/README"), b"hello\n");
    site.has_seen_only("alice", &token);
    let seen = site.bitbucket.asked().len();

    let nobody = workstation(&token);
    let ran = site.run(&nobody, CLONE);
    ran.failed("could not read Username");
    assert_eq!(site.bitbucket.asked().len(), seen);
}

/// `Basic` is the only challenge on git's paths, whatever git asks there; elsewhere it is `Bearer`.
#[test]
fn git_is_told_basic_and_nothing_else() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let challenges = |method: &str, path: &str| {
        let answer = Request::new(method, path).send(site.nginx.address());
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
        let fields = answer.headers.into_iter();
        let fields = fields.filter(|(name, _)| name == "www-authenticate");
        fields.map(|(_, value)| value).collect::<Vec<_>>()
    };
    for (method, path) in [
        ("GET", "/scm/ci/app.git/info/refs?service=git-upload-pack"),
        ("GET", "/scm/ci/app.git/info/refs?service=git-receive-pack"),
        ("POST", "/scm/ci/app.git/git-upload-pack"),
        ("POST", "/scm/ci/app.git/git-receive-pack"),
        ("POST", "/scm/ci/app.git/info/lfs/objects/batch"),
    ] {
        let [challenge] = &challenges(method, path)[..] else {
            panic!("{path}");
        };
        assert!(challenge.starts_with("Basic realm="), "{path}: {challenge}");
    }
    let [challenge] = &challenges("GET", "/rest/api/latest/projects")[..] else {
        panic!("one challenge");
    };
    assert!(challenge.starts_with("Bearer "), "{challenge}");
}

/// The ways in which tools put a token into a user and a password; somebody else's name, or a character that is
/// different, and git says that it failed.
#[test]
fn a_token_in_every_form_of_basic() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = site.token("read");
    let mut forged = token.clone();
    let last = forged.pop();
    forged.push(if last == Some('0') { '1' } else { '0' });
    let refs_as = |user: &str, password: &str| {
        let at = workstation("").env("U", user).env("P", password);
        at.sh(&format!(
            "git -c credential.helper='!f() {{ echo \"username=$U\"; echo \"password=$P\"; }}; f' \
             ls-remote {}/scm/ci/app.git",
            site.nginx.url()
        ))
    };
    let head = site.bitbucket.head("main");
    for (user, password) in [("alice", &*token), ("x-token-auth", &token), (&token, "")] {
        assert!(refs_as(user, password).worked().out.contains(&head));
    }
    site.has_seen_only("alice", &token);
    for (user, password) in [("bob", &*token), ("alice", &forged), (&forged, "")] {
        refs_as(user, password).failed("Authentication failed");
    }
}

/// `GIT_ASKPASS`, as build servers set it.
#[test]
fn a_program_that_answers_for_a_person() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = site.token("read");
    let at = workstation(&token);
    at.sh("printf '#!/bin/sh\\ncase $1 in User*) echo alice;; *) echo \"$T\";; esac' > answers; chmod +x answers")
        .worked();
    let at = at.env("GIT_ASKPASS", "./answers");
    site.run(&at, CLONE).worked();
    assert_eq!(at.read("app/README"), b"hello\n");
    site.has_seen_only("alice", &token);
}

/// What was revoked fetches nothing more.
#[test]
fn a_revoked_token_fetches_no_more() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = site.token("read");
    let at = site.clone(&token);
    at.sh("git -C app fetch").worked();
    site.postern.revoke(&token);
    at.sh("git -C app fetch").failed("Authentication failed");
    let another = workstation(&token);
    site.run(&another, HELPER).worked();
    site.run(&another, CLONE).failed("Authentication failed");
}

/// A token of an identity provider is sent as `Bearer`, without being asked.
#[test]
fn a_providers_token_clones_in_a_header_of_its_own() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    let token = acme.token().subject("alice").sign();
    let at = workstation(&token);
    site.run(&at, BEARER).worked();
    assert_eq!(at.read("app/README"), b"hello\n");
    site.has_seen_only("alice", &token);
    let forged = workstation(&(token + "A"));
    site.run(&forged, BEARER).failed("could not read Username");
}

/// Of a repository with many branches git asks so much that it compresses the question.
#[test]
fn a_compressed_question_arrives() {
    let acme = issuer();
    let Some(site) = Site::trusting(&acme) else {
        return;
    };
    for number in 0..40 {
        site.bitbucket.commit(&format!("branch-{number}"));
    }
    let at = site.clone(&site.token("read"));
    let branches = at.sh("git -C app branch --remotes --list 'origin/branch-*'");
    assert_eq!(branches.worked().out.lines().count(), 40);
    let compressed = |asked: &Asked| {
        asked.path().ends_with("/git-upload-pack")
            && asked.header("content-encoding") == Some("gzip")
    };
    assert!(site.bitbucket.asked().iter().any(compressed));
}
