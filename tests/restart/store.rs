use std::{fs, path::Path};

use postern::{issuer::key_source::SourceId, store::Store, tenant::settings::KeyOrigin};

use super::fixed;
use crate::harness::{Postern, Request, issuer, tenant, until};

/// What a start says that fails; it must exit with 1 and leave the folder as it was.
fn refused(postern: &Postern) -> String {
    let output = postern.command().output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

/// A second daemon on the same folder is told so.
#[test]
fn a_store_in_use_is_refused() {
    let acme = issuer();
    let postern = Postern::with(fixed("jira", &acme, "first")).start();
    let said = refused(&postern);
    assert!(said.contains("in use by another process"), "{said}");
    let token = acme.token().audience("first").sign();
    postern.check("jira", &token).is_allowed_as("ada");
}

/// A store that a later Postern wrote is left alone.
#[test]
fn a_store_of_a_newer_version_is_refused() {
    let acme = issuer();
    let mut postern = Postern::with(fixed("jira", &acme, "first")).start();
    postern.stop();
    {
        let db = sled::open(postern.data().join("store")).expect("it opens");
        db.insert("format", &99_u32.to_be_bytes())
            .expect("it is written");
        db.flush().expect("it is flushed");
    }
    for _ in 0..2 {
        let said = refused(&postern);
        assert!(said.contains("format 99"), "{said}");
        assert!(said.contains("install the newer Postern"), "{said}");
    }
}

/// A daemon with some tenants and reloads behind it, stopped.
fn lived_in() -> Postern {
    let acme = issuer();
    let mut builder = Postern::with(tenant("wiki").trusting(&acme));
    for number in 0..40 {
        builder = builder.and(fixed(&format!("t{number}"), &acme, "first"));
    }
    let mut postern = builder.start();
    postern.until_keys("wiki");
    postern.stop();
    postern.run();
    for number in 0..40 {
        let name = format!("t{number}");
        let second = fixed(&name, &acme, "second");
        postern.write(&second.url(&format!("https://{name}.example.com/second")));
    }
    for number in 0..40 {
        let name = format!("t{number}");
        postern.until_generation_after(&name, 1);
    }
    postern.stop();
    postern
}

/// Bytes in the middle of the log are overwritten, or its end is cut off: the start says so, and what to do, as often
/// as it is tried. With the store moved away the daemon starts afresh from the tenants folder.
#[test]
fn a_damaged_store_is_reported_with_what_to_do_and_never_deleted() {
    let mut postern = lived_in();
    let store = postern.data().join("store");
    let log = fs::read(store.join("db")).expect("it is read");
    let whole = postern.folder().join("whole");
    copy(&store, &whole);
    let mut noticed = 0;
    for place in 0..6 {
        let at = log.len() * place / 6 + 500;
        let mut damaged = log.clone();
        damaged[at..at + 200].fill(0x5a);
        if place == 5 {
            damaged.truncate(at);
        }
        fs::write(store.join("db"), damaged).expect("it is written");
        let output = started_for_a_moment(&postern);
        if let Some(said) = output {
            noticed += 1;
            for words in ["is damaged", "Restore it from a backup", "move it away"] {
                assert!(said.contains(words), "{said}");
            }
            assert!(store.join("db").exists(), "it is still there");
            assert!(started_for_a_moment(&postern).is_some(), "and again");
        }
        fs::remove_dir_all(&store).expect("it is cleared");
        copy(&whole, &store);
    }
    assert!(noticed > 0, "no damage was any");
    fs::rename(&store, postern.folder().join("away")).expect("it is moved away");
    postern.run();
    assert_eq!(postern.tenant_status("t7")["state"], "serving");
}

/// What a start says that fails; `None` if it succeeds and the tenant `t7`, whose file is broken for the while, is
/// served from the store as it last was.
fn started_for_a_moment(postern: &Postern) -> Option<String> {
    let path = postern.tenant_path("t7");
    let good = fs::read(&path).expect("it is read");
    fs::write(&path, "broken").expect("it is written");
    drop(fs::remove_file(postern.announcement()));
    let mut child = postern.command().spawn().expect("the binary starts");
    let started = until("it is ready or has ended", || {
        let ended = child.try_wait().expect("it can be waited for");
        let ready = postern.announcement().exists();
        (ended.is_some() || ready).then_some(ended.is_none())
    });
    let mut said = String::new();
    if started {
        let announced: serde_json::Value = until("the announcement is whole", || {
            serde_json::from_slice(&fs::read(postern.announcement()).ok()?).ok()
        });
        let ops = announced["ops"].as_str().expect("an address");
        let status = Request::new("GET", "/status").send(ops).body;
        let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
        let tenants = status["tenants"].as_array().expect("a list");
        let t7 = tenants.iter().find(|tenant| tenant["tenant"] == "t7");
        let url = &t7.expect("it is known")["url"];
        assert_eq!(
            url, "https://t7.example.com/second",
            "nothing is lost in silence"
        );
        drop(child.kill());
    } else {
        let mut stderr = child.stderr.take().expect("it is piped");
        std::io::Read::read_to_string(&mut stderr, &mut said).expect("text");
    }
    let status = child.wait().expect("it can be waited for");
    fs::write(&path, good).expect("it is written");
    if started {
        return None;
    }
    assert_eq!(status.code(), Some(1), "{said}");
    Some(said)
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(to)
        .status();
    assert!(copied.expect("cp runs").success());
}

/// With the issuer gone over a restart, tokens verify from the stored keys until `stale_keys` has run out; from that
/// second on, proved before or not, nothing passes that nobody has confirmed. A neighbour with more patience goes on.
#[test]
fn stored_keys_serve_until_stale_keys_has_run_out() {
    let acme = issuer();
    let strict = tenant("jira").trusting(&acme).with("stale_keys = \"1h\"");
    let mut postern = Postern::with(strict)
        .and(tenant("wiki").trusting(&acme))
        .start();
    postern.until_keys("jira");
    postern.stop();
    acme.stop();
    let url = acme.url().to_owned();
    let source = SourceId::of(&KeyOrigin::Discovery(url), None).expect("it is fetched");
    {
        let store = Store::open(&postern.data()).expect("it opens");
        let mut record = store.keys(&source).expect("it is remembered");
        record.confirmed_at = postern::clock::now() - 3_600 + 5;
        store.put_keys(&source, &record).expect("it is written");
    }
    postern.run();
    let token = acme.token().sign();
    postern.check("jira", &token).is_allowed_as("ada");
    until("the keys are stale", || {
        (postern.check("jira", &token).status != 200).then_some(())
    });
    for token in [&token, &acme.token().sign()] {
        let answer = postern.check("jira", token);
        answer.is_refused(503, "issuer_unavailable");
        postern.check("wiki", token).is_allowed_as("ada");
    }
    // The issuer is back: the next attempt heals it, without a restart.
    acme.resume().expect("its port is free");
    until("the keys are fresh", || {
        (postern.check("jira", &token).status == 200).then_some(())
    });
}
