use super::{forged, from, limited, token};
use crate::harness::{Algorithm, Issuer, Postern, Request, SignWith, issuer, tenant};

const API: &str = "/rest/api/2/myself";

fn guarded(acme: &Issuer) -> Postern {
    let postern = Postern::with(limited(acme, "failures_per_address = \"2/h\"")).start();
    postern.until_keys("jira");
    postern
}

/// One bad script in an office: it is told to come again later, and everybody else behind the same address works on,
/// with tokens that were never seen before as well.
#[test]
fn an_office_is_not_locked_out_by_one_bad_script() {
    let (acme, mallory) = (issuer(), issuer());
    let postern = guarded(&acme);
    let office = "192.0.2.7";
    for _ in 0..2 {
        from(&postern, office, &forged(&mallory, &acme)).is_refused(401, "bad_signature");
    }
    for _ in 0..3 {
        from(&postern, office, &forged(&mallory, &acme)).is_refused(429, "too_many_failures");
        from(&postern, office, &token(&acme, "ada")).is_allowed_as("ada");
        from(&postern, office, &token(&acme, "bob")).is_allowed_as("bob");
    }
    from(&postern, "192.0.2.8", &forged(&mallory, &acme)).is_refused(401, "bad_signature");
    let log = postern.log();
    let said = "192.0.2.7/32 has used up rate_limit.failures_per_address (2/h); this failure is bad_signature: ";
    assert!(log.contains(said), "{log}");
}

/// Good credentials are not failures, however many there are.
#[test]
fn good_tokens_use_up_nothing() {
    let (acme, mallory) = (issuer(), issuer());
    let postern = guarded(&acme);
    for _ in 0..5 {
        from(&postern, "192.0.2.7", &token(&acme, "ada")).is_allowed_as("ada");
    }
    from(&postern, "192.0.2.7", &forged(&mallory, &acme)).is_refused(401, "bad_signature");
}

