//! From a bearer token to a [`Principal`]: who judges it, and what proves it.

pub mod claims;
mod identity;
pub mod json;
pub mod jwt;
mod principal;
pub mod verdicts;

use std::borrow::Cow;

pub use principal::{Method, Principal, Profile};
pub use verdicts::{TokenDigest, Verdicts};

use crate::{
    decision::{Denial, Denied, No, Outage, Unavailable},
    issuer::introspection::Answer,
    keys::NoKey,
    provider::{KeyCondition, Keys, Provider},
    tenant::{
        Tenant,
        settings::{IntrospectionProof, SignatureProof},
    },
    upstream::IdentityHeaders,
    verify::{
        claims::Claims,
        identity::identity_of,
        json::Json,
        jwt::{Jwt, Room, Shape, Unproved},
    },
};

/// A principal with everything about it that requests have in common.
#[derive(Debug)]
pub struct Verified {
    principal: Principal,
    headers: IdentityHeaders,
    /// Until when the proof may be reused: never past `exp`. 0 where it may not.
    reusable_until: u64,
}

impl Verified {
    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What the product is told.
    #[must_use]
    pub fn headers(&self) -> &IdentityHeaders {
        &self.headers
    }
}

/// Who must judge a token.
pub struct Judge<'a> {
    provider: &'a Provider,
    place: usize,
    jwt: Option<Box<Jwt<'a>>>,
}

/// Whether a token is plainly meant for this tenant's providers: by its issuer or its prefix.
#[must_use]
pub fn is_ours(tenant: &Tenant, token: &str) -> bool {
    let mut room = Room::default();
    let by_issuer = match Shape::of(token, &mut room) {
        Ok(Shape::Jwt(jwt)) => jwt
            .unverified_issuer()
            .and_then(|issuer| tenant.provider_of_issuer(issuer)),
        Ok(Shape::Opaque) | Err(_) => None,
    };
    by_issuer
        .or_else(|| tenant.provider_of_prefix(token))
        .is_some()
}

/// Finds the one provider that judges `token`: by the issuer that a JWT claims, by the prefix of an opaque
/// token, or the only provider that judges opaque tokens. Nobody else ever sees the token.
///
/// # Errors
/// [`Denied::UnknownIssuer`] or [`Denied::MalformedToken`].
pub fn judge<'a>(
    tenant: &'a Tenant,
    token: &'a str,
    room: &'a mut Room,
) -> Result<Judge<'a>, Denial> {
    let (place, jwt) = match Shape::of(token, room)? {
        Shape::Jwt(jwt) => match jwt
            .unverified_issuer()
            .and_then(|issuer| tenant.provider_of_issuer(issuer))
        {
            Some(place) => (place, Some(jwt)),
            None => return Err(unknown_issuer(&jwt, tenant)),
        },
        Shape::Opaque => match tenant
            .provider_of_prefix(token)
            .or_else(|| tenant.provider_of_opaque_tokens())
        {
            Some(place) => (place, None),
            None => {
                return Err(Denial::new(
                    Denied::MalformedToken,
                    "the token is no JWT (three parts of base64url), and no provider of this tenant takes others",
                ));
            }
        },
    };
    Ok(Judge {
        provider: &tenant.providers[place],
        place,
        jwt,
    })
}

fn unknown_issuer(jwt: &Jwt<'_>, tenant: &Tenant) -> Denial {
    let found = match jwt.unverified_claims().get("iss") {
        Some(issuer) => Cow::Owned(format!(
            "the issuer {} (unverified) is no provider's",
            claims::quoted(issuer)
        )),
        None => Cow::Borrowed("the token names no issuer"),
    };
    let known: Vec<_> = tenant
        .settings
        .providers
        .iter()
        .filter_map(|provider| provider.issuer.as_deref())
        .take(5)
        .collect();
    let wanted = if known.is_empty() {
        "none of this tenant's providers has an `issuer`, so that it takes opaque tokens only"
            .to_owned()
    } else {
        format!("this tenant accepts {}", known.join(", "))
    };
    Denial::new(Denied::UnknownIssuer, format!("{found}; {wanted}"))
}

impl<'a> Judge<'a> {
    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Provider {
        self.provider
    }

