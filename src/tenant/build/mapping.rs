//! How claims become an account: what a provider may call whom.

use std::{collections::BTreeSet, str::FromStr as _, sync::Arc};

use regex::{Regex, RegexBuilder};

use super::{name, ways};
use crate::{
    account::{self, AccountPattern},
    provider::Kind,
    tenant::{
        file::{MapRuleFile, ProviderFile, TextOrList},
        report::{Report, element, member},
        settings::{ClaimPath, MapRule, Mapping, ProviderSettings, UsernameCase},
    },
};

/// The most memory that a compiled expression may take, in bytes: one of a name's length takes some KiB.
const MAX_EXPRESSION: usize = 256 * 1024;

/// The mapping of a provider whose preset has been filled in.
pub fn mapping(key: &str, file: &ProviderFile, report: &mut Report<'_>) -> Option<Mapping> {
    let defaults = ways::preset(file).username;
    let chosen = |name: &String| ["name", "given_name", "family_name"].contains(&name.as_str());
    let written = file.username.iter().flat_map(TextOrList::texts);
    if matches!(
        file.kind,
        Some(Kind::Google | Kind::Slack | Kind::Gitlab | Kind::Facebook)
    ) && written.into_iter().any(chosen)
    {
        report
            .warning(
                &member(key, "username"),
                "people choose this themselves, and so become whom they like",
            )
            .help("leave it out, or write accounts that nobody else can choose");
    }
    let username = claims(key, "username", file.username.as_ref(), defaults, report);
    let map: Vec<_> = file
        .username_map
        .iter()
        .flatten()
        .enumerate()
        .map(|(index, rule)| map_rule(&element(&member(key, "username_map"), index), rule, report))
        .collect();
    let accounts = file.accounts.as_deref();
    if file.userinfo_endpoint.is_some() {
        userinfo_alone(key, file, report);
    }
    let accounts = accounts.map(|texts| patterns(&member(key, "accounts"), texts, report));
    let mut named = true;
    for (client, account) in file.service_accounts.iter().flatten() {
        let at = member(&member(key, "service_accounts"), client);
        named &= name(&at, account, report).is_some();
    }
    Some(Mapping {
        username: username?,
        case: file.username_case.unwrap_or(UsernameCase::Keep),
        map: map.into_iter().collect::<Option<_>>()?,
        accounts: match accounts {
            Some(accounts) => Some(accounts?),
            None => None,
        },
        service_accounts: named.then(|| file.service_accounts.clone().unwrap_or_default())?,
    })
}

/// A claim, or the first of several.
pub fn claims(
    key: &str,
    name_of: &str,
    written: Option<&TextOrList>,
    defaults: &[&str],
    report: &mut Report<'_>,
) -> Option<Vec<ClaimPath>> {
    let at = member(key, name_of);
    match written {
        None => Some(
            defaults
                .iter()
                .map(|&claim| ClaimPath(claim.to_owned()))
                .collect(),
        ),
        Some(TextOrList::Text(text)) => Some(vec![ClaimPath(name(&at, text, report)?)]),
        Some(TextOrList::List(texts)) if texts.is_empty() && name_of == "username" => {
            report.error(&at, "with no claim, no token names an account");
            None
        }
        Some(TextOrList::List(texts)) => {
            let paths = texts.iter().enumerate();
            let paths: Vec<_> = paths
                .map(|(index, text)| name(&element(&at, index), text, report).map(ClaimPath))
                .collect();
            paths.into_iter().collect()
        }
    }
}

/// Patterns of accounts, each that is none reported.
pub fn patterns(
    key: &str,
    texts: &[String],
    report: &mut Report<'_>,
) -> Option<Vec<AccountPattern>> {
    let read: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| {
            AccountPattern::from_str(text)
                .map_err(|reason| {
                    report
                        .error(&element(key, index), reason.to_string())
                        .help("write an account's name, `*` standing for anything: \"ext-*\"");
                })
                .ok()
        })
        .collect();
    read.into_iter().collect()
}

/// The accounts of machines, of all providers of a tenant.
pub fn service_accounts(providers: &[Arc<ProviderSettings>]) -> BTreeSet<String> {
    let mappings = providers.iter().map(|provider| &provider.mapping);
    mappings
        .flat_map(|mapping| mapping.service_accounts.values())
        .map(|account| account::fold(account))
        .collect()
}

