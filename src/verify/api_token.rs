//! Postern's own API tokens: from what looks like one to a [`Principal`].

use super::{Principal, Profile, Verified, token_name::TokenName};
use crate::{
    account::fold,
    api_tokens::{ApiTokens, Known, Scope, TokenId, text},
    credential::ApiToken,
    decision::{Denial, Denied, No},
    policy::{self, path::Place},
    product::Account,
    request::Request,
    tenant::{Tenant, settings::Settings},
    upstream::IdentityHeaders,
    verify::claims::quoted_text,
    witness::{Silent, Step, Witness},
};
use std::sync::Arc;

/// A token that was proved: of which record, and whose it is.
#[derive(Debug)]
pub struct Proved<'t> {
    api_tokens: &'t ApiTokens,
    /// Its name.
    pub id: TokenId,
    known: Arc<Known>,
    /// Who its bearer is.
    pub proof: Arc<Verified>,
}

impl Proved<'_> {
    /// Notes that the token was used for a request that may pass.
    pub fn note_use(&self, request: &Request<'_>, now: u64) {
        self.api_tokens
            .note_use(self.id, &self.known, now, request.address);
    }
}

/// Proves a token of ours, and that it is good for this request. Nothing of it is remembered: a token that was revoked is
/// refused by the very next check.
///
/// # Errors
/// A denial; an outage where the product had to be asked for its owner's groups and could not be.
pub async fn verify<'t>(
    tenant: &'t Tenant,
    sent: &ApiToken<'_>,
    request: &Request<'_>,
    place: &Place<'_>,
    now: u64,
    witness: &impl Witness,
) -> Result<Proved<'t>, No> {
    witness.begin(Step::ApiToken);
    let settings = &*tenant.settings;
    let enabled = tenant
        .api_tokens
        .as_ref()
        .filter(|_| settings.api_tokens.enabled);
    let Some(api_tokens) = enabled else {
        let message = "an API token was sent, and this tenant has none; its file needs enabled = true in [api_tokens]";
        let denial = Denial::new(Denied::Inactive, message);
        return Err(denial.by("api_tokens.enabled").into());
    };
    let claimed = text::read(sent.text())
        .map_err(|problem| Denial::new(Denied::MalformedToken, problem.to_string()))?;
    let id = claimed.id;
    witness.found(|| format!("the API token {id} (unverified)"));
    let Some(known) = api_tokens.find(&id)? else {
        let message = format!("there is no API token {id} (unverified), or none any more");
        return Err(Denial::new(Denied::Inactive, message).into());
    };
    has_the_secret(&known, id, &claimed.secret, now)?;
    // From here on its bearer is known to hold the token.
    witness.begin(Step::Alive);
    witness.found(|| format!("the API token {id} of {}", quoted_text(&known.owner)));
    is_good(&known, id, sent, tenant, now)?;
    witness.begin(Step::Limits);
    is_good_for(&known, id, request, place, tenant)?;
    let owner = &*known.owner;
    let account = if settings.api_tokens_need_groups() {
        witness.begin(Step::Owner);
        account(tenant, owner, now, witness).await?
    } else {
        None
    };
    let grants = known.limits.as_ref().map(|limits| &*limits.grants);
    let principal = bearer(
        settings,
        owner,
        grants.unwrap_or_default(),
        account.as_deref(),
    );
    witness.begin(Step::MayHaveTokens(&principal));
    may_have_tokens(settings, &principal)?;
    let headers = IdentityHeaders::new(&principal, Profile::default(), &settings.access);
    let proof = Verified {
        principal,
        headers,
        reusable_until: 0,
        may_pass: true,
        token: TokenName::Own(id),
    };
    Ok(Proved {
        api_tokens,
        id,
        known,
        proof: Arc::new(proof),
    })
}

const GROUPS_UNKNOWN: &str = "the groups of an API token's owner are the product's, which Postern asks for only with admin_token in [upstream]";

/// Who the bearer of a token of that account would be, if the account may be given one with those grants.
///
/// # Errors
/// As of a token of it; an outage, if the product had to be asked and could not be.
pub async fn bearer_of(
    tenant: &Tenant,
    owner: &str,
    grants: &[String],
    now: u64,
) -> Result<Principal, No> {
    let account = account(tenant, owner, now, &Silent).await?;
    let principal = bearer(&tenant.settings, owner, grants, account.as_deref());
    principal.may_be_named(&tenant.settings)?;
    may_have_tokens(&tenant.settings, &principal)?;
    Ok(principal)
}

fn bearer(
    settings: &Settings,
    owner: &str,
    grants: &[String],
    account: Option<&Account>,
) -> Principal {
    let groups = account.map_or(Err(GROUPS_UNKNOWN), |account| Ok(&*account.groups));
    let is_machine = settings.service_accounts.contains(&fold(owner));
    Principal::of_api_token(owner, groups, grants, is_machine)
}

