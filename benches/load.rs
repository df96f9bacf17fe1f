//! The load: keep-alive connections that each send the next request as soon as the last is answered. Bytes by
//! hand, so that the load costs less than what it loads.

use std::{
    cell::Cell,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::{JoinSet, LocalSet},
};

use crate::process::{Cores, Running};

/// Tells this binary to be the load.
pub const WORD: &str = "load";

/// How many connections a proxy keeps.
const CONNECTIONS: usize = 32;
/// However slow a server is, a round ends after so long.
const LIMIT: Duration = Duration::from_secs(30);

/// One round; the standard input of the process.
#[derive(Debug, Serialize, Deserialize)]
pub struct Round {
    /// Where the server listens.
    pub address: String,
    /// Its endpoint, like `/check/jira`.
    pub target: String,
    /// A file with a token a line.
    pub tokens: PathBuf,
    /// How long, or how many.
    pub length: Length,
    /// Every connection's first answer must have these headers.
    pub headers: Vec<String>,
}

/// When a round is over.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum Length {
    /// After so many seconds; tokens are used again and again.
    Seconds(f64),
    /// After so many tokens, each used once.
    Tokens(usize),
}

/// What a round came to; the standard output of the process.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Outcome {
    /// Answered 200.
    pub answers: u32,
    /// From the first request to the last answer.
    pub seconds: f64,
}

impl Round {
    /// Runs it on the load's core.
    pub fn run(&self, cores: Cores) -> anyhow::Result<Outcome> {
        let mut command = Command::new(crate::myself()?);
        command
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut load = Running::start(&mut command, Some(cores.load))?;
        let mut input = load.0.stdin.take().context("it is piped")?;
        input.write_all(&serde_json::to_vec(self)?)?;
        drop(input);
        let output = load.0.stdout.take().context("it is piped")?;
        serde_json::from_reader(output)
            .with_context(|| format!("the load on {} failed", self.target))
    }

    fn requests(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let requests: Vec<_> = fs::read_to_string(&self.tokens)?
            .lines()
            .map(|token| request(&self.target, token))
            .collect();
        ensure!(
            !requests.is_empty(),
            "{} is empty",
            Path::new(&self.tokens).display()
        );
        Ok(requests)
    }
}

/// As nginx asks when `curl` calls.
pub fn request(target: &str, token: &str) -> Vec<u8> {
    format!(
        "GET {target} HTTP/1.1\r\nHost: postern\r\nX-Original-Method: GET\r\nX-Original-URI: /rest/api/2/myself\r\n\
         X-Real-IP: 192.0.2.7\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}

/// What the connections share.
struct Work {
    round: Round,
    requests: Vec<Vec<u8>>,
    next: Cell<usize>,
    end: Instant,
}

impl Work {
    fn next(&self) -> Option<&[u8]> {
        let at = self.next.get();
        let more = match self.round.length {
            Length::Seconds(_) => Instant::now() < self.end,
            Length::Tokens(count) => at < count.min(self.requests.len()),
        };
        self.next.set(at + 1);
        more.then(|| self.requests[at % self.requests.len()].as_slice())
    }
}

/// The process itself.
pub fn generate() -> anyhow::Result<()> {
    let round: Round = serde_json::from_reader(std::io::stdin())?;
    let requests = round.requests()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let connections = async {
        let started = Instant::now();
        let end = started
            + match round.length {
                Length::Seconds(seconds) => Duration::from_secs_f64(seconds),
                Length::Tokens(_) => LIMIT,
            };
        let work = Rc::new(Work {
            round,
            requests,
            next: Cell::new(0),
            end,
        });
        let mut connections = JoinSet::new();
        // Asleep, the load would have to be woken by the server for each answer, at the server's expense.
        let awake = tokio::task::spawn_local(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        for _ in 0..CONNECTIONS {
            connections.spawn_local(connection(Rc::clone(&work)));
        }
        let mut answers = 0;
        while let Some(done) = connections.join_next().await {
            answers += done??;
        }
        awake.abort();
        Ok(Outcome {
            answers,
            seconds: started.elapsed().as_secs_f64(),
        })
    };
    let connections = async { tokio::time::timeout(LIMIT, connections).await };
    let outcome: anyhow::Result<Outcome> = LocalSet::new()
        .block_on(&runtime, connections)
        .context("it took too long")?;
    println!("{}", serde_json::to_string(&outcome?)?);
    Ok(())
}

async fn connection(work: Rc<Work>) -> anyhow::Result<u32> {
    let mut stream = TcpStream::connect(&work.round.address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 8 * 1024];
    let mut answers = 0;
    while let Some(request) = work.next() {
        stream.write_all(request).await?;
        let mut filled = 0;
        // The answer to a check has no body.
        while !buffer[..filled].ends_with(b"\r\n\r\n") {
            match stream.read(&mut buffer[filled..]).await? {
                0 => bail!("the server closed a connection after {answers} answers"),
                more => filled += more,
            }
        }
        if !buffer.starts_with(b"HTTP/1.1 200 ") {
            let answer = String::from_utf8_lossy(&buffer[..filled]);
            bail!("not 200 after {answers} answers of a connection:\n{answer}");
        }
        if answers == 0 {
            has_headers(&buffer[..filled], &work.round.headers)?;
        }
        answers += 1;
    }
    Ok(answers)
}

fn has_headers(answer: &[u8], names: &[String]) -> anyhow::Result<()> {
    let found: Vec<_> = parse(answer)?.into_iter().map(|(name, _)| name).collect();
    match names.iter().find(|name| !found.contains(name)) {
        Some(missing) => bail!("an answer has no {missing}, but {found:?}"),
        None => Ok(()),
    }
}

/// The headers of an answer, by lower-case name.
pub fn parse(answer: &[u8]) -> anyhow::Result<Vec<(String, String)>> {
    std::str::from_utf8(answer)?
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .map(|line| {
            let (name, value) = line.split_once(':').context("no header field")?;
            Ok((name.to_ascii_lowercase(), value.trim().to_owned()))
        })
        .collect()
}
