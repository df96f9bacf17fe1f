//! Tokens of Postern's own.

use postern::{
    api_tokens::text,
    decision::Denied::{
        AddressNotAllowed, Expired, Inactive, InsufficientScope, MalformedToken, NotOwner, Revoked,
        TenantDisabled, WrongAudience,
    },
};
use serde_json::json;

use super::row::{API, Expected, Row, World, ada, at, refused, row};
use crate::harness::{Request, basic, eventually, id_of};

#[test]
fn an_api_token_is_good_for_its_owner_until_it_ends() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = forms(world);
    rows.extend(ends(world));
    rows.extend(limits(world));
    rows.extend(scopes(world));
    rows.extend(git(world));
    rows
}

fn with(value: &str) -> Request {
    Request::check("tokens", API).header("Authorization", value)
}

/// The five forms that clients send, and what is none of them.
fn forms(world: &World) -> Vec<Row> {
    let token = &*world.postern.issue("tokens", "Ada", json!({}));
    let user = |what: &str, value: String| row(what, with(&value), Expected::User("Ada"));
    let mut typo = token.to_owned();
    let last = typo.pop().expect("it has letters");
    typo.push(if last == 'a' { 'b' } else { 'a' });
    let (forged, _) = text::with_id(id_of(token).parse().expect("an id"));
    let (unknown, _) = text::new();
    let mut rows = vec![
        user("Bearer", format!("Bearer {token}")),
        user("Basic with its owner", basic("Ada", token)),
        user("Basic with its owner in small letters", basic("ada", token)),
        user("Basic x-token-auth", basic("x-token-auth", token)),
        user("Basic with the token as the user", basic(token, "")),
        user("Basic without a user", basic("", token)),
        refused(
            "Basic with another user",
            with(&basic("bob", token)),
            NotOwner,
        ),
        refused(
            "Basic with another user whose name starts like its owner's",
            with(&basic("ada2", token)),
            NotOwner,
        ),
        refused("a typo", with(&format!("Bearer {typo}")), MalformedToken),
        refused(
            "a typo in Basic",
            with(&basic("ada", &typo)),
            MalformedToken,
        ),
        refused(
            "cut",
            with(&format!("Bearer {}", &token[..60])),
            MalformedToken,
        ),
        refused(
            "in capitals",
            with(&basic("ada", &token.to_uppercase())),
            MalformedToken,
        ),
        refused(
            "with a line end in it",
            with(&basic("ada", &format!("{token}\n"))),
            MalformedToken,
        ),
        refused(
            "in quotes",
            with(&basic("ada", &format!("\"{token}\""))),
            MalformedToken,
        ),
        refused(
            "the token and a password",
            with(&basic(token, "secret")),
            MalformedToken,
        ),
        refused("no colon", with("Basic YWRh"), MalformedToken),
        refused("bad base64", with("Basic !"), MalformedToken),
        refused(
            "20 kB",
            with(&basic("ada", &"a".repeat(20_000))),
            MalformedToken,
        ),
        refused(
            "the right id with another secret",
            with(&format!("Bearer {}", forged.expose())),
            Inactive,
        ),
        refused(
            "an id that was never issued",
            with(&format!("Bearer {}", unknown.expose())),
            Inactive,
        ),
    ];
    rows.push(refused(
        "at another tenant",
        at("tokens-too", token),
        WrongAudience,
    ));
    rows.push(refused(
        "at a tenant whose tokens are off",
        at("tokens-off", token),
        Inactive,
    ));
    rows.push(refused(
        "at a tenant without tokens",
        at("jira", token),
        Inactive,
    ));
    rows.push(refused(
        "at a tenant that is off",
        at("off", token),
        TenantDisabled,
    ));
    rows
}

fn ends(world: &World) -> Vec<Row> {
    let postern = &world.postern;
    let revoked = postern.issue("tokens", "ada", json!({}));
    postern.revoke(&revoked);
    let short = postern.issue("tokens", "ada", json!({ "expires_in": 1 }));
    eventually("it expires", || {
        postern.check("tokens", &short).status != 200
    });
    let old = postern.issue("tokens", "ada", json!({}));
    let new = postern.rotate(&old, 0);
    let older = postern.issue("tokens", "ada", json!({}));
    let newer = postern.rotate(&older, 3600);
    let twice = postern.issue("tokens", "ada", json!({}));
    postern.rotate(&postern.rotate(&twice, 3600), 3600);
    vec![
        refused("revoked", at("tokens", &revoked), Revoked),
        refused("expired", at("tokens", &short), Expired),
        refused("rotated, and the overlap over", at("tokens", &old), Revoked),
        ada("its new secret", at("tokens", &new)),
        ada("rotated, within the overlap", at("tokens", &older)),
        ada("its new secret as well", at("tokens", &newer)),
        refused("rotated twice since", at("tokens", &twice), Inactive),
    ]
}

