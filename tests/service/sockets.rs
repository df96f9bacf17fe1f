//! See `../service.rs`.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::harness::{
    Answer, Ends, Fault, Issuer, Postern, Request, issuer, program, tenant, until,
};

/// An address that nobody listens on.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is to be had");
    listener.local_addr().expect("it is bound").to_string()
}

/// A folder with a tenant `jira`, remembered keys included: what a daemon was before it went down.
fn gone(acme: &Issuer) -> Postern {
    let mut postern = Postern::with(tenant("jira").trusting(acme)).start();
    postern.until_keys("jira");
    assert!(postern.stop().success());
    drop(fs::remove_file(postern.announcement()));
    postern
}

/// Where the daemon says that it listens, once it is ready.
fn announced(postern: &Postern) -> String {
    let announced: Value = until("the daemon is ready", || {
        serde_json::from_slice(&fs::read(postern.announcement()).ok()?).ok()
    });
    announced["check"][0].as_str().expect("text").to_owned()
}

/// A child that is killed when the scenario ends.
struct Daemon(Child);

impl Daemon {
    /// The daemon's command line, run by another program.
    fn by(program: &Path, arguments: &[&str], postern: &Postern) -> Self {
        let command = postern.command();
        let mut wrapped = Command::new(program);
        wrapped
            .args(arguments)
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        Self(wrapped.spawn().expect("the program was found"))
    }

    /// The daemon with that socket as systemd hands it over: as file descriptor 3 (sd_listen_fds(3)).
    fn with_socket(socket: OwnedFd, postern: &Postern) -> Self {
        let command = postern.command();
        let mut shell = Command::new("sh");
        shell
            .args([
                "-c",
                "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\" 3<&0 0</dev/null",
                "sh",
            ])
            .arg(command.get_program())
            .args(command.get_args())
            .stdin(Stdio::from(socket))
            .stderr(Stdio::null());
        Self(shell.spawn().expect("there is a shell"))
    }

    /// SIGTERM.
    fn term(&self) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(sent.expect("kill runs").success());
    }

    fn ends_with(&mut self, code: i32) {
        let status = until("the daemon has ended", || {
            self.0.try_wait().expect("it can be waited for")
        });
        assert_eq!(status.code(), Some(code));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The bytes of a check with that token, on a connection of its own.
fn check(token: &str) -> String {
    format!(
        "GET /check/jira HTTP/1.1\r\nHost: postern\r\nConnection: close\r\nX-Original-Method: GET\r\nX-Original-URI: /rest/api/2/myself\r\nAuthorization: Bearer {token}\r\n\r\n"
    )
}

/// Asks through a Unix socket; gives the whole answer.
fn ask_unix(path: &Path, token: &str) -> String {
    let mut stream = until("systemd listens", || UnixStream::connect(path).ok());
    stream
        .write_all(check(token).as_bytes())
        .expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

/// A TCP socket of systemd's is used in the place of `--listen`.
#[test]
fn a_tcp_socket_that_systemd_hands_over_is_used() {
    let Some(activate) = program("systemd-socket-activate") else {
        return;
    };
    let acme = issuer();
    let (postern, address) = (gone(&acme), free_address());
    let _daemon = Daemon::by(&activate, &["-l", &address], &postern);
    // systemd starts the daemon when the first connection comes, which then waits for it.
    let mut first = until("systemd listens", || TcpStream::connect(&address).ok());
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&acme.token().sign());
    request.send_on(&mut first).is_allowed_as("ada");
    assert_eq!(announced(&postern), address);
    let refused = Request::check("jira", "/rest/api/2/myself").send(&address);
    refused.is_refused(401, "no_credential");
}

/// So is a Unix socket.
#[test]
fn a_unix_socket_that_systemd_hands_over_is_used() {
    let Some(activate) = program("systemd-socket-activate") else {
        return;
    };
    let acme = issuer();
    let postern = gone(&acme);
    let path = postern.folder().join("check.sock");
    let text = path.to_str().expect("an ASCII path");
    let _daemon = Daemon::by(&activate, &["-l", text], &postern);
    let allowed = ask_unix(&path, &acme.token().subject("ada").sign());
    assert!(
        allowed.starts_with("HTTP/1.1 200") && allowed.contains("remote-user: ada\r\n"),
        "{allowed}"
    );
    assert_eq!(announced(&postern), format!("unix:{text}"));
    let refused = ask_unix(&path, "x");
    assert!(refused.starts_with("HTTP/1.1 401"), "{refused}");
}

/// A socket that nobody can connect to is a mistake in a unit file, and is named.
#[test]
fn a_socket_that_does_not_listen_is_refused() {
    let acme = issuer();
    let postern = gone(&acme);
    let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
    let mut daemon = Daemon::with_socket(datagrams.into(), &postern);
    daemon.ends_with(1);
}

/// While no daemon runs, connections wait in systemd's socket, and the next daemon answers them.
#[test]
fn connections_made_while_the_daemon_is_down_are_answered_by_the_next_one() {
    let acme = issuer();
    let postern = gone(&acme);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a loopback port is to be had");
    let address = socket.local_addr().expect("it is bound").to_string();
    let handed = || OwnedFd::from(socket.try_clone().expect("a descriptor is to be had"));
    let request = Request::check("jira", "/rest/api/2/myself").bearer(&acme.token().sign());
    let mut daemon = Daemon::with_socket(handed(), &postern);
    request.send(&address).is_allowed_as("ada");
    daemon.term();
    daemon.ends_with(0);

    let mut waiting: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(&address).expect("systemd still listens");
            let bytes = check(&acme.token().sign());
            stream.write_all(bytes.as_bytes()).expect("it is kept");
            stream
        })
        .collect();
    let _next = Daemon::with_socket(handed(), &postern);
    for stream in &mut waiting {
        Answer::read(stream, "GET").is_allowed_as("ada");
    }
}

