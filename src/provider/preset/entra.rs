//! Microsoft Entra ID (learn.microsoft.com/entra/identity-platform: "Access tokens", "Access token claims reference",
//! "Optional claims reference", "Claims validation", "Signing key rollover").
//!
//! Which version a token is of is decided by the API's registration (`requestedAccessTokenVersion`) and not by the
//! endpoint that the client asked, so both are accepted. Other issuers of Microsoft's (External ID at
//! `*.ciamlogin.com`, Azure AD B2C at `*.b2clogin.com`) are of the kind `custom`.

use super::{Kind, Mark, PLAIN, Preset, Wrong, access_token, shown, wrong_kind};
use crate::{
    decision::{Denial, Denied},
    tenant::{
        file::{Cloud, ProviderFile, TextOrList},
        settings::ProviderSettings,
    },
    verify::{claims::Claims, json::Json},
};

pub const PRESET: Preset = Preset {
    kind: Kind::Entra,
    takes: &[
        "tenant_ids",
        "cloud",
        "audience",
        "clients",
        "jwks_uri",
        "algorithms",
        "stale_keys",
    ],
    fill,
    keys_of,
    realm_of,
    keys_name_issuers: true,
    // Its signature is made over another header than the one that is sent (AzureAD/azure-activedirectory-
    // identitymodel-extensions-for-dotnet #609), so that nobody but Graph can check it.
    refused_headers: &[("nonce", Denied::TokenForGraph, FOR_GRAPH)],
    // v2 and v1. Both can change, so that who it is for good is said by `oid` ("Claims validation").
    username: &["preferred_username", "upn"],
    // Groups are object ids (GUIDs) unless the application asks for names; roles are the application's own.
    groups: &["groups", "roles"],
    client: &["azp", "appid"],
    subject: &["oid", "sub"],
    // "Access token claims reference": idtyp is an optional claim, and the surest; otherwise a client that got a token
    // for itself is its own subject, and `scp` is only in users' tokens.
    machine: &[
        &[Mark::Is("idtyp", "app")],
        &[Mark::Equal("oid", "sub"), Mark::Absent("scp")],
    ],
    judge,
    groups_unknown,
    // There is no email_verified; `fill` sees to it that one directory answers for its addresses.
    vouches_for_email: true,
    ..PLAIN
};

const FOR_GRAPH: &str =
    "the token was issued for Microsoft Graph; request the scope api://<this API's application>/…";

/// The application ids and URIs of Microsoft Graph.
const GRAPH: &[&str] = &[
    "00000003-0000-0000-c000-000000000000",
    "https://graph.microsoft.com",
    "https://graph.microsoft.com/",
];

/// The directory of all personal accounts ("Access tokens", Recap).
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// Where a cloud's issuers are: v2's host and v1's ("National clouds"; azure-docs #123050 for China's v1). That of v1 in
/// the US government's cloud is the global one's [not confirmed].
fn hosts(cloud: Cloud) -> (&'static str, &'static str) {
    match cloud {
        Cloud::Global => ("login.microsoftonline.com", "sts.windows.net"),
        Cloud::UsGov => ("login.microsoftonline.us", "sts.windows.net"),
        Cloud::China => ("login.partner.microsoftonline.cn", "sts.chinacloudapi.cn"),
    }
}

fn hosts_of(file: &ProviderFile) -> (&'static str, &'static str) {
    hosts(file.cloud.unwrap_or(Cloud::Global))
}

