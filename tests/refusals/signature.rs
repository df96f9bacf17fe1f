//! Algorithms and keys: what signs a token is the provider's choice, never the token's.

use postern::decision::{
    Denied::{AlgorithmNotAllowed, BadSignature, MalformedToken, UnknownKey},
    Unavailable,
};

use super::row::{Expected, Row, World, ada, at, jira, refused, row};
use crate::harness::{Algorithm, Postern, SignWith, issuer, tenant};

#[test]
fn only_a_listed_algorithm_with_its_own_key_proves_anything() {
    let world = World::start();
    world.judge(rows(&world));
}

/// Whatever a kid says, it is looked up among names, and the issuer is asked once.
#[test]
fn a_hostile_kid_is_only_an_unknown_name() {
    for kid in [
        "../../../../dev/null",
        "/etc/passwd",
        "file:///dev/null",
        "key' OR '1'='1",
        "x'; DROP TABLE keys; --",
        "| /bin/sh -c id",
        "\u{0}",
        "\n2026 INFO allowed\u{1b}[0m",
        "",
        &"k".repeat(10_000),
    ] {
        let acme = issuer();
        let postern = Postern::with(tenant("jira").trusting(&acme)).start();
        postern.until_keys("jira");
        let (asked, documents) = (acme.token().kid(kid).sign(), acme.hits("/jwks"));
        postern.check("jira", &asked).is_refused(401, "unknown_key");
        assert_eq!(acme.hits("/jwks"), documents + 1, "{kid:?}");
        postern
            .check("jira", &acme.token().sign())
            .is_allowed_as("ada");
        assert!(
            !postern.log().contains('\u{1b}'),
            "{kid:?} writes into the log"
        );
        assert!(postern.log().len() < 10_000, "{kid:?} fills the log");
    }
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = algorithms(world);
    rows.extend(public_key_as_secret(world));
    rows.extend(forged(world));
    rows.extend(keys(world));
    rows
}

fn algorithms(world: &World) -> Vec<Row> {
    let named = |alg: &str, with: SignWith<'_>| {
        let header = world
            .header("")
            .replace("ES256\",\"typ", &format!("{alg}\",\"typ"));
        jira(&world.acme.sign_raw(with, header, world.claims("")))
    };
    let mut rows = vec![ada("ES256", named("ES256", Algorithm::Es256.into()))];
    for none in ["none", "None", "NONE", "nOnE", "none ", ""] {
        rows.push(refused(
            format!("{none:?} without a signature"),
            named(none, SignWith::Nothing),
            AlgorithmNotAllowed,
        ));
        rows.push(refused(
            format!("{none:?} with a good signature"),
            named(none, Algorithm::Es256.into()),
            AlgorithmNotAllowed,
        ));
    }
    for alg in [
        "es256",
        "Es256",
        "ES256 ",
        "ES256K",
        "ES512",
        "ESP256",
        "Ed448",
        "ML-DSA-44",
        "HS256",
        "HS384",
        "HS512",
        "RSA-OAEP",
        "dir",
    ] {
        rows.push(refused(
            format!("{alg:?}, signed with ES256"),
            named(alg, Algorithm::Es256.into()),
            AlgorithmNotAllowed,
        ));
    }
    // Each signature is as its algorithm wants it; the key of that name is of another kind.
    for (alg, with) in [
        ("RS256", Algorithm::Rs256),
        ("ES384", Algorithm::Es384),
        ("EdDSA", Algorithm::EdDsa),
    ] {
        rows.push(refused(
            format!("{alg} with the kid of a P-256 key"),
            named(alg, with.into()),
            AlgorithmNotAllowed,
        ));
    }
    let rs256 = world.acme.token().algorithm(Algorithm::Rs256);
    rows.push(refused(
        "PS256 with the kid of a key for RS256",
        jira(&rs256.clone().header("alg", "PS256").sign()),
        AlgorithmNotAllowed,
    ));
    rows.push(ada(
        "RS256 where only that is listed",
        at("rsa-only", &rs256.sign()),
    ));
    rows.push(refused(
        "ES256 where RS256 is listed",
        at("rsa-only", &world.acme.token().sign()),
        AlgorithmNotAllowed,
    ));
    rows
}

