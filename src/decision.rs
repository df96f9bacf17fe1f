//! What a check comes to: yes and as whom, no and why, or "we cannot tell".

use std::{borrow::Cow, fmt, sync::Arc};

use crate::verify::Verified;

/// The answer to one request. There is no other way to say yes than a [`Grant`].
#[derive(Debug, Clone)]
pub enum Decision {
    /// The call may pass.
    Allow(Grant),
    /// The caller's fault.
    Deny(Denial),
    /// We cannot tell: fail closed and say when to come again.
    Unavailable(Outage),
}

/// Leave to pass. It is made of a proof, or of the name of the way that leaves the judgement to the product.
#[derive(Debug, Clone)]
pub struct Grant(Way);

#[derive(Debug, Clone)]
enum Way {
    Proved(Arc<Verified>),
    ProductDecides(PassThrough),
}

/// A way to pass that proves nothing: the product decides, and `Remote-User` stays empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassThrough {
    /// A session cookie of the product.
    Session,
    /// A signature of an application link (OAuth 1.0a), which only the product can judge.
    OAuth1,
    /// A password of the product.
    Password,
    /// A token of the product's own.
    ProductToken,
    /// An `Authorization` scheme that the tenant file leaves to the product.
    Scheme {
        /// Whether cookies may go along: not where they may not pass alone.
        with_cookies: bool,
    },
    /// Nothing at all, where the tenant lets that pass.
    Anonymous,
    /// A call that the tenant file lists as public.
    Public,
    /// A call that must be open for somebody to log in at all, or that the tenant file lists as open.
    Open,
    /// No API path and no credential, or a tenant that is switched off.
    Outside,
    /// Anything at all, at a tenant that only observes ([`crate::policy::mode`]).
    Observe,
}

impl Grant {
    /// As the account that a verifier proved.
    #[must_use]
    pub fn proved(proof: Arc<Verified>) -> Self {
        Self(Way::Proved(proof))
    }

    /// As whoever the product takes the caller for.
    #[must_use]
    pub fn product_decides(way: PassThrough) -> Self {
        Self(Way::ProductDecides(way))
    }

    /// Who it is, if that was proved.
    #[must_use]
    pub fn proof(&self) -> Option<&Verified> {
        match &self.0 {
            Way::Proved(proof) => Some(proof),
            Way::ProductDecides(_) => None,
        }
    }

    /// The proof itself.
    #[must_use]
    pub fn into_proof(self) -> Option<Arc<Verified>> {
        match self.0 {
            Way::Proved(proof) => Some(proof),
            Way::ProductDecides(_) => None,
        }
    }

    /// The value of `Postern-Method`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match &self.0 {
            Way::Proved(proof) => proof.principal().method().word(),
            Way::ProductDecides(way) => way.word(),
        }
    }

    /// Whether the product gets the caller's cookies. Beside a credential it might take the session in them for the
    /// caller instead, so that what is judged here was not what decides.
    #[must_use]
    pub fn with_cookies(&self) -> bool {
        match &self.0 {
            Way::Proved(_)
            | Way::ProductDecides(
                PassThrough::OAuth1 | PassThrough::Password | PassThrough::ProductToken,
            ) => false,
            Way::ProductDecides(PassThrough::Scheme { with_cookies }) => *with_cookies,
            Way::ProductDecides(
                PassThrough::Session
                | PassThrough::Anonymous
                | PassThrough::Public
                | PassThrough::Open
                | PassThrough::Outside
                | PassThrough::Observe,
            ) => true,
        }
    }
}

impl PassThrough {
    fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::OAuth1 => "oauth1",
            Self::Password => "password",
            Self::ProductToken => "product-token",
            Self::Scheme { .. } => "scheme",
            Self::Anonymous => "anonymous",
            Self::Public => "public",
            Self::Open => "open",
            Self::Outside => "outside",
            Self::Observe => "observe",
        }
    }
}

/// Every value of `Postern-Method` that a judgement comes to, for metrics. `observe` is none: it passes whatever was judged.
pub const METHODS: &[&str] = &[
    "jwt",
    "introspection",
    "userinfo",
    "api-token",
    "session",
    "oauth1",
    "password",
    "product-token",
    "scheme",
    "anonymous",
    "public",
    "open",
    "outside",
];

macro_rules! reasons {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal;)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The value of `Postern-Reason`.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The HTTP status that it is answered with.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

