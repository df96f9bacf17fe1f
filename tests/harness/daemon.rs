//! The real binary, in a folder of its own, on ports of its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, Request, TenantFile, until};

pub const BINARY: &str = env!("CARGO_BIN_EXE_postern");

/// A daemon that is about to be started.
#[derive(Default)]
pub struct PosternBuilder {
    tenants: Vec<TenantFile>,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    tenants_at: Option<String>,
    by_way_of: Vec<String>,
}

impl PosternBuilder {
    pub fn and(mut self, tenant: TenantFile) -> Self {
        self.tenants.push(tenant);
        self
    }

    pub fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Started by this command, which becomes it.
    pub fn by_way_of(mut self, command: &[&str]) -> Self {
        self.by_way_of = command.iter().map(ToString::to_string).collect();
        self
    }

    /// Another tenants folder than `tenants`, below the daemon's folder.
    pub fn tenants_at(mut self, path: &str) -> Self {
        self.tenants_at = Some(path.into());
        self
    }

    /// Starts it, and waits until it is ready.
    pub fn start(self) -> Postern {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut postern = Postern {
            folder,
            flags: self.flags,
            environment: self.environment,
            by_way_of: self.by_way_of,
            tenants_at: self.tenants_at.unwrap_or_else(|| "tenants".into()),
            child: None,
            log: Arc::default(),
            check: String::new(),
            ops: String::new(),
        };
        fs::create_dir_all(postern.tenants()).expect("a folder in it");
        for tenant in &self.tenants {
            fs::write(postern.tenant_path(tenant.name()), tenant.text())
                .expect("the tenant file is written");
        }
        postern.run();
        postern
    }
}

/// A daemon that runs. It is killed when the scenario ends.
pub struct Postern {
    folder: TempDir,
    flags: Vec<String>,
    environment: Vec<(String, String)>,
    tenants_at: String,
    by_way_of: Vec<String>,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
    check: String,
    ops: String,
}

impl Postern {
    pub fn with(tenant: TenantFile) -> PosternBuilder {
        PosternBuilder::default().and(tenant)
    }

    pub fn without_tenants() -> PosternBuilder {
        PosternBuilder::default()
    }

