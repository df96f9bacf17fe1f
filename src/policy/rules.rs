//! `[[access.rule]]`: what a call needs beyond a proof, and what nobody may call.
//!
//! Every rule whose path and method fit a call must hold, and denying wins. Rules restrict, so each reading that the
//! product might give a call counts: under a method and under its override, `GET` for `HEAD`, `latest` for a version of
//! a REST API, and `.json` for nothing.

mod index;
#[cfg(test)]
mod tests;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pattern::PathPattern;
use crate::{
    decision::{Denial, Denied},
    request::Request,
    verify::Principal,
};
use index::Index;

/// What a rule does to those it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Whoever meets all that the rule asks for is let by, and nobody else.
    #[default]
    Allow,
    /// Whoever is all that the rule lists is refused; everybody, if it lists nothing.
    Deny,
}

/// One `[[access.rule]]`.
#[derive(Debug)]
pub struct Rule {
    /// Where it stands: `access.rule[2]`.
    pub key: String,
    /// What becomes of those it is about.
    pub effect: Effect,
    /// The calls that it is about.
    pub path: PathPattern,
    /// In capitals; empty is any.
    pub methods: Vec<String>,
    /// One of these groups; empty asks for none.
    pub groups: Vec<String>,
    /// All of these scopes.
    pub scopes: Vec<String>,
    /// Proved by one of these providers; empty is by any.
    pub providers: Vec<String>,
}

/// All rules of a tenant, so arranged that the time to find those about a call does not grow with their number.
#[derive(Debug, Default)]
pub struct Rules {
    list: Vec<Rule>,
    index: Index,
}

/// The rules about one call, in the order of the file.
#[derive(Debug, Default)]
pub struct Matching<'r>(Vec<&'r Rule>);

/// What the products may take the canonical `path` for: under `/rest` they cut an extension that names a format
/// (Atlassian's `ExtensionJerseyFilter`), so that `session.json` is `session`.
pub fn readings(path: &str) -> impl Iterator<Item = &str> {
    std::iter::once(path).chain(without_extension(path))
}

fn without_extension(path: &str) -> Option<&str> {
    let (before, extension) = path.rsplit_once('.')?;
    let is_format = matches!(extension, "json" | "xml" | "txt" | "html" | "htm" | "atom");
    (is_format && path.starts_with("/rest/")).then_some(before)
}

impl Rules {
    /// Arranges them.
    #[must_use]
    pub fn new(list: Vec<Rule>) -> Self {
        let mut index = Index::default();
        for (number, rule) in list.iter().enumerate() {
            index.insert(&rule.path, number);
            if let Some(latest) = rule.path.of_latest_version() {
                index.insert(&latest, number);
            }
        }
        Self { list, index }
    }

    /// The rules about a call, in one look.
    #[must_use]
    pub fn matching(&self, request: &Request<'_>, path: &str) -> Matching<'_> {
        if self.list.is_empty() {
            return Matching(Vec::new());
        }
        let mut numbers = Vec::new();
        for path in readings(path) {
            self.index.find(path, &mut numbers);
        }
        numbers.sort_unstable();
        numbers.dedup();
        let found = numbers.into_iter().map(|number| &self.list[number]);
        Matching(found.filter(|rule| rule.is_about(request)).collect())
    }

    /// Whether any rule is about the canonical `path`, under some method.
    #[must_use]
    pub fn speak_of(&self, path: &str) -> bool {
        let mut numbers = Vec::new();
        for path in readings(path) {
            self.index.find(path, &mut numbers);
        }
        !numbers.is_empty()
    }

    /// The first rule by which `other` may call what `caller` may not.
    #[must_use]
    pub fn kept_by_one_alone(&self, caller: &Principal, other: &Principal) -> Option<&Rule> {
        let mut rules = self.list.iter();
        rules.find(|rule| rule.refuses(caller) && !rule.refuses(other))
    }

    /// All of them, in the order of the file.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.list
    }
}

impl Rule {
    /// Whether one of the methods of the call is one of the rule's. The products read an override in any case of letters.
    fn is_about(&self, request: &Request<'_>) -> bool {
        self.methods.is_empty()
            || request
                .methods()
                .any(|method| self.methods.iter().any(|own| covers_method(own, method)))
    }

    /// Whether the rule can be judged without knowing who calls: then it binds every way to pass.
    #[must_use]
    pub fn is_for_everybody(&self) -> bool {
        self.effect == Effect::Deny && self.asks_nothing()
    }

