//! One `[[provider]]`: what proves its tokens, and what is read from them.

use std::{sync::Arc, time::Duration};

use super::{Draft, duration, idle, introspection, name, names, pem, signature};
use crate::{
    secret::Secret,
    tenant::{
        file::{
            DEFAULT_GROUPS, DEFAULT_LEEWAY, DEFAULT_USERNAME, Pem, ProviderFile, SecretReference,
            TextOrList,
        },
        report::{Report, member},
        settings::{Audience, ClaimPath, MAX_LEEWAY, ProviderSettings, UsernameCase},
        source::Digest,
    },
};

/// The longest `name`: it is a metric label and a header.
const MAX_NAME: usize = 63;

/// What opaque tokens of Postern itself start with; they are never anyone else's.
const OURS: &str = "pst_";

/// The settings of one provider; `key` is its dotted path.
pub fn provider(
    key: &str,
    file: &ProviderFile,
    draft: &mut Draft<'_, '_>,
) -> Option<ProviderSettings> {
    if file.kind.is_none() {
        let message = "a provider says of which kind it is";
        draft
            .report
            .missing(key, "kind", message, "write kind = \"custom\"");
    }
    let signed = signature::is_wanted(key, file, draft.report);
    let provider_name = provider_name(key, file, draft.report);
    let issuer = issuer(key, file, signed, draft.report);
    let audience = audience(key, file, signed, draft.report);
    let signature = if signed {
        signature::signature(key, file, issuer.as_deref(), draft)
    } else {
        None
    };
    let introspection =
        introspection::introspection(key, file, issuer.as_deref(), signature.as_ref(), draft);
    idle::judge(key, file, draft.report);
    // An absence where something was written comes with an error, and an error forbids all.
    let token_prefix = file
        .token_prefix
        .as_ref()
        .and_then(|text| token_prefix(&member(key, "token_prefix"), text, draft.report));
    let username = claim(
        key,
        "username",
        file.username.as_deref(),
        DEFAULT_USERNAME,
        draft,
    );
    let groups = claim(key, "groups", file.groups.as_deref(), DEFAULT_GROUPS, draft);
    let leeway = file.leeway.as_deref().unwrap_or(DEFAULT_LEEWAY);
    let leeway = duration(
        &member(key, "leeway"),
        leeway,
        Duration::ZERO..=MAX_LEEWAY,
        draft.report,
    );
    let ca = file
        .ca
        .as_ref()
        .and_then(|pem| authorities(&member(key, "ca"), pem, draft));
    let kind = file.kind?;
    if signature.is_none() && introspection.is_none() {
        return None;
    }
    Some(ProviderSettings {
        name: provider_name.unwrap_or_else(|| kind.as_str().to_owned()),
        digest: digest(file, draft),
        issuer,
        audience: audience?,
        signature,
        introspection,
        token_prefix,
        username: username?,
        username_case: file.username_case.unwrap_or(UsernameCase::Keep),
        groups: groups?,
        leeway: leeway?,
        ca,
    })
}

fn provider_name(key: &str, file: &ProviderFile, report: &mut Report<'_>) -> Option<String> {
    let text = file.name.as_deref()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(allowed) {
        let message =
            format!("a provider's name has 1 to {MAX_NAME} letters, digits, `.`, `_` and `-`");
        report.error(&member(key, "name"), message);
        return None;
    }
    Some(text.to_owned())
}

fn issuer(key: &str, file: &ProviderFile, signed: bool, report: &mut Report<'_>) -> Option<String> {
    if let Some(text) = &file.issuer {
        return name(&member(key, "issuer"), text, report);
    }
    if signed {
        let message = if signature_ways(file) {
            "a signature proves a token only together with the issuer that it names"
        } else {
            "nothing says what proves a token of this provider"
        };
        let help = "write issuer = \"https://…\", exactly as tokens carry it in `iss`";
        report.missing(key, "issuer", message, help);
    }
    None
}