fn fill(file: &mut ProviderFile) -> Vec<Wrong> {
    file.default_algorithms(&["RS256"]);
    let mut wrong = Vec::new();
    let (v2, v1) = hosts_of(file);
    let ids = file.tenant_ids.as_deref().unwrap_or_default();
    let mut issuers = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        if let Some(why) = not_a_directory(id) {
            wrong.push(Wrong::new("tenant_ids", format!("{id:?} {why}"), GUID));
            continue;
        }
        if ids[..at].contains(id) {
            let message = format!("{id:?} stands here twice");
            wrong.push(Wrong::warning("tenant_ids", message, "keep it once"));
            continue;
        }
        if id == PERSONAL {
            wrong.push(Wrong::warning(
                "tenant_ids",
                "this is the directory of all personal Microsoft accounts: anybody can have one, with an address of nearly any domain as its name",
                "leave it out, or say in `accounts` or a username_map whom they may be",
            ));
        }
        // As tokens carry them: v2 without a slash at the end, v1 with one.
        issuers.push(format!("https://{v2}/{id}/v2.0"));
        issuers.push(format!("https://{v1}/{id}/"));
    }
    if ids.is_empty() {
        wrong.push(Wrong::new(
            "tenant_ids",
            "Entra ID has as many issuers as customers, so it takes to say whose users may come",
            GUID,
        ));
    }
    let several = issuers.len() > 2;
    if several && file.accounts.is_none() && file.username_map.is_none() {
        wrong.push(Wrong::new(
            "accounts",
            "each of these directories says what its users are called, so that each could name the others' accounts, `admin` too",
            "write a username_map with the domains of each directory, accounts = [\"*\"] if all of them are trusted alike, or a [[provider]] for each",
        ));
    }
    wrong.extend(dangerous_names(file, several));
    file.issuer = Some(TextOrList::List(issuers));
    wrong
}

/// Claims that people can be called by, and should not ("Claims validation": never authorize by them; "Migrate away
/// from using email claims").
fn dangerous_names(file: &ProviderFile, several: bool) -> Option<Wrong> {
    const HELP: &str = "write username = \"preferred_username\" or \"upn\"";
    if file.is_named_by(&["email"]) {
        return Some(if several {
            Wrong::new(
                "username",
                "any directory can give any of its users any address, so that with several directories `email` names whomever one of them likes",
                "write username = \"preferred_username\", or a provider for each directory",
            )
        } else {
            Wrong::warning(
                "username",
                "an administrator of the directory, and in some a user, can set any address for a user without a mailbox",
                HELP,
            )
        });
    }
    file.is_named_by(&["name", "given_name", "family_name", "unique_name"])
        .then(|| {
            let message = "this is for people to read: two users may share it, and in some directories users set it themselves";
            Wrong::warning("username", message, HELP)
        })
}

const GUID: &str = "write tenant_ids = [\"8eaef023-2b34-4da1-9baa-8bc8c9d6a490\"], the directory (tenant) ID of the overview page in the Entra admin center";

/// What is wrong with the id of a directory.
fn not_a_directory(id: &str) -> Option<&'static str> {
    if is_guid(id) {
        None
    } else if is_guid(&id.to_ascii_lowercase()) {
        Some("holds capitals, and tokens carry it in lower case")
    } else {
        Some("is no directory id")
    }
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
        })
}

/// The keys of v1 tokens are those of `common`, to which the metadata of every directory points. An application whose
/// claims are mapped has keys of its own: then `jwks_uri` ends in `?appid=` and its id ("Access tokens").
#[expect(clippy::unnecessary_wraps, reason = "other kinds don't know it")]
fn keys_of(file: &ProviderFile, issuer: &str) -> Option<String> {
    Some(match issuer.strip_suffix("/v2.0") {
        Some(directory) => format!("{directory}/discovery/v2.0/keys"),
        None => format!("https://{}/common/discovery/keys", hosts_of(file).0),
    })
}

/// The directory: v1 and v2 tokens are about the same people.
fn realm_of(issuer: &str) -> &str {
    let directory = issuer.trim_end_matches('/').trim_end_matches("/v2.0");
    directory.rsplit('/').next().unwrap_or(directory)
}

