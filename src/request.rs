//! The question: one call to the product, as the proxy tells it.

use std::{
    borrow::Cow,
    fmt,
    net::IpAddr,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::credential::Authorization;

/// A call that somebody makes to the product.
pub struct Request<'r> {
    /// Names it in logs and answers.
    pub id: RequestId,
    /// As the client sent it; methods are case-sensitive (RFC 9110 §9.1).
    pub method: &'r str,
    /// The method that a header asks the product to take instead.
    pub method_override: Option<&'r str>,
    /// The raw request target, query included.
    pub target: &'r [u8],
    /// The client's address, as far as the proxy is believed.
    pub address: Option<IpAddr>,
    /// The `Authorization` fields.
    pub authorization: Authorization<'r>,
    /// Whether a browser asks by it what another site's page may send (Fetch §3.2.2: OPTIONS with `Origin` and
    /// `Access-Control-Request-Method`). It never carries a credential.
    pub is_preflight: bool,
    /// The `Cookie` fields, joined as RFC 9113 §8.2.3 does.
    pub cookie: Option<Cow<'r, [u8]>>,
}

impl Request<'_> {
    /// Every method that the product might take it for.
    pub fn methods(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.method).chain(self.method_override)
    }
}

/// Without the query and the cookies: both may hold credentials.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("authorization", &self.authorization)
            .finish_non_exhaustive()
    }
}

/// Unique among the requests of all daemons, for practical purposes.
#[derive(Clone, Copy)]
pub struct RequestId {
    process: u64,
    number: u64,
}

impl RequestId {
    /// A new one. Only a counter moves: randomness once per process is enough to tell daemons apart.
    #[must_use]
    pub fn next() -> Self {
        static PROCESS: OnceLock<u64> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let process = *PROCESS.get_or_init(|| {
            let mut bytes = [0; 8];
            aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives randomness");
            u64::from_ne_bytes(bytes)
        });
        Self {
            process,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Its number among the requests of this process.
    #[must_use]
    pub fn number(self) -> u64 {
        self.number
    }

    /// As it is written: 32 hexadecimal digits.
    #[must_use]
    pub fn text(self) -> [u8; 32] {
        let mut text = [0; 32];
        let bytes = (u128::from(self.process) << 64 | u128::from(self.number)).to_be_bytes();
        for (byte, digits) in bytes.iter().zip(text.chunks_exact_mut(2)) {
            digits[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            digits[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        text
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.process, self.number)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
