//! Secrets that a tenant file says the place of.

use super::{Draft, Secrets};
use crate::{
    secret::Secret,
    tenant::{
        file::SecretReference,
        report::member,
        source::{NO_CREDENTIALS, SecretPlace},
    },
};

/// What lies in the place that `reference`, the value of `key`, names, or why nothing can be read there; `None` where
/// it names no place, which is reported.
pub fn secret(
    key: &str,
    reference: &SecretReference,
    draft: &mut Draft<'_, '_>,
) -> Option<Result<Secret, String>> {
    let Some(place) = reference.place() else {
        let broken = ["file", "env", "credential"]
            .iter()
            .any(|name| draft.report.is_broken(&member(key, name)));
        if !broken {
            draft
                .report
                .error(key, "a secret lies in exactly one place")
                .help("write one of { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }");
        }
        return None;
    };
    let secret = draft.source.secret(&place);
    // Only the daemon has credentials: a person who validates a file can do nothing about that.
    let is_not_ours =
        |reason: &str| reason == NO_CREDENTIALS && draft.secrets == Secrets::MayBeAbsent;
    if let Err(reason) = &secret
        && !is_not_ours(reason)
    {
        let place = match place {
            SecretPlace::File(name) => format!("the file {name:?}"),
            SecretPlace::Env(name) => format!("the environment variable {name:?}"),
            SecretPlace::Credential(name) => format!("the credential {name:?}"),
        };
        let severity = draft.secret_severity();
        draft
            .report
            .concern(severity, key, format!("{place} {reason}"));
    }
    Some(secret)
}
