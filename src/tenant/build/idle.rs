//! Keys that are written but change nothing: whoever wrote them expects something that will not happen.

use serde_json::Value;

use super::ways::{self, Ways};
use crate::{
    provider::preset::COMMON_KEYS,
    tenant::{
        file::{IntrospectionResponse, ProviderFile},
        report::{Report, member},
    },
};

/// Reports every key of a provider that the rest of the provider leaves without effect. `written` is the provider as
/// its author wrote it, `file` with its preset filled in.
pub fn judge(
    key: &str,
    written: &ProviderFile,
    file: &ProviderFile,
    ways: &Ways,
    report: &mut Report<'_>,
) {
    let preset = ways::preset(file);
    let has_no_effect = |report: &mut Report<'_>, name: &str, why: &str| {
        report
            .error(&member(key, name), format!("this has no effect {why}"))
            .help("remove it");
    };
    // Without a kind nobody knows what is in vain.
    if let (Some(kind), Ok(Value::Object(members))) = (file.kind, serde_json::to_value(written)) {
        for (name, _) in members.iter().filter(|(_, value)| !value.is_null()) {
            if !COMMON_KEYS.contains(&name.as_str()) && !preset.takes.contains(&name.as_str()) {
                let why = format!("with kind = \"{}\"", kind.as_str());
                has_no_effect(report, name, &why);
            }
        }
    }
    let is_broken = |name: &&str| report.is_broken(&member(key, name));
    if ways::ENDPOINTS.iter().any(is_broken) || ways::KEYS.iter().any(is_broken) {
        // What depends on it is not in vain: its writer only has to mend it.
        return;
    }
    let introspects = file.introspection_endpoint.is_some();
    let names_us = introspects || ways.own.is_some();
    let signed = ways.signed;
    let signed_answers =
        introspects && file.introspection_response == Some(IntrospectionResponse::Jwt);
    let fixed = file.public_key.is_some() || file.certificate.is_some();
    let answers_fetched = signed_answers && (file.introspection_jwks_uri.is_some() || !fixed);
    let fetched = (signed && !fixed) || answers_fetched;

    let unasked = "without `introspection_endpoint`";
    let unsigned = "where tokens are judged by introspection alone";
    let plain_answers = "without `introspection_response = \"jwt\"`";
    let idle = [
        (
            "client_id",
            written.client_id.is_some() && !names_us,
            unasked,
        ),
        (
            "client_secret",
            written.client_secret.is_some() && !names_us,
            unasked,
        ),
        (
            "client_auth",
            written.client_auth.is_some() && !names_us,
            unasked,
        ),
        (
            "introspection_response",
            written.introspection_response.is_some() && !introspects,
            unasked,
        ),
        (
            "introspection_jwks_uri",
            written.introspection_jwks_uri.is_some() && !signed_answers,
            plain_answers,
        ),
        (
            "require_typ",
            written.require_typ.is_some() && !signed,
            unsigned,
        ),
        (
            "algorithms",
            written.algorithms.is_some() && !signed && !signed_answers,
            unsigned,
        ),
        (
            "stale_keys",
            written.stale_keys.is_some() && !fetched,
            "where no keys are fetched",
        ),
        (
            "token_prefix",
            written.token_prefix.is_some() && !ways.judges_opaque_tokens(),
            "where signatures are checked, since signed tokens name their issuer",
        ),
        (
            "service_accounts",
            written.service_accounts.is_some()
                && file.kind.is_some()
                && preset.machine.is_empty()
                && preset.machine_answers.is_empty(),
            "with a kind that issues no tokens to machines",
        ),
        (
            "ca",
            written.ca.is_some() && !fetched && !ways.asks && ways.own.is_none(),
            "where nothing is fetched or asked",
        ),
    ];
    for (name, is_idle, why) in idle {
        // What the kind takes no notice of has been reported.
        let taken = COMMON_KEYS.contains(&name) || preset.takes.contains(&name);
        if is_idle && taken {
            has_no_effect(report, name, why);
        }
    }
}
