//! Whose tokens are believed, and by which keys.

use super::*;

/// The same two from a directory that is nobody of ours, and issuers that are nearly right.
#[test]
fn only_the_listed_directories_issue_tokens() {
    let (_keys, postern) = start(|file| file);
    let issuers = [
        format!("https://login.microsoftonline.com/{ANOTHER}/v2.0"),
        format!("https://sts.windows.net/{ANOTHER}/"),
        format!("https://sts.windows.net/{DIRECTORY}"),
        format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0/"),
        format!("https://login.microsoftonline.us/{DIRECTORY}/v2.0"),
        "https://login.microsoftonline.com/{tenantid}/v2.0".to_owned(),
    ];
    for issuer in issuers {
        let token = v2(json!({ "iss": issuer, "tid": ANOTHER }));
        postern
            .check("jira", &sign(&token))
            .is_refused(401, "unknown_issuer");
    }
    for tid in [json!(ANOTHER), json!(null), json!(7)] {
        let token = sign(&v1(json!({ "tid": tid })));
        assert_eq!(postern.check("jira", &token).status, 401, "{tid}");
    }
}

/// The issuer is of our directory and the token of another.
#[test]
fn a_tid_of_another_directory_is_refused() {
    let keys = publishing(vec![with(common_key(), json!({ "issuer": null }))]);
    let postern = Postern::with(entra("jira", &keys.url())).start();
    postern
        .check("jira", &sign(&v2(json!({}))))
        .is_allowed_as("ada@example.com");
    for tid in [json!(ANOTHER), json!(null), json!(7)] {
        postern
            .check("jira", &sign(&v2(json!({ "tid": tid }))))
            .is_refused(401, "unknown_issuer");
    }
}

/// One document holds the keys of several issuers: each proves its own one's tokens, of either version.
#[test]
fn a_key_proves_the_tokens_of_its_own_issuer() {
    let own = format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0");
    let another = format!("https://login.microsoftonline.com/{ANOTHER}/v2.0");
    let personal =
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".to_owned();
    let template = |text: &str| format!("https://login.microsoftonline.com/{text}/v2.0");
    for (issuer, proves) in [
        (own, true),
        (template("{tenantid}"), true),
        (template("{TenantId}"), true),
        (another, false),
        (personal, false),
        (
            "https://login.partner.microsoftonline.cn/{tenantid}/v2".to_owned(),
            false,
        ),
        (String::new(), false),
    ] {
        let keys = publishing(vec![key(&issuer)]);
        let postern = Postern::with(entra("jira", &keys.url())).start();
        for token in [v2(json!({})), v1(json!({}))] {
            let answer = postern.check("jira", &sign(&token));
            if proves {
                answer.is_allowed_as("ada@example.com");
            } else {
                answer.is_refused(401, "unknown_key");
            }
        }
    }
}

/// The keys name no algorithm: it is RS256, and none that the token would like better.
#[test]
fn the_algorithm_is_ours_to_choose() {
    let (_keys, postern) = start(|file| file);
    for (algorithm, reason) in [
        ("PS256", "algorithm_not_allowed"),
        ("RS512", "algorithm_not_allowed"),
        ("HS256", "algorithm_not_allowed"),
        ("none", "algorithm_not_allowed"),
    ] {
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": KID });
        postern
            .check("jira", &KEY.sign(&header, &v2(json!({}))))
            .is_refused(401, reason);
    }
    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": KID });
    postern
        .check("jira", &OTHER_KEY.sign(&header, &v2(json!({}))))
        .is_refused(401, "bad_signature");
}

/// An application whose claims are mapped has its own keys, which are only there for who asks with its id.
#[test]
fn the_query_of_the_key_document_is_kept() {
    let own = common_key();
    let keys = Emulator::start(move |asked| match asked.field("appid").as_deref() {
        Some(API) => key_set(std::slice::from_ref(&own)),
        _ => key_set(&[OTHER_KEY.jwk(json!({ "use": "sig", "kid": "common" }))]),
    });
    let path = format!("/{DIRECTORY}/discovery/v2.0/keys");
    let uri = format!("{}{path}", keys.url());
    let postern = Postern::with(entra("jira", &format!("{uri}?appid={API}")))
        .and(entra("without", &uri))
        .start();
    let token = sign(&v2(json!({})));
    postern
        .check("jira", &token)
        .is_allowed_as("ada@example.com");
    postern
        .check("without", &token)
        .is_refused(401, "unknown_key");
    let asked = keys.asked();
    assert!(
        asked
            .iter()
            .any(|asked| asked.target == format!("{path}?appid={API}"))
    );
}

/// Each cloud has issuers of its own, and none believes another's.
#[test]
fn a_cloud_believes_its_own_issuers() {
    let keys = publishing(vec![with(common_key(), json!({ "issuer": null }))]);
    let of = |cloud: &str| entra(cloud, &keys.url()).with(&format!("cloud = {cloud:?}"));
    let postern = Postern::with(of("global"))
        .and(of("us-gov"))
        .and(of("china"))
        .start();
    for (issuer, clouds) in [
        (
            format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0"),
            &["global"][..],
        ),
        (
            format!("https://sts.windows.net/{DIRECTORY}/"),
            &["global", "us-gov"],
        ),
        (
            format!("https://login.microsoftonline.us/{DIRECTORY}/v2.0"),
            &["us-gov"],
        ),
        (
            format!("https://login.partner.microsoftonline.cn/{DIRECTORY}/v2.0"),
            &["china"],
        ),
        (
            format!("https://sts.chinacloudapi.cn/{DIRECTORY}/"),
            &["china"],
        ),
    ] {
        let token = sign(&v2(json!({ "iss": issuer })));
        for cloud in ["global", "us-gov", "china"] {
            let answer = postern.check(cloud, &token);
            if clouds.contains(&cloud) {
                answer.is_allowed_as("ada@example.com");
            } else {
                answer.is_refused(401, "unknown_issuer");
            }
        }
    }
}

/// Entra ID is down, slow, rate-limiting or lying.
#[test]
fn without_its_keys_nobody_passes() {
    let token = sign(&v2(json!({})));
    without_keys_nobody_passes(entra, vec![common_key()], &token, "ada@example.com");
}
