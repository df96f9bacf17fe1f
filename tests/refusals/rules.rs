//! What the tenant's file says of single calls.

use postern::decision::Denied::{
    InsufficientScope, MalformedToken, NotInGroup, PasswordNotAllowed, RuleDenied, TokenEndpoint,
};

use super::row::{API, Expected, Row, World, ada, at, refused, row};
use crate::harness::Request;

/// `[access]` of the tenant `ruled`.
pub const RULED: &str = "[[access.rule]]
path = \"/rest/denied/**\"
effect = \"deny\"
[[access.rule]]
path = \"/rest/scoped/**\"
scopes = [\"jira:admin\"]
[[access.rule]]
path = \"/rest/grouped/**\"
groups = [\"staff\"]
";

#[test]
fn a_rule_is_asked_for_each_call() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let plain = world.acme.token().sign();
    let scoped = world.acme.token().scope("jira:admin").sign();
    let member = world.acme.token().groups(["staff"]).sign();
    let to = |uri: &str, token: &str| Request::check("ruled", uri).bearer(token);
    let password =
        |tenant: &str| Request::check(tenant, API).header("Authorization", "Basic YWRhOmFkYQ==");
    vec![
        ada("a path that no rule is about", to(API, &plain)),
        refused(
            "a path that is denied",
            to("/rest/denied/x", &plain),
            RuleDenied,
        ),
        refused(
            "the same without a token",
            Request::check("ruled", "/rest/denied/x"),
            RuleDenied,
        ),
        ada("with the scope", to("/rest/scoped", &scoped)),
        refused(
            "without the scope",
            to("/rest/scoped", &plain),
            InsufficientScope,
        ),
        ada("with the group", to("/rest/grouped", &member)),
        refused("without the group", to("/rest/grouped", &plain), NotInGroup),
        refused(
            "what gives out credentials",
            to("/rest/pat/latest/tokens", &plain),
            TokenEndpoint,
        ),
        ada(
            "what only sounds like it",
            to("/rest/path/latest/tokens", &plain),
        ),
        refused("a password", password("ruled"), PasswordNotAllowed),
        row(
            "a password where they pass",
            password("lenient"),
            Expected::Passes("password"),
        ),
        refused("a token of nobody's", at("ruled", "opaque"), MalformedToken),
        row(
            "a token of nobody's where the product's pass",
            at("lenient", "opaque"),
            Expected::Passes("product-token"),
        ),
    ]
}
