//! What holds between the providers of a tenant, so that every token has at most one judge.

use super::signature;
use crate::tenant::{
    file::{Kind, ProviderFile},
    report::{Report, element, member, quoted},
};

/// Reports providers that could not be told apart.
pub fn judge(files: &[ProviderFile], report: &mut Report<'_>) {
    let key = |index| element("provider", index);
    // Whether tokens come to a provider by their look rather than by their issuer.
    let opaque: Vec<bool> = files
        .iter()
        .enumerate()
        .map(|(index, file)| !signature::is_wanted(&key(index), file, report))
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
        if let Some(issuer) = &file.issuer
            && let Some((other, _)) =
                before().find(|(_, other)| other.issuer.as_ref() == Some(issuer))
        {
            let message = format!("{} already has this issuer", key(other));
            report
                .error(&member(&key(index), "issuer"), message)
                .help("a token is judged by the one provider whose issuer it names");
        }
        if !opaque[index] {
            continue;
        }
        let rival = before()
            .filter(|(other, _)| opaque[*other])
            .find(
                |(_, other)| match (&file.token_prefix, &other.token_prefix) {
                    (None, None) => true,
                    (Some(ours), Some(theirs)) => {
                        ours.starts_with(theirs.as_str()) || theirs.starts_with(ours.as_str())
                    }
                    _ => false,
                },
            );
        let is_broken = report.is_broken(&member(&key(index), "token_prefix"));
        if let Some((other, rival)) = rival
            && !is_broken
            && !report.is_broken(&member(&key(other), "token_prefix"))
        {
            let message = match &rival.token_prefix {
                None => format!("{} judges opaque tokens of any form as well", key(other)),
                Some(theirs) => format!(
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

/// The name of a provider, written or not.
fn name(file: &ProviderFile) -> Option<&str> {
    file.name.as_deref().or_else(|| file.kind.map(Kind::as_str))
}
