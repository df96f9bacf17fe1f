//! Requests and answers on the wire. Bytes by hand, since many scenarios send what no client library would.

use std::{
    io::{BufRead, BufReader, Read, Write as _},
    net::TcpStream,
    time::Duration,
};

/// A request to one of the daemon's listeners.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: Vec::new(),
        }
    }

    /// `/check/TENANT` about `GET URI`, as nginx sends it.
    pub fn check(tenant: &str, uri: &str) -> Self {
        Self::new("GET", &format!("/check/{tenant}"))
            .header("X-Original-Method", "GET")
            .header("X-Original-URI", uri)
            .header("X-Real-IP", "192.0.2.7")
    }

    /// One more header field; doubled ones stay doubled.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// That header field with another value.
    pub fn replace(self, name: &str, value: &str) -> Self {
        self.without(name).header(name, value)
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sends it on a connection of its own.
    pub fn send(&self, address: &str) -> Answer {
        let mut stream = connect(address);
        self.send_on(&mut stream)
    }

    /// Sends it on this connection, and reads the answer to its end.
    pub fn send_on(&self, stream: &mut TcpStream) -> Answer {
        self.write_to(stream);
        Answer::read(stream, &self.method)
    }
}

pub fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address)
        .unwrap_or_else(|error| panic!("nobody listens on {address}: {error}"));
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout can be set");
    stream
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn read(stream: &mut impl Read, method: &str) -> Self {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).expect("an answer");
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            // Some hand on bytes that are no text.
            let mut line = Vec::new();
            reader.read_until(b'\n', &mut line).expect("a header line");
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').expect("a header field");
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut answer = Self {
            status,
            headers,
            body: String::new(),
        };
        if method != "HEAD" {
            answer.body = answer.read_body(&mut reader);
        }
        answer
    }

    fn read_body(&self, reader: &mut impl BufRead) -> String {
        let mut body = Vec::new();
        if self.header("transfer-encoding") == Some("chunked") {
            loop {
                let mut size = String::new();
                reader.read_line(&mut size).expect("a chunk's size");
                let size = usize::from_str_radix(size.trim(), 16).expect("a hexadecimal size");
                let mut chunk = vec![0; size + 2];
                reader.read_exact(&mut chunk).expect("a chunk");
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..size]);
            }
        } else if let Some(length) = self.header("content-length") {
            body = vec![0; length.parse().expect("a length")];
            reader.read_exact(&mut body).expect("the body");
        } else {
            reader.read_to_end(&mut body).expect("the body");
        }
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The value of the header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn reason(&self) -> &str {
        self.header("postern-reason").unwrap_or_default()
    }

    /// 200, as that account.
    #[track_caller]
    pub fn is_allowed_as(&self, account: &str) -> &Self {
        assert_eq!(
            (self.status, self.header("remote-user")),
            (200, Some(account)),
            "{self:?}"
        );
        self
    }

    /// 200, as nobody: the product decides.
    #[track_caller]
    pub fn passes_as(&self, method: &str) -> &Self {
        assert_eq!(
            (
                self.status,
                self.header("remote-user"),
                self.header("postern-method")
            ),
            (200, Some(""), Some(method)),
            "{self:?}"
        );
        self
    }

    /// Refused, with that status and word.
    #[track_caller]
    pub fn is_refused(&self, status: u16, reason: &str) -> &Self {
        assert_eq!((self.status, self.reason()), (status, reason), "{self:?}");
        self
    }
}

// Sending and reading apart: for many requests at once, without a thread for each.
impl Request {
    /// Sends it on this connection, and does not wait for the answer.
    pub fn write_to(&self, stream: &mut TcpStream) {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: postern\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.push_str("\r\n");
        stream
            .write_all(text.as_bytes())
            .expect("the listener reads");
    }

    /// The answer to it, from the connection that it was sent on.
    pub fn read_from(&self, stream: &mut TcpStream) -> Answer {
        Answer::read(stream, &self.method)
    }
}