fn map_rule(key: &str, file: &MapRuleFile, report: &mut Report<'_>) -> Option<MapRule> {
    let mut wanted = |name: &str, value: &Option<String>, help: &str| {
        if value.is_none() {
            report.missing(
                key,
                name,
                "a rule says what matches, and which account that is",
                help,
            );
        }
        value.clone()
    };
    let pattern = wanted(
        "match",
        &file.r#match,
        r"write match = '^(.+)@example\.com$'",
    );
    let to = wanted("to", &file.to, "write to = \"$1\"");
    let (pattern, to) = (pattern?, to?);
    let compiled = RegexBuilder::new(&pattern)
        .size_limit(MAX_EXPRESSION)
        .build();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => {
            let reason = match error {
                regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
                error => error
                    .to_string()
                    .lines()
                    .last()
                    .unwrap_or_default()
                    .replace("error: ", ""),
            };
            report
                .error(&member(key, "match"), format!("this is no regular expression: {reason}"))
                .help("the syntax is that of https://docs.rs/regex, without look-around and back-references");
            return None;
        }
    };
    if !is_anchored(&pattern) {
        report
            .warning(
                &member(key, "match"),
                "this matches parts of a name, whatever stands before and after",
            )
            .help("write ^ at its start and $ at its end");
    }
    if let Some(missing) = missing_group(&compiled, &to) {
        report
            .error(
                &member(key, "to"),
                format!("the expression has no group {missing:?}, so that nothing would stand there"),
            )
            .help("`$1` is the first group; where letters or digits follow, write `${1}`, and for a dollar sign `$$`");
        return None;
    }
    Some(MapRule {
        pattern: compiled,
        to,
    })
}

/// Whether an expression plainly matches whole names only.
fn is_anchored(pattern: &str) -> bool {
    let Some(inner) = pattern
        .strip_prefix('^')
        .and_then(|rest| rest.strip_suffix('$'))
    else {
        return false;
    };
    let (mut escaped, mut depth, mut class) = (false, 0_u32, false);
    for letter in inner.chars() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => class = true,
            ']' => class = false,
            '(' if !class => depth += 1,
            ')' if !class => depth = depth.saturating_sub(1),
            // Each branch would need both.
            '|' if !class && depth == 0 => return false,
            _ => {}
        }
    }
    !escaped
}

/// The first group that `to` names and the expression lacks, by the rules of `regex::Captures::expand`.
fn missing_group(pattern: &Regex, to: &str) -> Option<String> {
    let mut rest = to;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let (group, after) = match rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
        {
            Some(braced) => braced,
            None => {
                let end = rest
                    .find(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'))
                    .unwrap_or(rest.len());
                rest.split_at(end)
            }
        };
        let known = match group.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|name| name == group),
        };
        if !known && !group.is_empty() {
            return Some(group.to_owned());
        }
        rest = after;
    }
    None
}

/// userinfo says who somebody is and not for whom the token was made.
fn userinfo_alone(key: &str, file: &ProviderFile, report: &mut Report<'_>) {
    let bounded = file.accounts.as_ref().is_some_and(|accounts| {
        let patterns = accounts
            .iter()
            .filter_map(|text| AccountPattern::from_str(text).ok());
        !accounts.is_empty() && !patterns.into_iter().any(|pattern| pattern.is_everybody())
    });
    if !bounded && !report.is_broken(&member(key, "accounts")) {
        let message = "userinfo does not say for whom a token was issued, so that any application that these accounts use could call as them";
        let help = "list them: accounts = [\"ada\", \"svc-*\"]";
        if report.is_written(&member(key, "accounts")) {
            report.error(&member(key, "accounts"), message).help(help);
        } else {
            report.missing(key, "accounts", message, help);
        }
    }
    report
        .warning(
            &member(key, "userinfo_endpoint"),
            "any application that one of these accounts uses can call as that account, with the token that it was given for itself",
        )
        .help("use introspection or signed tokens with an audience if the issuer has them");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_count_only_around_the_whole() {
        for pattern in ["^a$", r"^(a|b)@x\.com$", "^[|]a$", r"^a\|b$", r"^a\\$"] {
            assert!(is_anchored(pattern), "{pattern}");
        }
        for pattern in ["a", "^a", "a$", "^a|b$", r"^a\$", "^(a)|b$"] {
            assert!(!is_anchored(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_noticed() {
        let pattern = Regex::new("^(?<user>.+)@(.+)$").unwrap();
        for to in ["$1", "${1}x", "$user", "x$2", "$$9", "${user}_x", "$0", "a"] {
            assert_eq!(missing_group(&pattern, to), None, "{to}");
        }
        for (to, missing) in [
            ("$3", "3"),
            ("$1x", "1x"),
            ("$user_x", "user_x"),
            ("$$$9", "9"),
        ] {
            assert_eq!(
                missing_group(&pattern, to).as_deref(),
                Some(missing),
                "{to}"
            );
        }
    }
}
