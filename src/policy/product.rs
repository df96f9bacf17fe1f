//! What is known of each product: which paths are its API, which of them must stay open, and which hand out
//! credentials. Everything is below the context path.
//!
//! Sources: "plugins" is what Atlassian's shared plugins do in their own classes, as far as they are public; "clients"
//! is what public clients of the products send; "[not confirmed]" is what nobody outside could be found to say.

use std::sync::LazyLock;

use super::{pattern::PathPattern, rules::readings};
use crate::{
    request::Request,
    tenant::settings::{CallPattern, Product},
};

/// What one product is known by.
struct Known {
    /// All below these is API: a product's own pages are not for tokens.
    api: &'static [&'static str],
    /// Cookies that carry a session. Their presence proves nothing.
    session_cookies: &'static [&'static str],
    /// Calls that must pass without a credential, since they are how somebody comes to have one.
    open: LazyLock<Vec<CallPattern>>,
    /// All below these gives out or configures credentials, or is how applications come to be trusted.
    token_endpoints: &'static [&'static str],
    /// All below these has a method `login`: SOAP, XML-RPC, JSON-RPC (Axis takes it by GET as well).
    remote_calls: &'static [&'static str],
}

/// What every product of Atlassian's has, since the plugins are shared.
const OPEN: &[&str] = &[
    // SAML: the assertion consumer, HTTP POST binding (plugins: SamlConstants).
    "POST /plugins/servlet/samlconsumer",
    // OpenID Connect, and how a login by either starts and ends (plugins: OidcConsumerServlet, TargetUrlNormalizer).
    "GET /plugins/servlet/oidc/callback",
    "GET /plugins/servlet/oidc/initiate-login",
    "GET /plugins/servlet/sso-logout",
    // [not confirmed] The link to each provider on the login page.
    "GET /plugins/servlet/external-login/**",
    // What the login page offers (clients: Git Credential Manager), and where it sends what a person typed, in Jira 10,
    // Confluence 9, Bitbucket 9 and later (clients). The product's own login page is a person's business.
    "GET /rest/authconfig/*/login-options",
    "POST /rest/tsv/*/authenticate",
    // Application links: who is there (clients), whom it trusts with which key (plugins: ConsumerInfoServlet).
    "GET /rest/applinks/*/manifest",
    "GET /plugins/servlet/oauth/consumer-info",
    // The dance of OAuth 1.0a; tokens may be asked for with parameters in a form (RFC 5849 §3.5.2), which nobody sees
    // here. `login-dance` is the other side's (plugins: ServletPathConstants).
    "POST /plugins/servlet/oauth/request-token",
    "POST /plugins/servlet/oauth/access-token",
    "GET /plugins/servlet/oauth/authorize",
    "POST /plugins/servlet/oauth/authorize",
    "GET /plugins/servlet/applinks/oauth/login-dance/*",
    // The dance of OAuth 2.0 (Atlassian's documentation of the OAuth 2.0 provider API); a client names itself in the
    // form. [not confirmed] The page that asks for consent, and revocation.
    "GET /rest/oauth2/*/authorize",
    "POST /rest/oauth2/*/token",
    "POST /rest/oauth2/*/revoke",
    "GET /plugins/servlet/oauth2/consent",
];

/// Token, application-link and authentication settings endpoints of every product (plugins; Atlassian's documentation of
/// personal access tokens, of the OAuth 2.0 provider API and of disabling basic authentication).
const TOKEN_ENDPOINTS: &[&str] = &[
    "/rest/pat",
    "/rest/oauth2",
    "/plugins/servlet/oauth",
    "/plugins/servlet/oauth2",
    "/rest/applinks",
    "/rest/applinks-oauth",
    "/plugins/servlet/applinks",
    "/rest/authconfig",
    "/rest/basicauth",
    "/rest/tsv",
];

/// What lies below a token endpoint and tells nothing but what everybody may know.
static HARMLESS: LazyLock<Vec<PathPattern>> = LazyLock::new(|| {
    let paths = [
        "/rest/applinks/*/manifest",
        "/rest/authconfig/*/login-options",
        "/plugins/servlet/oauth/consumer-info",
    ];
    paths.iter().map(|path| pattern(path)).collect()
});

/// POST makes a session of a password that the body holds; DELETE ends one, GET tells whose it is (Atlassian's
/// documentation of cookie-based authentication).
static SESSION: LazyLock<PathPattern> = LazyLock::new(|| pattern("/rest/auth/*/session"));

/// A login of Jira's gadgets, which clients use as well: `os_username` and `os_password` in a form (clients).
static GADGET_LOGIN: LazyLock<PathPattern> = LazyLock::new(|| pattern("/rest/gadget/*/login"));

static JIRA: Known = Known {
    api: &["/rest", "/rpc", "/plugins/servlet", "/secure/attachment"],
    session_cookies: &["JSESSIONID", "seraph.rememberme.cookie", "crowd.token_key"],
    open: LazyLock::new(|| {
        open(&[
            // [not confirmed] What the mobile apps ask of a server before anybody logs in.
            "GET /rest/api/*/serverInfo",
            // Incoming webhooks of automation rules: the secret is the last segment (clients).
            "POST /rest/cb-automation/*/hooks/*",
        ])
    }),
    token_endpoints: &[],
    remote_calls: &["/rpc"],
};

