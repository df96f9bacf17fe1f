/// The page of test vectors, which the scenarios ask the daemon about too.
#[path = "../../../tests/paths/page.rs"]
mod page;
mod properties;

use super::*;
use page::{Judged, Vector};

/// An API path, or one under a rule for `/secure/a%20b` and below.
fn protected(path: &str) -> bool {
    ["/rest", "/secure/a%20b"]
        .iter()
        .any(|root| under(path, root).is_some())
}

#[test]
fn every_line_of_the_page_holds() {
    let page = page::page();
    assert!(page.len() > 100, "{} lines", page.len());
    for Vector {
        context,
        target,
        judged,
        why,
    } in page
    {
        let shown = String::from_utf8_lossy(&target);
        let found = place(&target, context, protected);
        let holds = match (&found, &judged) {
            (Ok(Place::Canonical(path)), Judged::Is(expected)) => path == expected,
            (Err(PathProblem::Ambiguous(oddity)), Judged::Ambiguous) => oddity.contains(&why),
            (Ok(Place::Product), Judged::Product)
            | (Err(PathProblem::OutsideContext), Judged::Outside) => true,
            _ => false,
        };
        assert!(
            holds,
            "{shown} under '{context}': {found:?}, not {judged:?} ({why})"
        );
    }
}

#[test]
fn the_work_is_bounded() {
    let long = |unit: &str, length| format!("/browse/{}", unit.repeat(length / unit.len()));
    let at_most = long("a", MAX_TARGET - 8);
    assert_eq!(
        place(at_most.as_bytes(), "", protected),
        Ok(Place::Canonical(Cow::Borrowed(&*at_most)))
    );
    let parameters = long("a;b/", MAX_TARGET - 8);
    assert_eq!(
        place(parameters.as_bytes(), "", protected),
        Ok(Place::Product)
    );
    for (target, expected) in [
        (long("a", MAX_TARGET), "longer than 16 KiB"),
        // More readings than are looked at, all of them unprotected.
        (
            long("25", MAX_TARGET - 9).replacen("25", "%25", 1),
            "double encoding",
        ),
        (format!("/s{}", "/_".repeat(8000)), "more than one '/_/'"),
        // Nobody honest writes all of it at once.
        (
            r"/a/..;b//\x%00y%252e%3fz#w%25252f%c0%af%2f%3bq/s/a/_/b/_/c".to_owned(),
            "a path parameter",
        ),
    ] {
        let judged = place(target.as_bytes(), "", protected);
        assert!(
            matches!(judged, Err(PathProblem::Ambiguous(oddity)) if oddity.contains(expected)),
            "{judged:?}, not {expected}"
        );
    }
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
