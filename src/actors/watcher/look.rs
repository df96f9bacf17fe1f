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
    /// Its real place, and the files that it refers to with theirs: a change of any of these is one of the tenant.
    pub depends_on: Vec<PathBuf>,
}

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

/// Looks at `path`, whose size and time must have stood still for `still`.
pub fn at(
    path: &Path,
    before: Option<&Seen>,
    being_written: impl Fn(&Path) -> bool,
    still: Duration,
) -> Look {
    let busy = |paths: &[PathBuf]| paths.iter().any(|path| being_written(path));
    if being_written(path) || before.is_some_and(|seen| busy(&seen.depends_on)) {
        return Look::BeingWritten;
    }
    if let Some(seen) = before
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
    depends_on.push(path.to_owned());
    let real: Vec<PathBuf> = depends_on
        .iter()
        .filter_map(|path| fs::canonicalize(path).ok())
        .collect();
    depends_on.extend(real);
    depends_on.sort();
    depends_on.dedup();
    if busy(&depends_on) {
        return Look::BeingWritten;
    }
    let stamps: Vec<_> = depends_on
        .iter()
        .map(|path| (path.clone(), stamp_of(path).ok()))
        .collect();
    if stamps
        .iter()
        .any(|(_, stamp)| is_recent(stamp.as_ref(), still))
        || stamp_of(path).ok() != stamp_before
    {
        return Look::Unsettled;
    }
    let digest = source.as_ref().ok().map(TenantSource::digest);
    if digest.is_some() && before.is_some_and(|seen| seen.digest == digest) {
        return match before {
            Some(seen) if seen.stamps == stamps => Look::Unchanged,
            _ => Look::Changed(
                Box::new(Seen {
                    digest,
                    stamps,
                    depends_on,
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
