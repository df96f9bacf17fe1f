//! What a row of the table is, and the world that it is asked in.

use postern::decision::{Denied, Unavailable};

use crate::harness::{
    Algorithm, Answer, Issuer, Postern, Request,
    emulator::{Emulator, json},
    issuer, tenant,
};

/// A path of the product's API that holds nothing special.
pub const API: &str = "/rest/api/2/myself";

/// The directory of tenant `entra`.
pub const DIRECTORY: &str = "8eaef023-2b34-4da1-9baa-8bc8c9d6a490";

/// One request, and what it must come to.
pub struct Row {
    pub what: String,
    pub request: Request,
    pub expected: Expected,
}

/// What a row must come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// No, for this reason.
    Refused(Denied),
    /// Nobody can tell, for this reason.
    Unavailable(Unavailable),
    /// Allowed, as ada.
    Ada,
    /// Allowed, as that account.
    User(&'static str),
    /// The product decides, by this `Postern-Method`.
    Passes(&'static str),
}

/// A row with this request.
pub fn row(what: impl Into<String>, request: Request, expected: Expected) -> Row {
    Row {
        what: what.into(),
        request,
        expected,
    }
}

/// `what` is refused for `reason`.
pub fn refused(what: impl Into<String>, request: Request, reason: Denied) -> Row {
    row(what, request, Expected::Refused(reason))
}

/// `what` passes as ada.
pub fn ada(what: impl Into<String>, request: Request) -> Row {
    row(what, request, Expected::Ada)
}

impl Expected {
    fn is_met_by(self, answer: &Answer) -> bool {
        let user = answer.header("remote-user");
        match self {
            Self::Refused(reason) => {
                (answer.status, answer.reason(), user) == (reason.status(), reason.word(), None)
            }
            Self::Unavailable(reason) => {
                (answer.status, answer.reason(), user) == (reason.status(), reason.word(), None)
            }
            Self::Ada => (answer.status, user) == (200, Some("ada")),
            Self::User(name) => (answer.status, user) == (200, Some(name)),
            Self::Passes(method) => {
                (answer.status, user, answer.header("postern-method"))
                    == (200, Some(""), Some(method))
            }
        }
    }
}

/// A daemon with a tenant for every setting that a row needs, an issuer that all of them trust, and one that
/// none of them does.
pub struct World {
    pub acme: Issuer,
    /// Signs as well as anybody, and nobody trusts it.
    pub mallory: Issuer,
    /// The issuer of tenant `gone`; it was never seen.
    pub gone: Issuer,
    /// The product of tenant `asked`, which knows one session. That of tenant `unasked` was never seen.
    _product: Emulator,
    pub postern: Postern,
}

impl World {
    pub fn start() -> Self {
        let (acme, mallory, gone) = (issuer(), issuer(), issuer());
        gone.stop();
        // Published from the first fetch, so that no row waits for a second one.
        let _published = acme.kid(Algorithm::Rs256);
        let jira = |name: &str| tenant(name).trusting(&acme);
        let product = Emulator::start(|asked| match asked.header("cookie") {
            Some("JSESSIONID=1") => json(200, serde_json::json!({ "name": "ada" })),
            _ => json(
                401,
                serde_json::json!({ "message": "Client must be authenticated" }),
            ),
        });
        let pinned = format!(
            "issuer = {:?}\naudience = [\"postern-dev\"]\npublic_key = '''\n{}'''",
            acme.url(),
            acme.public_key_pem(Algorithm::Rs256)
        );
        let postern = Postern::with(
            jira("jira").access("public = [\"GET /rest/api/2/serverInfo\", \"/pages/free/**\"]"),
        )
        .and(tenant("pinned").provider(&pinned))
        .and(jira("rsa-only").with("algorithms = [\"RS256\"]"))
        .and(jira("typed").with("require_typ = \"at+jwt\""))
        .and(jira("name").with("username = \"preferred_username\""))
        .and(jira("under").url("https://example.com/jira"))
        .and(jira("off").top("enabled = false"))
        .and(jira("staff").access("allow_groups = [\"staff\"]"))
        .and(
            jira("office")
                .access("allow_networks = [\"192.0.2.0/24\"]\ndeny_networks = [\"192.0.2.66\"]"),
        )
        .and(jira("frozen").access("read_only = true"))
        .and(jira("hourly").rate_limit("per_user = \"1/h\""))
        .and(jira("guarded").rate_limit("failures_per_address = \"1/h\""))
        .and(jira("strict").access("sessions = \"deny\""))
        .and(jira("asked").checking_sessions(&product.url()))
        .and(jira("unasked").checking_sessions(gone.url()))
        .and(jira("open").access("anonymous = \"pass\""))
        .and(jira("ruled").access(super::rules::RULED))
        .and(jira("lenient").access("passwords = \"pass\"\nproduct_tokens = \"pass\""))
        .and(jira("never")
            .with("username = \"preferred_username\"")
            .access("never = [\"ada\"]"))
        .and(tenant("entra").provider(&format!(
            "kind = \"entra\"\ntenant_ids = [{DIRECTORY:?}]\naudience = [\"postern-dev\"]\nusername = \"sub\"\njwks_uri = \"{}/jwks\"\nalgorithms = [\"ES256\"]",
            acme.url()
        )))
        .and(jira("tokens").api_tokens("enabled = true\nmax_per_user = 100"))
        .and(jira("tokens-too").api_tokens("enabled = true"))
        .and(jira("tokens-off").api_tokens("enabled = false"))
        .and(
            tenant("repositories")
                .product("bitbucket")
                .api_tokens("enabled = true\nmax_per_user = 100"),
        )
        .and(tenant("opaque").asking(&acme))
        .and(tenant("gone").trusting(&gone))
        .and(tenant("broken").trusting(&acme).top("enabled = maybe"))
        .start();
        for name in ["jira", "rsa-only", "typed", "name", "entra", "ruled"] {
            postern.until_keys(name);
        }
        Self {
            acme,
            mallory,
            gone,
            _product: product,
            postern,
        }
    }

    /// Asks every row, and reports every one that comes to something else.
    #[track_caller]
    pub fn judge(&self, rows: Vec<Row>) {
        assert!(!rows.is_empty(), "a table without rows shows nothing");
        let mut wrong = Vec::new();
        for row in rows {
            let answer = self.postern.ask(&row.request);
            if !row.expected.is_met_by(&answer) {
                let (what, wanted) = (row.what, row.expected);
                let (status, reason) = (answer.status, answer.reason());
                let user = answer.header("remote-user");
                wrong.push(format!(
                    "{what}: wanted {wanted:?}, got {status} {reason:?} {user:?}"
                ));
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    }

    pub fn ask(&self, request: &Request) -> Answer {
        self.postern.ask(request)
    }

    /// A header as honest tokens have it, with more members: `,"crit":["exp"]`.
    pub fn header(&self, more: &str) -> String {
        format!(
            r#"{{"alg":"ES256","typ":"at+jwt","kid":"{}"{more}}}"#,
            self.acme.kid(Algorithm::Es256)
        )
    }

    /// Claims as honest tokens have them, with more members.
    pub fn claims(&self, more: &str) -> String {
        format!(
            r#"{{"iss":"{}","sub":"ada","aud":"postern-dev","exp":{}{more}}}"#,
            self.acme.url(),
            postern::clock::now() + 600
        )
    }

    /// A token whose signature holds, over exactly these texts.
    pub fn signed(&self, header: &str, claims: &str) -> String {
        self.acme.sign_raw(Algorithm::Es256, header, claims)
    }
}

/// Asks with `token` about an API path of `jira`.
pub fn jira(token: &str) -> Request {
    at("jira", token)
}

/// Asks with `token` about an API path of `tenant`.
pub fn at(tenant: &str, token: &str) -> Request {
    Request::check(tenant, API).bearer(token)
}
