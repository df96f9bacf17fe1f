//! The `Watcher`: which tenant files are finished and changed. Every event of the file system is a hint, and
//! the folder is the truth.

mod hints;
mod look;

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use actix::{Actor, AsyncContext as _, Context, Handler, Message, Recipient};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

use super::registry::{FileChange, FilesChanged};
use crate::{
    snapshot::Reader,
    tenant::{
        Directory,
        folder::{is_tenant_file, tenant_files},
        id::TenantId,
        problem::Problem,
    },
};
use hints::{Hints, Wake};
use look::{Look, Seen};

/// How long after the first hint the files are looked at: one save of an editor is several events, and a
/// thousand files copied at once should be one directory, not a thousand.
const DEBOUNCE: Duration = Duration::from_millis(15);
/// How long a file's size and time must stand still before it is read, even if an event told of its closing:
/// another writer may have begun since, and the events that tell so may be on their way.
const EVENT_LAG: Duration = Duration::from_millis(10);
/// The same where no event told of its closing.
const STILL: Duration = Duration::from_millis(50);
/// How long a file must stand still whose closing may be among lost events: longer than a slow writer pauses.
const LOST: Duration = Duration::from_secs(5);
/// How often the start waits for files to stand still before it goes on without them.
const PATIENCE: u32 = 20;

/// See the module.
pub struct Watcher {
    folder: PathBuf,
    registry: Recipient<FilesChanged>,
    shown: Reader<Directory>,
    hints: Hints,
    notify: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    seen: HashMap<PathBuf, Seen>,
    /// Files that somebody has open for writing, as far as events told.
    being_written: HashSet<PathBuf>,
    started: bool,
    waited: u32,
}

