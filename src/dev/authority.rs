//! What the issuer knows and says, without a word of HTTP: the state that outlives a stop.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::{Map, Value, json};

use super::{
    CLIENT_ID, CLIENT_SECRET,
    fault::Traffic,
    issued::{Claims, Issued},
    keys::{Algorithm, Generation, Keyring},
    lock, token,
};
use crate::clock;

/// How the client of introspection must prove itself (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientAuth {
    /// In whichever of the two ways.
    Either,
    /// `client_secret_basic`: in the `Authorization` header.
    Basic,
    /// `client_secret_post`: in the form.
    Post,
}

/// What a test can change while the issuer runs; [`Issuer`](super::Issuer) documents each.
pub(super) struct Settings {
    pub(super) cache_control: Option<String>,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) client_auth: ClientAuth,
    pub(super) signed_introspection: bool,
}

pub(super) struct Authority {
    pub(super) url: String,
    /// Signs whatever does not ask for another.
    pub(super) algorithm: Algorithm,
    pub(super) settings: Mutex<Settings>,
    pub(super) traffic: Traffic,
    keys: Mutex<Keyring>,
    issued: Mutex<Issued>,
}

// === impl ClientAuth ===

impl ClientAuth {
    /// The methods by their registered names.
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Either => &["client_secret_basic", "client_secret_post"],
            Self::Basic => &["client_secret_basic"],
            Self::Post => &["client_secret_post"],
        }
    }
}

// === impl Settings ===

impl Settings {
    fn new() -> Self {
        Self {
            // The shortest that Postern honours: in `--dev` a withdrawn key should stop working soon.
            cache_control: Some("max-age=300".to_owned()),
            client_id: CLIENT_ID.to_owned(),
            client_secret: CLIENT_SECRET.to_owned(),
            client_auth: ClientAuth::Either,
            signed_introspection: false,
        }
    }

    /// In constant time where contents are compared: who copies this code copies the habit.
    pub(super) fn is_client(&self, id: &str, secret: &str) -> bool {
        let id = verify_slices_are_equal(id.as_bytes(), self.client_id.as_bytes());
        let secret = verify_slices_are_equal(secret.as_bytes(), self.client_secret.as_bytes());
        id.is_ok() & secret.is_ok()
    }
}

// === impl Authority ===

impl Authority {
    pub(super) fn new(address: SocketAddr, algorithm: Algorithm) -> Self {
        let keys = Keyring::new();
        // Asking for the name makes the key pair, so the first fetch of the key set finds it.
        keys.current().kid(algorithm);
        Self {
            url: format!("http://{address}"),
            algorithm,
            settings: Mutex::new(Settings::new()),
            traffic: Traffic::default(),
            keys: Mutex::new(keys),
            issued: Mutex::default(),
        }
    }

    /// The keys that sign from now on. They are used outside the lock: an RSA pair takes a while.
    pub(super) fn current_keys(&self) -> Arc<Generation> {
        lock(&self.keys).current()
    }

    pub(super) fn jwks(&self) -> Value {
        lock(&self.keys).jwks()
    }

    pub(super) fn rotate(&self) {
        lock(&self.keys).rotate();
    }

    pub(super) fn withdraw_old(&self) {
        lock(&self.keys).withdraw_old();
    }

    pub(super) fn remember(&self, token: &str, claims: Claims) {
        lock(&self.issued).remember(token, claims);
    }

    pub(super) fn revoke(&self, token: &str) {
        lock(&self.issued).forget(token);
    }

    /// The answer of RFC 7662 §2.2. Nothing but `active` is said of a token that is not.
    pub(super) fn introspect(&self, token: &str) -> Value {
        let now = now();
        let claims = lock(&self.issued).claims(token).cloned();
        let at = |claims: &Claims, name: &str| claims.get(name).and_then(Value::as_i64);
        let active = claims.filter(|claims| {
            at(claims, "exp").is_none_or(|exp| exp > now)
                && at(claims, "nbf").is_none_or(|nbf| nbf <= now)
        });
        let mut answer = Map::new();
        answer.insert("active".to_owned(), active.is_some().into());
        if let Some(claims) = active {
            answer.insert("token_type".to_owned(), "Bearer".into());
            answer.extend(claims);
        }
        Value::Object(answer)
    }

    /// The same answer as a JWT (RFC 9701 §5) for one client. It has neither `sub` nor `exp` at its
    /// top level, so that nobody takes it for an access token.
    pub(super) fn introspect_signed(&self, token: &str, client_id: &str) -> String {
        let keys = self.current_keys();
        let header = json!({
            "alg": self.algorithm.as_str(),
            "typ": "token-introspection+jwt",
            "kid": keys.kid(self.algorithm),
        });
        let payload = json!({
            "iss": self.url,
            "aud": client_id,
            "iat": now(),
            "token_introspection": self.introspect(token),
        });
        token::compact(
            &keys,
            self.algorithm.into(),
            header.to_string().as_bytes(),
            payload.to_string().as_bytes(),
        )
    }

    /// The metadata of RFC 8414 §2 and OIDC Discovery §3. It names no grant: `/token` is none, it
    /// is a convenience that gives a token to whoever asks.
    pub(super) fn metadata(&self) -> Value {
        let url = &self.url;
        let algorithms = Algorithm::ALL.map(Algorithm::as_str);
        let settings = lock(&self.settings);
        let mut metadata = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "token_endpoint": format!("{url}/token"),
            "introspection_endpoint": format!("{url}/introspect"),
            "introspection_endpoint_auth_methods_supported": settings.client_auth.names(),
            "revocation_endpoint": format!("{url}/revoke"),
            "response_types_supported": [],
            "grant_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": algorithms,
        });
        if settings.signed_introspection {
            metadata["introspection_signing_alg_values_supported"] =
                json!([self.algorithm.as_str()]);
        }
        metadata
    }
}

/// Seconds since the epoch, signed, since tests count backwards too.
pub(super) fn now() -> i64 {
    i64::try_from(clock::now()).unwrap_or(i64::MAX)
}
