//! See `main.rs`. Every answer is compared with `openapi.json`: what is not described there is no right answer.

/// Bodies: too large, too slow, and not what they should be.
mod bodies;
/// What an answer is compared with.
mod described;
/// Who gets no token, and which tokens nobody gets.
mod refused;
/// From the first wish to the end of a token.
mod story;
/// What others say of the description.
mod valid;
/// A token is good for no more than what it was asked for with.
mod wider;

use std::io::Write as _;

use serde_json::{Value, json};

use crate::harness::{Answer, Issuer, Postern, Request, TenantFile, connect, issuer, tenant};

/// A Postern whose tenants let users issue their own tokens.
struct Site {
    acme: Issuer,
    postern: Postern,
}

impl Site {
    /// With this tenant and no other.
    fn of(tenant: impl FnOnce(&Issuer) -> TenantFile) -> Self {
        let acme = issuer();
        let postern = Postern::with(tenant(&acme)).start();
        Self { acme, postern }
    }

    /// With a tenant `jira`.
    fn start() -> Self {
        Self::of(|acme| open("jira", acme))
    }

    /// A provider's token.
    fn token(&self, user: &str) -> String {
        self.acme.token().subject(user).sign()
    }

    fn ask(&self, request: &Request, body: &str) -> Answer {
        self.ask_in(request, &[body])
    }

    /// With the body in chunks, or at once if it is one. Whoever has read enough answers and reads no more.
    fn ask_in(&self, request: &Request, chunks: &[&str]) -> Answer {
        let mut stream = connect(self.postern.address());
        let with = |name: &str, value: &str| request.clone().header(name, value);
        match chunks {
            [""] => request.write_to(&mut stream),
            [whole] => {
                with("Content-Length", &whole.len().to_string()).write_to(&mut stream);
                drop(stream.write_all(whole.as_bytes()));
            }
            chunks => {
                with("Transfer-Encoding", "chunked").write_to(&mut stream);
                for chunk in chunks {
                    drop(write!(stream, "{:x}\r\n{chunk}\r\n", chunk.len()));
                }
                drop(stream.write_all(b"0\r\n\r\n"));
            }
        }
        let answer = request.read_from(&mut stream);
        described::compare(request, &answer);
        answer
    }

    fn list(&self, token: &str) -> Answer {
        self.ask(&call("GET", "/self/tokens/jira").bearer(token), "")
    }

    fn issue(&self, token: &str, wanted: &Value) -> Answer {
        self.issue_at("jira", token, wanted)
    }

    fn issue_at(&self, tenant: &str, token: &str, wanted: &Value) -> Answer {
        let request = post(&format!("/self/tokens/{tenant}")).bearer(token);
        self.ask(&request, &wanted.to_string())
    }

    fn revoke(&self, token: &str, id: &str) -> Answer {
        self.ask(
            &call("DELETE", &format!("/self/tokens/jira/{id}")).bearer(token),
            "",
        )
    }

    /// The ids that a list shows.
    fn ids(&self, token: &str) -> Vec<String> {
        let listed = body_of(&self.list(token));
        let listed = listed["tokens"].as_array().expect("a list");
        listed.iter().map(|listed| text(&listed["id"])).collect()
    }
}

/// A tenant with self-service.
fn open(name: &str, acme: &Issuer) -> TenantFile {
    tenant(name)
        .trusting(acme)
        .api_tokens("enabled = true")
        .api_tokens("self_service = true")
}

/// As a proxy sends it.
fn call(method: &str, target: &str) -> Request {
    Request::new(method, target).header("X-Forwarded-For", "192.0.2.7")
}

fn post(target: &str) -> Request {
    call("POST", target).header("Content-Type", "application/json")
}

fn body_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// 201, and the token and its id.
#[track_caller]
fn issued(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 201, "{answer:?}");
    let made = body_of(answer);
    (text(&made["token"]), text(&made["id"]))
}

/// An error as it is described, and what it says.
#[track_caller]
fn refused(answer: &Answer, status: u16, error: &str) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = body_of(answer);
    assert_eq!(body["error"], error, "{answer:?}");
    text(&body["error_description"])
}

/// Refused by the judgement of calls, for that reason.
#[track_caller]
fn judged(answer: &Answer, status: u16, reason: &str) {
    answer.is_refused(status, reason);
    assert_eq!(body_of(answer)["error_description"], reason, "{answer:?}");
}

/// Nothing special.
fn any() -> Value {
    json!({ "description": "build server" })
}