/// Each reason from an address of its own, three times where two are let through: what nobody issued is counted, and what
/// somebody merely uses wrongly is not.
#[test]
fn forged_and_unknown_credentials_count_and_others_do_not() {
    let (acme, mallory) = (issuer(), issuer());
    let postern = guarded(&acme);
    let bearer = |token: String| format!("Bearer {token}");
    let ada = || acme.token().claim("preferred_username", "ada");
    let unsigned = acme.sign_raw(
        SignWith::Nothing,
        r#"{"alg":"none"}"#,
        format!(r#"{{"iss":"{}"}}"#, acme.url()),
    );
    let counted = [
        ("malformed_token", "Bearer guess".to_owned()),
        ("malformed_token", "Bearer  two".to_owned()),
        ("unknown_issuer", bearer(mallory.token().sign())),
        ("bad_signature", bearer(forged(&mallory, &acme))),
        ("algorithm_not_allowed", bearer(unsigned)),
    ];
    let free = [
        ("expired", bearer(ada().expires_in(-3600).sign())),
        (
            "not_yet_valid",
            bearer(ada().claim("nbf", postern::clock::now() + 3600).sign()),
        ),
        ("wrong_audience", bearer(ada().audience("other").sign())),
        ("wrong_token_kind", bearer(ada().typ("logout+jwt").sign())),
        ("no_username", bearer(acme.token().sign())),
        ("password_not_allowed", "Basic YWRhOmFkYQ==".to_owned()),
        ("unsupported_scheme", "Negotiate YWRh".to_owned()),
    ];
    let all = counted.iter().map(|row| (row, true));
    let all = all.chain(free.iter().map(|row| (row, false)));
    for (number, ((reason, authorization), counts)) in all.enumerate() {
        let asked = Request::check("jira", API)
            .header("Authorization", authorization)
            .replace("X-Real-IP", &format!("198.51.100.{number}"));
        for _ in 0..2 {
            assert_eq!(postern.ask(&asked).reason(), *reason);
        }
        let third = if counts { "too_many_failures" } else { reason };
        assert_eq!(postern.ask(&asked).reason(), third, "after {reason}");
    }
    let nothing = Request::check("jira", API).replace("X-Real-IP", "198.51.100.99");
    for _ in 0..3 {
        postern.ask(&nothing).is_refused(401, "no_credential");
    }
}

/// A name of a key that the issuer does not have. It is asked once, and what it has not said yet is nobody's failure.
#[test]
fn an_unknown_key_counts_and_one_that_is_yet_to_be_asked_for_does_not() {
    let acme = issuer();
    let postern = Postern::with(limited(&acme, "failures_per_address = \"1/h\"")).start();
    postern.until_keys("jira");
    let of_key = |kid: &str| acme.token().kid(kid).sign();
    from(&postern, "192.0.2.7", &of_key("first")).is_refused(401, "unknown_key");
    for _ in 0..2 {
        from(&postern, "192.0.2.8", &of_key("second")).is_refused(503, "keys_pending");
    }
    from(&postern, "192.0.2.7", "guess").is_refused(429, "too_many_failures");
    from(&postern, "192.0.2.8", "guess").is_refused(401, "malformed_token");
}

/// What an issuer does not know is a guess, and what it knows passes at the same address.
#[test]
fn opaque_tokens_that_the_issuer_does_not_know_count() {
    let acme = issuer();
    let file = tenant("jira")
        .asking(&acme)
        .rate_limit("failures_per_address = \"1/h\"");
    let postern = Postern::with(file).start();
    from(&postern, "192.0.2.7", "guess-1").is_refused(401, "inactive");
    from(&postern, "192.0.2.7", "guess-2").is_refused(429, "too_many_failures");
    from(&postern, "192.0.2.7", &acme.token().opaque()).is_allowed_as("ada");
}

/// Whoever has one address of IPv6 has 2^64 of them; they are one. An IPv4 address is one however the proxy writes it.
#[test]
fn addresses_of_one_owner_are_one() {
    let acme = issuer();
    let postern = guarded(&acme);
    for same in [
        ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:8000::"],
        ["192.0.2.7", "::ffff:192.0.2.7", "::ffff:c000:207"],
    ] {
        from(&postern, same[0], "guess").is_refused(401, "malformed_token");
        from(&postern, same[1], "guess").is_refused(401, "malformed_token");
        from(&postern, same[2], "guess").is_refused(429, "too_many_failures");
    }
    for other in ["2001:db8:0:1::1", "192.0.2.8"] {
        from(&postern, other, "guess").is_refused(401, "malformed_token");
    }
}

/// What can't be counted is refused, be the token good. Behind every endpoint it is the client's address that counts, not
/// the proxy's.
#[test]
fn without_an_address_nothing_is_judged() {
    let acme = issuer();
    let postern = guarded(&acme);
    let good = token(&acme, "ada");
    let asked = Request::check("jira", API).bearer(&good);
    for address in ["unix:", "somewhere"] {
        from(&postern, address, &good).is_refused(400, "bad_check_request");
    }
    postern
        .ask(&asked.without("X-Real-IP"))
        .is_refused(400, "bad_check_request");
    let forwarded = |token: &str, address: &str| {
        Request::new("GET", "/forward-auth/jira")
            .header("X-Forwarded-Method", "GET")
            .header("X-Forwarded-Uri", API)
            .header("X-Forwarded-For", address)
            .bearer(token)
    };
    postern
        .ask(&forwarded(&good, "192.0.2.7"))
        .is_allowed_as("ada");
    postern
        .ask(&forwarded(&good, "192.0.2.7").without("X-Forwarded-For"))
        .is_refused(400, "bad_check_request");
    for (address, reason) in [
        ("192.0.2.7", "malformed_token"),
        ("192.0.2.7", "malformed_token"),
        ("192.0.2.8", "malformed_token"),
        ("192.0.2.7", "too_many_failures"),
    ] {
        let answer = postern.ask(&forwarded("guess", address));
        assert_eq!(answer.reason(), reason, "{address}");
    }
}

/// The tenant that counts does not count for its neighbour.
#[test]
fn a_neighbour_counts_its_own_failures() {
    let acme = issuer();
    let jira = limited(&acme, "failures_per_address = \"1/h\"");
    let postern = Postern::with(jira.clone()).and(jira.named("wiki")).start();
    for tenant in ["jira", "wiki"] {
        postern
            .check(tenant, "guess")
            .is_refused(401, "malformed_token");
        postern
            .check(tenant, "guess")
            .is_refused(429, "too_many_failures");
    }
}

/// Failures of all kinds are counted together.
#[test]
fn a_locked_out_address_is_locked_out_for_every_kind_of_forgery() {
    let (acme, mallory) = (issuer(), issuer());
    let postern = guarded(&acme);
    let es256 = acme.kid(Algorithm::Es256);
    let attempts = ["guess".to_owned(), mallory.token().sign()];
    for attempt in &attempts {
        assert_eq!(from(&postern, "192.0.2.7", attempt).status, 401);
    }
    let tampered = mallory.token().claim("iss", acme.url()).kid(es256).sign();
    for attempt in attempts.iter().chain([&tampered]) {
        from(&postern, "192.0.2.7", attempt).is_refused(429, "too_many_failures");
    }
}
