//! Whose token it is, for whom, from and until when, and whom it names.

use postern::{
    clock,
    decision::Denied::{
        AccountChanged, Expired, MalformedToken, NoUsername, NotYetValid, UnknownIssuer,
        WrongAudience,
    },
};
use serde_json::{Value, json};

use super::row::{Row, World, ada, at, jira, refused};

#[test]
fn a_token_is_judged_by_all_that_it_says() {
    let world = World::start();
    world.judge(rows(&world));
    assert_eq!(world.mallory.hits("/jwks"), 0, "a token chose whom we ask");
}

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = issuers(world);
    rows.extend(audiences(world));
    rows.extend(ends(world));
    rows.extend(beginnings(world));
    rows.extend(names(world));
    rows
}

fn issuers(world: &World) -> Vec<Row> {
    let url = world.acme.url();
    let with = |issuer: Value| jira(&world.acme.token().claim("iss", issuer).sign());
    let mut rows = vec![ada("its own issuer", with(json!(url)))];
    for (what, issuer) in [
        ("a slash at the end", format!("{url}/")),
        ("another case", url.replace("http", "HTTP")),
        ("https", url.replace("http:", "https:")),
        ("another host", world.mallory.url().to_owned()),
        ("the host by name", url.replace("127.0.0.1", "localhost")),
        ("a space in front", format!(" {url}")),
        ("nothing", String::new()),
    ] {
        rows.push(refused(
            format!("an issuer with {what}"),
            with(json!(issuer)),
            UnknownIssuer,
        ));
    }
    for issuer in [json!([url]), json!(null), json!(1)] {
        rows.push(refused(
            format!("the issuer {issuer}"),
            with(issuer),
            UnknownIssuer,
        ));
    }
    let without = world.acme.token().without("iss").sign();
    rows.push(refused("no issuer", jira(&without), UnknownIssuer));
    rows.push(refused(
        "mallory's own token",
        jira(&world.mallory.token().sign()),
        UnknownIssuer,
    ));
    rows
}

fn audiences(world: &World) -> Vec<Row> {
    let with = |audience: Value| jira(&world.acme.token().audience(audience).sign());
    let mut rows = vec![
        ada("our audience", with(json!("postern-dev"))),
        ada(
            "our audience in a list",
            with(json!(["other", "postern-dev"])),
        ),
        ada(
            "our audience beside what is no text",
            with(json!([1, "postern-dev"])),
        ),
    ];
    for audience in [
        json!("other"),
        json!(""),
        json!([]),
        json!(["other"]),
        json!([["postern-dev"]]),
        json!({"postern-dev": true}),
        json!(null),
        json!(1),
        json!("Postern-Dev"),
        json!("postern-dev "),
        json!("postern-dev other"),
        json!("postern-dev/"),
    ] {
        rows.push(refused(
            format!("the audience {audience}"),
            with(audience),
            WrongAudience,
        ));
    }
    let without = world.acme.token().without("aud").sign();
    rows.push(refused("no audience", jira(&without), WrongAudience));
    rows
}

