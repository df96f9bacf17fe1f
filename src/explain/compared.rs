//! What each step of a check compares with what, in words.

use std::fmt::Display;

use crate::{
    policy::{path::Place, rules::Matching},
    request::Request,
    tenant::settings::{Audience, Otherwise, ProviderSettings, Sessions, Settings},
    verify::Principal,
    witness::Step,
};

/// One step in words.
pub struct Compared {
    pub name: &'static str,
    /// What of the tenant's file it is judged by.
    pub key: Option<String>,
    pub text: String,
    /// Whether it has anything to say of this call.
    pub applies: bool,
}

impl Compared {
    fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            name,
            key: None,
            text: text.into(),
            applies: true,
        }
    }

    fn by(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Unless this holds, the step has nothing to say.
    fn only_if(mut self, applies: bool, otherwise: &str) -> Self {
        if !applies {
            self.applies = false;
            otherwise.clone_into(&mut self.text);
        }
        self
    }

    /// Adds what the step looked at.
    pub fn found(&mut self, what: &str) {
        if !self.text.is_empty() {
            self.text.push_str("; ");
        }
        self.text.push_str(what);
    }

    pub fn of(
        step: Step<'_>,
        settings: &Settings,
        request: &Request<'_>,
        provider: Option<usize>,
    ) -> Self {
        match step {
            Step::Signature(_)
            | Step::Times
            | Step::Audience
            | Step::Asking
            | Step::Account
            | Step::Pin => {
                let found = provider.and_then(|at| Some((at, settings.providers.get(at)?)));
                match found {
                    Some((place, provider)) => of_provider(step, place, provider),
                    None => Self::new("provider", ""),
                }
            }
            Step::ApiToken | Step::Alive | Step::Limits | Step::Owner | Step::MayHaveTokens(_) => {
                of_api_token(step, settings)
            }
            Step::MayBeNamed(caller) | Step::Groups(caller) | Step::Rates(caller) => {
                of_caller(step, caller, settings)
            }
            Step::TokenEndpoints(place) => {
                let is_one = canonical(Some(place))
                    .is_some_and(|path| settings.product.is_token_endpoint(&path));
                let text = otherwise("access.token_endpoints", settings.access.token_endpoints);
                Self::new("token endpoints", text)
                    .by("access.token_endpoints")
                    .only_if(is_one, "the path gives out no credentials of the product")
            }
            Step::Rules(rules) => Self::new("rules", listed(rules))
                .by("access.rule")
                .only_if(!rules.is_empty(), "no access.rule is about this call"),
            Step::Enabled
            | Step::Networks
            | Step::Address
            | Step::Path
            | Step::ReadOnly(_)
            | Step::RulesForEverybody(_)
            | Step::PasswordChannel(_) => of_everybody(step, settings, request),
            _ => of_way(step, settings),
        }
    }
}

/// The path, where it has one reading.
pub fn canonical(place: Option<&Place<'_>>) -> Option<String> {
    match place? {
        Place::Canonical(path) => Some(path.to_string()),
        Place::Product => None,
    }
}