    /// The command line of this daemon, not yet started.
    pub fn command(&self) -> Command {
        let mut words = self.by_way_of.iter().map(String::as_str).chain([BINARY]);
        let mut command = Command::new(words.next().expect("there is the binary"));
        command
            .args(words)
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0", "--workers", "2", "--tenants"])
            .arg(self.tenants())
            .arg("--data")
            .arg(self.data())
            .arg("--announce")
            .arg(self.announcement())
            .args(&self.flags)
            .env("DEV_SECRET", postern::dev::CLIENT_SECRET)
            .env("RUST_LOG", "debug,actix_server=warn,actix_http=warn,hyper=warn,reqwest=warn,hyper_util=warn,sled=warn")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it (again), and waits until it is ready.
    #[track_caller]
    pub fn run(&mut self) {
        drop(fs::remove_file(self.announcement()));
        let mut child = self.command().spawn().expect("the binary starts");
        let (log, stderr) = (
            Arc::clone(&self.log),
            child.stderr.take().expect("it is piped"),
        );
        std::thread::spawn(move || {
            use std::io::BufRead as _;
            for line in std::io::BufReader::new(stderr)
                .lines()
                .map_while(Result::ok)
            {
                let mut log = log.lock().expect("nobody panics with it");
                log.push_str(&line);
                log.push('\n');
            }
        });
        let announced: Value = until("the daemon is ready", || {
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                panic!(
                    "the daemon ended ({status}) before it was ready:\n{}",
                    self.log()
                );
            }
            serde_json::from_slice(&fs::read(self.announcement()).ok()?).ok()
        });
        let address = |found: &Value| found.as_str().expect("an address").to_owned();
        (self.check, self.ops) = (address(&announced["check"][0]), address(&announced["ops"]));
        self.child = Some(child);
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn tenants(&self) -> PathBuf {
        self.folder.path().join(&self.tenants_at)
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn admin_socket(&self) -> PathBuf {
        self.data().join("admin.sock")
    }

    pub fn announcement(&self) -> PathBuf {
        self.folder.path().join("announced.json")
    }

    pub fn tenant_path(&self, name: &str) -> PathBuf {
        self.tenants().join(format!("{name}.toml"))
    }

    /// Replaces a tenant's file in place, as an editor does that truncates and writes.
    pub fn write(&self, tenant: &TenantFile) {
        fs::write(self.tenant_path(tenant.name()), tenant.text())
            .expect("the tenant file is written");
    }

    /// The address of the check listener.
    pub fn address(&self) -> &str {
        &self.check
    }

    pub fn ops_address(&self) -> &str {
        &self.ops
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// `GET /rest/api/2/myself` with that token, as nginx asks about it.
    pub fn check(&self, tenant: &str, token: &str) -> Answer {
        self.ask(&Request::check(tenant, "/rest/api/2/myself").bearer(token))
    }

    pub fn ask(&self, request: &Request) -> Answer {
        request.send(&self.check)
    }

    pub fn ops(&self, target: &str) -> Answer {
        Request::new("GET", target).send(&self.ops)
    }

    /// `/status`, or the part of it about one tenant.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ops("/status").body).expect("JSON")
    }

    pub fn tenant_status(&self, tenant: &str) -> Value {
        let status = self.status();
        let tenants = status["tenants"].as_array().expect("a list");
        tenants
            .iter()
            .find(|known| known["tenant"] == tenant)
            .cloned()
            .unwrap_or(Value::Null)
    }

    /// The value of the metric whose line starts so, 0 if there is none.
    pub fn metric(&self, start: &str) -> f64 {
        let body = self.ops("/metrics").body;
        let line = body
            .lines()
            .find(|line| line.starts_with(start) && !line.starts_with('#'));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
            .unwrap_or(0.0)
    }

    pub fn generation(&self, tenant: &str) -> u64 {
        self.tenant_status(tenant)["generation"]
            .as_u64()
            .unwrap_or(0)
    }

    /// Waits until the tenant shows a snapshot after that one.
    #[track_caller]
    pub fn until_generation_after(&self, tenant: &str, before: u64) {
        until("another generation is served", || {
            (self.generation(tenant) > before).then_some(())
        });
    }

    /// Waits until the tenant's first provider has keys, so that no check waits for them.
    #[track_caller]
    pub fn until_keys(&self, tenant: &str) {
        until("the tenant has keys", || {
            (self.tenant_status(tenant)["providers"][0]["keys"]["usable"].as_u64()? > 0)
                .then_some(())
        });
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("nobody panics with it").clone()
    }

    /// Sends a signal by its name, like `HUP`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.pid().to_string())
            .status();
        assert!(sent.expect("kill runs").success());
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        until("the daemon has ended", || {
            child.try_wait().expect("it can be waited for")
        })
    }

    /// SIGTERM, and waits until it has ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// SIGKILL, at any moment.
    pub fn kill(&mut self) {
        self.signal("KILL");
        self.wait();
    }

    /// Runs another command of the binary.
    pub fn cli(&self, arguments: &[&str]) -> std::process::Output {
        Command::new(BINARY)
            .args(arguments)
            .env("POSTERN_TENANTS", self.tenants())
            .env("POSTERN_ADMIN_SOCKET", self.admin_socket())
            .env("DEV_SECRET", postern::dev::CLIENT_SECRET)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs")
    }
}

impl Drop for Postern {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the daemon's log:\n{}", self.log());
        }
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

// === impl Postern, on the wire ===

impl Postern {
    /// A connection to the check listener.
    pub fn connect(&self) -> std::net::TcpStream {
        super::answer::connect(&self.check)
    }
}
