use super::super::*;
use super::protected;
use proptest::prelude::*;

/// Bytes that are likelier than random ones to mean something.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        "[a-z]{1,3}",
        prop::sample::select(
            &[
                "/", "/", "/", ".", "..", "rest", "jira", "/s/", "/_/", "%", "%2", "%25", "%2e",
                "%2F", "%5c", "%3b", "%3f", "%72", "%00", "%c0%af", "%C3%BC", "\\", ";", "#", "?",
                "\u{fc}", "[", "\t", "//",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..16)
        .prop_map(|pieces| format!("/{}", pieces.concat()).into_bytes())
}

/// One change that some reader undoes. Positions are taken modulo the length.
#[derive(Debug, Clone)]
enum Disguise {
    Encode(usize),
    Insert(usize, &'static str),
    Append(&'static str),
    Prefix(&'static str),
    TurnSlash(usize),
}

fn disguises() -> impl Strategy<Value = Vec<Disguise>> {
    let inserted = [
        "/.", "//", "/x/..", ";p=1", ";", "/x%2f..", "/y/..;q", "%01",
    ];
    let disguise = prop_oneof![
        any::<usize>().prop_map(Disguise::Encode),
        (any::<usize>(), prop::sample::select(inserted.to_vec()))
            .prop_map(|(at, text)| Disguise::Insert(at, text)),
        prop::sample::select(vec!["#x", "%00", "%3fx", ";x", "/", "/."]).prop_map(Disguise::Append),
        prop::sample::select(vec!["/..", "/x/..", "/s/x/_", "/."]).prop_map(Disguise::Prefix),
        any::<usize>().prop_map(Disguise::TurnSlash),
    ];
    prop::collection::vec(disguise, 1..5)
}

impl Disguise {
    fn put_on(&self, path: &mut String) {
        let slash = |at: usize| {
            let slashes: Vec<usize> = path.match_indices('/').map(|(at, _)| at).collect();
            slashes[at % slashes.len()]
        };
        match *self {
            Self::Encode(at) => {
                // A proxy asks us only about targets that start with a slash.
                let at = 1 + at % (path.len() - 1);
                let byte = path.as_bytes()[at];
                path.replace_range(at..=at, &format!("%{byte:02x}"));
            }
            Self::Insert(at, text) => path.insert_str(slash(at), text),
            Self::Append(text) => path.push_str(text),
            Self::Prefix(text) => path.insert_str(0, text),
            Self::TurnSlash(at) => {
                let at = slash(at);
                if at > 0 {
                    path.replace_range(at..=at, "\\");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn arbitrary_bytes_never_panic(target in prop::collection::vec(any::<u8>(), 0..64), context in "(/jira)?") {
        let _ = place(&target, &context, protected);
        let _ = query(&target);
    }

    #[test]
    fn the_canonical_form_is_its_own(target in pieces(), context in "(/jira)?", all in any::<bool>()) {
        let judged = |path: &str| all || protected(path);
        if let Ok(Place::Canonical(path)) = place(&target, &context, judged) {
            prop_assert!(path.starts_with('/') && !path.contains("//"));
            let again = place(path.as_bytes(), "", judged);
            prop_assert_eq!(again, Ok(Place::Canonical(Cow::Borrowed(&*path))));
        }
    }

    #[test]
    fn the_closer_look_agrees_with_the_ordinary_case(target in pieces(), context in "(/jira)?") {
        let canonical = target.starts_with(b"/") && !target.starts_with(b"//") && ordinary(&target).is_some();
        if canonical {
            prop_assert_eq!(place(&target, &context, protected), examine(path_of(&target), &context, protected));
        }
    }

    #[test]
    fn nothing_is_ambiguous_or_the_products_for_a_reason_it_has_not(target in pieces()) {
        // With nothing protected only what is no path, or is too much to look at, is refused.
        if let Err(problem) = place(&target, "", |_| false) {
            prop_assert!(matches!(problem, PathProblem::Ambiguous(_)));
            prop_assert!(target.starts_with(b"//") || target.contains(&b'\t') || target.len() > 40, "{problem}");
        }
        // With everything protected nothing passes as the product's.
        prop_assert_ne!(place(&target, "", |_| true), Ok(Place::Product));
    }

    #[test]
    fn a_disguised_api_path_never_passes(disguises in disguises(), context in "(/jira)?") {
        let mut path = "/rest/api/2/myself".to_owned();
        for disguise in &disguises {
            disguise.put_on(&mut path);
        }
        let target = format!("{context}{path}");
        match place(target.as_bytes(), &context, protected) {
            Ok(Place::Canonical(path)) => prop_assert!(protected(&path), "{target} is judged as {path}"),
            Ok(Place::Product) => prop_assert!(false, "{target} passes"),
            Err(PathProblem::Ambiguous(_)) => {}
            Err(PathProblem::OutsideContext) => prop_assert!(false, "{target} is another's"),
        }
    }
}
