//! What scenarios are told with: a daemon, issuers, tenant files, requests.

mod admin;
mod answer;
mod daemon;
pub mod emulator;
mod log;
mod nginx;
mod page;
mod parts;
mod tenant_file;
mod wait;
mod workstation;

pub use admin::{ask as ask_admin, basic, id_of};
pub use answer::{Answer, Request, connect};
pub use daemon::{BINARY, Postern, PosternBuilder};
pub use nginx::Nginx;
pub use page::{block, client_lines, page};
pub use parts::{part, program, python};
pub use postern::dev::{Algorithm, ClientAuth, Fault, Issuer, SignWith};
pub use tenant_file::{TenantFile, tenant};
pub use wait::{Ends, eventually, until};
pub use workstation::{Ran, Workstation};

/// An issuer as most scenarios want it: ES256, whose keys cost nothing to make.
pub fn issuer() -> Issuer {
    Issuer::start().expect("a loopback port is to be had")
}
