//! `postern explain`: why a call would pass or not, and why one did.

use std::{
    env,
    io::{self, IsTerminal as _, Read as _, Write as _},
    net::IpAddr,
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{
    Args,
    builder::styling::{AnsiColor, Effects, Style},
};
use serde::Serialize;
use url::Url;
use zeroize::Zeroizing;

use super::{account::shown, daemon::Daemon};
use crate::{
    clock::rfc3339,
    explain::{Explained, Outcome, Ruling, Verdict},
    http::explain::{Question, Remembered},
    tenant::TenantId,
};

/// The longest standard input: a token with its line end, and enough to tell that it is too long.
const MAX_INPUT: usize = 64 * 1024;
/// What it exits with where only somebody's answer would decide.
const NOT_ASKED: u8 = 3;

/// Why would this call be refused, or why was it?
///
/// Standard input is the credential: the whole value of Authorization (`Bearer …`, `Basic …`), or a bearer token
/// alone; a terminal, or nothing, is no credential. The daemon judges the call as it would a real one and prints each
/// step, but spends nothing (no rates, failures, last use, pins) and asks nobody: what only an issuer or the product
/// could tell stays open. With --request-id, what was decided of a request lately.
///
/// Exits with 0 if the call passes, with 1 if not, and with 3 if somebody would have to be asked.
#[derive(Debug, Args)]
#[command(
    override_usage = "postern explain [OPTIONS] <TENANT> < CREDENTIAL\n       postern explain [OPTIONS] --request-id <ID>"
)]
pub struct Explain {
    /// The tenant
    #[arg(required_unless_present = "request_id")]
    tenant: Option<TenantId>,

    /// The call's method
    #[arg(long, value_name = "M", default_value = "GET")]
    method: String,

    /// The call's path, with the context path and as the client sends it [default: the product's API]
    #[arg(long, value_name = "U")]
    uri: Option<String>,

    /// The client's address
    #[arg(long, value_name = "IP")]
    from: Option<IpAddr>,

    /// As if a session cookie of the product were sent, too
    #[arg(long)]
    with_session: bool,

    /// A past decision, by the id that the answer (Postern-Request-Id) and the log have
    #[arg(long, value_name = "ID", conflicts_with_all = ["tenant", "method", "uri", "from", "with_session"])]
    request_id: Option<String>,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let out = io::stdout();
        let colour = !self.json
            && out.is_terminal()
            && env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
        let mut page = Page {
            text: String::new(),
            colour,
        };
        let ruling = match (&self.request_id, &self.tenant) {
            (None, Some(tenant)) => {
                let explained = self.ask(tenant, colour)?;
                if self.json {
                    page.json(&explained)?;
                } else {
                    page.explained(&explained);
                }
                explained.verdict.decision
            }
            (request, _) => {
                let past = self.ask_past(request.as_deref().unwrap_or_default(), colour)?;
                if self.json {
                    page.json(&past)?;
                } else {
                    page.past(&past);
                }
                past.verdict.decision
            }
        };
        super::token::unless_hung_up(
            out.lock()
                .write_all(page.text.as_bytes())
                .map_err(anyhow::Error::from),
        )?;
        Ok(match ruling {
            Ruling::Allowed => ExitCode::SUCCESS,
            Ruling::Refused | Ruling::Unavailable => ExitCode::FAILURE,
            Ruling::NotAsked => ExitCode::from(NOT_ASKED),
        })
    }

    fn ask(&self, tenant: &TenantId, colour: bool) -> anyhow::Result<Explained> {
        let question = Question {
            method: self.method.clone(),
            uri: self.uri.clone(),
            from: self.from,
            authorization: authorization()?,
            session: self.with_session,
            colour,
        };
        let url = format!("http://postern/explain/{tenant}");
        self.daemon.ask(|client| client.post(url).json(&question))
    }

    fn ask_past(&self, request: &str, colour: bool) -> anyhow::Result<Remembered> {
        let mut url: Url = "http://postern/decision/".parse()?;
        url.path_segments_mut()
            .expect("http has segments")
            .pop_if_empty()
            .push(request);
        if colour {
            url.query_pairs_mut().append_pair("colour", "true");
        }
        self.daemon.ask(|client| client.get(url))
    }
}

/// What is printed for people, or for machines.
struct Page {
    text: String,
    colour: bool,
}

