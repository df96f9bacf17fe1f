mod properties;

use super::*;

#[derive(Debug, PartialEq, Eq)]
enum Expect {
    Is(&'static str),
    Product,
    /// Part of the text that the operator sees.
    Ambiguous(&'static str),
    Outside,
}
use Expect::{Ambiguous, Is, Outside, Product};

/// An API path, or one under a rule for `/secure/a%20b` and below.
fn protected(path: &str) -> bool {
    ["/rest", "/secure/a%20b"]
        .iter()
        .any(|root| under(path, root).is_some())
}

fn check(target: &[u8], context: &str, expected: &Expect) {
    let shown = String::from_utf8_lossy(target);
    match (place(target, context, protected), expected) {
        (Ok(Place::Canonical(path)), Is(expected)) => {
            assert_eq!(path, *expected, "{shown} under '{context}'");
        }
        (Ok(Place::Product), Product) | (Err(PathProblem::OutsideContext), Outside) => {}
        (Err(PathProblem::Ambiguous(oddity)), Ambiguous(expected)) => {
            assert!(
                oddity.contains(expected),
                "{shown} under '{context}': {oddity}, not {expected}"
            );
        }
        (found, _) => panic!("{shown} under '{context}': {found:?}, not {expected:?}"),
    }
}

#[test]
fn a_path_with_one_reading_has_a_canonical_form() {
    for (target, context, expected) in [
        ("/", "", Is("/")),
        ("/?x", "", Is("/")),
        ("/rest/api/2/myself", "", Is("/rest/api/2/myself")),
        (
            "/rest/api/2/search?jql=a//b/../%2f;#",
            "",
            Is("/rest/api/2/search"),
        ),
        ("/rest/api/2/myself/", "", Is("/rest/api/2/myself/")),
        ("/REST/api", "", Is("/REST/api")),
        ("/%72est/%61pi/%7Euser", "", Is("/rest/api/~user")),
        ("/users/%40me%3a%2B%28x%29", "", Is("/users/@me:+(x)")),
        ("/secure/a%20b/%c3%bc", "", Is("/secure/a%20b/%C3%BC")),
        ("/browse/[x]|{y}", "", Is("/browse/%5Bx%5D%7C%7By%7D")),
        ("/rest/100%25/x", "", Is("/rest/100%25/x")),
        (
            "/.well-known/openid-configuration",
            "",
            Is("/.well-known/openid-configuration"),
        ),
        ("/a/.../b..c/.d/e.", "", Is("/a/.../b..c/.d/e.")),
        // Delimiters that a client had to encode.
        (
            "/rest/api/1.0/repos/r/browse/C%23/a%3bb",
            "",
            Is("/rest/api/1.0/repos/r/browse/C%23/a%3Bb"),
        ),
        ("/display/DS/What%3f", "", Is("/display/DS/What%3F")),
        // The context path.
        ("/jira", "/jira", Is("/")),
        ("/jira/", "/jira", Is("/")),
        ("/jira?x=/rest", "/jira", Is("/")),
        ("/jira/rest/api", "/jira", Is("/rest/api")),
        ("/%6aira/%72est", "/jira", Is("/rest")),
        ("/a/jira/rest", "/a/jira", Is("/rest")),
        ("/jira/jira/rest", "/jira", Is("/jira/rest")),
        // What the products forward.
        (
            "/s/abc-CDN/en_UK/9/_/download/x.js",
            "",
            Is("/download/x.js"),
        ),
        ("/s/abc/_/rest/api/2/myself?x", "", Is("/rest/api/2/myself")),
        ("/jira/s/abc/_/rest/api", "/jira", Is("/rest/api")),
        ("/s/%61/%5F/rest/api", "", Is("/rest/api")),
        ("/S/abc/_/rest/api", "", Is("/rest/api")),
        ("/s/a/_/s/b/_/rest/api", "", Is("/rest/api")),
        ("/s/a/_/", "", Is("/")),
        ("/s/_/rest", "", Is("/rest")),
        ("/s/a/_", "", Is("/s/a/_")),
        ("/s/a/b/rest", "", Is("/s/a/b/rest")),
        ("/x/s/a/_/rest", "", Is("/x/s/a/_/rest")),
        ("/rest/s/a/_/b", "", Is("/rest/s/a/_/b")),
    ] {
        check(target.as_bytes(), context, &expected);
    }
}

#[test]
fn an_odd_path_is_refused_if_any_reading_is_protected() {
    for (target, expected) in [
        // Not a path, whatever is protected.
        ("", Ambiguous("exactly one '/'")),
        ("?/rest", Ambiguous("exactly one '/'")),
        ("*", Ambiguous("exactly one '/'")),
        ("rest", Ambiguous("exactly one '/'")),
        ("//browse", Ambiguous("exactly one '/'")),
        ("//rest/api", Ambiguous("exactly one '/'")),
        (
            "https://jira.example.com/rest",
            Ambiguous("exactly one '/'"),
        ),
        ("/browse/a /rest", Ambiguous("a space")),
        // Dot segments.
        ("/foo/../rest", Ambiguous("a dot segment")),
        ("/../rest", Ambiguous("a dot segment")),
        ("/./rest/api", Ambiguous("a dot segment")),
        ("/rest/x/..", Ambiguous("a dot segment")),
        ("/rest/../browse", Ambiguous("a dot segment")),
        ("/browse/../x", Product),
        ("/foo/%2e%2e/rest", Ambiguous("an encoded dot")),
        ("/foo/.%2E/rest", Ambiguous("an encoded dot")),
        ("/rest/api/1%2e0", Ambiguous("an encoded dot")),
        ("/download/a%2ejs", Product),
        ("/foo/%252e%252e/rest", Ambiguous("double encoding")),
        ("/foo/%25%32%65./rest", Ambiguous("double encoding")),
        // Slashes.
        ("/rest%2fapi", Ambiguous("an encoded slash")),
        ("/foo%2f..%2Frest", Ambiguous("an encoded slash")),
        ("/%2frest", Ambiguous("an encoded slash")),
        ("/foo%252f..%252frest", Ambiguous("double encoding")),
        ("/wiki/a%2fb", Product),
        ("/rest//api", Ambiguous("a double slash")),
        ("/foo//../rest", Ambiguous("a double slash")),
        ("/foo//..//../rest", Ambiguous("a double slash")),
        ("/browse//x", Product),
        ("/\\rest", Ambiguous("a backslash")),
        ("/foo\\..\\rest\\api", Ambiguous("a backslash")),
        ("/foo/..%5crest", Ambiguous("an encoded backslash")),
        ("/browse\\x", Product),
        // Tomcat's path parameters.
        ("/rest;x=1/api", Ambiguous("a path parameter")),
        ("/;/rest/api", Ambiguous("a path parameter")),
        ("/foo/..;/rest/api", Ambiguous("a path parameter")),
        ("/foo/.;x/..;y=%2f/rest", Ambiguous("a path parameter")),
        ("/foo/%2e.;/rest", Ambiguous("an encoded dot")),
        ("/browse/X-1;jsessionid=ABC", Product),
        // Ends that only some readers see.
        ("/rest#/../browse", Ambiguous("a fragment")),
        ("/browse#/../../rest", Ambiguous("a fragment")),
        ("/browse#x", Product),
        ("/rest%00.js", Ambiguous("an encoded control character")),
        ("/rest%3fx/..%2f", Ambiguous("an encoded slash")),
        ("/rest%3fx", Ambiguous("an encoded '?'")),
        ("/rest%3bx/api", Ambiguous("an encoded '?'")),
        ("/rest%23", Ambiguous("an encoded '?'")),
        ("/s/x/_/rest/api/2/user%3bx", Ambiguous("an encoded '?'")),
        ("/s/x/_/download/C%23", Product),
        // What cannot be read.
        ("/re%0ast", Ambiguous("an encoded control character")),
        ("/re\tst", Ambiguous("a control character")),
        ("/rest/\x7f", Ambiguous("a control character")),
        ("/browse/%1f", Product),
        ("/rest/%zz", Ambiguous("no two hexadecimal digits")),
        ("/rest/%4", Ambiguous("no two hexadecimal digits")),
        ("/rest/%", Ambiguous("no two hexadecimal digits")),
        ("/browse/50%", Product),
        ("/rest/%ff", Ambiguous("not UTF-8")),
        ("/re%ffst", Ambiguous("not UTF-8")),
        ("/rest/%C3x", Ambiguous("not UTF-8")),
        ("/rest%c0%afapi", Ambiguous("not UTF-8")),
        ("/foo/%e0%80%ae%c0%ae/rest", Ambiguous("not UTF-8")),
        ("/browse/%fc", Product),
        ("/rest/\u{fc}", Ambiguous("outside ASCII")),
        ("/browse/\u{fc}", Product),
        // Decoded twice or more.
        ("/%2572est/api", Ambiguous("double encoding")),
        ("/%25252572est/api", Ambiguous("double encoding")),
        ("/browse/100%2525", Product),
        // A rule's path with an encoding in it.
        ("/secure//a%20b/x", Ambiguous("a double slash")),
        ("/x/..%2fsecure%2fa%2520b", Ambiguous("an encoded slash")),
        // Forwarding that depends on which `/_/` is taken.
        ("/s/a/_/b/_/rest/api", Ambiguous("more than one '/_/'")),
        ("/s/a/_/rest/api/_/b", Ambiguous("more than one '/_/'")),
        ("/s/a/_/_/rest", Ambiguous("more than one '/_/'")),
        ("/s/a/_/b/_/c", Product),
        ("/s/a/_/;/rest", Ambiguous("a path parameter")),
        ("/s/x/_/../../../rest", Ambiguous("a dot segment")),
        ("/s/x/y/../_/rest", Ambiguous("a dot segment")),
        ("/s//_/rest", Ambiguous("a double slash")),
        ("/s%2fx%2f_%2frest", Ambiguous("an encoded slash")),
    ] {
        check(target.as_bytes(), "", &expected);
    }
}

#[test]
fn a_path_outside_the_context_is_not_this_tenant() {
    for (target, expected) in [
        ("/", Outside),
        ("/rest/api", Outside),
        ("/jirax/rest", Outside),
        ("/JIRA/rest", Outside),
        ("/x/jira/rest", Outside),
        ("/s/x/_/jira/rest", Outside),
        ("/rest//api", Outside),
        ("/%c3%bc", Outside),
        ("/jira%3b", Outside),
        ("//jira/rest", Ambiguous("exactly one '/'")),
        ("/jira%3bx/rest", Ambiguous("an encoded '?'")),
        ("/other/../jira/rest", Ambiguous("a dot segment")),
        ("/other/../jira/browse", Product),
        ("/jira/../jira/rest", Ambiguous("a dot segment")),
        ("/jira/../rest", Ambiguous("a dot segment")),
        ("/jira/../other", Product),
        ("/jira//rest", Ambiguous("a double slash")),
        ("/jira%2frest", Ambiguous("an encoded slash")),
        ("/%2fjira/rest", Ambiguous("an encoded slash")),
        ("/jira;x/rest", Ambiguous("a path parameter")),
        ("/\\jira\\s\\x\\_\\rest", Ambiguous("a backslash")),
        ("/jira/x;y", Product),
    ] {
        check(target.as_bytes(), "/jira", &expected);
    }
}

#[test]
fn bytes_that_are_not_text_are_odd() {
    check(b"/rest/\xff", "", &Ambiguous("outside ASCII"));
    check(b"/re\xc0st", "", &Ambiguous("outside ASCII"));
    check(b"/rest\xc0\xafapi", "", &Ambiguous("outside ASCII"));
    check(b"/browse/\xff", "", &Product);
    check(b"/rest\0", "", &Ambiguous("a control character"));
}

#[test]
fn the_work_is_bounded() {
    let long = |unit: &str, length| format!("/browse/{}", unit.repeat(length / unit.len()));
    check(
        long("a", MAX_TARGET - 8).as_bytes(),
        "",
        &Is(Box::leak(long("a", MAX_TARGET - 8).into_boxed_str())),
    );
    check(
        long("a", MAX_TARGET).as_bytes(),
        "",
        &Ambiguous("longer than 16 KiB"),
    );
    check(long("a;b/", MAX_TARGET - 8).as_bytes(), "", &Product);
    // More readings than are looked at, all of them unprotected.
    check(
        long("25", MAX_TARGET - 9)
            .replacen("25", "%25", 1)
            .as_bytes(),
        "",
        &Ambiguous("double encoding"),
    );
    check(
        format!("/s{}", "/_".repeat(8000)).as_bytes(),
        "",
        &Ambiguous("more than one '/_/'"),
    );
    // Nobody honest writes all of it at once.
    let everything = b"/a/..;b//\\x%00y%252e%3fz#w%25252f%c0%af%2f%3bq/s/a/_/b/_/c";
    check(everything, "", &Ambiguous("a path parameter"));
}

#[test]
fn only_the_first_question_mark_starts_the_query() {
    assert_eq!(query(b"/a"), None);
    assert_eq!(query(b"/a?"), Some(&b""[..]));
    assert_eq!(query(b"/a%3fb?c?d#e"), Some(&b"c?d#e"[..]));
}

#[test]
fn the_ordinary_case_borrows() {
    for target in [
        &b"/jira/rest/api/2/myself?x"[..],
        b"/jira",
        b"/jira/s/x/_/rest",
    ] {
        assert!(matches!(
            place(target, "/jira", protected),
            Ok(Place::Canonical(Cow::Borrowed(_)))
        ));
    }
}
