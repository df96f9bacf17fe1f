//! See `main.rs`.

use serde_json::json;

use crate::harness::{Issuer, Postern, issuer, tenant};

fn token(issuer: &Issuer, subject: &str) -> String {
    issuer.token().subject(subject).sign()
}

/// The first rule of `username_map` that matches makes the name; a name that none matches is refused.
#[test]
fn the_first_rule_that_matches_makes_the_name() {
    let acme = issuer();
    let rules = r#"username_map = [
        { match = '^root@example\.com$', to = "nobody" },
        { match = '^(.+)@example\.com$', to = "$1" },
        { match = '^(?<user>[a-z]+)@(?<site>[a-z]+)\.example$', to = "${user}_$site" },
    ]"#;
    let postern = Postern::with(tenant("jira").trusting(&acme).with(rules)).start();
    for (subject, account) in [
        ("root@example.com", "nobody"),
        ("ada@example.com", "ada"),
        ("ada@berlin.example", "ada_berlin"),
    ] {
        postern
            .check("jira", &token(&acme, subject))
            .is_allowed_as(account);
    }
    for subject in [
        "ada",
        "ada@example.org",
        "@example.com",
        "Ada@berlin.example",
    ] {
        postern
            .check("jira", &token(&acme, subject))
            .is_refused(403, "no_username");
    }
}

/// What an expression leaves open before and after, a stranger can fill: `validate` says so, and anchors close it.
#[test]
fn anchors_are_what_keeps_strangers_out() {
    let acme = issuer();
    let with = |name: &str, pattern: &str| {
        let rule = format!("username_map = [{{ match = '{pattern}', to = \"$1\" }}]");
        tenant(name).trusting(&acme).with(&rule)
    };
    let postern = Postern::with(with("closed", r"^(\w+)@example\.com$"))
        .and(with("open", r"(\w+)@example\.com"))
        .start();
    let stranger = token(&acme, "ada@example.com.evil.example");
    postern
        .check("closed", &stranger)
        .is_refused(403, "no_username");
    postern.check("open", &stranger).is_allowed_as("ada");
    let warning = "this matches parts of a name, whatever stands before and after";
    let open = postern.validate(&with("open", r"(\w+)@example\.com"));
    assert!(open.contains(warning), "{open}");
    let closed = postern.validate(&with("closed", r"^(\w+)@example\.com$"));
    assert!(closed.contains("0 warnings"), "{closed}");
}

/// With several providers each may name its own accounts: a partner's can't say `admin`, in no spelling.
#[test]
fn a_partner_names_the_accounts_that_are_its_own() {
    let (acme, partner) = (issuer(), issuer());
    let both = tenant("jira")
        .trusting(&acme)
        .with("name = \"acme\"\naccounts = [\"*\"]")
        .trusting(&partner)
        .with("name = \"partner\"\naccounts = [\"ext-*\"]")
        .access("never = [\"root\"]");
    let postern = Postern::with(both).start();
    postern
        .check("jira", &token(&acme, "admin"))
        .is_allowed_as("admin");
    postern
        .check("jira", &token(&partner, "ext-bob"))
        .is_allowed_as("ext-bob");
    for subject in ["admin", "Admin", "bob", "xext-bob", "ext"] {
        postern
            .check("jira", &token(&partner, subject))
            .is_refused(403, "account_protected");
    }
    postern
        .until_logged("this provider may not name the account \"admin\"; `accounts` lists ext-*");
    // What nobody becomes, no provider's token becomes.
    for subject in ["root", "ROOT"] {
        postern
            .check("jira", &token(&acme, subject))
            .is_refused(403, "account_protected");
    }
    postern
        .check("jira", &token(&acme, "roots"))
        .is_allowed_as("roots");
}