impl Page {
    fn json(&mut self, answer: &impl Serialize) -> anyhow::Result<()> {
        self.text = serde_json::to_string_pretty(answer)? + "\n";
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn explained(&mut self, explained: &Explained) {
        let call = call(
            &explained.method,
            explained.path.as_deref(),
            explained.address,
        );
        self.line(&format!("{call}, at {}\n", explained.tenant));
        for step in &explained.steps {
            let outcome = self.styled(style_of(step.outcome), &format!("{:14}", step.outcome));
            let place = match (&step.key, step.line) {
                (Some(_), Some(line)) if step.outcome != Outcome::NotApplicable => {
                    format!(" (line {line})")
                }
                _ => String::new(),
            };
            let (name, compared) = (&step.step, shown_line(&step.compared));
            self.line(&format!("{outcome}  {name}: {compared}{place}"));
        }
        self.line("");
        self.verdict(&explained.verdict);
    }

    fn past(&mut self, past: &Remembered) {
        let call = call(&past.method, past.path.as_deref(), past.address);
        let (tenant, at) = (&past.tenant, rfc3339(past.at));
        self.line(&format!(
            "{call}, at {tenant}, on {at}, request {}\n",
            past.request_id
        ));
        self.verdict(&past.verdict);
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let (word, colour) = match verdict.decision {
            Ruling::Allowed => ("allowed", AnsiColor::Green),
            Ruling::Refused => ("refused", AnsiColor::Red),
            Ruling::Unavailable => ("unavailable", AnsiColor::Yellow),
            Ruling::NotAsked => ("cannot tell without asking", AnsiColor::Yellow),
        };
        let word = self.styled(colour.on_default().effects(Effects::BOLD), word);
        let account = verdict.account.as_deref().map(shown);
        let as_whom = match (account, &verdict.method) {
            (Some(account), Some(method)) => format!(" as {account} ({method})"),
            (None, Some(method)) => format!(" ({method}): the product decides who it is"),
            (_, None) => String::new(),
        };
        let reason = match (&verdict.reason, verdict.status) {
            (Some(reason), Some(status)) => format!(" {status} {reason}"),
            _ => String::new(),
        };
        let message = match &*verdict.message {
            "" => String::new(),
            message => format!(": {}", shown_line(message)),
        };
        self.line(&format!("{word}{as_whom}{reason}{message}"));
        match (&verdict.cause, &verdict.way_out) {
            (Some(cause), _) => self.line(&format!("\n{}", cause.excerpt)),
            (None, Some(way_out)) => self.line(&format!("  = help: {way_out}")),
            (None, None) => {}
        }
    }
}

fn style_of(outcome: Outcome) -> Style {
    match outcome {
        Outcome::Passed => AnsiColor::Green.on_default(),
        Outcome::Refused => AnsiColor::Red.on_default(),
        Outcome::NotApplicable => Style::new().effects(Effects::DIMMED),
        Outcome::Unavailable | Outcome::NotAsked => AnsiColor::Yellow.on_default(),
    }
}

fn call(method: &str, path: Option<&str>, address: Option<IpAddr>) -> String {
    let path = path.map_or("(a path of several readings)".to_owned(), shown_line);
    let from = address.map_or_else(String::new, |address| format!(" from {address}"));
    format!("{method} {path}{from}")
}

/// A stranger's text on a terminal: whatever stands in it, it stays one line.
fn shown_line(text: &str) -> String {
    let plain = |letter: char| {
        if letter.is_control() {
            letter.escape_debug().to_string()
        } else {
            letter.to_string()
        }
    };
    text.chars().map(plain).collect()
}

/// The credential on standard input, as the header would have it.
fn authorization() -> anyhow::Result<Option<Zeroizing<String>>> {
    let input = io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    // As large as it can become: it leaves no copies behind as it grows.
    let mut text = Zeroizing::new(String::with_capacity(MAX_INPUT));
    input
        .take(MAX_INPUT as u64)
        .read_to_string(&mut text)
        .context("standard input is not text")?;
    let credential = text.trim_end_matches(['\r', '\n']);
    Ok(match credential {
        "" => None,
        whole if whole.contains(' ') => Some(Zeroizing::new(whole.to_owned())),
        token => Some(Zeroizing::new(format!("Bearer {token}"))),
    })
}
