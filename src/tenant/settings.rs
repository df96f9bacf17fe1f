//! A tenant as meant: what a file says once every text in it has become a type that cannot be wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use ipnet::IpNet;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    account::AccountPattern,
    api_tokens::Scope,
    keys::{AlgorithmSet, KeySet},
    policy::{passwords::Passwords, pattern::PathPattern, rates::Rate, rules::Rules},
    provider::Preset,
    secret::Secret,
    tenant::id::TenantId,
};

/// The longest `leeway`: RFC 7519 §4.1.4 speaks of "no more than a few minutes".
pub const MAX_LEEWAY: Duration = Duration::from_mins(5);

/// Everything that one tenant file says.
#[derive(Debug)]
pub struct Settings {
    /// The file's name without `.toml`.
    pub id: TenantId,
    /// Which product stands behind the proxy.
    pub product: Product,
    /// The base URL as users know it, without a trailing slash.
    pub url: String,
    /// The path of `url` without a trailing slash: empty, or `/jira`.
    pub context_path: String,
    /// `false`: Postern steps aside (design: credentials of ours are refused, all else passes).
    pub enabled: bool,
    /// In the order of the file; no two share an issuer, at most one judges opaque tokens without a prefix.
    pub providers: Vec<Arc<ProviderSettings>>,
    /// The accounts of machines, of all providers, case-folded: no user becomes one of these.
    pub service_accounts: BTreeSet<String>,
    /// Postern's own API tokens.
    pub api_tokens: ApiTokenSettings,
    /// Who may call what.
    pub access: Access,
    /// How much.
    pub rate_limit: RateLimits,
    /// What the product itself is asked with; absent where it is asked nothing.
    pub upstream: Option<Arc<Upstream>>,
}

impl Settings {
    /// Whether some rule asks in which groups the owner of an API token is.
    #[must_use]
    pub fn api_tokens_need_groups(&self) -> bool {
        !self.api_tokens.groups.is_empty() || !self.access.named_groups.is_empty()
    }
}

/// The protected product; it decides which paths are its API and what its session cookies are called.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Jira Software or Jira Service Management, Data Center.
    Jira,
    /// Confluence Data Center.
    Confluence,
    /// Bitbucket Data Center.
    Bitbucket,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jira => "jira",
            Self::Confluence => "confluence",
            Self::Bitbucket => "bitbucket",
        })
    }
}

/// One `[[provider]]`: a source of identities, and what proves a token of it.
#[derive(Debug)]
pub struct ProviderSettings {
    /// Unique within the tenant: `name`, or else the kind.
    pub name: String,
    /// Where it is written, for whoever has to change it: `tenants/jira.toml, provider entra`.
    pub written_in: String,
    /// What is known of its kind.
    pub preset: &'static Preset,
    /// A digest over everything that this provider was configured with, secrets and files included;
    /// equal digests mean that what was proved under one still holds under the other.
    pub digest: [u8; 32],
    /// The `iss` that tokens may carry, compared byte by byte (RFC 7519 §4.1.1). Empty only where every token is
    /// judged by asking.
    pub issuers: Vec<TrustedIssuer>,
    /// For whom a token must have been issued (RFC 7519 §4.1.3).
    pub audience: Audience,
    /// Who must have got it, as its client claim says; empty is anyone.
    pub clients: Vec<String>,
    /// What only this provider's kind asks for.
    pub own: Own,
    /// A JWT's signature is required and proved so.
    pub signature: Option<SignatureProof>,
    /// The issuer is asked.
    pub asking: Option<Asking>,
    /// A JWT must be proved in both ways, the signature first, and other tokens are not accepted. Otherwise a
    /// JWT is proved by its signature where that is possible, and everything else by asking.
    pub both: bool,
    /// Opaque tokens that start so are this provider's.
    pub token_prefixes: Vec<String>,
    /// Who it is in the product.
    pub mapping: Mapping,
    /// The claims that list the groups.
    pub groups: Vec<ClaimPath>,
    /// How far clocks may differ for `exp` and `nbf`.
    pub leeway: Duration,
    /// PEM certificates of a private CA, trusted besides the system's for this provider's URLs.
    pub ca: Option<Arc<[u8]>>,
}

