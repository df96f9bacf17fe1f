//! API tokens: what a check, a start, memory and the disk cost, by how many of them the store has.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use postern::{
    api_tokens::{ApiToken, Scope, TokenRecord, text},
    clock,
    store::Store,
};

use crate::{
    Effort,
    daemon::{Daemon, Home},
    load::Length,
    process::Cores,
    throughput::{Bench, HEAD, Pair, Server},
};

/// The smaller store.
const FEW: usize = 10;
/// Of how many tokens checks are asked in turn: enough that none of them is in the processor's caches.
const ASKED: usize = 20_000;
/// How many tokens are written at a time.
const BATCH: usize = 10_000;
/// How many tokens an account has.
const OF_ONE: usize = 3;
/// Reading a million tokens takes seconds.
const LIMIT: Duration = Duration::from_mins(1);

const TENANT: &str = "jira";
const FILE: &str =
    "product = \"jira\"\nurl = \"https://jira.example.com\"\n\n[api_tokens]\nenabled = true\n";

/// Prints the tables.
pub fn measure(effort: &Effort, cores: Cores) -> anyhow::Result<()> {
    println!(
        "| API tokens | ready | all in memory after | memory | disk, MiB |\n|---|---|---|---|---|"
    );
    let (few, many) = (Home::new()?, Home::new()?);
    let (with_few, with_many) = (
        start(&few, FEW, cores)?,
        start(&many, effort.api_tokens, cores)?,
    );
    println!("\n{HEAD}");
    let headers = with_few.until_allowed(TENANT, first(&few)?.trim_end())?;
    let bench = |home| Bench {
        cores,
        home,
        headers: headers.clone(),
    };
    let (few, many) = (bench(&few), bench(&many));
    let pair = Pair::measure(effort.rounds, |round, is_postern| {
        // First each of them once: a token's use is noted then, and not again for a minute.
        let once = Length::Tokens(ASKED);
        let length = round.map_or(once, |_| Length::Seconds(effort.seconds));
        let (bench, daemon) = if is_postern {
            (&many, &with_many)
        } else {
            (&few, &with_few)
        };
        let server = Server {
            process: &daemon.process,
            address: &daemon.address,
        };
        bench.round(&server, TENANT, "asked", length)
    })?;
    let name = format!("one of {} API tokens", effort.api_tokens);
    // A check costs at most 1.1 times as much.
    pair.print(&format!("one of {FEW} API tokens"), &name, 1.0 / 1.1);
    println!();
    Ok(())
}

fn first(home: &Home) -> anyhow::Result<String> {
    let asked = fs::read_to_string(home.path("asked"))?;
    let first = asked.lines().next().context("a token")?;
    Ok(first.to_owned())
}

/// A daemon over a store of that many tokens, and a row about its start.
fn start(home: &Home, tokens: usize, cores: Cores) -> anyhow::Result<Daemon> {
    home.write(TENANT, FILE)?;
    fill(&home.data(), tokens, &home.path("asked"))?;
    let daemon = home.start(Some(cores.server))?;
    let (ready, started) = (daemon.start, Instant::now());
    while !home.log().contains("the API tokens are in memory") {
        ensure!(started.elapsed() < LIMIT, "the tokens are not in memory");
        thread::sleep(Duration::from_millis(5));
    }
    println!(
        "| {tokens} | {:.2} s | {:.1} s | {:.0} MiB | {} |",
        ready.as_secs_f64(),
        (ready + started.elapsed()).as_secs_f64(),
        daemon.process.resident_mebibytes()?,
        size(&home.data())? / 1024 / 1024,
    );
    Ok(daemon)
}

/// Writes tokens as the daemon does, and some of them, from all over, to a file.
fn fill(data: &Path, tokens: usize, file: &Path) -> anyhow::Result<()> {
    let store = Store::open(data)?;
    let (mut asked, every) = (String::new(), tokens.div_ceil(ASKED));
    let numbers: Vec<_> = (0..tokens).collect();
    for numbers in numbers.chunks(BATCH) {
        let mut batch = Vec::with_capacity(BATCH);
        for number in numbers {
            let (token, claimed) = text::new();
            if number % every == 0 {
                asked.push_str(token.expose());
                asked.push('\n');
            }
            let now = clock::now();
            let about = ApiToken {
                id: claimed.id,
                tenant: TENANT.into(),
                owner: format!("user{}", number / OF_ONE),
                description: "the nightly build of the main branch".into(),
                scope: Scope::Read,
                grants: Vec::new(),
                paths: Vec::new(),
                networks: Vec::new(),
                created_at: now,
                created_by: "uid 0".into(),
                expires_at: now + 86_400,
                rotated_at: None,
                retiring_until: None,
                revoked_at: None,
                revoked_by: None,
            };
            let record = TokenRecord {
                token: about,
                secret: claimed.secret,
                retiring: None,
            };
            batch.push((record.token.id, Some(record)));
        }
        store.put_tokens(&batch, &mut [])?;
    }
    drop(store);
    // sled lets go of its lock a moment after the last handle is dropped (sled #1289).
    let started = Instant::now();
    while Store::open(data).is_err() {
        ensure!(started.elapsed() < LIMIT, "the store stays locked");
        thread::sleep(Duration::from_millis(5));
    }
    fs::write(file, asked).context("the tokens can't be written")
}

fn size(folder: &Path) -> anyhow::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        size += if entry.file_type()?.is_dir() {
            self::size(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(size)
}