/// What a rule makes of a name is what `accounts` and `never` are about.
#[test]
fn the_name_that_is_made_is_the_one_that_is_judged() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .with(
            "username_map = [{ match = '^(.+)@example\\.com$', to = \"$1\" }]\naccounts = [\"a*\"]",
        )
        .access("never = [\"admin\"]");
    let postern = Postern::with(file).start();
    postern
        .check("jira", &token(&acme, "ada@example.com"))
        .is_allowed_as("ada");
    postern
        .check("jira", &token(&acme, "admin@example.com"))
        .is_refused(403, "account_protected");
    postern
        .check("jira", &token(&acme, "bob@example.com"))
        .is_refused(403, "account_protected");
}

/// A machine's token is the account that `service_accounts` gives its client, whatever its claims say; a user's token
/// never is one of these accounts, whatever its claims say.
#[test]
fn machines_and_users_have_accounts_of_their_own() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .with("username = \"preferred_username\"\nservice_accounts = { ci-client = \"svc-ci\" }");
    let postern = Postern::with(file).start();
    let claims = |subject: &str, client: &str, name: &str| {
        let token = acme.token().subject(subject).claim("client_id", client);
        token.claim("preferred_username", name).sign()
    };
    postern
        .check("jira", &claims("ci-client", "ci-client", "admin"))
        .is_allowed_as("svc-ci");
    postern
        .check("jira", &claims("other-client", "other-client", "admin"))
        .is_refused(403, "no_username");
    // A person who uses that client stays a person.
    postern
        .check("jira", &claims("1", "ci-client", "ada"))
        .is_allowed_as("ada");
    for name in ["svc-ci", "SVC-CI"] {
        postern
            .check("jira", &claims("1", "ci-client", name))
            .is_refused(403, "account_protected");
    }
    postern
        .until_logged("is the account of a machine (service_accounts), and the token is a user's");
    postern
        .check("jira", &claims("1", "ci-client", "svc-cd"))
        .is_allowed_as("svc-cd");
}

/// Of several claims the first that is there names the account; one that is there and names nobody is not passed over.
#[test]
fn the_first_claim_that_is_there_counts() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .with("username = [\"email\", \"profile.login\", \"sub\"]");
    let postern = Postern::with(file).start();
    let ada = || acme.token().subject("ada");
    postern.check("jira", &ada().sign()).is_allowed_as("ada");
    let login = ada().claim("profile", json!({ "login": "lovelace" }));
    postern
        .check("jira", &login.sign())
        .is_allowed_as("lovelace");
    let email = || ada().claim("email", "ada@example.com");
    postern
        .check("jira", &email().claim("email_verified", true).sign())
        .is_allowed_as("ada@example.com");
    postern
        .check("jira", &email().sign())
        .is_refused(403, "no_username");
    let number = ada().claim("profile", json!({ "login": 7 }));
    postern
        .check("jira", &number.sign())
        .is_refused(403, "no_username");
}

/// The groups of several claims count together, wherever they lie; a claim of that whole name goes before a path.
#[test]
fn groups_lie_in_several_places() {
    let acme = issuer();
    let file = tenant("jira")
        .trusting(&acme)
        .with("groups = [\"groups\", \"realm_access.roles\", \"resource_access.jira.roles\"]")
        .access("allow_groups = [\"staff\"]");
    let postern = Postern::with(file).start();
    let with = |name: &str, value: serde_json::Value| acme.token().claim(name, value).sign();
    for (name, value) in [
        ("groups", json!(["staff", 7])),
        ("groups", json!("staff")),
        ("realm_access", json!({ "roles": ["x", "staff"] })),
        ("resource_access", json!({ "jira": { "roles": ["staff"] } })),
        ("realm_access.roles", json!(["staff"])),
    ] {
        postern
            .check("jira", &with(name, value))
            .is_allowed_as("ada");
    }
    for (name, value) in [
        ("groups", json!(["Staff", "staff "])),
        ("roles", json!(["staff"])),
        ("realm_access", json!({ "roles": { "staff": true } })),
        ("resource_access", json!({ "wiki": { "roles": ["staff"] } })),
    ] {
        postern
            .check("jira", &with(name, value))
            .is_refused(403, "not_in_group");
    }
}
