//! What is known of each kind of provider: data where they differ in data, a function where they differ in kind. The
//! source of every fact is named beside it; what could not be confirmed is marked so.

mod cognito;
mod custom;
mod entra;
mod facebook;
mod github;
mod gitlab;
mod google;
mod keycloak;
mod okta;
pub(crate) mod slack;

use std::fmt;

use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    account::fold,
    decision::{Denial, Denied},
    tenant::{
        build::outgoing,
        file::{ProviderFile, TextOrList},
        problem::Severity,
        settings::{AskWay, ProviderSettings},
    },
    verify::{claims::Claims, json::Json},
};

/// `kind` of a provider.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Microsoft Entra ID, formerly Azure AD.
    Entra,
    /// Keycloak.
    Keycloak,
    /// Okta, a custom authorization server or the organisation's own.
    Okta,
    /// Amazon Cognito user pools.
    Cognito,
    /// Google.
    Google,
    /// GitHub.com and GitHub Enterprise Server.
    Github,
    /// Slack.
    Slack,
    /// GitLab.com and self-managed GitLab.
    Gitlab,
    /// Facebook.
    Facebook,
    /// Any issuer of OAuth 2.0 or OIDC tokens.
    Custom,
}

impl Kind {
    /// As written in a file; also the default `name` of a provider.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Keycloak => "keycloak",
            Self::Okta => "okta",
            Self::Cognito => "cognito",
            Self::Google => "google",
            Self::Github => "github",
            Self::Slack => "slack",
            Self::Gitlab => "gitlab",
            Self::Facebook => "facebook",
            Self::Custom => "custom",
        }
    }

    /// What is known of it.
    #[must_use]
    pub fn preset(self) -> &'static Preset {
        match self {
            Self::Entra => &entra::PRESET,
            Self::Keycloak => &keycloak::PRESET,
            Self::Okta => &okta::PRESET,
            Self::Cognito => &cognito::PRESET,
            Self::Google => &google::PRESET,
            Self::Github => &github::PRESET,
            Self::Slack => &slack::PRESET,
            Self::Gitlab => &gitlab::PRESET,
            Self::Facebook => &facebook::PRESET,
            Self::Custom => &custom::PRESET,
        }
    }
}

