use super::*;
use crate::witness::Silent;

fn limits(rate: &str) -> RateLimits {
    RateLimits {
        failures_per_address: Some(rate.parse().unwrap()),
        ..RateLimits::default()
    }
}

fn forged() -> No {
    Denial::new(Denied::BadSignature, "the signature does not hold").into()
}

fn reason_after(rates: &Rates, address: &str) -> Denied {
    match rates.count_failure(forged(), Some(address.parse().unwrap()), &Silent) {
        No::Denied(denial) => denial.reason,
        No::Unavailable(outage) => panic!("{outage}"),
    }
}

/// An owner of IPv6 has a whole /64 to come from, and no owner has his neighbour's.
#[test]
fn a_source_is_an_address_or_a_64() {
    let source_of = |address: &str| source(address.parse().unwrap()).to_string();
    for (address, expected) in [
        ("192.0.2.7", "192.0.2.7/32"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:ffff:ffff:ffff", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
    ] {
        assert_eq!(source_of(address), expected);
    }
}

/// The same rate keeps its buckets; another one, or the same after it was gone, starts with full ones.
#[test]
fn buckets_last_as_long_as_their_rate() {
    let first = Rates::default().next(&limits("1/h"));
    assert_eq!(reason_after(&first, "192.0.2.7"), Denied::BadSignature);
    let same = first.next(&limits("1/h"));
    assert_eq!(reason_after(&same, "192.0.2.7"), Denied::TooManyFailures);
    assert_eq!(reason_after(&first, "192.0.2.7"), Denied::TooManyFailures);
    let other = same.next(&limits("2/h"));
    assert_eq!(reason_after(&other, "192.0.2.7"), Denied::BadSignature);
    let none = other.next(&RateLimits::default());
    for _ in 0..3 {
        assert_eq!(reason_after(&none, "192.0.2.7"), Denied::BadSignature);
    }
    let again = none.next(&limits("2/h"));
    assert_eq!(reason_after(&again, "192.0.2.7"), Denied::BadSignature);
}

/// What nobody can tell is no failure of the caller's.
#[test]
fn an_outage_is_not_counted() {
    use crate::decision::{Outage, Unavailable};

    let rates = Rates::default().next(&limits("1/h"));
    let outage = No::from(Outage::new(Unavailable::KeysPending, 60, "soon"));
    for _ in 0..3 {
        let after = rates.count_failure(outage.clone(), Some([192, 0, 2, 7].into()), &Silent);
        assert_eq!(after, outage);
    }
    assert_eq!(reason_after(&rates, "192.0.2.7"), Denied::BadSignature);
}