/// What the product knows of a token's owner; `None` where it can't be asked.
async fn account(
    tenant: &Tenant,
    owner: &str,
    now: u64,
    witness: &impl Witness,
) -> Result<Option<Arc<Account>>, No> {
    let product = tenant.product.as_ref();
    let Some(product) = product.filter(|product| product.settings().admin_token.is_some()) else {
        return Ok(None);
    };
    let refused = |reason, what: &str| {
        let message = format!("the API token's owner {} {what}", quoted_text(owner));
        Err(Denial::new(reason, message).into())
    };
    match product.account(owner, now, witness).await? {
        None => refused(Denied::AccountUnknown, "is no account of the product"),
        Some(account) if account.active == Some(false) => {
            refused(Denied::AccountInactive, "is not active in the product")
        }
        Some(account) => Ok(Some(account)),
    }
}

/// `groups` of `[api_tokens]`.
fn may_have_tokens(settings: &Settings, principal: &Principal) -> Result<(), Denial> {
    let wanted = &settings.api_tokens.groups;
    if wanted.is_empty()
        || principal
            .groups()
            .any(|group| wanted.iter().any(|own| own == group))
    {
        return Ok(());
    }
    let unknown = principal
        .groups_unknown()
        .map_or_else(String::new, |why| format!("; {why}"));
    let message = format!(
        "{} is in none of the groups whose members may have API tokens ({}){unknown}",
        principal.account().escape_debug(),
        wanted.join(", "),
    );
    Err(Denial::new(Denied::NotInGroup, message).by("api_tokens.groups"))
}

fn has_the_secret(
    known: &Known,
    id: TokenId,
    secret: &text::SecretDigest,
    now: u64,
) -> Result<(), Denial> {
    if known.secret.fits(secret) {
        return Ok(());
    }
    match &known.retiring {
        Some(retiring) if retiring.secret.fits(secret) => {
            if now < retiring.until {
                return Ok(());
            }
            let message = format!(
                "the API token {id} was rotated, and the time for which its old secret lived on is over; its user must take the new one"
            );
            Err(Denial::new(Denied::Revoked, message))
        }
        _ => {
            let message = format!(
                "the secret is not that of the API token {id}: it is forged, or from before the last rotations"
            );
            Err(Denial::new(Denied::Inactive, message))
        }
    }
}

/// Whatever it is used for.
fn is_good(
    known: &Known,
    id: TokenId,
    sent: &ApiToken<'_>,
    tenant: &Tenant,
    now: u64,
) -> Result<(), Denial> {
    if known.tenant != tenant.settings.id {
        let message = format!("the API token {id} is for the tenant {}", known.tenant);
        return Err(Denial::new(Denied::WrongAudience, message));
    }
    if known.revoked {
        let message = format!(
            "the API token {id} was revoked; postern token list {} --user {} says by whom",
            known.tenant,
            quoted_text(&known.owner)
        );
        return Err(Denial::new(Denied::Revoked, message));
    }
    if now >= known.expires_at {
        let ago = now - known.expires_at;
        let message = format!("the API token {id} expired {ago} s ago; issue another");
        return Err(Denial::new(Denied::Expired, message));
    }
    if let Some(user) = sent.unverified_user() {
        let user = String::from_utf8_lossy(user);
        if fold(&user) != fold(&known.owner) {
            let message = format!(
                "the API token {id} is not that of the user {} (unverified) that was sent with it in Basic; send its owner, x-token-auth or nothing",
                quoted_text(&user)
            );
            return Err(Denial::new(Denied::NotOwner, message));
        }
    }
    Ok(())
}

/// For this request: from where, on what, and to do what.
fn is_good_for(
    known: &Known,
    id: TokenId,
    request: &Request<'_>,
    place: &Place<'_>,
    tenant: &Tenant,
) -> Result<(), Denial> {
    if let Some(limits) = &known.limits {
        if !limits.networks.is_empty() {
            let address = policy::address(request)?;
            if !limits
                .networks
                .iter()
                .any(|network| network.contains(&address))
            {
                let message = format!("{address} lies in no network of the API token {id}");
                return Err(Denial::new(Denied::AddressNotAllowed, message));
            }
        }
        let covers = |path: &str| limits.paths.iter().any(|pattern| pattern.matches(path));
        if !limits.paths.is_empty() && !matches!(place, Place::Canonical(path) if covers(path)) {
            let message = format!("the path is none of those of the API token {id}");
            return Err(Denial::new(Denied::InsufficientScope, message));
        }
    }
    if known.scope == Scope::Read && !policy::only_reads(tenant.settings.product, request, place) {
        let message = format!(
            "the API token {id} is for reading (scope read), and {} would write",
            request.method
        );
        return Err(Denial::new(Denied::InsufficientScope, message));
    }
    Ok(())
}
