//! What the tenant's file says of callers whose tokens are good.

use postern::decision::{
    Denied::{
        AccountProtected, AddressNotAllowed, BadCheckRequest, Inactive, NoCredential, NotInGroup,
        ReadOnly, TenantDisabled,
    },
    Unavailable,
};

use super::row::{API, Expected, Row, World, ada, at, refused, row};
use crate::harness::Request;

#[test]
fn a_good_token_is_not_enough_where_the_file_wants_more() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let mut rows = groups(world);
    rows.extend(networks(&token));
    rows.extend(methods(&token));
    rows.extend(off(world, &token));
    rows.extend(without_token());
    let of = |name: &str| {
        let token = world
            .acme
            .token()
            .subject(format!("subject-of-{}", name.to_lowercase()));
        token.claim("preferred_username", name).sign()
    };
    rows.push(row(
        "another account than one that nobody becomes",
        at("never", &of("adam")),
        Expected::User("adam"),
    ));
    for name in ["ada", "ADA"] {
        let what = format!("the account that nobody becomes, as {name}");
        rows.push(refused(what, at("never", &of(name)), AccountProtected));
    }
    let (opaque, revoked) = (world.acme.token().opaque(), world.acme.token().opaque());
    world.acme.revoke(&revoked);
    rows.push(ada(
        "an opaque token that its issuer knows",
        at("opaque", &opaque),
    ));
    rows.push(refused(
        "one that it has revoked",
        at("opaque", &revoked),
        Inactive,
    ));
    rows.push(refused(
        "one that it does not",
        at("opaque", "never-issued"),
        Inactive,
    ));
    rows.push(row(
        "a tenant whose file was never right",
        at("broken", &token),
        Expected::Unavailable(Unavailable::TenantUnavailable),
    ));
    rows
}

fn groups(world: &World) -> Vec<Row> {
    let with = |groups: &[&str]| {
        at(
            "staff",
            &world.acme.token().groups(groups.iter().copied()).sign(),
        )
    };
    let claim =
        |value: serde_json::Value| at("staff", &world.acme.token().claim("groups", value).sign());
    let mut rows = vec![
        ada("one of the groups", with(&["other", "staff"])),
        ada("the one group, as a text", claim("staff".into())),
        refused(
            "no groups",
            at("staff", &world.acme.token().sign()),
            NotInGroup,
        ),
    ];
    for groups in [
        &[][..],
        &["Staff"],
        &["staff "],
        &["staffers"],
        &["staff,other"],
        &[""],
    ] {
        rows.push(refused(
            format!("the groups {groups:?}"),
            with(groups),
            NotInGroup,
        ));
    }
    rows.push(refused(
        "a group in a list in a list",
        claim(serde_json::json!([["staff"]])),
        NotInGroup,
    ));
    rows
}

fn networks(token: &str) -> Vec<Row> {
    let from = |address: &str| at("office", token).replace("X-Real-IP", address);
    let mut rows = Vec::new();
    for address in ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"] {
        rows.push(ada(format!("from {address}"), from(address)));
    }
    for address in [
        "198.51.100.1",
        "192.0.2.66",
        "::ffff:192.0.2.66",
        "::ffff:198.51.100.1",
        "2001:db8::1",
        "::192.0.2.7",
        "127.0.0.1",
    ] {
        rows.push(refused(
            format!("from {address}"),
            from(address),
            AddressNotAllowed,
        ));
    }
    rows.push(refused(
        "from nobody knows where",
        at("office", token).without("X-Real-IP"),
        BadCheckRequest,
    ));
    // Networks bind every request, those without a token as well.
    rows.push(refused(
        "a page, from elsewhere",
        Request::check("office", "/browse/A-1").replace("X-Real-IP", "198.51.100.1"),
        AddressNotAllowed,
    ));
    rows.push(row(
        "a page, from the office",
        Request::check("office", "/browse/A-1"),
        Expected::Passes("outside"),
    ));
    rows
}

fn methods(token: &str) -> Vec<Row> {
    let with = |method: &str| at("frozen", token).replace("X-Original-Method", method);
    let mut rows = Vec::new();
    for method in ["GET", "HEAD", "OPTIONS"] {
        rows.push(ada(
            format!("{method} where only reading is allowed"),
            with(method),
        ));
    }
    for method in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "get", "TRACE"] {
        rows.push(refused(
            format!("{method} where only reading is allowed"),
            with(method),
            ReadOnly,
        ));
        for name in [
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X-Method-Override",
        ] {
            rows.push(refused(
                format!("GET that {name} makes a {method}"),
                with("GET").header(name, method),
                ReadOnly,
            ));
        }
    }
    rows.push(refused(
        "POST that a header makes a GET",
        with("POST").header("X-HTTP-Method-Override", "GET"),
        ReadOnly,
    ));
    rows.push(ada(
        "GET that a header makes a HEAD",
        with("GET").header("X-HTTP-Method-Override", "HEAD"),
    ));
    rows
}

/// A tenant that is switched off refuses what is meant for us, and steps aside for all else.
fn off(world: &World, token: &str) -> Vec<Row> {
    vec![
        refused(
            "a token of ours at a tenant that is off",
            at("off", token),
            TenantDisabled,
        ),
        refused(
            "a forged token of ours",
            at(
                "off",
                &world.mallory.token().claim("iss", world.acme.url()).sign(),
            ),
            TenantDisabled,
        ),
        row(
            "another issuer's token",
            at("off", &world.mallory.token().sign()),
            Expected::Passes("outside"),
        ),
        row(
            "no token",
            Request::check("off", API),
            Expected::Passes("outside"),
        ),
        row(
            "a password",
            Request::check("off", API).header("Authorization", "Basic YWRhOmFkYQ=="),
            Expected::Passes("outside"),
        ),
    ]
}

fn without_token() -> Vec<Row> {
    let session = |tenant: &str| Request::check(tenant, API).header("Cookie", "JSESSIONID=1");
    vec![
        row(
            "a session cookie",
            session("jira"),
            Expected::Passes("session"),
        ),
        refused(
            "a session cookie where sessions are denied",
            session("strict"),
            NoCredential,
        ),
        row(
            "a session that the product knows",
            session("asked"),
            Expected::Passes("session"),
        ),
        refused(
            "a session that it does not know",
            session("asked").replace("Cookie", "JSESSIONID=2"),
            NoCredential,
        ),
        row(
            "a session whose product is away",
            session("unasked"),
            Expected::Unavailable(Unavailable::ProductUnavailable),
        ),
        row(
            "nothing where that passes",
            Request::check("open", API),
            Expected::Passes("anonymous"),
        ),
        refused(
            "nothing where it does not",
            Request::check("jira", API),
            NoCredential,
        ),
        row(
            "nothing on a public path",
            Request::check("jira", "/rest/api/2/serverInfo"),
            Expected::Passes("public"),
        ),
        refused(
            "another method on a public path",
            Request::check("jira", "/rest/api/2/serverInfo").replace("X-Original-Method", "POST"),
            NoCredential,
        ),
        refused(
            "a public path under another method by override",
            Request::check("jira", "/rest/api/2/serverInfo").header("X-HTTP-Method", "POST"),
            NoCredential,
        ),
        refused(
            "below a public path",
            Request::check("jira", "/rest/api/2/serverInfo/x"),
            NoCredential,
        ),
    ]
}