fn signature_ways(file: &ProviderFile) -> bool {
    file.public_key.is_some() || file.certificate.is_some() || file.jwks_uri.is_some()
}

fn audience(
    key: &str,
    file: &ProviderFile,
    signed: bool,
    report: &mut Report<'_>,
) -> Option<Audience> {
    let key_of = member(key, "audience");
    match &file.audience {
        Some(TextOrList::Text(text)) if text == "any" => {
            let message = "a token that the issuer made for any other application passes, too";
            report
                .warning(&key_of, message)
                .help("write the audience that tokens for this product carry in `aud`");
            Some(Audience::Any)
        }
        Some(TextOrList::Text(text)) => {
            name(&key_of, text, report).map(|text| Audience::OneOf(vec![text]))
        }
        Some(TextOrList::List(texts)) if texts.is_empty() => {
            report.error(&key_of, "with no audience, no token can pass");
            None
        }
        Some(TextOrList::List(texts)) => {
            if texts.iter().any(|text| text == "any") {
                report
                    .warning(&key_of, "in an array, \"any\" is an audience of that name")
                    .help("to accept every audience, write audience = \"any\"");
            }
            names(&key_of, texts, report).map(Audience::OneOf)
        }
        None if signed => {
            report.missing(
                key,
                "audience",
                "without an audience, a token that the issuer made for any other application would pass",
                "write audience = [\"…\"] as tokens carry it in `aud`, or audience = \"any\" if that is wanted",
            );
            None
        }
        None => {
            if file.introspection_endpoint.is_some() && !report.is_broken(&key_of) {
                let endpoint = member(key, "introspection_endpoint");
                let message = "without an audience, any token passes that the issuer calls active, \
                               for whichever application it was made";
                report.warning(&endpoint, message).help(
                    "write audience = [\"…\"] if the issuer's answers carry `aud`, or audience = \"any\" if they never do",
                );
            }
            Some(Audience::Any)
        }
    }
}

fn token_prefix(key: &str, text: &str, report: &mut Report<'_>) -> Option<String> {
    // What a Bearer token may consist of (RFC 6750 §2.1).
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        report.error(key, "a token's prefix has letters, digits and `-._~+/`");
        return None;
    }
    if text.starts_with(OURS) || OURS.starts_with(text) {
        report.error(
            key,
            format!("tokens that start with `{OURS}` are Postern's own"),
        );
        return None;
    }
    Some(text.to_owned())
}

fn claim(
    key: &str,
    name_of: &str,
    text: Option<&str>,
    default: &str,
    draft: &mut Draft<'_, '_>,
) -> Option<ClaimPath> {
    name(&member(key, name_of), text.unwrap_or(default), draft.report).map(ClaimPath)
}

fn authorities(key: &str, pem: &Pem, draft: &mut Draft<'_, '_>) -> Option<Arc<[u8]>> {
    let text = pem::text(key, pem, draft)?;
    pem::authorities(key, text, draft)?;
    Some(text.as_bytes().into())
}

/// See [`ProviderSettings::digest`].
fn digest(file: &ProviderFile, draft: &Draft<'_, '_>) -> [u8; 32] {
    let mut digest = Digest::new("postern provider 1");
    digest.add(draft.source.id.as_str());
    // The members of a struct are written in the order of the struct, so equal files make equal texts.
    digest.add(&serde_json::to_string(file).unwrap_or_default());
    for pem in [&file.public_key, &file.certificate, &file.ca]
        .into_iter()
        .flatten()
    {
        if let Pem::File(reference) = pem {
            let name = reference.file.as_deref().unwrap_or_default();
            digest.add_result(draft.source.file(name).as_deref().map_err(String::as_str));
        }
    }
    if let Some(place) = file.client_secret.as_ref().and_then(SecretReference::place) {
        let secret = draft.source.secret(&place);
        digest.add_result(secret.as_ref().map(Secret::expose).map_err(String::as_str));
    }
    digest.finish()
}
