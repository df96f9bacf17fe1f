//! The ways to pass without a proof: the product decides who it is, and here it is judged what kind of request it is.

use crate::{
    credential::{Basic, oauth1},
    decision::{Denial, Denied, No, Outage, PassThrough, Unavailable},
    policy::{self, passwords::Leave, path::Place, query::Query},
    request::Request,
    tenant::{
        Tenant,
        settings::{Access, Otherwise, Sessions},
    },
    witness::{Step, Witness},
};

/// A request that nothing has been proved of.
pub struct Unproved<'u, W> {
    pub tenant: &'u Tenant,
    pub witness: &'u W,
    pub request: &'u Request<'u>,
    pub place: &'u Place<'u>,
    pub query: Query<'u>,
}

impl<W: Witness> Unproved<'_, W> {
    fn access(&self) -> &Access {
        &self.tenant.settings.access
    }

    /// The path, where it has only one reading.
    fn path(&self) -> Option<&str> {
        match self.place {
            Place::Canonical(path) => Some(path),
            Place::Product => None,
        }
    }

    /// Beside an `Authorization`, whatever it is.
    pub fn has_no_credential_in_query(&self) -> Result<(), Denial> {
        self.query.has_no_password(false)?;
        self.query.has_no_oauth(false)
    }

    /// No `Authorization`: from what is open to everybody, to a cookie, to nothing at all.
    pub async fn without_authorization(&self, now: u64) -> Result<PassThrough, No> {
        let (settings, request) = (&*self.tenant.settings, self.request);
        let access = self.access();
        self.witness.begin(Step::Query);
        if access.oauth1 == Otherwise::Pass && oauth1::is_signed_in_query(&self.query) {
            self.query.has_no_password(false)?;
            return Ok(PassThrough::OAuth1);
        }
        let path = self.path();
        let is_public = path.is_some_and(|path| policy::is_public(access, request, path));
        let is_open = path.is_some_and(|path| policy::is_open(settings, request, path));
        self.query.has_no_password(is_public || is_open)?;
        let is_dance = path.is_some_and(oauth1::is_page_of_dance);
        self.query.has_no_oauth(is_open && is_dance)?;
        self.witness.begin(Step::Open);
        if is_public {
            return Ok(PassThrough::Public);
        }
        if is_open {
            return Ok(PassThrough::Open);
        }
        let Some(path) = path.filter(|path| policy::is_api(settings, path)) else {
            return Ok(PassThrough::Outside);
        };
        let cookies = request.cookie.as_deref().unwrap_or_default();
        let has_session = policy::has_session(settings.product, cookies);
        self.witness.begin(Step::Session);
        self.witness.found(|| {
            let sent = if has_session { "a" } else { "no" };
            format!("{sent} session cookie of the product was sent, which proves nothing")
        });
        if has_session
            && (access.sessions == Sessions::Pass
                || (access.sessions == Sessions::Check && self.is_session(cookies, now).await?))
        {
            return Ok(PassThrough::Session);
        }
        // What its body may hold has been judged.
        if settings.product.is_password_channel(request, path) {
            return Ok(PassThrough::Password);
        }
        let refusal = match (has_session, access.sessions) {
            (true, Sessions::Deny) => {
                return Err(Denial::new(
                    Denied::NoCredential,
                    "only a session cookie was sent, and access.sessions is \"deny\"",
                )
                .by("access.sessions")
                .into());
            }
            // A cookie that opens nothing is no more than none.
            (true, Sessions::Check | Sessions::Pass) => {
                "only a session cookie was sent, and the product says that it is nobody's (access.sessions is \"check\")"
            }
            (false, _) => "no credential was sent",
        };
        self.witness.begin(Step::Anonymous);
        if request.is_preflight {
            return Ok(PassThrough::Open);
        }
        match access.anonymous {
            Otherwise::Pass => Ok(PassThrough::Anonymous),
            Otherwise::Deny => Err(Denial::new(Denied::NoCredential, refusal)
                .by("access.anonymous")
                .into()),
        }
    }

    /// Whether the product knows whose session it is.
    async fn is_session(&self, cookies: &[u8], now: u64) -> Result<bool, No> {
        let product = self.tenant.product.as_ref().ok_or_else(|| {
            let message = "access.sessions is \"check\", and the product can't be asked from here";
            Outage::new(Unavailable::ProductUnavailable, 1, message)
        })?;
        Ok(product
            .is_session(cookies, self.request.address, now, self.witness)
            .await?)
    }

    /// `Authorization: OAuth`.
    pub fn application_link(&self, parameters: &[u8]) -> Result<PassThrough, Denial> {
        self.witness.begin(Step::ApplicationLink);
        if self.access().oauth1 == Otherwise::Deny {
            return Err(Denial::new(
                Denied::UnsupportedScheme,
                "an application link (OAuth 1.0a) asks, and access.oauth1 is \"deny\"",
            )
            .by("access.oauth1"));
        }
        self.query.has_no_password(false)?;
        oauth1::judge(parameters, &self.query, self.path())?;
        Ok(PassThrough::OAuth1)
    }

    /// An opaque bearer token that no provider takes.
    pub fn product_token(&self) -> Result<PassThrough, Denial> {
        self.witness.begin(Step::ProductToken);
        match self.access().product_tokens {
            Otherwise::Pass => Ok(PassThrough::ProductToken),
            Otherwise::Deny => Err(Denial::new(
                Denied::MalformedToken,
                "the token is no JWT (three parts of base64url), and no provider of this tenant takes others; if it is one of the product's own: access.product_tokens is \"deny\"",
            )
            .by("access.product_tokens")),
        }
    }

    /// A password of the product, or one of its tokens in place of it.
    pub fn basic(&self, basic: &Basic) -> Result<PassThrough, Denial> {
        let product = self.tenant.settings.product;
        if product.is_own_token(basic.user(), basic.password()) {
            self.witness.begin(Step::ProductToken);
            return match self.access().product_tokens {
                Otherwise::Pass => Ok(PassThrough::ProductToken),
                Otherwise::Deny => Err(Denial::new(
                    Denied::PasswordNotAllowed,
                    "a token of the product was sent in Basic, and access.product_tokens is \"deny\"",
                )
                .by("access.product_tokens")),
            };
        }
        self.witness.begin(Step::Password);
        let passwords = &self.access().passwords;
        if passwords.judge(basic.user(), self.request.address)? == Leave::BreakGlass && W::IS_REAL {
            let account = basic.user().escape_ascii().to_string();
            tracing::warn!(tenant.id = %self.tenant.settings.id, request.id = %self.request.id, account, "break glass: a password passes for an account of access.break_glass");
        }
        Ok(PassThrough::Password)
    }

    /// Any other scheme.
    pub fn other_scheme(&self, scheme: &[u8]) -> Result<PassThrough, Denial> {
        self.witness.begin(Step::Scheme);
        let access = self.access();
        let mut listed = access.pass_schemes.iter();
        if listed.any(|own| own.as_bytes().eq_ignore_ascii_case(scheme)) {
            return Ok(PassThrough::Scheme {
                with_cookies: access.sessions == Sessions::Pass,
            });
        }
        Err(Denial::new(
            Denied::UnsupportedScheme,
            "the Authorization scheme is neither Bearer, Basic nor OAuth, nor one of access.pass_schemes",
        )
        .by("access.pass_schemes"))
    }
}
