//! One look at one tenant file: is it finished, and is it another one than before?

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{FileChange, id_of};
use crate::{
    clock,
    tenant::{
        problem::Problem,
        source::{ReadProblem, TenantSource},
    },
};

/// What was seen of a file when it was last read.
#[derive(Debug)]
pub struct Seen {
    digest: Option<[u8; 32]>,
    stamps: Vec<(PathBuf, Option<Stamp>)>,
    /// The files that it refers to, the links on the way to any of them and to itself, and where they all lead, each
    /// as events call it: a change of any of these is one of the tenant.
    pub depends_on: Vec<PathBuf>,
    /// Whether it is to be read even if nothing changed.
    pub again: bool,
}

/// The most links that lead from one to the next; as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Changes whenever a file's content does, as long as it is not written twice within the clock's grain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// What came of a look.
pub enum Look {
    /// As before.
    Unchanged,
    /// Somebody has it open and has written to it: the first half of a file can be valid, and laxer than the whole.
    BeingWritten,
    /// It was written a moment ago: too soon for the events that would tell of its writer.
    Unsettled,
    /// Another one, unless the name of the file is no tenant's.
    Changed(Box<Seen>, Option<FileChange>),
}

/// Looks at `path`, which events call `named`, and whose size and time must have stood still for `still`.
pub fn at(
    path: &Path,
    named: &Path,
    before: Option<&Seen>,
    being_written: impl Fn(&Path) -> bool,
    still: Duration,
) -> Look {
    let busy = |paths: &[PathBuf]| paths.iter().any(|path| being_written(path));
    if being_written(named) || before.is_some_and(|seen| busy(&seen.depends_on)) {
        return Look::BeingWritten;
    }
    if let Some(seen) = before
        && !seen.again
        && seen.stamps.iter().all(|(path, stamp)| {
            stamp_of(path).ok() == *stamp && !is_recent(stamp.as_ref(), Duration::from_secs(2))
        })
    {
        return Look::Unchanged;
    }
    let stamp_before = stamp_of(path).ok();
    let source = TenantSource::read(path);
    let mut depends_on = source
        .as_ref()
        .map(TenantSource::referenced_paths)
        .unwrap_or_default();
    let refers = !depends_on.is_empty();
    let mut links: Vec<PathBuf> = depends_on.iter().flat_map(|path| links_to(path)).collect();
    if path.is_symlink() {
        links.extend(links_to(path));
    }
    depends_on.push(path.to_owned());
    let real: Vec<PathBuf> = depends_on
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    // As written, too: what lies there may be another file after a folder on the way was swapped.
    let called: Vec<PathBuf> = depends_on
        .iter()
        .chain(&links)
        .map(|path| as_events_call(path))
        .collect();
    depends_on.extend(called);
    depends_on.extend(real);
    depends_on.sort();
    depends_on.dedup();
    if busy(&depends_on) {
        return Look::BeingWritten;
    }
    let stamps = stamps_of(&depends_on);
    let digest = source.as_ref().ok().map(TenantSource::digest);
    if stamps
        .iter()
        .any(|(_, stamp)| is_recent(stamp.as_ref(), still))
        || stamp_of(path).ok() != stamp_before
    {
        return Look::Unsettled;
    }
    // Several files are not read at one moment: twice the same is a state that there was.
    if refers {
        let second = TenantSource::read(path).ok().map(|source| source.digest());
        if second != digest || stamps_of(&depends_on) != stamps {
            return Look::Unsettled;
        }
    }
    if digest.is_some() && before.is_some_and(|seen| !seen.again && seen.digest == digest) {
        return match before {
            Some(seen) if seen.stamps == stamps => Look::Unchanged,
            _ => Look::Changed(
                Box::new(Seen {
                    digest,
                    stamps,
                    depends_on,
                    again: false,
                }),
                None,
            ),
        };
    }
    let change = match source {
        Ok(source) => Some(FileChange::Read(Box::new(source))),
        Err(problem) => unreadable(path, &problem),
    };
    Look::Changed(
        Box::new(Seen {
            digest,
            stamps,
            depends_on,
            again: false,
        }),
        change,
    )
}

fn unreadable(path: &Path, problem: &ReadProblem) -> Option<FileChange> {
    let Some(id) = id_of(path) else {
        tracing::error!(path = %path.display(), "the file is no tenant: {problem}");
        return None;
    };
    Some(FileChange::Unreadable(
        id,
        Problem::of_file(path, problem.to_string()),
    ))
}

/// The links on the way to `path`, in its folders too: each of them may be swapped.
pub fn links_to(path: &Path) -> Vec<PathBuf> {
    let (mut links, mut ways) = (Vec::new(), vec![path.to_owned()]);
    while let Some(way) = ways.pop() {
        for part in way.ancestors() {
            let Ok(target) = fs::read_link(part) else {
                continue;
            };
            if links.len() == MOST_LINKS {
                return links;
            }
            let folder = part.parent().unwrap_or(Path::new("/"));
            let rest = way.strip_prefix(part).unwrap_or(Path::new(""));
            ways.push(folder.join(target).join(rest));
            links.push(part.to_owned());
        }
    }
    links
}

/// The same entry of the same folder, without links and `..` on the way to the folder: only real folders are watched.
pub fn as_events_call(path: &Path) -> PathBuf {
    let real = path
        .parent()
        .and_then(|folder| fs::canonicalize(folder).ok());
    match (real, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn stamps_of(paths: &[PathBuf]) -> Vec<(PathBuf, Option<Stamp>)> {
    let stamped = |path: &PathBuf| (path.clone(), stamp_of(path).ok());
    paths.iter().map(stamped).collect()
}

fn stamp_of(path: &Path) -> io::Result<Stamp> {
    let metadata = fs::metadata(path)?;
    Ok(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

/// Whether the file that is there now changed less than `span` ago.
pub fn changed_within(path: &Path, span: Duration) -> bool {
    is_recent(stamp_of(path).ok().as_ref(), span)
}

/// Whether the file changed less than `span` ago. A time in the future can't be waited for and counts as old.
fn is_recent(stamp: Option<&Stamp>, span: Duration) -> bool {
    let Some(Stamp {
        changed: (seconds, nanoseconds),
        ..
    }) = stamp
    else {
        return false;
    };
    let (Ok(seconds), Ok(nanoseconds)) = (u64::try_from(*seconds), u32::try_from(*nanoseconds))
    else {
        return false;
    };
    let age = clock::since_epoch().checked_sub(Duration::new(seconds, nanoseconds));
    age.is_some_and(|age| age < span)
}

#[cfg(test)]
mod tests;
