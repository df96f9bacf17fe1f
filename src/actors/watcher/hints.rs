//! Events of the file system, gathered until somebody looks: a flood of them is one message.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Message, Recipient};
use notify::{
    Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind, RenameMode},
};

/// There are hints to look at.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Wake;

/// What has been gathered.
#[derive(Debug, Default)]
pub struct Hinted {
    /// Paths that something happened to.
    pub paths: BTreeSet<PathBuf>,
    /// Whether a file was opened and written (`true`) or closed and done with (`false`), as the last event told.
    pub writing: HashMap<PathBuf, bool>,
    /// The kernel dropped events: anything may have happened.
    pub overflowed: bool,
}

#[derive(Default)]
struct Gathered {
    hinted: Hinted,
    woken: bool,
    wake: Option<Recipient<Wake>>,
}

/// Shared by the thread that hears the events and the actor that looks.
#[derive(Clone, Default)]
pub struct Hints(Arc<Mutex<Gathered>>);

impl Hints {
    /// Where to send [`Wake`] from now on.
    pub fn wake(&self, recipient: Recipient<Wake>) {
        self.gathered().wake = Some(recipient);
    }

    /// All hints since the last call.
    pub fn take(&self) -> Hinted {
        let mut gathered = self.gathered();
        gathered.woken = false;
        std::mem::take(&mut gathered.hinted)
    }

    /// Whether a hint that nobody has taken yet says that somebody writes `path`.
    pub fn is_being_written(&self, path: &Path) -> bool {
        self.gathered().hinted.writing.get(path) == Some(&true)
    }

    /// What hears the events.
    pub fn listener(&self) -> impl FnMut(notify::Result<Event>) + Send + 'static {
        let hints = self.clone();
        move |event| hints.hear(event)
    }

    fn hear(&self, event: notify::Result<Event>) {
        let mut gathered = self.gathered();
        match event {
            Err(error) => {
                tracing::warn!(%error, "file system events were lost; the folder is scanned");
                gathered.hinted.overflowed = true;
            }
            Ok(event) if event.need_rescan() => {
                tracing::warn!("file system events were lost; the folder is scanned");
                gathered.hinted.overflowed = true;
            }
            Ok(event) => {
                let Some(writing) = meaning(event.kind) else {
                    return;
                };
                for path in event.paths {
                    match writing {
                        // A file that is opened to be made is empty, and closed later. One that has something in
                        // it was linked into place, or the event of its first write is next.
                        Writing::Made => {
                            let by_open = path
                                .symlink_metadata()
                                .is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0);
                            if by_open {
                                gathered.hinted.writing.insert(path, true);
                                continue;
                            }
                        }
                        Writing::Begun => {
                            gathered.hinted.writing.insert(path, true);
                            continue;
                        }
                        Writing::Done => {
                            gathered.hinted.writing.insert(path.clone(), false);
                        }
                        Writing::Nothing => {}
                    }
                    gathered.hinted.paths.insert(path);
                }
            }
        }
        let anything = gathered.hinted.overflowed || !gathered.hinted.paths.is_empty();
        if anything
            && !gathered.woken
            && let Some(wake) = &gathered.wake
        {
            wake.do_send(Wake);
            gathered.woken = true;
        }
    }

    fn gathered(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an event tells of a writer.
enum Writing {
    Made,
    Begun,
    Done,
    Nothing,
}

fn meaning(kind: EventKind) -> Option<Writing> {
    match kind {
        EventKind::Create(CreateKind::File) => Some(Writing::Made),
        EventKind::Modify(ModifyKind::Data(_)) => Some(Writing::Begun),
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(
            RenameMode::To | RenameMode::From | RenameMode::Both,
        ))
        | EventKind::Remove(_) => Some(Writing::Done),
        EventKind::Access(_) => None,
        _ => Some(Writing::Nothing),
    }
}

#[cfg(test)]
mod tests;
