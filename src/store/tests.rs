use super::*;
use crate::tenant::settings::KeyOrigin;

fn source(url: &str) -> SourceId {
    SourceId::of(&KeyOrigin::Jwks(url.parse().unwrap()), None).unwrap()
}

fn record(at: u64) -> KeyRecord {
    KeyRecord {
        document: "{}".into(),
        jwks_uri: "https://a.example/".into(),
        confirmed_at: at,
    }
}

/// sled lets go of its lock a moment after the last handle is dropped (sled #1289).
fn reopen(data: &Path) -> Result<Store, StoreError> {
    for _ in 0..1000 {
        match Store::open(data) {
            Err(StoreError::InUse(_)) => std::thread::yield_now(),
            opened => return opened,
        }
    }
    Store::open(data)
}

#[test]
fn what_was_flushed_is_there_again() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    store
        .put_keys(&source("https://a.example/"), &record(1))
        .unwrap();
    assert!(matches!(
        Store::open(data.path()),
        Err(StoreError::InUse(_))
    ));
    drop(store);
    let store = reopen(data.path()).unwrap();
    assert_eq!(store.keys(&source("https://a.example/")), Some(record(1)));
    assert_eq!(store.keys(&source("https://b.example/")), None);
}

#[test]
fn a_store_of_a_newer_format_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    store.db.insert(b"format", &2_u32.to_be_bytes()).unwrap();
    store.flush().unwrap();
    drop(store);
    assert!(matches!(
        reopen(data.path()),
        Err(StoreError::Newer { found: 2, .. })
    ));
}

#[test]
fn an_unreadable_record_is_damage_and_stays_where_it_is() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    store
        .db
        .open_tree("keys")
        .unwrap()
        .insert("jwks https://a.example/", b"\x01{")
        .unwrap();
    store.flush().unwrap();
    drop(store);
    for _ in 0..2 {
        assert!(matches!(
            reopen(data.path()),
            Err(StoreError::Damaged { .. })
        ));
    }
}
