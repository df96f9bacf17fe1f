//! A tenant file as written: the keys and types that may stand in it, before anyone asks what they mean.
//!
//! The doc comments here are the JSON Schema's descriptions and so the reference for operators.
//! Everything is optional to serde; what is required is said once, by [`build`](super::build).

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::settings::{ClientAuth, Mode, Otherwise, Product, Sessions, UsernameCase};
use crate::{api_tokens::Scope, keys::Algorithm, policy::rules::Effect, provider::Kind};

/// `leeway` where none is written: more than NTP leaves between two machines, less than a stolen token is worth.
pub const DEFAULT_LEEWAY: &str = "30s";
/// `stale_keys` where none is written (design §7): a day gives people time to notice that an issuer is away.
pub const DEFAULT_STALE_KEYS: &str = "24h";

/// `max_lifetime` of API tokens where none is written: the products' own personal access tokens live as long.
pub const DEFAULT_MAX_LIFETIME: &str = "365d";
/// `max_per_user` where none is written: as many personal access tokens as the products allow.
pub const DEFAULT_MAX_PER_USER: i64 = 10;

/// One Jira, Confluence or Bitbucket instance, and who may call its REST API. The file's name without
/// `.toml` is the tenant's name: 1 to 63 characters out of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "Postern tenant file")]
pub struct TenantFile {
    /// The product behind the proxy. It decides which paths are the product's API and what its
    /// session cookies are called.
    #[schemars(required)]
    pub product: Option<Product>,

    /// The product's base URL as users and the product itself know it, context path included:
    /// everything below this path is judged. Postern connects to it only for `[upstream]`.
    #[schemars(required, example = "https://example.com/jira")]
    pub url: Option<String>,

    /// The switch for REST API authentication. `false` steps aside: credentials that would be ours are
    /// refused with `tenant_disabled`, everything else passes untouched to the product.
    #[schemars(extend("default" = true))]
    pub enabled: Option<bool>,

    /// The sources of identities, one `[[provider]]` each. A token is judged by the provider whose
    /// `issuer` it names, or, if it is opaque, by the one whose `token_prefix` it starts with.
    pub provider: Option<Vec<ProviderFile>>,

    /// Postern's own API tokens, for scripts and git clients that can't do OAuth.
    pub api_tokens: Option<ApiTokensFile>,

    /// Who may call what, whoever vouches for the caller.
    pub access: Option<AccessFile>,

    /// How many calls pass, and how many forged credentials are answered; what is not set is not limited. A rate is a
    /// number, 1 to 1000000, and a unit: `10/s`, `600/min` or `5000/h`. It is a bucket that holds the number and is
    /// refilled evenly: with `600/min`, 600 calls pass at once after a pause, and ten a second in the long run. What
    /// comes too soon is answered 429, with `Retry-After`.
    pub rate_limit: Option<RateLimitFile>,
    /// Where Postern itself asks the product, and as whom.
    pub upstream: Option<UpstreamFile>,
}

