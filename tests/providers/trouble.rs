//! What a provider's API may do instead of answering: told once for those that are asked about each token.

use crate::harness::{
    Postern,
    emulator::{Asked, Emulator, Reply, json},
};

/// A tenant `jira`, and the API that it asks about tokens.
pub struct Trouble<'a> {
    pub postern: &'a Postern,
    pub api: &'a Emulator,
    /// How the API answers about every token while nothing is the matter.
    pub honest: fn(&Asked) -> Reply,
    /// How opaque tokens start, and whose these are.
    pub prefix: &'a str,
    pub account: &'a str,
}

impl Trouble<'_> {
    /// Nothing that is not understood is a yes, or a no. Afterwards all is as before.
    pub fn is_an_outage(&self, replies: Vec<Reply>) {
        for (at, reply) in replies.into_iter().enumerate() {
            let shown = format!("{reply:?}");
            self.api.answer(move |_| reply.clone());
            let answer = self
                .postern
                .check("jira", &format!("{}trouble{at}", self.prefix));
            assert_eq!(
                (answer.status, answer.reason()),
                (503, "issuer_unavailable"),
                "{shown:.200}: {answer:?}"
            );
            self.api.answer(self.honest);
            self.postern
                .check("jira", &format!("{}calm{at}", self.prefix))
                .is_allowed_as(self.account);
        }
    }

    /// A web server's own errors, other documents, broken and endless ones, and silence.
    pub fn of_all_kinds_is_an_outage(&self) {
        let typed = |kind: &str, body: &str| {
            Reply::Full(200, vec![("Content-Type", kind.to_owned())], body.into())
        };
        let elsewhere = vec![("Location", "http://127.0.0.1:9/".to_owned())];
        self.is_an_outage(vec![
            json(500, "{}"),
            Reply::Full(502, Vec::new(), "<html>".into()),
            Reply::Full(302, elsewhere, String::new()),
            typed("text/html", "<html>Sign in to the Wi-Fi</html>"),
            json(200, "{\"ok\":tr"),
            json(200, "[]"),
            json(200, "{}"),
            json(200, "null"),
            json(200, format!("{{\"x\":\"{}\"}}", "x".repeat(300 * 1024))),
            Reply::Hang,
        ]);
    }

    /// Our calls stop for as long as the API asks for, and callers are told. The last thing to do: the pause stays.
    pub fn is_left_alone(&self, limit: Reply, seconds: u64) {
        self.api.answer(move |_| limit.clone());
        let told = |token: &str| {
            let answer = self
                .postern
                .check("jira", &format!("{}{token}", self.prefix));
            answer.is_refused(503, "issuer_unavailable");
            let after = answer.header("retry-after").expect("Retry-After");
            after.parse::<u64>().expect("seconds")
        };
        assert_eq!(told("limited"), seconds);
        let calls = self.api.asked().len();
        self.api.answer(self.honest);
        let left = told("waiting");
        assert!((1..=seconds).contains(&left), "{left}");
        assert_eq!(self.api.asked().len(), calls);
    }
}
