//! Requests per second and CPU per request, of Postern and of its yardsticks in turn.

use anyhow::{Context as _, ensure};
use postern::{
    dev::{Algorithm, Issuer},
    verify::verdicts::CAPACITY,
};

use crate::{
    Effort,
    daemon::{Daemon, Home},
    load::{Length, Round},
    process::{Cores, Running},
    statistics::{median, range},
    tokens,
    yardstick::Yardstick,
};

/// How many callers there are whose tokens were verified before.
const CALLERS: usize = 100;
/// The rounds with tokens that were never seen take turns with so many files of tokens. Until a file has its turn
/// again, its tokens are forgotten: a full memory keeps what it has, and new tokens push one another out of a small
/// part of it. Should that change, the daemon's counters tell.
const FILES: usize = 3;
/// Headers that every server of the framework adds by itself, or that differ from answer to answer.
const NOT_COPIED: &[&str] = &["date", "content-length"];

/// The tenant that is asked about tokens that it remembers.
const KNOWN: &str = "callers";
/// The tenant that is asked about tokens that it does not.
const FRESH: &str = "fresh";

/// The head of a table of pairs.
pub const HEAD: &str = "| server | requests/s | ratio | rounds from, to | target | CPU µs a request | ratio | core used |\n|---|---|---|---|---|---|---|---|";

/// What one round showed.
pub struct Sample {
    per_second: f64,
    cpu_micros: f64,
    /// Share of its core that the server used. Well below 1 the load was the bottleneck, and the round says little.
    busy: f64,
}

/// A server under load.
pub struct Server<'a> {
    /// Its process.
    pub process: &'a Running,
    /// Where it listens.
    pub address: &'a str,
}

/// Where everything that a round needs lies.
pub struct Bench<'a> {
    /// On which cores.
    pub cores: Cores,
    /// Where the files with tokens are.
    pub home: &'a Home,
    /// What every connection's first answer must have.
    pub headers: Vec<(String, String)>,
}

impl Bench<'_> {
    /// One round with the tokens of that file.
    pub fn round(
        &self,
        server: &Server<'_>,
        tenant: &str,
        tokens: &str,
        length: Length,
    ) -> anyhow::Result<Sample> {
        let round = Round {
            address: server.address.to_owned(),
            target: format!("/check/{tenant}"),
            tokens: self.home.path(tokens),
            length,
            headers: self.headers.iter().map(|(name, _)| name.clone()).collect(),
        };
        let before = server.process.cpu_seconds()?;
        let outcome = round.run(self.cores)?;
        let cpu = server.process.cpu_seconds()? - before;
        let answers = f64::from(outcome.answers);
        Ok(Sample {
            per_second: answers / outcome.seconds,
            cpu_micros: cpu * 1e6 / answers,
            busy: cpu / outcome.seconds,
        })
    }
}

/// Prints the table.
pub fn measure(
    effort: &Effort,
    cores: Cores,
    [with_cached, with_unseen]: [bool; 2],
) -> anyhow::Result<()> {
    let (issuer, home) = (tokens::issuer()?, Home::new()?);
    let (filling, mut numbers) = (CAPACITY + CAPACITY / 5, 0..);
    let mut write = |file: &str, count: usize| {
        tokens::write(&issuer, numbers.by_ref().take(count), &home.path(file))
    };
    write("callers", CALLERS)?;
    let fresh: Vec<_> = (0..FILES).map(|at| format!("fresh-{at}")).collect();
    if with_unseen {
        write("filling", filling)?;
        for file in &fresh {
            write(file, effort.fresh_tokens)?;
        }
    }

    // One tenant that has been in service for a while: it remembers as many tokens as it may, all of them others.
    for tenant in [KNOWN, FRESH] {
        home.write(tenant, &tokens::tenant_file(&issuer))?;
    }
    let daemon = home.start(Some(cores.server))?;
    let unlike_the_rest = tokens::token(&issuer, usize::MAX);
    daemon.until_allowed(FRESH, &unlike_the_rest)?;
    let mut headers = daemon.until_allowed(KNOWN, &unlike_the_rest)?;
    headers.retain(|(name, _)| !NOT_COPIED.contains(&name.as_str()));
    let yardstick = Yardstick {
        headers: headers.clone(),
        key: None,
    };
    let (floor, floor_address) = yardstick.start(cores)?;
    let leanest = Yardstick {
        key: Some(rsa_key(&issuer)?),
        ..yardstick
    };
    let (leanest, leanest_address) = leanest.start(cores)?;

    let bench = Bench {
        cores,
        home: &home,
        headers,
    };
    let [floor, leanest, postern] = [
        (&floor, &floor_address),
        (&leanest, &leanest_address),
        (&daemon.process, &daemon.address),
    ]
    .map(|(process, address)| Server { process, address });

    println!("{HEAD}");
    if with_cached {
        let pair = Pair::measure(effort.rounds, |round, is_postern| {
            let length = Length::Seconds(if round.is_some() { effort.seconds } else { 0.3 });
            let server = if is_postern { &postern } else { &floor };
            bench.round(server, KNOWN, "callers", length)
        })?;
        pair.print("floor", "Postern, token verified before", 0.80);
    }
    if with_unseen {
        let pair = Pair::measure(effort.rounds, |round, is_postern| {
            let (server, tenant) = if is_postern {
                (&postern, FRESH)
            } else {
                (&leanest, "leanest")
            };
            let Some(round) = round else {
                return bench.round(server, tenant, "filling", Length::Tokens(filling));
            };
            let file = &fresh[round % FILES];
            bench.round(server, tenant, file, Length::Tokens(effort.fresh_tokens))
        })?;
        were_unseen(&daemon, filling + effort.rounds * effort.fresh_tokens)?;
        pair.print(
            "leanest verifier",
            "Postern, token never seen (RS256, 2048 bits)",
            0.85,
        );
    }
    println!(
        "\n{} rounds each, taking turns, {CALLERS} callers or {} tokens used once; medians, ratios of neighbouring rounds.\n\
         A round in which the server used much less than its whole core was disturbed by something else on the machine;\n\
         CPU a request is the steadier figure.\n",
        effort.rounds, effort.fresh_tokens,
    );
    Ok(())
}

