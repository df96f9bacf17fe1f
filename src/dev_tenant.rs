//! The tenant of `serve --dev`, and the words that introduce a newcomer to it.

use std::{
    fs, io,
    net::SocketAddr,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use crate::{
    dev::{self, Algorithm, Issuer},
    settings::ListenAddress,
};

/// A little issuer, and a tenant `dev` that trusts it, in a temporary folder that goes with it.
pub struct DevTenant {
    issuer: Issuer,
    folder: PathBuf,
}

impl DevTenant {
    /// Starts the issuer and writes the tenant's file.
    ///
    /// # Errors
    /// If no port or no folder is to be had.
    pub fn start() -> io::Result<Self> {
        let issuer = Issuer::builder().algorithm(Algorithm::Rs256).start()?;
        let folder = std::env::temp_dir().join(format!("postern-dev-{}", std::process::id()));
        // Not `create_dir_all`: a folder that somebody else put there is not ours to use.
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let tenant = Self { issuer, folder };
        fs::create_dir(tenant.tenants())?;
        fs::write(tenant.file(), file(tenant.issuer.url()))?;
        Ok(tenant)
    }

    /// The tenants folder.
    #[must_use]
    pub fn tenants(&self) -> PathBuf {
        self.folder.join("tenants")
    }

    /// The folder of the store.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn file(&self) -> PathBuf {
        self.tenants().join("dev.toml")
    }

    /// Prints what to try, to standard output.
    pub fn introduce(&self, check: &ListenAddress, ops: SocketAddr, admin: &Path) {
        let token = self
            .issuer
            .token()
            .subject("ada")
            .expires_in(24 * 60 * 60)
            .sign();
        let broken = broken(&token);
        let base = match check {
            ListenAddress::Tcp(address) => format!("http://{address}"),
            ListenAddress::Unix(path) => format!("--unix-socket {} http://postern", path.display()),
        };
        let curl = |token: &str| {
            format!(
                "curl -i {base}/check/dev -H 'X-Original-Method: GET' -H 'X-Original-URI: /rest/api/2/myself' -H 'Authorization: Bearer {token}'"
            )
        };
        println!(
            "\
Postern is ready. The tenant `dev` stands for a Jira that trusts the issuer {issuer}.

Allowed, as ada (200 with Remote-User):

  {allowed}

Refused (401 bad_signature): the same token with one character changed:

  {refused}

Then edit {file}, say another audience, and try the first line again: 401 wrong_audience.
Break the file's syntax: it goes on as before, and this shows the error with its line and column:

  postern status --admin-socket {admin}

An API token of Postern's own:

  T=$(postern token issue dev alice --expires 1d --admin-socket {admin})

More tokens:  curl -s {issuer}/token -d sub=grace -d aud={audience} -d groups=staff
New keys:     curl -s -X POST {issuer}/rotate
Metrics:      curl -s http://{ops}/metrics
",
            issuer = self.issuer.url(),
            allowed = curl(&token),
            refused = curl(&broken),
            file = self.file().display(),
            admin = admin.display(),
            audience = dev::AUDIENCE,
        );
    }
}

impl Drop for DevTenant {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "the folder of --dev stays");
        }
    }
}

/// The token with the first character of its signature changed: the last one may hold bits that don't count.
fn broken(token: &str) -> String {
    let at = token.rfind('.').map_or(0, |dot| dot + 1);
    let (before, signature) = token.split_at(at);
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{before}{other}{}", signature.get(1..).unwrap_or_default())
}

fn file(issuer: &str) -> String {
    format!(
        r#"# The tenant of `postern serve --dev`. Edit it while the daemon runs.
product = "jira"
url     = "http://localhost:8080"

[[provider]]
kind     = "custom"
issuer   = "{issuer}"     # its keys are found by discovery
audience = ["{audience}"]
username = "sub"

[api_tokens]
enabled = true

[access]
anonymous = "deny"
"#,
        audience = dev::AUDIENCE
    )
}
