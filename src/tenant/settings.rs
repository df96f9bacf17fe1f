//! A tenant as meant: what a file says once every text in it has become a type that cannot be wrong.

use std::{fmt, sync::Arc, time::Duration};

use ipnet::IpNet;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    keys::{AlgorithmSet, KeySet},
    policy::pattern::PathPattern,
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
    /// Who may call what.
    pub access: Access,
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
    /// A digest over everything that this provider was configured with, secrets and files included;
    /// equal digests mean that what was proved under one still holds under the other.
    pub digest: [u8; 32],
    /// The `iss` that tokens must carry, compared byte by byte (RFC 7519 §4.1.1). Absent only
    /// where every token is judged by introspection.
    pub issuer: Option<String>,
    /// For whom a token must have been issued (RFC 7519 §4.1.3).
    pub audience: Audience,
    /// A signature is required and proved so. With `introspection` as well, both must hold.
    pub signature: Option<SignatureProof>,
    /// The issuer is asked (RFC 7662).
    pub introspection: Option<IntrospectionProof>,
    /// Opaque tokens that start so are this provider's.
    pub token_prefix: Option<String>,
    /// The claim that names the account.
    pub username: ClaimPath,
    /// What is done to the name before it is sent to the product.
    pub username_case: UsernameCase,
    /// The claim that lists the groups.
    pub groups: ClaimPath,
    /// How far clocks may differ for `exp` and `nbf`.
    pub leeway: Duration,
    /// PEM certificates of a private CA, trusted besides the system's for this provider's URLs.
    pub ca: Option<Arc<[u8]>>,
}

/// How a JWT's signature is proved.
#[derive(Debug)]
pub struct SignatureProof {
    /// Where the keys come from.
    pub keys: KeyOrigin,
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

/// How the issuer is asked about a token (RFC 7662).
#[derive(Debug)]
pub struct IntrospectionProof {
    /// `introspection_endpoint`.
    pub endpoint: Url,
    /// We, as the issuer knows us.
    pub client_id: String,
    /// Read from a file, the environment or a systemd credential. The error (which names no
    /// secret) is kept for a last good build whose secret has gone: asking then answers 503.
    pub client_secret: Result<Secret, String>,
    /// How we prove who we are.
    pub client_auth: ClientAuth,
    /// `Some` where answers must be signed JWTs (RFC 9701): the keys that sign them.
    pub signed_answers: Option<SignedAnswers>,
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

/// `[access]`.
#[derive(Debug)]
pub struct Access {
    /// A principal must be in one of these; empty means that any principal passes.
    pub allow_groups: Vec<String>,
    /// The caller's address must lie in one of these; empty means anywhere.
    pub allow_networks: Vec<IpNet>,
    /// The caller's address must lie in none of these; wins over `allow_networks`.
    pub deny_networks: Vec<IpNet>,
    /// Calls that pass without a credential.
    pub public: Vec<PublicRule>,
    /// API paths besides the product's own, as prefixes without a trailing slash.
    pub api_paths: Vec<String>,
    /// Only GET, HEAD and OPTIONS pass.
    pub read_only: bool,
    /// What becomes of an API request with nothing at all.
    pub anonymous: Otherwise,
    /// What becomes of an API request with a session cookie of the product and no `Authorization`.
    pub sessions: Otherwise,
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

/// One line of `public`: `GET /rest/api/2/serverInfo`, or without a method for any.
#[derive(Debug)]
pub struct PublicRule {
    /// In capitals; `None` is any method.
    pub method: Option<String>,
    /// The path under the context path.
    pub path: PathPattern,
}