/// `n` and `e` of the key that signs.
fn rsa_key(issuer: &Issuer) -> anyhow::Result<(String, String)> {
    let (jwks, kid) = (issuer.jwks(), issuer.kid(Algorithm::Rs256));
    let keys = jwks["keys"].as_array().context("a key set")?;
    let key = keys.iter().find(|key| key["kid"] == kid.as_str());
    let number = |name| Some(key?[name].as_str()?.to_owned());
    number("n").zip(number("e")).context("an RSA key")
}

/// The daemon's own word that none of `all` tokens was remembered.
fn were_unseen(daemon: &Daemon, all: usize) -> anyhow::Result<()> {
    let count = |result: &str| {
        daemon.metric(&format!(
            "postern_verdict_cache_total{{result=\"{result}\",tenant=\"{FRESH}\"}}"
        ))
    };
    #[expect(clippy::cast_precision_loss, reason = "some hundred thousand tokens")]
    let all = all as f64;
    let (hits, misses) = (count("hit")?, count("miss")?);
    ensure!(
        hits == 0.0 && misses >= all,
        "the tenant remembered {hits} tokens, and did not know {misses}"
    );
    Ok(())
}

/// A yardstick and Postern, round by round.
pub struct Pair {
    yardstick: Vec<Sample>,
    postern: Vec<Sample>,
}

impl Pair {
    /// `round` is asked for rounds of Postern (`true`) and of the yardstick; for `None` first, to warm up. Who begins
    /// changes from round to round, lest a drift of the machine favour one.
    pub fn measure(
        rounds: usize,
        mut round: impl FnMut(Option<usize>, bool) -> anyhow::Result<Sample>,
    ) -> anyhow::Result<Self> {
        round(None, false)?;
        round(None, true)?;
        let (mut yardstick, mut postern) = (Vec::new(), Vec::new());
        for number in 0..rounds {
            for is_postern in [number % 2 == 0, number % 2 == 1] {
                let sample = round(Some(number), is_postern)?;
                if is_postern {
                    &mut postern
                } else {
                    &mut yardstick
                }
                .push(sample);
            }
        }
        Ok(Self { yardstick, postern })
    }

    /// Two rows of the table.
    pub fn print(&self, yardstick: &str, postern: &str, target: f64) {
        let median_of = |samples: &[Sample], of: fn(&Sample) -> f64| {
            median(&samples.iter().map(of).collect::<Vec<_>>())
        };
        let ratios = |of: fn(&Sample) -> f64| -> Vec<f64> {
            let pairs = self.postern.iter().zip(&self.yardstick);
            pairs
                .map(|(postern, yardstick)| of(postern) / of(yardstick))
                .collect()
        };
        let row = |name: &str, samples: &[Sample], ratio: &str, cpu_ratio: &str| {
            println!(
                "| {name} | {:.0} | {ratio} | {:.1} | {cpu_ratio} | {:.0} % |",
                median_of(samples, |sample| sample.per_second),
                median_of(samples, |sample| sample.cpu_micros),
                100.0 * median_of(samples, |sample| sample.busy),
            );
        };
        row(yardstick, &self.yardstick, "1 | | ", "1");
        let speed = ratios(|sample| sample.per_second);
        let (lowest, highest) = range(&speed);
        let speed = median(&speed);
        let held = if speed >= target {
            "held"
        } else {
            "**missed**"
        };
        row(
            postern,
            &self.postern,
            &format!("**{speed:.2}** | {lowest:.2}, {highest:.2} | ≥ {target:.2}: {held}"),
            &format!("{:.2}", median(&ratios(|sample| sample.cpu_micros))),
        );
    }
}
