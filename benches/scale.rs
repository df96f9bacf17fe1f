//! Start-up, memory, and the time from a file's write to the served change, by the number of tenants.

use std::{
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use anyhow::ensure;
use postern::dev::Issuer;

use crate::{
    Effort,
    daemon::{Daemon, Home, ask},
    load,
    statistics::{median, quantile},
    tokens,
};

/// How many tenants a folder has.
const SIZES: [usize; 3] = [1, 100, 10_000];
/// How many issuers they share.
const ISSUERS: usize = 10;
/// A change that is not served by then is a failure.
const LIMIT: Duration = Duration::from_secs(20);

/// Prints the table.
pub fn measure(effort: &Effort) -> anyhow::Result<()> {
    let issuers = (0..ISSUERS)
        .map(|_| tokens::issuer())
        .collect::<anyhow::Result<Vec<_>>>()?;
    println!(
        "| tenants | ready, first start | ready, next start | memory when ready | with all keys | write to served, median | p99 |"
    );
    println!("|---|---|---|---|---|---|---|");
    for tenants in SIZES {
        let home = Home::new()?;
        for number in 0..tenants {
            home.write(
                &name(number),
                &tokens::tenant_file(&issuers[number % ISSUERS]),
            )?;
        }
        let first = home.start(None)?.start;
        // The daemon was killed: the next one finds the store as a power cut would leave it.
        let daemon = home.start(None)?;
        let ready = daemon.process.resident_mebibytes()?;
        for (number, issuer) in issuers.iter().enumerate().take(tenants) {
            let token = tokens::token(issuer, number);
            daemon.until_allowed(&name(number), &token)?;
        }
        let keyed = daemon.process.resident_mebibytes()?;
        let served = edit(&daemon, &home, &issuers, tenants, effort.edits)?;
        println!(
            "| {tenants} | {:.2} s | {:.2} s | {ready:.0} MiB | {keyed:.0} MiB | {:.0} ms | {:.0} ms |",
            first.as_secs_f64(),
            daemon.start.as_secs_f64(),
            median(&served),
            quantile(&served, 0.99),
        );
    }
    println!(
        "\nTenants share {ISSUERS} issuers; {} edits each, by rename; targets: median below 100 ms, none above 250 ms.\n",
        effort.edits
    );
    Ok(())
}

fn name(number: usize) -> String {
    format!("tenant-{number}")
}

/// Edits files here and there in the folder, and gives the milliseconds until each change was served.
fn edit(
    daemon: &Daemon,
    home: &Home,
    issuers: &[Issuer],
    tenants: usize,
    edits: usize,
) -> anyhow::Result<Vec<f64>> {
    let mut stream = TcpStream::connect(&daemon.address)?;
    let mut passes = vec![false; tenants];
    let mut served = Vec::new();
    for round in 0..edits {
        // 7,919 is prime: the edits go all over the folder.
        let number = round * 7_919 % tenants;
        passes[number] = !passes[number];
        let (word, status) = if passes[number] {
            ("pass", "200")
        } else {
            ("deny", "401")
        };
        let anonymous = format!("anonymous = \"{word}\"\n");
        let text = tokens::tenant_file(&issuers[number % ISSUERS]) + &anonymous;
        let renamed = home.write(&name(number), &text)?;
        served.push(until_status(&mut stream, &name(number), status, renamed)?);
    }
    Ok(served)
}

fn until_status(
    stream: &mut TcpStream,
    tenant: &str,
    status: &str,
    since: Instant,
) -> anyhow::Result<f64> {
    let anonymous = String::from_utf8(load::request(&format!("/check/{tenant}"), "none"))?
        .replace("Authorization: Bearer none\r\n", "");
    let wanted = format!("HTTP/1.1 {status} ");
    while !ask(stream, anonymous.as_bytes())?.starts_with(wanted.as_bytes()) {
        ensure!(
            since.elapsed() < LIMIT,
            "a change of {tenant} was not served"
        );
        thread::sleep(Duration::from_micros(200));
    }
    Ok(since.elapsed().as_secs_f64() * 1e3)
}
