//! The owners of API tokens: their groups are the product's.

use serde_json::json;

use super::account::{TOKEN, answers};
use crate::harness::{
    Postern, TenantFile,
    emulator::{Emulator, json},
    tenant,
};

/// A product in which ada is in these groups.
fn knowing_ada(kind: &'static str, groups: &[&str], active: bool) -> Emulator {
    Emulator::start(answers(kind, groups, active))
}

const KINDS: [&str; 3] = ["jira", "confluence", "bitbucket"];

/// A tenant with API tokens whose product can be asked.
fn asking(kind: &'static str, product: &Emulator) -> TenantFile {
    tenant(kind)
        .product(kind)
        .api_tokens("enabled = true")
        .upstream(&format!("address = {:?}", product.url()))
        .upstream("admin_token = { env = \"ADMIN_TOKEN\" }")
}

fn start(file: TenantFile) -> Postern {
    Postern::with(file).env("ADMIN_TOKEN", TOKEN).start()
}

/// `groups` of `[api_tokens]`: for a member of one of them, and not for another; asked once for many checks.
#[test]
fn who_is_in_the_groups_of_the_section_may_have_tokens() {
    for kind in KINDS {
        let product = knowing_ada(kind, &["staff", "api-users"], true);
        let file = asking(kind, &product);
        let postern = start(file.clone().api_tokens("groups = [\"api-users\"]"));
        let token = postern.issue(kind, "ada", json!({}));
        let asked = product.asked().len();
        for _ in 0..5 {
            postern.check(kind, &token).is_allowed_as("ada");
        }
        assert_eq!(product.asked().len(), asked, "{kind}");
        let postern = start(file.api_tokens("groups = [\"admins\"]"));
        let refused = postern.admin(
            "POST",
            &format!("/tokens/{kind}"),
            &json!({ "owner": "ada" }),
        );
        assert_eq!(refused.status, 403, "{refused:?}");
        assert!(refused.body.contains("admins"), "{refused:?}");
    }
}

/// `allow_groups` binds API tokens by the product's groups, and the product is told those that the file names.
#[test]
fn the_groups_of_the_access_section_bind_them_too() {
    for kind in KINDS {
        let product = knowing_ada(kind, &["staff", "other"], true);
        let file = asking(kind, &product);
        let postern = start(file.clone().access("allow_groups = [\"staff\"]"));
        let token = postern.issue(kind, "ada", json!({}));
        let answer = postern.check(kind, &token);
        answer.is_allowed_as("ada");
        assert_eq!(answer.header("remote-groups"), Some("staff"));
        let postern = start(file.access("allow_groups = [\"admins\"]"));
        let token = postern.issue(kind, "ada", json!({}));
        postern.check(kind, &token).is_refused(403, "not_in_group");
    }
}

/// Whom the product does not know, and whom it has switched off, gets no token.
#[test]
fn unknown_and_inactive_accounts_get_none() {
    for kind in KINDS {
        for (owner, active, why) in [("eve", true, "no account"), ("ada", false, "not active")] {
            let product = knowing_ada(kind, &["staff"], active);
            let postern = start(asking(kind, &product));
            let wanted = json!({ "owner": owner });
            let refused = postern.admin("POST", &format!("/tokens/{kind}"), &wanted);
            assert_eq!(refused.status, 403, "{refused:?}");
            assert!(refused.body.contains(why), "{refused:?}");
        }
    }
}

/// Somebody who is switched off after the token was issued is refused once that is learnt: here by a daemon that
/// remembers nothing.
#[test]
fn who_was_switched_off_since_is_refused() {
    let product = knowing_ada("jira", &["staff"], true);
    let file = asking("jira", &product).access("allow_groups = [\"staff\"]");
    let mut postern = start(file.clone());
    let token = postern.issue("jira", "ada", json!({}));
    // From the time before the product was asked about owners at all.
    let serve = |file: &TenantFile| {
        let before = postern.generation("jira");
        postern.write(file);
        postern.until_generation_after("jira", before);
    };
    serve(&tenant("jira").api_tokens("enabled = true"));
    let eves = postern.issue("jira", "eve", json!({}));
    serve(&file);
    postern.check("jira", &token).is_allowed_as("ada");
    postern
        .check("jira", &eves)
        .is_refused(403, "account_unknown");
    postern.stop();
    product.answer(answers("jira", &["staff"], false));
    postern.run();
    postern
        .check("jira", &token)
        .is_refused(403, "account_inactive");
}

/// While the product is away nobody can tell, and who would have to be in a group does not pass; who need not, does.
#[test]
fn while_the_product_is_away_nobody_can_tell() {
    let product = knowing_ada("jira", &["staff"], true);
    let file = asking("jira", &product);
    let groups = file.clone().access("allow_groups = [\"staff\"]");
    let mut postern = Postern::with(groups)
        .and(file.named("any"))
        .env("ADMIN_TOKEN", TOKEN)
        .start();
    let (of_groups, of_any) = (
        postern.issue("jira", "ada", json!({})),
        postern.issue("any", "ada", json!({})),
    );
    postern.stop();
    product.answer(|_| json(503, json!({})));
    postern.run();
    postern
        .check("jira", &of_groups)
        .is_refused(503, "product_unavailable");
    postern.check("any", &of_any).is_allowed_as("ada");
    let refused = postern.admin("POST", "/tokens/jira", &json!({ "owner": "ada" }));
    assert_eq!(refused.status, 503, "{refused:?}");
}
