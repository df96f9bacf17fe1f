//! An explanation leaves no trace: what a real check would spend, write or ask is there still.

use super::{command, explain, says, stdout, tells};
use crate::{
    commands::run_with,
    harness::{
        Postern, Request,
        emulator::{Emulator, json},
        issuer, tenant,
    },
};

/// Three explanations, and the only call of the hour still passes; the next is refused, and so is its explanation.
#[test]
fn no_rate_is_spent() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .rate_limit("per_user = \"1/h\"\nper_token = \"1/h\"\nper_tenant = \"2/h\""),
    )
    .start();
    let token = acme.token().sign();
    postern.until_keys("jira");
    for _ in 0..3 {
        tells(
            &explain(&postern, &["jira"], &token),
            0,
            &["rates: what is left for ada of per_token 1/h"],
        );
    }
    postern.check("jira", &token).is_allowed_as("ada");
    tells(
        &explain(&postern, &["jira"], &token),
        1,
        &["429 rate_limited", "per_token = \"1/h\""],
    );
    postern
        .check("jira", &token)
        .is_refused(429, "rate_limited");
}

/// Forgeries are explained, and none is counted for the address; one that is, is.
#[test]
fn no_failure_is_counted() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .rate_limit("failures_per_address = \"1/h\""),
    )
    .start();
    for _ in 0..3 {
        tells(
            &explain(&postern, &["jira"], "forged.forged.forged"),
            1,
            &["401 malformed_token"],
        );
    }
    postern
        .check("jira", "forged.forged.forged")
        .is_refused(401, "malformed_token");
    tells(
        &explain(&postern, &["jira"], "forged.forged.forged"),
        1,
        &["429 too_many_failures", "failures_per_address = \"1/h\""],
    );
}

/// Who is explained first does not become the account's owner; who calls first does.
#[test]
fn no_pin_is_made() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .with("username = \"preferred_username\""),
    )
    .start();
    postern.until_keys("jira");
    let of = |subject: &str| {
        let token = acme.token().subject(subject);
        token.claim("preferred_username", "ada").sign()
    };
    tells(
        &explain(&postern, &["jira"], &of("1")),
        0,
        &["would pin it"],
    );
    let pins = postern.cli(&["account", "list", "jira", "--json"]);
    assert_eq!(stdout(&pins).trim(), "[]");
    postern.check("jira", &of("2")).is_allowed_as("ada");
    tells(
        &explain(&postern, &["jira"], &of("1")),
        1,
        &["403 account_changed", "postern account unpin"],
    );
    tells(
        &explain(&postern, &["jira"], &of("2")),
        0,
        &["it is pinned to"],
    );
}

/// An API token's last use is not noted, and no metric moves.
#[test]
fn no_use_is_noted_and_nothing_counted() {
    let acme = issuer();
    let postern =
        Postern::with(tenant("jira").trusting(&acme).api_tokens("enabled = true")).start();
    postern.until_keys("jira");
    let (own, theirs) = (
        postern.issue("jira", "ada", serde_json::json!({})),
        acme.token().sign(),
    );
    let counted = || {
        let metrics = postern.ops("/metrics").body;
        let of_tenant = metrics
            .lines()
            .filter(|line| line.contains("tenant=\"jira\""));
        let about = of_tenant.filter(|line| line.contains("decisions") || line.contains("cache"));
        about.map(str::to_owned).collect::<Vec<_>>()
    };
    postern.check("jira", &theirs).is_allowed_as("ada");
    let before = counted();
    assert!(!before.is_empty(), "there is something to count");
    tells(
        &explain(&postern, &["jira"], &own),
        0,
        &["allowed as ada (api-token)"],
    );
    tells(
        &explain(&postern, &["jira"], &theirs),
        0,
        &["the token was proved before", "allowed as ada (jwt)"],
    );
    tells(
        &explain(&postern, &["jira"], "a.b.c"),
        1,
        &["malformed_token"],
    );
    assert_eq!(counted(), before);
    let tokens = postern.cli(&["token", "list", "--json"]);
    assert!(
        !stdout(&tokens).contains("last_used"),
        "{}",
        stdout(&tokens)
    );
    postern.check("jira", &own).is_allowed_as("ada");
    crate::harness::eventually("the use is noted", || {
        stdout(&postern.cli(&["token", "list", "--json"])).contains("last_use")
    });
    postern.has_not_logged(&[&own, &theirs]);
}

/// The issuer is not asked: neither about a token, nor for a key. What it has answered is remembered, and decides.
#[test]
fn no_issuer_is_asked() {
    let acme = issuer();
    let postern = Postern::with(tenant("opaque").asking(&acme))
        .and(tenant("jira").trusting(&acme))
        .start();
    postern.until_keys("jira");
    let (good, revoked) = (acme.token().opaque(), acme.token().opaque());
    acme.revoke(&revoked);
    for token in [&good, &revoked] {
        tells(
            &explain(&postern, &["opaque"], token),
            3,
            &["cannot tell without asking", "/introspect", "not asked"],
        );
    }
    assert_eq!(acme.hits("/introspect"), 0);
    let call = |token: &str| {
        postern.ask(
            &Request::check("opaque", super::API)
                .header("Authorization", &format!("Bearer {token}")),
        )
    };
    call(&good).is_allowed_as("ada");
    call(&revoked).is_refused(401, "inactive");
    tells(
        &explain(&postern, &["opaque"], &good),
        0,
        &["allowed as ada (introspection)"],
    );
    tells(
        &explain(&postern, &["opaque"], &revoked),
        1,
        &["401 inactive"],
    );
    assert_eq!(acme.hits("/introspect"), 2);

    let fetched = acme.hits("/jwks");
    let unknown = acme.token().kid("never-seen").sign();
    tells(
        &explain(&postern, &["jira"], &unknown),
        3,
        &["for the key of that kid"],
    );
    assert_eq!(acme.hits("/jwks"), fetched);
}

/// Nor is the product: neither whose a session is, nor with our credentials who an account is.
#[test]
fn no_product_is_asked() {
    let acme = issuer();
    let product = Emulator::start(|_| json(200, serde_json::json!({ "name": "ada" })));
    let sessions = tenant("sessions")
        .trusting(&acme)
        .checking_sessions(&product.url());
    let postern = Postern::with(sessions).start();
    tells(
        &explain(&postern, &["sessions", "--with-session"], ""),
        3,
        &["cannot tell without asking", "whose session that is"],
    );
    assert!(product.asked().is_empty());
    let cookie = Request::check("sessions", super::API).header("Cookie", "JSESSIONID=1");
    postern.ask(&cookie).passes_as("session");
    assert!(!product.asked().is_empty(), "a real check asks");
    says(&run_with(command(&postern, &["sessions"]), ""), 1, &[]);
}