    /// Its place in the tenant.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place
    }

    /// Proves the token in every way that the provider requires.
    ///
    /// # Errors
    /// A denial, or an outage where the issuer had to be asked and could not be.
    pub async fn verify(
        &self,
        token: &str,
        digest: &TokenDigest,
        tenant: &Tenant,
        now: u64,
    ) -> Result<Verified, No> {
        let settings = &self.provider.settings;
        let mut proved = None;
        if let Some(proof) = &settings.signature {
            let claims = self.prove_signature(proof, now).await?;
            let expires = claims.in_time(settings.leeway, now)?;
            let expires = expires.ok_or_else(|| {
                Denial::new(
                    Denied::MalformedToken,
                    "the token has no exp, and one without end is not accepted",
                )
            })?;
            claims.is_not_bound()?;
            claims.is_an_access_token()?;
            claims.is_for(settings)?;
            proved = Some((claims, expires));
        } else if let Some(jwt) = &self.jwt {
            // Not proved, so it can only speak against itself: some endpoints call every JWT of the issuer active.
            jwt.has_typ(None)?;
            jwt.unverified_claims().is_not_bound()?;
            jwt.unverified_claims().is_an_access_token()?;
        }
        let answer;
        let (claims, reusable_until, method) = match (&settings.introspection, proved) {
            (None, Some((claims, expires))) => (claims, expires, Method::Jwt),
            (Some(proof), signed) => {
                let until;
                (answer, until) = self.ask(proof, token, digest, now).await?;
                match signed {
                    // Both hold: the signed claims say who it is, and neither proof may outlive its end.
                    Some((claims, expires)) => (claims, until.min(expires), Method::Introspection),
                    None => (&answer, until, Method::Introspection),
                }
            }
            (None, None) => unreachable!(
                "tenant::build gives every provider a signature proof, introspection, or both"
            ),
        };
        let principal = Principal::new(claims, settings, method)?;
        let identity = identity_of(claims, settings);
        tenant.pins.judge(principal.account(), &identity).await?;
        // A pin without a subject may have one any moment, which voids this yes.
        let reusable_until = identity.subject.map_or(0, |_| reusable_until);
        let headers =
            IdentityHeaders::new(&principal, Profile::new(claims), &tenant.settings.access);
        Ok(Verified {
            principal,
            headers,
            reusable_until,
        })
    }

    async fn prove_signature(&self, proof: &SignatureProof, now: u64) -> Result<&Claims<'a>, No> {
        let jwt = self.jwt.as_ref().ok_or_else(|| {
            Denial::new(Denied::MalformedToken, "the token is no JWT (three parts of base64url), and this provider requires a signature")
        })?;
        jwt.has_typ(proof.require_typ.as_deref())?;
        let algorithm = jwt.algorithm(proof.algorithms)?;
        let keys = self.provider.keys.as_ref().ok_or_else(no_keys)?;
        prove(jwt, keys, algorithm, now).await
    }

    /// The issuer's answer (RFC 7662 §2.2), judged as if it were a token: it may be about somebody else's.
    async fn ask(
        &self,
        proof: &IntrospectionProof,
        token: &str,
        digest: &TokenDigest,
        now: u64,
    ) -> Result<(Claims<'static>, u64), No> {
        let settings = &*self.provider.settings;
        let introspector = self.provider.introspector.as_ref().ok_or_else(no_keys)?;
        let claims = match &*introspector.ask(token, digest, now).await? {
            Answer::Active(claims) => claims.clone(),
            Answer::Signed(answer) => self.open_signed(proof, answer, now).await?,
            Answer::Inactive => return Err(inactive(settings).into()),
        };
        if !claims.get("active").is_some_and(|active| *active == true) {
            introspector.remember_inactive(digest, now);
            return Err(inactive(settings).into());
        }
        let expires = claims.in_time(settings.leeway, now)?;
        if let (Some(found), Some(ours)) = (claims.get("iss"), settings.issuer.as_deref())
            && found.as_str() != Some(ours)
        {
            let message = format!(
                "the introspection answer names the issuer {}, and the provider's is {ours}",
                claims::quoted(found)
            );
            return Err(Denial::new(Denied::UnknownIssuer, message).into());
        }
        claims.is_not_bound()?;
        claims.is_an_access_token()?;
        // RFC 7662 §2.2: an endpoint may know refresh tokens as well, and call them active.
        if let Some(kind) = claims.get("token_type")
            && !kind
                .as_str()
                .is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"))
        {
            let message = format!(
                "the introspection answer is about a token of the type {}; send an access token",
                claims::quoted(kind)
            );
            return Err(Denial::new(Denied::WrongTokenKind, message).into());
        }
        // Where the signature has proved the audience, an answer that is silent about it takes nothing back.
        if settings.signature.is_none() || claims.get("aud").is_some() {
            claims.is_for(settings)?;
        }
        let until = now + crate::issuer::introspection::CACHED_ACTIVE;
        Ok((claims, expires.map_or(until, |expires| until.min(expires))))
    }

    /// A signed answer (RFC 9701 §5): of the right type, from the issuer, for us, by the issuer's key.
    async fn open_signed(
        &self,
        proof: &IntrospectionProof,
        answer: &str,
        now: u64,
    ) -> Result<Claims<'static>, No> {
        let broken = |what: &str| {
            let message = format!(
                "the signed introspection answer of {} {what}",
                proof.endpoint
            );
            No::from(Outage::new(Unavailable::IssuerUnavailable, 10, message))
        };
        let (Some(signed), Some(keys)) = (&proof.signed_answers, &self.provider.answer_keys) else {
            return Err(broken("came unasked"));
        };
        let mut room = Room::default();
        let Ok(Shape::Jwt(jwt)) = Shape::of(answer, &mut room) else {
            return Err(broken("is no JWT"));
        };
        jwt.has_typ(Some("token-introspection+jwt"))
            .map_err(|denial| broken(&format!("is of the wrong type: {denial}")))?;
        let algorithm = jwt
            .algorithm(signed.algorithms)
            .map_err(|denial| broken(&format!("is not accepted: {denial}")))?;
        let claims = prove(&jwt, keys, algorithm, now)
            .await
            .map_err(|no| match no {
                No::Denied(denial) => broken(&format!("does not hold: {denial}")),
                outage @ No::Unavailable(_) => outage,
            })?;
        if claims.text("iss") != Some(&signed.issuer) {
            return Err(broken("is from another issuer"));
        }
        let mut audience = claims.get("aud").into_iter().flat_map(Json::texts);
        if !audience.any(|audience| audience == proof.client_id) {
            return Err(broken("is for another client"));
        }
        // An answer of another day may be about another token.
        let leeway =
            self.provider.settings.leeway.as_secs() + crate::issuer::introspection::CACHED_ACTIVE;
        match claims.issued() {
            Ok(Some(at)) if now.abs_diff(at) <= leeway => {}
            _ => return Err(broken("does not say that it was made just now (iat)")),
        }
        match claims.get("token_introspection") {
            Some(Json::Object(members)) => Ok(members.clone().into_owned().into()),
            _ => Err(broken("holds no token_introspection")),
        }
    }
}

