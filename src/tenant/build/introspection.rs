//! How a provider is asked about a token, and what makes its answer believable.

use super::{Draft, address, name, secret::secret, signature, ways::Ways};
use crate::{
    secret::Secret,
    tenant::{
        file::{IntrospectionResponse, ProviderFile},
        report::member,
        settings::{AskWay, Asking, ClientAuth, KeyOrigin, SignatureProof, SignedAnswers},
    },
};

/// How a provider is asked, if it is. `issuer` is absent where none is written, or where what is wrong with it has
/// been reported.
pub fn asking(
    key: &str,
    file: &ProviderFile,
    ways: Ways,
    issuer: Option<&str>,
    signature: Option<&SignatureProof>,
    draft: &mut Draft<'_, '_>,
) -> Option<Asking> {
    if file.introspection_endpoint.is_some() && file.userinfo_endpoint.is_some() {
        draft
            .report
            .error(
                &member(key, "userinfo_endpoint"),
                "`introspection_endpoint` is asked already, and proves more",
            )
            .help("keep one of them");
        return None;
    }
    let signed = ways.signed;
    let way = if let Some(text) = &file.introspection_endpoint {
        let endpoint = url(key, "introspection_endpoint", text, draft);
        // An absence where answers are to be signed comes with an error, and an error forbids all.
        let signed_answers = match file.introspection_response {
            Some(IntrospectionResponse::Jwt) => {
                signed_answers(key, file, signed, issuer, signature, draft)
            }
            Some(IntrospectionResponse::Json) | None => None,
        };
        endpoint.map(|endpoint| AskWay::Introspection {
            endpoint,
            signed_answers,
        })
    } else if let Some(text) = &file.userinfo_endpoint {
        url(key, "userinfo_endpoint", text, draft).map(|endpoint| AskWay::Userinfo { endpoint })
    } else {
        match ways.own? {
            Ok(way) => Some(way),
            Err(wrong) => {
                draft
                    .report
                    .error(&member(key, wrong.key), wrong.message)
                    .help(wrong.help);
                None
            }
        }
    };
    // Where its URL is broken, the rest is judged all the same.
    let knows_us = way.as_ref().is_none_or(|way| match way {
        AskWay::Introspection { .. } | AskWay::Github { .. } | AskWay::Facebook { .. } => true,
        AskWay::Gitlab { introspect, .. } => *introspect,
        AskWay::Userinfo { .. } | AskWay::Google { .. } | AskWay::Slack { .. } => false,
    });
    let (client_id, client_secret) = if knows_us {
        (client_id(key, file, draft), client_secret(key, file, draft))
    } else {
        let unasked = Err("no client_secret is written".to_owned());
        (Some(String::new()), Some(unasked))
    };
    Some(Asking {
        way: way?,
        client_id: client_id?,
        client_secret: client_secret?,
        client_auth: file.client_auth.unwrap_or(ClientAuth::Basic),
    })
}

fn client_id(key: &str, file: &ProviderFile, draft: &mut Draft<'_, '_>) -> Option<String> {
    if let Some(text) = &file.client_id {
        return name(&member(key, "client_id"), text, draft.report);
    }
    draft.report.missing(
        key,
        "client_id",
        "an endpoint like this answers only those that it knows",
        "write client_id = \"…\" and client_secret = { file = \"…\" }",
    );
    None
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
            "an endpoint like this answers only those that prove who they are",
            "write client_secret = { file = \"…\" }, { env = \"…\" } or { credential = \"…\" }",
        );
        return None;
    };
    secret(&member(key, "client_secret"), reference, draft)
}

fn signed_answers(
    key: &str,
    file: &ProviderFile,
    signed: bool,
    issuer: Option<&str>,
    signature: Option<&SignatureProof>,
    draft: &mut Draft<'_, '_>,
) -> Option<SignedAnswers> {
    let algorithms = signature::algorithms(key, file, draft);
    let stale_keys = signature::stale_keys(key, file, draft);
    if file.issuer.is_none() && !signed {
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
    } else if signed {
        // Absent only where it has been reported.
        signature?.keys.first()?.clone()
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
