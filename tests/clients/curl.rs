//! See `../clients.rs`.
