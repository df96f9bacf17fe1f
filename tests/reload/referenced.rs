use std::{fs, os::unix::fs::symlink};

use super::{replace, until_answered};
use crate::harness::{Algorithm, Issuer, Postern, TenantFile, eventually, issuer, tenant};

/// A tenant whose key lies in `file`.
fn with_key_in(file: &str, acme: &Issuer) -> TenantFile {
    tenant("jira").provider(&format!(
        "issuer = {:?}\naudience = \"any\"\npublic_key = {{ file = {file:?} }}",
        acme.url()
    ))
}

/// The key in a file beside the tenant's is replaced: the old key's tokens, proved before, pass no longer.
#[test]
fn a_public_key_in_a_file_is_replaced() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    let key = postern.tenants().join("acme.pem");
    fs::write(&key, acme.public_key_pem(Algorithm::Es256)).expect("it is written");
    postern.write(&with_key_in("acme.pem", &acme));
    for round in 0..4 {
        let old = acme.token().sign();
        until_answered(&postern, "jira", &old, "allowed");
        acme.rotate();
        let new = acme.token().sign();
        let pem = acme.public_key_pem(Algorithm::Es256);
        if round % 2 == 0 {
            fs::write(&key, pem).expect("it is written");
        } else {
            replace(&key, &pem);
        }
        until_answered(&postern, "jira", &new, "allowed");
        assert_eq!(postern.check("jira", &old).status, 401);
    }
}

/// A key file that is broken or gone is the tenant file's error: the last good key stays, across a restart too.
#[test]
fn a_public_key_that_is_broken_or_gone_leaves_the_last_good_one() {
    let acme = issuer();
    let mut postern = Postern::without_tenants().start();
    let key = postern.tenants().join("acme.pem");
    let pem = acme.public_key_pem(Algorithm::Es256);
    fs::write(&key, &pem).expect("it is written");
    postern.write(&with_key_in("acme.pem", &acme));
    let token = acme.token().sign();
    until_answered(&postern, "jira", &token, "allowed");
    let is = |postern: &Postern, state: &str| {
        eventually(state, || postern.tenant_status("jira")["state"] == state);
        postern.check("jira", &token).is_allowed_as("ada");
    };
    fs::write(&key, &pem[..pem.len() / 2]).expect("it is written");
    is(&postern, "stale");
    fs::write(&key, &pem).expect("it is written");
    is(&postern, "serving");
    fs::remove_file(&key).expect("it is removed");
    is(&postern, "stale");
    postern.stop();
    postern.run();
    is(&postern, "stale");
    fs::write(&key, &pem).expect("it is written");
    is(&postern, "serving");
}

/// A secret mounted by Kubernetes, outside the tenants folder: `secret -> ..data/secret`, and `..data` is swapped.
#[test]
fn a_client_secret_in_a_mount_is_swapped() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    let mount = postern.folder().join("secrets");
    let swap = |date: &str, secret: &str| {
        fs::create_dir_all(mount.join(date)).expect("a folder is made");
        fs::write(mount.join(date).join("secret"), secret).expect("it is written");
        symlink(date, mount.join("..tmp")).expect("a link is made");
        fs::rename(mount.join("..tmp"), mount.join("..data")).expect("it is swapped");
    };
    swap("..1", "first");
    symlink("..data/secret", mount.join("secret")).expect("a link is made");
    acme.set_client("dev", "first");
    let secret = format!("{:?}", mount.join("secret"));
    postern.write(&asking_with(
        "jira",
        &acme,
        &format!("{{ file = {secret} }}"),
    ));
    until_answered(&postern, "jira", &acme.token().opaque(), "allowed");
    for round in 2..5 {
        acme.set_client("dev", format!("secret-{round}"));
        until_answered(
            &postern,
            "jira",
            &acme.token().opaque(),
            "issuer_unavailable",
        );
        swap(&format!("..{round}"), &format!("secret-{round}"));
        drop(fs::remove_dir_all(mount.join(format!("..{}", round - 1))));
        eventually("the new secret is used", || {
            postern.check("jira", &acme.token().opaque()).status == 200
        });
    }
    assert!(!postern.log().contains("secret-2"), "no secret is logged");
}

/// A key reached through a folder that is a link, which is swapped: `keys/current -> v1`.
#[test]
fn a_key_behind_a_linked_folder_is_swapped() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    let keys = postern.folder().join("keys");
    let swap = |version: &str| {
        fs::create_dir_all(keys.join(version)).expect("a folder is made");
        let pem = acme.public_key_pem(Algorithm::Es256);
        fs::write(keys.join(version).join("acme.pem"), pem).expect("it is written");
        symlink(version, keys.join("new")).expect("a link is made");
        fs::rename(keys.join("new"), keys.join("current")).expect("it is swapped");
    };
    swap("v1");
    postern.write(&with_key_in("../keys/current/acme.pem", &acme));
    until_answered(&postern, "jira", &acme.token().sign(), "allowed");
    for version in ["v2", "v3"] {
        acme.rotate();
        swap(version);
        until_answered(&postern, "jira", &acme.token().sign(), "allowed");
    }
}

/// The folder of a key is removed and made again, as an unpacking script does: the key in it is found, and
/// changes of it are seen as before.
#[test]
fn a_folder_of_keys_is_made_again() {
    let acme = issuer();
    let postern = Postern::without_tenants().start();
    let keys = postern.folder().join("keys");
    let unpack = || {
        drop(fs::remove_dir_all(&keys));
        fs::create_dir(&keys).expect("a folder is made");
        let pem = acme.public_key_pem(Algorithm::Es256);
        fs::write(keys.join("acme.pem"), pem).expect("it is written");
    };
    unpack();
    postern.write(&with_key_in("../keys/acme.pem", &acme));
    until_answered(&postern, "jira", &acme.token().sign(), "allowed");
    for _ in 0..3 {
        acme.rotate();
        unpack();
        until_answered(&postern, "jira", &acme.token().sign(), "allowed");
        acme.rotate();
        let pem = acme.public_key_pem(Algorithm::Es256);
        fs::write(keys.join("acme.pem"), pem).expect("it is written");
        until_answered(&postern, "jira", &acme.token().sign(), "allowed");
    }
}

/// A tenant that asks about opaque tokens with a secret from there.
fn asking_with(name: &str, acme: &Issuer, secret: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "issuer = {:?}\naudience = \"any\"\nintrospection_endpoint = \"{}/introspect\"\nclient_id = \"dev\"\nclient_secret = {secret}",
        acme.url(),
        acme.url()
    ))
}
