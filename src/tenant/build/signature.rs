//! What proves a token's signature: where the keys come from, and which algorithms count.

use std::{ops::RangeInclusive, sync::Arc, time::Duration};

use super::{
    Draft, address, duration, name,
    pem::{self, Form},
    ways,
};
use crate::{
    keys::{Algorithm, AlgorithmSet},
    tenant::{
        file::{DEFAULT_STALE_KEYS, Pem, ProviderFile},
        report::{element, member},
        settings::{KeyOrigin, SignatureProof},
    },
};

/// `stale_keys`: below a minute it would be shorter than one failed fetch; beyond a month an issuer
/// that withdrew a key and vanished would be trusted for longer than anyone remembers.
const STALE_KEYS: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(30 * 24);

/// The proof that a provider asks for. Only called where tokens are signed. `issuers` is empty where
/// their absence, or what is wrong with them, has been reported.
pub fn signature(
    key: &str,
    file: &ProviderFile,
    issuers: &[String],
    draft: &mut Draft<'_, '_>,
) -> Option<SignatureProof> {
    let algorithms = algorithms(key, file, draft);
    let stale_keys = stale_keys(key, file, draft);
    let require_typ = match &file.require_typ {
        Some(text) => Some(typ(&member(key, "require_typ"), text, draft)?),
        None => None,
    };
    let keys = keys(key, file, issuers, draft);
    Some(SignatureProof {
        keys: keys?,
        algorithms: algorithms?,
        require_typ,
        stale_keys: stale_keys?,
    })
}

/// `stale_keys`, or its default.
pub fn stale_keys(key: &str, file: &ProviderFile, draft: &mut Draft<'_, '_>) -> Option<Duration> {
    let text = file.stale_keys.as_deref().unwrap_or(DEFAULT_STALE_KEYS);
    duration(&member(key, "stale_keys"), text, STALE_KEYS, draft.report)
}

/// `algorithms`, or all of them.
pub fn algorithms(
    key: &str,
    file: &ProviderFile,
    draft: &mut Draft<'_, '_>,
) -> Option<AlgorithmSet> {
    let Some(names) = &file.algorithms else {
        return Some(AlgorithmSet::ALL);
    };
    if names.is_empty() {
        draft
            .report
            .error(
                &member(key, "algorithms"),
                "with no algorithm, no token can pass",
            )
            .help("leave the key out to accept every algorithm that fits the key");
        return None;
    }
    // Unknown names have been cut out and reported with the schema.
    Some(
        names
            .iter()
            .filter_map(|name| Algorithm::from_name(&name.0))
            .collect(),
    )
}

/// Where the keys come from; exactly one way. One place is for all issuers, several are for one each.
fn keys(
    key: &str,
    file: &ProviderFile,
    issuers: &[String],
    draft: &mut Draft<'_, '_>,
) -> Option<Vec<KeyOrigin>> {
    let written: Vec<&str> = [
        ("public_key", file.public_key.is_some()),
        ("certificate", file.certificate.is_some()),
        ("jwks_uri", file.jwks_uri.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, written)| written.then_some(name))
    .collect();
    if let [first, second, ..] = written.as_slice() {
        draft
            .report
            .error(
                &member(key, second),
                format!("this provider's keys already come from `{first}`"),
            )
            .help("keep one of them, or write two providers if there are two issuers");
        return None;
    }
    if let Some(text) = &file.jwks_uri {
        return match address::outgoing(text) {
            Ok(url) => Some(vec![KeyOrigin::Jwks(url)]),
            Err(reason) => {
                draft.report.error(&member(key, "jwks_uri"), reason);
                None
            }
        };
    }
    match (&file.public_key, &file.certificate) {
        (Some(pem), _) => Some(vec![fixed(key, Form::PublicKey, pem, file, draft)?]),
        (None, Some(pem)) => Some(vec![fixed(key, Form::Certificate, pem, file, draft)?]),
        (None, None) if issuers.is_empty() => None,
        (None, None) => {
            let origins = issuers.iter().map(|issuer| known(key, file, issuer, draft));
            origins.collect()
        }
    }
}

/// Where the keys of an issuer are, of which nothing is written: where its kind has them, or as it says itself.
fn known(
    key: &str,
    file: &ProviderFile,
    issuer: &str,
    draft: &mut Draft<'_, '_>,
) -> Option<KeyOrigin> {
    let Some(url) = (ways::preset(file).keys_of)(file, issuer) else {
        return discovery(key, issuer, draft);
    };
    match address::outgoing(&url) {
        Ok(url) => Some(KeyOrigin::Jwks(url)),
        Err(reason) => {
            draft.report.error(&member(key, "issuer"), reason);
            None
        }
    }
}

fn fixed(
    key: &str,
    form: Form,
    pem: &Pem,
    file: &ProviderFile,
    draft: &mut Draft<'_, '_>,
) -> Option<KeyOrigin> {
    let at = member(key, form.name());
    let text = pem::text(&at, pem, draft)?;
    form.judge(&at, text, draft)?;
    let mut fitting = AlgorithmSet::ALL;
    if let Some(names) = &file.algorithms {
        for (index, name) in names.iter().enumerate() {
            let name = &name.0;
            let only: AlgorithmSet = Algorithm::from_name(name).into_iter().collect();
            if let Err(problem) = form.read(text, only) {
                let at = element(&member(key, "algorithms"), index);
                let message = format!("`{}` verifies no {name} token: {problem}", form.name());
                draft.report.error(&at, message);
            }
        }
        fitting = names
            .iter()
            .filter_map(|name| Algorithm::from_name(&name.0))
            .collect();
    }
    let keys = form.read(text, fitting).ok()?;
    Some(KeyOrigin::Fixed(Arc::new(keys)))
}

fn discovery(key: &str, issuer: &str, draft: &mut Draft<'_, '_>) -> Option<KeyOrigin> {
    if ways::KEYS
        .iter()
        .any(|way| draft.report.is_broken(&member(key, way)))
    {
        return None;
    }
    match address::discoverable(issuer) {
        Ok(_) => Some(KeyOrigin::Discovery(issuer.to_owned())),
        Err(reason) => {
            draft.report.error(&member(key, "issuer"), reason).help(
                "keys are looked up in the issuer's discovery document, since no `public_key`, `certificate`, \
                 `jwks_uri` or `introspection_endpoint` is written",
            );
            None
        }
    }
}

/// `require_typ` in the form in which a token's `typ` is compared (RFC 7515 §4.1.9).
fn typ(key: &str, text: &str, draft: &mut Draft<'_, '_>) -> Option<String> {
    let text = name(key, text, draft.report)?.to_ascii_lowercase();
    let typ = text.strip_prefix("application/").unwrap_or(&text);
    if typ.is_empty() || !typ.bytes().all(|byte| byte.is_ascii_graphic()) {
        draft
            .report
            .error(key, "this is no media type")
            .help("write \"at+jwt\", say");
        return None;
    }
    Some(typ.to_owned())
}