/// A source of identities, and what proves a token of it.
///
/// A `kind` that has a name fills in what is known of that provider; whatever is written here wins.
///
/// Keys come from exactly one of `public_key`, `certificate`, `jwks_uri` or, if none of them is written,
/// from the issuer's discovery document. With `introspection_endpoint` and one of those three, both
/// must hold: the signature first, then the issuer's word that the token is active. With
/// `introspection_endpoint` alone, the issuer's word decides.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderFile {
    /// What kind of provider this is. `custom` is any issuer of OAuth 2.0 or OIDC tokens, described by the keys
    /// below; the others know their own issuers, keys, endpoints and claims.
    #[schemars(required)]
    pub kind: Option<Kind>,

    /// What this provider is called in logs, metrics and the `Postern-Provider` header; by default its
    /// `kind`. No two providers of a tenant share a name. Letters, digits, `.`, `_` and `-`.
    #[schemars(example = "corp-sso")]
    pub name: Option<String>,

    /// The `iss` that tokens must carry, compared character by character, so a slash at the end counts.
    /// Required except where tokens are judged by introspection alone or the `kind` knows it. If no key and no
    /// endpoint is written, it is also the https URL whose discovery document (OIDC Discovery or RFC 8414)
    /// names the keys. A list where one provider has several (`okta` with a custom domain).
    #[schemars(example = "https://sso.example.com/realms/corp")]
    pub issuer: Option<TextOrList>,

    /// `entra`: the directory (tenant) IDs whose users may come, as GUIDs.
    #[schemars(example = ["8eaef023-2b34-4da1-9baa-8bc8c9d6a490"])]
    pub tenant_ids: Option<Vec<String>>,

    /// `entra`: in which cloud the directories are.
    #[schemars(extend("default" = "global"))]
    pub cloud: Option<Cloud>,

    /// `cognito`: the user pool, from which region, issuer and keys follow.
    #[schemars(example = "eu-central-1_AbCdEfGhI")]
    pub user_pool_id: Option<String>,

    /// Where the provider's API is, for a server of your own (GitHub Enterprise Server:
    /// `https://github.example.com/api/v3`) or behind a relay. https, or http towards loopback.
    #[schemars(example = "https://github.example.com/api/v3")]
    pub api_url: Option<String>,

    /// For whom a token must have been issued: its `aud` must hold one of these. A text, or an array of
    /// texts. Required wherever a signature is checked, since otherwise a token that was meant for any
    /// other application of the same issuer would pass. `"any"` says that this is wanted, and is warned about.
    #[schemars(example = ["jira-api"])]
    pub audience: Option<TextOrList>,

    /// The client applications whose tokens are accepted, by the client id that tokens carry (`azp`, `appid`, `cid`
    /// or `client_id`). `keycloak` takes it in place of `audience`, `cognito` requires it.
    #[schemars(example = ["build-server"])]
    pub clients: Option<Vec<String>>,

    /// Whether ID tokens are accepted as well. `cognito` and `gitlab` only, and off there, since an ID token is
    /// made for an application to read and not for an API.
    #[schemars(extend("default" = false))]
    pub id_tokens: Option<bool>,

    /// `google`: the Workspace domains whose users may come (`hd`). Anybody can have a Google account, with an
    /// address of any domain.
    #[schemars(example = ["example.com"])]
    pub hosted_domains: Option<Vec<String>>,

    /// `slack`: the workspaces (`T…`) or enterprises (`E…`) whose members may come. Without `audience`, or with
    /// `client_id`, their opaque tokens are accepted as well as ID tokens, though Slack does not say for whom a
    /// user's opaque token was issued.
    #[schemars(example = ["T0R7GR"])]
    pub teams: Option<Vec<String>>,

    /// `github`: a user must be an active member of one of these organisations; they are the user's groups.
    /// Needs tokens with the scope `read:org`.
    #[schemars(example = ["example-corp"])]
    pub organizations: Option<Vec<String>>,

    /// The key that signs tokens: PEM (`PUBLIC KEY` or `RSA PUBLIC KEY`), in a file beside this one
    /// or inline.
    #[schemars(example = FileReference { file: Some("partner.pem".to_owned()) })]
    pub public_key: Option<Pem>,

    /// Like `public_key`, as an X.509 certificate in PEM. It must be valid today; nobody's signature on
    /// it is checked, since writing it here is what makes it trusted.
    #[schemars(example = FileReference { file: Some("partner.crt".to_owned()) })]
    pub certificate: Option<Pem>,

    /// Where the issuer publishes its keys (JWKS). https, or http towards loopback. Fetched ahead of
    /// need and again when keys rotate.
    #[schemars(example = "https://sso.example.com/realms/corp/protocol/openid-connect/certs")]
    pub jwks_uri: Option<String>,

    /// Where the issuer is asked whether a token is active (RFC 7662). https, or http towards loopback.
    /// Needs `client_id` and `client_secret`.
    #[schemars(
        example = "https://sso.example.com/realms/corp/protocol/openid-connect/token/introspect"
    )]
    pub introspection_endpoint: Option<String>,

    /// `keycloak`, `okta` and `gitlab`: ask the issuer about each token (RFC 7662), at the endpoint that follows from
    /// `issuer`. Tokens are then judged by its answer alone.
    #[schemars(extend("default" = false))]
    pub introspection: Option<bool>,

    /// Where the issuer says who a token's user is (OIDC Core §5.3). https, or http towards loopback. It proves
    /// nothing about for whom a token was issued: any application of the issuer can use its users' tokens here. So
    /// `accounts` is required with it.
    #[schemars(example = "https://sso.example.com/userinfo")]
    pub userinfo_endpoint: Option<String>,

    /// Postern as the issuer knows it, for `introspection_endpoint`; for `github`, `gitlab` and `facebook` the
    /// application whose tokens are accepted. For `slack` the App ID (`A…`) that opaque tokens must be of, as far as
    /// Slack says it.
    #[schemars(example = "jira-api")]
    pub client_id: Option<String>,

    /// Where the secret that goes with `client_id` lies: a file, an environment variable or a systemd
    /// credential. Never the secret itself, since tenant files are read by more people and programs
    /// (editors, version control, backups) than a secret should be.
    #[schemars(example = SecretReference { credential: Some("jira-idp".to_owned()), ..Default::default() })]
    pub client_secret: Option<SecretReference>,

    /// How Postern shows `client_id` and `client_secret` to the introspection endpoint.
    #[schemars(extend("default" = "client_secret_basic"))]
    pub client_auth: Option<ClientAuth>,

    /// What the introspection endpoint answers with. With `jwt` (RFC 9701) only signed answers count;
    /// their keys are those of `introspection_jwks_uri`, else this provider's own, else those
    /// that discovery by `issuer` names.
    #[schemars(extend("default" = "json"))]
    pub introspection_response: Option<IntrospectionResponse>,

    /// Where the keys that sign introspection answers are published, with `introspection_response = "jwt"`.
    /// https, or http towards loopback.
    #[schemars(example = "https://sso.example.com/introspection-keys")]
    pub introspection_jwks_uri: Option<String>,

    /// The algorithms that a token may be signed with; by default every one that Postern knows and the
    /// key fits. `none` and the HMAC family (`HS256`…) are never accepted.
    #[schemars(example = ["RS256"])]
    pub algorithms: Option<Vec<AlgorithmName>>,

    /// The `typ` that every token's header must carry, where the issuer sets one. `at+jwt` (RFC 9068) is
    /// the surest way to tell access tokens from ID tokens.
    #[schemars(example = "at+jwt")]
    pub require_typ: Option<String>,

    /// How long the last known keys serve while the issuer can't be reached, `1m` to `30d`.
    #[schemars(extend("default" = DEFAULT_STALE_KEYS))]
    pub stale_keys: Option<String>,

    /// Opaque tokens that start so are this provider's, where introspection alone judges. At most one
    /// such provider of a tenant goes without.
    #[schemars(example = &"corp_")]
    pub token_prefix: Option<String>,

    /// The claim that names the account in the product; of several, the first that a token has. Members of
    /// objects are reached by dots, unless a claim's whole name has the dots in it. By default what the `kind`
    /// is known for, `sub` for `custom`.
    #[schemars(example = &"preferred_username")]
    pub username: Option<TextOrList>,

    /// Whether the account's name is sent to the product as the issuer writes it.
    #[schemars(extend("default" = "keep"))]
    pub username_case: Option<UsernameCase>,

    /// How the claim becomes the account's name: the first rule that matches makes it, and a name that none
    /// matches is refused.
    #[schemars(example = [MapRuleFile::example()])]
    pub username_map: Option<Vec<MapRuleFile>>,

    /// Which accounts this provider may name, `*` standing for anything. Required (or a `username_map`) where a
    /// tenant has several providers, so that a partner's provider can't say `admin`.
    #[schemars(example = ["*"], example = ["ext-*"])]
    pub accounts: Option<Vec<String>>,

    /// The accounts of machines: client id → account, for tokens that a client got for itself. Such a token never
    /// becomes an account by a claim, and no user becomes one of these accounts.
    #[schemars(example = service_accounts_example())]
    pub service_accounts: Option<BTreeMap<String, String>>,

    /// The claims that list the caller's groups, in the manner of `username`; those of several count together.
    #[schemars(example = ["groups", "realm_access.roles"])]
    pub groups: Option<TextOrList>,

    /// How far the issuer's clock and ours may differ when `exp` and `nbf` are judged, at most `5m`.
    #[schemars(extend("default" = DEFAULT_LEEWAY))]
    pub leeway: Option<String>,

    /// Certificates (PEM) of a private certificate authority, trusted for this provider's URLs besides
    /// the system's own.
    #[schemars(example = FileReference { file: Some("corp-ca.pem".to_owned()) })]
    pub ca: Option<Pem>,
}