static CONFLUENCE: Known = Known {
    api: &["/rest", "/rpc", "/download"],
    session_cookies: &["JSESSIONID", "seraph.confluence", "crowd.token_key"],
    open: LazyLock::new(|| {
        // The mobile app asks `/server-info.action`, which is no API path.
        open(&[
            // [not confirmed] Automation for Confluence, as Jira's.
            "POST /rest/cb-automation/*/hooks/*",
        ])
    }),
    token_endpoints: &[],
    remote_calls: &["/rpc"],
};

static BITBUCKET: Known = Known {
    api: &["/rest", "/scm", "/git", "/plugins/servlet"],
    session_cookies: &[
        "BITBUCKETSESSIONID",
        "_atl_bitbucket_remember_me",
        "crowd.token_key",
    ],
    open: LazyLock::new(|| open(&[])),
    // HTTP access tokens, users' SSH keys and the access keys of repositories (Bitbucket's REST documentation).
    // The pages that make them take forms as well [not confirmed].
    token_endpoints: &[
        "/rest/access-tokens",
        "/rest/ssh",
        "/rest/keys",
        "/plugins/servlet/ssh",
        "/plugins/servlet/access-tokens",
    ],
    remote_calls: &[],
};

fn pattern(path: &str) -> PathPattern {
    path.parse()
        .expect("it is written in canonical form, which a test sees to")
}

fn open(own: &[&str]) -> Vec<CallPattern> {
    let calls = OPEN.iter().chain(own).map(|call| {
        let (method, path) = call.split_once(' ').expect("each names its method");
        CallPattern {
            method: Some(method.to_owned()),
            path: pattern(path),
        }
    });
    calls.collect()
}

/// Whether `path` is `prefix` or lies below it.
#[must_use]
pub fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The canonical `path` without what is a secret in it: whoever knows the last segment of a webhook's may call it.
#[must_use]
pub fn without_secret(path: &str) -> &str {
    const SECRET: &str = "/hooks/";
    match path.split_once(SECRET) {
        Some((before, _)) if path.starts_with("/rest/cb-automation/") => {
            &path[..before.len() + SECRET.len()]
        }
        _ => path,
    }
}

impl Product {
    fn known(self) -> &'static Known {
        match self {
            Self::Jira => &JIRA,
            Self::Confluence => &CONFLUENCE,
            Self::Bitbucket => &BITBUCKET,
        }
    }

    /// The paths of the product's API.
    #[must_use]
    pub fn api_paths(self) -> &'static [&'static str] {
        self.known().api
    }

    /// The names of the cookies that carry a session of the product.
    #[must_use]
    pub fn session_cookies(self) -> &'static [&'static str] {
        self.known().session_cookies
    }

    /// The calls that must pass without a credential.
    #[must_use]
    pub fn open(self) -> &'static [CallPattern] {
        &self.known().open
    }

    /// Whether what stands in `Basic` is a token of the product's own. Only Bitbucket takes them there: for the user
    /// `x-token-auth`, or in place of a password. [not confirmed] The form of its HTTP access tokens.
    #[must_use]
    pub fn is_own_token(self, user: &[u8], password: &[u8]) -> bool {
        let has_form = |secret: &[u8]| {
            (40..=50).contains(&secret.len())
                && secret
                    .iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+/@_-".contains(byte))
        };
        self == Self::Bitbucket
            && (user == b"x-token-auth" || password.strip_prefix(b"BBDC-").is_some_and(has_form))
    }

    /// Whether a credential could be had at the canonical `path`, or somebody made trusted.
    #[must_use]
    pub fn is_token_endpoint(self, path: &str) -> bool {
        let own = self.known().token_endpoints;
        let mut all = TOKEN_ENDPOINTS.iter().chain(own);
        all.any(|prefix| is_under(path, prefix))
            && !HARMLESS.iter().any(|harmless| harmless.matches(path))
    }

    /// Whether the canonical `path` is one of SOAP or XML-RPC.
    #[must_use]
    pub fn is_remote_call(self, path: &str) -> bool {
        let remote = self.known().remote_calls;
        remote.iter().any(|prefix| is_under(path, prefix))
    }

    /// Whether the call may be a login whose password is in the body.
    #[must_use]
    pub fn is_password_channel(self, request: &Request<'_>, path: &str) -> bool {
        let is_login = |method| !matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE");
        self.is_remote_call(path)
            || ((is_under(path, "/rest/auth") || is_under(path, "/rest/gadget"))
                && request.methods().any(is_login)
                && readings(path).any(|path| SESSION.matches(path) || GADGET_LOGIN.matches(path)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern that can't be read would only be found by the first request that needs it.
    #[test]
    fn all_patterns_can_be_read_and_are_api() {
        assert_eq!(HARMLESS.len(), 3);
        for product in [Product::Jira, Product::Confluence, Product::Bitbucket] {
            assert!(product.open().len() >= OPEN.len());
        }
        for harmless in [
            "/rest/applinks/1.0/manifest",
            "/rest/authconfig/1.0/login-options",
        ] {
            assert!(!Product::Jira.is_token_endpoint(harmless), "{harmless}");
        }
        assert!(Product::Jira.is_token_endpoint("/rest/applinks/1.0/manifest/x"));
        assert!(Product::Bitbucket.is_token_endpoint("/rest/ssh/latest/keys"));
        let page = "/plugins/servlet/ssh/account/keys/add";
        assert!(Product::Bitbucket.is_token_endpoint(page));
        assert!(!Product::Jira.is_token_endpoint("/rest/patterns"));
    }
}
