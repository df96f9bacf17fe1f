use base64::{Engine as _, engine::general_purpose::STANDARD};
use postern::api_tokens::text;

use super::limited;
use crate::harness::{Answer, Postern, Request, TenantFile, issuer};

/// A daemon whose tenant takes API tokens besides.
fn with_api_tokens(file: TenantFile) -> Postern {
    Postern::with(file.top("api_tokens = { enabled = true }")).start()
}

fn issue(postern: &Postern, user: &str) -> String {
    let output = postern.cli(&["token", "issue", "jira", user, "--expires", "1d"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let token = String::from_utf8(output.stdout).expect("it is text");
    token.trim_end().to_owned()
}

/// As git and curl send it.
fn basic(postern: &Postern, user: &str, token: &str) -> Answer {
    let pair = STANDARD.encode(format!("{user}:{token}"));
    let asked = Request::check("jira", "/rest/api/2/myself");
    postern.ask(&asked.header("Authorization", &format!("Basic {pair}")))
}

/// A token is one token, however it is sent; its owner's others are others.
#[test]
fn an_api_token_has_one_rate_in_bearer_and_basic() {
    let acme = issuer();
    let postern = with_api_tokens(limited(&acme, "per_token = \"2/h\""));
    let (token, other) = (issue(&postern, "ada"), issue(&postern, "ada"));
    postern.check("jira", &token).is_allowed_as("ada");
    basic(&postern, "ada", &token).is_allowed_as("ada");
    postern
        .check("jira", &token)
        .is_refused(429, "rate_limited");
    basic(&postern, "", &token).is_refused(429, "rate_limited");
    basic(&postern, "ada", &other).is_allowed_as("ada");
}

/// A user is the same user with a provider's token and with one of ours.
#[test]
fn an_api_token_spends_its_owners_rate() {
    let acme = issuer();
    let postern = with_api_tokens(limited(&acme, "per_user = \"1/h\""));
    let api_token = issue(&postern, "Ada");
    postern
        .check("jira", &super::token(&acme, "ada"))
        .is_allowed_as("ada");
    postern
        .check("jira", &api_token)
        .is_refused(429, "rate_limited");
}

/// Guesses at API tokens are counted: right form and unknown id, right id and wrong secret, a typo. What was ours and is
/// revoked, or is sent under another name, is not; and a good one passes beside them all.
#[test]
fn guesses_at_api_tokens_count_and_revoked_ones_do_not() {
    let acme = issuer();
    let postern = with_api_tokens(limited(&acme, "failures_per_address = \"3/h\""));
    let (good, revoked) = (issue(&postern, "ada"), issue(&postern, "ada"));
    let id = revoked["pst_".len()..].split('_').next().expect("an id");
    assert!(postern.cli(&["token", "revoke", id]).status.success());
    for _ in 0..5 {
        postern.check("jira", &revoked).is_refused(401, "revoked");
        basic(&postern, "bob", &good).is_refused(401, "not_owner");
    }
    let typo = format!("{good}x");
    let guessed_secret = text::with_id(id.parse().expect("an id")).0;
    let guessed_id = text::new().0;
    for (guess, reason) in [
        (&*typo, "malformed_token"),
        (guessed_secret.expose(), "inactive"),
        (guessed_id.expose(), "inactive"),
    ] {
        postern.check("jira", guess).is_refused(401, reason);
    }
    for guess in [&*typo, guessed_secret.expose(), guessed_id.expose()] {
        postern
            .check("jira", guess)
            .is_refused(429, "too_many_failures");
    }
    postern.check("jira", &revoked).is_refused(401, "revoked");
    postern.check("jira", &good).is_allowed_as("ada");
}
