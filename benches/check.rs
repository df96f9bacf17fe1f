//! What a check costs, beside what any server must pay: `cargo bench`, or `cargo bench -- --quick`.
//!
//! Absolute times say little on a machine that others share, so everything is a ratio to a yardstick that runs
//! in the same minute on the same core: the rounds of Postern and of its yardsticks take turns. Everything runs
//! as a process of its own (this binary again, with a word that says what it is), the servers pinned to one core
//! and the load to another. The output is Markdown.

mod api_tokens;
mod daemon;
mod load;
mod process;
mod providers;
mod rules;
mod scale;
mod statistics;
mod throughput;
mod tokens;
mod verification;
mod yardstick;

use std::{path::PathBuf, time::Instant};

use process::Cores;

/// How much is measured.
pub struct Effort {
    /// Of each pair of servers.
    rounds: usize,
    /// Of one round with tokens that were verified before, in seconds.
    seconds: f64,
    /// Of one round with tokens that were not, in tokens.
    fresh_tokens: usize,
    /// Of a tenant file, at each size of the folder.
    edits: usize,
    /// Of the larger store of API tokens.
    api_tokens: usize,
    /// Of the loops inside this process, in seconds.
    loop_seconds: f64,
}

const FULL: Effort = Effort {
    rounds: 25,
    seconds: 0.5,
    fresh_tokens: 12_000,
    edits: 100,
    api_tokens: 1_000_000,
    loop_seconds: 1.0,
};

const QUICK: Effort = Effort {
    rounds: 3,
    seconds: 0.5,
    fresh_tokens: 4_000,
    edits: 10,
    api_tokens: 100_000,
    loop_seconds: 0.3,
};

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(yardstick::WORD) => yardstick::serve(),
        Some(load::WORD) => load::generate(),
        _ => measure(&arguments),
    }
}

fn measure(arguments: &[String]) -> anyhow::Result<()> {
    // `cargo bench` adds --bench; a word, as everywhere in cargo, chooses what runs.
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let words: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"))
        .collect();
    let wanted =
        |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let effort = if quick { &QUICK } else { &FULL };
    let cores = Cores::choose()?;
    let started = Instant::now();

    println!("{}\n", cores.machine());
    let throughput = [wanted("cached"), wanted("unseen")];
    if throughput.contains(&true) {
        throughput::measure(effort, cores, throughput)?;
    }
    if wanted("verification") {
        verification::measure(effort, cores)?;
    }
    if wanted("providers") {
        providers::measure(effort, cores)?;
    }
    if wanted("rules") {
        rules::measure(effort, cores)?;
    }
    if wanted("api_tokens") {
        api_tokens::measure(effort, cores)?;
    }
    if wanted("scale") {
        scale::measure(effort)?;
    }
    println!(
        "Made by `cargo bench{}` in {:.0} s.",
        if quick { " -- --quick" } else { "" },
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

/// This very binary, to be run again in another role.
fn myself() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?)
}
