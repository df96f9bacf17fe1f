use actix::{Actor, Context, Handler};

use super::*;
use crate::{
    issuer::key_source::{FetchNow, SourceId},
    tenant::settings::KeyOrigin,
};

const DAY: u64 = 24 * 60 * 60;

struct Nobody;

impl Actor for Nobody {
    type Context = Context<Self>;
}

impl Handler<FetchNow> for Nobody {
    type Result = ();

    fn handle(&mut self, _: FetchNow, _: &mut Self::Context) {}
}

/// Keys that the issuer confirmed at that time, and that serve for a day without it.
fn confirmed_at(at: u64) -> Keys {
    let document = crate::dev::Issuer::start().unwrap().jwks().to_string();
    let set = Arc::new(KeySet::from_jwks(document.as_bytes()).unwrap());
    let origin = KeyOrigin::Discovery("https://sso.example.com".into());
    let id = SourceId::of(&origin, None).unwrap();
    let remembered = Some((Arc::clone(&set), at));
    let (source, _) = KeySource::new(id, remembered, Nobody.start().recipient());
    Keys {
        set: Some(set),
        source: Some(source),
        stale_after: DAY,
    }
}

#[actix::test]
async fn the_last_known_keys_serve_until_stale_keys_runs_out() {
    let keys = confirmed_at(1_000);
    for now in [0, 1_000, 1_000 + DAY] {
        assert!(matches!(keys.condition(now), Ok(KeyCondition::Usable(_))));
    }
    let outage = keys.condition(1_001 + DAY).err().unwrap();
    assert_eq!(outage.reason, Unavailable::IssuerUnavailable);
    assert!(outage.to_string().contains("last confirmed 86401 s ago"));
    // Confirmed anew, they serve anew.
    keys.source.as_ref().unwrap().confirm(DAY);
    assert!(keys.condition(1_001 + DAY).is_ok());
}

#[actix::test]
async fn keys_never_fetched_are_no_keys() {
    let keys = Keys {
        set: None,
        ..confirmed_at(0)
    };
    assert!(matches!(keys.condition(1), Ok(KeyCondition::NeverFetched)));
}
