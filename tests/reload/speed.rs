use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use super::{fixed, replace, until_answered};
use crate::harness::{Ends, Issuer, Postern, TenantFile, issuer};

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    println!("from the edit to its being served: {times:?}");
    times[times.len() / 2]
}

/// The time until a write by `write` is served, in the middle of a dozen.
fn median_of_edits(acme: &Issuer, write: impl Fn(&Postern, &TenantFile)) -> Duration {
    let postern = Postern::with(fixed("jira", acme, "0"))
        .and(fixed("wiki", acme, "0"))
        .start();
    let times = (1..=12).map(|round| {
        let audience = round.to_string();
        let token = acme.token().audience(audience.as_str()).sign();
        write(&postern, &fixed("jira", acme, &audience));
        until_answered(&postern, "jira", &token, "allowed")
    });
    median(times.collect())
}

#[test]
fn an_edit_in_place_is_served_within_a_tenth_of_a_second() {
    let median = median_of_edits(&issuer(), Postern::write);
    assert!(median < Duration::from_millis(100), "{median:?}");
}

#[test]
fn a_replacement_by_rename_is_served_within_a_tenth_of_a_second() {
    let median = median_of_edits(&issuer(), |postern, file| {
        replace(&postern.tenant_path(file.name()), &file.text());
    });
    assert!(median < Duration::from_millis(100), "{median:?}");
}

/// Each edit changes the audience *and* the groups. A token with one file's audience and the other's group
/// would pass only in a state that no file ever described; threads try it all the time, over in-place edits and
/// renames, while tokens that fit a whole file pass as soon as it is served.
#[test]
fn no_check_is_answered_from_a_half_applied_file() {
    let acme = issuer();
    let file = |round: u32| {
        fixed("jira", &acme, ["even", "odd"][(round % 2) as usize]).access(
            ["allow_groups = [\"evens\"]", "allow_groups = [\"odds\"]"][(round % 2) as usize],
        )
    };
    let token =
        |audience: &str, group: &str| acme.token().audience(audience).groups([group]).sign();
    let whole = [token("even", "evens"), token("odd", "odds")];
    let mixed = [token("even", "odds"), token("odd", "evens")];
    let postern = Postern::with(file(0)).start();
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let ends = Ends(&done);
        let hammers: Vec<_> = mixed
            .iter()
            .map(|token| {
                let (postern, done) = (&postern, &done);
                threads.spawn(move || {
                    let mut reasons = [0_u32; 2];
                    while !done.load(Ordering::Relaxed) {
                        let answer = postern.check("jira", token);
                        match (answer.status, answer.reason()) {
                            (401, "wrong_audience") => reasons[0] += 1,
                            (403, "not_in_group") => reasons[1] += 1,
                            _ => panic!("no file allows this: {answer:?}"),
                        }
                    }
                    reasons
                })
            })
            .collect();
        for round in 1..=30 {
            if round % 3 == 0 {
                replace(&postern.tenant_path("jira"), &file(round).text());
            } else {
                postern.write(&file(round));
            }
            let (passes, fails) = match round % 2 {
                0 => (&whole[0], &whole[1]),
                _ => (&whole[1], &whole[0]),
            };
            until_answered(&postern, "jira", passes, "allowed");
            postern
                .check("jira", fails)
                .is_refused(401, "wrong_audience");
        }
        drop(ends);
        for hammer in hammers {
            let [before, after] = hammer.join().expect("no half was seen");
            assert!(before > 0 && after > 0, "both files were seen");
        }
    });
}
