//! `[[access.rule]]`: each by itself, and what they come to together.

use super::{
    access::{self, Around},
    across, names, ways,
};
use crate::{
    policy::{
        pattern::PathPattern,
        rules::{Effect, Rule, covers_method},
    },
    provider::Kind,
    tenant::{
        file::{ProviderFile, RuleFile},
        report::{Report, element, member, nearest, quoted},
        settings::CallPattern,
    },
};

/// The rules of a file.
pub fn rules(
    files: &[RuleFile],
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Option<Vec<Rule>> {
    let rules: Vec<_> = files
        .iter()
        .enumerate()
        .map(|(index, file)| rule(element("access.rule", index), file, around, report))
        .collect();
    rules.into_iter().collect()
}

fn rule(
    key: String,
    file: &RuleFile,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> Option<Rule> {
    if file.path.is_none() {
        report.missing(
            &key,
            "path",
            "a rule says which calls it is about",
            "write path = \"/rest/api/2/user/**\", or \"/**\" for all",
        );
    }
    let path = file.path.as_deref();
    let path = path.and_then(|path| access::pattern(&member(&key, "path"), path, report));
    let mut list = |name: &str, texts: &Option<Vec<String>>| {
        let (key, texts) = (member(&key, name), texts.as_deref().unwrap_or_default());
        if texts.is_empty() && report.is_written(&key) && !report.is_broken(&key) {
            // A template that found nothing to list would make a rule that asks nothing.
            report
                .error(&key, "this lists nothing")
                .help("leave it out if it does not matter");
            return None;
        }
        names(&key, texts, report)
    };
    let (methods, groups) = (list("methods", &file.methods), list("groups", &file.groups));
    let (scopes, providers) = (
        list("scopes", &file.scopes),
        list("providers", &file.providers),
    );
    let methods = methods.and_then(|methods| {
        let key = member(&key, "methods");
        let read = methods.iter().enumerate().map(|(index, method)| {
            access::method(
                &element(&key, index),
                method,
                "leave methods out for any",
                report,
            )
        });
        read.collect::<Vec<_>>().into_iter().collect()
    });
    let rule = Rule {
        effect: file.effect.unwrap_or_default(),
        path: path?,
        methods: methods?,
        groups: groups?,
        scopes: scopes?,
        providers: providers?,
        key,
    };
    can_be_met(&rule, around, report);
    Some(rule)
}

/// Whether somebody can be what the rule lists.
fn can_be_met(rule: &Rule, around: &Around<'_>, report: &mut Report<'_>) {
    let key = |name| member(&rule.key, name);
    let mut all_known = true;
    for (index, name) in rule.providers.iter().enumerate() {
        let known = || around.providers.iter().filter_map(across::name);
        if !known().any(|known| known == name) {
            all_known = false;
            let at = element(&key("providers"), index);
            let problem = report.error(&at, format!("there is no provider {}", quoted(name)));
            if let Some(known) = nearest(name, known()) {
                problem.help(format!("did you mean {known:?}?"));
            }
        }
    }
    for (index, scope) in rule.scopes.iter().enumerate() {
        // RFC 6749 §3.3, `scope-token`.
        let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if !scope.bytes().all(allowed) {
            report
                .error(&element(&key("scopes"), index), "no token has such a scope")
                .help("write one scope in each text, without spaces");
        }
    }
    if !all_known {
        // Who is meant has to be said first.
        return;
    }
    let asked = |file: &&ProviderFile| {
        rule.providers.is_empty()
            || across::name(file).is_some_and(|name| rule.providers.iter().any(|own| own == name))
    };
    if !rule.groups.is_empty() {
        has_groups(
            &key("groups"),
            &rule.groups,
            around,
            Some(&rule.providers),
            report,
        );
    }
    let by_api_tokens = around.has_api_tokens && rule.providers.is_empty();
    if !rule.scopes.is_empty() && !around.providers.is_empty() && !by_api_tokens {
        let mut asked = around.providers.iter().filter(asked);
        if !asked.any(tells_scopes) {
            report.warning(
                &key("scopes"),
                "nobody holds these: no provider here says which scopes a token has",
            );
        }
    }
    let mut parts = ["effect", "groups", "scopes", "providers"].into_iter();
    if rule.effect == Effect::Allow
        && rule.asks_nothing()
        && !parts.any(|part| report.is_broken(&key(part)))
    {
        report
            .warning(&rule.key, "this rule asks nothing, and so changes nothing")
            .help("write whom it lets by (groups, scopes, providers), or effect = \"deny\"");
    }
}

/// Slack's answers and userinfo do not tell scopes; everybody else's tokens or answers may.
fn tells_scopes(file: &ProviderFile) -> bool {
    file.kind != Some(Kind::Slack) && file.userinfo_endpoint.is_none()
}

/// Whether some provider, out of `among` if that names any, tells groups at all.
pub fn has_groups(
    key: &str,
    groups: &[String],
    around: &Around<'_>,
    among: Option<&[String]>,
    report: &mut Report<'_>,
) {
    let mut asked = around.providers.iter().filter(|file| {
        let named = |among: &[String]| {
            across::name(file).is_some_and(|name| among.iter().any(|own| own == name))
        };
        among.is_none_or(|among| among.is_empty() || named(among))
    });
    let delivers =
        |file: &ProviderFile| file.groups.is_some() || !ways::preset(file).groups.is_empty();
    if !around.providers.is_empty() && !asked.any(delivers) {
        let message = format!(
            "nobody is in {}: no provider here says which groups somebody is in",
            groups.join(", ")
        );
        report
            .warning(key, message)
            .help("write in [[provider]] which claim lists them: groups = \"groups\"");
    }
}

/// What the rules come to together, and with the calls that need no credential.
pub fn judge(
    rules: &[Rule],
    listed: [(&str, &[CallPattern]); 2],
    api_paths: &[String],
    around: &Around<'_>,
    report: &mut Report<'_>,
) {
    let is_api = |path: &PathPattern| {
        let own = around
            .product
            .map_or(&[][..], |product| product.api_paths());
        let mut all = own
            .iter()
            .copied()
            .chain(api_paths.iter().map(String::as_str));
        around.product.is_none() || all.any(|prefix| path.may_lie_under(prefix))
    };
    let denying: Vec<_> = rules
        .iter()
        .filter(|rule| rule.is_for_everybody())
        .collect();
    for (name, calls) in listed {
        for (index, call) in calls.iter().enumerate() {
            let key = element(&format!("access.{name}"), index);
            let methods: Vec<_> = call.method.iter().map(String::as_str).collect();
            if let Some(rule) = denying
                .iter()
                .find(|rule| shadows(rule, &call.path, &methods))
            {
                let message = format!(
                    "nobody passes here: {} denies it, and denying wins",
                    rule.key
                );
                report.warning(&key, message);
            } else if starts_with_context(&key, &call.path, around, report) {
            } else if !is_api(&call.path) {
                report.warning(&key, "this changes nothing: it is no path of the API, and so passes without a credential anyway");
            }
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        let key = member(&rule.key, "path");
        let methods: Vec<_> = rule.methods.iter().map(String::as_str).collect();
        if starts_with_context(&key, &rule.path, around, report) {
            continue;
        }
        if !rule.asks_nothing() && !is_api(&rule.path) {
            report
                .warning(&key, "no path of the API is meant, so that whoever sends no credential passes there unasked")
                .help("add the path to api_paths; or write a rule that denies and lists nobody, which binds everybody");
        }
        if rule.effect == Effect::Deny {
            continue;
        }
        let others = || {
            rules
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
        };
        for (at, other) in others().filter(|(_, other)| shadows(other, &rule.path, &methods)) {
            let why = match other.effect {
                Effect::Deny if denies_all_of(other, rule) => {
                    format!("{} denies it, and denying wins", other.key)
                }
                Effect::Allow if at < index && asks_for_others(other, rule) => {
                    format!(
                        "{} asks for another provider, and both must hold",
                        other.key
                    )
                }
                Effect::Deny | Effect::Allow => continue,
            };
            report.warning(&rule.key, format!("nobody is let by: {why}"));
            break;
        }
    }
}

/// Whether `rule` is about every call that the other is about.
fn shadows(rule: &Rule, path: &PathPattern, methods: &[&str]) -> bool {
    let is_covered = |method: &&str| rule.methods.iter().any(|own| covers_method(own, method));
    let all_methods =
        rule.methods.is_empty() || (!methods.is_empty() && methods.iter().all(is_covered));
    all_methods && rule.path.covers(path)
}

/// Whether everybody whom `allowing` lets by is denied by `denying`.
fn denies_all_of(denying: &Rule, allowing: &Rule) -> bool {
    let within = |narrow: &[String], wide: &[String]| {
        wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(|name| wide.contains(name)))
    };
    within(&allowing.groups, &denying.groups)
        && within(&allowing.providers, &denying.providers)
        && denying
            .scopes
            .iter()
            .all(|scope| allowing.scopes.contains(scope))
}

/// Whether nobody can have been proved as both rules ask.
fn asks_for_others(rule: &Rule, other: &Rule) -> bool {
    !rule.providers.is_empty()
        && !other.providers.is_empty()
        && !rule
            .providers
            .iter()
            .any(|name| other.providers.contains(name))
}

/// Reports a pattern that repeats the context path, and so is about nothing.
fn starts_with_context(
    key: &str,
    path: &PathPattern,
    around: &Around<'_>,
    report: &mut Report<'_>,
) -> bool {
    let written = path.to_string();
    let Some(instead) = written
        .strip_prefix(around.context_path)
        .filter(|rest| !around.context_path.is_empty() && rest.starts_with('/'))
    else {
        return false;
    };
    report
        .warning(
            key,
            format!(
                "this is about {}{written}: paths are those below the context path",
                around.context_path
            ),
        )
        .help(format!("write {instead:?}"));
    true
}
