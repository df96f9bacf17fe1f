//! What would let a refused call pass. A reason that is new has no way out until somebody writes one here.

use crate::decision::Denied;

/// Of a refusal for `reason`, by that key of the tenant's file.
pub fn of(reason: Denied, key: Option<&str>) -> String {
    let key = key.unwrap_or("the tenant's file");
    match reason {
        Denied::BadCheckRequest => "have the proxy send what the message names, once; for an explanation, say it (--from IP)".into(),
        Denied::AmbiguousPath => "ask for the path as the product writes it: no dot segments, encoded slashes, double slashes or `;`".into(),
        Denied::CredentialInQuery => "send the credential in the Authorization header, and nothing of it in the query".into(),
        Denied::NoCredential if key == "access.sessions" => "send a token; or let sessions pass: access.sessions = \"pass\"".into(),
        Denied::NoCredential => "send a token; or list the call in access.public; or let all such calls pass: access.anonymous = \"pass\"".into(),
        Denied::MalformedToken if key == "access.product_tokens" => "send a token of one of the tenant's providers, whole; or let the product's own pass: access.product_tokens = \"pass\"".into(),
        Denied::MalformedToken => "send the token whole, after `Bearer` and one space, as its issuer gave it out".into(),
        Denied::UnsupportedScheme if key == "access.oauth1" => "send a bearer token; or let application links pass: access.oauth1 = \"pass\"".into(),
        Denied::UnsupportedScheme => "send a bearer token; or list the scheme in access.pass_schemes".into(),
        Denied::UnknownIssuer => format!("send a token of an issuer that the tenant trusts; or trust this one too ({key})"),
        Denied::UnknownKey => "get a new token; where even new ones are refused, compare the kid with the issuer's JWKS (postern provider test)".into(),
        Denied::BadSignature => "get a new token: this one was changed, or its issuer did not make it".into(),
        Denied::AlgorithmNotAllowed => format!("have the issuer sign with an algorithm that is listed; or list this one, if the issuer uses it ({key})"),
        Denied::Expired => "get a new token".into(),
        Denied::NotYetValid => "wait; or set the clocks right, or a longer `leeway` of the provider".into(),
        Denied::WrongAudience => format!("get a token that is issued for what {key} lists; or, if this one is meant for the tenant, add what it says to {key}"),
        Denied::TokenForGraph => "ask Entra ID for a token of your own API's scope (api://…/.default), not of Microsoft Graph's".into(),
        Denied::WrongTokenKind => "send the access token, and not the ID or refresh token that came with it".into(),
        Denied::BoundToken => "have the issuer give out tokens that are bound to no key or certificate (cnf)".into(),
        Denied::Inactive if key == "api_tokens.enabled" => "set enabled = true in [api_tokens]; or send a token of a provider".into(),
        Denied::Inactive => "get a new token: whoever issued it does not, or no longer, know this one".into(),
        Denied::Revoked => "issue another token, or send the secret that it was rotated to".into(),
        Denied::NotOwner => "send the token with its owner's name, or with none".into(),
        Denied::PasswordNotAllowed if key == "access.product_tokens" => "send a token of a provider; or let the product's own pass: access.product_tokens = \"pass\"".into(),
        Denied::PasswordNotAllowed => "send a token; or let passwords pass: access.passwords = \"pass\", or only some: access.password_accounts, access.password_networks".into(),
        Denied::TenantUnknown => "write a tenant file of that name; or correct the name in the proxy".into(),
        Denied::TenantDisabled => "set enabled = true".into(),
        Denied::NotThisTenant => "ask below the path of url; or correct url".into(),
        Denied::NoUsername => format!("have the issuer write the claim; or name another one ({key})"),
        Denied::AccountUnknown => "make the account in the product".into(),
        Denied::AccountInactive => "activate the account in the product".into(),
        Denied::AccountProtected => format!("send a token of another account; or let this one be named ({key})"),
        Denied::AccountChanged => "if it is the same person: postern account unpin TENANT ACCOUNT".into(),
        Denied::InsufficientScope if key.starts_with("access.rule") => format!("get a token with the scope; or take it out of {key}"),
        Denied::InsufficientScope => "issue a token with the scope and paths that the call needs".into(),
        Denied::NotInGroup => format!("put the account into one of the groups; or add one of its groups to {key}"),
        Denied::RuleDenied => format!("call what no rule denies; or change {key}"),
        Denied::TokenEndpoint => "log in to the product for that; or let credentials of Postern reach it: access.token_endpoints = \"pass\"".into(),
        Denied::ReadOnly => "read only; or let writes pass again: access.read_only = false".into(),
        Denied::AddressNotAllowed if key == "access.deny_networks" => "call from elsewhere; or take the network out of access.deny_networks".into(),
        Denied::AddressNotAllowed if key == "access.allow_networks" => "call from one of the networks; or add the address to access.allow_networks".into(),
        Denied::AddressNotAllowed => "call from one of the token's networks; or issue another token".into(),
        Denied::RateLimited => format!("wait; or allow more ({key})"),
        Denied::TooManyFailures => format!("send a good credential, which passes at once; or wait; or allow more ({key})"),
    }
}