/// Who takes the algorithm from the token takes the public key, which everybody has, for a shared secret.
fn public_key_as_secret(world: &World) -> Vec<Row> {
    let pem = world.acme.public_key_pem(Algorithm::Rs256);
    let pkcs1 = world.acme.rsa_pkcs1_pem();
    let genuine = world.acme.token().algorithm(Algorithm::Rs256).sign();
    let mut rows = vec![ada("RS256 with the pinned key", at("pinned", &genuine))];
    for (what, secret) in [
        ("the PEM", pem.as_str()),
        ("the PEM without its last line end", pem.trim_end()),
        ("PKCS#1", &pkcs1),
    ] {
        for tenant in ["pinned", "jira"] {
            let header = format!(
                r#"{{"alg":"HS256","kid":"{}"}}"#,
                world.acme.kid(Algorithm::Rs256)
            );
            let token =
                world
                    .acme
                    .sign_raw(SignWith::Hs256(secret.as_bytes()), header, world.claims(""));
            rows.push(refused(
                format!("HS256 with {what} as the secret, at {tenant}"),
                at(tenant, &token),
                AlgorithmNotAllowed,
            ));
        }
    }
    // The same forgery under the name of the algorithm that is expected.
    let header = format!(
        r#"{{"alg":"RS256","kid":"{}"}}"#,
        world.acme.kid(Algorithm::Rs256)
    );
    let token = world
        .acme
        .sign_raw(SignWith::Hs256(pem.as_bytes()), header, world.claims(""));
    rows.push(refused(
        "an HMAC that calls itself RS256",
        at("pinned", &token),
        BadSignature,
    ));
    rows
}

fn forged(world: &World) -> Vec<Row> {
    let (header, claims) = (world.header(""), world.claims(""));
    let genuine = world.signed(&header, &claims);
    let (signed_part, _) = genuine.rsplit_once('.').expect("three parts");
    let admin = world.signed(&header, &claims.replace("ada", "eve"));
    let (_, signature_of_another) = admin.rsplit_once('.').expect("three parts");
    // ECDSA holds for r = s = 0 where nobody looks (CVE-2022-21449).
    let zeros = "A".repeat(86);
    [
        (
            "another issuer's key under our key's name",
            world.mallory.sign_raw(Algorithm::Es256, &header, &claims),
        ),
        ("no signature", format!("{signed_part}.")),
        ("a signature of zeros", format!("{signed_part}.{zeros}")),
        (
            "another token's signature",
            format!("{signed_part}.{signature_of_another}"),
        ),
        ("a short signature", format!("{signed_part}.AAAA")),
    ]
    .map(|(what, token)| refused(what, jira(&token), BadSignature))
    .into_iter()
    .chain([ada("the genuine one", jira(&genuine))])
    .collect()
}

fn keys(world: &World) -> Vec<Row> {
    let token = world.acme.token();
    vec![
        // The first unknown name makes us ask; the second within the minute has to wait for the next time.
        refused(
            "a kid that the issuer does not publish",
            at("jira", &token.clone().kid("nobody's").sign()),
            UnknownKey,
        ),
        row(
            "another one within the minute",
            at("jira", &token.clone().kid("somebody's").sign()),
            Expected::Unavailable(Unavailable::KeysPending),
        ),
        ada(
            "a known kid all the while",
            at("jira", &token.clone().sign()),
        ),
        // A key that the operator wrote down has no name to go by.
        ada(
            "any kid at a pinned key",
            at(
                "pinned",
                &token.clone().algorithm(Algorithm::Rs256).kid("any").sign(),
            ),
        ),
        refused(
            "an opaque token at a provider of signed ones",
            at("pinned", "c2VjcmV0"),
            MalformedToken,
        ),
        row(
            "an issuer that was never seen",
            at("gone", &world.gone.token().sign()),
            Expected::Unavailable(Unavailable::IssuerUnavailable),
        ),
    ]
}
