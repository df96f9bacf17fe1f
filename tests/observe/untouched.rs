//! See `../observe.rs`.

use serde_json::json;

use super::{call, open_and_shut, untouched};
use crate::harness::{Request, basic, issuer};

const COOKIE: &str = "JSESSIONID=1; theme=dark";

/// What would be refused passes as it came; with `enforce` it is refused.
#[test]
fn what_would_be_refused_passes_untouched() {
    let acme = issuer();
    let postern = open_and_shut(|file| {
        file.trusting(&acme)
            .access("allow_networks = [\"192.0.2.0/24\"]")
            .access("read_only = true")
    });
    let bearer = format!("Bearer {}", acme.token().audience("other").sign());
    let password = basic("ada", "secret");
    let plain = || call("shut").header("Cookie", COOKIE);
    let with = |value: &str| plain().header("Authorization", value);
    for (request, authorization, status, reason) in [
        (with(&bearer), &*bearer, 401, "wrong_audience"),
        (with(&password), &*password, 401, "password_not_allowed"),
        (with("Bearer  x"), "Bearer  x", 401, "malformed_token"),
        (
            plain().replace("X-Real-IP", "198.51.100.1"),
            "",
            403,
            "address_not_allowed",
        ),
        // As far as Postern knows the call, it is none of the proxy's broken ones.
        (plain().without("X-Real-IP"), "", 400, "bad_check_request"),
        (
            plain().replace("X-Original-Method", "POST"),
            "",
            403,
            "read_only",
        ),
    ] {
        postern.ask(&request).is_refused(status, reason);
        let open = Request {
            target: "/check/open".into(),
            ..request
        };
        untouched(&postern.ask(&open), authorization, COOKIE);
    }
    for uri in [
        "/rest//api?os_password=x",
        "/rest/api/2/myself?access_token=x",
        "//rest/api",
    ] {
        assert_eq!(postern.ask(&Request::check("shut", uri)).status, 400);
        let passed = postern.ask(&Request::check("open", uri));
        untouched(&passed, "", "");
        assert_eq!(passed.header("postern-upstream-uri"), Some(uri));
    }
}

/// What would pass passes untouched as well: the product is told nothing that it was not told before.
#[test]
fn what_would_pass_passes_untouched_too() {
    let acme = issuer();
    let postern = open_and_shut(|file| file.trusting(&acme).access("passwords = \"pass\""));
    let bearer = format!("Bearer {}", acme.token().subject("ada").sign());
    let ask = |tenant: &str, value: &str| {
        let request = call(tenant).header("Cookie", COOKIE);
        postern.ask(&request.header("Authorization", value))
    };
    ask("shut", &bearer).is_allowed_as("ada");
    untouched(&ask("open", &bearer), &bearer, COOKIE);
    let password = basic("ada", "secret");
    ask("shut", &password).passes_as("password");
    assert_eq!(ask("shut", &password).header("cookie"), Some(""));
    untouched(&ask("open", &password), &password, COOKIE);
    let session = |tenant: &str| postern.ask(&call(tenant).header("Cookie", COOKIE));
    session("shut").passes_as("session");
    untouched(&session("open"), "", COOKIE);
}

/// An issuer that is away stops nobody.
#[test]
fn what_nobody_can_tell_passes_untouched() {
    let gone = issuer();
    gone.stop();
    let postern = open_and_shut(|file| file.trusting(&gone));
    let token = gone.token().sign();
    let refused = postern.check("shut", &token);
    refused.is_refused(503, "issuer_unavailable");
    untouched(
        &postern.check("open", &token),
        &format!("Bearer {token}"),
        "",
    );
}

/// The product would take an API token for a wrong password, and lock the account. So these are judged for real, and
/// however badly one is sent, it does not get there.
#[test]
fn an_api_token_never_reaches_the_product() {
    let acme = issuer();
    let postern = open_and_shut(|file| file.trusting(&acme).api_tokens("enabled = true"));
    let wanted = || json!({ "expires_in": 3600, "scope": "read" });
    let token = postern.issue("open", "ada", wanted());
    let ask = |value: &str| postern.ask(&call("open").header("Authorization", value));
    for value in [
        basic("ada", &token),
        basic(&token, ""),
        format!("Bearer {token}"),
    ] {
        let passed = ask(&value);
        passed.is_allowed_as("ada");
        assert_eq!(passed.header("authorization"), Some(""));
    }
    let write = call("open")
        .replace("X-Original-Method", "POST")
        .bearer(&token);
    postern.ask(&write).is_refused(403, "insufficient_scope");
    postern.revoke(&token);
    ask(&basic("ada", &token)).is_refused(401, "revoked");
    ask(&basic("ada", "pst_wrong")).is_refused(401, "malformed_token");
    ask(&basic(&token, "x")).is_refused(401, "malformed_token");
    let padded = basic("ada", &token).replace("Basic ", "Basic  ");
    ask(&padded).is_refused(401, "malformed_token");
    let bare = basic("ada", &token).trim_end_matches('=').to_owned();
    ask(&bare).is_refused(
        401,
        if bare.len() % 4 == 2 {
            "revoked"
        } else {
            "malformed_token"
        },
    );
    ask(&format!("Token {token}")).is_refused(401, "unsupported_scheme");
    // What only looks a little like one is a password, and passes as all passwords do.
    let password = basic("ada", "xpst_wrong");
    untouched(&ask(&password), &password, "");
}

/// What can't be handed on as it came is refused, and so is what nobody knows the tenant of.
#[test]
fn what_cannot_be_handed_on_is_refused() {
    let acme = issuer();
    let postern = open_and_shut(|file| file.trusting(&acme));
    untouched(&postern.ask(&call("open")), "", "");
    let doubled = call("open").bearer("one").bearer("two");
    postern.ask(&doubled).is_refused(401, "malformed_token");
    // In a proxy's configuration it stands behind the product's address.
    for target in ["@elsewhere.example/", ".elsewhere.example/", "*"] {
        let request = Request::check("open", target);
        postern.ask(&request).is_refused(400, "ambiguous_path");
    }
    let broken = call("open").without("X-Original-Method");
    postern.ask(&broken).is_refused(400, "bad_check_request");
    // A product that believes the header would take the caller for whom he says.
    let spoofed = call("open").header("Remote_User", "admin");
    postern.ask(&spoofed).is_refused(400, "bad_check_request");
    postern
        .ask(&call("nobody"))
        .is_refused(403, "tenant_unknown");
}

/// Self-service is Postern's own: nothing stands behind it that could decide.
#[test]
fn self_service_is_judged_for_real() {
    let acme = issuer();
    let postern = open_and_shut(|file| {
        file.trusting(&acme)
            .api_tokens("enabled = true\nself_service = true")
    });
    let list = |token: &str| {
        let request = Request::new("GET", "/self/tokens/open").bearer(token);
        postern
            .ask(&request.header("X-Forwarded-For", "192.0.2.7"))
            .status
    };
    assert_eq!(list(&acme.token().sign()), 200);
    assert_eq!(list(&acme.token().audience("other").sign()), 401);
}
