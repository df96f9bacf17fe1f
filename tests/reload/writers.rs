use std::{
    fs::{self, File},
    io::Write as _,
};

use super::{fixed, until_answered};
use crate::harness::{Issuer, Postern, TenantFile, eventually, issuer};

/// A tenant for staff only, and a stranger's token: with the file's first half, which is valid TOML without
/// `[access]`, the stranger would pass.
fn for_staff(acme: &Issuer) -> (TenantFile, String) {
    let file = fixed("jira", acme, "first").access("allow_groups = [\"staff\"]");
    let stranger = acme.token().audience("first").groups(["guests"]).sign();
    (file, stranger)
}

/// A writer that has written the first half, and has neither gone on nor closed it.
fn half_written(postern: &Postern, file: &TenantFile) -> (File, String) {
    let text = file.text();
    let (half, rest) = text.split_at(text.find("\n[access]").expect("it has one"));
    let mut writer = File::create(postern.tenant_path(file.name())).expect("it opens");
    writer.write_all(half.as_bytes()).expect("it is written");
    (writer, rest.to_owned())
}

/// The writer pauses for two seconds. Meanwhile other files change, SIGHUP arrives, and the folder is scanned:
/// the half is never served, and the whole is as soon as it is closed.
#[test]
fn the_first_half_of_a_file_is_never_served() {
    let acme = issuer();
    let (file, stranger) = for_staff(&acme);
    let postern = Postern::with(file.clone())
        .and(fixed("wiki", &acme, "0"))
        .start();
    postern
        .check("jira", &stranger)
        .is_refused(403, "not_in_group");
    let with_more = file.clone().access("read_only = false");
    let (mut writer, rest) = half_written(&postern, &with_more);
    let (mut round, began) = (0, std::time::Instant::now());
    while began.elapsed().as_secs() < 2 {
        round += 1;
        let audience = round.to_string();
        postern.write(&fixed("wiki", &acme, &audience));
        postern.signal("HUP");
        // A stray entry has the whole folder looked through.
        fs::write(postern.tenants().join("notes.txt"), &audience).expect("it is written");
        let token = acme.token().audience(audience).sign();
        until_answered(&postern, "wiki", &token, "allowed");
        postern
            .check("jira", &stranger)
            .is_refused(403, "not_in_group");
    }
    let before = postern.generation("jira");
    assert_eq!(before, 1, "nothing was read while it was open");
    writer.write_all(rest.as_bytes()).expect("it is written");
    drop(writer);
    postern.until_generation_after("jira", before);
    postern
        .check("jira", &stranger)
        .is_refused(403, "not_in_group");
}

/// Two seconds in which a new tenant's file is written: it does not exist before it is whole.
#[test]
fn a_new_tenant_does_not_exist_before_its_file_is_closed() {
    let acme = issuer();
    let (file, stranger) = for_staff(&acme);
    let postern = Postern::with(fixed("wiki", &acme, "0")).start();
    let (mut writer, rest) = half_written(&postern, &file);
    let began = std::time::Instant::now();
    eventually("two seconds have passed", || {
        postern.signal("HUP");
        postern
            .check("jira", &stranger)
            .is_refused(403, "tenant_unknown");
        began.elapsed().as_secs() >= 2
    });
    writer.write_all(rest.as_bytes()).expect("it is written");
    drop(writer);
    until_answered(&postern, "jira", &stranger, "not_in_group");
}

/// A daemon that is started while a file is being rewritten serves the build that it remembers.
#[test]
fn a_file_that_is_half_written_at_the_start_leaves_the_last_good_build_serving() {
    let acme = issuer();
    let (file, stranger) = for_staff(&acme);
    let mut postern = Postern::with(file.clone()).start();
    postern.stop();
    // A writer that never stands still, until it is told to stop.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let path = postern.tenant_path("jira");
    let writing = std::thread::spawn(move || {
        let mut writer = File::create(path).expect("it opens");
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            writer.write_all(b"# a line\n").expect("it is written");
            if writer.metadata().is_ok_and(|found| found.len() > 100_000) {
                writer.set_len(0).expect("it is cut");
            }
        }
    });
    postern.run();
    postern
        .check("jira", &stranger)
        .is_refused(403, "not_in_group");
    assert_eq!(postern.tenant_status("jira")["state"], "stale");
    drop(stop);
    writing.join().expect("it ends");
    postern.write(&file);
    eventually("the whole file is read", || {
        postern.tenant_status("jira")["state"] == "serving"
    });
}

/// A writer that is killed with the file half written leaves it closed, and broken: the last good build stays.
#[test]
fn a_writer_that_dies_leaves_the_last_good_build_serving() {
    let acme = issuer();
    let (file, stranger) = for_staff(&acme);
    let postern = Postern::with(file.clone()).start();
    let mut writer = File::create(postern.tenant_path("jira")).expect("it opens");
    let cut = file.text().len() - 3;
    writer
        .write_all(&file.text().as_bytes()[..cut])
        .expect("it is written");
    drop(writer);
    eventually("the broken file is seen", || {
        postern.tenant_status("jira")["state"] == "stale"
    });
    postern
        .check("jira", &stranger)
        .is_refused(403, "not_in_group");
}

/// A file that is touched, but not changed, is not read as another one.
#[test]
fn a_file_that_is_saved_without_a_change_makes_no_new_generation() {
    let acme = issuer();
    let file = fixed("jira", &acme, "first");
    let postern = Postern::with(file.clone())
        .and(fixed("wiki", &acme, "0"))
        .start();
    for round in 1..4 {
        postern.write(&file);
        postern.write(&fixed("wiki", &acme, &round.to_string()));
        let token = acme.token().audience(round.to_string()).sign();
        until_answered(&postern, "wiki", &token, "allowed");
    }
    assert_eq!(postern.generation("jira"), 1);
}

/// So much happens at once that the kernel drops events. What changed is found all the same, and the writer who had
/// half a file open before is still waited for.
#[test]
fn lost_events_lose_no_change_and_serve_no_half() {
    let acme = issuer();
    let (file, stranger) = for_staff(&acme);
    let postern = Postern::with(file.clone())
        .and(fixed("wiki", &acme, "0"))
        .start();
    let with_more = file.access("read_only = false");
    let (mut writer, rest) = half_written(&postern, &with_more);
    // The half has been heard of once something after it is served.
    postern.write(&fixed("wiki", &acme, "1"));
    let token = acme.token().audience("1").sign();
    until_answered(&postern, "wiki", &token, "allowed");
    postern.signal("STOP");
    for round in 0..8_000 {
        let name = format!("notes-{}", round % 2);
        fs::write(postern.tenants().join(name), "x").expect("it is written");
    }
    postern.write(&fixed("wiki", &acme, "2"));
    postern.signal("CONT");
    let token = acme.token().audience("2").sign();
    until_answered(&postern, "wiki", &token, "allowed");
    let began = std::time::Instant::now();
    eventually("two seconds have passed", || {
        postern
            .check("jira", &stranger)
            .is_refused(403, "not_in_group");
        began.elapsed().as_secs() >= 2
    });
    assert_eq!(postern.generation("jira"), 1, "the half was not read");
    writer.write_all(rest.as_bytes()).expect("it is written");
    drop(writer);
    postern.until_generation_after("jira", 1);
    assert!(
        postern.log().contains("events were lost"),
        "that was a flood"
    );
}