fn of_everybody(step: Step<'_>, settings: &Settings, request: &Request<'_>) -> Compared {
    let access = &settings.access;
    match step {
        Step::Networks => {
            let address = request
                .address
                .map_or("no address".to_owned(), |address| address.to_string());
            let text = format!(
                "{address} with access.allow_networks ({}) and access.deny_networks ({})",
                joined(&access.allow_networks),
                joined(&access.deny_networks)
            );
            let is_set = !access.allow_networks.is_empty() || !access.deny_networks.is_empty();
            Compared::new("networks", text)
                .by(if access.allow_networks.is_empty() {
                    "access.deny_networks"
                } else {
                    "access.allow_networks"
                })
                .only_if(is_set, "no networks are set")
        }
        Step::Address => Compared::new("address", "failures are counted by address")
            .by("rate_limit.failures_per_address")
            .only_if(
                settings.rate_limit.failures_per_address.is_some(),
                "failures are not counted by address",
            ),
        Step::Path => {
            let text = format!("under the path of url, {:?}", settings.context_path);
            Compared::new("path", text).by("url")
        }
        Step::ReadOnly(_) => {
            let text = format!("{} with access.read_only = true", request.method);
            Compared::new("read-only", text)
                .by("access.read_only")
                .only_if(access.read_only, "access.read_only is not set")
        }
        Step::RulesForEverybody(rules) => {
            let bind = |rule: &crate::policy::rules::Rule| rule.is_for_everybody();
            Compared::new("rules for everybody", listed(rules))
                .by("access.rule")
                .only_if(
                    rules.iter().any(bind),
                    "no access.rule denies this call to everybody",
                )
        }
        Step::PasswordChannel(place) => {
            let is_one = canonical(Some(place))
                .is_some_and(|path| settings.product.is_password_channel(request, &path));
            let text = otherwise("access.passwords", access.passwords.otherwise);
            Compared::new("passwords in bodies", text)
                .by("access.passwords")
                .only_if(is_one, "the body of such a call holds no password")
        }
        _ => Compared::new("enabled", format!("enabled = {}", settings.enabled)).by("enabled"),
    }
}

/// The ways to pass, and what finds one.
fn of_way(step: Step<'_>, settings: &Settings) -> Compared {
    let access = &settings.access;
    match step {
        Step::Credential => Compared::new("credential", ""),
        Step::Query => Compared::new("query", "no credential may stand in it"),
        Step::Open => Compared::new(
            "public and open calls",
            "the call with access.public, access.open, the product's own open calls and the API paths",
        )
        .by("access.public"),
        Step::Session => {
            let word = match access.sessions {
                Sessions::Pass => "pass",
                Sessions::Check => "check",
                Sessions::Deny => "deny",
            };
            Compared::new("session", format!("access.sessions = {word:?}")).by("access.sessions")
        }
        Step::Anonymous => by_otherwise("anonymous", "access.anonymous", access.anonymous),
        Step::ApplicationLink => by_otherwise("application link", "access.oauth1", access.oauth1),
        Step::ProductToken => by_otherwise(
            "token of the product",
            "access.product_tokens",
            access.product_tokens,
        ),
        Step::Password => by_otherwise(
            "password",
            "access.passwords",
            access.passwords.otherwise,
        ),
        Step::Scheme => {
            let text = format!(
                "the scheme with access.pass_schemes ({})",
                joined(&access.pass_schemes)
            );
            Compared::new("scheme", text).by("access.pass_schemes")
        }
        Step::Remembered => Compared::new("remembered", ""),
        _ => {
            let names = settings.providers.iter().map(|provider| &*provider.name);
            let names: Vec<_> = names.collect();
            let text = format!(
                "the issuer of the token (unverified), or how it begins, with the providers ({})",
                names.join(", ")
            );
            Compared::new("provider", text).by("provider")
        }
    }
}

fn of_provider(step: Step<'_>, place: usize, provider: &ProviderSettings) -> Compared {
    let key = |name: &str| format!("provider[{place}].{name}");
    match step {
        Step::Times => {
            let seconds = provider.leeway.as_secs();
            let text = format!("exp and nbf with the clock, and a leeway of {seconds} s");
            Compared::new("time", text).by(key("leeway"))
        }
        Step::Audience => {
            let wanted = match &provider.audience {
                Audience::Any => "\"any\"".to_owned(),
                Audience::OneOf(ours) => joined(ours),
            };
            let text = format!(
                "the kind of the token, and for whom and to whom it was issued, with audience ({wanted}) of {}",
                provider.name
            );
            Compared::new("audience", text).by(key("audience"))
        }
        Step::Asking => {
            let asking = provider.asking.as_ref();
            let whom = asking.map_or("", |asking| asking.endpoint().as_str());
            Compared::new(
                "the issuer's word",
                format!("what {whom} says of the token"),
            )
        }
        Step::Account => {
            let claims: Vec<_> = provider
                .mapping
                .username
                .iter()
                .map(|path| &*path.0)
                .collect();
            let text = format!("the claims that name the account ({})", claims.join(", "));
            Compared::new("account", text).by(key("username"))
        }
        Step::Pin => Compared::new("pin", "whose the account is"),
        _ => match &provider.signature {
            Some(proof) => {
                let text = format!(
                    "the signature with the keys and the algorithms ({}) of {}",
                    proof.algorithms, provider.name
                );
                Compared::new("signature", text).by(key("algorithms"))
            }
            None => {
                let text = format!("the issuer of {} is asked instead", provider.name);
                Compared::new("signature", "").only_if(false, &text)
            }
        },
    }
}