impl Watcher {
    /// A watcher of `folder` that tells `registry`, and learns from what is `shown` which files were broken.
    ///
    /// # Errors
    /// If the folder can't be read or watched.
    pub fn new(
        folder: PathBuf,
        registry: Recipient<FilesChanged>,
        shown: Reader<Directory>,
    ) -> io::Result<Self> {
        let folder = std::path::absolute(folder)?;
        let named = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!("the tenants folder {}: {error}", folder.display()),
            )
        };
        std::fs::read_dir(&folder).map_err(named)?;
        let hints = Hints::default();
        let notify = notify::recommended_watcher(hints.listener()).map_err(io::Error::other)?;
        let mut watcher = Self {
            folder,
            registry,
            shown,
            hints,
            notify,
            watched: BTreeSet::new(),
            seen: HashMap::new(),
            being_written: HashSet::new(),
            started: false,
            waited: 0,
        };
        let real = std::fs::canonicalize(&watcher.folder)?;
        watcher.watch(&real).map_err(io::Error::other)?;
        Ok(watcher)
    }

    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        if !self.watched.contains(folder) {
            self.notify.watch(folder, RecursiveMode::NonRecursive)?;
            self.watched.insert(folder.to_owned());
        }
        Ok(())
    }

    /// Watches the tenants folder, and what its events don't tell of: the links that lead to it, its parent, and the
    /// folders of linked and referenced files. What is not there is waited for in the folder above it. Only real
    /// folders are watched, since the kernel's events know one name for each. Where watching fails, SIGHUP is left.
    fn watch_around(&mut self) {
        let mut entries: Vec<PathBuf> = look::links_to(&self.folder);
        entries.push(self.folder.clone());
        let entries = entries.iter().filter_map(|path| path.parent());
        let mut folders: HashSet<&Path> = entries.chain([self.folder.as_path()]).collect();
        for seen in self.seen.values() {
            folders.extend(seen.depends_on.iter().filter_map(|path| path.parent()));
        }
        let real = |folder: &Path| {
            folder
                .ancestors()
                .find_map(|folder| std::fs::canonicalize(folder).ok())
        };
        let wanted: BTreeSet<PathBuf> = folders.into_iter().filter_map(real).collect();
        for left in self.watched.difference(&wanted) {
            // It fails where the folder is gone, and with it the watch.
            drop(self.notify.unwatch(left));
        }
        self.watched.retain(|folder| wanted.contains(folder));
        for folder in wanted {
            if let Err(error) = self.watch(&folder) {
                tracing::warn!(folder = %folder.display(), %error, "the folder can't be watched; send SIGHUP after changes in it");
            }
        }
    }

    /// Whether any of these changes may be one of the tenants folder or of what a tenant depends on. The folders that
    /// are watched for a link or a certificate in them have busy files of other people as well.
    fn concerned_by(&self, changes: &[PathBuf], real: &Path) -> bool {
        let mut own = look::links_to(&self.folder);
        own.push(self.folder.clone());
        let called: Vec<PathBuf> = own.iter().map(|path| look::as_events_call(path)).collect();
        let own = own.iter().chain(&called).map(PathBuf::as_path);
        let tenants = self.seen.values().flat_map(|seen| &seen.depends_on);
        let mut kept = own.chain([real]).chain(tenants.map(PathBuf::as_path));
        let in_folder = |change: &PathBuf| change.parent() == Some(real);
        // A folder on the way to something is as good as the thing itself.
        changes.iter().any(in_folder)
            || kept.any(|kept| changes.iter().any(|change| kept.starts_with(change)))
    }

    /// The tenants folder as events call it.
    fn real_folder(&self) -> PathBuf {
        std::fs::canonicalize(&self.folder).unwrap_or_else(|_| self.folder.clone())
    }

    /// Looks at what the hints named.
    fn follow_hints(&mut self, context: &mut Context<Self>) {
        let hinted = self.hints.take();
        if hinted.overflowed {
            let open = self.being_written.clone();
            context.run_later(LOST, move |watcher, context| {
                watcher
                    .being_written
                    .retain(|path| !open.contains(path) || look::changed_within(path, LOST));
                watcher.scan(false, STILL, context);
            });
        }
        for (path, open) in hinted.writing {
            if open {
                self.being_written.insert(path);
            } else {
                self.being_written.remove(&path);
            }
        }
        for path in &hinted.paths {
            // A watched folder was replaced: the watch is on the one that is gone.
            if self.watched.remove(path) {
                drop(self.notify.unwatch(path));
            }
        }
        let real = self.real_folder();
        let ordinary = |path: &PathBuf| {
            path.parent() == Some(&real)
                && is_tenant_file(path)
                && path
                    .symlink_metadata()
                    .is_ok_and(|metadata| metadata.is_file())
        };
        let (files, others): (Vec<PathBuf>, Vec<PathBuf>) =
            hinted.paths.into_iter().partition(ordinary);
        let only_files = others.is_empty() || !self.concerned_by(&others, &real);
        if self.started && !hinted.overflowed && only_files {
            if files.is_empty() {
                return;
            }
            let names = files.iter().filter_map(|path| path.file_name());
            let files = names.map(|name| self.folder.join(name)).collect();
            self.look_at(files, EVENT_LAG, context);
        } else {
            let before = self.watched.clone();
            self.watch_around();
            // Of a writer in a folder that was not watched, no event told.
            let blind = hinted.overflowed || !self.started || before != self.watched;
            self.scan(false, if blind { STILL } else { EVENT_LAG }, context);
        }
    }

    /// Looks through the whole folder. `by_order`: even if it seems to have lost everything.
    fn scan(&mut self, by_order: bool, still: Duration, context: &mut Context<Self>) {
        let files = match tenant_files(&self.folder) {
            Ok(files) => files,
            Err(error) => {
                tracing::error!(folder = %self.folder.display(), %error, "the tenants folder can't be read; nothing changes");
                return;
            }
        };
        if by_order {
            // What was broken may have been so for a reason outside the files: a full disk, a date.
            let shown = self.shown.current();
            for (path, seen) in &mut self.seen {
                let state = id_of(path).and_then(|id| Some(shown.tenants.get(&id)?.current()));
                seen.again = state.is_none_or(|state| state.file.broken_since.is_some());
            }
        }
        let there: HashSet<&PathBuf> = files.iter().collect();
        let gone: Vec<PathBuf> = self
            .seen
            .keys()
            .filter(|path| !there.contains(path))
            .cloned()
            .collect();
        if files.is_empty() && !gone.is_empty() && !by_order {
            tracing::error!(folder = %self.folder.display(), "the tenants folder has lost all its tenants; nothing changes until SIGHUP");
            return;
        }
        let mut changes: Vec<FileChange> = Vec::new();
        for path in gone {
            self.seen.remove(&path);
            self.being_written.remove(&look::as_events_call(&path));
            changes.extend(id_of(&path).map(FileChange::Gone));
        }
        self.tell(changes);
        self.look_at(files, still, context);
    }

    fn look_at(&mut self, files: Vec<PathBuf>, still: Duration, context: &mut Context<Self>) {
        let mut changes = Vec::new();
        let (mut unsettled, mut open) = (Vec::new(), Vec::new());
        let real = self.real_folder();
        for path in files {
            let being_written = |path: &Path| {
                self.being_written.contains(path) || self.hints.is_being_written(path)
            };
            let named = real.join(path.file_name().unwrap_or_default());
            match look::at(&path, &named, self.seen.get(&path), being_written, still) {
                Look::Unchanged => {}
                Look::BeingWritten => open.push(path),
                Look::Unsettled => unsettled.push(path),
                Look::Changed(seen, change) => {
                    self.seen.insert(path, *seen);
                    changes.extend(change);
                }
            }
        }
        self.watch_around();
        self.waited = self.waited.saturating_add(1);
        let first = !self.started && (unsettled.is_empty() || self.waited >= PATIENCE);
        if first {
            // The store may remember them. Without a word they would be unknown until they are closed.
            let unread = open.iter().chain(&unsettled);
            changes.extend(unread.filter_map(|path| {
                let why = "is still being written; it is read once its writer has closed it";
                let problem = Problem::of_file(path, why);
                Some(FileChange::Unreadable(id_of(path)?, problem))
            }));
        }
        if !unsettled.is_empty() {
            context.run_later(still, move |watcher, context| {
                watcher.look_at(unsettled, still, context);
            });
        }
        self.started |= first;
        if first || !changes.is_empty() {
            self.registry.do_send(FilesChanged {
                changes,
                complete: first,
            });
        }
    }

    fn tell(&self, changes: Vec<FileChange>) {
        if !changes.is_empty() {
            self.registry.do_send(FilesChanged {
                changes,
                complete: false,
            });
        }
    }
}

fn id_of(path: &Path) -> Option<TenantId> {
    path.file_stem()?.to_str()?.parse().ok()
}

impl Actor for Watcher {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        self.hints.wake(context.address().recipient());
        self.watch_around();
        self.scan(false, STILL, context);
    }
}

impl Handler<Wake> for Watcher {
    type Result = ();

    fn handle(&mut self, _: Wake, context: &mut Self::Context) {
        context.run_later(DEBOUNCE, Self::follow_hints);
    }
}

/// Look through the folder now, whatever events told (SIGHUP). What it finds has been told to the registry
/// when this is answered.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub struct Rescan;

impl Handler<Rescan> for Watcher {
    type Result = ();

    fn handle(&mut self, _: Rescan, context: &mut Self::Context) {
        self.scan(true, STILL, context);
    }
}
