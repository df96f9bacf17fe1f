use super::{limited, token};
use crate::harness::{Postern, Request, issuer, tenant};

const API: &str = "/rest/api/2/myself";

/// A user is one user with however many tokens, and however the name is spelled. Another user is another.
#[test]
fn a_user_who_has_used_up_the_rate_is_refused_and_others_are_not() {
    let acme = issuer();
    let postern = Postern::with(limited(&acme, "per_user = \"2/h\"")).start();
    postern
        .check("jira", &token(&acme, "ada"))
        .is_allowed_as("ada");
    postern
        .check("jira", &token(&acme, "Ada"))
        .is_allowed_as("Ada");
    for name in ["ada", "ADA"] {
        postern
            .check("jira", &token(&acme, name))
            .is_refused(429, "rate_limited");
    }
    postern
        .check("jira", &token(&acme, "bob"))
        .is_allowed_as("bob");
}

/// A script that runs wild uses up its own token, and not its owner's others.
#[test]
fn a_token_that_has_used_up_the_rate_is_refused_and_its_owners_others_are_not() {
    let acme = issuer();
    let postern = Postern::with(limited(&acme, "per_token = \"1/h\"")).start();
    let (wild, other) = (token(&acme, "ada"), token(&acme, "ada"));
    postern.check("jira", &wild).is_allowed_as("ada");
    for _ in 0..3 {
        postern.check("jira", &wild).is_refused(429, "rate_limited");
    }
    postern.check("jira", &other).is_allowed_as("ada");
}

/// All users together use up a tenant's rate. The neighbour has one of its own.
#[test]
fn a_tenant_that_has_used_up_the_rate_is_refused_and_its_neighbour_is_not() {
    let acme = issuer();
    let jira = limited(&acme, "per_tenant = \"2/h\"");
    let postern = Postern::with(jira.clone()).and(jira.named("wiki")).start();
    for user in ["ada", "bob"] {
        postern
            .check("jira", &token(&acme, user))
            .is_allowed_as(user);
    }
    postern
        .check("jira", &token(&acme, "eve"))
        .is_refused(429, "rate_limited");
    postern
        .check("wiki", &token(&acme, "eve"))
        .is_allowed_as("eve");
}

/// Nobody without a credential can use up the tenant's rate for those who have one, nor are people in a browser turned
/// away because of scripts.
#[test]
fn what_passes_without_an_account_spends_nothing_and_is_not_refused() {
    let acme = issuer();
    let file =
        limited(&acme, "per_tenant = \"1/h\"").access("public = [\"GET /rest/api/2/serverInfo\"]");
    let postern = Postern::with(file).start();
    let others = || {
        for (path, way) in [
            ("/browse/A-1", "outside"),
            ("/rest/api/2/serverInfo", "public"),
        ] {
            postern.ask(&Request::check("jira", path)).passes_as(way);
        }
        let session = Request::check("jira", API).header("Cookie", "JSESSIONID=1");
        postern.ask(&session).passes_as("session");
    };
    others();
    others();
    postern
        .check("jira", &token(&acme, "ada"))
        .is_allowed_as("ada");
    postern
        .check("jira", &token(&acme, "ada"))
        .is_refused(429, "rate_limited");
    others();
}

/// A rate is spent last: by what everything else allows.
#[test]
fn what_is_refused_for_another_reason_spends_nothing() {
    let acme = issuer();
    let file = limited(&acme, "per_user = \"1/h\"").access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    let ada = || {
        let token = acme.token().subject("ada");
        token.claim("preferred_username", "ada").groups(["staff"])
    };
    let stranger = ada().groups(["other"]).sign();
    let expired = ada().expires_in(-3600).sign();
    for _ in 0..3 {
        postern
            .check("jira", &stranger)
            .is_refused(403, "not_in_group");
        postern.check("jira", &expired).is_refused(401, "expired");
    }
    postern.check("jira", &ada().sign()).is_allowed_as("ada");
    postern
        .check("jira", &ada().sign())
        .is_refused(429, "rate_limited");
}

/// What a narrow rate refuses takes nothing from a wider one: a token that runs wild leaves its owner the rest, and the
/// owner leaves the tenant the rest.
#[test]
fn what_a_narrow_rate_refuses_takes_nothing_from_a_wider_one() {
    let acme = issuer();
    let file = limited(&acme, "per_token = \"1/h\"")
        .rate_limit("per_user = \"2/h\"")
        .rate_limit("per_tenant = \"3/h\"");
    let postern = Postern::with(file).start();
    let tokens: Vec<_> = (0..3).map(|_| token(&acme, "ada")).collect();
    postern.check("jira", &tokens[0]).is_allowed_as("ada");
    for _ in 0..5 {
        postern
            .check("jira", &tokens[0])
            .is_refused(429, "rate_limited");
    }
    postern.check("jira", &tokens[1]).is_allowed_as("ada");
    for _ in 0..5 {
        postern
            .check("jira", &tokens[2])
            .is_refused(429, "rate_limited");
    }
    postern
        .check("jira", &token(&acme, "bob"))
        .is_allowed_as("bob");
    postern
        .check("jira", &token(&acme, "eve"))
        .is_refused(429, "rate_limited");
    let log = postern.log();
    for (whose, rate) in [
        ("a token of ada", "rate_limit.per_token (1/h)"),
        ("ada", "rate_limit.per_user (2/h)"),
        ("the tenant", "rate_limit.per_tenant (3/h)"),
    ] {
        let said = format!("denied: {whose} has used up {rate}");
        assert!(log.contains(&said), "{said} in {log}");
    }
}

/// Opaque tokens are told apart like signed ones, and the issuer is not asked about what is refused here.
#[test]
fn opaque_tokens_have_rates_too() {
    let acme = issuer();
    let file = tenant("jira")
        .asking(&acme)
        .rate_limit("per_token = \"1/h\"");
    let postern = Postern::with(file).start();
    let (first, second) = (acme.token().opaque(), acme.token().opaque());
    postern.check("jira", &first).is_allowed_as("ada");
    postern
        .check("jira", &first)
        .is_refused(429, "rate_limited");
    postern.check("jira", &second).is_allowed_as("ada");
}
