use std::os::unix::fs::symlink;

use super::*;

const GOOD: &str = "product = \"jira\"\nurl = \"https://jira.example.com\"\n";

fn nobody(_: &Path) -> bool {
    false
}

fn look(path: &Path, before: Option<&Seen>, still: Duration) -> Look {
    at(path, &as_events_call(path), before, nobody, still)
}

fn seen(look: Look) -> Seen {
    match look {
        Look::Changed(seen, Some(FileChange::Read(_))) => *seen,
        _ => panic!("it was not read"),
    }
}

#[test]
fn a_file_is_read_when_it_is_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jira.toml");
    fs::write(&path, GOOD).unwrap();
    let first = seen(look(&path, None, Duration::ZERO));
    assert!(matches!(
        look(&path, Some(&first), Duration::ZERO),
        Look::Unchanged
    ));
    // Written again without a change: other times, and nothing to tell.
    fs::write(folder.path().join("aside"), GOOD).unwrap();
    fs::rename(folder.path().join("aside"), &path).unwrap();
    let Look::Changed(again, None) = look(&path, Some(&first), Duration::ZERO) else {
        panic!("its stamp is another one, its content is not");
    };
    fs::write(&path, format!("{GOOD}enabled = false\n")).unwrap();
    seen(look(&path, Some(&again), Duration::ZERO));
}

/// A second after the last write is too soon if a minute of standing still is asked for.
#[test]
fn a_file_that_changed_a_moment_ago_is_not_read_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jira.toml");
    fs::write(&path, GOOD).unwrap();
    assert!(matches!(
        look(&path, None, Duration::from_mins(1)),
        Look::Unsettled
    ));
}

/// A writer of the file itself, of where it leads, or of what it refers to: each keeps it from being read.
#[test]
fn a_file_with_a_writer_anywhere_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(folder.path()).unwrap();
    let at_folder = |name: &str| real.join(name);
    let provider = "[[provider]]\nkind = \"custom\"\npublic_key = { file = \"key.pem\" }\n";
    fs::write(at_folder("real.toml"), format!("{GOOD}{provider}")).unwrap();
    symlink("real.toml", at_folder("jira.toml")).unwrap();
    let path = at_folder("jira.toml");
    for written in ["jira.toml", "real.toml", "key.pem"] {
        let being_written = |path: &Path| path == at_folder(written);
        let found = at(&path, &path, None, being_written, Duration::ZERO);
        assert!(matches!(found, Look::BeingWritten), "{written}");
    }
    let before = seen(look(&path, None, Duration::ZERO));
    for name in ["jira.toml", "real.toml", "key.pem"] {
        assert!(before.depends_on.contains(&at_folder(name)), "{name}");
    }
}

/// What was broken is read again by order, though nothing changed.
#[test]
fn a_file_is_read_again_by_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jira.toml");
    fs::write(&path, GOOD).unwrap();
    let mut before = seen(look(&path, None, Duration::ZERO));
    before.again = true;
    let again = seen(look(&path, Some(&before), Duration::ZERO));
    assert!(!again.again);
}

#[test]
fn every_link_on_the_way_is_found_and_circles_end() {
    let folder = tempfile::tempdir().unwrap();
    let real = fs::canonicalize(folder.path()).unwrap();
    fs::create_dir(real.join("v1")).unwrap();
    symlink("v1", real.join("current")).unwrap();
    symlink("../current/b", real.join("v1/a")).unwrap();
    let found = links_to(&real.join("current/a"));
    for link in ["current", "current/a"] {
        assert!(found.contains(&real.join(link)), "{link}: {found:?}");
    }
    symlink("round", real.join("round")).unwrap();
    assert!(links_to(&real.join("round")).len() <= MOST_LINKS);
}
