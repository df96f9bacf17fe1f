use std::{fs, io::Write as _};

use notify::event::{DataChange, MetadataKind, RemoveKind};
use proptest::prelude::*;

use super::*;

fn tell(hints: &Hints, kind: EventKind, path: &Path) {
    hints.hear(Ok(Event::new(kind).add_path(path.to_owned())));
}

const MADE: EventKind = EventKind::Create(CreateKind::File);
const WRITTEN: EventKind = EventKind::Modify(ModifyKind::Data(DataChange::Any));
const CLOSED: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Write));
const READ: EventKind = EventKind::Access(AccessKind::Close(AccessMode::Read));

/// Written in place: nothing to look at before the writer closes.
#[test]
fn a_file_is_looked_at_once_it_is_closed() {
    let (hints, path) = (Hints::default(), Path::new("/t/a.toml"));
    tell(&hints, WRITTEN, path);
    assert!(hints.is_being_written(path));
    let taken = hints.take();
    assert!(taken.paths.is_empty());
    assert_eq!(taken.writing.get(path), Some(&true));
    tell(&hints, WRITTEN, path);
    tell(&hints, CLOSED, path);
    assert!(!hints.is_being_written(path));
    let taken = hints.take();
    assert!(taken.paths.contains(path));
    assert_eq!(taken.writing.get(path), Some(&false));
}

/// An empty new file waits for its writer; a link to one that has something in it has none.
#[test]
fn only_an_empty_new_file_waits_for_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let hints = Hints::default();
    let (empty, linked) = (folder.path().join("empty"), folder.path().join("linked"));
    fs::File::create(&empty).unwrap();
    tell(&hints, MADE, &empty);
    fs::File::create(&linked).unwrap().write_all(b"x").unwrap();
    tell(&hints, MADE, &linked);
    let taken = hints.take();
    assert_eq!(taken.writing.get(&empty), Some(&true));
    assert_eq!(taken.writing.get(&linked), None);
    assert_eq!(taken.paths, BTreeSet::from([linked]));
}

/// Our own reading causes events, too: they must not make us read again.
#[test]
fn reading_is_no_hint() {
    let hints = Hints::default();
    tell(&hints, READ, Path::new("/t/a.toml"));
    let taken = hints.take();
    assert!(taken.paths.is_empty() && taken.writing.is_empty() && !taken.overflowed);
}

#[test]
fn lost_events_are_an_overflow() {
    let hints = Hints::default();
    hints.hear(Err(notify::Error::generic("lost")));
    assert!(hints.take().overflowed);
    hints.hear(Ok(
        Event::new(EventKind::Other).set_flag(notify::event::Flag::Rescan)
    ));
    assert!(hints.take().overflowed);
    assert!(!hints.take().overflowed);
}

fn any_kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![
        Just(WRITTEN),
        Just(CLOSED),
        Just(READ),
        Just(EventKind::Modify(ModifyKind::Name(RenameMode::To))),
        Just(EventKind::Modify(ModifyKind::Name(RenameMode::From))),
        Just(EventKind::Remove(RemoveKind::File)),
        Just(EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any))),
    ]
}

proptest! {
    /// Whatever the order of events, and whenever they are taken: a file is being written exactly if the last event
    /// that tells of a writer is a write, and whatever ends that leaves a hint.
    #[test]
    fn the_last_word_about_a_writer_counts(events in prop::collection::vec((any_kind(), any::<bool>()), 0..20)) {
        let (hints, path) = (Hints::default(), Path::new("/t/a.toml"));
        let (mut open, mut hinted, mut expected) = (false, false, false);
        for (kind, take) in events {
            tell(&hints, kind, path);
            match kind {
                WRITTEN => expected = true,
                READ | EventKind::Modify(ModifyKind::Metadata(_)) => {}
                _ => expected = false,
            }
            hinted |= kind != WRITTEN && kind != READ;
            if take {
                let taken = hints.take();
                open = *taken.writing.get(path).unwrap_or(&open);
                prop_assert_eq!(open, expected);
                prop_assert_eq!(taken.paths.contains(path), hinted);
                hinted = false;
            }
        }
    }
}
