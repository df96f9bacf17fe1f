//! A provider's API, answered by the scenario: bytes by hand, since providers are to be imitated byte for byte.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A request as it came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    /// As text, where it is text.
    pub body: String,
    /// As it came.
    pub bytes: Vec<u8>,
}

impl Asked {
    /// Without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The header field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter();
        fields
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The first value of that name in the query, or in a form in the body.
    pub fn field(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = [query, &self.body].map(|text| url::form_urlencoded::parse(text.as_bytes()));
        let mut pairs = pairs.into_iter().flatten();
        pairs
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// This status, these header fields and this body, and nothing else but its length.
    Full(u16, Vec<(&'static str, String)>, String),
    /// A whole answer byte for byte, its status line included, and the end of the connection.
    Raw(Vec<u8>),
    /// Nothing, until the caller gives up.
    Hang,
}

/// JSON, with that status.
#[expect(
    clippy::needless_pass_by_value,
    reason = "scenarios hand over a `json!`"
)]
pub fn json(status: u16, body: impl ToString) -> Reply {
    let fields = vec![("Content-Type", "application/json; charset=utf-8".to_owned())];
    Reply::Full(status, fields, body.to_string())
}

type Answers = dyn Fn(&Asked) -> Reply + Send + Sync;

/// A server on loopback. It ends with its handle.
pub struct Emulator {
    address: SocketAddr,
    answers: Arc<Mutex<Arc<Answers>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

impl Emulator {
    /// Starts it, with these answers.
    pub fn start(answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let emulator = Self {
            address: listener.local_addr().expect("an address"),
            answers: Arc::new(Mutex::new(Arc::new(answers))),
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (answers, asked, over) = (
            Arc::clone(&emulator.answers),
            Arc::clone(&emulator.asked),
            Arc::clone(&emulator.over),
        );
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (answers, asked, over) =
                    (Arc::clone(&answers), Arc::clone(&asked), Arc::clone(&over));
                thread::spawn(move || serve(stream, &answers, &asked, &over));
            }
        });
        emulator
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it is: `127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Other answers from now on.
    pub fn answer(&self, answers: impl Fn(&Asked) -> Reply + Send + Sync + 'static) {
        *self.answers.lock().expect("nobody panics with it") = Arc::new(answers);
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("nobody panics with it").clone()
    }

    /// How often that path was asked.
    pub fn hits(&self, path: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| asked.path() == path).count()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // So that it looks.
        drop(TcpStream::connect(self.address));
    }
}

/// One connection, until either side has enough.
fn serve(
    stream: TcpStream,
    answers: &Mutex<Arc<Answers>>,
    asked: &Mutex<Vec<Asked>>,
    over: &AtomicBool,
) {
    drop(stream.set_read_timeout(Some(Duration::from_secs(30))));
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        asked
            .lock()
            .expect("nobody panics with it")
            .push(request.clone());
        // Asked outside the lock: an answer may take its time.
        let answer = Arc::clone(&answers.lock().expect("nobody panics with it"));
        match answer(&request) {
            Reply::Full(status, fields, body) => {
                let mut text = format!(
                    "HTTP/1.1 {status} Emulated\r\nContent-Length: {}\r\n",
                    body.len()
                );
                for (name, value) in fields {
                    text += &format!("{name}: {value}\r\n");
                }
                text += &format!("\r\n{body}");
                if reader.get_mut().write_all(text.as_bytes()).is_err() {
                    return;
                }
            }
            Reply::Raw(bytes) => {
                drop(reader.get_mut().write_all(&bytes));
                return;
            }
            Reply::Hang => {
                // Ends when the caller hangs up, or with the emulator.
                drop(
                    reader
                        .get_mut()
                        .set_read_timeout(Some(Duration::from_millis(100))),
                );
                while !over.load(Ordering::Relaxed) {
                    match reader.read(&mut [0]) {
                        Ok(0) => return,
                        Err(error)
                            if !matches!(
                                error.kind(),
                                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                            ) =>
                        {
                            return;
                        }
                        _ => {}
                    }
                }
                return;
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|length| *length > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|length| *length > 0)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap_or(0))];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        target,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        bytes: body,
    })
}
