//! See `main.rs`.

/// `kill -9`, a store that can't be written, a tenant that goes and comes back.
mod durable;
/// Many at once.
mod race;

use postern::dev::Issuer;

use crate::harness::{Answer, Postern, TenantFile, issuer, tenant};

/// A tenant `jira` whose issuer names accounts by a claim, and may give the same name to several subjects.
fn named(issuer: &Issuer) -> TenantFile {
    tenant("jira")
        .trusting(issuer)
        .with("username = \"preferred_username\"")
}

fn token(issuer: &Issuer, subject: &str, account: &str) -> String {
    let token = issuer.token().subject(subject);
    token.claim("preferred_username", account).sign()
}

/// Asks with a token of that subject, never seen before, that names that account.
fn claims(postern: &Postern, issuer: &Issuer, subject: &str, account: &str) -> Answer {
    postern.check("jira", &token(issuer, subject, account))
}

#[track_caller]
fn unpin(postern: &Postern, account: &str) {
    let output = postern.cli(&["account", "unpin", "jira", account]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The first subject of an account is its owner. Another one is refused, however it spells the name, and the log says
/// who is who and what to do.
#[test]
fn an_account_is_the_first_subjects() {
    let acme = issuer();
    let postern = Postern::with(named(&acme)).start();
    for _ in 0..2 {
        claims(&postern, &acme, "1", "Ada").is_allowed_as("Ada");
    }
    claims(&postern, &acme, "1", "ada").is_allowed_as("ada");
    for account in ["Ada", "ada", "ADA"] {
        claims(&postern, &acme, "2", account).is_refused(403, "account_changed");
    }
    claims(&postern, &acme, "2", "bob").is_allowed_as("bob");
    let log = postern.log();
    for words in [
        "postern account unpin jira ADA",
        r#"subject \"1\""#,
        r#"subject \"2\""#,
    ] {
        let plain = words.replace('\\', "");
        assert!(
            log.contains(words) || log.contains(&plain),
            "{words} in {log}"
        );
    }
}

/// A subject is a text of bytes: its case counts, and a number is its digits.
#[test]
fn subjects_are_compared_to_the_letter() {
    let acme = issuer();
    let postern = Postern::with(named(&acme)).start();
    claims(&postern, &acme, "a", "ada").is_allowed_as("ada");
    for subject in ["A", "a ", "a\u{301}", "á"] {
        claims(&postern, &acme, subject, "ada").is_refused(403, "account_changed");
    }
    claims(&postern, &acme, "7", "bob").is_allowed_as("bob");
    let number = acme
        .token()
        .claim("sub", 7)
        .claim("preferred_username", "bob");
    postern.check("jira", &number.sign()).is_allowed_as("bob");
}

/// After `account unpin` the account is the next one's. What the old subject had proved before counts no more.
#[test]
fn after_unpin_the_next_subject_is_the_owner() {
    let acme = issuer();
    let postern = Postern::with(named(&acme)).start();
    let (old, new) = (token(&acme, "old", "ada"), token(&acme, "new", "ada"));
    for _ in 0..3 {
        postern.check("jira", &old).is_allowed_as("ada");
        postern
            .check("jira", &new)
            .is_refused(403, "account_changed");
        unpin(&postern, "ADA");
        postern.check("jira", &new).is_allowed_as("ada");
        postern
            .check("jira", &old)
            .is_refused(403, "account_changed");
        unpin(&postern, "ada");
    }
}

/// Two providers of one tenant that name an account alike: the second is refused it.
#[test]
fn another_provider_is_another_identity() {
    let (acme, partner) = (issuer(), issuer());
    let file = named(&acme)
        .trusting(&partner)
        .with("name = \"partner\"\nusername = \"preferred_username\"");
    let postern = Postern::with(file).start();
    claims(&postern, &acme, "1", "ada").is_allowed_as("ada");
    claims(&postern, &partner, "1", "ada").is_refused(403, "account_changed");
    claims(&postern, &partner, "1", "bob").is_allowed_as("bob");
    claims(&postern, &acme, "1", "bob").is_refused(403, "account_changed");
}

/// The pins of one tenant are nothing to another.
#[test]
fn a_neighbour_has_pins_of_its_own() {
    let acme = issuer();
    let wiki = tenant("wiki")
        .trusting(&acme)
        .with("username = \"preferred_username\"");
    let postern = Postern::with(named(&acme)).and(wiki).start();
    claims(&postern, &acme, "1", "ada").is_allowed_as("ada");
    let other = token(&acme, "2", "ada");
    postern.check("wiki", &other).is_allowed_as("ada");
    postern
        .check("jira", &other)
        .is_refused(403, "account_changed");
}

/// An endpoint that did not tell subjects, and then does: the first that it tells is adopted, after a restart, too. From
/// then on a token without one is not enough (one that was just called active is believed for a minute more).
#[test]
fn a_pin_without_a_subject_adopts_one() {
    let acme = issuer();
    let file = tenant("jira")
        .asking(&acme)
        .with("username = \"preferred_username\"");
    let mut postern = Postern::with(file).start();
    for (account, restarted) in [("ada", false), ("bob", true)] {
        let opaque = |subject: Option<&str>| {
            let token = acme.token().claim("preferred_username", account);
            match subject {
                Some(subject) => token.subject(subject).opaque(),
                None => token.without("sub").opaque(),
            }
        };
        let silent = opaque(None);
        for token in [&silent, &silent, &opaque(None)] {
            postern.check("jira", token).is_allowed_as(account);
        }
        if restarted {
            postern.kill();
            postern.run();
        }
        let first = opaque(Some("1"));
        postern.check("jira", &first).is_allowed_as(account);
        for token in [&opaque(None), &opaque(Some("2"))] {
            let answer = postern.check("jira", token);
            answer.is_refused(403, "account_changed");
        }
        postern.kill();
        postern.run();
        let answer = postern.check("jira", &opaque(Some("2")));
        answer.is_refused(403, "account_changed");
        postern.check("jira", &first).is_allowed_as(account);
    }
}

/// A stranger who may not pass takes nobody's name: not in a group, he is refused, and the account waits for its owner.
#[test]
fn who_may_not_pass_takes_no_name() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .with("username = \"preferred_username\"")
        .access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    let token = |subject: &str, groups: &[&str]| {
        let token = acme.token().subject(subject).groups(groups.iter().copied());
        token.claim("preferred_username", "ada").sign()
    };
    let stranger = token("stranger", &["others"]);
    for _ in 0..2 {
        postern
            .check("jira", &stranger)
            .is_refused(403, "not_in_group");
    }
    postern
        .check("jira", &token("ada-1", &["staff"]))
        .is_allowed_as("ada");
    // Once he may, the account is not his.
    postern
        .check("jira", &token("stranger", &["staff"]))
        .is_refused(403, "account_changed");
    let generation = postern.generation("jira");
    let open = tenant("jira")
        .trusting(&acme)
        .with("username = \"preferred_username\"")
        .access("allow_groups = [\"staff\", \"others\"]");
    postern.write(&open);
    postern.until_generation_after("jira", generation);
    postern
        .check("jira", &stranger)
        .is_refused(403, "account_changed");
}

/// What only `never` forbade is proved anew once it does not.
#[test]
fn a_name_that_is_free_again_is_pinned_then() {
    let acme = issuer();
    let file = |never: &str| {
        let file = tenant("jira").trusting(&acme);
        let file = file.with("username = \"preferred_username\"");
        file.access(&format!("never = [{never:?}]"))
    };
    let postern = Postern::with(file("ada")).start();
    let token = |subject: &str| {
        let token = acme.token().subject(subject);
        token.claim("preferred_username", "ada").sign()
    };
    let first = token("1");
    postern
        .check("jira", &first)
        .is_refused(403, "account_protected");
    let generation = postern.generation("jira");
    postern.write(&file("bob"));
    postern.until_generation_after("jira", generation);
    postern.check("jira", &first).is_allowed_as("ada");
    postern
        .check("jira", &token("2"))
        .is_refused(403, "account_changed");
}