impl ProviderSettings {
    /// What it is called in logs and metrics: its first issuer, or whom it asks.
    #[must_use]
    pub fn label(&self) -> &str {
        match (self.issuers.first(), &self.asking) {
            (Some(trusted), _) => &trusted.issuer,
            (None, Some(asking)) => asking.endpoint().as_str(),
            (None, None) => &self.name,
        }
    }

    /// The issuer of exactly that name.
    #[must_use]
    pub fn trusted(&self, issuer: &str) -> Option<&TrustedIssuer> {
        self.issuers.iter().find(|trusted| trusted.issuer == issuer)
    }

    /// Whether tokens that are no JWTs are judged at all.
    #[must_use]
    pub fn judges_opaque_tokens(&self) -> bool {
        self.asking.is_some() && !self.both
    }
}

/// An `iss` that is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedIssuer {
    /// As tokens carry it.
    pub issuer: String,
    /// The place of its keys in [`SignatureProof::keys`].
    pub keys: usize,
    /// Whose users these are, where one issuer has several names: subjects of one realm are the same people.
    pub realm: String,
}

/// What only providers of one kind ask for.
#[derive(Debug, Default)]
pub struct Own {
    /// `id_tokens`.
    pub id_tokens: bool,
    /// `hosted_domains`.
    pub hosted_domains: Vec<String>,
    /// `teams`.
    pub teams: Vec<String>,
    /// `organizations`.
    pub organizations: Vec<String>,
    /// `client_id`, where tokens must be of that application.
    pub client_id: String,
}

/// How claims become an account.
#[derive(Debug)]
pub struct Mapping {
    /// The claims that name the account, of which the first that is there counts.
    pub username: Vec<ClaimPath>,
    /// What is done to the name before it is sent to the product.
    pub case: UsernameCase,
    /// The first that matches makes the name; empty leaves it as it is.
    pub map: Vec<MapRule>,
    /// Which accounts this provider may name; `None` is any.
    pub accounts: Option<Vec<AccountPattern>>,
    /// Client id → account.
    pub service_accounts: BTreeMap<String, String>,
}

/// A rule of `username_map`.
#[derive(Debug)]
pub struct MapRule {
    /// What the claim must match.
    pub pattern: regex::Regex,
    /// The name, with `$1` for groups, all of which the pattern has.
    pub to: String,
}

/// How a JWT's signature is proved.
#[derive(Debug)]
pub struct SignatureProof {
    /// Where the keys come from: one place, or one for each issuer.
    pub keys: Vec<KeyOrigin>,
    /// The algorithms that a token may name (RFC 8725 §3.1).
    pub algorithms: AlgorithmSet,
    /// The header `typ` that every token must carry, without `application/` and in lower case.
    pub require_typ: Option<String>,
    /// How long the last known keys serve while the issuer is away.
    pub stale_keys: Duration,
}

/// Where keys come from.
#[derive(Debug, Clone)]
pub enum KeyOrigin {
    /// Written in the tenant's files: `public_key` or `certificate`.
    Fixed(Arc<KeySet>),
    /// `jwks_uri`.
    Jwks(Url),
    /// The `jwks_uri` of the issuer's metadata document (OIDC Discovery §4, RFC 8414 §3).
    Discovery(String),
}

/// How the issuer is asked about a token.
#[derive(Debug)]
pub struct Asking {
    /// Whom and how.
    pub way: AskWay,
    /// We, as the issuer knows us; empty where it does not want to know.
    pub client_id: String,
    /// Read from a file, the environment or a systemd credential. The error (which names no
    /// secret) is kept for a last good build whose secret has gone: asking then answers 503.
    pub client_secret: Result<Secret, String>,
    /// How we prove who we are.
    pub client_auth: ClientAuth,
}