/// Postern's own API tokens (`pst_…`): `postern token issue` makes them. Clients send them as `Bearer T`, or in Basic as
/// `user:T`, `x-token-auth:T`, `T:` or `:T`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiTokensFile {
    /// Whether there are any. Without it every API token is refused, those too that were issued before.
    #[schemars(extend("default" = false))]
    pub enabled: Option<bool>,

    /// The longest that a token may live, `1m` to `10y`. What is written here binds new tokens only.
    #[schemars(extend("default" = DEFAULT_MAX_LIFETIME))]
    pub max_lifetime: Option<String>,

    /// The most tokens of one account that are alive at a time, 1 to 10000.
    #[schemars(extend("default" = DEFAULT_MAX_PER_USER))]
    pub max_per_user: Option<Count>,

    /// A token's owner must be in one of these groups of the product, when it is issued and on each request. Needs
    /// `admin_token` in `[upstream]`: a token carries no groups, so the product is asked.
    #[schemars(extend("default" = []), example = ["api-users"])]
    pub groups: Option<Vec<String>>,

    /// What a token may be used for where that is not said when it is issued: to `read` (GET, HEAD, OPTIONS; to fetch by
    /// git) or to `write`.
    #[schemars(extend("default" = "read"))]
    pub default_scope: Option<Scope>,

    /// Whether users may issue, list and revoke their own tokens over HTTP (`/self/tokens/TENANT` on the check listener),
    /// with a token of one of the providers.
    #[schemars(extend("default" = false))]
    pub self_service: Option<bool>,
}

