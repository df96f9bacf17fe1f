//! Postern's own API tokens.

pub mod text;
