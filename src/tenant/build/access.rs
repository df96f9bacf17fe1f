//! `[access]`: who may call what.

use std::{net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};

use super::{mapping, names};
use crate::{
    policy::{path, pattern::PathPattern},
    tenant::{
        file::AccessFile,
        report::{Report, element, nearest, quoted},
        settings::{Access, Otherwise, PublicRule, Sessions},
    },
};

/// The methods that a rule of `public` may name: those of RFC 9110 that a REST API has.
const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/// The access that a file grants; the defaults where it says nothing.
pub fn access(file: Option<&AccessFile>, report: &mut Report<'_>) -> Option<Access> {
    let default = AccessFile::default();
    let file = file.unwrap_or(&default);
    let texts = |texts: &Option<Vec<String>>| texts.clone().unwrap_or_default();
    let allow_groups = names("access.allow_groups", &texts(&file.allow_groups), report);
    let allow = networks(
        "access.allow_networks",
        &texts(&file.allow_networks),
        report,
    );
    let deny = networks("access.deny_networks", &texts(&file.deny_networks), report);
    if let (Some(allow), Some(deny)) = (&allow, &deny) {
        contradictions(allow, deny, report);
    }
    let public = each("access.public", &texts(&file.public), report, public_rule);
    let api_paths = each(
        "access.api_paths",
        &texts(&file.api_paths),
        report,
        api_path,
    );
    let never = mapping::patterns("access.never", &texts(&file.never), report);
    Some(Access {
        never: never?,
        allow_groups: allow_groups?,
        allow_networks: allow?,
        deny_networks: deny?,
        public: public?,
        api_paths: api_paths?,
        read_only: file.read_only.unwrap_or(false),
        anonymous: file.anonymous.unwrap_or(Otherwise::Deny),
        sessions: file.sessions.unwrap_or(Sessions::Pass),
    })
}

/// Reads every element, and reports each that can't be read.
fn each<T>(
    key: &str,
    texts: &[String],
    report: &mut Report<'_>,
    read: impl Fn(&str, &str, &mut Report<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = texts
        .iter()
        .enumerate()
        .map(|(index, text)| read(&element(key, index), text, report))
        .collect();
    read.into_iter().collect()
}

fn networks(key: &str, texts: &[String], report: &mut Report<'_>) -> Option<Vec<IpNet>> {
    each(key, texts, report, network)
}

fn network(key: &str, text: &str, report: &mut Report<'_>) -> Option<IpNet> {
    let network = IpNet::from_str(text).or_else(|_| IpAddr::from_str(text).map(IpNet::from));
    let Ok(network) = network else {
        report
            .error(key, format!("{} is no network", quoted(text)))
            .help("write an address, or a network as in \"10.0.0.0/8\" or \"2001:db8::/32\"");
        return None;
    };
    if let IpNet::V6(v6) = network
        && let Some(address) = v6.addr().to_ipv4_mapped()
    {
        // Callers' addresses are unmapped before they are compared, so this would never match.
        let problem = report.error(key, "this is an IPv4 network written as IPv6");
        if let Some(prefix) = v6.prefix_len().checked_sub(96)
            && let Ok(v4) = Ipv4Net::new(address, prefix)
        {
            problem.help(format!("write {:?}", v4.to_string()));
        }
        return None;
    }
    let trimmed = network.trunc();
    if trimmed != network {
        let message = format!("the bits behind the prefix are ignored: this means {trimmed}");
        report
            .warning(key, message)
            .help(format!("write {:?}", trimmed.to_string()));
    }
    Some(trimmed)
}

/// Networks that are allowed in vain.
fn contradictions(allow: &[IpNet], deny: &[IpNet], report: &mut Report<'_>) {
    for (index, allowed) in allow.iter().enumerate() {
        if let Some(denied) = deny.iter().find(|denied| denied.contains(allowed)) {
            let message =
                format!("nobody passes here: deny_networks has {denied}, and denying wins");
            report.warning(&element("access.allow_networks", index), message);
        }
    }
}

fn public_rule(key: &str, text: &str, report: &mut Report<'_>) -> Option<PublicRule> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, text),
    };
    if let Some(method) = method
        && !METHODS.contains(&method)
    {
        let problem = report.error(key, format!("{} is no method", quoted(method)));
        match nearest(method, METHODS) {
            Some(known) => problem.help(format!("did you mean {known}?")),
            None => problem.help("write \"GET /path\", or \"/path\" for every method"),
        }
        return None;
    }
    match PathPattern::from_str(path) {
        Ok(path) => Some(PublicRule {
            method: method.map(str::to_owned),
            path,
        }),
        Err(reason) => {
            // It repeats the pattern and says what to write instead.
            report.error(key, reason.to_string());
            None
        }
    }
}

fn api_path(key: &str, text: &str, report: &mut Report<'_>) -> Option<String> {
    let path = text.trim_end_matches('/');
    if path.contains('*') || !path::is_canonical(path) {
        report
            .error(key, format!("{} is no path prefix", quoted(text)))
            .help("write \"/plugins/servlet/reports\", say: in the one form that requests are judged in, without patterns, and with anything beyond ASCII percent-encoded in capitals; all below it counts");
        return None;
    }
    Some(path.to_owned())
}
