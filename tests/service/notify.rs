//! See `../service.rs`.

use std::{
    fs,
    io::ErrorKind,
    os::unix::net::UnixDatagram,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use nix::{
    sys::{
        ptrace,
        wait::{WaitPidFlag, waitpid},
    },
    unistd::Pid,
};
use tempfile::TempDir;

use crate::harness::{BINARY, Postern, PosternBuilder, Request, issuer, tenant, until};

/// The service manager, as far as a daemon knows it: a datagram socket.
struct Manager {
    folder: TempDir,
    socket: UnixDatagram,
}

impl Manager {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let socket = UnixDatagram::bind(folder.path().join("notify")).expect("it can be bound");
        socket
            .set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout can be set");
        Self { folder, socket }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("notify")
    }

    /// A daemon that this manager started.
    fn starts(&self, postern: PosternBuilder) -> PosternBuilder {
        let path = self.path();
        postern.env("NOTIFY_SOCKET", path.to_str().expect("an ASCII path"))
    }

    /// The next message.
    #[track_caller]
    fn hears(&self) -> String {
        let mut message = [0; 4096];
        let length = self
            .socket
            .recv(&mut message)
            .expect("a message within the time limit");
        String::from_utf8_lossy(&message[..length])
            .trim()
            .to_owned()
    }

    /// All messages that lie here.
    fn heard(&self) -> Vec<String> {
        self.socket.set_nonblocking(true).expect("it can be set");
        let mut heard = Vec::new();
        let mut message = [0; 4096];
        loop {
            match self.socket.recv(&mut message) {
                Ok(length) => heard.push(String::from_utf8_lossy(&message[..length]).into_owned()),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        self.socket.set_nonblocking(false).expect("it can be set");
        heard
    }
}

/// A thread of a daemon, stopped as a bug or a dead disk would stop it. It goes on when this drops.
struct Stopped(Pid);

impl Stopped {
    /// Stops the thread of that name as soon as there is one.
    fn thread(process: u32, name: &str) -> Self {
        let thread = until("the thread is there", || {
            let tasks = fs::read_dir(format!("/proc/{process}/task")).ok()?;
            let task = tasks.flatten().find(|task| {
                fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
            })?;
            task.file_name().to_str()?.parse().ok().map(Pid::from_raw)
        });
        ptrace::seize(thread, ptrace::Options::empty()).expect("a child can be traced");
        ptrace::interrupt(thread).expect("what is traced can be stopped");
        waitpid(thread, Some(WaitPidFlag::__WALL)).expect("it stops");
        Self(thread)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        ptrace::detach(self.0, None).expect("what is stopped can go on");
    }
}

/// READY comes when the last of many tenants is served. As long as the writers are at it, it does not, and
/// `/readyz` says so.
#[test]
fn ready_is_told_when_every_tenant_is_served_and_not_before() {
    let (acme, manager) = (issuer(), Manager::start());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let tenants = folder.path().join("tenants");
    fs::create_dir(&tenants).expect("a folder in it");
    for number in 0..2000 {
        let tenant = tenant(&format!("jira-{number}")).trusting(&acme);
        fs::write(tenants.join(format!("jira-{number}.toml")), tenant.text()).expect("written");
    }
    let ops = super::sockets::free_address();
    let announcement = folder.path().join("announced.json");
    let mut daemon = Command::new(BINARY)
        .args(["serve", "--listen", "127.0.0.1:0", "--ops-listen", &ops])
        .arg("--tenants")
        .arg(tenants)
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg("--announce")
        .arg(&announcement)
        .env("NOTIFY_SOCKET", manager.path())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    until("the ops listener is there", || {
        std::net::TcpStream::connect(&ops).ok()
    });
    let writers = Stopped::thread(daemon.id(), "writers");
    assert_eq!(Request::new("GET", "/readyz").send(&ops).status, 503);
    assert_eq!(Request::new("GET", "/healthz").send(&ops).status, 200);
    assert_eq!(manager.heard(), Vec::<String>::new());

    drop(writers);
    assert_eq!(manager.hears(), "READY=1");
    let announced: serde_json::Value =
        serde_json::from_slice(&fs::read(announcement).expect("announced")).expect("JSON");
    let check = announced["check"][0].as_str().expect("an address");
    let token = acme.token().sign();
    for tenant in ["jira-0", "jira-999", "jira-1999"] {
        let answer = Request::check(tenant, "/rest/api/2/myself").bearer(&token);
        answer.send(check).is_allowed_as("ada");
    }
    daemon.kill().expect("it runs");
    daemon.wait().expect("it ended");
}

/// SIGHUP is told as a reload, with its time by the monotonic clock, and ends with READY (Type=notify-reload).
#[test]
fn a_reload_is_told_from_its_beginning_to_its_end() {
    let manager = Manager::start();
    let mut postern = manager.starts(Postern::without_tenants()).start();
    assert_eq!(manager.hears(), "READY=1");
    postern.signal("HUP");
    let reloading = manager.hears();
    let (first, time) = reloading.split_once('\n').expect("two lines");
    assert_eq!(first, "RELOADING=1");
    let time = time.strip_prefix("MONOTONIC_USEC=").expect("its time");
    let up = fs::read_to_string("/proc/uptime").expect("proc is mounted");
    let up: f64 = up
        .split(' ')
        .next()
        .and_then(|seconds| seconds.parse().ok())
        .expect("seconds");
    let told: f64 = time.parse().expect("microseconds");
    assert!((up - told / 1e6).abs() < 20.0, "{told} µs, up {up} s");
    assert_eq!(manager.hears(), "READY=1");
    assert!(postern.stop().success());
}

/// SIGTERM is told as STOPPING, and ends with 0; a kill is not told at all.
#[test]
fn stopping_is_told() {
    let manager = Manager::start();
    let mut postern = manager.starts(Postern::without_tenants()).start();
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(postern.stop().code(), Some(0));
    assert_eq!(manager.hears(), "STOPPING=1");
    postern.run();
    assert_eq!(manager.hears(), "READY=1");
    postern.kill();
    assert_eq!(manager.heard(), Vec::<String>::new());
}

/// Signs of life come while the writers live. When they hang they stop, although checks are answered still: systemd
/// shall restart a daemon whose tenants no longer change. When the writers go on, so do the signs.
#[test]
fn the_watchdog_is_fed_only_while_the_writers_answer() {
    let (acme, manager) = (issuer(), Manager::start());
    let daemon = Postern::with(tenant("jira").trusting(&acme)).env("WATCHDOG_USEC", "400000");
    let postern = manager.starts(daemon).start();
    postern.until_keys("jira");
    assert_eq!(manager.hears(), "READY=1");
    for _ in 0..3 {
        assert_eq!(manager.hears(), "WATCHDOG=1");
    }

    let complaints = || postern.log().matches("the writers do not answer").count();
    let writers = Stopped::thread(postern.pid(), "writers");
    until("the hang is noticed", || (complaints() >= 1).then_some(()));
    manager.heard();
    until("it lasts", || (complaints() >= 4).then_some(()));
    assert_eq!(manager.heard(), Vec::<String>::new());
    postern
        .check("jira", &acme.token().sign())
        .is_allowed_as("ada");

    drop(writers);
    assert_eq!(manager.hears(), "WATCHDOG=1");
}

/// Who writes down whose an account is counts as one of them. While it hangs, accounts that are known pass, and one that
/// was never seen is put off, soon enough for its proxy.
#[test]
fn a_hanging_pinner_is_noticed_and_says_yes_to_nobody() {
    let (acme, manager) = (issuer(), Manager::start());
    let daemon = Postern::with(tenant("jira").trusting(&acme)).env("WATCHDOG_USEC", "400000");
    let postern = manager.starts(daemon).start();
    postern.until_keys("jira");
    let (ada, bob) = (acme.token(), acme.token().subject("bob"));
    postern
        .check("jira", &ada.clone().sign())
        .is_allowed_as("ada");
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(manager.hears(), "WATCHDOG=1");

    let pinner = Stopped::thread(postern.pid(), "pinner");
    let asked = std::time::Instant::now();
    let answer = postern.check("jira", &bob.clone().sign());
    answer.is_refused(503, "tenant_unavailable");
    assert!(asked.elapsed() < Duration::from_secs(4));
    postern.check("jira", &ada.sign()).is_allowed_as("ada");
    let noticed = || postern.log().contains("the writers do not answer");
    until("the hang is noticed", || noticed().then_some(()));

    drop(pinner);
    postern.check("jira", &bob.sign()).is_allowed_as("bob");
}

/// Without a watchdog nobody is pestered; with one, signs come at least twice as often as systemd expects them.
#[test]
fn signs_of_life_come_at_half_the_watchdogs_time() {
    let manager = Manager::start();
    let calm = manager.starts(Postern::without_tenants()).start();
    assert_eq!(manager.hears(), "READY=1");
    drop(calm);
    let daemon = Postern::without_tenants().env("WATCHDOG_USEC", "1000000");
    let _postern = manager.starts(daemon).start();
    assert_eq!(manager.hears(), "READY=1");
    assert_eq!(manager.hears(), "WATCHDOG=1");
    let first = std::time::Instant::now();
    for _ in 0..4 {
        assert_eq!(manager.hears(), "WATCHDOG=1");
    }
    let each = first.elapsed() / 4;
    assert!(
        each > Duration::from_millis(250) && each < Duration::from_secs(1),
        "{each:?}"
    );
}
