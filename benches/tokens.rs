//! Access tokens as a Keycloak issues them: RS256 with 2048 bits, some 1,100 bytes long.

use std::{fs, path::Path, thread};

use anyhow::Context as _;
use postern::{
    clock,
    dev::{self, Algorithm, Issuer},
};
use serde_json::json;

/// An issuer of such tokens.
pub fn issuer() -> anyhow::Result<Issuer> {
    Ok(Issuer::builder().algorithm(Algorithm::Rs256).start()?)
}

/// A token that no other number gives; all are the same person's.
pub fn token(issuer: &Issuer, number: usize) -> String {
    token_by(issuer, Algorithm::Rs256, number)
}

/// The same, signed by another algorithm.
pub fn token_by(issuer: &Issuer, algorithm: Algorithm, number: usize) -> String {
    let now = clock::now();
    let header = json!({ "alg": algorithm.as_str(), "typ": "JWT", "kid": issuer.kid(algorithm) });
    let claims = json!({
        "exp": now + 3600,
        "iat": now,
        "jti": format!("5f0c0e7e-3b1a-4c55-9d5f-{number:012}"),
        "iss": issuer.url(),
        "aud": [dev::AUDIENCE, "account"],
        "sub": "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "typ": "Bearer",
        "azp": "build-server",
        "sid": "c2a1a2d6-6f0e-4a9e-8c1b-0b7ce40c5d10",
        "acr": "1",
        "allowed-origins": ["https://ci.example.com"],
        "realm_access": { "roles": ["default-roles-corp", "offline_access", "uma_authorization"] },
        "scope": "openid profile email",
        "email_verified": true,
        "name": "Ada Lovelace",
        "groups": ["staff", "developers", "jira-users"],
        "preferred_username": "ada",
        "email": "ada@example.com",
    });
    issuer.sign_raw(algorithm, header.to_string(), claims.to_string())
}

/// Writes the tokens of those numbers, one a line; both cores sign.
pub fn write(
    issuer: &Issuer,
    numbers: impl Iterator<Item = usize>,
    path: &Path,
) -> anyhow::Result<()> {
    let numbers: Vec<_> = numbers.collect();
    let lines = |numbers: &[usize]| {
        numbers
            .iter()
            .map(|number| token(issuer, *number) + "\n")
            .collect::<String>()
    };
    let (first, second) = numbers.split_at(numbers.len() / 2);
    let tokens = thread::scope(|scope| {
        let first = scope.spawn(|| lines(first));
        let second = lines(second);
        first.join().map(|first| first + &second)
    });
    let tokens = tokens
        .ok()
        .context("the thread that signs tokens panicked")?;
    fs::write(path, tokens).context("the tokens can't be written")
}

/// A tenant file that trusts the issuer.
pub fn tenant_file(issuer: &Issuer) -> String {
    format!(
        "product = \"jira\"\nurl = \"https://jira.example.com\"\n\n[[provider]]\nkind = \"custom\"\nissuer = {:?}\n\
         audience = [{:?}]\nusername = \"preferred_username\"\n\n[access]\nallow_groups = [\"staff\"]\n",
        issuer.url(),
        dev::AUDIENCE,
    )
}
