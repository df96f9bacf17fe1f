//! See `../git.rs`.