    /// Whether it lists no group, scope or provider.
    #[must_use]
    pub fn asks_nothing(&self) -> bool {
        self.groups.is_empty() && self.scopes.is_empty() && self.providers.is_empty()
    }

    /// What of the rule the caller lacks.
    fn lacks(&self, principal: &Principal) -> Option<Denial> {
        let denial =
            |reason, why, list| Some(Denial::new(reason, why).by(format!("{}.{list}", self.key)));
        let (key, account) = (&self.key, principal.account().escape_debug());
        if !self.groups.is_empty()
            && !principal
                .groups()
                .any(|group| is_among(group, &self.groups))
        {
            let unknown = principal.groups_unknown();
            let unknown = unknown.map_or_else(String::new, |why| format!("; {why}"));
            let groups = self.groups.join(", ");
            let why = format!("{account} is in none of the groups of {key} ({groups}){unknown}");
            return denial(Denied::NotInGroup, why, "groups");
        }
        let missing = |scope: &&String| !principal.scopes().any(|held| held == **scope);
        if let Some(scope) = self.scopes.iter().find(missing) {
            let why = format!(
                "the credential of {account} lacks the scope {scope}, which {key} asks for"
            );
            return denial(Denied::InsufficientScope, why, "scopes");
        }
        if !self.providers.is_empty() && !is_among(principal.provider(), &self.providers) {
            let (found, wanted) = (principal.provider(), self.providers.join(", "));
            let why = format!("{account} was proved by {found}, and {key} asks for {wanted}");
            return denial(Denied::RuleDenied, why, "providers");
        }
        None
    }

    /// Whether it denies this caller. One whose groups are not all known might be in those that the rule lists.
    fn denies(&self, principal: &Principal) -> bool {
        let may_be_in_group = self.groups.is_empty()
            || principal.groups_unknown().is_some()
            || principal
                .groups()
                .any(|group| is_among(group, &self.groups));
        let holds = |scope: &String| principal.scopes().any(|held| held == scope);
        may_be_in_group
            && self.scopes.iter().all(holds)
            && (self.providers.is_empty() || is_among(principal.provider(), &self.providers))
    }

    /// Whether it keeps this caller from the calls that it is about.
    fn refuses(&self, principal: &Principal) -> bool {
        match self.effect {
            Effect::Deny => self.denies(principal),
            Effect::Allow => self.lacks(principal).is_some(),
        }
    }

    fn denial(&self) -> Denial {
        Denial::new(
            Denied::RuleDenied,
            format!("{} ({self}) denies it", self.key),
        )
        .by(self.key.clone())
    }
}

/// Whether a rule for the method `own` is about a call by `method`. A HEAD is answered as the GET that it stands for.
#[must_use]
pub fn covers_method(own: &str, method: &str) -> bool {
    own.eq_ignore_ascii_case(method) || (own == "GET" && method.eq_ignore_ascii_case("HEAD"))
}

fn is_among(name: &str, names: &[String]) -> bool {
    names.iter().any(|own| own == name)
}

/// As a log names it: `deny POST, PUT /rest/**`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.effect {
            Effect::Allow => "allow ",
            Effect::Deny => "deny ",
        })?;
        if !self.methods.is_empty() {
            write!(f, "{} ", self.methods.join(", "))?;
        }
        write!(f, "{}", self.path)
    }
}

impl Matching<'_> {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.0.iter().copied()
    }

    /// Judges what needs no principal: for every way to pass.
    ///
    /// # Errors
    /// [`Denied::RuleDenied`].
    pub fn judge_everybody(&self) -> Result<(), Denial> {
        let denying = self.0.iter().find(|rule| rule.is_for_everybody());
        denying.map_or(Ok(()), |rule| Err(rule.denial()))
    }

    /// Judges a caller who is proved.
    ///
    /// # Errors
    /// [`Denied::RuleDenied`], [`Denied::NotInGroup`], [`Denied::InsufficientScope`].
    pub fn judge(&self, principal: &Principal) -> Result<(), Denial> {
        let rules = || self.0.iter();
        let mut denying = rules().filter(|rule| rule.effect == Effect::Deny);
        if let Some(rule) = denying.find(|rule| rule.denies(principal)) {
            return Err(rule.denial());
        }
        let mut asking = rules().filter(|rule| rule.effect == Effect::Allow);
        asking
            .find_map(|rule| rule.lacks(principal))
            .map_or(Ok(()), Err)
    }
}
