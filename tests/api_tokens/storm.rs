//! `kill -9` in the middle of issues and revokes.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::harness::{Postern, ask_admin, eventually, id_of, tenant};

/// Daemons that are stormed at the same time.
const DAEMONS: u64 = 4;
/// How often each of them is killed.
const KILLS: u64 = 50;
/// Who asks at once.
const CALLERS: usize = 4;

/// A storm, as its callers and its end see it.
#[derive(Default)]
struct Storm {
    /// Answers so far.
    answers: AtomicU64,
    over: AtomicBool,
}

/// What the daemon has said yes to.
#[derive(Default)]
struct Acknowledged {
    alive: Vec<String>,
    revoked: Vec<String>,
}

/// Two hundred times, at moments all over a storm: what was acknowledged as issued is there, what was acknowledged as
/// revoked stays so, both are in the audit log, and the store opens.
#[test]
fn kill_9_in_a_storm_of_issues_and_revokes_loses_nothing_that_was_acknowledged() {
    let acknowledged: Vec<usize> = thread::scope(|scope| {
        let daemons: Vec<_> = (0..DAEMONS)
            .map(|seed| scope.spawn(move || storm(seed)))
            .collect();
        daemons
            .into_iter()
            .map(|daemon| daemon.join().expect("no loss"))
            .collect()
    });
    eprintln!("acknowledged of each daemon: {acknowledged:?}");
    // A storm in which nothing came to pass shows nothing.
    assert!(acknowledged.iter().all(|count| *count > 100));
}

fn storm(seed: u64) -> usize {
    let file = tenant("jira").api_tokens("enabled = true\nmax_per_user = 10000");
    let mut postern = Postern::with(file).start();
    let mut all = Acknowledged::default();
    for round in 0..KILLS {
        let (storm, socket) = (Storm::default(), postern.admin_socket());
        let parts: Vec<Acknowledged> = thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| scope.spawn(|| call(&socket, &storm)))
                .collect();
            // After so many answers, which is a matter of the disk, and at any moment of the next few milliseconds.
            let number = round * DAEMONS + seed;
            let (answers, moment) = (number % 13, Duration::from_micros(number * 7_919 % 10_000));
            eventually("the storm rages", || {
                storm.answers.load(Ordering::Relaxed) >= answers
            });
            let started = Instant::now();
            while started.elapsed() < moment {
                thread::yield_now();
            }
            postern.kill();
            storm.over.store(true, Ordering::Relaxed);
            callers
                .into_iter()
                .map(|caller| caller.join().expect("it ends"))
                .collect()
        });
        postern.run();
        for part in parts {
            is_kept(&postern, &part);
            all.alive.extend(part.alive);
            all.revoked.extend(part.revoked);
        }
    }
    is_kept(&postern, &all);
    is_told(&postern, &all);
    all.alive.len() + all.revoked.len()
}

/// Issues tokens, and revokes every second of them, until the daemon is gone.
fn call(socket: &Path, storm: &Storm) -> Acknowledged {
    let mut acknowledged = Acknowledged::default();
    while !storm.over.load(Ordering::Relaxed) {
        let wanted = json!({ "owner": "ada" });
        let Ok(answer) = ask_admin(socket, "POST", "/tokens/jira", &wanted) else {
            continue;
        };
        assert_eq!(answer.status, 201, "{answer:?}");
        storm.answers.fetch_add(1, Ordering::Relaxed);
        let made: Value = serde_json::from_str(&answer.body).expect("JSON");
        let token = made["token"].as_str().expect("a token").to_owned();
        if acknowledged.alive.len() <= acknowledged.revoked.len() {
            acknowledged.alive.push(token);
            continue;
        }
        // Until it is answered, nobody knows: then it counts for neither.
        let target = format!("/token/{}", id_of(&token));
        if let Ok(answer) = ask_admin(socket, "DELETE", &target, &json!({})) {
            assert_eq!(answer.status, 200, "{answer:?}");
            storm.answers.fetch_add(1, Ordering::Relaxed);
            acknowledged.revoked.push(token);
        }
    }
    acknowledged
}

fn is_kept(postern: &Postern, acknowledged: &Acknowledged) {
    for token in &acknowledged.alive {
        postern.check("jira", token).is_allowed_as("ada");
    }
    for token in &acknowledged.revoked {
        postern.check("jira", token).is_refused(401, "revoked");
    }
}

/// Whatever was acknowledged is in the audit log, whose numbers have no gap.
fn is_told(postern: &Postern, acknowledged: &Acknowledged) {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let answer = postern.admin("GET", &format!("/audit?after={after}"), &json!({}));
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        events.extend(page["events"].as_array().expect("a list").clone());
        match page["after"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    let mut numbers = (1..).zip(&events);
    assert!(numbers.all(|(number, event)| event["number"] == number));
    let told = |action: &str| -> std::collections::HashSet<&str> {
        let of_it = events.iter().filter(|event| event["action"] == action);
        of_it.filter_map(|event| event["token"].as_str()).collect()
    };
    let (issued, revoked) = (told("token_issued"), told("token_revoked"));
    assert!(
        acknowledged
            .alive
            .iter()
            .all(|token| issued.contains(id_of(token)))
    );
    assert!(
        acknowledged
            .revoked
            .iter()
            .all(|token| revoked.contains(id_of(token)))
    );
}
