use super::*;
use proptest::prelude::*;

fn pattern(written: &str) -> PathPattern {
    written
        .parse()
        .unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn patterns_match_as_they_read() {
    let table = [
        ("/", "/", true),
        ("/", "/rest", false),
        ("/rest/api", "/rest/api", true),
        ("/rest/api", "/rest/api/", true),
        ("/rest/api", "/rest/apis", false),
        ("/rest/api", "/rest", false),
        ("/rest/api", "/rest/api/2", false),
        ("/rest/api", "/REST/api", false),
        ("/rest/api/2/user/**", "/rest/api/2/user", true),
        ("/rest/api/2/user/**", "/rest/api/2/user/", true),
        ("/rest/api/2/user/**", "/rest/api/2/user/x/y", true),
        ("/rest/api/2/user/**", "/rest/api/2/users", false),
        ("/**", "/", true),
        ("/**", "/a/b/c", true),
        ("/**/user", "/user", true),
        ("/**/user", "/rest/api/2/user", true),
        ("/**/user", "/rest/user/2", false),
        ("/rest/**/user/**", "/rest/user/a/user/b", true),
        ("/rest/**/a/**/b", "/rest/a/c/a/c/b", true),
        ("/rest/**/a/**/b", "/rest/b/c/a", false),
        ("/rest/**/a/b", "/rest/a/a/b", true),
        ("/rest/**/**", "/rest", true),
        ("/rest/api/*/user", "/rest/api/2/user", true),
        ("/rest/api/*/user", "/rest/api/user", false),
        ("/rest/api/*/user", "/rest/api/2/3/user", false),
        ("/rest/api/*", "/rest/api/", false),
        ("/rest/*-admin", "/rest/user-admin", true),
        ("/rest/*-admin", "/rest/-admin", true),
        ("/rest/*-admin", "/rest/user-admins", false),
        ("/p/a*b*c", "/p/abbbcabc", true),
        ("/p/a*b*c", "/p/acb", false),
        ("/p/%C3%BC", "/p/%C3%BC", true),
        ("/p/*BC", "/p/aBC", true),
        ("/p/*BC", "/p/%C3%BC", false),
        ("/p/C%23/*", "/p/C%23/main.cs", true),
    ];
    for (written, path, expected) in table {
        assert_eq!(
            pattern(written).matches(path),
            expected,
            "{written} against {path}"
        );
    }
}

#[test]
fn a_pattern_covers_another_only_where_it_matches_all_of_it() {
    let table = [
        ("/**", "/", true),
        ("/**", "/a/**", true),
        ("/a/**", "/a", true),
        ("/a/**", "/a/*/c*", true),
        ("/a/**", "/**", false),
        ("/a/**", "/ab/**", false),
        ("/a/*", "/a/b*", true),
        ("/a/*", "/a/**", false),
        ("/a/*/**", "/a/**", false),
        ("/a/b*", "/a/bc", true),
        ("/a/b*", "/a/*c", false),
        ("/a/b*", "/a/b*", true),
        ("/**/x", "/a/**/x", true),
        ("/**/x", "/a/**", false),
        ("/a", "/a", true),
    ];
    for (wide, narrow, expected) in table {
        let covers = pattern(wide).covers(&pattern(narrow));
        assert_eq!(covers, expected, "{wide} over {narrow}");
    }
}

#[test]
fn a_version_has_another_name() {
    let other = |written| {
        let other = pattern(written).of_latest_version()?;
        Some(
            ["latest", "2", "3"].map(|version| other.matches(&format!("/rest/api/{version}/user"))),
        )
    };
    assert_eq!(other("/rest/api/2/user"), Some([true, false, false]));
    assert_eq!(other("/rest/*/2/**"), Some([true, false, false]));
    assert_eq!(other("/rest/api/latest/user"), Some([true, true, true]));
    assert_eq!(other("/rest/api/2*/user"), Some([true, false, false]));
    for written in ["/rest/api/*/user", "/rest/api", "/rest/**", "/a/api/2/user"] {
        assert_eq!(other(written), None, "{written}");
    }
}

#[test]
fn what_can_never_match_is_refused_and_says_what_to_write() {
    let table = [
        ("", "does not start with '/'"),
        ("rest/**", "does not start with '/'"),
        ("https://jira.example.com/rest", "does not start with '/'"),
        ("**", "does not start with '/'"),
        ("/rest?os_authType=basic", "write `/rest`"),
        ("/rest/", "write `/rest` for that path alone, or `/rest/**`"),
        ("/rest/api**", "inside the segment `api**`"),
        ("/rest/***", "inside the segment `***`"),
        ("/%72est", "write `/rest`"),
        ("/users/%40me", "write `/users/@me`"),
        ("/p/%c3%bc", "write `/p/%C3%BC`"),
        ("/p/\u{fc} x", "write `/p/%C3%BC%20x`"),
        ("/p/[x]", "write `/p/%5Bx%5D`"),
        ("/s/*/_/rest/**", "write `/rest/**`"),
        ("//rest", "exactly one '/'"),
        ("/rest//api", "a double slash"),
        ("/rest/../api", "a dot segment"),
        ("/rest/./api", "a dot segment"),
        ("/rest/%2e", "an encoded dot"),
        ("/rest%2Fapi", "an encoded slash"),
        ("/rest;x/api", "a path parameter"),
        ("/rest#x", "a fragment"),
        ("/rest\\api", "a backslash"),
        ("/rest/%zz", "no two hexadecimal digits"),
        ("/rest/%C3*", "not UTF-8"),
        ("/rest/%2572", "double encoding"),
        ("/rest/\n", "a control character"),
    ];
    for (written, expected) in table {
        let problem = written
            .parse::<PathPattern>()
            .expect_err(written)
            .to_string();
        assert!(problem.contains(expected), "{written}: {problem}");
    }
}

#[test]
fn a_pattern_shows_as_written() {
    assert_eq!(
        pattern("/rest/api/*/user/**").to_string(),
        "/rest/api/*/user/**"
    );
}

/// What the patterns mean, said the slow way.
fn means(wanted: &[&str], path: &[&str]) -> bool {
    match wanted.split_first() {
        None => path.is_empty(),
        Some((&"**", after)) => (0..=path.len()).any(|taken| means(after, &path[taken..])),
        Some((one, after)) => path
            .split_first()
            .is_some_and(|(first, rest)| means_one(one, first) && means(after, rest)),
    }
}

fn means_one(glob: &str, text: &str) -> bool {
    match glob.chars().next() {
        None => text.is_empty(),
        Some('*') => (0..=text.len()).any(|taken| means_one(&glob[1..], &text[taken..])),
        Some(first) => text
            .strip_prefix(first)
            .is_some_and(|rest| means_one(&glob[1..], rest)),
    }
}

proptest! {
    #[test]
    fn matching_agrees_with_its_definition(
        wanted in prop::collection::vec("\\*\\*|[ab]|[ab*]\\*?[ab]\\*?", 0..6),
        path in prop::collection::vec("[ab]{1,4}", 0..6),
    ) {
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let pattern = format!("/{}", wanted.join("/"));
        if let Ok(pattern) = pattern.parse::<PathPattern>() {
            prop_assert_eq!(pattern.matches(&format!("/{}", path.join("/"))), means(&wanted, &path));
        }
    }

    #[test]
    fn what_covers_another_matches_all_that_it_does(
        wide in prop::collection::vec("\\*\\*|[ab]|\\*", 0..4),
        narrow in prop::collection::vec("\\*\\*|[ab]|[ab]\\*|\\*", 0..4),
        path in prop::collection::vec("[ab]{1,2}", 0..5),
    ) {
        let (wide, narrow) = (format!("/{}", wide.join("/")), format!("/{}", narrow.join("/")));
        let (wide, narrow) = (pattern(&wide), pattern(&narrow));
        let path = format!("/{}", path.join("/"));
        if wide.covers(&narrow) && narrow.matches(&path) {
            prop_assert!(wide.matches(&path), "{} over {} at {}", wide, narrow, path);
        }
    }

    #[test]
    fn nothing_panics(written in ".{0,40}|/[a%*/.0-9]{0,40}", path in ".{0,40}") {
        if let Ok(pattern) = written.parse::<PathPattern>() {
            prop_assert_eq!(pattern.to_string(), written);
            let _ = pattern.matches(&path);
        }
    }
}

/// The walk may not explode: this takes centuries where each star tries everything.
#[test]
fn many_stars_stay_cheap() {
    let stars = pattern(&format!("{}/b", "/**/a*a*a*a".repeat(50)));
    assert!(!stars.matches(&"/aaaaaaaaaaaaaaaa".repeat(500)));
}
