//! From a bearer token to a [`Principal`]: who judges it, and what proves it.

pub mod api_token;
pub mod claims;
mod identity;
pub mod json;
pub mod jwt;
mod principal;
mod token_name;
pub mod verdicts;

use std::borrow::Cow;

pub use principal::{Method, Principal, Profile, check_account_name, is_unseen};
pub use verdicts::{TokenDigest, Verdicts};

use crate::{
    decision::{Denial, Denied, No, Outage, Unavailable},
    issuer::ask::Answer,
    keys::NoKey,
    policy,
    provider::{KeyCondition, Keys, Provider},
    tenant::{
        Tenant,
        settings::{AskWay, Asking, ProviderSettings, SignatureProof},
    },
    upstream::IdentityHeaders,
    verify::{
        claims::Claims,
        identity::identity_of,
        json::Json,
        jwt::{Jwt, Room, Shape, Unproved},
        token_name::TokenName,
    },
    witness::{Step, Witness},
};

/// A principal with everything about it that requests have in common.
#[derive(Debug)]
pub struct Verified {
    principal: Principal,
    headers: IdentityHeaders,
    /// Until when the proof may be reused: never past `exp`. 0 where it may not.
    reusable_until: u64,
    /// Whether policy let it pass when it was proved. If not, its account was not pinned.
    may_pass: bool,
    token: TokenName,
}

