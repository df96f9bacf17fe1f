//! See `../self_service.rs`.

use serde_json::json;

use super::{Site, any, body_of, call, issued, judged, open, post, refused};
use crate::harness::{Answer, Postern, issuer, tenant};

/// Only a provider's token is taken, and for everything else it is said what is wrong with it. What is sent in its place
/// is not even looked at, so that nobody learns here whether an API token or a password is right.
#[test]
fn only_a_providers_token_is_taken() {
    let site = Site::of(|acme| {
        let anonymous = "anonymous = \"pass\"\npublic = [\"/rest/postern/**\"]";
        open("jira", acme).access(anonymous)
    });
    let ada = site.token("ada");
    let (token, id) = issued(&site.issue(&ada, &json!({ "scope": "write" })));
    let with = |name: &str, value: &str| {
        let call = post("/self/tokens/jira").header(name, value);
        site.ask(&call, "{}")
    };
    let authorized = |value: &str| with("Authorization", value);
    let no = |answer: &Answer, reason: &str, says: &str| {
        answer.is_refused(401, reason);
        let description = body_of(answer)["error_description"].to_string();
        assert!(description.contains(says), "{answer:?}");
        let challenge = answer.header("www-authenticate").unwrap_or_default();
        assert!(challenge.starts_with("Bearer realm="), "{answer:?}");
    };
    let api_token = "an API token can't be used to manage API tokens";
    // base64 of `ada:` and the token's first letters, and of `ada:password`.
    no(
        &authorized("Basic YWRhOnBzdF8="),
        "wrong_token_kind",
        api_token,
    );
    no(
        &authorized("Basic YWRhOnBhc3N3b3Jk"),
        "password_not_allowed",
        "a password",
    );
    no(
        &authorized(&format!("Bearer {token}")),
        "wrong_token_kind",
        api_token,
    );
    no(
        &authorized("Bearer pst_forged"),
        "wrong_token_kind",
        api_token,
    );
    no(&authorized("Digest x"), "unsupported_scheme", "Bearer");
    no(
        &with("Cookie", "JSESSIONID=1"),
        "no_credential",
        "a session is not enough",
    );
    no(
        &site.ask(&post("/self/tokens/jira"), "{}"),
        "no_credential",
        "Bearer",
    );
    no(
        &authorized("Bearer"),
        "malformed_token",
        "not followed by one space",
    );
    let doubled = post("/self/tokens/jira").bearer(&ada).bearer(&ada);
    no(
        &site.ask(&doubled, "{}"),
        "malformed_token",
        "several Authorization",
    );
    for request in [
        call("GET", "/self/tokens/jira"),
        call("DELETE", &format!("/self/tokens/jira/{id}")),
    ] {
        no(
            &site.ask(&request.clone().bearer(&token), ""),
            "wrong_token_kind",
            api_token,
        );
        no(&site.ask(&request, ""), "no_credential", "Bearer");
    }
    // That the token was tried here is no use of it.
    assert_eq!(
        body_of(&site.list(&ada))["tokens"][0]["last_used"],
        json!(null)
    );
    assert_eq!(site.ids(&ada).len(), 1);
}

/// Where no token passes, none is issued: each refusal of a check is one of self-service, beside what passes.
#[test]
fn the_judgement_is_that_of_a_check() {
    let site = Site::of(|acme| {
        open("jira", acme).access("allow_groups = [\"staff\"]\nallow_networks = [\"192.0.2.0/24\"]")
    });
    let staff = || site.acme.token().groups(["staff"]);
    let mallory = issuer();
    let ada = staff().sign();
    issued(&site.issue(&ada, &any()));
    judged(
        &site.issue(&staff().expires_in(-60).sign(), &any()),
        401,
        "expired",
    );
    judged(
        &site.issue(&mallory.token().sign(), &any()),
        401,
        "unknown_issuer",
    );
    judged(
        &site.issue(&staff().audience("wiki").sign(), &any()),
        401,
        "wrong_audience",
    );
    judged(&site.issue(&site.token("ada"), &any()), 403, "not_in_group");
    judged(&site.issue("opaque", &any()), 401, "malformed_token");
    let query = post("/self/tokens/jira?access_token=x").bearer(&ada);
    judged(&site.ask(&query, "{}"), 400, "credential_in_query");

    // The address is the rightmost that is no proxy's; who writes one in front of it changes nothing.
    let from = |chain: &str| {
        let call = call("GET", "/self/tokens/jira").replace("X-Forwarded-For", chain);
        site.ask(&call.bearer(&ada), "")
    };
    assert_eq!(from("198.51.100.1, 192.0.2.7").status, 200);
    judged(&from("192.0.2.7, 198.51.100.1"), 403, "address_not_allowed");
    let unknown = call("GET", "/self/tokens/jira").without("X-Forwarded-For");
    judged(
        &site.ask(&unknown.bearer(&ada), ""),
        400,
        "bad_check_request",
    );
    assert_eq!(site.ids(&ada).len(), 1);
}