/// The same through a Unix socket: the daemon that ends leaves its file where it is, since it is systemd's.
#[test]
fn a_unix_socket_of_systemds_outlives_the_daemon() {
    let acme = issuer();
    let postern = gone(&acme);
    let path = postern.folder().join("check.sock");
    let socket = UnixListener::bind(&path).expect("it can be bound");
    let handed = || socket.as_fd().try_clone_to_owned().expect("a descriptor");
    let mut daemon = Daemon::with_socket(handed(), &postern);
    let token = acme.token().sign();
    assert!(ask_unix(&path, &token).starts_with("HTTP/1.1 200"));
    daemon.term();
    daemon.ends_with(0);
    let mut waiting = UnixStream::connect(&path).expect("systemd still listens");
    waiting.write_all(check(&token).as_bytes()).expect("kept");
    let _next = Daemon::with_socket(handed(), &postern);
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Requests rain on while the daemon is restarted, five times: each is answered, none is refused or cut off.
#[test]
fn a_restart_under_load_loses_no_request() {
    let acme = issuer();
    let postern = gone(&acme);
    let socket = TcpListener::bind("127.0.0.1:0").expect("a loopback port is to be had");
    let address = socket.local_addr().expect("it is bound").to_string();
    let handed = || OwnedFd::from(socket.try_clone().expect("a descriptor is to be had"));
    let (bytes, over) = (check(&acme.token().sign()), AtomicBool::new(false));
    let rain = || {
        let mut answered = 0;
        while !over.load(Ordering::Relaxed) {
            let mut stream = TcpStream::connect(&address).expect("the socket is systemd's");
            let limit = Some(Duration::from_secs(20));
            stream.set_read_timeout(limit).expect("it can be set");
            stream.write_all(bytes.as_bytes()).expect("it is read");
            let mut answer = String::new();
            let read = stream.read_to_string(&mut answer);
            assert!(
                answer.starts_with("HTTP/1.1 200"),
                "after {answered}: {read:?} {answer}"
            );
            answered += 1;
        }
        answered
    };
    std::thread::scope(|scope| {
        let ends = Ends(&over);
        let clouds: Vec<_> = (0..4).map(|_| scope.spawn(rain)).collect();
        for _ in 0..5 {
            let mut daemon = Daemon::with_socket(handed(), &postern);
            announced(&postern);
            let ready = Request::check("jira", "/rest/api/2/myself").send(&address);
            ready.is_refused(401, "no_credential");
            daemon.term();
            daemon.ends_with(0);
            drop(fs::remove_file(postern.announcement()));
        }
        let _last = Daemon::with_socket(handed(), &postern);
        announced(&postern);
        drop(ends);
        let answered: Vec<u32> = clouds
            .into_iter()
            .map(|cloud| cloud.join().expect("no request was lost"))
            .collect();
        assert!(answered.iter().sum::<u32>() > 20, "{answered:?}");
    });
}

/// SIGTERM waits for a check that waits for an issuer; who comes after it is not let in.
#[test]
fn a_check_in_flight_is_answered_after_sigterm() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").asking(&acme)).start();
    acme.intercept(|path| match path {
        "/introspect" => Fault::Delay(Duration::from_secs(1)),
        _ => Fault::None,
    });
    let mut stream = TcpStream::connect(postern.address()).expect("it listens");
    let bytes = check(&acme.token().subject("ada").opaque());
    stream.write_all(bytes.as_bytes()).expect("it is read");
    until("the issuer is asked", || {
        (acme.waiting("/introspect") > 0).then_some(())
    });
    postern.signal("TERM");
    let address = postern.address().to_owned();
    until("nobody listens", || TcpStream::connect(&address).err());
    Answer::read(&mut stream, "GET").is_allowed_as("ada");
    assert_eq!(postern.wait().code(), Some(0));
}

/// Connections that a proxy keeps for later do not hold up the end.
#[test]
fn idle_connections_do_not_delay_the_end() {
    let acme = issuer();
    let mut postern = Postern::with(tenant("jira").trusting(&acme)).start();
    let mut kept = TcpStream::connect(postern.address()).expect("it listens");
    let request = Request::check("jira", "/rest/api/2/myself");
    request.send_on(&mut kept).is_refused(401, "no_credential");
    let told = Instant::now();
    assert_eq!(postern.stop().code(), Some(0));
    assert!(
        told.elapsed() < Duration::from_secs(5),
        "{:?}",
        told.elapsed()
    );
}
