//! Talking to issuers: the outgoing client with its bounds, and what is asked with it.

pub mod ask;
pub mod breaker;
pub mod client;
pub mod discovery;
pub mod flights;

pub mod jwks;
pub mod key_source;
