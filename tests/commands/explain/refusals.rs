//! For each kind of refusal the line that causes it, and what would let it pass.

use super::{explain, stdout, tells};
use crate::harness::{Issuer, Postern, TenantFile, issuer, tenant};

/// One refusal: at which tenant, by what of its file, and what it must say.
struct Case<'c> {
    tenant: &'c TenantFile,
    arguments: &'c [&'c str],
    credential: &'c str,
    reason: &'c str,
    /// How the line begins that the excerpt shows; empty where the file is not to blame.
    line: &'c str,
    way_out: &'c str,
}

fn case<'c>(tenant: &'c TenantFile, credential: &'c str, reason: &'c str) -> Case<'c> {
    Case {
        tenant,
        arguments: &[],
        credential,
        reason,
        line: "",
        way_out: "",
    }
}

impl<'c> Case<'c> {
    fn says(self, line: &'c str, way_out: &'c str) -> Self {
        Self {
            line,
            way_out,
            ..self
        }
    }

    fn with(self, arguments: &'c [&'c str]) -> Self {
        Self { arguments, ..self }
    }

    #[track_caller]
    fn is_met_by(&self, postern: &Postern) {
        let arguments = [&[self.tenant.name()], self.arguments].concat();
        let output = explain(postern, &arguments, self.credential);
        tells(&output, 1, &["refused", self.reason, self.way_out]);
        let told = stdout(&output);
        if self.line.is_empty() {
            assert!(!told.contains("-->"), "{told}");
            return;
        }
        let text = self.tenant.text();
        let mut lines = text.lines().zip(1..);
        let (line, number) = lines
            .find(|(line, _)| line.starts_with(self.line))
            .expect("it is in the file");
        let place = format!("{}.toml:{number}:", self.tenant.name());
        assert!(told.contains(&place), "{place} in {told}");
        assert!(told.contains(&format!("{number} | {line}")), "{told}");
    }
}

fn jira(name: &str, acme: &Issuer) -> TenantFile {
    tenant(name).trusting(acme)
}

#[test]
fn a_refusal_shows_its_line_and_the_way_out() {
    let acme = issuer();
    let plain = jira("plain", &acme);
    let strict = jira("strict", &acme)
        .with("algorithms = [\"RS256\"]")
        .access("sessions = \"deny\"\npasswords = \"deny\"");
    let staff = jira("staff", &acme).access("allow_groups = [\"staff\"]");
    let off = jira("off", &acme).top("enabled = false");
    let office = jira("office", &acme).access("allow_networks = [\"198.51.100.0/24\"]");
    let shunned = jira("shunned", &acme).access("deny_networks = [\"192.0.2.0/24\"]");
    let frozen = jira("frozen", &acme).access("read_only = true");
    let never = jira("never", &acme).access("never = [\"ada\"]");
    let ruled = jira("ruled", &acme).access(
        "[[access.rule]]\npath = \"/rest/api/2/myself\"\nmethods = [\"DELETE\"]\neffect = \"deny\"\n\
         [[access.rule]]\npath = \"/rest/api/2/myself\"\nscopes = [\"jira:read\"]",
    );
    let postern = [
        &strict, &staff, &off, &office, &shunned, &frozen, &never, &ruled,
    ]
    .into_iter()
    .fold(Postern::with(plain.clone()), |all, file| {
        all.and(file.clone())
    })
    .start();
    for file in [&plain, &strict, &staff, &never, &ruled] {
        postern.until_keys(file.name());
    }
    let good = acme.token().sign();
    let expired = acme.token().expires_in(-600).sign();
    let foreign = acme.token().audience("another").sign();
    let stranger = issuer();
    let strangers = stranger.token().sign();
    let cases = [
        case(&plain, &expired, "expired").says("", "get a new token"),
        case(&plain, &foreign, "wrong_audience")
            .says("audience", "add what it says to provider[0].audience"),
        case(&plain, &strangers, "unknown_issuer").says("issuer", "trust this one too"),
        case(&strict, &good, "algorithm_not_allowed").says("algorithms", "list this one"),
        case(&strict, "", "no_credential")
            .with(&["--with-session"])
            .says("sessions", "access.sessions = \"pass\""),
        case(
            &strict,
            "Basic YWRhOnNlY3JldC1wYXNzd29yZA==",
            "password_not_allowed",
        )
        .says("passwords", "access.password_accounts"),
        case(&staff, &good, "not_in_group").says(
            "allow_groups",
            "add one of its groups to access.allow_groups",
        ),
        case(&off, &good, "tenant_disabled").says("enabled", "set enabled = true"),
        case(&office, &good, "address_not_allowed").says("allow_networks", "add the address"),
        case(&shunned, &good, "address_not_allowed").says("deny_networks", "take the network out"),
        case(&frozen, &good, "read_only")
            .with(&["--method", "PUT"])
            .says("read_only", "access.read_only = false"),
        case(&never, &good, "account_protected").says("never", "another account"),
        case(&ruled, &good, "rule_denied")
            .with(&["--method", "DELETE"])
            .says("[[access.rule]]", "access.rule[0]"),
        case(&ruled, &good, "insufficient_scope").says("scopes", "access.rule[1].scopes"),
    ];
    for case in &cases {
        case.is_met_by(&postern);
    }
    // The nearest calls that pass.
    for (file, arguments) in [(&plain, &[][..]), (&frozen, &["--method", "HEAD"])] {
        let output = explain(&postern, &[&[file.name()], arguments].concat(), &good);
        tells(&output, 0, &["allowed as ada"]);
    }
}

/// A default refuses as well as what is written: then there is no line to show, and that is said.
#[test]
fn a_default_that_refuses_is_named() {
    let acme = issuer();
    let postern = Postern::with(jira("jira", &acme)).start();
    let output = explain(&postern, &["jira"], "Basic YWRhOnNlY3JldC1wYXNzd29yZA==");
    tells(
        &output,
        1,
        &[
            "error: access.passwords: ",
            "the key is not written, and its default holds",
        ],
    );
    let output = explain(&postern, &["jira"], "opaque");
    tells(
        &output,
        1,
        &[
            "error: access.product_tokens: ",
            "its default holds",
            "access.product_tokens = \"pass\"",
        ],
    );
}

/// The file that is served counts, and not the broken one that lies there now.
#[test]
fn lines_are_those_of_the_build_that_is_served() {
    let acme = issuer();
    let file = jira("jira", &acme).access("read_only = true");
    let postern = Postern::with(file.clone()).start();
    postern.write(
        &jira("jira", &acme)
            .top("enabled = maybe\n\n\n")
            .access("read_only = true"),
    );
    crate::harness::eventually("the file is found broken", || {
        postern.tenant_status("jira")["broken_since"].is_number()
    });
    let case = case(&file, "", "read_only")
        .with(&["--method", "PUT"])
        .says("read_only", "access.read_only = false");
    case.is_met_by(&postern);
}