fn judge(claims: &Claims<'_>, settings: &ProviderSettings) -> Result<(), Denial> {
    // "Claims validation": the directory that the issuer names must be the token's.
    let issuer = claims.text("iss").unwrap_or_default();
    if claims.text("tid") != Some(realm_of(issuer)) {
        let message = format!(
            "the claim tid is {}, and the issuer is of another directory",
            shown(claims, "tid")
        );
        return Err(Denial::new(Denied::UnknownIssuer, message));
    }
    let mut audiences = claims.get("aud").into_iter().flat_map(Json::texts);
    if audiences.any(|audience| GRAPH.contains(&audience)) {
        return Err(Denial::new(Denied::TokenForGraph, FOR_GRAPH));
    }
    access_token(claims, settings)?;
    // ID tokens name no client; with one application for a page and its API they have its audience.
    let Some(client) = ["azp", "appid"].iter().find_map(|name| claims.text(name)) else {
        return Err(wrong_kind("the token names no client (azp, appid)"));
    };
    if let Some(kind) = claims.get("idtyp")
        && !matches!(kind.as_str(), Some("app" | "user"))
    {
        return Err(wrong_kind(format!("the claim idtyp is {}", kind.quoted())));
    }
    // Any application of the directory gets a token for ours, without any permission of ours in it
    // (Microsoft.Identity.Web, IDW10201).
    let has = |name| {
        let mut texts = claims.get(name).into_iter().flat_map(Json::texts);
        texts.any(|text| !text.is_empty())
    };
    if !has("scp") && !has("roles") && !settings.clients.iter().any(|listed| listed == client) {
        let message = format!(
            "the token has neither scp nor roles, so that no permission was granted to its client {}; grant one, or list the client in `clients` ({})",
            Json::from(client).quoted(),
            settings.written_in
        );
        return Err(Denial::new(Denied::WrongAudience, message).by("clients"));
    }
    Ok(())
}

/// Above 200 groups a token has a pointer in their place, which is never followed: it is a URL that a token names.
fn groups_unknown(claims: &Claims<'_>) -> Option<&'static str> {
    let elsewhere = claims
        .get("_claim_names")
        .is_some_and(|names| names.get("groups").is_some());
    let many = claims.get("hasgroups").is_some_and(|has| *has == true);
    (elsewhere || many).then_some(
        "the token names no groups because there are too many (groups overage); let Entra ID emit only groups that are assigned to the application, or use app roles",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cloud_has_two_issuers_and_their_keys() {
        let mut file = ProviderFile {
            tenant_ids: Some(vec!["8eaef023-2b34-4da1-9baa-8bc8c9d6a490".into()]),
            cloud: Some(Cloud::China),
            ..ProviderFile::default()
        };
        assert!(fill(&mut file).is_empty());
        let [v2, v1] = file.issuers() else {
            panic!("{:?}", file.issuers());
        };
        assert_eq!(
            v2,
            "https://login.partner.microsoftonline.cn/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/v2.0"
        );
        assert_eq!(
            v1,
            "https://sts.chinacloudapi.cn/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/"
        );
        assert_eq!(
            keys_of(&file, v2).unwrap(),
            "https://login.partner.microsoftonline.cn/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/discovery/v2.0/keys"
        );
        assert_eq!(
            keys_of(&file, v1).unwrap(),
            "https://login.partner.microsoftonline.cn/common/discovery/keys"
        );
        assert_eq!(realm_of(v1), realm_of(v2));
        assert_eq!(realm_of(v1), "8eaef023-2b34-4da1-9baa-8bc8c9d6a490");
    }

    #[test]
    fn the_government_s_keys_are_its_cloud_s() {
        let file = ProviderFile {
            cloud: Some(Cloud::UsGov),
            ..ProviderFile::default()
        };
        let v1 = "https://sts.windows.net/8eaef023-2b34-4da1-9baa-8bc8c9d6a490/";
        assert_eq!(
            keys_of(&file, v1).unwrap(),
            "https://login.microsoftonline.us/common/discovery/keys"
        );
    }

    #[test]
    fn a_directory_is_a_guid() {
        assert!(is_guid("8eaef023-2b34-4da1-9baa-8bc8c9d6a490"));
        for other in [
            "common",
            "organizations",
            "contoso.onmicrosoft.com",
            "8EAEF023-2b34-4da1-9baa-8bc8c9d6a490",
            "8eaef023-2b34-4da1-9baa-8bc8c9d6a49",
        ] {
            assert!(!is_guid(other), "{other}");
        }
    }
}
