//! `postern token list`: who has which API tokens.

use std::{
    fmt::Display,
    io::{self, BufWriter, Write},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use comfy_table::{Cell, Color, ContentArrangement, Table, presets::UTF8_HORIZONTAL_ONLY};
use serde::Serialize;
use url::Url;

use super::{
    account::shown,
    daemon::{Daemon, Line},
    token::{COLUMNS, all_tokens, columns, roughly, tokens_of, unless_hung_up},
};
use crate::{
    api_tokens::{ApiToken, Listed, State},
    clock,
    http::tokens::Page,
    tenant::TenantId,
};

/// What lives no longer than this is marked, in seconds: time to tell its user.
const SOON: u64 = 14 * 24 * 60 * 60;

/// Show who has which API tokens
///
/// Those that are revoked or expired are shown until 30 days after they expired. Exits with 1 if the daemon has no such
/// tenant. One whose file is gone is known as long as there are tokens of it.
#[derive(Debug, Args)]
pub struct TokenList {
    /// Whose tokens [default: all tenants']
    tenant: Option<TenantId>,

    /// Only this account's, in any case of letters
    #[arg(long)]
    user: Option<String>,

    /// Only those that are alive, and will not be after this time, like 14d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    expiring: Option<Duration>,

    /// Only those that are alive, and were neither used nor issued for this time, like 90d
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    unused: Option<Duration>,

    #[command(flatten)]
    daemon: Daemon,

    /// Print JSON, with times in seconds since the epoch
    #[arg(long)]
    json: bool,

    /// Print CSV, with times in RFC 3339
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

impl TokenList {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let list = self.list();
        let written = self.daemon.talk(async |line| {
            let output = BufWriter::new(io::stdout().lock());
            if self.json {
                json(line, &list, output).await
            } else if self.csv {
                csv(line, &list, output).await
            } else {
                table(line, &list, output, self.tenant.is_none()).await
            }
        });
        unless_hung_up(written)?;
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self) -> Url {
        let mut list = self.tenant.as_ref().map_or_else(all_tokens, tokens_of);
        let seconds = |time: Option<Duration>| time.map(|time| time.as_secs().to_string());
        for (name, value) in [
            ("user", self.user.clone()),
            ("expiring_in", seconds(self.expiring)),
            ("unused_for", seconds(self.unused)),
        ] {
            if let Some(value) = value {
                list.query_pairs_mut().append_pair(name, &value);
            }
        }
        list
    }
}

/// A token as it is printed in JSON.
#[derive(Serialize)]
struct Row<'l> {
    #[serde(flatten)]
    listed: &'l Listed,
    state: State,
}

/// An array, written as it comes: a million tokens take no memory.
async fn json(line: &Line, list: &Url, mut output: impl Write) -> anyhow::Result<()> {
    let (now, mut before) = (clock::now(), "[");
    line.each_page(list, |page: Page| {
        for listed in &page.tokens {
            let state = listed.token.state(now);
            write!(output, "{before}\n  ")?;
            serde_json::to_writer(&mut output, &Row { listed, state })?;
            before = ",";
        }
        Ok(page.after)
    })
    .await?;
    // None at all is an empty array.
    let end = if before == "[" { "[]\n" } else { "\n]\n" };
    output.write_all(end.as_bytes())?;
    Ok(output.flush()?)
}

/// Likewise.
async fn csv(line: &Line, list: &Url, output: impl Write) -> anyhow::Result<()> {
    let now = clock::now();
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(COLUMNS)?;
    line.each_page(list, |page: Page| {
        for Listed { token, last_used } in &page.tokens {
            writer.write_record(columns(token, last_used.as_ref(), now))?;
        }
        Ok(page.after)
    })
    .await?;
    Ok(writer.flush()?)
}

/// By tenant, owner and age.
async fn table(
    line: &Line,
    list: &Url,
    mut output: impl Write,
    with_tenants: bool,
) -> anyhow::Result<()> {
    let mut all = Vec::new();
    line.each_page(list, |page: Page| {
        all.extend(page.tokens);
        Ok(page.after)
    })
    .await?;
    all.sort_by(|one, other| {
        let key = |listed: &Listed| {
            let token = &listed.token;
            (token.tenant.clone(), token.owner.clone(), token.created_at)
        };
        key(one).cmp(&key(other))
    });
    let mut table = Table::new();
    table
        .load_preset(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic);
    let tenant = with_tenants.then_some("TENANT");
    let rest = [
        "ID",
        "OWNER",
        "STATE",
        "SCOPE",
        "EXPIRES",
        "LAST USED",
        "CREATED",
        "GOOD FOR",
        "DESCRIPTION",
    ];
    table.set_header(tenant.into_iter().chain(rest));
    let now = clock::now();
    for listed in &all {
        let tenant = with_tenants.then(|| Cell::new(&listed.token.tenant));
        table.add_row(tenant.into_iter().chain(row(listed, now)));
    }
    writeln!(output, "{table}")?;
    Ok(output.flush()?)
}

fn row(Listed { token, last_used }: &Listed, now: u64) -> [Cell; 9] {
    let ago = |at: u64| format!("{} ago", roughly(now.saturating_sub(at)));
    let used = match last_used {
        None => "never".to_owned(),
        Some(last_use) => match last_use.address {
            None => ago(last_use.at),
            Some(address) => format!("{}\nfrom {address}", ago(last_use.at)),
        },
    };
    [
        Cell::new(token.id),
        Cell::new(shown(&token.owner)),
        state(token, now),
        Cell::new(token.scope),
        expiry(token, now),
        Cell::new(used),
        Cell::new(format!(
            "{}\nby {}",
            ago(token.created_at),
            shown(&token.created_by)
        )),
        Cell::new(good_for(token)),
        Cell::new(shown(&token.description)),
    ]
}

fn state(token: &ApiToken, now: u64) -> Cell {
    let state = token.state(now);
    let text = match (state, token.revoked_at, &token.revoked_by) {
        (State::Revoked, Some(at), Some(by)) => format!(
            "{state}\n{} ago\nby {}",
            roughly(now.saturating_sub(at)),
            shown(by)
        ),
        (State::Rotating, ..) => {
            let left = token.retiring_until.unwrap_or(now).saturating_sub(now);
            format!("{state}\nfor {}", roughly(left))
        }
        _ => state.to_string(),
    };
    let cell = Cell::new(text);
    match state {
        State::Alive | State::Rotating => cell,
        State::Expired | State::Revoked => cell.fg(Color::DarkGrey),
    }
}

fn expiry(token: &ApiToken, now: u64) -> Cell {
    let left = token.expires_at.saturating_sub(now);
    if left == 0 {
        return Cell::new(format!("{} ago", roughly(now - token.expires_at)));
    }
    let text = format!("in {}", roughly(left));
    if left <= SOON && token.is_alive(now) {
        return Cell::new(format!("{text}, soon")).fg(Color::Yellow);
    }
    Cell::new(text)
}

/// What it is limited to, a line each.
fn good_for(token: &ApiToken) -> String {
    fn lines(before: &str, several: &[impl Display]) -> Vec<String> {
        let line = |one| format!("{before}{}", shown(&format!("{one}")));
        several.iter().map(line).collect()
    }
    let lines = [
        lines("from ", &token.networks),
        lines("", &token.paths),
        lines("as ", &token.grants),
    ];
    match lines.concat() {
        none if none.is_empty() => "everything".into(),
        lines => lines.join("\n"),
    }
}
