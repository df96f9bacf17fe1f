//! One `[[provider]]`: what proves its tokens, and what is read from them.

use std::{sync::Arc, time::Duration};

use super::{
    Draft, duration, idle, introspection, mapping, name, names, pem, signature,
    ways::{self, Ways},
};
use crate::{
    api_tokens::text::PREFIX,
    provider::{Kind, preset::Binding},
    secret::Secret,
    tenant::{
        file::{DEFAULT_LEEWAY, Pem, ProviderFile, SecretReference, TextOrList},
        problem::Severity,
        report::{Report, member},
        settings::{Audience, MAX_LEEWAY, Own, ProviderSettings, TrustedIssuer},
        source::Digest,
    },
};

/// The longest `name`: it is a metric label and a header.
const MAX_NAME: usize = 63;

/// The provider with everything that its kind knows. What is missing for that is reported.
pub fn fill(key: &str, file: &ProviderFile, report: &mut Report<'_>) -> ProviderFile {
    let mut filled = file.clone();
    for wrong in (ways::preset(file).fill)(&mut filled) {
        let at = member(key, wrong.key);
        if report.is_broken(&at) {
            // Its writer mends it first.
            continue;
        }
        match wrong.severity {
            Severity::Error if report.is_written(&at) => {
                report.error(&at, wrong.message).help(wrong.help);
            }
            Severity::Error => report.missing(key, wrong.key, &wrong.message, wrong.help),
            Severity::Warning => {
                report.warning(&at, wrong.message).help(wrong.help);
            }
        }
    }
    filled
}

