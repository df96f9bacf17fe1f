use std::collections::HashSet;

use actix::{Actor, Context, Handler, System};

use super::*;
use crate::actors::{pinner::Pinner, registry::Forget};
use crate::audit::Origin;
use crate::witness::Silent;

fn identity(provider: &str, issuer: &str, subject: Option<&str>) -> Identity {
    Identity {
        provider: provider.into(),
        issuer: issuer.into(),
        subject: subject.map(str::to_owned),
    }
}

fn jira() -> TenantId {
    "jira".parse().unwrap()
}

/// Hears what a registry would, and keeps what a `Pinner` would answer.
#[derive(Default)]
struct Deaf(Vec<Pin>);

impl Actor for Deaf {
    type Context = Context<Self>;
}

impl Handler<Pin> for Deaf {
    type Result = ();

    fn handle(&mut self, pin: Pin, _: &mut Self::Context) {
        self.0.push(pin);
    }
}

impl Handler<Unpin> for Deaf {
    type Result = ();

    fn handle(&mut self, _: Unpin, _: &mut Self::Context) {}
}

impl Handler<Forget> for Deaf {
    type Result = ();

    fn handle(&mut self, forgotten: Forget, _: &mut Self::Context) {
        drop(forgotten.reply.send(forgotten.outcome));
    }
}

/// Runs with a ledger in a folder of its own, written by a real `Pinner` or by nobody.
fn with_ledger<F: Future<Output = ()>>(written: bool, scenario: impl FnOnce(Ledger) -> F) {
    let data = tempfile::tempdir().unwrap();
    System::new().block_on(async {
        let store = Store::open(data.path()).unwrap();
        let deaf = Deaf::default().start();
        let ledger = if written {
            let pinner = Pinner::new(store.clone(), deaf.recipient()).start();
            Ledger::new(store, pinner.clone().recipient(), pinner.recipient())
        } else {
            Ledger::new(store, deaf.clone().recipient(), deaf.recipient())
        };
        scenario(ledger).await;
    });
}

#[test]
fn what_differs_anywhere_has_another_digest() {
    let all = [
        identity("a", "b", Some("c")),
        identity("ab", "", Some("c")),
        identity("", "ab", Some("c")),
        identity("a", "bc", Some("")),
        identity("a", "bc", None),
        identity("a", "b", None),
        identity("a", "", Some("bc")),
    ];
    let digests: HashSet<_> = all.iter().map(Identity::digest).collect();
    assert_eq!(digests.len(), all.len());
}

#[test]
fn only_a_subject_of_the_same_issuer_is_adopted() {
    let (with, without) = (identity("p", "i", Some("1")), identity("p", "i", None));
    assert!(without.adopts(&with));
    for (pinned, claimed) in [
        (&with, &without),
        (&with, &with),
        (&without, &without),
        (&without, &identity("p", "j", Some("1"))),
        (&without, &identity("q", "i", Some("1"))),
    ] {
        assert!(!pinned.adopts(claimed), "{pinned} {claimed}");
    }
}

/// An operator copies it into a shell, and a stranger chose it.
#[test]
fn a_name_that_a_shell_could_misread_is_no_argument() {
    assert_eq!(as_argument("ada.l@example.com"), "ada.l@example.com");
    for name in [
        "-rf", "a b", "a;id", "$(id)", "a'", "a\\", "a*", "zoë", "~", "#a",
    ] {
        assert_eq!(as_argument(name), "ACCOUNT", "{name}");
    }
}

/// What an operator reads names both, and nothing in it can forge a line of the log.
#[test]
fn a_refusal_names_the_owner_the_claimant_and_the_way_out() {
    let pins = Pins::without_ledger(jira());
    let pinned = PinRecord {
        tenant: "jira".into(),
        account: "Ada".into(),
        identity: identity("custom", "https://sso.example.com", Some("1")),
        pinned_at: 0,
    };
    let claimed = identity("partner", "", Some("2\nallowed"));
    let denial = pins.changed("ada", &pinned, &claimed);
    assert_eq!(denial.reason, Denied::AccountChanged);
    let said = denial.to_string();
    for words in [
        r#"account "ada" of tenant jira"#,
        r#"provider "custom", issuer "https://sso.example.com", subject "1""#,
        r#"provider "partner", no issuer, subject "2\nallowed""#,
        "postern account unpin jira ada",
    ] {
        assert!(said.contains(words), "{words} in {said}");
    }
}

