//! `postern tenant new`: a commented, valid tenant file to start from.

use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{self, ExitCode},
};

use anyhow::{Context, bail};

use crate::{
    clock,
    provider::Kind,
    tenant::{
        build::{Secrets, build},
        id::TenantId,
        settings::Product,
        source::TenantSource,
    },
};

/// Tenant files hold no secrets, and the daemon's user must be able to read them.
const MODE: u32 = 0o644;

/// Write a commented, valid tenant file to start from
#[derive(Debug, clap::Args)]
pub struct TenantNew {
    /// The tenant's name, and its file's: a-z, 0-9 and '-', at most 63 characters
    name: TenantId,

    /// The product behind the proxy
    #[arg(long, value_name = "PRODUCT")]
    product: Product,

    /// Where identities come from
    #[arg(long, value_name = "KIND")]
    provider: Kind,

    /// The product's base URL as users know it, context path included
    #[arg(long)]
    url: Option<String>,

    /// The folder of tenant files
    #[arg(
        long,
        value_name = "DIR",
        env = "POSTERN_TENANTS",
        default_value = "tenants"
    )]
    tenants: PathBuf,
}

impl TenantNew {
    /// Writes the file and says what to do next. Never overwrites.
    ///
    /// # Errors
    /// The file exists already, the URL is none, or the folder can't be written.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let path = self.tenants.join(format!("{}.toml", self.name));
        let has_schema = self.tenants.join("tenant.schema.json").exists();
        let text = self.text(has_schema);
        let source = TenantSource::of_text(self.name.clone(), &path, text);
        let built = build(&source, Secrets::MayBeAbsent, clock::now());
        if built.settings.is_none() {
            let problems: Vec<String> = built.problems.iter().map(ToString::to_string).collect();
            bail!("the file would not be valid:\n{}", problems.join("\n"));
        }
        if !self.tenants.exists() {
            fs::create_dir(&self.tenants)
                .with_context(|| format!("cannot make the folder {}", self.tenants.display()))?;
        }
        match write_new(&path, source.text.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                bail!("{} exists already, and is left as it is", path.display())
            }
            written => written.with_context(|| format!("cannot write {}", path.display()))?,
        }
        let path = path.display();
        let name = &self.name;
        let examples = match self.url {
            Some(_) => "`issuer` and `audience` are examples",
            None => "`url`, `issuer` and `audience` are examples",
        };
        writeln!(
            io::stderr(),
            "Wrote {path}. What is next:\n  \
             1. Edit it: {examples}.\n  \
             2. postern validate {path}\n  \
             3. Point the proxy's check at /check/{name}."
        )
        .ok();
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, has_schema: bool) -> String {
        let directive = if has_schema {
            "#:schema ./tenant.schema.json\n\n"
        } else {
            ""
        };
        let (product, title, public, group) = match self.product {
            Product::Jira => ("jira", "Jira", "GET /rest/api/2/serverInfo", "jira-users"),
            Product::Confluence => (
                "confluence",
                "Confluence",
                "GET /rest/applinks/1.0/manifest",
                "confluence-users",
            ),
            Product::Bitbucket => (
                "bitbucket",
                "Bitbucket",
                "GET /rest/api/1.0/application-properties",
                "stash-users",
            ),
        };
        let url = match &self.url {
            // As TOML writes a text, so that whatever was given stays one.
            Some(url) => toml::Value::from(url.as_str()).to_string(),
            None => format!("\"https://{product}.example.com\""),
        };
        let provider = provider_of(self.provider)
            .replace("jira", product)
            .replace("Jira", title);
        format!(
            "{directive}\
             # {name}: which calls of {title}'s REST API pass, and as whom.\n\
             # Postern reads this file again whenever it changes. `postern validate` checks it first.\n\
             \n\
             product = \"{product}\"\n\
             # As users and the product know it, context path included.\n\
             url = {url}\n\
             # false steps aside and leaves every request to the product.\n\
             enabled = true\n\
             \n\
             {provider}\n\
             \n\
             [access]\n\
             # A caller must be in one of these groups; empty: whoever proves an identity passes.\n\
             allow_groups = []                 # [\"{group}\"]\n\
             # A caller's address must lie in one of these networks; empty: anywhere.\n\
             allow_networks = []               # [\"10.0.0.0/8\"]\n\
             # Calls that pass without any credential.\n\
             public = []                       # [\"{public}\"]\n\
             # true: only GET, HEAD and OPTIONS pass.\n\
             read_only = false\n\
             # API requests without any credential: deny, or pass to the product.\n\
             anonymous = \"deny\"\n\
             # API requests of the product's own pages, with its session cookie: pass, check or deny.\n\
             sessions = \"pass\"\n",
            name = self.name,
        )
    }
}

/// A `[[provider]]` of that kind to start from: that of its example, which is shown to be valid.
fn provider_of(kind: Kind) -> &'static str {
    let example = match kind {
        Kind::Entra => include_str!("../../tenants/examples/entra.toml"),
        Kind::Keycloak => include_str!("../../tenants/examples/keycloak.toml"),
        Kind::Okta => include_str!("../../tenants/examples/okta.toml"),
        Kind::Cognito => include_str!("../../tenants/examples/cognito.toml"),
        Kind::Google => include_str!("../../tenants/examples/google.toml"),
        Kind::Github => include_str!("../../tenants/examples/github.toml"),
        Kind::Slack => include_str!("../../tenants/examples/slack.toml"),
        Kind::Gitlab => include_str!("../../tenants/examples/gitlab.toml"),
        Kind::Facebook => include_str!("../../tenants/examples/facebook.toml"),
        Kind::Custom => CUSTOM,
    };
    let start = example.find("[[provider]]").unwrap_or(example.len());
    let end = example.find("[access]").unwrap_or(example.len()).max(start);
    example[start..end].trim_end()
}

/// What an issuer of its own kind may need.
const CUSTOM: &str = r#"[[provider]]
kind = "custom"
# The `iss` of its tokens, character by character. Its discovery document names the keys, unless
# jwks_uri, public_key or certificate is written here.
issuer = "https://sso.example.com"
# The `aud` that tokens for this product carry. Without it, tokens of other applications would pass.
audience = ["jira-api"]
# The claim that names the account, and whether to send it in lower case: keep | lower
username = "sub"
username_case = "keep"
# The claim that lists groups.
groups = "groups"

# To ask the issuer about each token as well (RFC 7662), or for opaque tokens:
# introspection_endpoint = "https://sso.example.com/introspect"
# client_id = "jira-api"
# client_secret = { credential = "jira-idp" }   # or { file = "…" } or { env = "…" }; never the secret itself

# A certificate authority of your own:
# ca = { file = "corp-ca.pem" }
"#;

/// Makes a whole file appear under its name, or nothing: written aside under a hidden name, which the
/// watcher overlooks, and then linked, which fails where there is a file already.
fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.{}", process::id()));
    // A process that had our id may have died here.
    fs::remove_file(&aside).ok();
    let written = write_aside(&aside, bytes).and_then(|()| fs::hard_link(&aside, path));
    let removed = fs::remove_file(&aside);
    written.and(removed)
}

fn write_aside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(path)?;
    // The umask of a careful administrator would hide the file from the daemon.
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
