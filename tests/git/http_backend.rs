//! `git http-backend`, git's own server over HTTP, run as a CGI program (RFC 3875).

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    thread,
};

use crate::harness::emulator::{Asked, Reply};

/// Answers that user, for the repositories below `root`, whose addresses start with `prefix`.
pub fn answer(root: &Path, prefix: &str, user: &str, asked: &Asked) -> Reply {
    let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
    let header = |name: &str| asked.header(name).unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GATEWAY_INTERFACE", "CGI/1.1")
        .env("SERVER_PROTOCOL", "HTTP/1.1")
        .env("REQUEST_METHOD", &asked.method)
        .env(
            "PATH_INFO",
            path.strip_prefix(prefix).expect("it is git's own"),
        )
        .env("QUERY_STRING", query)
        .env("REMOTE_ADDR", "127.0.0.1")
        .env("REMOTE_USER", user)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", asked.bytes.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    let mut stdin = child.stdin.take().expect("it is piped");
    let output = thread::scope(|scope| {
        // Beside reading: it answers before it has read everything.
        scope.spawn(move || drop(stdin.write_all(&asked.bytes)));
        child.wait_with_output().expect("it ends")
    });
    let end = output
        .stdout
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .expect("a CGI program's header ends with an empty line");
    let (fields, body) = (&output.stdout[..end], &output.stdout[end + 4..]);
    let fields = String::from_utf8_lossy(fields);
    let status = fields
        .lines()
        .find_map(|line| line.strip_prefix("Status: "))
        .unwrap_or("200 OK");
    let mut whole = format!(
        "HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    whole.extend_from_slice(body);
    Reply::Raw(whole)
}
