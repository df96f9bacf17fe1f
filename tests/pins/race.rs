use super::{named, token};
use crate::harness::{Postern, Request, issuer};

/// Forty connections at once, of two subjects that claim one account in two spellings, again and again: all of one
/// subject pass, and none of the other's ever.
#[test]
fn of_two_subjects_at_once_exactly_one_ever_passes() {
    let acme = issuer();
    let postern = Postern::with(named(&acme)).start();
    postern.until_keys("jira");
    for round in 0..10 {
        let mut sent: Vec<_> = (0..40)
            .map(|number| {
                let subject = ["one", "other"][number % 2];
                let account = format!("{}{round}", ["ada", "Ada"][number / 2 % 2]);
                let token = token(&acme, subject, &account);
                let request = Request::check("jira", "/rest/api/2/myself").bearer(&token);
                (subject, request, postern.connect())
            })
            .collect();
        for (_, request, connection) in &mut sent {
            request.write_to(connection);
        }
        let mut passed = Vec::new();
        for (subject, request, mut connection) in sent {
            match request.read_from(&mut connection) {
                answer if answer.status == 200 => passed.push(subject),
                answer => {
                    answer.is_refused(403, "account_changed");
                }
            }
        }
        assert_eq!(passed.len(), 20, "round {round}: {passed:?}");
        passed.dedup();
        assert_eq!(passed.len(), 1, "round {round}: {passed:?}");
    }
}