/// Each way to ask. `issuer::ask` has a file for each.
#[derive(Debug)]
pub enum AskWay {
    /// RFC 7662.
    Introspection {
        /// `introspection_endpoint`.
        endpoint: Url,
        /// `Some` where answers must be signed JWTs (RFC 9701): the keys that sign them.
        signed_answers: Option<SignedAnswers>,
    },
    /// OIDC Core §5.3: who the token's user is, and no word of whom it is for.
    Userinfo {
        /// `userinfo_endpoint`.
        endpoint: Url,
    },
    /// Google's tokeninfo, and userinfo for the Workspace domain.
    Google {
        /// Whose token it is, and for whom.
        tokeninfo: Url,
        /// Which domain the user is of.
        userinfo: Url,
    },
    /// GitHub's check of a token of our application.
    Github {
        /// The base of its API.
        api: Url,
    },
    /// Slack's `auth.test` and `openid.connect.userInfo`.
    Slack {
        /// The base of its API.
        api: Url,
    },
    /// GitLab's introspection and userinfo, or its `token/info` and userinfo.
    Gitlab {
        /// The base of the server.
        base: Url,
        /// With our credentials.
        introspect: bool,
    },
    /// Facebook's `debug_token` and `me`.
    Facebook {
        /// The base of its API, with the version.
        api: Url,
    },
}

impl AskWay {
    /// What it is called.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Introspection { .. } => "introspection",
            Self::Userinfo { .. } => "userinfo",
            Self::Google { .. } => "tokeninfo",
            Self::Github { .. } => "check of a token",
            Self::Slack { .. } => "auth.test",
            Self::Gitlab { introspect, .. } => {
                if *introspect {
                    "introspection"
                } else {
                    "token/info"
                }
            }
            Self::Facebook { .. } => "debug_token",
        }
    }
}

impl Asking {
    /// The URL that it begins with, for logs.
    #[must_use]
    pub fn endpoint(&self) -> &Url {
        match &self.way {
            AskWay::Introspection { endpoint, .. } | AskWay::Userinfo { endpoint } => endpoint,
            AskWay::Google { tokeninfo, .. } => tokeninfo,
            AskWay::Github { api } | AskWay::Slack { api } | AskWay::Facebook { api } => api,
            AskWay::Gitlab { base, .. } => base,
        }
    }

    /// How signed answers are proved, where answers are to be signed.
    #[must_use]
    pub fn signed_answers(&self) -> Option<&SignedAnswers> {
        match &self.way {
            AskWay::Introspection { signed_answers, .. } => signed_answers.as_ref(),
            _ => None,
        }
    }
}

/// How signed introspection answers (RFC 9701) are proved.
#[derive(Debug, Clone)]
pub struct SignedAnswers {
    /// Where the keys come from.
    pub keys: KeyOrigin,
    /// The `iss` that answers must carry.
    pub issuer: String,
    /// The algorithms that an answer may name.
    pub algorithms: AlgorithmSet,
    /// How long the last known keys serve while the issuer is away.
    pub stale_keys: Duration,
}

/// `client_auth` (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClientAuth {
    /// In the `Authorization` header, as RFC 6749 asks every issuer to support.
    #[serde(rename = "client_secret_basic")]
    Basic,
    /// In the request's body, for issuers that know no other way.
    #[serde(rename = "client_secret_post")]
    Post,
}

/// Whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// `audience = "any"`, written out and warned about; or an introspection endpoint that answers
    /// only for tokens meant for its client.
    Any,
    /// `aud` must hold one of these, byte by byte. Never empty.
    OneOf(Vec<String>),
}

/// `username_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UsernameCase {
    /// As the issuer writes it.
    Keep,
    /// In lower case.
    Lower,
}

/// Where a value lies among the claims: a member's whole name, or, if there is no such member,
/// names joined by dots (`realm_access.roles`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPath(pub String);

