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

/// Answers like a Postern of a later version would.
pub struct StandIn(Server);

impl StandIn {
    pub fn answering(answer: &'static str) -> Self {
        Self(Server::start(move |mut stream| {
            let reader = BufReader::new(stream.try_clone().expect("a descriptor is to be had"));
            for line in reader.lines().map_while(Result::ok) {
                if line.is_empty() && stream.write_all(answer.as_bytes()).is_err() {
                    return;
                }
            }
        }))
    }

    pub fn address(&self) -> &str {
        &self.0.address
    }
}
