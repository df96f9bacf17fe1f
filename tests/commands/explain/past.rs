//! A past decision, by its request id.

use super::{command, says, stdout, tells, told};
use crate::{
    commands::run_with,
    harness::{Answer, Postern, Request, issuer, tenant},
};

fn id(answer: &Answer) -> &str {
    answer
        .header("postern-request-id")
        .expect("each answer has one")
}

/// A refusal has its reason and its line, an allowed call its account; neither has a query, nor the secret of a webhook.
#[test]
fn a_past_decision_is_found_by_its_request_id() {
    let acme = issuer();
    let postern = Postern::with(
        tenant("jira")
            .trusting(&acme)
            .access("allow_groups = [\"staff\"]"),
    )
    .start();
    let (staff, nobody) = (acme.token().groups(["staff"]).sign(), acme.token().sign());
    let asked = |token: &str| {
        let uri = "/rest/api/2/s%65arch?jql=project%3DSECRETS";
        postern.ask(&Request::check("jira", uri).bearer(token))
    };
    let (allowed, refused) = (asked(&staff), asked(&nobody));
    allowed.is_allowed_as("ada");
    refused.is_refused(403, "not_in_group");
    let explain = |arguments: &[&str]| run_with(command(&postern, arguments), "");

    let output = explain(&["--request-id", id(&refused)]);
    let words = [
        "GET /rest/api/2/search from 192.0.2.7, at jira",
        id(&refused),
        "refused 403 not_in_group: ada is in none of access.allow_groups (staff)",
        "allow_groups = [\"staff\"]",
        "help: put the account into one of the groups",
    ];
    tells(&output, 1, &words);
    assert!(!stdout(&output).contains("SECRETS"));

    let output = explain(&["--json", "--request-id", id(&allowed)]);
    tells(&output, 0, &[]);
    let past = told(&output);
    assert_eq!(past["tenant"], "jira");
    assert_eq!(past["path"], "/rest/api/2/search");
    assert_eq!(past["verdict"]["account"], "ada");
    assert_eq!(past["verdict"]["method"], "jwt");

    let hook = Request::check("jira", "/rest/cb-automation/latest/hooks/SECRETS")
        .replace("X-Original-Method", "POST");
    let passed = postern.ask(&hook);
    passed.passes_as("open");
    let output = explain(&["--request-id", id(&passed)]);
    tells(
        &output,
        0,
        &[
            "POST /rest/cb-automation/latest/hooks/ from",
            "allowed (open)",
        ],
    );
    assert!(!stdout(&output).contains("SECRETS"));
}

/// A path of several readings is not kept, since a query may stand in it. An id that nobody has is said to be none.
#[test]
fn what_is_not_kept_is_said() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let ambiguous = postern.ask(&Request::check(
        "jira",
        "/rest/api/2/..%2fmyself;jsessionid=SECRETS",
    ));
    ambiguous.is_refused(400, "ambiguous_path");
    let output = run_with(command(&postern, &["--request-id", id(&ambiguous)]), "");
    tells(
        &output,
        1,
        &["(a path of several readings)", "ambiguous_path"],
    );
    assert!(!stdout(&output).contains("SECRETS"));
    for unknown in ["0123456789abcdef0123456789abcdef", "../status", ""] {
        let output = run_with(command(&postern, &["--request-id", unknown]), "");
        assert_eq!(output.status.code(), Some(1), "{unknown:?}");
    }
    let output = run_with(command(&postern, &["--request-id", "nobodys"]), "");
    says(
        &output,
        1,
        &["no decision of the request \"nobodys\" is kept", "last 512"],
    );
    let both = run_with(command(&postern, &["jira", "--request-id", "x"]), "");
    says(&both, 2, &["cannot be used with"]);
}

/// Of refusals the last are kept, and calls that pass push none of them out.
#[test]
fn the_ring_is_bounded() {
    let acme = issuer();
    let postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let kept = postern::recent::KEPT;
    let mut stream = postern.connect();
    let page = Request::check("jira", "/browse/A-1");
    let refused = Request::check("jira", super::API);
    let first_page = page.send_on(&mut stream);
    let first = refused.send_on(&mut stream);
    let second = refused.send_on(&mut stream);
    let find = |answer: &Answer| {
        postern
            .admin(
                "GET",
                &format!("/decision/{}", id(answer)),
                &serde_json::json!({}),
            )
            .status
    };
    for _ in 0..kept {
        page.send_on(&mut stream);
    }
    assert_eq!((find(&first_page), find(&first)), (404, 200));
    for _ in 0..kept - 1 {
        refused.send_on(&mut stream);
    }
    assert_eq!((find(&first), find(&second)), (404, 200));
}
