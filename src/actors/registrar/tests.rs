use super::*;
use crate::api_tokens::Scope;

fn record(expires_at: u64) -> TokenRecord {
    let (_, claimed) = text::new();
    TokenRecord {
        token: ApiToken {
            id: claimed.id,
            tenant: "jira".into(),
            owner: "ada".into(),
            description: String::new(),
            scope: Scope::Read,
            grants: Vec::new(),
            paths: Vec::new(),
            networks: Vec::new(),
            created_at: 1,
            created_by: "uid 0".into(),
            expires_at,
            rotated_at: None,
            retiring_until: None,
            revoked_at: None,
            revoked_by: None,
        },
        secret: claimed.secret,
        retiring: None,
    }
}

/// Runs a registrar over a store with these tokens, until it has looked through them.
fn over(store: &Store, tokens: &[TokenRecord]) -> Arc<Index> {
    let tokens: Vec<_> = tokens
        .iter()
        .map(|record| (record.token.id, Some(record.clone())))
        .collect();
    store.put_tokens(&tokens, &mut []).unwrap();
    let index = Arc::new(Index::default());
    actix_rt::System::new().block_on(async {
        let registrar = Registrar::new(store.clone(), Arc::clone(&index)).start();
        // The first sweep was told before.
        registrar.send(Ping).await.unwrap();
        registrar.send(Ping).await.unwrap();
    });
    index
}

/// A token that expired a second less than 30 days ago can be asked about still; one a second older is gone, and the
/// audit log says so.
#[test]
fn a_sweep_takes_what_expired_thirty_days_ago() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let now = clock::now();
    let (old, kept) = (record(now - KEPT - 60), record(now - KEPT + 60));
    let ids = [old.token.id, kept.token.id];
    let index = over(&store, &[old, kept]);
    let there = ids.map(|id| index.get(&id).is_some());
    assert_eq!(there, [false, true]);
    let there = ids.map(|id| store.token(&id).unwrap().is_some());
    assert_eq!(there, [false, true]);
    let events: Vec<_> = store.audit_after(0).map(Result::unwrap).collect();
    let [event] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!(
        (event.action, event.token),
        (Action::TokenRemoved, Some(ids[0]))
    );
}

/// What was written behind sled's back fits no seal: then no token is believed, rather than one that was revoked.
#[test]
fn damaged_tokens_are_not_believed() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let (one, other) = (record(u64::MAX), record(u64::MAX));
    let id = one.token.id;
    store
        .put_tokens(&[(id, Some(one.clone()))], &mut [])
        .unwrap();
    store.tamper_with_token(&id, &one, |record| record.token.owner = "mallory".into());
    let index = over(&store, &[other]);
    assert!(index.damage().is_some());
}

/// Whoever issues and revokes without end keeps no more than a hundred dead tokens; the oldest go first, the audit log
/// says so, and what is alive stays.
#[test]
fn the_dead_of_one_account_are_bounded() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let index = Arc::new(Index::default());
    let draft = crate::api_tokens::Draft {
        tenant: "jira".parse().unwrap(),
        owner: "ada".into(),
        description: String::new(),
        lifetime: 60,
        scope: Scope::Read,
        grants: Vec::new(),
        paths: Vec::new(),
        networks: Vec::new(),
    };
    let issue = || What::Issue {
        draft: draft.clone(),
        cap: 5,
    };
    let (first, alive, ids) = actix_rt::System::new().block_on(async {
        let registrar = Registrar::new(store.clone(), Arc::clone(&index)).start();
        let change = async |what| {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let origin = Origin::daemon();
            registrar.do_send(Change {
                what,
                origin,
                reply,
            });
            answer.await.unwrap().unwrap().tokens[0].id
        };
        let alive = change(issue()).await;
        let mut ids = Vec::new();
        for _ in 0..DEAD_OF_ONE + 20 {
            let id = change(issue()).await;
            change(What::Revoke(Which::One(id))).await;
            ids.push(id);
        }
        (ids[0], alive, ids)
    });
    let kept = ids.iter().filter(|id| index.get(id).is_some()).count();
    assert_eq!(kept, DEAD_OF_ONE);
    assert!(index.get(&first).is_none() && store.token(&first).unwrap().is_none());
    assert!(index.get(&alive).is_some());
    let events = store.audit_after(0).map(Result::unwrap);
    let removed = events.filter(|event| event.action == Action::TokenRemoved);
    assert_eq!(removed.count(), 20);
}