fn of_api_token(step: Step<'_>, settings: &Settings) -> Compared {
    let own = &settings.api_tokens;
    match step {
        Step::Alive => Compared::new(
            "alive",
            "its tenant, owner, revocation and expiry with now and what was sent",
        ),
        Step::Limits => Compared::new("limits", "its own networks, paths and scope with the call"),
        Step::Owner => Compared::new("owner", "what the product says of the token's owner"),
        Step::MayHaveTokens(caller) => Compared::new(
            "who may have tokens",
            groups(caller, "api_tokens.groups", &own.groups),
        )
        .by("api_tokens.groups")
        .only_if(!own.groups.is_empty(), "api_tokens.groups is not set"),
        _ => Compared::new(
            "API token",
            format!(
                "api_tokens.enabled = {}, and the tokens that were issued",
                own.enabled
            ),
        )
        .by("api_tokens.enabled"),
    }
}

fn of_caller(step: Step<'_>, caller: &Principal, settings: &Settings) -> Compared {
    let access = &settings.access;
    let account = caller.account().escape_debug();
    match step {
        Step::Groups(_) => Compared::new(
            "groups",
            groups(caller, "access.allow_groups", &access.allow_groups),
        )
        .by("access.allow_groups")
        .only_if(
            !access.allow_groups.is_empty(),
            "access.allow_groups is not set",
        ),
        Step::Rates(_) => {
            let limits = &settings.rate_limit;
            let rates = [
                ("per_token", limits.per_token),
                ("per_user", limits.per_user),
                ("per_tenant", limits.per_tenant),
            ];
            let set = rates
                .iter()
                .filter_map(|(name, rate)| Some((name, (*rate)?)));
            let set: Vec<_> = set.map(|(name, rate)| format!("{name} {rate}")).collect();
            let text = format!("what is left for {account} of {}", set.join(", "));
            Compared::new("rates", text)
                .by("rate_limit")
                .only_if(!set.is_empty(), "no rate is set")
        }
        _ => {
            let text = format!("{account} with access.never ({})", joined(&access.never));
            Compared::new("protected accounts", text)
                .by("access.never")
                .only_if(
                    !access.never.is_empty() || !settings.service_accounts.is_empty(),
                    "no account is protected",
                )
        }
    }
}

fn groups(caller: &Principal, key: &str, wanted: &[String]) -> String {
    format!(
        "the {} groups of {} with {key} ({})",
        caller.groups().count(),
        caller.account().escape_debug(),
        joined(wanted)
    )
}

fn by_otherwise(name: &'static str, key: &str, otherwise_is: Otherwise) -> Compared {
    Compared::new(name, otherwise(key, otherwise_is)).by(key)
}

fn otherwise(key: &str, otherwise: Otherwise) -> String {
    let word = match otherwise {
        Otherwise::Deny => "deny",
        Otherwise::Pass => "pass",
    };
    format!("{key} = {word:?}")
}

fn listed(rules: &Matching<'_>) -> String {
    let about: Vec<_> = rules
        .iter()
        .map(|rule| format!("{} ({rule})", rule.key))
        .collect();
    format!("the call with {}", about.join(", "))
}

fn joined(several: &[impl Display]) -> String {
    let texts: Vec<_> = several.iter().map(ToString::to_string).collect();
    texts.join(", ")
}
