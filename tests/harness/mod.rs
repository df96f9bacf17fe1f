//! What scenarios are told with: a daemon, issuers, tenant files, requests.

mod admin;
mod answer;
mod daemon;
pub mod emulator;
mod log;
mod parts;
mod tenant_file;
mod wait;

pub use admin::{ask as ask_admin, basic, id_of};
pub use answer::{Answer, Request, connect};
pub use daemon::{BINARY, Postern, PosternBuilder};
pub use parts::part;
pub use postern::dev::{Algorithm, ClientAuth, Fault, Issuer, SignWith};
pub use tenant_file::{TenantFile, tenant};
pub use wait::{Ends, eventually, until};

/// An issuer as most scenarios want it: ES256, whose keys cost nothing to make.
pub fn issuer() -> Issuer {
    Issuer::start().expect("a loopback port is to be had")
}