/// It is off until the tenant's file says otherwise, for tokens that are off too, and where there is no such tenant.
#[test]
fn it_is_off_unless_the_tenant_says_so() {
    let acme = issuer();
    let trusting = |name: &str| tenant(name).trusting(&acme);
    let postern = Postern::with(open("jira", &acme))
        .and(trusting("silent"))
        .and(trusting("shut").api_tokens("enabled = true"))
        .and(
            trusting("dead")
                .api_tokens("enabled = false")
                .api_tokens("self_service = true"),
        )
        .and(open("stepped", &acme).top("enabled = false"))
        .and(open("broken", &acme).top("nonsense = 1"))
        .start();
    let site = Site { acme, postern };
    let ada = site.token("ada");
    issued(&site.issue_at("jira", &ada, &any()));
    let off = |tenant: &str| refused(&site.issue_at(tenant, &ada, &any()), 403, "access_denied");
    assert_eq!(
        off("shut"),
        "only an administrator issues API tokens here: self_service in [api_tokens] of the tenant's file is off"
    );
    for tenant in ["silent", "dead"] {
        assert!(off(tenant).starts_with("there are no API tokens here"));
    }
    judged(
        &site.issue_at("stepped", &ada, &any()),
        403,
        "tenant_disabled",
    );
    judged(
        &site.issue_at("nobody", &ada, &any()),
        403,
        "tenant_unknown",
    );
    judged(
        &site.issue_at("broken", &ada, &any()),
        503,
        "tenant_unavailable",
    );

    // Switched off while it runs: neither issued nor listed from then on.
    let before = site.postern.generation("jira");
    let shut = tenant("jira").trusting(&site.acme);
    site.postern.write(&shut.api_tokens("enabled = true"));
    site.postern.until_generation_after("jira", before);
    off("jira");
    refused(&site.list(&ada), 403, "access_denied");
}

/// A machine gets its tokens from an administrator, and nobody gets those of a machine's account.
#[test]
fn machines_and_their_accounts_are_refused() {
    let site = Site::of(|acme| {
        open("jira", acme).with(
            "username = \"preferred_username\"\nservice_accounts = { ci-client = \"svc-ci\" }",
        )
    });
    let named = |name: &str| site.acme.token().claim("preferred_username", name);
    issued(&site.issue(&named("ada").sign(), &any()));
    judged(
        &site.issue(&named("svc-ci").sign(), &any()),
        403,
        "account_protected",
    );
    let machine = named("ada")
        .subject("ci-client")
        .claim("client_id", "ci-client")
        .sign();
    site.postern.check("jira", &machine).is_allowed_as("svc-ci");
    let said = refused(&site.issue(&machine, &any()), 403, "access_denied");
    assert!(said.contains("the token is a machine's"), "{said}");
    refused(&site.list(&machine), 403, "access_denied");
}

/// The tenant's caps bind: as many as `max_per_user`, for as long as `max_lifetime`.
#[test]
fn the_caps_of_the_tenant_bind() {
    let site = Site::of(|acme| {
        open("jira", acme)
            .api_tokens("max_per_user = 2")
            .api_tokens("max_lifetime = \"1d\"")
    });
    let (ada, bob) = (site.token("ada"), site.token("bob"));
    let lasting = |seconds: u64| site.issue(&ada, &json!({ "expires_in": seconds }));
    let said = refused(&lasting(86401), 403, "access_denied");
    assert!(said.contains("max_lifetime"), "{said}");
    let (_, first) = issued(&lasting(86400));
    issued(&site.issue(&ada, &any()));
    let said = refused(&site.issue(&ada, &any()), 409, "conflict");
    assert!(said.contains("max_per_user"), "{said}");
    issued(&site.issue(&bob, &any()));
    assert_eq!(site.revoke(&ada, &first).status, 200);
    issued(&site.issue(&ada, &any()));
}

/// Rates bind self-service as they bind checks: what is spent here is spent there, and the caller learns when to come again.
#[test]
fn rates_bind_it_too() {
    let site = Site::of(|acme| open("jira", acme).rate_limit("per_user = \"3/h\""));
    let (ada, bob) = (site.token("ada"), site.token("bob"));
    let (_, id) = issued(&site.issue(&ada, &any()));
    assert_eq!(site.list(&ada).status, 200);
    site.postern.check("jira", &ada).is_allowed_as("ada");
    judged(&site.issue(&ada, &any()), 429, "rate_limited");
    judged(&site.list(&ada), 429, "rate_limited");
    judged(&site.revoke(&ada, &id), 429, "rate_limited");
    issued(&site.issue(&bob, &any()));
}

/// The judgement of self-service writes nothing in the product, so a header that would have it take another method is
/// judged with it, and changes nothing about what is done.
#[test]
fn a_method_override_gains_nothing() {
    let site = Site::of(|acme| open("jira", acme).access("read_only = true"));
    let ada = site.token("ada");
    let list = call("GET", "/self/tokens/jira").bearer(&ada);
    let overridden = list.clone().header("X-HTTP-Method-Override", "DELETE");
    judged(&site.ask(&overridden, ""), 403, "read_only");
    assert_eq!(site.ask(&list, "").status, 200);
}