fn limits(world: &World) -> Vec<Row> {
    let office = world.postern.issue(
        "tokens",
        "ada",
        json!({ "networks": ["192.0.2.0/24", "2001:db8::1"] }),
    );
    let from = |address: &str| at("tokens", &office).replace("X-Real-IP", address);
    let narrow = world.postern.issue(
        "tokens",
        "ada",
        json!({ "paths": ["/rest/api/2/issue/**", "/rest/api/2/myself"] }),
    );
    let on = |uri: &str| Request::check("tokens", uri).bearer(&narrow);
    vec![
        ada("from its network", from("192.0.2.9")),
        ada("from its network, as IPv6", from("::ffff:192.0.2.9")),
        ada("from its other address", from("2001:db8::1")),
        refused("from elsewhere", from("198.51.100.1"), AddressNotAllowed),
        ada("on its path", on("/rest/api/2/issue/A-1?fields=summary")),
        ada("on its other path", on(API)),
        refused(
            "on another path",
            on("/rest/api/2/search"),
            InsufficientScope,
        ),
        refused(
            "on a path below one that is its own alone",
            on("/rest/api/2/myself/x"),
            InsufficientScope,
        ),
        refused("on a page", on("/browse/A-1"), InsufficientScope),
        refused(
            "on a page that can be read in several ways",
            on("/a/..;/b"),
            InsufficientScope,
        ),
    ]
}

fn scopes(world: &World) -> Vec<Row> {
    let read = world
        .postern
        .issue("tokens", "ada", json!({ "scope": "read" }));
    let write = world
        .postern
        .issue("tokens", "ada", json!({ "scope": "write" }));
    let method =
        |token: &str, method: &str| at("tokens", token).replace("X-Original-Method", method);
    let mut rows = Vec::new();
    for reads in ["GET", "HEAD", "OPTIONS"] {
        rows.push(ada(format!("{reads} to read"), method(&read, reads)));
    }
    for writes in ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "get", "TRACE"] {
        rows.push(refused(
            format!("{writes} to read"),
            method(&read, writes),
            InsufficientScope,
        ));
        rows.push(ada(format!("{writes} to write"), method(&write, writes)));
        for name in [
            "X-HTTP-Method-Override",
            "X-HTTP-Method",
            "X-Method-Override",
        ] {
            rows.push(refused(
                format!("GET that {name} makes a {writes}, to read"),
                method(&read, "GET").header(name, writes),
                InsufficientScope,
            ));
        }
    }
    rows.push(refused(
        "POST that a header makes a GET, to read",
        method(&read, "POST").header("X-HTTP-Method-Override", "GET"),
        InsufficientScope,
    ));
    rows
}

/// On git's paths the service says what is written, and not the method.
fn git(world: &World) -> Vec<Row> {
    let read = world
        .postern
        .issue("repositories", "ada", json!({ "scope": "read" }));
    let write = world
        .postern
        .issue("repositories", "ada", json!({ "scope": "write" }));
    let mut rows = Vec::new();
    for (method, rest, reads) in [
        ("GET", "info/refs?service=git-upload-pack", true),
        ("POST", "git-upload-pack", true),
        ("POST", "info/lfs/objects/batch", true),
        ("GET", "info/refs?service=git-receive-pack", false),
        (
            "GET",
            "info/refs?service=git-upload-pack&service=git-receive-pack",
            false,
        ),
        ("POST", "git-receive-pack", false),
        ("PUT", "info/lfs/objects/00", false),
        ("POST", "info/lfs/locks", false),
    ] {
        let ask = |token: &str| {
            Request::check("repositories", &format!("/scm/p/r.git/{rest}"))
                .replace("X-Original-Method", method)
                .header("Authorization", &basic("x-token-auth", token))
        };
        let what = format!("{method} {rest}");
        rows.push(if reads {
            ada(format!("{what} to read"), ask(&read))
        } else {
            refused(format!("{what} to read"), ask(&read), InsufficientScope)
        });
        rows.push(ada(format!("{what} to write"), ask(&write)));
    }
    rows
}
