//! nginx, as README.md shows it.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

use super::{program, until};

/// A real nginx with the configuration of README.md. It is killed when the scenario ends.
pub struct Nginx {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Nginx {
    /// Where nginx is, if it is installed.
    #[track_caller]
    pub fn installed() -> Option<PathBuf> {
        program("nginx")
    }

    /// nginx in front of that product, which is that tenant of that Postern.
    pub fn start(tenant: &str, postern: &str, product: &str) -> Self {
        Self::run(tenant, postern, product, "")
    }

    /// The same, with users' own API tokens.
    pub fn with_self_service(tenant: &str, postern: &str, product: &str) -> Self {
        let snippet = include_str!("../proxies/nginx/self-service.conf");
        Self::run(tenant, postern, product, snippet)
    }

    /// `more` stands in the server, where an `include` would.
    fn run(tenant: &str, postern: &str, product: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The port could be taken between our look and nginx's; then another will do.
        let (child, address) = until("nginx answers", || {
            let listener = TcpListener::bind("127.0.0.1:0").ok()?;
            let address = listener.local_addr().ok()?.to_string();
            drop(listener);
            configure(folder.path(), &address, tenant, postern, product, more);
            let log = fs::File::create(folder.path().join("log")).ok()?;
            let mut child = Command::new(Self::installed()?)
                .args(["-e", "stderr", "-c"])
                .arg(folder.path().join("nginx.conf"))
                .stdin(Stdio::null())
                .stderr(log)
                .spawn()
                .ok()?;
            until("nginx listens or gives up", || {
                let ended = child.try_wait().ok()?.is_some();
                (ended || TcpStream::connect(&address).is_ok()).then_some(())
            });
            let ended = child.try_wait().ok()?.is_some();
            (!ended).then_some((child, address))
        });
        Self {
            child,
            address,
            folder,
        }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where it is, for clients: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = fs::read_to_string(self.folder.path().join("log"));
            eprintln!("--- nginx's log:\n{}", log.unwrap_or_default());
        }
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Writes a main configuration, as a distribution has it, and the file that README.md shows with another tenant's name
/// and other addresses.
fn configure(folder: &Path, address: &str, tenant: &str, postern: &str, product: &str, more: &str) {
    let mut shown = include_str!("../proxies/nginx/postern.conf").to_owned();
    for (from, to) in [
        ("listen 80;", format!("listen {address};")),
        ("server 127.0.0.1:8470;", format!("server {postern};")),
        ("server 127.0.0.1:8080;", format!("server {product};")),
        ("/check/jira;", format!("/check/{tenant};")),
    ] {
        assert_eq!(shown.matches(from).count(), 1, "{from}");
        shown = shown.replace(from, &to);
    }
    let named = "server_name jira.example.com;";
    assert_eq!(shown.matches(named).count(), 1, "{named}");
    let included = format!("{named}\ninclude {}/more.conf;", folder.display());
    shown = shown.replace(named, &included);
    fs::write(folder.join("more.conf"), more).expect("it can be written");
    fs::write(folder.join("postern.conf"), shown).expect("it can be written");
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|part| format!("{part}_temp_path {folder}/{part};\n"))
        .concat();
    let main = format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr info;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}include {folder}/postern.conf;\n}}\n"
    );
    fs::write(format!("{folder}/nginx.conf"), main).expect("it can be written");
}
