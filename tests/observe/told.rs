//! See `../observe.rs`.

use super::{call, open_and_shut, untouched};
use crate::harness::{Postern, Request, TenantFile, eventually, issuer, tenant};

/// The metric says what would have been refused, apart from what is.
#[test]
fn what_would_be_refused_is_counted_apart() {
    let (acme, gone) = (issuer(), issuer());
    gone.stop();
    let postern = open_and_shut(|file| file.trusting(&acme).trusting(&gone).with("name = \"b\""));
    let good = acme.token().subject("ada").sign();
    for tenant in ["open", "shut"] {
        postern.check(tenant, &good);
        postern.check(tenant, &acme.token().audience("other").sign());
        postern.check(tenant, &gone.token().sign());
    }
    for (tenant, outcome, reason, expected) in [
        ("open", "observe", "wrong_audience", 1),
        ("open", "observe", "issuer_unavailable", 1),
        ("open", "deny", "wrong_audience", 0),
        ("open", "unavailable", "issuer_unavailable", 0),
        ("shut", "observe", "wrong_audience", 0),
        ("shut", "deny", "wrong_audience", 1),
        ("shut", "unavailable", "issuer_unavailable", 1),
        // What would pass is counted as what it would pass as.
        ("open", "allow", "jwt", 1),
        ("shut", "allow", "jwt", 1),
    ] {
        let found = postern.counted(tenant, outcome, reason);
        assert_eq!(found, expected, "{tenant} {outcome} {reason}");
    }
    // Beside what is refused all the same.
    let broken = call("open").bearer("one").bearer("two");
    postern.ask(&broken).is_refused(401, "malformed_token");
    assert_eq!(postern.counted("open", "deny", "malformed_token"), 1);
}

/// The log says of each call what would have become of it.
#[test]
fn the_log_says_what_would_have_been_refused() {
    let acme = issuer();
    let postern = open_and_shut(|file| file.trusting(&acme));
    let refused = postern.check("open", &acme.token().audience("other").sign());
    let passed = postern.check("open", &acme.token().subject("ada").sign());
    for (answer, words) in [
        (
            &refused,
            [
                "INFO",
                "would be denied: the audience is",
                "outcome=\"observe\"",
                "reason=\"wrong_audience\"",
            ],
        ),
        (
            &passed,
            [
                "DEBUG",
                "would be allowed",
                "outcome=\"allow\" mode=\"observe\"",
                "account=\"ada\"",
            ],
        ),
    ] {
        let id = answer.header("postern-request-id").expect("an id");
        postern.until_logged(id);
        let log = postern.log();
        let line = log
            .lines()
            .find(|line| line.contains(id))
            .expect("it is there");
        for word in words {
            assert!(line.contains(word), "{word} in {line}");
        }
    }
}

/// Judged for real: what observing finds is what enforcing would refuse, rates and pins included.
#[test]
fn observing_spends_what_enforcing_does() {
    let acme = issuer();
    let postern = open_and_shut(|file| {
        file.trusting(&acme)
            .with("username = \"preferred_username\"")
            .rate_limit("per_user = \"1/h\"")
            .rate_limit("failures_per_address = \"1/h\"")
    });
    let named = |subject: &str, name: &str| {
        let token = acme.token().subject(subject);
        token.claim("preferred_username", name).sign()
    };
    let ada = named("1", "ada");
    for _ in 0..2 {
        untouched(&postern.check("open", &ada), &format!("Bearer {ada}"), "");
    }
    assert_eq!(postern.counted("open", "observe", "rate_limited"), 1);
    postern
        .check("open", &named("2", "ada"))
        .passes_as("observe");
    assert_eq!(postern.counted("open", "observe", "account_changed"), 1);
    for _ in 0..2 {
        postern.check("open", "a.b.c").passes_as("observe");
    }
    assert_eq!(postern.counted("open", "observe", "too_many_failures"), 1);
    // The same tokens at the tenant beside it, which spends its own.
    postern.check("shut", &ada).is_allowed_as("ada");
    postern.check("shut", &ada).is_refused(429, "rate_limited");
}

/// A gate that stands open is told of by the log at every start and reload, by the status and by `validate`; one that is
/// shut is not.
#[test]
fn an_open_gate_is_warned_about_everywhere() {
    const WARNING: &str = "nothing is enforced: every call passes untouched";
    let acme = issuer();
    let file = |mode: &str| {
        tenant("jira")
            .trusting(&acme)
            .access(&format!("mode = {mode:?}"))
    };
    let mut postern = Postern::with(file("observe")).start();
    let warned = |postern: &Postern, times: usize| {
        eventually("it is warned about once more", || {
            let log = postern.log();
            let lines = log.lines().filter(|line| line.contains(WARNING));
            lines.filter(|line| line.contains("WARN")).count() == times
        });
    };
    warned(&postern, 1);
    assert_eq!(postern.tenant_status("jira")["mode"], "observe");
    let table = |postern: &Postern| postern.cli(&["status"]).stdout;
    assert!(String::from_utf8_lossy(&table(&postern)).contains("only observes"));
    assert!(postern.validate(&file("observe")).contains(WARNING));
    assert!(!postern.validate(&file("enforce")).contains(WARNING));

    // Of a file that broke meanwhile, the last good build is what observes.
    postern.stop();
    postern.write(&file("perhaps"));
    postern.run();
    warned(&postern, 2);
    postern.ask(&call("jira")).passes_as("observe");

    let before = postern.generation("jira");
    postern.write(&file("enforce"));
    postern.until_generation_after("jira", before);
    postern.ask(&call("jira")).is_refused(401, "no_credential");
    assert_eq!(postern.tenant_status("jira")["mode"], "enforce");
    assert!(!String::from_utf8_lossy(&table(&postern)).contains("only observes"));
    let before = postern.generation("jira");
    postern.write(&file("observe").access("read_only = true"));
    postern.until_generation_after("jira", before);
    postern.ask(&call("jira")).passes_as("observe");
    warned(&postern, 3);
}

/// A tenant that is switched off steps aside; where it observes besides, only what would be refused then differs.
#[test]
fn a_tenant_that_is_switched_off_refuses_what_is_ours_unless_it_observes() {
    let acme = issuer();
    let postern = open_and_shut(|file: TenantFile| file.trusting(&acme).top("enabled = false"));
    let token = acme.token().sign();
    postern
        .check("shut", &token)
        .is_refused(403, "tenant_disabled");
    untouched(
        &postern.check("open", &token),
        &format!("Bearer {token}"),
        "",
    );
    let page = |tenant: &str| postern.ask(&Request::check(tenant, "/browse/A-1"));
    page("shut").passes_as("outside");
    page("open").passes_as("observe");
}
