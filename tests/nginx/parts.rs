//! See `../nginx.rs`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// A server on loopback that gives every connection to a thread of its own.
struct Server {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Server {
    fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port is to be had");
        let address = listener.local_addr().expect("it is bound").to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let (counted, serve) = (Arc::clone(&connections), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                thread::spawn(move || serve(stream));
            }
        });
        Self {
            address,
            connections,
        }
    }
}

/// Stands between nginx and Postern, and counts the connections that nginx makes.
pub struct Relay {
    server: Server,
    target: Arc<Mutex<String>>,
}

impl Relay {
    pub fn to(target: &str) -> Self {
        let target = Arc::new(Mutex::new(target.to_owned()));
        let leads_to = Arc::clone(&target);
        let server = Server::start(move |near| {
            let target = leads_to.lock().expect("nobody panics with it").clone();
            // Without a Postern the connection ends at once, as with a daemon that crashed.
            let Ok(far) = TcpStream::connect(target) else {
                return;
            };
            let back = pump(&far, &near);
            pump(&near, &far).join().expect("copying does not panic");
            back.join().expect("copying does not panic");
        });
        Self { server, target }
    }

    /// Where connections lead from now on.
    pub fn lead_to(&self, target: &str) {
        target.clone_into(&mut self.target.lock().expect("nobody panics with it"));
    }

    pub fn address(&self) -> &str {
        &self.server.address
    }

    pub fn connections(&self) -> usize {
        self.server.connections.load(Ordering::SeqCst)
    }
}

/// Copies one direction, and hands its end on.
fn pump(from: &TcpStream, to: &TcpStream) -> thread::JoinHandle<()> {
    let clone = |stream: &TcpStream| stream.try_clone().expect("a descriptor is to be had");
    let (mut from, mut to) = (clone(from), clone(to));
    thread::spawn(move || {
        drop(std::io::copy(&mut from, &mut to));
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    })
}

/// The product: answers every request with what it received, and starts a session with everybody.
pub struct Product(Server);

impl Product {
    pub fn start() -> Self {
        Self(Server::start(|stream| drop(echo(&stream))))
    }

    pub fn address(&self) -> &str {
        &self.0.address
    }

    /// How many connections it got; each has one request.
    pub fn requests(&self) -> usize {
        self.0.connections.load(Ordering::SeqCst)
    }
}

fn echo(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        text.push_str(line);
        text.push('\n');
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.parse().expect("nginx sends a length");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    text.push_str(&String::from_utf8_lossy(&body));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\nSet-Cookie: JSESSIONID=new; Path=/\r\nSet-Cookie: atlassian.xsrf.token=x\r\n\r\n{text}",
        text.len()
    )
}

/// Instead of the product: says in its answer which target it was asked for, byte by byte, and on whose word.
pub struct Recorder(Server);

impl Recorder {
    pub fn start() -> Self {
        Self(Server::start(|stream| drop(record(&stream))))
    }

    pub fn address(&self) -> &str {
        &self.0.address
    }
}

/// Answers every request on the connection. nginx sends it no bodies.
fn record(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        // A target may hold spaces, for all we know.
        let words: Vec<&[u8]> = line.splitn(2, |byte| *byte == b' ').collect();
        let end = words[1].len() - " HTTP/1.1\r\n".len();
        let mut target = String::new();
        for byte in &words[1][..end] {
            target += &format!("{byte:02x}");
        }
        let mut way = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line)?;
            if line == b"\r\n" {
                break;
            }
            if line.starts_with(b"Postern-Method: ") {
                way = line["Postern-Method: ".len()..].trim_ascii().to_vec();
            }
        }
        // At once, or the second piece would wait for the first one's acknowledgement.
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTarget: {target}\r\nWay: {}\r\n\r\n",
            String::from_utf8_lossy(&way)
        );
        stream.write_all(answer.as_bytes())?;
    }
}
