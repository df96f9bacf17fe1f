//! git over HTTPS, as Bitbucket serves it: there reading and writing follow the service and not the method.
//!
//! Sources: git's `http-protocol` documentation ("Smart Clients": `info/refs?service=…`, `POST git-upload-pack`,
//! `POST git-receive-pack`), and git-lfs' `docs/api` (`batch`, `locking`, `basic-transfers`).

use url::form_urlencoded;

use super::path::{self, Place};
use crate::{
    request::Request,
    tenant::settings::{Product, Settings},
};

/// Where Bitbucket serves repositories; `/git` is what older versions and mirrors call it [not confirmed].
const PREFIXES: [&str; 2] = ["/scm/", "/git/"];

/// Whether the canonical `path` is one that git talks to.
#[must_use]
pub fn is_git(product: Product, path: &str) -> bool {
    product == Product::Bitbucket && PREFIXES.iter().any(|prefix| path.starts_with(prefix))
}

/// Whether a request is git's.
#[must_use]
pub fn asks(settings: &Settings, request: &Request<'_>) -> bool {
    let place = path::place(request.target, &settings.context_path, |_| true);
    matches!(place, Ok(Place::Canonical(path)) if is_git(settings.product, &path))
}

/// Whether a request to a git path only reads, `by_method` saying so of what has no service.
///
/// The batch of git-lfs says in its body whether it is to download or to upload, and no check sees a body. It only
/// answers where to send the objects, so it counts as reading; the upload that follows is a PUT, and writes.
#[must_use]
pub fn only_reads(request: &Request<'_>, path: &str, by_method: bool) -> bool {
    // As servers do that take `a/` for `a`.
    let path = path.trim_end_matches('/');
    if path.ends_with("/info/refs") {
        let query = path::query(request.target).unwrap_or_default();
        let services = form_urlencoded::parse(query).filter(|(name, _)| name == "service");
        return by_method
            && services
                .into_iter()
                .all(|(_, service)| service == "git-upload-pack");
    }
    let posts = request.methods().all(|method| method == "POST");
    let reads_by_post =
        path.ends_with("/git-upload-pack") || path.ends_with("/info/lfs/objects/batch");
    by_method || (posts && reads_by_post)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{credential::Authorization, request::RequestId};

    #[test]
    fn reading_and_writing_follow_the_service() {
        let only_reads = |method: &str, target: &str| {
            let request = Request {
                id: RequestId::next(),
                method,
                method_override: None,
                target: target.as_bytes(),
                address: None,
                is_preflight: false,
                authorization: Authorization::Absent,
                cookie: None,
            };
            let path = target.split('?').next().unwrap();
            only_reads(&request, path, method == "GET")
        };
        for (method, rest) in [
            ("GET", "info/refs?service=git-upload-pack"),
            ("GET", "info/refs"),
            ("GET", "HEAD"),
            ("POST", "git-upload-pack"),
            ("POST", "info/lfs/objects/batch"),
            ("GET", "info/lfs/locks"),
        ] {
            assert!(
                only_reads(method, &format!("/scm/p/r.git/{rest}")),
                "{method} {rest}"
            );
        }
        for (method, rest) in [
            ("GET", "info/refs?service=git-receive-pack"),
            (
                "GET",
                "info/refs?service=git-upload-pack&service=git-receive-pack",
            ),
            ("GET", "info/refs?x=1&service=git-%72eceive-pack"),
            ("GET", "info/refs?service=git-other"),
            ("GET", "info/refs/?service=git-receive-pack"),
            ("POST", "info/refs?service=git-upload-pack"),
            ("POST", "git-receive-pack"),
            ("PUT", "git-upload-pack"),
            ("PUT", "info/lfs/objects/0123"),
            ("POST", "info/lfs/locks"),
            ("POST", "info/lfs/locks/verify"),
        ] {
            assert!(
                !only_reads(method, &format!("/scm/p/r.git/{rest}")),
                "{method} {rest}"
            );
        }
        assert!(is_git(Product::Bitbucket, "/scm/p/r.git/info/refs"));
        assert!(!is_git(Product::Bitbucket, "/rest/scm/p"));
        assert!(!is_git(Product::Jira, "/scm/p/r.git/info/refs"));
    }
}
