//! Postern's own API tokens. How each is refused is in `refusals::api_tokens`, the commands are in `commands`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Postern, Request, basic, eventually, id_of, issuer, tenant};

mod issued;
mod storm;

/// What is revoked is refused by the very next check, on the connection on which it passed a moment ago.
#[test]
fn the_very_next_check_refuses_a_revoked_token() {
    let postern = Postern::with(tenant("jira").api_tokens("enabled = true")).start();
    let mut connection = postern.connect();
    for _ in 0..20 {
        let token = postern.issue("jira", "ada", json!({}));
        let check = Request::check("jira", "/rest/api/2/myself").bearer(&token);
        check.send_on(&mut connection).is_allowed_as("ada");
        postern.revoke(&token);
        check.send_on(&mut connection).is_refused(401, "revoked");
    }
}

/// A token reaches the product neither as itself nor beside a cookie, and says who and how.
#[test]
fn the_product_gets_the_owner_and_not_the_token() {
    let postern = Postern::with(tenant("jira").api_tokens("enabled = true")).start();
    let token = postern.issue("jira", "ada", json!({}));
    for authorization in [format!("Bearer {token}"), basic("ada", &token)] {
        let answer = postern.ask(
            &Request::check("jira", "/rest/api/2/myself")
                .header("Authorization", &authorization)
                .header("Cookie", "JSESSIONID=1"),
        );
        answer.is_allowed_as("ada");
        for (name, value) in [
            ("authorization", ""),
            ("cookie", ""),
            ("postern-method", "api-token"),
            ("postern-provider", ""),
            ("remote-groups", ""),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
    }
    postern.has_not_logged(&[&token[17..]]);
    assert!(
        postern.metric(
            "postern_decisions_total{outcome=\"allow\",reason=\"api-token\",tenant=\"jira\"}"
        ) > 1.0
    );
}

/// Accounts that nobody becomes, and groups that nobody knows, bind tokens of ours like those of a provider.
#[test]
fn the_tenants_policy_binds_api_tokens_too() {
    let acme = issuer();
    let plain = tenant("plain").trusting(&acme).api_tokens("enabled = true");
    let staff = plain
        .clone()
        .named("staff")
        .access("allow_groups = [\"staff\"]");
    let postern = Postern::with(plain.clone()).and(staff).start();
    let (adas, bobs) = (
        postern.issue("plain", "Ada", json!({})),
        postern.issue("plain", "bob", json!({})),
    );
    postern.check("plain", &adas).is_allowed_as("Ada");
    let of_staff = postern.issue("staff", "ada", json!({}));
    postern
        .check("staff", &of_staff)
        .is_refused(403, "not_in_group");
    let before = postern.generation("plain");
    postern.write(&plain.access("never = [\"ada\"]"));
    postern.until_generation_after("plain", before);
    postern
        .check("plain", &adas)
        .is_refused(403, "account_protected");
    postern.check("plain", &bobs).is_allowed_as("bob");
    let refused = postern.admin("POST", "/tokens/plain", &json!({ "owner": "ADA" }));
    assert_eq!(refused.status, 403, "{refused:?}");
}

/// While tokens are switched off all are refused, and they are good again afterwards: the file decides.
#[test]
fn the_switch_is_in_the_file() {
    let on = tenant("jira").api_tokens("enabled = true");
    let off = tenant("jira").api_tokens("enabled = false");
    let postern = Postern::with(on.clone()).start();
    let token = postern.issue("jira", "ada", json!({}));
    postern.check("jira", &token).is_allowed_as("ada");
    let before = postern.generation("jira");
    postern.write(&off);
    postern.until_generation_after("jira", before);
    postern.check("jira", &token).is_refused(401, "inactive");
    let before = postern.generation("jira");
    postern.write(&on);
    postern.until_generation_after("jira", before);
    postern.check("jira", &token).is_allowed_as("ada");
}

/// git's first request carries nothing, and git asks for a token only if Basic is what is wanted, and nothing else.
#[test]
fn on_gits_paths_the_only_challenge_is_basic() {
    let bitbucket = tenant("bitbucket")
        .product("bitbucket")
        .url("https://example.com/bitbucket")
        .api_tokens("enabled = true");
    let postern = Postern::with(bitbucket).start();
    let challenges = |uri: &str, authorization: Option<&str>| {
        let mut request = Request::check("bitbucket", uri);
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        let answer = postern.ask(&request);
        assert_eq!(answer.status, 401, "{answer:?}");
        let named = |(name, _): &&(String, String)| name == "www-authenticate";
        let found = answer.headers.iter().filter(named);
        found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let git = "/bitbucket/scm/p/r.git/info/refs?service=git-upload-pack";
    assert_eq!(challenges(git, None), ["Basic realm=\"postern\""]);
    assert_eq!(
        challenges(git, Some(&basic("ada", "pst_x"))),
        ["Basic realm=\"postern\""]
    );
    let rest = challenges("/bitbucket/rest/api/latest/projects", None);
    assert_eq!(rest, ["Bearer realm=\"postern\""]);
}

/// When and from where a token was last used is noted, without the check waiting for it, and not on each of them.
#[test]
fn the_last_use_is_noted_at_most_once_a_minute() {
    let mut postern = Postern::with(tenant("jira").api_tokens("enabled = true")).start();
    let (used, unused) = (
        postern.issue("jira", "ada", json!({})),
        postern.issue("jira", "ada", json!({})),
    );
    let last_use = |postern: &Postern, token: &str| {
        let answer = postern.admin("GET", "/tokens/jira?user=ADA", &json!({}));
        let page: Value = serde_json::from_str(&answer.body).expect("JSON");
        let tokens = page["tokens"].as_array().expect("a list");
        let of_it = tokens.iter().find(|listed| listed["id"] == id_of(token));
        of_it.expect("it is listed")["last_used"].clone()
    };
    let from = |address: &str| {
        let check = Request::check("jira", "/rest/api/2/myself").bearer(&used);
        postern.ask(&check.replace("X-Real-IP", address))
    };
    from("192.0.2.1").is_allowed_as("ada");
    eventually("the use is noted", || !last_use(&postern, &used).is_null());
    assert_eq!(last_use(&postern, &used)["address"], "192.0.2.1");
    from("192.0.2.2").is_allowed_as("ada");
    // What is refused is no use.
    let refused = Request::check("jira", "/rest/api/2/myself").bearer(&unused);
    let refused = refused.replace("X-Original-Method", "POST");
    postern.ask(&refused).is_refused(403, "insufficient_scope");
    postern.stop();
    postern.run();
    assert_eq!(last_use(&postern, &used)["address"], "192.0.2.1");
    assert!(last_use(&postern, &unused).is_null());
    let at = last_use(&postern, &used)["at"].as_u64().expect("a time");
    let minute = Duration::from_mins(1).as_secs();
    assert!(at.abs_diff(postern::clock::now()) <= minute);
}
