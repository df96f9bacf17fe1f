//! What is counted of checks, as Prometheus reads it.

use super::API;
use crate::harness::{Postern, Request, issuer, tenant};

/// Each decision is counted under its tenant, outcome and reason.
#[test]
fn decisions_are_counted_by_tenant_outcome_and_reason() {
    let (acme, gone) = (issuer(), issuer());
    gone.stop();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("wiki").trusting(&acme))
        .and(tenant("gone").trusting(&gone))
        .start();
    let token = acme.token().sign();
    for _ in 0..3 {
        postern.check("jira", &token).is_allowed_as("ada");
    }
    postern.check("wiki", &token).is_allowed_as("ada");
    postern.ask(&Request::check("jira", API));
    postern.ask(&Request::check("jira", "/browse/A-1"));
    postern.check("gone", &gone.token().sign());
    postern.check("nobody", &token);
    let count = |tenant: &str, outcome: &str, reason: &str| {
        postern.metric(&format!(
            "postern_decisions_total{{outcome=\"{outcome}\",reason=\"{reason}\",tenant=\"{tenant}\"}}"
        ))
    };
    for (tenant, outcome, reason, expected) in [
        ("jira", "allow", "jwt", 3.0),
        ("jira", "allow", "outside", 1.0),
        ("jira", "deny", "no_credential", 1.0),
        ("wiki", "allow", "jwt", 1.0),
        ("wiki", "deny", "no_credential", 0.0),
        ("gone", "unavailable", "issuer_unavailable", 1.0),
        // Whatever a stranger makes up is not a label: it would fill the memory.
        ("", "deny", "tenant_unknown", 1.0),
        ("nobody", "deny", "tenant_unknown", 0.0),
    ] {
        let found = count(tenant, outcome, reason);
        assert!(
            (found - expected).abs() < 0.5,
            "{tenant} {outcome} {reason}: {found}"
        );
    }
    assert!(postern.metric("postern_check_duration_seconds_count") > 7.5);
}

/// Every family that the operator's guide speaks of is there, with its help and its type.
#[test]
fn every_family_is_there() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme))
        .and(tenant("broken").top("enabled = maybe"))
        .start();
    postern.until_keys("jira");
    let token = acme.token().sign();
    postern.check("jira", &token);
    postern.check("jira", &token);
    let answer = postern.ops("/metrics");
    let content_type = answer.header("content-type").unwrap_or_default();
    assert!(content_type.starts_with("text/plain; version=0.0.4"));
    for (family, kind) in [
        ("postern_decisions_total", "counter"),
        ("postern_check_duration_seconds", "histogram"),
        ("postern_key_age_seconds", "gauge"),
        ("postern_reloads_total", "counter"),
        ("postern_reload_errors_total", "counter"),
        ("postern_outgoing_requests_total", "counter"),
        ("postern_verdict_cache_total", "counter"),
        ("postern_tenant_generation", "gauge"),
        ("postern_tenant_file_broken", "gauge"),
        ("postern_tenants", "gauge"),
        ("postern_ready", "gauge"),
        ("process_resident_memory_bytes", "gauge"),
        ("process_cpu_seconds_total", "counter"),
        ("process_open_fds", "gauge"),
    ] {
        assert!(
            answer.body.contains(&format!("# TYPE {family} {kind}")),
            "{family}"
        );
        assert!(
            answer.body.contains(&format!("# HELP {family} ")),
            "{family}"
        );
    }
    for (line, expected) in [
        (
            "postern_verdict_cache_total{result=\"hit\",tenant=\"jira\"}",
            1.0,
        ),
        (
            "postern_verdict_cache_total{result=\"miss\",tenant=\"jira\"}",
            1.0,
        ),
        ("postern_tenant_file_broken{tenant=\"broken\"}", 1.0),
        ("postern_tenant_file_broken{tenant=\"jira\"}", 0.0),
        ("postern_tenants", 2.0),
        ("postern_ready", 1.0),
    ] {
        let found = postern.metric(line);
        assert!((found - expected).abs() < 0.5, "{line}: {found}");
    }
    let outgoing = format!(
        "postern_outgoing_requests_total{{issuer=\"{}\",outcome=",
        acme.url()
    );
    assert!(answer.body.contains(&outgoing), "{}", answer.body);
    assert!(answer.body.contains(&format!(
        "postern_key_age_seconds{{issuer=\"{}\"}}",
        acme.url()
    )));
    assert!(!answer.body.contains(&token));
}
