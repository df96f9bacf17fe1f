//! Every kind of problem, each with its place; and what a file means where it is good.

use std::path::{Path, PathBuf};

use super::*;
use crate::{
    keys::Algorithm,
    tenant::{
        excerpt::Excerpt,
        settings::{
            Audience, ClaimPath, ClientAuth, KeyOrigin, Otherwise, Product, Sessions, UsernameCase,
        },
    },
};

mod mutations;
mod tables;

/// A day on which the certificate of the examples is valid.
const TODAY: u64 = 1_800_000_000;

/// A tenant file beside the examples, whose key files it may name.
fn source(text: &str) -> TenantSource {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/examples");
    let path = Path::new(folder).join("test.toml");
    TenantSource::of_text("test".parse().unwrap(), &path, text.to_owned())
}

fn built(text: &str) -> Built {
    build(&source(text), Secrets::MustBeThere, TODAY)
}

fn good(text: &str) -> Settings {
    let built = built(text);
    built
        .settings
        .unwrap_or_else(|| panic!("{:#?}", built.problems))
}

const HEAD: &str = "product = \"jira\"\nurl = \"https://jira.example.com\"\n";

/// A file with one provider, which starts in line 5.
fn with_provider(lines: &str) -> String {
    format!("{HEAD}[[provider]]\nkind = \"custom\"\n{lines}\n")
}

#[test]
fn what_is_not_written_has_its_default() {
    let settings = good(&with_provider(
        "issuer = \"https://sso.example.com\"\naudience = \"a\"",
    ));
    assert_eq!(settings.id.as_str(), "test");
    assert_eq!(settings.product, Product::Jira);
    assert_eq!(
        (&*settings.url, &*settings.context_path),
        ("https://jira.example.com", "")
    );
    assert!(settings.enabled);
    let access = &settings.access;
    assert_eq!(
        (access.anonymous, access.sessions),
        (Otherwise::Deny, Sessions::Pass)
    );
    assert!(!access.read_only && access.allow_groups.is_empty() && access.public.is_empty());
    let provider = &settings.providers[0];
    assert_eq!(provider.name, "custom");
    assert_eq!(provider.audience, Audience::OneOf(vec!["a".to_owned()]));
    assert_eq!(provider.mapping.username, [ClaimPath("sub".into())]);
    assert_eq!(provider.groups, [ClaimPath("groups".into())]);
    assert_eq!(provider.mapping.case, UsernameCase::Keep);
    assert_eq!(provider.leeway, Duration::from_secs(30));
    let signature = provider.signature.as_ref().unwrap();
    assert!(
        matches!(&signature.keys[..], [KeyOrigin::Discovery(issuer)] if issuer == "https://sso.example.com")
    );
    assert_eq!(signature.stale_keys, Duration::from_hours(24));
    assert!(signature.algorithms.contains(Algorithm::EdDsa));
    assert!(provider.asking.is_none() && provider.ca.is_none());
}

#[test]
fn the_url_is_kept_in_its_normal_form() {
    let text = "product = \"bitbucket\"\nurl = \"HTTPS://Git.Example.com:443/scm/x/\"\n";
    let settings = good(text);
    assert_eq!(settings.url, "https://git.example.com/scm/x");
    assert_eq!(settings.context_path, "/scm/x");
}

#[test]
fn a_key_and_an_endpoint_are_both_required() {
    let settings = good(&with_provider(
        "issuer = \"https://i.example\"\naudience = \"a\"\nrequire_typ = \"Application/AT+JWT\"\n\
         public_key = { file = \"custom-public-key.pem\" }\nalgorithms = [\"PS256\"]\n\
         introspection_endpoint = \"http://127.0.0.1:99/x\"\nclient_id = \"c\"\n\
         client_secret = { env = \"PATH\" }\nclient_auth = \"client_secret_post\"",
    ));
    let provider = &settings.providers[0];
    let signature = provider.signature.as_ref().unwrap();
    assert!(matches!(signature.keys[..], [KeyOrigin::Fixed(_)]));
    assert_eq!(signature.require_typ.as_deref(), Some("at+jwt"));
    assert!(!signature.algorithms.contains(Algorithm::Rs256));
    let introspection = provider.asking.as_ref().unwrap();
    assert!(provider.both && !provider.judges_opaque_tokens());
    assert_eq!(introspection.client_auth, ClientAuth::Post);
    assert_eq!(
        introspection.client_secret.as_ref().unwrap().expose(),
        std::env::var("PATH").unwrap()
    );
    assert!(introspection.signed_answers().is_none());
}

#[test]
fn signed_answers_are_proved_by_the_nearest_keys() {
    let keys_of = |more: &str| {
        let settings = good(&with_provider(&format!(
            "issuer = \"https://i.example\"\naudience = \"a\"\nintrospection_response = \"jwt\"\n\
             introspection_endpoint = \"https://i.example/x\"\nclient_id = \"c\"\n\
             client_secret = {{ env = \"PATH\" }}\n{more}"
        )));
        let introspection = settings.providers[0].asking.as_ref().unwrap();
        format!("{:?}", introspection.signed_answers().unwrap().keys)
    };
    assert!(keys_of("").starts_with("Discovery"));
    assert!(keys_of("jwks_uri = \"https://i.example/own\"").contains("/own"));
    assert!(keys_of("public_key = { file = \"custom-public-key.pem\" }").starts_with("Fixed"));
    let both = "jwks_uri = \"https://i.example/own\"\nintrospection_jwks_uri = \"https://i.example/other\"";
    assert!(keys_of(both).contains("/other"));
}