/// Proves a signature; where the key is not known yet, the issuer is asked for it once.
async fn prove<'j, 't>(
    jwt: &'j Jwt<'t>,
    keys: &Keys,
    algorithm: crate::keys::Algorithm,
    now: u64,
) -> Result<&'j Claims<'t>, No> {
    let kid = jwt.unverified_kid();
    let fresh = match keys.condition(now)? {
        KeyCondition::Usable(set) => match jwt.prove(set, algorithm) {
            Ok(claims) => return Ok(claims),
            Err(Unproved::Denied(denial)) => return Err(denial.into()),
            Err(Unproved::NoKey(NoKey::UnknownKid)) => {
                // An old token under a key long gone must not make us ask the issuer.
                if let Some(at) = jwt.unverified_claims().expires()?
                    && now > at.saturating_add(crate::tenant::settings::MAX_LEEWAY.as_secs())
                {
                    return Err(Denial::new(
                        Denied::Expired,
                        "the token says (unverified) that it expired, and its key is gone",
                    )
                    .into());
                }
                keys.look_for(kid.unwrap_or_default(), now).await?
            }
            Err(Unproved::NoKey(none)) => return Err(none.denial(kid).into()),
        },
        KeyCondition::NeverFetched => keys.first().await?,
    };
    jwt.prove(&fresh, algorithm)
        .map_err(|unproved| match unproved {
            Unproved::NoKey(none) => none.denial(kid).into(),
            Unproved::Denied(denial) => denial.into(),
        })
}

fn inactive(settings: &crate::tenant::settings::ProviderSettings) -> Denial {
    Denial::new(
        Denied::Inactive,
        format!(
            "the introspection endpoint of provider {} says that the token is not active",
            settings.name
        ),
    )
}

fn no_keys() -> Outage {
    Outage::new(
        Unavailable::IssuerUnavailable,
        10,
        "the provider was not started; this is a defect of Postern",
    )
}
