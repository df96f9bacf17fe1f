//! See `main.rs`. The pairs differ in `mode`, or in one thing of the call.

/// What is counted and logged instead of refused, and who is told that the gate stands open.
mod told;
/// What passes, and what is refused all the same.
mod untouched;

use crate::harness::{Answer, Postern, Request, TenantFile, tenant};

/// Two tenants of the same file, but that `open` only observes.
fn open_and_shut(file: impl Fn(TenantFile) -> TenantFile) -> Postern {
    let open = file(tenant("open")).access("mode = \"observe\"");
    let shut = file(tenant("shut")).access("mode = \"enforce\"");
    Postern::with(open).and(shut).start()
}

/// A call to that tenant.
fn call(tenant: &str) -> Request {
    Request::check(tenant, "/rest/api/2/myself")
}

/// It passed as nobody, and the product gets this as `Authorization` and `Cookie`.
#[track_caller]
fn untouched(answer: &Answer, authorization: &str, cookie: &str) {
    answer.passes_as("observe");
    let sent = |name| answer.header(name).expect("it is always there");
    assert_eq!(
        (sent("authorization"), sent("cookie")),
        (authorization, cookie)
    );
    for name in [
        "remote-name",
        "remote-email",
        "remote-groups",
        "postern-provider",
    ] {
        assert_eq!(answer.header(name), Some(""), "{name}");
    }
}