/// Who may call what. Networks and read-only bind every request; groups bind those that proved an identity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessFile {
    /// What a judgement is for. `observe` is for introducing Postern without an outage: every call is judged in full,
    /// logged and counted (`postern_decisions_total{outcome="observe"}` is what would have been refused), and passes
    /// untouched, a proved caller's too. It protects nothing, which is warned about at every start. Refused all the
    /// same is what only Postern understands (its own API tokens) and what it can't hand on as it came.
    #[schemars(extend("default" = "enforce"))]
    pub mode: Option<Mode>,

    /// A caller must be in one of these groups; empty means that any proved identity passes.
    #[schemars(extend("default" = []), example = ["staff"])]
    pub allow_groups: Option<Vec<String>>,

    /// A caller's address must lie in one of these networks; empty means anywhere.
    #[schemars(extend("default" = []), example = ["10.0.0.0/8", "2001:db8::/32"])]
    pub allow_networks: Option<Vec<String>>,

    /// A caller's address must lie in none of these networks. Wins over `allow_networks`.
    #[schemars(extend("default" = []), example = ["10.66.0.0/16"])]
    pub deny_networks: Option<Vec<String>>,

    /// Calls that pass with no credential at all: a method and a path below the context path, or
    /// the path alone for every method. A call that carries any credential is judged all the same.
    #[schemars(extend("default" = []), example = ["GET /rest/api/2/serverInfo"])]
    pub public: Option<Vec<String>>,

    /// Calls that must pass without a credential because they are how somebody comes to have one, besides those that
    /// the product is known to need open: callbacks of a login, webhooks with a secret in the path. Written as `public`;
    /// the product's answer may set a session.
    #[schemars(extend("default" = []), example = ["POST /rest/hooks/1.0/*"])]
    pub open: Option<Vec<String>>,

    /// Paths that are judged as API besides the product's own: everything below each of them.
    #[schemars(extend("default" = []), example = ["/plugins/servlet/reports"])]
    pub api_paths: Option<Vec<String>>,

    /// Let only GET, HEAD and OPTIONS pass.
    #[schemars(extend("default" = false))]
    pub read_only: Option<bool>,

    /// What becomes of an API request without any credential: refused, or left to the product.
    #[schemars(extend("default" = "deny"))]
    pub anonymous: Option<Otherwise>,

    /// Accounts that no credential becomes, `*` standing for anything.
    #[schemars(extend("default" = []), example = ["admin"])]
    pub never: Option<Vec<String>>,

    /// What becomes of an API request that carries the product's own session cookie and no
    /// `Authorization`, as the product's pages send it: left to the product, refused, or, with `check`, left to the
    /// product only if the product says that the session is somebody's. It is asked at `upstream.address`, and
    /// what it says holds for 30 s.
    #[schemars(extend("default" = "pass"))]
    pub sessions: Option<Sessions>,

    /// What becomes of the product's passwords: in `Authorization: Basic` on any path, and in the body of
    /// `/rest/auth/*/session` and `/rpc/**`, which are refused whole. The product's login page stays a person's
    /// business.
    #[schemars(extend("default" = "deny"))]
    pub passwords: Option<Otherwise>,

    /// The exception to `passwords = "deny"` is for callers from these networks. Together with `password_accounts`,
    /// both must hold.
    #[schemars(extend("default" = []), example = ["10.1.2.0/24"])]
    pub password_networks: Option<Vec<String>>,

    /// The exception to `passwords = "deny"` is for these accounts, `*` standing for anything, as the caller names them
    /// in `Basic`. Not for passwords in a body, where nobody can see whose they are.
    #[schemars(extend("default" = []), example = ["svc-*"])]
    pub password_accounts: Option<Vec<String>>,

    /// Accounts whose password in `Basic` passes from every network that may call at all, for the day on which no
    /// provider answers. Each use is logged as a warning. It overrides `passwords`, `password_networks` and
    /// `password_accounts` and nothing else: `allow_networks`, `deny_networks`, `read_only` and rules bind it, since
    /// until the product has judged the password anybody may call himself so.
    #[schemars(extend("default" = []), example = ["admin"])]
    pub break_glass: Option<Vec<String>>,

    /// What becomes of the product's own tokens: an opaque bearer token that no provider takes, and with Bitbucket one
    /// of its HTTP access tokens in `Basic`. They pass without cookies, and never as an identity.
    #[schemars(extend("default" = "deny"))]
    pub product_tokens: Option<Otherwise>,

    /// What becomes of the requests of application links (OAuth 1.0a, all six parameters once each). They pass without
    /// cookies, and the product judges the signature.
    #[schemars(extend("default" = "pass"))]
    pub oauth1: Option<Otherwise>,

    /// Other `Authorization` schemes that are left to the product.
    #[schemars(extend("default" = []), example = ["Negotiate"])]
    pub pass_schemes: Option<Vec<String>>,

    /// Whether a proved identity reaches the product's token, application-link and authentication settings endpoints,
    /// where a token of limited scope could make one without limits.
    #[schemars(extend("default" = "deny"))]
    pub token_endpoints: Option<Otherwise>,

    /// What single calls need, and what nobody may call, one `[[access.rule]]` each. Every rule that a call falls under
    /// must hold, and denying wins.
    pub rule: Option<Vec<RuleFile>>,
}

