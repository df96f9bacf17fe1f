//! See `main.rs`.

/// The broken twin of each way to write a file: the last good build serves, and everybody can see why.
mod broken;
/// Certificates, whose time runs out.
mod certificates;
/// The folder as a whole: many files, none, a pipe, a wrong name, SIGHUP.
mod folder;
/// What a tenant file refers to.
mod referenced;
/// How fast, and never by halves.
mod speed;
/// The ways in which a file comes, changes and goes.
mod ways;
/// Writers that are slow, or gone.
mod writers;

use std::{fs, path::Path};

use crate::harness::{Algorithm, Issuer, Postern, TenantFile, eventually, tenant};

/// A tenant whose key stands in its file, so that nothing has to be fetched. Whoever has a token for `audience`
/// passes.
fn fixed(name: &str, issuer: &Issuer, audience: &str) -> TenantFile {
    tenant(name).provider(&format!(
        "issuer = {:?}\naudience = [{audience:?}]\npublic_key = '''\n{}'''",
        issuer.url(),
        issuer.public_key_pem(Algorithm::Es256)
    ))
}

/// A file that is written aside, closed, and renamed over its place: what careful editors do.
fn replace(path: &Path, text: &str) {
    let aside = path.with_extension("aside");
    fs::write(&aside, text).expect("it is written");
    fs::rename(&aside, path).expect("it is renamed");
}

/// Waits until the tenant answers this token with this word: a reason, or `allowed`.
#[track_caller]
fn until_answered(postern: &Postern, tenant: &str, token: &str, word: &str) -> std::time::Duration {
    let mut last = String::new();
    let what = format!("{tenant} answers {word}");
    eventually(&what, || {
        let answer = postern.check(tenant, token);
        last = match answer.status {
            200 => "allowed".to_owned(),
            _ => answer.reason().to_owned(),
        };
        last == word
    })
}

/// Whether `/metrics` has exactly this line.
fn counts(postern: &Postern, line: &str) -> bool {
    postern
        .ops("/metrics")
        .body
        .lines()
        .any(|shown| shown == line)
}
