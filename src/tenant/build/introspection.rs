//! How an issuer is asked about a token, and what makes its answer believable.

use super::{Draft, address, name, signature};
use crate::{
    secret::Secret,
    tenant::{
        file::{IntrospectionResponse, ProviderFile},
        report::member,
        settings::{ClientAuth, IntrospectionProof, KeyOrigin, SignatureProof, SignedAnswers},
        source::SecretPlace,
    },
};

/// The proof that a provider with an `introspection_endpoint` asks for. `issuer` is absent where none is
/// written, or where what is wrong with it has been reported.
pub fn introspection(
    key: &str,
    file: &ProviderFile,
    issuer: Option<&str>,
    signature: Option<&SignatureProof>,
    draft: &mut Draft<'_, '_>,
) -> Option<IntrospectionProof> {
    let endpoint = url(
        key,
        "introspection_endpoint",
        file.introspection_endpoint.as_deref()?,
        draft,
    );
    let client_id = if let Some(text) = &file.client_id {
        name(&member(key, "client_id"), text, draft.report)
    } else {
        draft.report.missing(
            key,
            "client_id",
            "an introspection endpoint answers only those that it knows",
            "write client_id = \"…\" and client_secret = { file = \"…\" }",
        );
        None
    };
    let client_secret = client_secret(key, file, draft);
    // An absence where answers are to be signed comes with an error, and an error forbids all.
    let signed_answers = match file.introspection_response {
        Some(IntrospectionResponse::Jwt) => signed_answers(key, file, issuer, signature, draft),
        Some(IntrospectionResponse::Json) | None => None,
    };
    Some(IntrospectionProof {
        endpoint: endpoint?,
        client_id: client_id?,
        client_secret: client_secret?,
        client_auth: file.client_auth.unwrap_or(ClientAuth::Basic),
        signed_answers,
    })
}

fn client_secret(
    key: &str,
    file: &ProviderFile,
    draft: &mut Draft<'_, '_>,
) -> Option<Result<Secret, String>> {
    let Some(reference) = &file.client_secret else {
        draft.report.missing(
            key,
            "client_secret",
            "an introspection endpoint answers only those that prove who they are",
            "write client_secret = { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }",
        );
        return None;
    };
    let key = member(key, "client_secret");
    let Some(place) = reference.place() else {
        let broken = ["file", "env", "credential"]
            .iter()
            .any(|name| draft.report.is_broken(&member(&key, name)));
        if !broken {
            draft
                .report
                .error(&key, "a secret lies in exactly one place")
                .help("write one of { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }");
        }
        return None;
    };
    let secret = draft.source.secret(&place);
    if let Err(reason) = &secret {
        let place = match place {
            SecretPlace::File(name) => format!("the file {name:?}"),
            SecretPlace::Env(name) => format!("the environment variable {name:?}"),
            SecretPlace::Credential(name) => format!("the credential {name:?}"),
        };
        let severity = draft.secret_severity();
        draft
            .report
            .concern(severity, &key, format!("{place} {reason}"));
    }
    Some(secret)
}

fn signed_answers(
    key: &str,
    file: &ProviderFile,
    issuer: Option<&str>,
    signature: Option<&SignatureProof>,
    draft: &mut Draft<'_, '_>,
) -> Option<SignedAnswers> {
    let algorithms = signature::algorithms(key, file, draft);
    let stale_keys = signature::stale_keys(key, file, draft);
    if file.issuer.is_none() && !signature::is_wanted(key, file, draft.report) {
        draft.report.missing(
            key,
            "issuer",
            "signed answers are only believed if they name their issuer",
            "write issuer = \"…\" as the answers carry it in `iss`",
        );
    }
    let issuer = issuer?;
    let keys = if let Some(text) = &file.introspection_jwks_uri {
        KeyOrigin::Jwks(url(key, "introspection_jwks_uri", text, draft)?)
    } else if draft
        .report
        .is_broken(&member(key, "introspection_jwks_uri"))
    {
        return None;
    } else if signature::is_wanted(key, file, draft.report) {
        // Absent only where it has been reported.
        signature?.keys.clone()
    } else {
        if let Err(reason) = address::discoverable(issuer) {
            draft.report.error(&member(key, "issuer"), reason).help(
                "the keys of signed introspection answers are looked up in the issuer's discovery document, \
                 since neither `introspection_jwks_uri` nor a key is written",
            );
            return None;
        }
        KeyOrigin::Discovery(issuer.to_owned())
    };
    Some(SignedAnswers {
        keys,
        issuer: issuer.to_owned(),
        algorithms: algorithms?,
        stale_keys: stale_keys?,
    })
}

fn url(key: &str, name: &str, text: &str, draft: &mut Draft<'_, '_>) -> Option<reqwest::Url> {
    let url = address::outgoing(text);
    url.map_err(|reason| draft.report.error(&member(key, name), reason))
        .ok()
}
