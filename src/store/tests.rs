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

/// sled goes on with what lies before the damage. Whatever is overwritten or cut off in its log, either everything is
/// still there, or the store says that it is damaged, and says so again.
#[test]
fn damage_anywhere_in_the_log_loses_nothing_without_a_word() {
    let data = tempfile::tempdir().unwrap();
    let called = |number: u64| source(&format!("https://a{number}.example/"));
    let wordy = |number: u64, letter: &str| KeyRecord {
        document: letter.repeat(2_000),
        ..record(number)
    };
    for letter in ["x", "y"] {
        let store = reopen(data.path()).unwrap();
        for number in 0..60 {
            store
                .put_keys(&called(number), &wordy(number, letter))
                .unwrap();
        }
    }
    drop(reopen(data.path()).unwrap());
    let log = fs::read(data.path().join("store/db")).unwrap();
    let mut reported = 0;
    for place in 0..16 {
        let elsewhere = tempfile::tempdir().unwrap();
        copy_folder(&data.path().join("store"), &elsewhere.path().join("store"));
        let at = log.len() * place / 16 + 100;
        let mut damaged = log.clone();
        damaged[at..at + 64].fill(0x5a);
        if place % 4 == 3 {
            damaged.truncate(at);
        }
        fs::write(elsewhere.path().join("store/db"), damaged).unwrap();
        for _ in 0..2 {
            match reopen(elsewhere.path()) {
                Ok(store) => {
                    let there = |number| store.keys(&called(number)) == Some(wordy(number, "y"));
                    assert!((0..60).all(there), "lost without a word at {at}");
                }
                Err(StoreError::Damaged { .. }) => reported += 1,
                Err(error) => panic!("at {at}: {error}"),
            }
        }
    }
    assert!(reported > 0, "no damage was any");
}

/// A log that is simply gone is damage, too: its acknowledgement is still there.
#[test]
fn a_log_that_is_gone_is_noticed() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    store
        .put_keys(&source("https://a.example/"), &record(1))
        .unwrap();
    drop(store);
    drop(reopen(data.path()).unwrap());
    for entry in fs::read_dir(data.path().join("store")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && !path.ends_with(ACKNOWLEDGED) {
            fs::remove_file(path).unwrap();
        }
    }
    for _ in 0..2 {
        let opened = reopen(data.path());
        let said = opened.map(drop).unwrap_err().to_string();
        assert!(said.contains("writes are lost"), "{said}");
    }
}

/// A store of before there were pins: no tree of them, and nothing acknowledged.
#[test]
fn a_store_without_pins_opens() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    store
        .put_keys(&source("https://a.example/"), &record(1))
        .unwrap();
    store.db.drop_tree("pins").unwrap();
    store.flush().unwrap();
    drop(store);
    let acknowledged = data.path().join("store").join(ACKNOWLEDGED);
    assert_eq!(fs::read_to_string(&acknowledged).unwrap(), "0 1 0 0 0\n");
    fs::write(&acknowledged, "0 1\n").unwrap();
    let store = reopen(data.path()).unwrap();
    assert_eq!(store.keys(&source("https://a.example/")), Some(record(1)));
    store.put_pins([]).unwrap();
    assert_eq!(fs::read_to_string(&acknowledged).unwrap(), "0 1 0 0 0\n");
}

/// Pins that are gone are damage, as anything that was acknowledged.
#[test]
fn pins_that_are_gone_are_noticed() {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path()).unwrap();
    let tenant: TenantId = "jira".parse().unwrap();
    let pin = crate::pins::PinRecord {
        tenant: "jira".into(),
        account: "ada".into(),
        identity: crate::pins::Identity {
            provider: "custom".into(),
            issuer: String::new(),
            subject: None,
        },
        pinned_at: 1,
    };
    store
        .put_pins([(PinName::new(&tenant, "ada"), Some(pin))])
        .unwrap();
    store.db.drop_tree("pins").unwrap();
    store.db.flush().unwrap();
    drop(store);
    let said = reopen(data.path()).map(drop).unwrap_err().to_string();
    assert!(said.contains("pins: its last 1 writes are lost"), "{said}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(12))]

    /// Whatever is kept, replaced and forgotten, in whatever batches: the seal fits, and the store is what a map is.
    #[test]
    fn a_store_is_a_map_over_restarts(
        batches in proptest::collection::vec(proptest::collection::vec((0_u8..6, proptest::option::of(0_u64..3)), 0..5), 0..12),
        restarts: u16,
    ) {
        let data = tempfile::tempdir().unwrap();
        let mut store = Store::open(data.path()).unwrap();
        let mut expected = std::collections::BTreeMap::new();
        for (at, batch) in batches.into_iter().enumerate() {
            let names: Vec<String> = batch.iter().map(|(name, _)| name.to_string()).collect();
            let records: Vec<_> = batch.iter().map(|(_, at)| at.map(record)).collect();
            let changes = names.iter().zip(&records).map(|(name, record)| (name.as_str(), record.as_ref()));
            store.keys.put(changes).unwrap();
            store.flush().unwrap();
            expected.extend(names.into_iter().zip(records));
            if restarts >> at & 1 == 1 {
                drop(store);
                store = reopen(data.path()).unwrap();
            }
            for (name, record) in &expected {
                proptest::prop_assert_eq!(&store.keys.get(name), record);
            }
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to.join(entry.file_name()));
        } else {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
