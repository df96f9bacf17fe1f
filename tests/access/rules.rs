//! See `../access.rs`. Each kind of rule has a pair of calls that differ in one thing.

use super::{API, Postern, TenantFile, call, issuer, jira, tenant};

const NOBODY_WRITES: &str = "[[access.rule]]
path = \"/rest/api/2/user/**\"
methods = [\"POST\", \"DELETE\"]
effect = \"deny\"
";

/// A rule that needs no identity binds every way to pass.
#[test]
fn a_rule_denies_everybody_however_they_come() {
    let (acme, postern) = jira(&format!(
        "anonymous = \"pass\"\npasswords = \"pass\"\nproduct_tokens = \"pass\"\npass_schemes = [\"Negotiate\"]\n\
         public = [\"/rest/api/2/user/**\"]\n{NOBODY_WRITES}[[access.rule]]\npath = \"/secure/admin/**\"\neffect = \"deny\"\n"
    ));
    let token = acme.token().sign();
    let ways = |method: &str, uri: &str| {
        [
            call(method, uri),
            call(method, uri).session(),
            call(method, uri).bearer(&token),
            call(method, uri).bearer("opaque"),
            call(method, uri).basic("ada", "secret"),
            call(method, uri).header("Authorization", "Negotiate abc"),
            call(method, uri).header("Authorization", super::links::SIGNED),
        ]
    };
    for request in ways("POST", "/rest/api/2/user/x") {
        postern.ask(&request).is_refused(403, "rule_denied");
    }
    for request in ways("GET", "/secure/admin/ViewUsers.jspa") {
        postern.ask(&request).is_refused(403, "rule_denied");
    }
    for request in ways("GET", "/rest/api/2/user/x") {
        assert_eq!(postern.ask(&request).status, 200, "{request:?}");
    }
    for request in ways("GET", "/secure/Dashboard.jspa") {
        assert_eq!(postern.ask(&request).status, 200, "{request:?}");
    }
}

/// Members of one of the groups, and nobody else; on paths that the rule is not about, anybody.
#[test]
fn a_rule_lets_by_members_of_its_groups() {
    let (acme, postern) = jira(
        "[[access.rule]]\npath = \"/rest/api/2/user/**\"\ngroups = [\"admins\", \"owners\"]\n",
    );
    let (owner, other) = (
        acme.token().groups(["owners"]).sign(),
        acme.token().groups(["others"]).sign(),
    );
    let at = |uri: &str, token: &str| postern.ask(&call("GET", uri).bearer(token));
    let allowed = at("/rest/api/2/user/x", &owner);
    allowed.is_allowed_as("ada");
    // The file names the group, so that the product hears of it.
    assert_eq!(allowed.header("remote-groups"), Some("owners"));
    at("/rest/api/2/user/x", &other).is_refused(403, "not_in_group");
    at(API, &other).is_allowed_as("ada");
    let said = "ada is in none of the groups of access.rule[0] (admins, owners)";
    assert!(postern.log().contains(said), "{}", postern.log());
}

/// All of the scopes, in whichever claim an issuer writes them.
#[test]
fn a_rule_asks_for_all_of_its_scopes() {
    let (acme, postern) = jira(
        "[[access.rule]]\npath = \"/rest/api/2/user/**\"\nscopes = [\"jira:read\", \"jira:admin\"]\n",
    );
    let at = |token: &str| postern.ask(&call("GET", "/rest/api/2/user").bearer(token));
    let scp = |value: serde_json::Value| acme.token().without("scope").claim("scp", value).sign();
    for token in [
        acme.token().scope("openid jira:admin jira:read").sign(),
        scp(serde_json::json!(["jira:read", "jira:admin"])),
        scp("jira:read jira:admin".into()),
    ] {
        at(&token).is_allowed_as("ada");
    }
    for token in [
        acme.token().scope("openid jira:admin jira:reader").sign(),
        acme.token().scope("jira:read,jira:admin").sign(),
        acme.token().scope("JIRA:READ JIRA:ADMIN").sign(),
        scp(serde_json::json!(["jira:read"])),
        acme.token().without("scope").sign(),
    ] {
        let refused = at(&token);
        refused.is_refused(403, "insufficient_scope");
        let challenge = refused.header("www-authenticate").unwrap_or_default();
        assert!(
            challenge.contains("error=\"insufficient_scope\""),
            "{challenge}"
        );
    }
}

/// Who proved it can matter: a partner's people do not get where ours do.
#[test]
fn a_rule_asks_for_a_provider() {
    let (ours, theirs) = (issuer(), issuer());
    let file = tenant("jira").trusting(&ours).with("name = \"ours\"");
    let file = file.trusting(&theirs).with("name = \"theirs\"");
    let rule = "[[access.rule]]\npath = \"/rest/api/2/user/**\"\nproviders = [\"ours\"]\n";
    let postern = Postern::with(file.access(rule)).start();
    let at = |uri: &str, token: &str| postern.ask(&call("GET", uri).bearer(token));
    let stranger = theirs.token().subject("eve").sign();
    at("/rest/api/2/user", &ours.token().sign()).is_allowed_as("ada");
    at("/rest/api/2/user", &stranger).is_refused(403, "rule_denied");
    at(API, &stranger).is_allowed_as("eve");
}

/// Every rule that a call falls under holds, wherever it stands; and denying wins over letting by.
#[test]
fn all_rules_hold_and_denying_wins() {
    let (acme, postern) = jira(
        "[[access.rule]]\npath = \"/rest/api/2/project/**\"\ngroups = [\"staff\"]\n\
         [[access.rule]]\npath = \"/rest/**\"\nmethods = [\"DELETE\"]\nscopes = [\"delete\"]\n\
         [[access.rule]]\npath = \"/rest/api/2/project/SECRET/**\"\ngroups = [\"interns\"]\neffect = \"deny\"\n",
    );
    let token = |groups: &[&str], scope: &str| {
        let token = acme.token().groups(groups.iter().copied());
        token.scope(scope).sign()
    };
    let at = |method: &str, project: &str, token: &str| {
        let uri = format!("/rest/api/2/project/{project}");
        postern.ask(&call(method, &uri).bearer(token))
    };
    at("DELETE", "A", &token(&["staff"], "delete")).is_allowed_as("ada");
    at("DELETE", "A", &token(&["staff"], "read")).is_refused(403, "insufficient_scope");
    at("DELETE", "A", &token(&["guests"], "delete")).is_refused(403, "not_in_group");
    at("GET", "SECRET", &token(&["staff"], "read")).is_allowed_as("ada");
    at("GET", "SECRET", &token(&["staff", "interns"], "read")).is_refused(403, "rule_denied");
    at("GET", "A", &token(&["staff", "interns"], "read")).is_allowed_as("ada");
}

/// A rule is about what the product would do, whatever it is called by.
#[test]
fn a_rule_cannot_be_walked_around_by_another_name() {
    let (acme, postern) = jira(NOBODY_WRITES);
    let token = acme.token().sign();
    for uri in [
        "/rest/api/2/user",
        "/rest/api/2/user/",
        "/rest/api/2/user.json",
        "/rest/api/latest/user/x",
        "/s/x/_/rest/api/2/user",
        "/%72est/api/2/%75ser",
    ] {
        let denied = |request| postern.ask(&request).reason() == "rule_denied";
        let post = call("POST", uri).bearer(&token);
        assert!(denied(post), "{uri}");
        let overridden = call("GET", uri).header("X-HTTP-Method-Override", "delete");
        assert!(denied(overridden.bearer(&token)), "{uri}");
        postern
            .ask(&call("GET", uri).bearer(&token))
            .is_allowed_as("ada");
    }
}

/// What asks for an identity cannot be asked of those who have none here: the product knows whose session it is.
#[test]
fn a_rule_about_groups_leaves_sessions_to_the_product() {
    let (acme, postern) =
        jira("[[access.rule]]\npath = \"/rest/api/2/user/**\"\ngroups = [\"admins\"]\n");
    let user = call("GET", "/rest/api/2/user");
    postern.ask(&user.clone().session()).passes_as("session");
    let token = acme.token().sign();
    postern
        .ask(&user.bearer(&token))
        .is_refused(403, "not_in_group");
}

/// Rules are judged on every request: a token that was verified a moment ago meets the rule that was just written.
#[test]
fn a_new_rule_counts_for_a_token_seen_before() {
    let acme = issuer();
    let file: TenantFile = tenant("jira").trusting(&acme);
    let postern = Postern::with(file.clone()).start();
    postern.until_keys("jira");
    let request = call("GET", "/rest/api/2/user").bearer(&acme.token().sign());
    postern.ask(&request).is_allowed_as("ada");
    let before = postern.generation("jira");
    postern.write(&file.access("[[access.rule]]\npath = \"/rest/api/2/user\"\nscopes = [\"x\"]\n"));
    postern.until_generation_after("jira", before);
    postern.ask(&request).is_refused(403, "insufficient_scope");
}