/// The settings of one provider; `key` is its dotted path, `written` what its author wrote, and `file` the same with
/// its preset filled in.
pub fn provider(
    key: &str,
    written: &ProviderFile,
    file: &ProviderFile,
    draft: &mut Draft<'_, '_>,
) -> Option<ProviderSettings> {
    if file.kind.is_none() {
        let message = "a provider says of which kind it is";
        draft
            .report
            .missing(key, "kind", message, "write kind = \"custom\"");
    }
    let ways = Ways::of(key, file, draft.report);
    let (signed, both, preset) = (ways.signed, ways.both, ways::preset(file));
    let provider_name = provider_name(key, file, draft.report);
    let issuers = issuers(key, file, signed, draft.report);
    let clients = file.clients.as_deref().unwrap_or_default();
    let clients = names(&member(key, "clients"), clients, draft.report);
    let audience = audience(key, file, signed, draft.report);
    let signature = if signed {
        signature::signature(key, file, &issuers, draft)
    } else {
        None
    };
    idle::judge(key, written, file, &ways, draft.report);
    let issuer = issuers.first().map(String::as_str);
    let asking = introspection::asking(key, file, ways, issuer, signature.as_ref(), draft);
    // An absence where something was written comes with an error, and an error forbids all.
    let token_prefix = file
        .token_prefix
        .as_ref()
        .and_then(|text| token_prefix(&member(key, "token_prefix"), text, draft.report));
    let mapping = mapping::mapping(key, file, draft.report);
    let groups = mapping::claims(
        key,
        "groups",
        file.groups.as_ref(),
        preset.groups,
        draft.report,
    );
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
    if signature.is_none() && asking.is_none() {
        return None;
    }
    let name = provider_name.unwrap_or_else(|| kind.as_str().to_owned());
    let places = signature.as_ref().map_or(0, |proof| proof.keys.len());
    let trusted = |(place, issuer): (usize, String)| TrustedIssuer {
        realm: (preset.realm_of)(&issuer).to_owned(),
        keys: if places > 1 { place } else { 0 },
        issuer,
    };
    let owned = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
    Some(ProviderSettings {
        written_in: format!("{}, provider {name}", draft.source.path.display()),
        name,
        preset,
        digest: digest(file, draft),
        issuers: issuers.into_iter().enumerate().map(trusted).collect(),
        audience: audience?,
        clients: clients?,
        own: Own {
            id_tokens: file.id_tokens.unwrap_or(false),
            hosted_domains: owned(&file.hosted_domains),
            teams: owned(&file.teams),
            organizations: owned(&file.organizations),
            client_id: file.client_id.clone().unwrap_or_default(),
        },
        signature,
        asking,
        both,
        token_prefixes: match token_prefix {
            Some(prefix) => vec![prefix],
            None => preset
                .prefixes
                .iter()
                .map(|&prefix| prefix.to_owned())
                .collect(),
        },
        mapping: mapping?,
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

/// The issuers of a provider; none where none is written, or where what is wrong with them has been reported.
fn issuers(key: &str, file: &ProviderFile, signed: bool, report: &mut Report<'_>) -> Vec<String> {
    let at = member(key, "issuer");
    match &file.issuer {
        Some(TextOrList::Text(text)) => name(&at, text, report).into_iter().collect(),
        Some(TextOrList::List(texts)) => {
            if texts.is_empty() && report.is_written(&at) {
                report.error(&at, "with no issuer, no token can pass");
            }
            if texts.len() > 1 && file.kind.is_some_and(|kind| !may_have_several(kind)) {
                report
                    .error(&at, "a provider of this kind has one issuer")
                    .help("write a [[provider]] for each issuer, with a name of its own");
                return Vec::new();
            }
            names(&at, texts, report).unwrap_or_default()
        }
        None => {
            if signed {
                let has_keys = file.public_key.is_some()
                    || file.certificate.is_some()
                    || file.jwks_uri.is_some();
                let message = if has_keys {
                    "a signature proves a token only together with the issuer that it names"
                } else {
                    "nothing says what proves a token of this provider"
                };
                let help = "write issuer = \"https://…\", exactly as tokens carry it in `iss`";
                report.missing(key, "issuer", message, help);
            }
            Vec::new()
        }
    }
}

/// Okta's servers answer under several domains; the others that have several issuers know them.
fn may_have_several(kind: Kind) -> bool {
    kind == Kind::Okta || !kind.preset().takes.contains(&"issuer")
}

fn audience(
    key: &str,
    file: &ProviderFile,
    signed: bool,
    report: &mut Report<'_>,
) -> Option<Audience> {
    let key_of = member(key, "audience");
    let binding = ways::preset(file).binding;
    let by_client = ways::preset(file).takes.contains(&"clients");
    let (own, instead) = (
        binding == Binding::Own,
        binding == Binding::AudienceOrClients,
    );
    let has_clients = file
        .clients
        .as_ref()
        .is_some_and(|clients| !clients.is_empty())
        || report.is_broken(&member(key, "clients"));
    match &file.audience {
        Some(TextOrList::Text(text)) if text == "any" => {
            // Whose tokens they are is bounded by who got them, then.
            if !has_clients {
                let message = "a token that the issuer made for any other application passes, too";
                report.warning(&key_of, message).help(
                    "write the audience that tokens for this product carry in `aud`, or list the `clients` whose tokens may come",
                );
            }
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
        // Where `clients` may be written, the kind's own judgement proves one of them.
        None if (own && (!signed || by_client)) || (instead && has_clients) => Some(Audience::Any),
        // Keycloak up to 26.6.1 answers any client about any token, so that being answered proves nothing.
        None if signed || instead => {
            report.missing(
                key,
                "audience",
                "without an audience, a token that the issuer made for any other application would pass",
                if instead {
                    "write audience = [\"…\"] as tokens carry it in `aud` (in Keycloak by an audience mapper), or clients = [\"…\"], the clients whose tokens may come"
                } else {
                    "write audience = [\"…\"] as tokens carry it in `aud`, or audience = \"any\" if that is wanted"
                },
            );
            None
        }
        None => {
            if file.introspection_endpoint.is_some() && !has_clients && !report.is_broken(&key_of) {
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
    if text.starts_with(PREFIX) || PREFIX.starts_with(text) {
        report.error(
            key,
            format!("tokens that start with `{PREFIX}` are Postern's own"),
        );
        return None;
    }
    Some(text.to_owned())
}

/// The certificates of a private CA, which are usable; what is wrong with them is reported.
pub fn authorities(key: &str, pem: &Pem, draft: &mut Draft<'_, '_>) -> Option<Arc<[u8]>> {
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