/// `[upstream]`: where Postern itself asks the product, and as whom.
#[derive(Debug)]
pub struct Upstream {
    /// What is asked there.
    pub product: Product,
    /// Where it is written, for whoever has to change it: `tenants/jira.toml, [upstream]`.
    pub written_in: String,
    /// A digest over everything below, secrets and files included: what was answered under one holds under an equal
    /// one.
    pub digest: [u8; 32],
    /// What it is called in logs and metrics: `url`.
    pub label: String,
    /// Where Postern connects, with the context path and without a trailing slash.
    pub address: Url,
    /// Whether that is `url` for want of an `address`.
    pub is_url: bool,
    /// The `Host` that requests are sent with: that of `url`.
    pub host: String,
    /// PEM certificates of a private CA, trusted besides the system's.
    pub ca: Option<Arc<[u8]>>,
    /// As whom accounts are looked up, if they are. The error (which names no secret) is kept for a last good build
    /// whose secret has gone: looking up then answers 503.
    pub admin_token: Option<Result<Secret, String>>,
}

/// `[api_tokens]`.
#[derive(Debug)]
pub struct ApiTokenSettings {
    /// Whether any is accepted.
    pub enabled: bool,
    /// The longest that a token may live.
    pub max_lifetime: Duration,
    /// The most tokens of one account that are alive.
    pub max_per_user: usize,
    /// A token's owner must be in one of these; empty is anyone.
    pub groups: Vec<String>,
    /// The scope of a token for which none was said.
    pub default_scope: Scope,
    /// Whether users may issue their own.
    pub self_service: bool,
}

/// `[access]`.
#[derive(Debug)]
pub struct Access {
    /// Whether what is judged is done, too.
    pub mode: Mode,
    /// A principal must be in one of these; empty means that any principal passes.
    pub allow_groups: Vec<String>,
    /// The caller's address must lie in one of these; empty means anywhere.
    pub allow_networks: Vec<IpNet>,
    /// The caller's address must lie in none of these; wins over `allow_networks`.
    pub deny_networks: Vec<IpNet>,
    /// Calls that pass without a credential.
    pub public: Vec<CallPattern>,
    /// Likewise, in the manner of those that the product needs open.
    pub open: Vec<CallPattern>,
    /// API paths besides the product's own, as prefixes without a trailing slash.
    pub api_paths: Vec<String>,
    /// Only GET, HEAD and OPTIONS pass.
    pub read_only: bool,
    /// Accounts that nobody becomes.
    pub never: Vec<AccountPattern>,
    /// What becomes of an API request with nothing at all.
    pub anonymous: Otherwise,
    /// What becomes of an API request with a session cookie of the product and no `Authorization`.
    pub sessions: Sessions,
    /// What becomes of the product's passwords.
    pub passwords: Passwords,
    /// What becomes of the product's own tokens.
    pub product_tokens: Otherwise,
    /// What becomes of the requests of application links.
    pub oauth1: Otherwise,
    /// `Authorization` schemes that are left to the product, in lower case.
    pub pass_schemes: Vec<String>,
    /// Whether a credential of ours reaches what hands out or configures the product's own.
    pub token_endpoints: Otherwise,
    /// What single calls need, and what nobody may call.
    pub rules: Rules,
    /// Every group that the file names: no other is shown to the product.
    pub named_groups: BTreeSet<String>,
}

/// `mode`: what a judgement is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// To be done.
    Enforce,
    /// To be logged and counted: every call passes untouched.
    Observe,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        })
    }
}

/// What becomes of a request that has a session of the product and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sessions {
    /// The product decides.
    Pass,
    /// The product decides, once it has said that the session is somebody's.
    Check,
    /// Refused here.
    Deny,
}

/// Whether a request that proves nothing is left to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// Refused here.
    Deny,
    /// The product decides.
    Pass,
}

/// One line of `public` or `open`: `GET /rest/api/2/serverInfo`, or without a method for any.
#[derive(Debug)]
pub struct CallPattern {
    /// In capitals; `None` is any method.
    pub method: Option<String>,
    /// The path under the context path.
    pub path: PathPattern,
}

/// `[rate_limit]`; what is not there is not limited.
#[derive(Debug, Default)]
pub struct RateLimits {
    /// Calls of each account.
    pub per_user: Option<Rate>,
    /// Calls with each token.
    pub per_token: Option<Rate>,
    /// Calls of all accounts together.
    pub per_tenant: Option<Rate>,
    /// Forged and unknown credentials from each address.
    pub failures_per_address: Option<Rate>,
}
