//! See `main.rs`.

/// The page of test vectors, read.
mod page;
/// The page of test vectors, asked.
mod vectors;
