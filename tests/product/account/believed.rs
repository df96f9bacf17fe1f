//! Which answers about an account are believed.

use std::sync::Arc;

use postern::{decision::Unavailable, witness::Silent};
use serde_json::json;

use super::{Found, TOKEN, World, ada, jira};
use crate::{
    harness::emulator::{Asked, Reply, json},
    product::{told, whose},
};

#[track_caller]
fn is_outage(found: &Found, says: &str) {
    let outage = found.as_ref().expect_err("nobody can tell");
    assert_eq!(outage.reason, Unavailable::ProductUnavailable);
    let message = outage.to_string();
    assert!(
        message.contains(says) && message.contains("t.toml, [upstream]"),
        "{message}"
    );
    assert!(!message.contains(TOKEN), "{message}");
}

/// An administrator's token that is refused is named, whichever way the product says so, and no account is judged by it.
#[test]
fn a_token_that_is_refused_is_named() {
    for kind in ["jira", "confluence", "bitbucket"] {
        for status in [401, 403] {
            let world = World::start(kind, move |_| json(status, json!({ "message": "no" })));
            is_outage(&world.account("ada"), "admin_token");
        }
    }
}

/// The secret of a last good build has gone: nothing is asked, and the message says what to mend.
#[test]
fn without_a_token_nothing_is_asked() {
    let world = World::with_token("jira", None, |_| told("jira", Some("root")));
    is_outage(&world.account("ada"), "admin_token can't be read");
    assert_eq!(world.upstream.asked().len(), 0);
}

/// A dead token makes us anonymous, and anonymous may be told of ada, or that there is no ada: neither is believed.
#[test]
fn what_anonymous_is_told_is_not_believed() {
    let groups = ["staff".to_owned()];
    for name in ["ada", "eve"] {
        let groups = groups.clone();
        let world = World::start("jira", move |asked| {
            if asked.path() == whose("jira") {
                told("jira", None)
            } else {
                jira(asked, &groups, true)
            }
        });
        is_outage(&world.account(name), "admin_token");
        assert!(ada("jira", &["staff"], true).account(name).is_ok());
    }
    for kind in ["confluence", "bitbucket"] {
        let world = World::start(kind, move |asked| anonymous(kind, asked));
        is_outage(&world.account("ada"), "takes us for anonymous");
    }
}

fn anonymous(kind: &str, asked: &Asked) -> Reply {
    if asked.path() == whose(kind) {
        return told(kind, None);
    }
    match kind {
        "confluence" => json(
            404,
            json!({ "statusCode": 404, "message": "No user found" }),
        ),
        _ => json(200, json!({ "values": [], "isLastPage": true })),
    }
}

/// Answers that are no product's, or not about the account that was asked for, are no answers.
#[test]
fn an_odd_answer_is_an_outage() {
    let groups = |items: serde_json::Value| json!({ "size": 1, "items": items });
    let staff = groups(json!([{ "name": "staff" }]));
    let html = Reply::Full(
        404,
        vec![("Content-Type", "text/html".to_owned())],
        "no such page".to_owned(),
    );
    let rows = [
        (
            "about another",
            json(
                200,
                json!({ "name": "eve", "active": true, "groups": staff }),
            ),
            "another account",
        ),
        (
            "nobody's",
            json(200, json!({ "active": true, "groups": staff })),
            "no name",
        ),
        (
            "no active",
            json(200, json!({ "name": "ada", "groups": staff })),
            "no active",
        ),
        (
            "active as a text",
            json(
                200,
                json!({ "name": "ada", "active": "true", "groups": staff }),
            ),
            "no active",
        ),
        (
            "no groups",
            json(200, json!({ "name": "ada", "active": true })),
            "no groups",
        ),
        (
            "unexpanded",
            json(
                200,
                json!({ "name": "ada", "active": true, "groups": { "size": 3, "items": [] } }),
            ),
            "in 3 groups",
        ),
        (
            "odd groups",
            json(
                200,
                json!({ "name": "ada", "active": true, "groups": groups(json!(["staff"])) }),
            ),
            "else than objects",
        ),
        (
            "a nameless group",
            json(
                200,
                json!({ "name": "ada", "active": true, "groups": groups(json!([{}])) }),
            ),
            "no name",
        ),
        ("another server's 404", html, "JSON is wanted"),
        (
            "another API's 404",
            json(404, json!({ "error": "no route" })),
            "no errorMessages",
        ),
        (
            "broken",
            Reply::Full(500, Vec::new(), String::new()),
            "status 500",
        ),
    ];
    for (what, reply, says) in rows {
        eprintln!("{what}");
        let world = World::start("jira", move |asked| {
            if asked.path() == whose("jira") {
                told("jira", Some("root"))
            } else {
                reply.clone()
            }
        });
        is_outage(&world.account("ada"), says);
    }
}

/// Pages that never end are left, and those that lead back are not followed.
#[test]
fn pages_that_never_end_are_an_outage() {
    let world = World::start("confluence", |asked| match asked.path() {
        "/rest/api/user" => json(200, json!({ "type": "known", "username": "ada" })),
        _ => json(
            200,
            json!({ "results": [{ "name": "again" }], "_links": { "next": "/x" } }),
        ),
    });
    is_outage(&world.account("ada"), "very many groups");
    let asked = world.upstream.asked().len();
    assert!(asked < 30, "{asked}");
    is_outage(&world.account("ada"), "very many groups");
    assert_eq!(
        world.upstream.asked().len(),
        asked,
        "it is left alone for a moment"
    );
    let world = World::start("bitbucket", |_| {
        json(
            200,
            json!({ "values": [], "isLastPage": false, "nextPageStart": 0 }),
        )
    });
    is_outage(&world.account("ada"), "before this one");
}

/// A Confluence that does not say whether an account is active leaves that open.
#[test]
fn what_is_not_said_is_not_known() {
    let world = World::start("confluence", |asked| match asked.path() {
        "/rest/api/user" => json(
            200,
            json!({ "type": "known", "username": "ada", "_expandable": { "status": "" } }),
        ),
        "/rest/api/user/memberof" => json(200, json!({ "results": [], "_links": {} })),
        _ => told("confluence", Some("root")),
    });
    let account = world
        .account("ada")
        .expect("an answer")
        .expect("an account");
    assert_eq!(account.active, None);
}

/// Five failures in a row, and the product is left alone; who was looked up before is still known.
#[test]
fn a_failing_product_is_left_alone() {
    let world = ada("jira", &["staff"], true);
    assert!(world.account("ada").expect("an answer").is_some());
    world
        .upstream
        .answer(|_| Reply::Full(500, Vec::new(), String::new()));
    let before = world.upstream.asked().len();
    for number in 0..8 {
        is_outage(&world.account(&format!("user-{number}")), "");
    }
    assert_eq!(world.upstream.asked().len(), before + 5);
    assert_eq!(
        world.product.breakers(postern::clock::now()),
        ("open", "closed")
    );
    assert!(world.account("ada").expect("an answer").is_some());
}

/// Forty ask for one account at once: the product is asked once.
#[test]
fn one_look_up_is_made_however_many_ask() {
    let world = ada("jira", &["staff"], true);
    let now = postern::clock::now();
    world.runtime.block_on(async {
        let asking = (0..40).map(|_| {
            let product = Arc::clone(&world.product);
            tokio::spawn(async move { product.account("ada", now, &Silent).await })
        });
        for asked in asking.collect::<Vec<_>>() {
            assert!(asked.await.expect("no panic").expect("an answer").is_some());
        }
    });
    assert_eq!(world.upstream.hits("/rest/api/2/user"), 1);
}
