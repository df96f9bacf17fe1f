//! One writer, many readers: how the write path shows the read path something.
//!
//! The [`Publisher`] can't be cloned, so that a second writer of the same thing does not compile:
//!
//! ```compile_fail
//! let (publisher, _reader) = postern::snapshot::cell(1);
//! let second = publisher.clone();
//! ```

use std::sync::Arc;

use arc_swap::ArcSwap;

/// A place that holds the current `T`: what the publisher shows, the readers see from then on.
pub fn cell<T>(first: T) -> (Publisher<T>, Reader<T>) {
    let shared = Arc::new(ArcSwap::from_pointee(first));
    (Publisher(Arc::clone(&shared)), Reader(shared))
}

/// The only writer of a cell.
#[derive(Debug)]
pub struct Publisher<T>(Arc<ArcSwap<T>>);

/// One of the readers of a cell. Reading takes no lock and waits for nobody.
#[derive(Debug)]
pub struct Reader<T>(Arc<ArcSwap<T>>);

impl<T> Publisher<T> {
    /// Shows `next` to every reader at once; those who hold the one before keep it until they let go.
    pub fn publish(&mut self, next: T) {
        self.0.store(Arc::new(next));
    }

    /// What is shown now.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        self.0.load_full()
    }
}

impl<T> Reader<T> {
    /// What is shown now. A request calls it once, so that it cannot see two states.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        self.0.load_full()
    }
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
