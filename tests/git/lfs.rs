//! See `../git.rs`.

use super::{BEARER, CLONE, HELPER, Site, bitbucket::Objects, workstation};
use crate::harness::{Workstation, issuer, program};

/// A mark of docs/clients.md.
const INSTALL: &str = "## git-lfs";

impl Site {
    /// A workstation with git-lfs, this token and a clone.
    #[track_caller]
    fn clone_with_lfs(&self, token: &str) -> Workstation {
        let at = workstation(token);
        for lines in [HELPER, INSTALL, CLONE] {
            self.run(&at, lines).worked();
        }
        at
    }
}

const CHANGE: &str =
    "cd app; git lfs track --filename model.bin; head --bytes=300000 /dev/urandom > model.bin
    git add .; git commit --quiet -m model; git rev-parse HEAD";

/// A large file is pushed with a token that may write, and pulled with one that may read, which pushes none.
#[test]
fn a_write_token_pushes_large_files_and_a_read_token_pulls_them() {
    let acme = issuer();
    let (Some(site), Some(_)) = (Site::trusting(&acme), program("git-lfs")) else {
        return;
    };
    let write = site.token("write");
    let here = site.clone_with_lfs(&write);
    let head = here
        .sh(CHANGE)
        .worked()
        .out
        .lines()
        .last()
        .map(str::to_owned);
    here.sh("git -C app push --quiet").worked();
    assert_eq!(Some(site.bitbucket.head("main")), head);
    assert_eq!(site.bitbucket.objects(), 1);
    site.has_seen_only("alice", &write);

    let read = site.token("read");
    let there = site.clone_with_lfs(&read);
    assert_eq!(there.read("app/model.bin"), here.read("app/model.bin"));
    there.sh(CHANGE).worked();
    let seen = site.bitbucket.asked().len();
    // Without git, which would be refused first.
    there
        .sh("git -C app lfs push origin main")
        .failed("Authorization error");
    let asked = site.bitbucket.asked().split_off(seen);
    // It may ask where to, which is a read, and not send anything there.
    assert!(
        asked
            .iter()
            .any(|asked| asked.body.contains("\"operation\":\"upload\""))
    );
    assert!(!asked.iter().any(|asked| asked.method == "PUT"));
    assert_eq!(site.bitbucket.objects(), 1);
}

/// With Bitbucket's own `Authorization` for each object, another from a header of git's own is one too many: nginx
/// refuses both. Without it the same lines fetch the object.
#[test]
fn a_header_of_gits_own_meets_bitbuckets_own() {
    let acme = issuer();
    for objects in [Objects::ByTheirCredential, Objects::ByItsOwn] {
        let (Some(site), Some(_)) = (Site::with_objects(&acme, objects), program("git-lfs")) else {
            return;
        };
        site.bitbucket.put_object("model.bin", b"a model");
        let at = workstation(&site.token("read"));
        site.run(&at, INSTALL).worked();
        let ran = site.run(&at, BEARER);
        if objects == Objects::ByTheirCredential {
            ran.worked();
            assert_eq!(at.read("app/model.bin"), b"a model");
        } else {
            ran.failed("Client error");
            let asked = site.bitbucket.asked();
            assert!(!asked.iter().any(|asked| asked.path().contains("storage")));
        }
    }
}
