//! Amazon Cognito user pools (docs.aws.amazon.com/cognito: "Understanding user pool JSON web tokens", "Verifying JSON
//! web tokens"; awslabs/aws-jwt-verify).

use super::{Binding, Kind, Mark, PLAIN, Preset, Wrong, shown, wrong_kind};
use crate::{
    decision::{Denial, Denied},
    tenant::{
        file::{ProviderFile, TextOrList},
        settings::{Audience, ProviderSettings},
    },
    verify::{claims::Claims, json::Json},
};

pub const PRESET: Preset = Preset {
    kind: Kind::Cognito,
    takes: &[
        "user_pool_id",
        "issuer",
        "audience",
        "clients",
        "id_tokens",
        "jwks_uri",
        "algorithms",
        "stale_keys",
    ],
    fill,
    // Access tokens have no `aud`.
    binding: Binding::Own,
    keys_of: |_, issuer| Some(format!("{issuer}/.well-known/jwks.json")),
    // Of access and of ID tokens; neither ever changes.
    username: &["username", "cognito:username"],
    groups: &["cognito:groups"],
    client: &["client_id"],
    // "Scopes, M2M, and APIs with resource servers"; users' tokens have a username always.
    machine: &[&[Mark::Equal("sub", "client_id"), Mark::Absent("username")]],
    judge,
    ..PLAIN
};

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    match (&file.user_pool_id, &file.issuer) {
        (Some(id), None) => match region(id) {
            // Its domain is another, but which is [not confirmed].
            Some(region) if region.starts_with("cn-") => wrong.push(Wrong::new(
                "issuer",
                "the issuers of this partition are not known here",
                "write issuer = \"https://…\", exactly as tokens carry it in `iss`",
            )),
            Some(region) => {
                let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{id}");
                file.issuer = Some(TextOrList::Text(issuer));
            }
            None => wrong.push(Wrong::new(
                "user_pool_id",
                format!("{id:?} is no user pool's id"),
                POOL,
            )),
        },
        (None, None) => wrong.push(Wrong::new(
            "user_pool_id",
            "it takes the user pool to know issuer and keys",
            POOL,
        )),
        (Some(id), Some(_)) => {
            let end = format!("/{id}");
            if !file.issuers().iter().all(|issuer| issuer.ends_with(&end)) {
                wrong.push(Wrong::new(
                    "issuer",
                    format!("this is not the issuer of the user pool {id:?}"),
                    "leave it out, unless the pool is in a partition with another domain",
                ));
            }
        }
        (None, Some(_)) => {}
    }
    if file.clients.as_ref().is_none_or(Vec::is_empty) {
        wrong.push(Wrong::new(
            "clients",
            "access tokens carry no audience, so that those of every app client of the pool would pass",
            "write clients = [\"…\"], the ids of the app clients whose tokens may come",
        ));
    }
    let named = file.username.iter().flat_map(TextOrList::texts);
    if named
        .into_iter()
        .any(|name| !FIXED.contains(&name.as_str()))
    {
        wrong.push(Wrong::warning(
            "username",
            "users may write this attribute themselves, unless the app client forbids it, and so become whom they like",
            "write username = \"username\", which never changes, or take the write permission for the attribute from every app client",
        ));
    }
    if file.issuer.is_none() {
        // What is missing for it has been said.
        file.issuer = Some(TextOrList::List(Vec::new()));
    }
    wrong
}

/// What users can't write. Everything else they can with the scope aws.cognito.signin.user.admin, as far as the app
/// client lets them ("Understanding the access token").
const FIXED: &[&str] = &["username", "cognito:username", "sub"];

const POOL: &str = "write user_pool_id = \"eu-central-1_AbCdEfGhI\", as the console shows it; in a partition with another domain, write issuer too";

/// The region of a pool, by the expression that AWS itself uses (aws-jwt-verify):
/// `^[a-z]{2}-(gov-)?[a-z]+-\d_[a-zA-Z0-9]+$`.
fn region(id: &str) -> Option<&str> {
    let (region, name) = id.split_once('_')?;
    let mut parts = region.split('-');
    let lower = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let country = parts.next()?;
    let mut place = parts.next()?;
    if place == "gov" {
        place = parts.next()?;
    }
    let number = parts.next()?;
    let fits = country.len() == 2
        && lower(country)
        && lower(place)
        && number.len() == 1
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && parts.next().is_none()
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    fits.then_some(region)
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    let listed = |client: &str| settings.clients.iter().any(|own| own == client);
    let not_ours = |what: String| {
        let message = format!(
            "{what}; this tenant accepts the clients {} ({})",
            settings.clients.join(", "),
            settings.written_in
        );
        Err(Denial::new(Denied::WrongAudience, message).by("clients"))
    };
    match claims.text("token_use") {
        Some("access") => {
            if !claims.text("client_id").is_some_and(listed) {
                return not_ours(format!("the client_id is {}", shown(claims, "client_id")));
            }
            // Resource binding may put one in [not confirmed]; then it has to be ours as well.
            match (&settings.audience, claims.get("aud")) {
                (Audience::OneOf(_), _) => claims.is_for(settings)?,
                (Audience::Any, Some(aud)) if !aud.texts().any(listed) => {
                    return not_ours(format!("the audience is {}", shown(claims, "aud")));
                }
                (Audience::Any, _) => {}
            }
            claims.is_an_access_token()
        }
        Some("id") if settings.own.id_tokens => {
            if claims.get("aud").and_then(Json::as_str).is_some_and(listed) {
                Ok(())
            } else {
                not_ours(format!("the audience is {}", shown(claims, "aud")))
            }
        }
        _ => Err(wrong_kind(format!(
            "the claim token_use is {}",
            shown(claims, "token_use")
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_tells_everything() {
        let mut file = ProviderFile {
            user_pool_id: Some("us-gov-west-1_AbC123".into()),
            clients: Some(vec!["57cb".into()]),
            ..ProviderFile::default()
        };
        assert!(fill(&mut file).is_empty());
        let issuer = "https://cognito-idp.us-gov-west-1.amazonaws.com/us-gov-west-1_AbC123";
        assert_eq!(file.issuers(), [issuer]);
        assert_eq!(
            (PRESET.keys_of)(&file, issuer).unwrap(),
            format!("{issuer}/.well-known/jwks.json")
        );
    }

    #[test]
    fn a_pool_tells_its_region() {
        assert_eq!(region("eu-central-1_AbC123"), Some("eu-central-1"));
        assert_eq!(region("us-gov-west-1_x"), Some("us-gov-west-1"));
        for other in [
            "",
            "_",
            "eu-central-1_",
            "eu-central-1",
            "eu-central_abc",
            "EU-central-1_abc",
            "eu-central-1_a-b",
            "eu-central-12_a",
            "evil.com/eu-central-1_a",
        ] {
            assert_eq!(region(other), None, "{other}");
        }
    }
}
