//! See `main.rs`.

/// `kill -9`, again and again.
mod killed;
/// The store, damaged, locked or of another version.
mod store;
/// SIGTERM, with work in flight.
mod terminated;

use crate::harness::{Algorithm, Issuer, TenantFile, tenant};

/// A tenant whose key stands in its file, so that nothing has to be fetched.
fn fixed(name: &str, issuer: &Issuer, audience: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "issuer = {:?}\naudience = [{audience:?}]\npublic_key = '''\n{}'''",
        issuer.url(),
        issuer.public_key_pem(Algorithm::Es256)
    ))
}
