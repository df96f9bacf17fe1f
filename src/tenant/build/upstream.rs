//! `[upstream]`: where Postern itself asks the product, and as whom.

use reqwest::Url;

use super::{
    Draft,
    address::{self, Base},
    provider::authorities,
    secret::secret,
};
use crate::{
    secret::Secret,
    tenant::{
        file::{TenantFile, UpstreamFile},
        report::member,
        settings::{Sessions, Upstream},
        source::Digest,
    },
};

const KEY: &str = "upstream";

/// What the product is asked with. Absent where it is asked nothing, or where what is wrong with it has been reported.
/// `base` is absent where what is wrong with `url` has been.
pub fn upstream(
    written: &TenantFile,
    base: Option<&Base>,
    draft: &mut Draft<'_, '_>,
) -> Option<Upstream> {
    let default = UpstreamFile::default();
    let file = written.upstream.as_ref().unwrap_or(&default);
    let checks_sessions = written
        .access
        .as_ref()
        .is_some_and(|access| access.sessions == Some(Sessions::Check));
    let token_key = member(KEY, "admin_token");
    let is_asked =
        checks_sessions || file.admin_token.is_some() || draft.report.is_broken(&token_key);
    if !is_asked && draft.report.is_written(KEY) {
        draft
            .report
            .warning(KEY, "this has no effect: the product is asked nothing")
            .help("write admin_token = { file = \"…\" } here or sessions = \"check\" in [access], or remove it");
    }
    let ca = file
        .ca
        .as_ref()
        .and_then(|pem| authorities(&member(KEY, "ca"), pem, draft));
    let reference = file.admin_token.as_ref();
    let admin_token = reference.map(|reference| secret(&token_key, reference, draft));
    let address = base.and_then(|base| address(file, base, is_asked, draft));
    let (base, address) = (base?, address?);
    if !is_asked {
        return None;
    }
    // An absence where something was written comes with an error, and an error forbids all.
    let mut upstream = Upstream {
        product: written.product?,
        written_in: format!("{}, [upstream]", draft.source.path.display()),
        digest: [0; 32],
        label: base.url.clone(),
        is_url: file.address.is_none(),
        host: base.host.clone(),
        address,
        ca,
        admin_token: admin_token.flatten(),
    };
    upstream.digest = digest(&upstream);
    Some(upstream)
}

/// Where the product is asked: where that is written, or else at `url`, which may be anything where nothing is asked.
fn address(
    file: &UpstreamFile,
    base: &Base,
    is_asked: bool,
    draft: &mut Draft<'_, '_>,
) -> Option<Url> {
    let key = |name| member(KEY, name);
    let insecure = file.insecure.unwrap_or(false);
    let judged = |text| address::product(text, &base.context_path, insecure);
    let address = match &file.address {
        Some(text) => match judged(text) {
            Ok(address) => address,
            Err(reason) => {
                draft.report.error(&key("address"), reason).help(
                    "write \"https://…\" or \"http://127.0.0.1:8080\"; plain http to another machine needs insecure = true beside it",
                );
                return None;
            }
        },
        None if !is_asked || draft.report.is_broken(&key("address")) => return None,
        None => match judged(&base.url) {
            Ok(address) => {
                let at = if draft.report.is_written(KEY) {
                    KEY
                } else {
                    "access.sessions"
                };
                let message = "the product is asked at `url`; if that leads through the proxy, Postern waits for itself, and is answered nothing";
                draft.report.warning(at, message).help(
                    "write in [upstream] where the product itself listens: address = \"http://127.0.0.1:8080\"",
                );
                address
            }
            Err(reason) => {
                let message = format!("the product is asked at `url`: {reason}");
                draft.report.missing(
                    KEY,
                    "address",
                    &message,
                    "write in [upstream] where the product itself listens: address = \"http://127.0.0.1:8080\"",
                );
                return None;
            }
        },
    };
    let plain = address.scheme() == "http";
    let exposed = plain && !address::is_loopback(&address);
    if insecure && exposed {
        let message =
            "whoever can read the network to the product reads sessions and `admin_token`";
        draft.report.warning(&key("insecure"), message);
    }
    if insecure && !exposed {
        let message = "this has no effect: nothing goes in the clear to another machine";
        draft.report.warning(&key("insecure"), message);
    }
    if plain && file.ca.is_some() {
        let message = "this has no effect where nothing is encrypted";
        draft.report.warning(&key("ca"), message);
    }
    Some(address)
}

/// See [`Upstream::digest`].
fn digest(upstream: &Upstream) -> [u8; 32] {
    let mut digest = Digest::new("postern upstream 1");
    digest.add(&upstream.product.to_string());
    for piece in [
        upstream.written_in.as_str(),
        &upstream.label,
        upstream.address.as_str(),
        &upstream.host,
        if upstream.is_url { "url" } else { "address" },
    ] {
        digest.add(piece);
    }
    // It was a text before it was bytes.
    let ca = upstream.ca.as_deref().map(String::from_utf8_lossy);
    digest.add_result(ca.as_deref().ok_or(""));
    let token = upstream.admin_token.as_ref();
    let token = token.map(|token| token.as_ref().map(Secret::expose).map_err(String::as_str));
    digest.add_result(token.unwrap_or(Err("")));
    digest.finish()
}