fn ends(world: &World) -> Vec<Row> {
    let (token, now) = (world.acme.token(), clock::now());
    #[expect(clippy::cast_precision_loss, reason = "this century's seconds fit")]
    let soon = now as f64 + 300.5;
    let with = |exp: Value| jira(&token.clone().claim("exp", exp).sign());
    let mut rows = vec![
        ada("an end with a fraction", with(json!(soon))),
        ada(
            "an end just passed, within the leeway",
            with(json!(now - 5)),
        ),
        ada(
            "the last end that is believed",
            with(json!(253_402_300_799_u64)),
        ),
    ];
    for exp in [
        json!(now - 60),
        json!(soon - 600.0),
        json!(0),
        json!(1),
        json!(-1),
        json!(-1e300),
    ] {
        rows.push(refused(format!("the end {exp}"), with(exp), Expired));
    }
    for exp in [
        json!((now + 300).to_string()),
        json!("2099-01-01T00:00:00Z"),
        json!(null),
        json!(true),
        json!([now + 300]),
        json!({}),
        json!(now * 1000),
        json!(31_556_889_864_403_199_u64),
        json!(u64::MAX),
        json!(1e300),
        json!(253_402_300_800_u64),
    ] {
        rows.push(refused(format!("the end {exp}"), with(exp), MalformedToken));
    }
    // The year 10^12, in seconds, and a number that no reader can hold.
    for exp in [
        "31556952000000000000",
        "1e999",
        "NaN",
        "Infinity",
        "0x7fffffff",
    ] {
        let claims = world.claims("").replace(
            &format!("\"exp\":{}", now_in(&world.claims(""))),
            &format!("\"exp\":{exp}"),
        );
        let token = world.signed(&world.header(""), &claims);
        rows.push(refused(
            format!("the end {exp}"),
            jira(&token),
            MalformedToken,
        ));
    }
    rows.push(refused(
        "no end",
        jira(&token.without("exp").sign()),
        MalformedToken,
    ));
    rows
}

/// The digits of `exp` in these claims.
fn now_in(claims: &str) -> String {
    let claims: Value = serde_json::from_str(claims).expect("they are JSON");
    claims["exp"].to_string()
}

fn beginnings(world: &World) -> Vec<Row> {
    let now = clock::now();
    let with = |nbf: Value| jira(&world.acme.token().claim("nbf", nbf).sign());
    let mut rows = vec![
        ada("a beginning in the past", with(json!(now - 60))),
        ada("a beginning within the leeway", with(json!(now + 10))),
        ada("a beginning before all time", with(json!(-5))),
        refused(
            "a beginning in an hour",
            with(json!(now + 3600)),
            NotYetValid,
        ),
        refused(
            "a beginning in a century",
            with(json!(now + 3_155_760_000)),
            NotYetValid,
        ),
    ];
    for nbf in [json!("1"), json!(true), json!(now * 1000), json!([])] {
        rows.push(refused(
            format!("the beginning {nbf}"),
            with(nbf),
            MalformedToken,
        ));
    }
    rows
}

fn names(world: &World) -> Vec<Row> {
    let with = |name: Value| {
        let token = world
            .acme
            .token()
            .subject("eve")
            .claim("preferred_username", name);
        at("name", &token.sign())
    };
    let other = |name: &str| {
        let token = world.acme.token().subject("mallory");
        at("name", &token.claim("preferred_username", name).sign())
    };
    let mut rows = vec![
        ada("the claim that the file names", with(json!("ada"))),
        refused(
            "that name, of another subject",
            other("ada"),
            AccountChanged,
        ),
        refused("in capitals, likewise", other("ADA"), AccountChanged),
        refused(
            "that claim missing",
            at("name", &world.acme.token().sign()),
            NoUsername,
        ),
        refused(
            "no subject",
            jira(&world.acme.token().without("sub").sign()),
            NoUsername,
        ),
    ];
    for name in [
        json!(""),
        json!(null),
        json!(1),
        json!(true),
        json!(["ada"]),
        json!({"name": "ada"}),
        json!(" ada"),
        json!("ada "),
        json!("ada\u{a0}"),
        json!("ada\r\nRemote-User: admin"),
        json!("ada\u{0}"),
        json!("ada\u{7f}"),
        json!("ada\u{85}"),
        json!("a".repeat(256)),
        json!("é".repeat(128)),
    ] {
        let shown: String = name.to_string().chars().take(30).collect();
        rows.push(refused(format!("the name {shown}"), with(name), NoUsername));
    }
    rows
}

/// A name of 255 bytes is the longest; it is sent as it is.
#[test]
fn the_longest_name_passes() {
    let world = World::start();
    let longest = "a".repeat(255);
    let token = world.acme.token().subject(&longest).sign();
    world.ask(&jira(&token)).is_allowed_as(&longest);
}
