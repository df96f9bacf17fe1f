use std::{thread, time::Duration};

use governor::clock::FakeRelativeClock;

use super::*;

fn limit<S: StateStore + Default>(
    rate: &str,
    clock: &FakeRelativeClock,
) -> Limit<S, FakeRelativeClock> {
    Limit::new(rate.parse().unwrap(), clock.clone())
}

/// What passes of that many attempts.
fn passing(limit: &Limit<Keyed<u32>, FakeRelativeClock>, key: u32, attempts: usize) -> usize {
    (0..attempts)
        .filter(|_| limit.spend(key, Taking::Take).is_ok())
        .count()
}

#[test]
fn a_bucket_holds_the_number_and_is_refilled_evenly() {
    let clock = FakeRelativeClock::default();
    let limit = limit::<Keyed<u32>>("60/min", &clock);
    assert_eq!(passing(&limit, 1, 100), 60);
    for (wait, expected) in [
        (999, 0),
        (1, 1),
        (1000, 1),
        (10_000, 10),
        (60_000, 60),
        (600_000, 60),
    ] {
        clock.advance(Duration::from_millis(wait));
        assert_eq!(passing(&limit, 1, 100), expected, "after {wait} ms");
    }
    assert_eq!(
        passing(&limit, 2, 100),
        60,
        "another key has a bucket of its own"
    );
}

#[test]
fn the_units_are_what_they_say() {
    for (rate, seconds) in [("1/s", 1), ("1/min", 60), ("1/h", 3600)] {
        let clock = FakeRelativeClock::default();
        let limit = limit::<Single>(rate, &clock);
        assert_eq!(limit.spend_only(Taking::Take), Ok(()));
        clock.advance(Duration::from_nanos(seconds * 1_000_000_000 - 1));
        assert!(limit.spend_only(Taking::Take).is_err(), "{rate}");
        clock.advance(Duration::from_nanos(1));
        assert_eq!(limit.spend_only(Taking::Take), Ok(()), "{rate}");
    }
}

/// Whoever comes again when told so is let pass; what is refused postpones nothing.
#[test]
fn the_time_to_wait_is_in_whole_seconds_and_holds() {
    let clock = FakeRelativeClock::default();
    let limit = limit::<Single>("7/min", &clock);
    for _ in 0..7 {
        assert_eq!(limit.spend_only(Taking::Take), Ok(()));
    }
    // The next is there after 8.57 s.
    for (passed, wait) in [(0, 9), (500, 9), (1000, 8), (7000, 1)] {
        clock.advance(Duration::from_millis(passed));
        let refused = UsedUp {
            limit: 7,
            retry_after: wait,
        };
        assert_eq!(limit.spend_only(Taking::Take), Err(refused));
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(limit.spend_only(Taking::Take), Ok(()));
}

/// Three times as many keys as there may be buckets. Whoever is being refused meanwhile goes on being refused.
#[test]
fn a_flood_of_keys_is_bounded_and_frees_nobody() {
    let clock = FakeRelativeClock::default();
    let limit = limit::<Keyed<u32>>("1/h", &clock);
    let flooder = u32::MAX;
    assert_eq!(limit.spend(flooder, Taking::Take), Ok(()));
    let flood = 3 * u32::try_from(CAPACITY).unwrap();
    for key in 0..flood {
        assert_eq!(limit.spend(key, Taking::Take), Ok(()), "{key} is new");
        if key % 1000 == 0 {
            assert!(
                limit.spend(flooder, Taking::Take).is_err(),
                "after {key} others"
            );
        }
    }
    let buckets = limit.limiter.into_state_store().0;
    assert!(buckets.len() <= CAPACITY, "{} buckets", buckets.len());
    let bytes = buckets.memory_used().total() / CAPACITY;
    assert!(bytes < 200, "{bytes} bytes each");
}

/// Of many that come at the same moment, as many pass as may, also where nobody ever came before.
#[test]
fn many_at_once_pass_no_more_than_may() {
    let clock = FakeRelativeClock::default();
    let limit = &limit::<Keyed<u32>>("10/h", &clock);
    for key in 0..50 {
        let passed = thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(move || passing(limit, key, 10)))
                .collect();
            let passed = threads.into_iter().map(|thread| thread.join().unwrap());
            passed.sum::<usize>()
        });
        assert_eq!(passed, 10, "of 40 with {key}");
    }
}

/// Looking takes nothing, of a bucket that is there and of one that is not, and tells what taking would come to.
#[test]
fn a_look_takes_nothing() {
    let clock = FakeRelativeClock::default();
    let keyed = limit::<Keyed<u32>>("1/h", &clock);
    let single = limit::<Single>("1/h", &clock);
    for _ in 0..3 {
        assert_eq!(keyed.spend(1, Taking::Look), Ok(()));
        assert_eq!(single.spend_only(Taking::Look), Ok(()));
    }
    assert_eq!(keyed.spend(1, Taking::Take), Ok(()));
    assert_eq!(single.spend_only(Taking::Take), Ok(()));
    for taking in [Taking::Look, Taking::Take, Taking::Look] {
        assert!(keyed.spend(1, taking).is_err());
        assert!(single.spend_only(taking).is_err());
    }
    clock.advance(Duration::from_hours(1));
    for taking in [Taking::Look, Taking::Look, Taking::Take] {
        assert_eq!(keyed.spend(1, taking), Ok(()));
        assert_eq!(single.spend_only(taking), Ok(()));
    }
}
