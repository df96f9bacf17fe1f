//! What holds between the providers of a tenant, so that every token has at most one judge.

use super::ways::{self, Ways};
use crate::{
    provider::Kind,
    tenant::{
        file::ProviderFile,
        report::{Report, element, member, quoted},
    },
};

/// Reports providers that could not be told apart, or of which one could name another's accounts. The files have their
/// presets filled in.
pub fn judge(files: &[ProviderFile], report: &mut Report<'_>) {
    let key = |index| element("provider", index);
    // Whether tokens come to a provider by their look rather than by their issuer.
    let opaque: Vec<bool> = files
        .iter()
        .enumerate()
        .map(|(index, file)| Ways::of(&key(index), file, report).judges_opaque_tokens())
        .collect();
    for (index, file) in files.iter().enumerate() {
        let before = || files[..index].iter().enumerate();
        if let Some(name) = name(file)
            && let Some((other, _)) = before().find(|(_, other)| self::name(other) == Some(name))
        {
            let message = format!("{} is already called {}", key(other), quoted(name));
            report
                .error(&member(&key(index), "name"), message)
                .help("give each provider a name of its own: name = \"…\"");
        }
        if files.len() > 1 && file.accounts.is_none() && file.username_map.is_none() {
            report.missing(
                &key(index),
                "accounts",
                "with several providers, each could name the other's accounts, `admin` too",
                "write which accounts this one may name: accounts = [\"ext-*\"], or [\"*\"] for any; or a username_map",
            );
        }
        let shares = |other: &ProviderFile| {
            let theirs = other.issuers();
            file.issuers().iter().any(|issuer| theirs.contains(issuer))
        };
        if let Some((other, _)) = before().find(|(_, other)| shares(other)) {
            let message = format!("{} already has this issuer", key(other));
            // The key that it follows from.
            let mut names = ["issuer", "tenant_ids", "user_pool_id"].into_iter();
            let name = names.find(|name| report.is_written(&member(&key(index), name)));
            report
                .error(&member(&key(index), name.unwrap_or("issuer")), message)
                .help("a token is judged by the one provider whose issuer it names");
        }
        if !opaque[index] {
            continue;
        }
        let ours = ways::prefixes(file);
        let rival = before()
            .filter(|(other, _)| opaque[*other])
            .find_map(|(other, theirs)| Some((other, clash(&ours, &ways::prefixes(theirs))?)));
        let is_broken = report.is_broken(&member(&key(index), "token_prefix"));
        if let Some((other, theirs)) = rival
            && !is_broken
            && !report.is_broken(&member(&key(other), "token_prefix"))
        {
            let message = match theirs.as_str() {
                "" => format!("{} judges opaque tokens of any form as well", key(other)),
                theirs => format!(
                    "{} judges tokens that start with {}",
                    key(other),
                    quoted(theirs)
                ),
            };
            report
                .error(&member(&key(index), "token_prefix"), message)
                .help("an opaque token is sent to one provider only: give each a token_prefix that begins no other's");
        }
    }
}

/// The prefix of `theirs` that a token of ours could have as well; empty where both take tokens of any form.
fn clash(ours: &[&str], theirs: &[&str]) -> Option<String> {
    if ours.is_empty() && theirs.is_empty() {
        return Some(String::new());
    }
    let overlaps = |theirs: &&&str| {
        ours.iter()
            .any(|ours| ours.starts_with(**theirs) || theirs.starts_with(ours))
    };
    theirs
        .iter()
        .find(overlaps)
        .map(|theirs| (*theirs).to_owned())
}

/// The name of a provider, written or not.
pub fn name(file: &ProviderFile) -> Option<&str> {
    file.name.as_deref().or_else(|| file.kind.map(Kind::as_str))
}
