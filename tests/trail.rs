//! See `main.rs`. The log is read as machines read it: a JSON object a line.

/// Each kind of decision, and each field.
mod fields;
/// Which calls are told.
mod sampling;
/// What is never told, and what can't be forged.
mod secrets;

use serde_json::Value;

use crate::harness::{Answer, Postern, PosternBuilder, Request, TenantFile, until};

/// A daemon whose log is JSON, as verbose as it is by default.
fn told(tenant: TenantFile) -> PosternBuilder {
    let postern = Postern::with(tenant).env("RUST_LOG", "info");
    postern.flag("--log").flag("json")
}

/// A call to the tenant `jira`.
fn call(method: &str, uri: &str) -> Request {
    Request::check("jira", uri).replace("X-Original-Method", method)
}

impl Postern {
    /// The events of the trail, so far.
    fn trail(&self) -> Vec<Value> {
        let log = self.log();
        let lines = log
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"));
        lines.filter(|line| line["target"] == "decision").collect()
    }

    /// The one event about the request that was answered so.
    #[track_caller]
    fn event(&self, answer: &Answer) -> Value {
        let id = answer.header("postern-request-id").expect("an id");
        until("the decision is told", || {
            let mut events = self.trail();
            events.retain(|event| event["request.id"] == id);
            assert!(events.len() < 2, "{events:?}");
            events.pop()
        })
    }

    /// Asks for something that is always told, so that what was told before has come.
    fn settle(&self) {
        let last = self.ask(&Request::check("nobody", "/"));
        self.event(&last);
    }
}
