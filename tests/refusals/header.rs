//! What a JOSE header may not say: extensions, keys of its own, another kind of token.

use postern::decision::Denied::{MalformedToken, UnknownKey, WrongTokenKind};

use super::row::{Row, World, ada, at, jira, refused};
use crate::harness::Algorithm;

#[test]
fn a_header_brings_no_key_and_no_extension() {
    let world = World::start();
    world.judge(rows(&world));
    let asked = world.mallory.hits("/jwks") + world.mallory.hits("/cert");
    assert_eq!(asked, 0, "a token made us ask whom it pleased");
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = members(world);
    rows.extend(own_keys(world));
    rows.extend(typ(world));
    rows
}

fn members(world: &World) -> Vec<Row> {
    let signed = |more: &str| jira(&world.signed(&world.header(more), &world.claims("")));
    let mut rows = vec![
        ada("nothing unusual", signed("")),
        ada(
            "a member that nobody knows",
            signed(r#","x-trace":"1","cty":"json""#),
        ),
    ];
    for more in [
        r#","crit":["exp"],"exp":1"#,
        r#","crit":[]"#,
        r#","crit":null"#,
        r#","b64":true"#,
        r#","b64":false"#,
        r#","b64":false,"crit":["b64"]"#,
    ] {
        rows.push(refused(more, signed(more), MalformedToken));
    }
    let kid = world.acme.kid(Algorithm::Es256);
    for header in [
        format!(r#"{{"kid":"{kid}"}}"#),
        format!(r#"{{"alg":null,"kid":"{kid}"}}"#),
        format!(r#"{{"alg":["ES256"],"kid":"{kid}"}}"#),
        format!(r#"{{"alg":256,"kid":"{kid}"}}"#),
        r#"{"alg":"ES256","kid":1}"#.to_owned(),
        r#"{"alg":"ES256","kid":null}"#.to_owned(),
        format!(r#"{{"alg":"ES256","kid":["{kid}"]}}"#),
        format!(r#"{{"alg":"ES256","kid":"{kid}","typ":1}}"#),
    ] {
        let token = world.signed(&header, &world.claims(""));
        rows.push(refused(header, jira(&token), MalformedToken));
    }
    let token = world.signed(r#"{"alg":"ES256"}"#, &world.claims(""));
    rows.push(refused(
        "no kid, where keys have names",
        jira(&token),
        UnknownKey,
    ));
    rows
}

/// Mallory signs with a key of her own and sends it along, or says where it lies (RFC 8725 §3.10).
fn own_keys(world: &World) -> Vec<Row> {
    let mallory = &world.mallory;
    let jwk = mallory.jwks()["keys"][0].to_string();
    let ways = [
        ("jku", format!(r#""{}/jwks""#, mallory.url())),
        ("x5u", format!(r#""{}/cert""#, mallory.url())),
        ("jwk", jwk),
        ("x5c", r#"["MIIB"]"#.to_owned()),
    ];
    let mut rows = Vec::new();
    for (member, value) in ways {
        let header = world.header(&format!(r#","{member}":{value}"#));
        let forged = mallory.sign_raw(Algorithm::Es256, &header, world.claims(""));
        rows.push(refused(
            format!("{member} with a key of her own"),
            jira(&forged),
            MalformedToken,
        ));
        let honest = world.signed(&header, &world.claims(""));
        rows.push(refused(
            format!("{member} beside a good signature"),
            jira(&honest),
            MalformedToken,
        ));
    }
    // Only a hint for a look-up by thumbprint that nobody does here.
    let header = world.header(r#","x5t":"abc","x5t#S256":"abc""#);
    rows.push(ada("x5t", jira(&world.signed(&header, &world.claims("")))));
    rows
}

fn typ(world: &World) -> Vec<Row> {
    let token = |typ: &str| world.acme.token().typ(typ).sign();
    let mut rows = Vec::new();
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        rows.push(ada(format!("typ {typ}"), jira(&token(typ))));
        rows.push(ada(
            format!("typ {typ}, required"),
            at("typed", &token(typ)),
        ));
    }
    for typ in ["JWT", "jwt", "application/jwt"] {
        rows.push(ada(format!("typ {typ}"), jira(&token(typ))));
        rows.push(refused(
            format!("typ {typ} where at+jwt is required"),
            at("typed", &token(typ)),
            WrongTokenKind,
        ));
    }
    let untyped = world.acme.token().without_header("typ").sign();
    rows.push(ada("no typ", jira(&untyped)));
    rows.push(refused(
        "no typ where at+jwt is required",
        at("typed", &untyped),
        WrongTokenKind,
    ));
    for typ in [
        "logout+jwt",
        "secevent+jwt",
        "dpop+jwt",
        "token-introspection+jwt",
        "entity-statement+jwt",
        "oauth-authz-req+jwt",
        "id_token",
        "JOSE",
        "",
    ] {
        rows.push(refused(
            format!("typ {typ:?}"),
            jira(&token(typ)),
            WrongTokenKind,
        ));
    }
    rows
}
