//! `[access]`: who may call what.

use std::{net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};

use super::{mapping, names, rules, ways::Ways};
use crate::{
    account::AccountPattern,
    policy::{passwords::Passwords, path, pattern::PathPattern, rules::Rules},
    tenant::{
        file::{AccessFile, ProviderFile},
        report::{Report, element, nearest, quoted},
        settings::{Access, CallPattern, Mode, Otherwise, Product, Sessions},
    },
};

/// The methods that a call may be named by: those of RFC 9110 that a REST API has.
pub const METHODS: [&str; 7] = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/// What the rest of the file says, as far as access depends on it.
pub struct Around<'f> {
    /// Unless it is broken.
    pub product: Option<Product>,
    /// Likewise, empty.
    pub context_path: &'f str,
    /// With their presets filled in.
    pub providers: &'f [ProviderFile],
    /// Whether there are API tokens, which may have been issued with any scope.
    pub has_api_tokens: bool,
}

/// The access that a file grants; the defaults where it says nothing.
pub fn access(
    file: Option<&AccessFile>,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Option<Access> {
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
    let public = each("access.public", &texts(&file.public), report, call_pattern);
    let open = each("access.open", &texts(&file.open), report, call_pattern);
    let api_paths = each(
        "access.api_paths",
        &texts(&file.api_paths),
        report,
        api_path,
    );
    let never = mapping::patterns("access.never", &texts(&file.never), report);
    let passwords = passwords(file, report);
    let schemes = each(
        "access.pass_schemes",
        &texts(&file.pass_schemes),
        report,
        scheme,
    );
    let rules = rules::rules(file.rule.as_deref().unwrap_or_default(), around, report);
    if let (Some(rules), Some(public), Some(open)) = (&rules, &public, &open) {
        let api_paths = api_paths.as_deref().unwrap_or_default();
        rules::judge(
            rules,
            [("public", public), ("open", open)],
            api_paths,
            around,
            report,
        );
    }
    if let Some(groups) = allow_groups.as_deref().filter(|groups| !groups.is_empty()) {
        rules::has_groups("access.allow_groups", groups, around, None, report);
    }
    if file.token_endpoints == Some(Otherwise::Pass) {
        report
            .warning(
                "access.token_endpoints",
                "a token of limited scope can make one of the product's own without limits",
            )
            .help("leave it out, unless something must manage such tokens");
    }
    if file.product_tokens == Some(Otherwise::Pass) {
        whose_opaque_tokens(around, report);
    }
    let mode = file.mode.unwrap_or(Mode::Enforce);
    if mode == Mode::Observe {
        report
            .warning(
                "access.mode",
                "nothing is enforced: every call passes untouched, whoever makes it",
            )
            .help("write \"enforce\" once nothing that must pass is counted in postern_decisions_total{outcome=\"observe\"}");
    }
    let (allow_groups, rules) = (allow_groups?, rules?);
    let of_rules = rules.iter().flat_map(|rule| &rule.groups);
    Some(Access {
        mode,
        named_groups: of_rules.chain(&allow_groups).cloned().collect(),
        rules: Rules::new(rules),
        never: never?,
        allow_groups,
        allow_networks: allow?,
        deny_networks: deny?,
        public: public?,
        open: open?,
        api_paths: api_paths?,
        read_only: file.read_only.unwrap_or(false),
        anonymous: file.anonymous.unwrap_or(Otherwise::Deny),
        sessions: file.sessions.unwrap_or(Sessions::Pass),
        passwords: passwords?,
        product_tokens: file.product_tokens.unwrap_or(Otherwise::Deny),
        oauth1: file.oauth1.unwrap_or(Otherwise::Pass),
        pass_schemes: schemes?,
        token_endpoints: file.token_endpoints.unwrap_or(Otherwise::Deny),
    })
}

fn passwords(file: &AccessFile, report: &mut Report<'_>) -> Option<Passwords> {
    let texts = |texts: &Option<Vec<String>>| texts.clone().unwrap_or_default();
    let networks = networks(
        "access.password_networks",
        &texts(&file.password_networks),
        report,
    );
    let mut accounts = |key, written| mapping::patterns(key, &texts(written), report);
    let named = accounts("access.password_accounts", &file.password_accounts);
    let break_glass = accounts("access.break_glass", &file.break_glass);
    let otherwise = file.passwords.unwrap_or(Otherwise::Deny);
    for (key, is_written, patterns) in [
        (
            "access.password_networks",
            file.password_networks.is_some(),
            None,
        ),
        (
            "access.password_accounts",
            file.password_accounts.is_some(),
            Some(&named),
        ),
        (
            "access.break_glass",
            file.break_glass.is_some(),
            Some(&break_glass),
        ),
    ] {
        if is_written && otherwise == Otherwise::Pass {
            report
                .warning(key, "this has no effect where passwords = \"pass\"")
                .help("remove it");
        } else if let Some(Some(patterns)) = patterns
            && patterns.iter().any(AccountPattern::is_everybody)
            && (key == "access.break_glass" || file.password_networks.is_none())
        {
            report
                .warning(key, "this is everybody, so that every password passes")
                .help("name the accounts; or write passwords = \"pass\", which says so");
        }
    }
    Some(Passwords {
        otherwise,
        networks: networks?,
        accounts: named?,
        break_glass: break_glass?,
    })
}

/// A product's token must not be sent to a provider, who has no business with it and would call it inactive.
fn whose_opaque_tokens(around: &Around<'_>, report: &mut Report<'_>) {
    for (index, file) in around.providers.iter().enumerate() {
        let key = element("provider", index);
        let takes_all = super::ways::prefixes(file).is_empty();
        if takes_all && Ways::of(&key, file, report).judges_opaque_tokens() {
            let message = format!(
                "no token of the product gets that far: {key} is asked about all opaque tokens, and so gets to see the product's"
            );
            report
                .warning("access.product_tokens", message)
                .help("write the token_prefix of that provider's tokens");
        }
    }
}

fn scheme(key: &str, text: &str, report: &mut Report<'_>) -> Option<String> {
    let own = [
        ("bearer", "product_tokens"),
        ("basic", "passwords"),
        ("oauth", "oauth1"),
    ];
    if let Some((_, instead)) = own.iter().find(|(own, _)| text.eq_ignore_ascii_case(own)) {
        report
            .error(key, format!("{} has a key of its own", quoted(text)))
            .help(format!("write {instead} = \"pass\""));
        return None;
    }
    // RFC 9110 §5.6.2, `token`.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if text.is_empty() || !text.bytes().all(allowed) {
        report
            .error(key, format!("{} is no name of a scheme", quoted(text)))
            .help("write the first word of such an Authorization header, as in \"Negotiate\"");
        return None;
    }
    Some(text.to_ascii_lowercase())
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

fn call_pattern(key: &str, text: &str, report: &mut Report<'_>) -> Option<CallPattern> {
    let (method, path) = match text.split_once(' ') {
        Some((method, path)) => (Some(method), path),
        None => (None, text),
    };
    if let Some(written) = method {
        self::method(
            key,
            written,
            "write \"GET /path\", or \"/path\" for every method",
            report,
        )?;
    }
    Some(CallPattern {
        method: method.map(str::to_owned),
        path: pattern(key, path, report)?,
    })
}

/// The name of a method, in capitals.
pub fn method(key: &str, text: &str, otherwise: &str, report: &mut Report<'_>) -> Option<String> {
    if METHODS.contains(&text) {
        return Some(text.to_owned());
    }
    let problem = report.error(key, format!("{} is no method", quoted(text)));
    match nearest(text, METHODS) {
        Some(known) => problem.help(format!("did you mean {known}?")),
        None => problem.help(otherwise),
    }
    None
}

/// A pattern for paths.
pub fn pattern(key: &str, text: &str, report: &mut Report<'_>) -> Option<PathPattern> {
    match PathPattern::from_str(text) {
        Ok(pattern) => Some(pattern),
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