impl Verified {
    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Whether its account is pinned, or need not be. If policy forbade it to pass then and does not now, it has to be
    /// proved again.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// What its token is called in logs: the id of one of ours, or the `jti` that was proved with it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.text()
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
/// token, or the only provider that judges opaque tokens. Nobody else ever sees the token. `None` is for an opaque
/// token that no provider takes.
///
/// # Errors
/// [`Denied::UnknownIssuer`] or [`Denied::MalformedToken`].
pub fn judge<'a>(
    tenant: &'a Tenant,
    token: &'a str,
    room: &'a mut Room,
) -> Result<Option<Judge<'a>>, Denial> {
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
            None => return Ok(None),
        },
    };
    Ok(Some(Judge {
        provider: &tenant.providers[place],
        place,
        jwt,
    }))
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
        .flat_map(|provider| &provider.issuers)
        .map(|trusted| &*trusted.issuer)
        .take(5)
        .collect();
    let wanted = if known.is_empty() {
        "none of this tenant's providers has an `issuer`, so that it takes opaque tokens only"
            .to_owned()
    } else {
        format!("this tenant accepts {}", known.join(", "))
    };
    let key = match tenant.providers.len() {
        1 => "provider[0].issuer",
        _ => "provider",
    };
    Denial::new(Denied::UnknownIssuer, format!("{found}; {wanted}")).by(key)
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

    /// Proves the token in every way that the provider requires. What asks an issuer is boxed within, since it is
    /// large, seldom needed, and would be moved with the future of every request.
    ///
    /// # Errors
    /// A denial, or an outage where the issuer had to be asked and could not be.
    pub async fn verify(
        &self,
        token: &str,
        digest: &TokenDigest,
        tenant: &Tenant,
        now: u64,
        witness: &impl Witness,
    ) -> Result<Verified, No> {
        witness.begin(Step::Signature(self.place));
        let settings = &self.provider.settings;
        let preset = settings.preset;
        let mut proved = None;
        match (&self.jwt, &settings.signature) {
            (Some(jwt), Some(proof)) => {
                let claims = self.prove_signature(jwt, proof, now, witness).await?;
                witness.begin(Step::Times);
                let expires = claims.in_time(settings.leeway, now)?;
                let expires = expires.ok_or_else(|| {
                    Denial::new(
                        Denied::MalformedToken,
                        "the token has no exp, and one without end is not accepted",
                    )
                })?;
                witness.begin(Step::Audience);
                witness.found(|| for_whom(claims));
                claims.is_not_bound()?;
                (preset.judge)(claims, settings)?;
                proved = Some((claims, expires));
            }
            (Some(jwt), None) => {
                if let Some(why) = preset.jwts_refused {
                    return Err(Denial::new(Denied::WrongTokenKind, why).into());
                }
                // Not proved, so it can only speak against itself: some endpoints call every JWT of the issuer active.
                jwt.has_typ(None)?;
                jwt.unverified_claims().is_not_bound()?;
                jwt.unverified_claims().is_an_access_token()?;
            }
            (None, _) if !settings.judges_opaque_tokens() => {
                return Err(Denial::new(Denied::MalformedToken, "the token is no JWT (three parts of base64url), and this provider requires a signature").into());
            }
            (None, _) => self.is_of_a_known_kind(token)?,
        }
        let answer;
        let asked = settings
            .asking
            .as_ref()
            .filter(|_| settings.both || proved.is_none());
        let (claims, reusable_until, method) = match (asked, proved) {
            (None, Some((claims, expires))) => (claims, expires, Method::Jwt),
            (Some(asking), signed) => {
                let until;
                (answer, until) = Box::pin(self.ask(asking, token, digest, now, witness)).await?;
                let method = match asking.way {
                    // Slack says who somebody is as well, and not for whom the token was issued.
                    AskWay::Userinfo { .. } | AskWay::Slack { .. } if signed.is_none() => {
                        Method::Userinfo
                    }
                    _ => Method::Introspection,
                };
                match signed {
                    // Both hold: the signed claims say who it is, and neither proof may outlive its end.
                    Some((claims, expires)) => (claims, until.min(expires), method),
                    None => (&answer, until, method),
                }
            }
            (None, None) => unreachable!(
                "tenant::build gives every provider a signature proof, somebody to ask, or both"
            ),
        };
        witness.begin(Step::Account);
        let principal = Principal::new(claims, settings, method)?;
        witness.found(|| format!("it is {}", principal.account().escape_debug()));
        // Who may not pass is pinned to nothing: a stranger could call himself like somebody who may.
        let may_pass = policy::principal(&tenant.settings, &principal).is_ok();
        let reusable_until = if principal.is_machine() || !may_pass {
            // The file says whose account it is, and may say it of several clients.
            reusable_until
        } else {
            let identity = identity_of(claims, settings);
            witness.begin(Step::Pin);
            Box::pin(tenant.pins.judge(principal.account(), &identity, witness)).await?;
            // A pin without a subject may have one any moment, which voids this yes: soon enough.
            let soon = now + crate::issuer::ask::CACHED_ACTIVE;
            let until = reusable_until.min(soon);
            identity.subject.map_or(until, |_| reusable_until)
        };
        let headers =
            IdentityHeaders::new(&principal, Profile::new(claims), &tenant.settings.access);
        Ok(Verified {
            principal,
            headers,
            reusable_until,
            may_pass,
            token: TokenName::of(claims),
        })
    }

    /// Refuses tokens that the provider issues for other uses, by what its documentation has them start with.
    fn is_of_a_known_kind(&self, token: &str) -> Result<(), Denial> {
        let refused = self.provider.settings.preset.refused_prefixes.iter();
        let mut found = refused.filter(|(prefix, _)| token.starts_with(prefix));
        found.next().map_or(Ok(()), |&(_, why)| {
            Err(Denial::new(Denied::WrongTokenKind, why))
        })
    }

    async fn prove_signature(
        &self,
        jwt: &'a Jwt<'a>,
        proof: &SignatureProof,
        now: u64,
        witness: &impl Witness,
    ) -> Result<&'a Claims<'a>, No> {
        let settings = &self.provider.settings;
        witness.found(|| jwt.unverified_names());
        jwt.has_none_of(settings.preset.refused_headers)?;
        jwt.has_typ(proof.require_typ.as_deref())?;
        let algorithm = jwt.algorithm(proof.algorithms)?;
        // It was found by this very issuer.
        let trusted = jwt
            .unverified_issuer()
            .and_then(|issuer| settings.trusted(issuer));
        let keys = trusted.and_then(|trusted| self.provider.keys.get(trusted.keys));
        let names_issuers = settings.preset.keys_name_issuers;
        prove(
            jwt,
            keys.ok_or_else(no_keys)?,
            algorithm,
            names_issuers,
            now,
            witness,
        )
        .await
    }

    /// The provider's answer, judged as if it were a token: it may be about somebody else's.
    async fn ask(
        &self,
        asking: &Asking,
        token: &str,
        digest: &TokenDigest,
        now: u64,
        witness: &impl Witness,
    ) -> Result<(Claims<'static>, u64), No> {
        witness.begin(Step::Asking);
        let settings = &*self.provider.settings;
        let asker = self.provider.asker.as_ref().ok_or_else(no_keys)?;
        let claims = match &*asker.ask(token, digest, now, witness).await? {
            Answer::Active(claims) => claims.clone(),
            Answer::Signed(answer) => self.open_signed(asking, answer, now, witness).await?,
            Answer::Inactive(why) => return Err(inactive(settings, asking, why).into()),
        };
        if let AskWay::Introspection { .. } = asking.way
            && !claims.get("active").is_some_and(|active| *active == true)
        {
            asker.remember_inactive(digest, now);
            return Err(inactive(settings, asking, "").into());
        }
        let expires = claims.in_time(settings.leeway, now)?;
        claims.is_not_bound()?;
        (settings.preset.judge_answer)(&claims, settings)?;
        let until = now + crate::issuer::ask::CACHED_ACTIVE;
        Ok((claims, expires.map_or(until, |expires| until.min(expires))))
    }

    /// A signed answer (RFC 9701 §5): of the right type, from the issuer, for us, by the issuer's key.
    async fn open_signed(
        &self,
        asking: &Asking,
        answer: &str,
        now: u64,
        witness: &impl Witness,
    ) -> Result<Claims<'static>, No> {
        let broken = |what: &str| {
            let message = format!(
                "the signed introspection answer of {} {what}",
                asking.endpoint()
            );
            No::from(Outage::new(Unavailable::IssuerUnavailable, 10, message))
        };
        let (Some(signed), Some(keys)) = (asking.signed_answers(), &self.provider.answer_keys)
        else {
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
        let claims = prove(&jwt, keys, algorithm, false, now, witness)
            .await
            .map_err(|no| match no {
                No::Denied(denial) => broken(&format!("does not hold: {denial}")),
                outage @ No::Unavailable(_) => outage,
            })?;
        if claims.text("iss") != Some(&signed.issuer) {
            return Err(broken("is from another issuer"));
        }
        let mut audience = claims.get("aud").into_iter().flat_map(Json::texts);
        if !audience.any(|audience| audience == asking.client_id) {
            return Err(broken("is for another client"));
        }
        // An answer of another day may be about another token.
        let leeway = self.provider.settings.leeway.as_secs() + crate::issuer::ask::CACHED_ACTIVE;
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
    names_issuers: bool,
    now: u64,
    witness: &impl Witness,
) -> Result<&'j Claims<'t>, No> {
    let kid = jwt.unverified_kid();
    let fresh = match keys.condition(now)? {
        KeyCondition::Usable(set) => match jwt.prove(set, algorithm, names_issuers) {
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
                Box::pin(keys.look_for(kid.unwrap_or_default(), now, witness)).await?
            }
            Err(Unproved::NoKey(none)) => return Err(none.denial(kid).into()),
        },
        KeyCondition::NeverFetched => keys.first(now, witness).await?,
    };
    jwt.prove(&fresh, algorithm, names_issuers)
        .map_err(|unproved| match unproved {
            Unproved::NoKey(none) => none.denial(kid).into(),
            Unproved::Denied(denial) => denial.into(),
        })
}

/// What claims say of whom a token is for, for whoever wants to know.
fn for_whom(claims: &Claims<'_>) -> String {
    let shown = |name| claims.get(name).map_or("none".to_owned(), claims::quoted);
    format!("the token's aud is {}", shown("aud"))
}

fn inactive(settings: &ProviderSettings, asking: &Asking, why: &str) -> Denial {
    let colon = if why.is_empty() { "" } else { ": " };
    Denial::new(
        Denied::Inactive,
        format!(
            "{} does not call the token active{colon}{why} ({}){}",
            asking.endpoint(),
            settings.written_in,
            settings.preset.inactive_hint
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
