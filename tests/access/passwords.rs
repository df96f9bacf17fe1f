//! See `../access.rs`.

use super::{API, Request, call, jira};

/// Refused or left to the product, without the cookies beside it.
#[test]
fn a_password_passes_where_the_file_says_so() {
    let request = || call("GET", API).session().basic("ada", "secret");
    let (_acme, postern) = jira("");
    let refused = postern.ask(&request());
    refused.is_refused(401, "password_not_allowed");
    let (_acme, postern) = jira("passwords = \"pass\"");
    let passed = postern.ask(&request());
    passed.passes_as("password");
    assert_eq!(passed.sends_on(), ("Basic YWRhOnNlY3JldA==", ""));
    // Wherever it is sent: a login on a page would make a session of it.
    let page = call("GET", "/browse/A-1").basic("ada", "secret");
    postern.ask(&page).passes_as("password");
}

/// From the office, and from nowhere else.
#[test]
fn passwords_may_pass_from_a_network() {
    let (_acme, postern) = jira("password_networks = [\"192.0.2.0/24\"]");
    let from = |address: &str| {
        let request = call("GET", API).basic("ada", "secret");
        postern.ask(&request.replace("X-Real-IP", address))
    };
    from("192.0.2.9").passes_as("password");
    from("::ffff:192.0.2.9").passes_as("password");
    from("198.51.100.9").is_refused(401, "password_not_allowed");
    let nowhere = call("GET", API).basic("ada", "secret").without("X-Real-IP");
    postern
        .ask(&nowhere)
        .is_refused(401, "password_not_allowed");
}

/// Of these accounts, in any case of letters, and of nobody else.
#[test]
fn passwords_of_an_account_may_pass() {
    let (_acme, postern) = jira("password_accounts = [\"svc-*\"]");
    let of = |user: &str| postern.ask(&call("GET", API).basic(user, "secret"));
    of("svc-ci").passes_as("password");
    of("SVC-CI").passes_as("password");
    of("ada").is_refused(401, "password_not_allowed");
    of("xsvc-ci").is_refused(401, "password_not_allowed");
}

/// Where both are written, both must hold.
#[test]
fn accounts_and_networks_narrow_one_another() {
    let (_acme, postern) =
        jira("password_networks = [\"192.0.2.0/24\"]\npassword_accounts = [\"svc-*\"]");
    let ask = |user: &str, address: &str| {
        let request = call("GET", API).basic(user, "secret");
        postern.ask(&request.replace("X-Real-IP", address))
    };
    ask("svc-ci", "192.0.2.9").passes_as("password");
    ask("svc-ci", "198.51.100.9").is_refused(401, "password_not_allowed");
    ask("ada", "192.0.2.9").is_refused(401, "password_not_allowed");
}

/// For the day on which no provider answers; loud, and bound by what binds everybody, since a name is only a name.
#[test]
fn break_glass_opens_for_passwords_and_nothing_else() {
    let (_acme, postern) = jira(
        "break_glass = [\"admin\"]\npassword_networks = [\"203.0.113.0/24\"]\ndeny_networks = [\"192.0.2.66\"]\n\
         [[access.rule]]\npath = \"/rest/vulnerable/**\"\neffect = \"deny\"\n",
    );
    let of = |user: &str| call("GET", API).basic(user, "secret");
    postern.ask(&of("Admin")).passes_as("password");
    postern.until_logged("break glass");
    postern
        .ask(&of("ada"))
        .is_refused(401, "password_not_allowed");
    let denied = of("admin").replace("X-Real-IP", "192.0.2.66");
    postern.ask(&denied).is_refused(403, "address_not_allowed");
    let ruled = call("GET", "/rest/vulnerable/x").basic("admin", "secret");
    postern.ask(&ruled).is_refused(403, "rule_denied");
    // Whose password a body holds, nobody sees.
    let channel = call("POST", "/rest/auth/1/session").basic("admin", "secret");
    postern
        .ask(&channel)
        .is_refused(401, "password_not_allowed");
}

/// A login in a body is a password as well, whatever else the request has.
#[test]
fn a_login_by_rest_or_remote_call_follows_passwords() {
    let (acme, closed) = jira("anonymous = \"pass\"");
    let (_other, open) = jira("passwords = \"pass\"");
    for (method, uri) in [
        ("POST", "/rest/auth/1/session"),
        ("POST", "/rest/auth/latest/session/"),
        ("POST", "/rest/auth/1/session.json"),
        ("PUT", "/rest/auth/1/session"),
        ("POST", "/rest/gadget/1.0/login"),
        ("POST", "/rpc/xmlrpc"),
        ("GET", "/rpc/soap/jirasoapservice-v2"),
    ] {
        let login = call(method, uri);
        closed.ask(&login).is_refused(401, "password_not_allowed");
        let with_session = login.clone().session();
        closed
            .ask(&with_session)
            .is_refused(401, "password_not_allowed");
        let with_token = login.clone().bearer(&acme.token().sign());
        closed
            .ask(&with_token)
            .is_refused(401, "password_not_allowed");
        open.ask(&login).passes_as("password");
    }
    let overridden = call("GET", "/rest/auth/1/session").header("X-HTTP-Method", "POST");
    closed
        .ask(&overridden)
        .is_refused(401, "password_not_allowed");
    // Asking whose session it is, and ending it, are no logins.
    for method in ["GET", "DELETE"] {
        let session = call(method, "/rest/auth/1/session").session();
        closed.ask(&session).passes_as("session");
    }
}

/// The exception for a network holds for bodies too; the one for accounts cannot.
#[test]
fn exceptions_for_bodies_are_by_network_only() {
    let login = || call("POST", "/rest/auth/1/session");
    let (_acme, by_network) = jira("password_networks = [\"192.0.2.0/24\"]");
    by_network.ask(&login()).passes_as("password");
    let elsewhere: Request = login().replace("X-Real-IP", "198.51.100.9");
    by_network
        .ask(&elsewhere)
        .is_refused(401, "password_not_allowed");
    let (_acme, by_account) = jira("password_accounts = [\"svc-ci\"]");
    let named = login().basic("svc-ci", "secret");
    by_account
        .ask(&named)
        .is_refused(401, "password_not_allowed");
}

/// The page on which people log in is theirs, also where it sends what they typed to a path of the API.
#[test]
fn the_login_page_stays_a_persons_business() {
    let (acme, postern) = jira("");
    postern
        .ask(&call("POST", "/login.jsp"))
        .passes_as("outside");
    let page = call("POST", "/rest/tsv/1.0/authenticate?os_authType=none");
    postern.ask(&page).passes_as("open");
    postern.ask(&page.clone().session()).passes_as("open");
    for uri in [
        "/rest/tsv/1.0/authenticate?os_authType=basic",
        "/rest/tsv/1.0/authenticate?os_authType=none&os_username=ada",
        "/rest/tsv/1.0/authenticate?os_username=ada&os_authType=none",
        "/rest/api/2/myself?os_authType=none",
        "/login.jsp?os_authType=none",
    ] {
        let request = call("POST", uri);
        postern.ask(&request).is_refused(400, "credential_in_query");
    }
    let with_token = page.bearer(&acme.token().sign());
    postern
        .ask(&with_token)
        .is_refused(400, "credential_in_query");
}