reasons! {
    /// Why a call is refused: a closed list, each with its word and status. `tests/refusals.rs` has a row for each.
    Denied {
        /// The proxy broke the contract of the check endpoint, or let a look-alike of its headers through.
        BadCheckRequest = "bad_check_request", 400;
        /// The path can be read in several ways, one of which is protected.
        AmbiguousPath = "ambiguous_path", 400;
        /// A credential in the query, where logs and referrers keep it (RFC 6750 §5.3).
        CredentialInQuery = "credential_in_query", 400;
        /// Nothing was presented.
        NoCredential = "no_credential", 401;
        /// What was presented is no token.
        MalformedToken = "malformed_token", 401;
        /// An `Authorization` scheme that is not taken.
        UnsupportedScheme = "unsupported_scheme", 401;
        /// The token's issuer is no provider's of this tenant.
        UnknownIssuer = "unknown_issuer", 401;
        /// No key of the issuer has the token's `kid`.
        UnknownKey = "unknown_key", 401;
        /// The signature does not hold.
        BadSignature = "bad_signature", 401;
        /// The algorithm is not one that the provider lists, or does not fit the key.
        AlgorithmNotAllowed = "algorithm_not_allowed", 401;
        /// Past its `exp`.
        Expired = "expired", 401;
        /// Before its `nbf`.
        NotYetValid = "not_yet_valid", 401;
        /// Issued for somebody else.
        WrongAudience = "wrong_audience", 401;
        /// Issued for Microsoft Graph, which alone can verify it.
        TokenForGraph = "token_for_graph", 401;
        /// An ID token, logout token or the like.
        WrongTokenKind = "wrong_token_kind", 401;
        /// Bound to a key or certificate (`cnf`) that cannot be checked here.
        BoundToken = "bound_token", 401;
        /// The issuer says that it is not active.
        Inactive = "inactive", 401;
        /// One of our own tokens that was revoked, or whose secret was rotated away.
        Revoked = "revoked", 401;
        /// One of our own tokens, sent with another user's name than its owner's.
        NotOwner = "not_owner", 401;
        /// A product password in Basic.
        PasswordNotAllowed = "password_not_allowed", 401;
        /// There is no such tenant.
        TenantUnknown = "tenant_unknown", 403;
        /// The tenant is switched off.
        TenantDisabled = "tenant_disabled", 403;
        /// The path is outside the tenant's context path.
        NotThisTenant = "not_this_tenant", 403;
        /// The token names no account.
        NoUsername = "no_username", 403;
        /// The product knows no such account.
        AccountUnknown = "account_unknown", 403;
        /// The product lets that account do nothing.
        AccountInactive = "account_inactive", 403;
        /// The account is one that nobody, or not this provider, may name.
        AccountProtected = "account_protected", 403;
        /// The account is pinned to another identity of an issuer, or to another's.
        AccountChanged = "account_changed", 403;
        /// The token is not good for this much: to write, or on this path.
        InsufficientScope = "insufficient_scope", 403;
        /// The account is in none of the allowed groups.
        NotInGroup = "not_in_group", 403;
        /// A rule of the tenant file denies it.
        RuleDenied = "rule_denied", 403;
        /// A credential of ours may not reach what hands out or configures the product's own.
        TokenEndpoint = "token_endpoint", 403;
        /// The tenant is read-only.
        ReadOnly = "read_only", 403;
        /// The caller's address is not allowed.
        AddressNotAllowed = "address_not_allowed", 403;
        /// The token, the user or the tenant has used up its rate.
        RateLimited = "rate_limited", 429;
        /// Too many forged or unknown credentials came from the address.
        TooManyFailures = "too_many_failures", 429;
    }
}

reasons! {
    /// Why we cannot tell: the rest of the closed list.
    Unavailable {
        /// The tenant's file never had a good build.
        TenantUnavailable = "tenant_unavailable", 503;
        /// The issuer cannot be asked, or its last known keys are too old.
        IssuerUnavailable = "issuer_unavailable", 503;
        /// The product cannot be asked.
        ProductUnavailable = "product_unavailable", 503;
        /// The issuer is about to be asked for a key.
        KeysPending = "keys_pending", 503;
        /// More requests are waiting for the issuer, or for the product, than may.
        Overloaded = "overloaded", 503;
    }
}

/// A refusal with two faces: its word for the caller, its message for the operator's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// Out of the closed list.
    pub reason: Denied,
    /// With a 429: what it tells the caller.
    pub used_up: Option<UsedUp>,
    /// The key of the tenant's file by which it is so, as a dotted path (`access.allow_groups`), where there is one.
    pub key: Option<Cow<'static, str>>,
    message: Cow<'static, str>,
}

/// A rate of which nothing is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp {
    /// How much of it there is after a pause.
    pub limit: u32,
    /// Seconds until there is one more, for `Retry-After`.
    pub retry_after: u64,
}

impl Denial {
    /// `message` tells the operator what to change. It never holds a token, and names what was not
    /// verified as such.
    pub fn new(reason: Denied, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            used_up: None,
            key: None,
            message: message.into(),
        }
    }

    /// As [`Denial::new`], of a reason whose status is 429.
    pub fn used_up(reason: Denied, used_up: UsedUp, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            used_up: Some(used_up),
            ..Self::new(reason, message)
        }
    }

    /// The same, by this key of the tenant's file; in a provider's judgement, by this key of the provider.
    #[must_use]
    pub fn by(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// What a provider's judgement refuses, by the key of the file that the provider's own key is.
    #[must_use]
    pub fn in_provider(mut self, place: usize) -> Self {
        let key = self
            .key
            .map(|key| format!("provider[{place}].{key}").into());
        self.key = key;
        self
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// "We cannot tell", with the time after which it is worth asking again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    /// Out of the closed list.
    pub reason: Unavailable,
    /// Seconds, for `Retry-After`.
    pub retry_after: u64,
    message: Cow<'static, str>,
}

impl Outage {
    /// As [`Denial::new`]; `retry_after` in seconds, at least 1 is sent.
    pub fn new(
        reason: Unavailable,
        retry_after: u64,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            reason,
            retry_after: retry_after.max(1),
            message: message.into(),
        }
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Not a yes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum No {
    /// The caller's fault.
    Denied(Denial),
    /// We cannot tell.
    Unavailable(Outage),
}

impl From<Denial> for No {
    fn from(denial: Denial) -> Self {
        Self::Denied(denial)
    }
}

impl From<Outage> for No {
    fn from(outage: Outage) -> Self {
        Self::Unavailable(outage)
    }
}

impl From<Result<Grant, No>> for Decision {
    fn from(judged: Result<Grant, No>) -> Self {
        match judged {
            Ok(grant) => Self::Allow(grant),
            Err(No::Denied(denial)) => Self::Deny(denial),
            Err(No::Unavailable(outage)) => Self::Unavailable(outage),
        }
    }
}
