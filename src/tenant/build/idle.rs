//! Keys that are written but change nothing: whoever wrote them expects something that will not happen.

use super::signature;
use crate::tenant::{
    file::{IntrospectionResponse, ProviderFile},
    report::{Report, member},
};

/// Reports every key of a provider that the rest of the provider leaves without effect.
pub fn judge(key: &str, file: &ProviderFile, report: &mut Report<'_>) {
    let is_broken = |name: &&str| report.is_broken(&member(key, name));
    if is_broken(&"introspection_endpoint") || signature::WAYS.iter().any(is_broken) {
        // What depends on it is not in vain: its writer only has to mend it.
        return;
    }
    let asks = file.introspection_endpoint.is_some();
    let signed = signature::is_wanted(key, file, report);
    let signed_answers = asks && file.introspection_response == Some(IntrospectionResponse::Jwt);
    let fixed = file.public_key.is_some() || file.certificate.is_some();
    let answers_fetched = signed_answers && (file.introspection_jwks_uri.is_some() || !fixed);
    let fetched = (signed && !fixed) || answers_fetched;

    let unasked = "without `introspection_endpoint`";
    let unsigned = "where tokens are judged by introspection alone";
    let plain_answers = "without `introspection_response = \"jwt\"`";
    let idle = [
        ("client_id", file.client_id.is_some() && !asks, unasked),
        (
            "client_secret",
            file.client_secret.is_some() && !asks,
            unasked,
        ),
        ("client_auth", file.client_auth.is_some() && !asks, unasked),
        (
            "introspection_response",
            file.introspection_response.is_some() && !asks,
            unasked,
        ),
        (
            "introspection_jwks_uri",
            file.introspection_jwks_uri.is_some() && !signed_answers,
            plain_answers,
        ),
        (
            "require_typ",
            file.require_typ.is_some() && !signed,
            unsigned,
        ),
        (
            "algorithms",
            file.algorithms.is_some() && !signed && !signed_answers,
            unsigned,
        ),
        (
            "stale_keys",
            file.stale_keys.is_some() && !fetched,
            "where no keys are fetched",
        ),
        (
            "token_prefix",
            file.token_prefix.is_some() && signed,
            "where signatures are checked, since signed tokens name their issuer",
        ),
        (
            "ca",
            file.ca.is_some() && !fetched && !asks,
            "where nothing is fetched or asked",
        ),
    ];
    for (name, is_idle, why) in idle {
        if is_idle {
            report
                .error(&member(key, name), format!("this has no effect {why}"))
                .help("remove it");
        }
    }
}