/// What Postern asks the product itself: whether a session is somebody's (`access.sessions = "check"`), and of which
/// groups an account is. Nothing is asked without need.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamFile {
    /// Where Postern connects to the product: https, http towards loopback, or http with `insecure`. By default `url`,
    /// which works only where `url` does not lead through the proxy that asks Postern. The certificate must be for
    /// this address; the `Host` header and the context path are those of `url`.
    #[schemars(example = "http://127.0.0.1:8080")]
    pub address: Option<String>,

    /// Whether `address` may be http beyond this machine. Whoever can read the network in between then reads sessions
    /// and `admin_token`, and can answer in the product's name.
    #[schemars(extend("default" = false))]
    pub insecure: Option<bool>,

    /// Certificates (PEM) of a private certificate authority, trusted for `address` besides the system's own.
    #[schemars(example = FileReference { file: Some("corp-ca.pem".to_owned()) })]
    pub ca: Option<Pem>,

    /// A personal access token (in Bitbucket an HTTP access token) of an administrator of the product, with which
    /// accounts are looked up: where it lies, never the token itself.
    #[schemars(example = SecretReference { credential: Some("jira-admin".to_owned()), ..Default::default() })]
    pub admin_token: Option<SecretReference>,
}

/// Rates: how many calls pass, and how many forged credentials are answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimitFile {
    /// The calls of each account, with whatever tokens and from wherever. Counted is what everything else allows.
    #[schemars(example = "600/min")]
    pub per_user: Option<String>,

    /// The calls with each token. Counted is what everything else allows.
    #[schemars(example = "300/min")]
    pub per_token: Option<String>,

    /// The calls of all accounts together. Counted is what everything else allows. What passes without a proved account (sessions, pages, public
    /// paths) is not counted, since otherwise a stranger without any credential could use this up for everybody: limit that in
    /// the proxy.
    #[schemars(example = "20000/min")]
    pub per_tenant: Option<String>,

    /// The forged and unknown credentials from each address (IPv6: each /64), not expired ones. Once they are used up,
    /// further ones are answered 429 `too_many_failures`; good credentials from the same address go on passing. The
    /// proxy must send the client's address: without one, every request is refused.
    #[schemars(example = "30/min")]
    pub failures_per_address: Option<String>,
}

