//! The release daemon, in a folder of its own.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::{load, process::Running};

/// The longest that a start, or the first fetch of keys, may take.
const LIMIT: Duration = Duration::from_mins(1);

/// The folder that a daemon is started in: again and again, if need be.
pub struct Home(TempDir);

/// A daemon that is ready.
pub struct Daemon {
    /// Its process.
    pub process: Running,
    /// Of the check listener.
    pub address: String,
    /// Of the ops listener.
    pub ops: String,
    /// From the start of its process until it was ready.
    pub start: Duration,
}

impl Home {
    /// An empty one.
    pub fn new() -> anyhow::Result<Self> {
        let home = Self(tempfile::tempdir()?);
        fs::create_dir(home.0.path().join("tenants"))?;
        fs::create_dir(home.0.path().join("work"))?;
        Ok(home)
    }

    /// A path for what is none of the daemon's business: it watches the tenants folder and the one around it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join("work").join(name)
    }

    /// The folder of the daemon's memory.
    pub fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// What the last daemon logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Puts a tenant file in place, by rename as the documentation advises.
    pub fn write(&self, tenant: &str, text: &str) -> anyhow::Result<Instant> {
        let aside = self.path("aside.toml");
        fs::write(&aside, text)?;
        let renamed = Instant::now();
        fs::rename(aside, self.0.path().join(format!("tenants/{tenant}.toml")))?;
        Ok(renamed)
    }

    /// Starts a daemon and waits until it is ready; on one `core` with one worker, or as it is used.
    pub fn start(&self, core: Option<usize>) -> anyhow::Result<Daemon> {
        let (announcement, log) = (self.path("announced.json"), self.path("log"));
        drop(fs::remove_file(&announcement));
        let mut command = Command::new(env!("CARGO_BIN_EXE_postern"));
        command
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--ops-listen",
                "127.0.0.1:0",
            ])
            .arg("--tenants")
            .arg(self.0.path().join("tenants"))
            .arg("--data")
            .arg(self.data())
            .arg("--announce")
            .arg(&announcement)
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log)?);
        if core.is_some() {
            command.args(["--workers", "1"]);
        }
        let started = Instant::now();
        let mut process = Running::start(&mut command, core)?;
        let announced = loop {
            if let Ok(text) = fs::read(&announcement) {
                break text;
            }
            if process.0.try_wait()?.is_some() || started.elapsed() > LIMIT {
                bail!("the daemon did not start:\n{}", self.log());
            }
            thread::sleep(Duration::from_millis(1));
        };
        let start = started.elapsed();
        let announced: serde_json::Value = serde_json::from_slice(&announced)?;
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        Ok(Daemon {
            process,
            address: text(&announced["check"][0]).context("no check address")?,
            ops: text(&announced["ops"]).context("no ops address")?,
            start,
        })
    }
}

impl Daemon {
    /// Asks until the token is allowed (at first its issuer's keys may be missing), and gives the answer's headers.
    pub fn until_allowed(
        &self,
        tenant: &str,
        token: &str,
    ) -> anyhow::Result<Vec<(String, String)>> {
        let request = load::request(&format!("/check/{tenant}"), token);
        let started = Instant::now();
        let mut stream = TcpStream::connect(&self.address)?;
        loop {
            let answer = ask(&mut stream, &request)?;
            if answer.starts_with(b"HTTP/1.1 200 ") {
                return load::parse(&answer);
            }
            if started.elapsed() > LIMIT {
                bail!(
                    "{tenant} allows no token: {}",
                    String::from_utf8_lossy(&answer)
                );
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// The sum of the metrics whose lines start so.
    pub fn metric(&self, start: &str) -> anyhow::Result<f64> {
        let mut stream = TcpStream::connect(&self.ops)?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: ops\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let lines = text.lines().filter(|line| line.starts_with(start));
        Ok(lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum())
    }
}

/// Sends a request and reads the answer, which has no body.
pub fn ask(stream: &mut TcpStream, request: &[u8]) -> anyhow::Result<Vec<u8>> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    let mut buffer = [0; 8 * 1024];
    while !answer.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => bail!("the daemon closed the connection"),
            more => answer.extend_from_slice(&buffer[..more]),
        }
    }
    Ok(answer)
}
