//! Tokens for many: several requests in flight, and the answers in the order of the names.

use std::{collections::VecDeque, io, process::ExitCode};

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;
use url::Url;

use super::{
    names,
    sheet::{Form, Sheet},
    unseen,
};
use crate::{
    api_tokens::Wanted,
    cli::{
        account::shown,
        daemon::{Line, is_unreachable},
        token::outcome,
    },
    http::tokens::Made,
};

/// The most requests that are not answered yet. The daemon writes what waits for it in one flush, so that many at once
/// cost the disk what one does.
const IN_FLIGHT: usize = 32;

const COUNTING: &str = "{spinner} {pos} done, {per_sec}{msg}";
const KNOWN: &str = "{bar:40} {pos} of {len}, {per_sec}, {eta} left{msg}";

/// A name, its line, and what became of it.
struct Asked {
    number: u64,
    name: String,
    answer: JoinHandle<anyhow::Result<Made>>,
}

/// Issues a token as `wanted` for each name on standard input.
pub async fn issue(
    line: &Line,
    url: &Url,
    wanted: &Wanted,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let progress = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    progress.set_style(style(COUNTING));
    let mut batch = Batch {
        sheet: Sheet::new(form, true, io::stdout()),
        progress: progress.clone(),
        last: 0,
        issued: 0,
        failed: 0,
        over: None,
    };
    let mut names = names::read(move |count| {
        progress.set_length(count);
        progress.set_style(style(KNOWN));
    });
    let mut asked: VecDeque<Asked> = VecDeque::new();
    loop {
        tokio::select! {
            Some(read) = names.recv(), if batch.over.is_none() && asked.len() < IN_FLIGHT => {
                match read {
                    Ok(names::Line { number, name }) => {
                        batch.last = number;
                        let answer = ask(line, url, wanted, name.clone());
                        let name = name.unwrap_or_default();
                        asked.push_back(Asked { number, name, answer });
                    }
                    Err(error) => batch.over = Some(anyhow!("standard input can't be read: {error}")),
                }
            }
            answer = first(&mut asked), if !asked.is_empty() => {
                if let Some(Asked { number, name, .. }) = asked.pop_front() {
                    batch.take(number, &name, answer);
                }
            }
            else => break,
        }
    }
    Ok(batch.end())
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are right")
}

/// Asks for it, or answers at once for a line that holds no name.
fn ask(
    line: &Line,
    url: &Url,
    wanted: &Wanted,
    name: Result<String, &'static str>,
) -> JoinHandle<anyhow::Result<Made>> {
    let (line, url) = (line.clone(), url.clone());
    let mut wanted = wanted.clone();
    tokio::spawn(async move {
        wanted.owner = Some(name.map_err(anyhow::Error::msg)?);
        line.ask(|client| client.post(url).json(&wanted)).await
    })
}

/// The answer to the name that was asked for first. Whoever does not wait for it loses nothing.
async fn first(asked: &mut VecDeque<Asked>) -> anyhow::Result<Made> {
    match asked.front_mut() {
        Some(asked) => (&mut asked.answer).await?,
        None => std::future::pending().await,
    }
}

struct Batch {
    sheet: Sheet<io::Stdout>,
    progress: ProgressBar,
    /// The line of the last name that was asked for.
    last: u64,
    issued: u64,
    failed: u64,
    /// Why no more names are asked for.
    over: Option<anyhow::Error>,
}

impl Batch {
    fn take(&mut self, number: u64, name: &str, answer: anyhow::Result<Made>) {
        match answer {
            Ok(made) => self.show(&made),
            Err(error) => {
                self.failed += 1;
                let name = shown(name);
                self.tell(&format!("line {number}: {name}: {error:#}"));
                self.progress
                    .set_message(format!(", {} failed", self.failed));
                if is_unreachable(&error) {
                    let lost = || {
                        anyhow!(
                            "the daemon was lost; postern token list shows whether those names have a token that you did not see"
                        )
                    };
                    self.over.get_or_insert_with(lost);
                }
            }
        }
        self.progress.inc(1);
    }

    fn show(&mut self, made: &Made) {
        let written = self.progress.suspend(|| self.sheet.write(made));
        match written {
            Ok(()) => self.issued += 1,
            Err(error) => {
                self.failed += 1;
                // Those that are on their way come here as well.
                self.tell(&unseen(made));
                let broken = || anyhow!("standard output can't be written: {error}");
                self.over.get_or_insert_with(broken);
            }
        }
    }

    fn tell(&self, text: &str) {
        self.progress.suspend(|| eprintln!("postern: {text}"));
    }

    fn end(mut self) -> ExitCode {
        self.progress.finish_and_clear();
        if let Some(error) = self.over {
            self.failed = self.failed.max(1);
            eprintln!(
                "postern: {error:#}; no name behind line {} was asked for",
                self.last
            );
        }
        eprintln!("{} tokens issued, {} failed", self.issued, self.failed);
        outcome(self.issued, self.failed)
    }
}