/// What is known of one kind of provider.
pub struct Preset {
    /// Which.
    pub kind: Kind,
    /// The keys of a tenant file that mean something here, besides those of [`COMMON_KEYS`]: any other would be
    /// written in vain.
    pub takes: &'static [&'static str],
    /// Writes into the file what follows from what its author wrote, and says what is missing. What is written
    /// already stays.
    pub fill: fn(&mut ProviderFile) -> Vec<Wrong>,
    /// What proves that a token was issued for us.
    pub binding: Binding,
    /// Where the keys of an issuer are, if its discovery document is not to be asked.
    pub keys_of: fn(&ProviderFile, &str) -> Option<String>,
    /// Whose users an issuer's are, where it has several names.
    pub realm_of: fn(&str) -> &str,
    /// How the provider is asked about tokens that prove nothing themselves, where that is not RFC 7662.
    pub ask: fn(&ProviderFile) -> Option<Result<AskWay, Wrong>>,
    /// Whether a key of its key set may prove tokens only of the issuer that the key itself names (`issuer`).
    pub keys_name_issuers: bool,
    /// Header members that mark tokens which are not for us, each with its reason and what to do.
    pub refused_headers: &'static [(&'static str, Denied, &'static str)],
    /// How its opaque tokens start, by its own documentation.
    pub prefixes: &'static [&'static str],
    /// Tokens of other kinds that it issues, by how they start, and what to send instead.
    pub refused_prefixes: &'static [(&'static str, &'static str)],
    /// The claims that name the account, unless the file says otherwise; the first that is there counts.
    pub username: &'static [&'static str],
    /// The claims that list groups.
    pub groups: &'static [&'static str],
    /// The claims that name the client that got the token.
    pub client: &'static [&'static str],
    /// The claims that say for good who it is, whatever the account is called.
    pub subject: &'static [&'static str],
    /// The claim within whose value the subject is unique, where it is not everywhere.
    pub subject_within: Option<&'static str>,
    /// What marks a token that a client got for itself: any of these, each of which is several marks together.
    pub machine: &'static [&'static [Mark]],
    /// The same in answers to questions about a token.
    pub machine_answers: &'static [&'static [Mark]],
    /// What marks a person's token though it looks like a machine's: it is neither, and names nobody.
    pub person: &'static [&'static [Mark]],
    /// Judges the proved claims of a JWT: of the right kind, and for us.
    pub judge: fn(&Claims<'_>, &ProviderSettings) -> Result<(), Denial>,
    /// Judges what the provider answered about a token.
    pub judge_answer: fn(&Claims<'_>, &ProviderSettings) -> Result<(), Denial>,
    /// Why a JWT of the issuer is refused unasked where no signature is checked, if its opaque tokens are never JWTs.
    pub jwts_refused: Option<&'static str>,
    /// Why the groups of a token may be unknown, if they are.
    pub groups_unknown: fn(&Claims<'_>) -> Option<&'static str>,
    /// Whether an `email` names an account though nothing says that it was verified.
    pub vouches_for_email: bool,
    /// What an operator should look at where the provider calls a token inactive.
    pub inactive_hint: &'static str,
}

impl Preset {
    /// Who it is for good, whatever the account is called: the same text in whichever way the token was judged.
    #[must_use]
    pub fn subject_of(&self, claims: &Claims<'_>) -> Option<String> {
        let id = |name: &&str| match claims.at(name)? {
            Json::Text(text) if !text.is_empty() => Some(text.clone().into_owned()),
            // Ids of users are numbers in some APIs, and whole ones.
            Json::Number(number) if number.is_u64() => Some(number.to_string()),
            _ => None,
        };
        let subject = self.subject.iter().find_map(id)?;
        match &self.subject_within {
            None => Some(subject),
            Some(within) => Some(format!("{}/{subject}", id(within)?)),
        }
    }
}

/// The keys of a provider that every kind takes.
pub const COMMON_KEYS: &[&str] = &[
    "kind",
    "name",
    "username",
    "username_case",
    "username_map",
    "accounts",
    "service_accounts",
    "groups",
    "leeway",
    "ca",
];

/// What proves that a token was issued for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// `audience`.
    Audience,
    /// `audience` or `clients`.
    AudienceOrClients,
    /// Something else, which [`Preset::fill`] asks for.
    Own,
}

/// A mark of a token.
#[derive(Debug, Clone, Copy)]
pub enum Mark {
    /// The claim is there.
    Present(&'static str),
    /// It is not.
    Absent(&'static str),
    /// It is exactly this text.
    Is(&'static str, &'static str),
    /// It ends so.
    EndsWith(&'static str, &'static str),
    /// Both are texts, and the same.
    Equal(&'static str, &'static str),
    /// The first is the text between them with the other claim behind it, in whatever case.
    Joined(&'static str, &'static str, &'static str),
}

impl Mark {
    fn is_on(self, claims: &Claims<'_>) -> bool {
        match self {
            Self::Present(name) => claims.get(name).is_some(),
            Self::Absent(name) => claims.get(name).is_none(),
            Self::Is(name, text) => claims.text(name) == Some(text),
            Self::EndsWith(name, end) => claims.text(name).is_some_and(|text| text.ends_with(end)),
            Self::Equal(one, other) => {
                claims.text(one).is_some() && claims.text(one) == claims.text(other)
            }
            Self::Joined(one, start, other) => {
                let joined = claims.text(other).map(|other| format!("{start}{other}"));
                joined.is_some_and(|joined| {
                    claims
                        .text(one)
                        .is_some_and(|one| fold(one) == fold(&joined))
                })
            }
        }
    }
}

/// Whether any of the conjunctions holds.
#[must_use]
pub fn is_marked(claims: &Claims<'_>, marks: &[&[Mark]]) -> bool {
    marks
        .iter()
        .any(|all| all.iter().all(|mark| mark.is_on(claims)))
}

/// A key of the file that is missing, makes no sense, or is dangerous.
#[derive(Debug)]
pub struct Wrong {
    /// The key.
    pub key: &'static str,
    /// Whether it forbids to serve the file.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to write.
    pub help: &'static str,
}

impl Wrong {
    fn new(key: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self {
            key,
            severity: Severity::Error,
            message: message.into(),
            help,
        }
    }

    /// Legal and dangerous.
    fn warning(key: &'static str, message: impl Into<String>, help: &'static str) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::new(key, message, help)
        }
    }
}

/// A preset that fills in nothing and asks nobody; the others say where they differ.
const PLAIN: Preset = Preset {
    kind: Kind::Custom,
    takes: &[],
    fill: |_| Vec::new(),
    binding: Binding::Audience,
    keys_of: |_, _| None,
    realm_of: |issuer| issuer,
    ask: |_| None,
    keys_name_issuers: false,
    refused_headers: &[],
    prefixes: &[],
    refused_prefixes: &[],
    username: &["sub"],
    groups: &[],
    client: &["client_id", "azp"],
    subject: &["sub"],
    subject_within: None,
    machine: &[],
    machine_answers: &[],
    person: &[],
    judge: access_token,
    judge_answer: introspection,
    jwts_refused: None,
    groups_unknown: |_| None,
    vouches_for_email: false,
    inactive_hint: "",
};

// === judgements that several kinds share ===

/// An access token of nobody's other kind, for us, and got by a client that may have one.
fn access_token(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    claims.is_an_access_token()?;
    claims.is_for(settings)?;
    claims.is_from(settings)
}

/// An answer of RFC 7662 §2.2, judged as if it were a token: it may be about somebody else's.
fn introspection(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    if let Some(found) = claims.get("iss")
        && !settings.issuers.is_empty()
        && found
            .as_str()
            .is_none_or(|issuer| settings.trusted(issuer).is_none())
    {
        let message = format!(
            "the introspection answer names the issuer {}, and the provider's is {} ({})",
            found.quoted(),
            settings.label(),
            settings.written_in
        );
        return Err(Denial::new(Denied::UnknownIssuer, message).by("issuer"));
    }
    claims.is_an_access_token()?;
    // RFC 7662 §2.2: an endpoint may know refresh tokens as well, and call them active.
    if let Some(kind) = claims.get("token_type")
        && !kind
            .as_str()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
    {
        return Err(wrong_kind(format!(
            "the introspection answer is about a token of the type {}",
            kind.quoted()
        )));
    }
    // Where the signature has proved the audience, an answer that is silent about it takes nothing back.
    if !settings.both || claims.get("aud").is_some() {
        claims.is_for(settings).map_err(|denial| {
            if claims.get("aud").is_none() {
                silent_about_audience(claims, settings)
            } else {
                denial
            }
        })?;
    }
    claims.is_from(settings)
}

/// RFC 7662 §2.2 leaves `aud` to the server, and many never write it: then only the client says whose a token is.
fn silent_about_audience(claims: &Claims<'_>, settings: &ProviderSettings) -> Denial {
    let names = settings.preset.client;
    let client = names.iter().find_map(|name| claims.text(name));
    let instead = client.map_or_else(String::new, |client| {
        format!(
            ", or, to go by the token's client, audience = \"any\" with clients = [{}]",
            Json::from(client).quoted()
        )
    });
    let message = format!(
        "the introspection answer has no audience (aud), and audience is set ({}); have the issuer write it{instead}",
        settings.written_in
    );
    Denial::new(Denied::WrongAudience, message).by("audience")
}

fn wrong_kind(what: impl fmt::Display) -> Denial {
    Denial::new(
        Denied::WrongTokenKind,
        format!("{what}; send an access token"),
    )
}

/// That the application for which a token was issued, as this claim says, is ours.
fn is_of_our_application(
    claims: &Claims<'_>,
    name: &str,
    settings: &ProviderSettings,
) -> Result<(), Denial> {
    if claims.text(name) == Some(settings.own.client_id.as_str()) {
        return Ok(());
    }
    let message = format!(
        "the token is of the application {}, and client_id is {} ({})",
        shown(claims, name),
        settings.own.client_id,
        settings.written_in
    );
    Err(Denial::new(Denied::WrongAudience, message).by("client_id"))
}

/// A claim as a message shows it.
fn shown(claims: &Claims<'_>, name: &str) -> String {
    claims
        .get(name)
        .map_or_else(|| "missing".to_owned(), Json::quoted)
}

// === what several kinds fill in ===

/// The URL of a key, if Postern may connect to it.
fn url(key: &'static str, text: &str) -> Result<Url, Wrong> {
    outgoing(text).map_err(|reason| {
        Wrong::new(
            key,
            reason,
            "write https://…; http is for this very machine only",
        )
    })
}

/// `path` of the provider's API, wherever the file says that it is.
fn api(file: &ProviderFile, default: &str, path: &str) -> Result<Url, Wrong> {
    let base = file.api_url.as_deref().unwrap_or(default);
    let base = base.trim_end_matches('/');
    let text = if path.is_empty() {
        base.to_owned()
    } else {
        format!("{base}/{path}")
    };
    url("api_url", &text)
}

impl ProviderFile {
    /// The issuers as written.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        self.issuer.as_ref().map_or(&[], |issuer| issuer.texts())
    }

    /// The only issuer, where there is one.
    fn only_issuer(&self) -> Option<&str> {
        match self.issuers() {
            [only] => Some(only.trim_end_matches('/')),
            _ => None,
        }
    }

    /// Whether one of these claims names the account, by what the file says.
    fn is_named_by(&self, claims: &[&str]) -> bool {
        let named = self.username.iter().flat_map(TextOrList::texts);
        named
            .into_iter()
            .any(|name| claims.contains(&name.as_str()))
    }

    /// Only these algorithms, unless the file says otherwise.
    fn default_algorithms(&mut self, names: &[&str]) {
        self.algorithms.get_or_insert_with(|| {
            names
                .iter()
                .map(|name| crate::tenant::file::AlgorithmName((*name).to_owned()))
                .collect()
        });
    }
}

impl fmt::Debug for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Preset({})", self.kind.as_str())
    }
}

#[cfg(test)]
mod tests;
