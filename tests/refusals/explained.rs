//! An explanation is no second judgement: what it says of a call is what the check then says.

use postern::decision::Unavailable::KeysPending;
use serde_json::{Value, json};

use super::{TABLE, row::World};
use crate::harness::{Answer, Request};

/// What came of a call, as a check and as an explanation tell it.
#[derive(Debug, PartialEq)]
enum Said {
    /// By that method, as that account or nobody.
    Passes(String, String),
    /// For that reason.
    Refused(String),
    /// It would have to ask.
    NotAsked,
}

/// The question that is this request's, if it can be asked so: with one credential in `Authorization` and no other
/// header that matters.
fn question(request: &Request) -> Option<(String, Value)> {
    let tenant = request.target.strip_prefix("/check/")?;
    let mut question = json!({});
    for (name, value) in &request.headers {
        let key = match name.to_ascii_lowercase().as_str() {
            "x-original-method" => "method",
            "x-original-uri" => "uri",
            "x-real-ip" => "from",
            "authorization" => "authorization",
            _ => return None,
        };
        if question.get(key).is_some()
            || (key == "from" && value.parse::<std::net::IpAddr>().is_err())
        {
            return None;
        }
        question[key] = value.as_str().into();
    }
    let whole = question.get("method").is_some() && question.get("uri").is_some();
    // A router would decode the name, as the check does not.
    let is_name = tenant.parse::<postern::tenant::TenantId>().is_ok();
    (whole && is_name && request.method == "GET").then(|| (tenant.to_owned(), question))
}

fn explained(world: &World, tenant: &str, question: &Value) -> Option<Said> {
    let answer = world
        .postern
        .admin("POST", &format!("/explain/{tenant}"), question);
    // A method that is none is no question, and where there is no tenant, or no good build of it, there is no check.
    if answer.status != 200 {
        assert!(matches!(answer.status, 400 | 404 | 503), "{answer:?}");
        return None;
    }
    let told: Value = serde_json::from_str(&answer.body).expect("JSON");
    let text = |name: &str| {
        told["verdict"][name]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    Some(match &*text("decision") {
        "allowed" => Said::Passes(text("method"), text("account")),
        "not_asked" => Said::NotAsked,
        _ => Said::Refused(text("reason")),
    })
}

fn checked(answer: &Answer) -> Said {
    let text = |name| answer.header(name).unwrap_or_default().to_owned();
    match answer.status {
        200 => Said::Passes(text("postern-method"), text("remote-user")),
        _ => Said::Refused(answer.reason().to_owned()),
    }
}

/// Over every row of the table that can be asked about. Where the explanation would have to ask, what the check was
/// answered is remembered, and the explanation after it says the same.
#[test]
fn an_explanation_says_what_the_check_says() {
    let world = World::start();
    let (mut compared, mut asked, mut wrong) = (0, 0, Vec::new());
    for row in TABLE.iter().flat_map(|rows| rows(&world)) {
        let before = question(&row.request)
            .and_then(|(tenant, question)| explained(&world, &tenant, &question));
        let check = checked(&world.ask(&row.request));
        let Some(mut explanation) = before else {
            continue;
        };
        compared += 1;
        if explanation == Said::NotAsked {
            asked += 1;
            let (tenant, question) = question(&row.request).expect("it was one before");
            explanation = explained(&world, &tenant, &question).expect("likewise");
            if explanation == Said::NotAsked && check == Said::Refused(KeysPending.word().into()) {
                continue;
            }
        }
        if explanation != check {
            wrong.push(format!(
                "{}: {explanation:?}, and the check {check:?}",
                row.what
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(compared > 300, "only {compared} rows were compared");
    assert!((1..30).contains(&asked), "{asked} would have asked");
}