/// Two at once, of different subjects: one batch, and the first wins it.
#[test]
fn the_first_of_a_batch_wins_it() {
    with_ledger(true, async |ledger| {
        let pins = Pins::new(jira(), ledger.clone());
        let (one, other) = (identity("p", "i", Some("1")), identity("p", "i", Some("2")));
        let (first, second, third) = tokio::join!(
            pins.judge("ada", &one, &Silent),
            pins.judge("ADA", &other, &Silent),
            pins.judge("bob", &other, &Silent),
        );
        assert_eq!((first, third), (Ok(()), Ok(())));
        let Err(No::Denied(denial)) = second else {
            panic!("{second:?}");
        };
        assert_eq!(denial.reason, Denied::AccountChanged);
        let kept = ledger.list(&jira()).unwrap();
        let accounts: Vec<_> = kept.iter().map(|pin| pin.account.as_str()).collect();
        assert_eq!(accounts, ["ada", "bob"]);
        assert_eq!(ledger.store.pin_batches(), 1);
    });
}

/// A subject that is adopted replaces what was pinned, and is remembered; what was pinned before is not.
#[test]
fn an_adopted_subject_is_the_owner() {
    with_ledger(true, async |ledger| {
        let pins = Pins::new(jira(), ledger.clone());
        let (without, one) = (identity("p", "i", None), identity("p", "i", Some("1")));
        assert_eq!(pins.judge("ada", &without, &Silent).await, Ok(()));
        let since = ledger.list(&jira()).unwrap()[0].pinned_at;
        assert_eq!(pins.judge("ada", &one, &Silent).await, Ok(()));
        assert!(pins.judge("ada", &without, &Silent).await.is_err());
        assert_eq!(pins.judge("ada", &one, &Silent).await, Ok(()));
        let kept = ledger.list(&jira()).unwrap();
        assert_eq!((&kept[0].identity, kept[0].pinned_at), (&one, since));
    });
}

/// An unpin by another spelling; and a neighbour whose name begins alike keeps its own.
#[test]
fn an_unpin_takes_one_account_of_one_tenant() {
    with_ledger(true, async |ledger| {
        let one = identity("p", "i", Some("1"));
        for tenant in ["jira", "jira-2"] {
            let pins = Pins::new(tenant.parse().unwrap(), ledger.clone());
            assert_eq!(pins.judge("Ada", &one, &Silent).await, Ok(()));
            assert_eq!(pins.judge("a/b", &one, &Silent).await, Ok(()));
        }
        let unpinned = ledger
            .unpin(jira(), "aDA".into(), Origin::daemon())
            .await
            .unwrap()
            .unwrap();
        assert_eq!((&*unpinned.account, &unpinned.identity), ("Ada", &one));
        assert_eq!(
            ledger.unpin(jira(), "ada".into(), Origin::daemon()).await,
            Ok(None)
        );
        let left = |tenant: &str| ledger.list(&tenant.parse().unwrap()).unwrap().len();
        assert_eq!((left("jira"), left("jira-2")), (1, 2));
    });
}

/// Those who wait keep their places until they are answered, and the rest is told to come again.
#[test]
fn not_everybody_may_wait() {
    with_ledger(false, async |ledger| {
        let pins = Arc::new(Pins::new(jira(), ledger));
        for number in 0..MAX_WAITING {
            let pins = Arc::clone(&pins);
            actix_rt::spawn(async move {
                let who = identity("p", "i", Some("1"));
                pins.judge(&format!("ada{number}"), &who, &Silent).await
            });
        }
        while pins.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let one_more = pins
            .judge("bob", &identity("p", "i", Some("1")), &Silent)
            .await;
        let Err(No::Unavailable(outage)) = one_more else {
            panic!("{one_more:?}");
        };
        assert_eq!(outage.reason, Unavailable::Overloaded);
    });
}
