//! One row for each way to be refused, told apart by its own word, and beside it the nearest way to pass.
//!
//! | file | holds |
//! |---|---|
//! | `row` | what a row is, and the world that it is asked in |
//! | `credential` | the `Authorization` header and the query |
//! | `shape` | what is no JWT, or a JWT that two readers could read differently |
//! | `header` | what a JOSE header may not say |
//! | `signature` | algorithms and keys |
//! | `claims`, `kinds` | whose, for whom, until when; access tokens and nothing else |
//! | `paths` | what can be read in several ways |
//! | `contract` | what the proxy owes us |
//! | `api_tokens` | tokens of Postern's own |
//! | `policy` | what the tenant's file says |
//! | `rates` | what comes too often |
//! | `rules` | what the tenant's file says of single calls |
//! | `explained` | that an explanation says what the check says |
//! | `body` | a body that is announced on the check endpoint |

mod api_tokens;
mod body;
mod claims;
mod contract;
mod credential;
mod explained;
mod header;
mod kinds;
mod paths;
mod policy;
mod rates;
mod row;
mod rules;
mod shape;
mod signature;

use postern::decision::{Denied, Unavailable};

use row::{Expected, Row, World};

/// Reasons that take more than one request to show, and where they are shown.
const REFUSALS_ELSEWHERE: &[(Denied, &str)] = &[
    (Denied::AccountUnknown, "product::owners"),
    (Denied::AccountInactive, "product::owners"),
];
/// The same of outages.
const OUTAGES_ELSEWHERE: &[(Unavailable, &str)] = &[(Unavailable::Overloaded, "outage")];

/// Each file's rows.
const TABLE: &[fn(&World) -> Vec<Row>] = &[
    api_tokens::rows,
    claims::rows,
    contract::rows,
    credential::rows,
    header::rows,
    kinds::rows,
    paths::rows,
    policy::rows,
    rates::rows,
    rules::rows,
    shape::rows,
    signature::rows,
];

/// A reason that nobody ever met in a test is a reason that may not exist.
#[test]
fn every_reason_has_its_row() {
    let world = World::start();
    let expected: Vec<Expected> = TABLE
        .iter()
        .flat_map(|rows| rows(&world))
        .map(|row| row.expected)
        .collect();
    for reason in Denied::ALL {
        let shown = expected.contains(&Expected::Refused(*reason))
            || REFUSALS_ELSEWHERE.iter().any(|(known, _)| known == reason);
        assert!(shown, "no row shows {reason}");
    }
    for reason in Unavailable::ALL {
        let shown = expected.contains(&Expected::Unavailable(*reason))
            || OUTAGES_ELSEWHERE.iter().any(|(known, _)| known == reason);
        assert!(shown, "no row shows {reason}");
    }
}

/// The statuses are part of the contract with every proxy configuration that maps them.
#[test]
fn every_reason_keeps_its_word_and_status() {
    for reason in Denied::ALL {
        assert!(
            matches!(reason.status(), 400 | 401 | 403 | 429),
            "{reason} is {}",
            reason.status()
        );
    }
    assert!(Unavailable::ALL.iter().all(|reason| reason.status() == 503));
    let mut words: Vec<&str> = Denied::ALL.iter().map(|reason| reason.word()).collect();
    words.extend(Unavailable::ALL.iter().map(|reason| reason.word()));
    let all = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), all, "two reasons share a word");
}
