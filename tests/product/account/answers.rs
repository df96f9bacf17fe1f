//! Who an account is, by what each product answers.

use super::{TOKEN, ada};

const KINDS: [&str; 3] = ["jira", "confluence", "bitbucket"];

/// Its name as the product writes it, whether it is active, and all its groups, on however many pages.
#[test]
fn an_account_has_its_groups() {
    let groups = [
        "staff",
        "jira-users",
        "with, comma",
        "développeurs",
        "fifth",
    ];
    for kind in KINDS {
        for groups in [&groups[..], &groups[..1], &[]] {
            let world = ada(kind, groups, true);
            let account = world
                .account("ada")
                .expect("an answer")
                .expect("an account");
            assert_eq!(
                (&*account.name, account.active),
                ("Ada", Some(true)),
                "{kind}"
            );
            assert_eq!(*account.groups, *groups, "{kind}");
        }
    }
}

/// An account that is switched off is one all the same; one that is not there is none.
#[test]
fn inactive_and_unknown_are_told_apart() {
    for kind in KINDS {
        let world = ada(kind, &["staff"], false);
        let account = world
            .account("ada")
            .expect("an answer")
            .expect("an account");
        assert_eq!(account.active, Some(false), "{kind}");
        assert!(world.account("eve").expect("an answer").is_none(), "{kind}");
        assert!(world.account("ad").expect("an answer").is_none(), "{kind}");
    }
}

/// The token goes in its header, and names go into the query as they are, whatever they are made of.
#[test]
fn a_name_is_nothing_but_a_name() {
    for kind in KINDS {
        let world = ada(kind, &[], true);
        let odd = "a&username=root#/../\u{eb}+%41@b.example";
        assert!(world.account(odd).expect("an answer").is_none(), "{kind}");
        let asked = world.upstream.asked();
        let field = if kind == "bitbucket" {
            "filter"
        } else {
            "username"
        };
        assert_eq!(asked[0].field(field).as_deref(), Some(odd), "{kind}");
        for asked in asked {
            assert!(!asked.target.contains(TOKEN) && asked.header("cookie").is_none());
        }
    }
}

/// Names are compared without regard to case, so one answer serves all of them: for five minutes.
#[test]
fn an_account_is_looked_up_once_in_five_minutes() {
    for kind in KINDS {
        let world = ada(kind, &["staff"], true);
        let now = postern::clock::now();
        for name in ["ada", "ADA", "Ada"] {
            assert!(world.account_at(name, now).expect("an answer").is_some());
        }
        let asked = world.upstream.asked().len();
        assert!(
            world
                .account_at("ada", now + 290)
                .expect("an answer")
                .is_some()
        );
        assert_eq!(world.upstream.asked().len(), asked, "{kind}");
        assert!(
            world
                .account_at("ada", now + 310)
                .expect("an answer")
                .is_some()
        );
        assert_eq!(world.upstream.asked().len(), 2 * asked, "{kind}");
        // Nor does a clock that was set back lengthen it.
        assert!(
            world
                .account_at("ada", now - 60)
                .expect("an answer")
                .is_some()
        );
        assert_eq!(world.upstream.asked().len(), 3 * asked, "{kind}");
    }
}

/// That there is no such account is forgotten after ten seconds: one that is made is seen soon.
#[test]
fn that_there_is_none_is_soon_forgotten() {
    for kind in KINDS {
        let world = ada(kind, &[], true);
        let now = postern::clock::now();
        let look = |at| assert!(world.account_at("eve", at).expect("an answer").is_none());
        look(now);
        let asked = world.upstream.asked().len();
        look(now + 8);
        assert_eq!(world.upstream.asked().len(), asked, "{kind}");
        look(now + 12);
        assert_eq!(world.upstream.asked().len(), 2 * asked, "{kind}");
    }
}
