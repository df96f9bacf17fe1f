//! See `../self_service.rs`.

use serde_json::json;

use super::{Site, any, body_of, issued, judged, open, refused};
use crate::{
    harness::{Postern, Request, emulator::Emulator, issuer},
    product::account::{TOKEN, answers},
};

/// A token is good for no more than what it was asked for with: OAuth scopes, and leave to write.
#[test]
fn a_token_is_no_wider_than_the_callers() {
    let site = Site::of(|acme| open("jira", acme).access("read_only = true"));
    let scoped = site.acme.token().scope("jira:read jira:issue").sign();
    let granted = |token: &str, grants: &[&str]| site.issue(token, &json!({ "grants": grants }));
    let made = granted(&scoped, &["jira:read"]);
    issued(&made);
    assert_eq!(body_of(&made)["grants"], json!(["jira:read"]));
    issued(&granted(&scoped, &[]));
    let said = refused(
        &granted(&scoped, &["jira:read", "jira:admin"]),
        403,
        "access_denied",
    );
    assert!(
        said.contains("\"jira:admin\"") && said.ends_with("it has jira:read jira:issue"),
        "{said}"
    );
    let bare = site.token("ada");
    let said = refused(&granted(&bare, &["jira:read"]), 403, "access_denied");
    assert!(said.ends_with("it has none"), "{said}");

    // Nobody writes in a tenant that is read-only, so nobody gets a token to write with; but to read and to revoke.
    let (_, id) = issued(&site.issue(&bare, &json!({ "scope": "read" })));
    judged(
        &site.issue(&bare, &json!({ "scope": "write" })),
        403,
        "read_only",
    );
    assert_eq!(site.revoke(&bare, &id).status, 200);
}

/// What a rule asks for, the API token must have; and what a rule denies the caller, it can't be used to escape.
#[test]
fn a_token_does_not_escape_the_rules() {
    let rules = "[[access.rule]]\neffect = \"deny\"\npath = \"/rest/api/2/issue\"\nscopes = [\"trial\"]\n\
        [[access.rule]]\npath = \"/rest/api/2/user/**\"\nscopes = [\"admin\"]\n";
    let site = Site::of(|acme| open("jira", acme).access(rules));
    let issue = |token: &str, grants: &[&str]| site.issue(token, &json!({ "grants": grants }));
    let get = |path: &str, token: &str| {
        site.postern
            .ask(&Request::check("jira", path).bearer(token))
    };
    let trial = site.acme.token().scope("trial admin").sign();
    get("/rest/api/2/issue", &trial).is_refused(403, "rule_denied");
    let said = refused(&issue(&trial, &["admin"]), 403, "access_denied");
    assert!(said.ends_with("write these as grants: trial"), "{said}");
    let (token, _) = issued(&issue(&trial, &["trial"]));
    get("/rest/api/2/issue", &token).is_refused(403, "rule_denied");
    get("/rest/api/2/user", &token).is_refused(403, "insufficient_scope");
    get("/rest/api/2/myself", &token).is_allowed_as("ada");

    let admin = site.acme.token().scope("admin").sign();
    let (token, _) = issued(&issue(&admin, &["admin"]));
    get("/rest/api/2/issue", &token).is_allowed_as("ada");
    get("/rest/api/2/user", &token).is_allowed_as("ada");
}

/// Whom a rule denies something by the provider gets no token, and others do. A rule about the API is one about this.
#[test]
fn rules_about_providers_and_the_api_bind_it() {
    let acme = issuer();
    let deny = "[[access.rule]]\neffect = \"deny\"\npath = \"/rest/api/2/user/**\"\nproviders = [\"custom\"]\n";
    let ask = "[[access.rule]]\npath = \"/rest/**\"\nscopes = [\"api\"]\n";
    let postern = Postern::with(open("jira", &acme).access(ask))
        .and(open("partner", &acme).access(deny))
        .start();
    let site = Site { acme, postern };
    let ada = site.token("ada");
    let said = refused(
        &site.issue_at("partner", &ada, &any()),
        403,
        "access_denied",
    );
    assert!(said.contains("keeps you from calls"), "{said}");
    judged(&site.issue(&ada, &any()), 403, "insufficient_scope");
    let api = site.acme.token().scope("api").sign();
    issued(&site.issue(&api, &any()));
}

/// The caller's groups are the provider's, a token's the product's: what a rule keeps from the one, the other must not open.
#[test]
fn groups_that_differ_open_nothing() {
    let acme = issuer();
    let product = Emulator::start(answers("jira", &["staff", "jira-admins"], true));
    let rules = "[[access.rule]]\neffect = \"deny\"\npath = \"/rest/api/2/issue\"\ngroups = [\"contractors\"]\n\
        [[access.rule]]\npath = \"/rest/api/2/user/**\"\ngroups = [\"jira-admins\"]\n";
    let file = open("jira", &acme)
        .with("groups = \"groups\"")
        .access(rules)
        .upstream(&format!("address = {:?}", product.url()))
        .upstream("admin_token = { env = \"ADMIN_TOKEN\" }");
    let postern = Postern::with(file).env("ADMIN_TOKEN", TOKEN).start();
    let site = Site { acme, postern };
    let of = |groups: &[&str]| site.acme.token().groups(groups.iter().copied()).sign();
    for groups in [
        &["contractors", "jira-admins"][..],
        &["contractors"],
        &["staff"],
    ] {
        let said = refused(&site.issue(&of(groups), &any()), 403, "access_denied");
        assert!(said.contains("keeps you from calls"), "{groups:?}: {said}");
    }
    issued(&site.issue(&of(&["jira-admins"]), &any()));
}

/// The scope that is not said is the tenant's default, and judged like one that is.
#[test]
fn the_default_scope_is_judged_too() {
    let acme = issuer();
    let write = |name: &str| open(name, &acme).api_tokens("default_scope = \"write\"");
    let frozen = write("frozen").access("read_only = true");
    let postern = Postern::with(write("jira")).and(frozen).start();
    let site = Site { acme, postern };
    let ada = site.token("ada");
    let (token, _) = issued(&site.issue(&ada, &json!({})));
    let write = Request::check("jira", "/rest/api/2/issue").replace("X-Original-Method", "POST");
    site.postern.ask(&write.bearer(&token)).is_allowed_as("ada");
    judged(&site.issue_at("frozen", &ada, &json!({})), 403, "read_only");
    issued(&site.issue_at("frozen", &ada, &json!({ "scope": "read" })));
}
