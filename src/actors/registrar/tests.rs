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
