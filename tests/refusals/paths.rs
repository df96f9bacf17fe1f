//! Paths that can be read in several ways: refused where one of the ways is protected.

use postern::decision::Denied::{AmbiguousPath, NotThisTenant};

use super::row::{Expected, Row, World, ada, refused, row};
use crate::harness::Request;

#[test]
fn a_path_has_one_reading_or_leads_to_nothing_protected() {
    let world = World::start();
    world.judge(rows(&world));
}

/// Each is the API for somebody on its way, however it looks.
const AMBIGUOUS: &[&str] = &[
    // dot segments
    "/rest/../rest/api/2/myself",
    "/browse/../rest/api/2/myself",
    "/./rest/api/2/myself",
    "/rest/api/2/./myself",
    "/rest/api/2/..",
    // encoded dots
    "/rest/%2e%2e/rest/api/2/myself",
    "/browse/%2E./rest/api/2/myself",
    // encoded slashes
    "/rest%2fapi/2/myself",
    "/rest/api%2F2/myself",
    "/browse/..%2frest/api",
    // backslashes, raw and encoded
    "/rest\\api\\2\\myself",
    "/browse\\..\\rest/api",
    "/rest%5capi/2/myself",
    // double slashes
    "//rest/api/2/myself",
    "/rest//api/2/myself",
    "/browse//../rest/api",
    // double encoding
    "/rest/%252e%252e/api",
    "/%2572est/api/2/myself",
    "/browse/%252e%252e/rest/api",
    // Tomcat's path parameters
    "/rest;x=1/api/2/myself",
    "/rest/api/2/myself;jsessionid=1",
    "/browse;/../rest/api",
    "/rest%3bx/api",
    // control characters
    "/rest/api/2/my%00self",
    "/rest/api%0a/2",
    "/rest\t/api",
    "/rest%7f/api",
    // fragments
    "/rest/api/2/myself#top",
    "/rest%23/api/2",
    // what is not UTF-8
    "/rest/api/%FF",
    "/rest%c0%afapi/2",
    // spaces, broken encodings
    "/rest/api/2/my self",
    "/rest/api/%zz",
    "/rest/api/2%",
    // static resources, by their two readings
    "/s/a/_/b/_/rest/api/2/myself",
    "/S/a/_/x/_/rest/api",
    // no path at all
    "",
    "*",
    "rest/api/2/myself",
    "https://jira.example.com/rest/api/2/myself",
    "?x=1",
    "/\\rest/api",
];

/// As odd, but no reading of them is protected: the product's own pages.
const ODD_PAGES: &[&str] = &[
    "/browse/../secure/Dashboard.jspa",
    "/browse//A-1",
    "/browse/A-1;jsessionid=1",
    "/browse/A%2f1",
    "/browse/%252e",
    "/browse/A-1#x",
    "/browse/%FF",
    "/restful/..",
];

/// Encodings that mean the same to everybody.
const PLAIN: &[&str] = &[
    "/rest/api/2/myself",
    "/rest/api/2/user?username=a/../b;c",
    "/rest/api/2/%6dyself",
    "/%72est/api/2/myself",
    "/rest/api/2/user%20x",
    "/rest/api/2/%C3%A9",
    "/rest/api/2/.hidden",
    "/rest/api/2/a.b..c",
    "/s/en/1/_/rest/api/2/myself",
];

pub fn rows(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let mut rows = Vec::new();
    for path in AMBIGUOUS {
        let request = Request::check("jira", path);
        rows.push(refused(
            format!("{path:?} with a good token"),
            request.clone().bearer(&token),
            AmbiguousPath,
        ));
        rows.push(refused(
            format!("{path:?} without one"),
            request,
            AmbiguousPath,
        ));
    }
    for path in ODD_PAGES {
        rows.push(row(
            format!("{path:?}"),
            Request::check("jira", path),
            Expected::Passes("outside"),
        ));
    }
    for path in PLAIN {
        rows.push(ada(
            format!("{path:?}"),
            Request::check("jira", path).bearer(&token),
        ));
    }
    let long = format!("/rest/{}", "a".repeat(17_000));
    rows.push(refused(
        "a path of 17 KiB",
        Request::check("jira", &long).bearer(&token),
        AmbiguousPath,
    ));
    // What a rule of the file makes special is protected like the API.
    rows.push(refused(
        "an odd way to a public path",
        Request::check("jira", "/x/../pages/free/a"),
        AmbiguousPath,
    ));
    rows.push(row(
        "the straight way",
        Request::check("jira", "/pages/free/a"),
        Expected::Passes("public"),
    ));
    rows.extend(context(&token));
    rows
}

/// The tenant answers for `/jira` and nothing else.
fn context(token: &str) -> Vec<Row> {
    let asked = |path: &str| Request::check("under", path).bearer(token);
    let mut rows = vec![ada(
        "below the context path",
        asked("/jira/rest/api/2/myself"),
    )];
    for path in [
        "/rest/api/2/myself",
        "/",
        "/jirafe/rest/api",
        "/Jira/rest/api",
        "/confluence/rest/api",
    ] {
        rows.push(refused(
            format!("{path} outside the context path"),
            asked(path),
            NotThisTenant,
        ));
    }
    for path in [
        "/jira/../rest/api",
        "/confluence/../jira/rest/api/2",
        "/%6airá/../jira/rest/x",
        "/jira/%2e%2e/jira/rest/api",
    ] {
        rows.push(refused(
            format!("{path}, which may be inside or not"),
            asked(path),
            AmbiguousPath,
        ));
    }
    rows
}
