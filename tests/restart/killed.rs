use std::fs;

use super::fixed;
use crate::harness::{Issuer, Postern, eventually, issuer, tenant};

/// The number in the audience that the tenant's served file is for, as `/status` shows it in the product's URL.
fn served(postern: &Postern) -> u32 {
    let status = postern.tenant_status("jira");
    let url = status["url"].as_str().unwrap_or_default();
    url.rsplit('/')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

fn numbered(acme: &Issuer, number: u32) -> String {
    let url = format!("https://jira.example.com/{number}");
    fixed("jira", acme, "first").url(&url).text()
}

/// Ten times: each file is written as soon as the one before it is served, and `kill -9` comes a little later after the
/// last of them each time: before it was noticed, while it is read, judged, stored or published, or when it is served.
/// Then the file is broken. What was seen to be served, or something later, is served again, and the store opens.
#[test]
fn kill_9_during_a_storm_of_reloads_loses_nothing_that_was_acknowledged() {
    let acme = issuer();
    let mut postern = Postern::with(fixed("jira", &acme, "first")).start();
    let mut written = 0;
    for round in 0..10 {
        let path = postern.tenant_path("jira");
        let aside = path.with_extension("aside");
        let mut write_the_next = || {
            written += 1;
            fs::write(&aside, numbered(&acme, written)).expect("it is written");
            fs::rename(&aside, &path).expect("it is renamed");
            written
        };
        for _ in 0..5 {
            let number = write_the_next();
            eventually("it is served", || served(&postern) == number);
        }
        let last = write_the_next();
        let acknowledged = (0..4 * round).map(|_| served(&postern)).max();
        postern.kill();
        fs::write(&path, "product = ").expect("it is written");
        postern.run();
        let now = served(&postern);
        let acknowledged = acknowledged.unwrap_or(last - 1);
        assert!(
            (acknowledged..=last).contains(&now),
            "{acknowledged} was acknowledged, and {now} of {last} is served"
        );
        assert_eq!(postern.tenant_status("jira")["state"], "stale");
    }
}

/// A tenant that was seen to be served is served after `kill -9`, though its file is broken and its issuer is gone.
#[test]
fn after_kill_9_with_the_issuer_gone_tokens_still_verify() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let token = acme.token().sign();
    postern.check("jira", &token).is_allowed_as("ada");
    postern.kill();
    acme.stop();
    fs::write(postern.tenant_path("jira"), "").expect("it is written");
    for _ in 0..2 {
        postern.run();
        postern.check("jira", &token).is_allowed_as("ada");
        let forged = format!("{}AAAA", &token[..token.len() - 4]);
        postern
            .check("jira", &forged)
            .is_refused(401, "bad_signature");
        postern.kill();
    }
}