#[test]
fn networks_and_rules_are_read() {
    let settings = good(&format!(
        "{HEAD}[access]\nallow_networks = [\"10.1.2.3\", \"2001:db8::/32\"]\n\
         public = [\"GET /a\", \"/b\"]\napi_paths = [\"/x/\"]\nread_only = true\nsessions = \"deny\"\n"
    ));
    let networks: Vec<String> = settings
        .access
        .allow_networks
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["10.1.2.3/32", "2001:db8::/32"]);
    let methods: Vec<_> = settings
        .access
        .public
        .iter()
        .map(|rule| rule.method.as_deref())
        .collect();
    assert_eq!(methods, [Some("GET"), None]);
    assert_eq!(settings.access.api_paths, ["/x"]);
    assert_eq!(settings.access.sessions, Sessions::Deny);
}

#[test]
fn a_certificate_counts_between_its_dates() {
    let text = with_provider(
        "issuer = \"x\"\naudience = \"a\"\ncertificate = { file = \"custom-certificate.crt\" }",
    );
    let (from, until) = (1_735_689_600, 4_891_363_200);
    let problems_at = |now| {
        let problems = build(&source(&text), Secrets::MustBeThere, now).problems;
        problems
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert!(problems_at(from - 1).contains("not valid before 2025-01-01T00:00:00Z"));
    assert_eq!(problems_at(from), "");
    assert!(problems_at(until - 29 * 86400).contains(
        "warning: provider[0].certificate: this certificate expires on 2125-01-01T00:00:00Z"
    ));
    assert!(problems_at(until).contains("warning"));
    assert!(
        problems_at(until + 1)
            .contains("error: provider[0].certificate: this certificate expired on 2125-01-01")
    );
}

#[test]
fn an_absent_secret_is_what_the_caller_makes_of_it() {
    let text = with_provider(
        "introspection_endpoint = \"https://i.example/x\"\naudience = \"a\"\nclient_id = \"c\"\n\
         client_secret = { env = \"POSTERN_TEST_NOT_SET\" }",
    );
    let strict = build(&source(&text), Secrets::MustBeThere, TODAY);
    assert!(strict.settings.is_none());
    assert_eq!(strict.problems[0].severity, Severity::Error);
    let lax = build(&source(&text), Secrets::MayBeAbsent, TODAY);
    assert_eq!(lax.problems[0].severity, Severity::Warning);
    let settings = lax.settings.unwrap();
    let secret = &settings.providers[0].asking.as_ref().unwrap().client_secret;
    assert_eq!(secret.as_ref().unwrap_err(), "is not set");
}

#[test]
fn a_provider_s_digest_changes_with_the_provider_alone() {
    let provider =
        "issuer = \"https://i.example\"\naudience = \"a\"\nca = { file = \"corp-ca.pem\" }\n";
    let digest = |text: &str| good(text).providers[0].digest;
    let before = digest(&with_provider(provider));
    assert_eq!(
        before,
        digest(&with_provider(&format!(
            "# a comment\n{provider}[access]\nread_only = true"
        )))
    );
    assert_ne!(
        before,
        digest(&with_provider(&format!("{provider}leeway = \"31s\"")))
    );
}

/// The daemon serves these after nothing but a copy, so each must be right.
#[test]
fn every_example_is_valid() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tenants/examples"));
    let files = crate::tenant::folder::tenant_files(&folder).unwrap();
    assert!(
        files.len() >= 17,
        "one for each kind, and each way to prove a token"
    );
    for file in files {
        let source = TenantSource::read(&file).unwrap();
        let built = build(&source, Secrets::MayBeAbsent, TODAY);
        assert!(built.settings.is_some(), "{:#?}", built.problems);
        assert!(built.problems.is_empty(), "{:#?}", built.problems);
        assert!(source.text.starts_with("#:schema ../tenant.schema.json\n"));
    }
}

/// The whole file must be understood at once, not one problem a run.
#[test]
fn all_problems_of_all_kinds_are_found_at_once() {
    let text = "url = \"jira\"\nenabled = yes\n[[provider]]\nkind = \"custom\"\nissuer = 5\naudience = []\n\
                leeway = \"1h\"\n[acess]\n[[provider]]\nkind = \"custom\"\n";
    let problems = built(text).problems;
    let keys: Vec<&str> = problems.iter().map(|problem| &*problem.key).collect();
    assert_eq!(
        keys,
        [
            "product",
            "url",
            "enabled",
            "provider[0].accounts",
            "provider[0].issuer",
            "provider[0].audience",
            "provider[0].leeway",
            "acess",
            "provider[1].issuer",
            "provider[1].audience",
            "provider[1].name",
            "provider[1].accounts",
        ]
    );
}
