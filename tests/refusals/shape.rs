//! What is no JWT, or a JWT that two readers could read differently.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use postern::decision::Denied::MalformedToken;

use super::row::{Row, World, ada, jira, refused};
use crate::harness::Algorithm;

#[test]
fn a_token_has_one_spelling_and_one_meaning() {
    let world = World::start();
    world.judge(rows(&world));
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = parts(world);
    rows.extend(alphabet(world));
    rows.extend(json(world));
    rows.extend(doubled(world));
    rows
}

fn parts(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let [header, claims, signature] = split(&token);
    let jwe = world.signed(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#, "x");
    let flat =
        format!(r#"{{"payload":"{claims}","protected":"{header}","signature":"{signature}"}}"#);
    let cases = [
        ("one part", header.to_owned()),
        ("two parts", format!("{header}.{claims}")),
        ("four parts", format!("{token}.{signature}")),
        ("dots alone", "..".to_owned()),
        ("no header", format!(".{claims}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("a dot too many in front", format!(".{token}")),
        ("a dot too many behind", format!("{token}.")),
        ("a JWE", format!("{jwe}.aaaa.bbbb")),
        ("a JWE of three parts", jwe),
        ("the JSON serialisation", flat.clone()),
        ("the JSON serialisation in base64url", encode(&flat)),
        (
            "an opaque token, where no provider takes them",
            "opaque_0123456789abcdef".to_owned(),
        ),
    ];
    let mut rows = vec![ada("three parts", jira(&token))];
    rows.extend(cases.map(|(what, token)| refused(what, jira(&token), MalformedToken)));
    rows
}

fn alphabet(world: &World) -> Vec<Row> {
    let token = world.acme.token().sign();
    let [header, claims, signature] = split(&token);
    // The same bytes in base64's other alphabet: find claims whose spelling differs.
    let two_spellings = (0..100)
        .map(|number| {
            world
                .acme
                .token()
                .claim("pad", format!("{number}>>>???"))
                .sign()
        })
        .find(|token| token.contains(['-', '_']))
        .expect("some number gives one");
    let cases = [
        (
            "padding behind the header",
            format!("{header}=.{claims}.{signature}"),
        ),
        (
            "padding behind the claims",
            format!("{header}.{claims}=.{signature}"),
        ),
        ("padding behind the signature", format!("{token}=")),
        ("the padding that would be right", format!("{token}==")),
        (
            "the other alphabet",
            two_spellings.replace('-', "+").replace('_', "/"),
        ),
        (
            "a bit that means nothing, in the signature",
            format!("{header}.{claims}.{}", another_spelling(signature)),
        ),
        ("a tilde", format!("{header}.{claims}.{signature}~")),
        (
            "one character too many",
            format!("{header}.{claims}.{signature}AAA"),
        ),
    ];
    let mut rows = vec![ada("the alphabet of URLs", jira(&two_spellings))];
    rows.extend(cases.map(|(what, token)| refused(what, jira(&token), MalformedToken)));
    for (what, at) in [("header", 0), ("claims", 1)] {
        // Lengthened until its last character has bits to spare.
        let token = (0..3)
            .map(|pad| {
                let pad = format!(r#","pad":"{}""#, "x".repeat(pad));
                world.signed(&world.header(&pad), &world.claims(&pad))
            })
            .find(|token| !split(token)[at].len().is_multiple_of(4))
            .expect("one of three lengths has spare bits");
        let mut parts = split(&token).map(str::to_owned);
        parts[at] = another_spelling(&parts[at]);
        rows.push(ada(
            format!("a {what} with spare bits, all zero"),
            jira(&token),
        ));
        rows.push(refused(
            format!("a bit that means nothing, in the {what}"),
            jira(&parts.join(".")),
            MalformedToken,
        ));
    }
    rows
}

fn json(world: &World) -> Vec<Row> {
    let (header, claims) = (world.header(""), world.claims(""));
    let mut rows = vec![
        ada("two objects", jira(&world.signed(&header, &claims))),
        refused(
            "claims that are not UTF-8",
            jira(
                &world.acme.sign_raw(
                    Algorithm::Es256,
                    &header,
                    claims
                        .replace("ada", "ada\u{e9}")
                        .into_bytes()
                        .iter()
                        .map(|byte| if *byte == 0xc3 { 0xff } else { *byte })
                        .collect::<Vec<u8>>(),
                ),
            ),
            MalformedToken,
        ),
    ];
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    for odd in [
        "[]", "null", "42", "\"text\"", "true", "", "{", "{}{}", "{\"a\":}", "{'a':1}", &deep,
    ] {
        let shown = &odd[..odd.len().min(10)];
        rows.push(refused(
            format!("the header {shown:?}"),
            jira(&world.signed(odd, &claims)),
            MalformedToken,
        ));
        rows.push(refused(
            format!("the claims {shown:?}"),
            jira(&world.signed(&header, odd)),
            MalformedToken,
        ));
    }
    for (what, header) in [
        ("a list around the header", format!("[{header}]")),
        ("something behind the header", format!("{header}x")),
    ] {
        rows.push(refused(
            what,
            jira(&world.signed(&header, &claims)),
            MalformedToken,
        ));
    }
    rows.push(refused(
        "something behind the claims",
        jira(&world.signed(&header, &format!("{claims} {{}}"))),
        MalformedToken,
    ));
    rows
}

/// Two readers of a doubled member may each take another one (RFC 7519 §4).
fn doubled(world: &World) -> Vec<Row> {
    let mut rows = Vec::new();
    for more in [
        r#","alg":"none""#,
        r#","alg":"ES256""#,
        r#","\u0061lg":"ES256""#,
        r#","x":1,"x":1"#,
        r#","x":{"y":1,"y":2}"#,
        r#","x":[{"y":1,"\u0079":2}]"#,
    ] {
        let token = world.signed(&world.header(more), &world.claims(""));
        rows.push(refused(
            format!("{more} in the header"),
            jira(&token),
            MalformedToken,
        ));
    }
    for more in [
        r#","sub":"admin""#,
        r#","sub":"ada""#,
        r#","\u0073ub":"admin""#,
        r#","aud":["postern-dev"]"#,
        r#","exp":1"#,
        r#","act":{"sub":"a","sub":"b"}"#,
        r#","act":[[{"sub":"a","s\u0075b":"b"}]]"#,
    ] {
        let token = world.signed(&world.header(""), &world.claims(more));
        rows.push(refused(
            format!("{more} in the claims"),
            jira(&token),
            MalformedToken,
        ));
    }
    for more in [
        r#","x":1,"y":1"#,
        r#","x":{"sub":"eve"},"y":{"sub":"eve"}"#,
        r#","SUB":"eve""#,
    ] {
        let token = world.signed(&world.header(more), &world.claims(more));
        rows.push(ada(format!("{more} once each"), jira(&token)));
    }
    rows
}

fn split(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().expect("it has three parts")
}

fn encode(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The same bytes for a reader that does not look at the bits behind the last whole byte.
fn another_spelling(part: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    assert_ne!(part.len() % 4, 0, "its last character has no bit to spare");
    let (rest, last) = part.split_at(part.len() - 1);
    let value = ALPHABET.find(last).expect("it is base64url");
    format!("{rest}{}", &ALPHABET[value + 1..value + 2])
}
