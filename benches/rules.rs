//! What a tenant's rules cost a check, and whether their number does: loops inside this process.

use std::{fmt::Write as _, time::Duration};

use postern::{
    clock,
    dev::{Algorithm, Issuer},
};

use crate::{
    Effort,
    process::{Cores, pinned},
    providers::{is_allowed, signed, tenant_with},
    statistics::median,
    tokens,
    verification::{check_again, micros},
};

/// The loops take turns so often.
const TURNS: u32 = 5;
/// The most that 495 more rules may add.
const MOST: f64 = 1.1;

/// Prints the table.
pub fn measure(effort: &Effort, cores: Cores) -> anyhow::Result<()> {
    let slice = Duration::from_secs_f64(effort.loop_seconds / f64::from(TURNS));
    let algorithm = Algorithm::Rs256;
    let issuer = Issuer::builder().algorithm(algorithm).start()?;
    let provider = signed(&issuer, algorithm, issuer.url());
    let counts = [0, 5, 500];
    let mut tenants = Vec::new();
    for count in counts {
        tenants.push(tenant_with(&provider, &rules(count), None)?);
    }
    let tokens: Vec<_> = (0..64)
        .map(|number| tokens::token_by(&issuer, algorithm, number))
        .collect();
    for tenant in &tenants {
        for token in &tokens {
            is_allowed(tenant, token)?;
        }
    }
    let now = clock::now();
    let mut seen = [const { Vec::new() }; 3];
    pinned(cores.server, || -> anyhow::Result<()> {
        for _ in 0..TURNS {
            for (times, tenant) in seen.iter_mut().zip(&tenants) {
                times.push(micros(slice, &tokens, |token| {
                    drop(check_again(tenant, token, now));
                    Ok(())
                })?);
            }
        }
        Ok(())
    })??;
    let [none, five, many] = seen.map(|turns| median(&turns));
    let ratio = many / five;
    let held = if ratio <= MOST { "held" } else { "**missed**" };
    println!(
        "| RS256, seen before, the whole check | no rules, µs | 5 rules, µs | 500 rules, µs | 500 to 5 | target |"
    );
    println!("|---|---|---|---|---|---|");
    println!(
        "| two of the rules are about the call | {none:.2} | {five:.2} | {many:.2} | {ratio:.2} | ≤ {MOST}: {held} |\n"
    );
    Ok(())
}

/// As many rules, of every shape; the first two are about the call that is checked.
fn rules(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        let path = match number {
            0 => "/rest/api/2/myself".to_owned(),
            1 => "/rest/**".to_owned(),
            _ => match number % 5 {
                0 => format!("/rest/api/2/resource-{number}/**"),
                1 => format!("/rest/plugin-{number}/*/admin"),
                2 => format!("/rest/api/*/resource-{number}"),
                3 => format!("/**/setting-{number}"),
                _ => format!("/plugins/servlet/app-{number}/**"),
            },
        };
        let asks = if number % 2 == 0 {
            "groups = [\"staff\"]"
        } else {
            "methods = [\"GET\"]\ngroups = [\"staff\", \"admins\"]"
        };
        write!(text, "[[access.rule]]\npath = {path:?}\n{asks}\n").expect("a String takes it");
    }
    text
}
