//! Credentials in the query, where logs and referrers keep them (RFC 6750 §2.3 and §5.3).

use std::borrow::Cow;

use url::form_urlencoded;

use crate::decision::{Denial, Denied};

/// The products' own passwords, the token of RFC 6750 §2.3, and that of Atlassian's add-ons ("Understanding JWT": in
/// the query, or in `Authorization: JWT`). In any case of letters: a reader might fold it.
const PASSWORDS: &[&str] = &[
    "access_token",
    "jwt",
    "os_username",
    "os_password",
    "os_authType",
];

/// What a browser brings along to a page of the OAuth 1.0a dance, or back from one (RFC 5849 §2.1 and §2.2). By itself
/// none of it is a credential: each is good for nothing without the consumer's signature.
const DANCE: &[&str] = &["oauth_token", "oauth_callback", "oauth_verifier"];

/// How much of a parameter's name a message repeats, in characters.
const MAX_SHOWN: usize = 60;

/// What of a query is a credential, or part of one. Names are judged decoded.
#[derive(Debug, Default)]
pub struct Query<'q> {
    /// Every parameter that only OAuth 1.0a has a use for, with its value.
    pub oauth: Vec<(Cow<'q, str>, Cow<'q, str>)>,
    /// The first password or token.
    password: Option<Cow<'q, str>>,
    /// Whether the only password is `os_authType=none`, with which a login page says that it brings none.
    none: bool,
}

impl<'q> Query<'q> {
    /// Reads the query of a target, if it has one.
    #[must_use]
    pub fn read(query: Option<&'q [u8]>) -> Self {
        let mut read = Self::default();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default()) {
            if PASSWORDS
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            {
                read.none = read.password.is_none() && name == "os_authType" && value == "none";
                read.password.get_or_insert(name);
            } else if is_oauth(&name) {
                read.oauth.push((name, value));
            }
        }
        read
    }

    /// Refuses passwords and tokens, which nothing excuses. A login page may say that it brings none (`os_authType=none`)
    /// where `is_open`, which is for calls without any other credential.
    ///
    /// # Errors
    /// [`Denied::CredentialInQuery`].
    pub fn has_no_password(&self, is_open: bool) -> Result<(), Denial> {
        match &self.password {
            Some(name) if !(is_open && self.none) => Err(refused(name)),
            Some(_) | None => Ok(()),
        }
    }

    /// Refuses parameters of OAuth, but those that a browser brings to a page of the dance, where `is_open`.
    ///
    /// # Errors
    /// [`Denied::CredentialInQuery`].
    pub fn has_no_oauth(&self, is_open: bool) -> Result<(), Denial> {
        let mut refusable = self.oauth.iter().map(|(name, _)| name);
        let found = refusable.find(|name| !(is_open && DANCE.contains(&&***name)));
        found.map_or(Ok(()), |name| Err(refused(name)))
    }
}

/// `user_id` is not among them: an application link's request may name its user so, and to all others it means nothing.
fn is_oauth(name: &str) -> bool {
    let start = name.as_bytes().get(..6).unwrap_or_default();
    start.eq_ignore_ascii_case(b"oauth_") || name.eq_ignore_ascii_case("xoauth_requestor_id")
}

fn refused(name: &str) -> Denial {
    Denial::new(
        Denied::CredentialInQuery,
        format!(
            "the query holds {}; send credentials in the Authorization header",
            name.escape_debug().take(MAX_SHOWN).collect::<String>()
        ),
    )
}
