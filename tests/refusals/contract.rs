//! What the proxy owes us: every piece once, and no header that reads like one of ours.

use postern::decision::Denied::{BadCheckRequest, TenantUnknown};

use super::row::{API, Expected, Row, World, ada, at, refused, row};
use crate::harness::Request;

#[test]
fn a_broken_contract_is_never_guessed_at() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let mut rows = pieces(&token);
    rows.extend(aliases(&token));
    rows.extend(tenants(&token));
    rows
}

fn pieces(token: &str) -> Vec<Row> {
    let good = at("jira", token);
    let mut rows = vec![
        ada("all that nginx is told to send", good.clone()),
        ada(
            "no address where none is needed",
            good.clone().without("X-Real-IP"),
        ),
        ada(
            "an empty address where none is needed",
            good.clone().replace("X-Real-IP", ""),
        ),
    ];
    for piece in ["X-Original-Method", "X-Original-URI"] {
        rows.push(refused(
            format!("no {piece}"),
            good.clone().without(piece),
            BadCheckRequest,
        ));
    }
    for (piece, value) in [
        ("X-Original-Method", "GET"),
        ("X-Original-URI", API),
        ("X-Real-IP", "192.0.2.7"),
    ] {
        rows.push(refused(
            format!("{piece} twice, alike"),
            good.clone().header(piece, value),
            BadCheckRequest,
        ));
        rows.push(refused(
            format!("{piece} twice, once empty"),
            good.clone().header(piece, ""),
            BadCheckRequest,
        ));
    }
    for method in ["", "GET /", "GET,POST", "G\u{e9}T", "GET\tX"] {
        rows.push(refused(
            format!("the method {method:?}"),
            good.clone().replace("X-Original-Method", method),
            BadCheckRequest,
        ));
    }
    // Only a tenant with networks needs an address, and then one that can be read.
    for address in [
        "localhost",
        "unix:",
        "192.0.2.7, 192.0.2.8",
        "192.0.2.999",
        "192.0.2.07",
    ] {
        let from = |tenant: &str| at(tenant, token).replace("X-Real-IP", address);
        rows.push(ada(
            format!("the address {address:?} where none is needed"),
            from("jira"),
        ));
        rows.push(refused(
            format!("the address {address:?} where one is needed"),
            from("office"),
            BadCheckRequest,
        ));
    }
    rows.push(ada(
        "an address with its port",
        at("office", token).replace("X-Real-IP", "192.0.2.7:4711"),
    ));
    let overriding = |name: &str| good.clone().header(name, "GET");
    for name in [
        "X-HTTP-Method-Override",
        "X-HTTP-Method",
        "X-Method-Override",
    ] {
        rows.push(ada(format!("{name} once"), overriding(name)));
        rows.push(refused(
            format!("{name} twice"),
            overriding(name).header(name, "GET"),
            BadCheckRequest,
        ));
    }
    rows.push(refused(
        "two headers that override the method",
        overriding("X-HTTP-Method").header("X-Method-Override", "GET"),
        BadCheckRequest,
    ));
    let large = |size: usize| {
        let half = "x".repeat(size / 2);
        good.clone()
            .header("X-Large", &half)
            .header("X-Larger", &half)
    };
    rows.push(ada("headers of 48 KiB", large(48 * 1024)));
    rows.push(refused(
        "headers over 64 KiB",
        large(64 * 1024),
        BadCheckRequest,
    ));
    rows
}

/// Some servers take `_` and `.` in a header's name for `-`, and would believe what the client wrote.
fn aliases(token: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for name in [
        "X_Original_Uri",
        "X_Original-URI",
        "X.Original.Method",
        "x_real_ip",
        "X_Forwarded_For",
        "X-Forwarded_Uri",
        "X.Forwarded.Method",
        "X_Forwarded_User",
        "Remote.User",
        "Remote_User",
        "REMOTE_GROUPS",
        "Remote.Email",
        "Postern_Method",
        "Postern.Upstream.Uri",
        "X_HTTP_Method_Override",
        "X_Http.Method",
        "X-Method_Override",
    ] {
        rows.push(refused(
            name,
            at("jira", token).header(name, "admin"),
            BadCheckRequest,
        ));
    }
    for name in [
        "X_Trace_Id",
        "X.Custom",
        "Remote-User",
        "Remote-Groups",
        "Postern-Method",
        "X-Original-Host",
        "My_Remote_User",
    ] {
        rows.push(ada(
            format!("{name}, which we do not read"),
            at("jira", token).header(name, "admin"),
        ));
    }
    rows
}

fn tenants(token: &str) -> Vec<Row> {
    let good = at("jira", token);
    let asked = |target: &str| Request {
        target: target.into(),
        ..good.clone()
    };
    let mut rows = vec![ada("a tenant that there is", asked("/check/jira"))];
    for name in [
        "nobody",
        "JIRA",
        "jira.toml",
        "%6Aira",
        "jira%2f",
        "..",
        "-",
        "jira_",
        "",
    ] {
        rows.push(refused(
            format!("the tenant {name:?}"),
            asked(&format!("/check/{name}")),
            TenantUnknown,
        ));
    }
    rows.push(row(
        "a tenant that there is, asked for with a query",
        asked("/check/jira?tenant=other"),
        Expected::Ada,
    ));
    rows
}
