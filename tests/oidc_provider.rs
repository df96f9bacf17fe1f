//! See `main.rs`. `oidc_provider/issuer.mjs` is the issuer; `.ci/install` installs what it needs.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::harness::{Answer, Postern, TenantFile, connect, part, tenant};

/// Access tokens as RFC 9068 has them, in four algorithms: each passes where it is for us, and is refused where it is
/// for another, where a character of it is changed, where the tenant lists another algorithm, and where it takes `sub`
/// for an account: these tokens are the client's own.
#[test]
fn its_access_tokens_pass_in_four_algorithms() {
    let Some(issuer) = OidcProvider::start() else {
        return;
    };
    let keys = format!(
        "issuer = {:?}\naudience = \"jira\"\nrequire_typ = \"at+jwt\"",
        issuer.url
    );
    let rs384 = format!("{keys}\nalgorithms = [\"RS384\"]");
    let client = format!("{keys}\nservice_accounts = {{ postern = \"svc-postern\" }}");
    let postern = Postern::with(tenant("jira").provider(&client))
        .and(tenant("other").provider(&rs384))
        .and(tenant("users").provider(&keys))
        .start();
    for algorithm in ["RS256", "PS256", "ES256", "EdDSA"] {
        let token = issuer.token(&format!("urn:jira:{algorithm}"));
        let answer = postern.check("jira", &token);
        answer.is_allowed_as("svc-postern");
        assert_eq!(answer.header("postern-method"), Some("jwt"));
        postern
            .check("jira", &issuer.token(&format!("urn:wiki:{algorithm}")))
            .is_refused(401, "wrong_audience");
        postern
            .check("jira", &changed(&token))
            .is_refused(401, "bad_signature");
        postern
            .check("other", &token)
            .is_refused(401, "algorithm_not_allowed");
        postern
            .check("users", &token)
            .is_refused(403, "no_username");
    }
}

/// Opaque tokens, about which it is asked, whichever way it wants to be shown the secret.
#[test]
fn its_opaque_tokens_pass_until_they_are_revoked() {
    let Some(issuer) = OidcProvider::start() else {
        return;
    };
    let in_form = "client_auth = \"client_secret_post\"";
    let postern = Postern::with(asking("jira", &issuer, "postern"))
        .and(asking("form", &issuer, "in-form").with(in_form))
        .and(asking("wrong", &issuer, "nobody"))
        .start();
    for tenant in ["jira", "form"] {
        let token = issuer.token("urn:jira:opaque");
        let answer = postern.check(tenant, &token);
        answer.is_allowed_as("postern");
        assert_eq!(answer.header("postern-method"), Some("introspection"));
        postern
            .check(tenant, &issuer.token("urn:wiki:opaque"))
            .is_refused(401, "wrong_audience");
        let revoked = issuer.token("urn:jira:opaque");
        issuer.revoke(&revoked);
        postern.check(tenant, &revoked).is_refused(401, "inactive");
        postern
            .check(tenant, "invented")
            .is_refused(401, "inactive");
    }
    postern
        .check("wrong", &issuer.token("urn:jira:opaque"))
        .is_refused(503, "issuer_unavailable");
}

/// Introspection answers as signed JWTs (RFC 9701). A client that it answers in plain JSON is not believed where the
/// tenant wants signatures.
#[test]
fn its_signed_introspection_answers_are_believed() {
    let Some(issuer) = OidcProvider::start() else {
        return;
    };
    let signed = "introspection_response = \"jwt\"\nalgorithms = [\"ES256\"]";
    let other = "introspection_response = \"jwt\"\nalgorithms = [\"RS256\"]";
    let postern = Postern::with(asking("jira", &issuer, "signed").with(signed))
        .and(asking("other", &issuer, "signed").with(other))
        .and(asking("json", &issuer, "signed"))
        .start();
    let token = issuer.token("urn:jira:opaque");
    postern.check("jira", &token).is_allowed_as("postern");
    postern.check("json", &token).is_allowed_as("postern");
    postern
        .check("other", &token)
        .is_refused(503, "issuer_unavailable");
    postern
        .check("jira", &issuer.token("urn:wiki:opaque"))
        .is_refused(401, "wrong_audience");
    let revoked = issuer.token("urn:jira:opaque");
    issuer.revoke(&revoked);
    postern.check("jira", &revoked).is_refused(401, "inactive");
}

/// It answers 400 when it is asked about a JWT. Somebody sends one after the other to a tenant that asks about every
/// token: each is an outage, and none keeps the others' tokens from being asked about.
#[test]
fn tokens_that_it_refuses_to_look_at_do_no_harm_to_others() {
    let Some(issuer) = OidcProvider::start() else {
        return;
    };
    let postern = Postern::with(asking("jira", &issuer, "postern")).start();
    for _ in 0..8 {
        postern
            .check("jira", &issuer.token("urn:jira:ES256"))
            .is_refused(503, "issuer_unavailable");
    }
    postern
        .check("jira", &issuer.token("urn:jira:opaque"))
        .is_allowed_as("postern");
}

/// A tenant that asks the issuer about every token, as that client.
fn asking(name: &str, issuer: &OidcProvider, client: &str) -> TenantFile {
    let url = &issuer.url;
    tenant(name).provider(&format!(
        "issuer = {url:?}\naudience = \"jira\"\nintrospection_endpoint = \"{url}/token/introspection\"\nclient_id = {client:?}\nclient_secret = {{ env = \"DEV_SECRET\" }}\nusername = \"client_id\""
    ))
}

/// The token with another first character of its signature: the last one may hold bits that mean nothing.
fn changed(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a JWT");
    let other = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{other}{}", &signature[1..])
}

/// The issuer, until the scenario ends.
struct OidcProvider {
    url: String,
    process: Child,
}

impl OidcProvider {
    /// Starts it; `None` where it is not installed.
    fn start() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oidc_provider");
        let installed: PathBuf = folder.join("node_modules/oidc-provider");
        part("oidc-provider", installed.is_dir().then_some(installed))?;
        let mut process = Command::new("node")
            .arg(folder.join("issuer.mjs"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node runs");
        let stdout = process.stdout.take().expect("it is piped");
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it announces itself");
        let announced: Value = serde_json::from_str(&line).expect("JSON");
        let url = announced["issuer"].as_str().expect("an address").to_owned();
        Some(Self { url, process })
    }

    /// An access token of the client `postern` for that resource.
    fn token(&self, resource: &str) -> String {
        let form = format!("grant_type=client_credentials&scope=api&resource={resource}");
        let answer = self.post("/token", &form);
        let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
        let token = answer["access_token"].as_str();
        token.unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    fn revoke(&self, token: &str) {
        let answer = self.post("/token/revocation", &format!("token={token}"));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Posts a form as the client `postern`.
    fn post(&self, path: &str, form: &str) -> Answer {
        let host = self.url.trim_start_matches("http://");
        // base64 of postern:dev-secret
        let client = "cG9zdGVybjpkZXYtc2VjcmV0";
        let mut connection = connect(host);
        write!(
            connection,
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {client}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .expect("it reads");
        Answer::read(&mut connection, "POST")
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
