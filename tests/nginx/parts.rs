//! See `../nginx.rs`.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;

use crate::harness::{part, until};

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
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
        let found = folders.map(|folder| folder.join("nginx"));
        part("nginx", found.filter(|file| file.is_file()).last())
    }

    /// nginx in front of that product, guarded by that Postern.
    pub fn start(postern: &str, product: &str) -> Self {
        Self::run(postern, product, "")
    }

    /// The same, with users' own API tokens.
    pub fn with_self_service(postern: &str, product: &str) -> Self {
        let snippet = include_str!("../proxies/nginx/self-service.conf");
        Self::run(postern, product, snippet)
    }

    /// `more` stands in the server, where an `include` would.
    fn run(postern: &str, product: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // The port could be taken between our look and nginx's; then another will do.
        let (child, address) = until("nginx answers", || {
            let listener = TcpListener::bind("127.0.0.1:0").ok()?;
            let address = listener.local_addr().ok()?.to_string();
            drop(listener);
            configure(folder.path(), &address, postern, product, more);
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

/// Writes a main configuration, as a distribution has it, and the file that README.md shows with other addresses.
fn configure(folder: &Path, address: &str, postern: &str, product: &str, more: &str) {
    let mut shown = include_str!("../proxies/nginx/postern.conf").to_owned();
    for (from, to) in [
        ("listen 80;", format!("listen {address};")),
        ("server 127.0.0.1:8470;", format!("server {postern};")),
        ("server 127.0.0.1:8080;", format!("server {product};")),
    ] {
        assert_eq!(shown.matches(from).count(), 1, "{from}");
        shown = shown.replace(from, &to);
    }
    let named = "server_name jira.example.com;";
    assert_eq!(shown.matches(named).count(), 1, "{named}");
    shown = shown.replace(
        named,
        &format!("{named}\ninclude {}/more.conf;", folder.display()),
    );
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