/// `cloud` (Microsoft Entra ID).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cloud {
    /// login.microsoftonline.com.
    Global,
    /// login.microsoftonline.us.
    UsGov,
    /// login.partner.microsoftonline.cn (21Vianet).
    China,
}

/// A rule of `username_map`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MapRuleFile {
    /// A regular expression that the claim must match. It runs in linear time, so without look-around and
    /// back-references.
    #[schemars(required)]
    pub r#match: Option<String>,
    /// The account's name; `$1` is the first group of the expression.
    #[schemars(required)]
    pub to: Option<String>,
}

impl MapRuleFile {
    fn example() -> Self {
        Self {
            r#match: Some(r"^(.+)@example\.com$".to_owned()),
            to: Some("$1".to_owned()),
        }
    }
}

fn service_accounts_example() -> BTreeMap<String, String> {
    [("ci-client".to_owned(), "svc-ci".to_owned())].into()
}

/// `introspection_response`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum IntrospectionResponse {
    /// A JSON object (RFC 7662), trusted because TLS says who answers.
    Json,
    /// A signed JWT (RFC 9701), trusted because of its signature.
    Jwt,
}

/// One text or several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TextOrList {
    /// One text.
    Text(String),
    /// Several.
    List(Vec<String>),
}

impl TextOrList {
    /// The texts.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(texts) => texts,
        }
    }
}

impl<const N: usize> From<[&str; N]> for TextOrList {
    fn from(texts: [&str; N]) -> Self {
        Self::List(texts.map(str::to_owned).into())
    }
}

/// Something public, in PEM: in a file, or written out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Pem {
    /// The PEM text itself.
    Inline(String),
    /// A file that holds it.
    File(FileReference),
}

/// A file, named relative to the folder of the tenant file, and watched like it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileReference {
    /// The file's path, relative to the folder of the tenant file, or absolute.
    #[schemars(required)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// A rule about calls. An `allow` rule lets by who meets all that it lists, and refuses everybody else who is proved; a
/// `deny` rule refuses who is all that it lists. One that lists no groups, scopes or providers and denies needs no
/// identity and so binds every way to pass: sessions, application links, passwords and pages too.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// The calls that it is about, below the context path: `*` is any run of characters within a segment, `**` any
    /// number of segments. A version of a REST API stands for `latest` as well, and `.json` and the like behind a
    /// path change nothing.
    #[schemars(required, example = "/rest/api/2/user/**")]
    pub path: Option<String>,

    /// The methods that it is about; any, if none is written. `GET` stands for `HEAD` as well. A method that a header
    /// overrides counts under both names.
    #[schemars(example = ["POST", "PUT", "DELETE"])]
    pub methods: Option<Vec<String>>,

    /// Whether those it lists are the only ones to be let by, or are refused.
    #[schemars(extend("default" = "allow"))]
    pub effect: Option<Effect>,

    /// Members of one of these groups.
    #[schemars(example = ["jira-admins"])]
    pub groups: Option<Vec<String>>,

    /// Credentials that hold all of these scopes (`scope` or `scp` of a token).
    #[schemars(example = ["jira:admin"])]
    pub scopes: Option<Vec<String>>,

    /// Identities that one of these providers proved, by its `name`.
    #[schemars(example = ["keycloak"])]
    pub providers: Option<Vec<String>>,
}

/// Where a secret lies; exactly one of the three.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub struct SecretReference {
    /// A file that holds the secret and nothing else; a line end after it is ignored. Relative to
    /// the folder of the tenant file, or absolute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// An environment variable of the daemon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// A systemd credential (`LoadCredential=` in the unit), the best kept of the three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
}

/// An algorithm as the JOSE registry names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlgorithmName(pub String);

/// How many: read whatever its size, so that what is wrong with it is said in words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Count(pub i64);

/// Without the format of the integer that holds it.
impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer" })
    }
}

/// Spelled out, so that editors offer the names.
impl JsonSchema for AlgorithmName {
    fn schema_name() -> Cow<'static, str> {
        "AlgorithmName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Algorithm::NAMES })
    }
}
