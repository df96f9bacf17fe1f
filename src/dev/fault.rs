//! What a lying or failing issuer does, and counts of what was asked of it.

use std::{
    collections::HashMap,
    convert::Infallible,
    future,
    net::{Shutdown, TcpStream},
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error, HttpRequest, HttpResponse,
    body::{BodySize, MessageBody},
    http::{StatusCode, header},
    rt::time::{Interval, interval, sleep},
    web,
};

use super::{authority::Authority, lock};

/// How often [`Fault::Drip`] sends a byte: well within any timeout between two bytes, so that only a
/// limit on the whole answer ends it.
const DRIP: Duration = Duration::from_millis(200);

/// How many paths are counted, so that a scanner on loopback fills no memory. The issuer has ten.
const MAX_PATHS: usize = 1_024;

/// What becomes of a request instead of an honest answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: the honest answer.
    None,
    /// The honest answer, but late.
    Delay(Duration),
    /// This status without a body; 500 if the number is no status.
    Status(u16),
    /// 429, and `Retry-After` this many seconds.
    Busy(u64),
    /// No answer, ever; the connection stays open until the client or [`stop`](super::Issuer::stop)
    /// closes it.
    Hang,
    /// 200 and a JSON body that never ends: one blank every 200 ms.
    Drip,
    /// 307 to this address; of all redirects the one that would carry a form and its secret along.
    RedirectTo(String),
    /// 200 with exactly this.
    Body {
        /// The `Content-Type`.
        content_type: String,
        /// The whole body.
        body: Vec<u8>,
    },
    /// The connection is closed before a byte was answered.
    Close,
}

/// What was asked of one path.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub(super) hits: usize,
    pub(super) waiting: usize,
}

type Intercept = Arc<dyn Fn(&str) -> Fault + Send + Sync>;

/// Who decides about faults, and the counts by path.
#[derive(Default)]
pub(super) struct Traffic {
    intercept: Mutex<Option<Intercept>>,
    counts: Mutex<HashMap<String, Count>>,
}

/// A request that is being held; it counts as waiting for as long as this lives, which ends when
/// the client goes away, the issuer stops, or the delay is over.
struct Held {
    authority: web::Data<Authority>,
    path: String,
}

/// The body of [`Fault::Drip`].
struct Dripping {
    interval: Interval,
    _held: Held,
}

// === impl Traffic ===

impl Traffic {
    pub(super) fn intercept(&self, decide: Intercept) {
        // The decision before is dropped after the lock is free: it is a stranger's code.
        let _before = lock(&self.intercept).replace(decide);
    }

    pub(super) fn count(&self, path: &str) -> Count {
        lock(&self.counts).get(path).copied().unwrap_or_default()
    }

    pub(super) fn hit(&self, path: &str) {
        self.change(path, |count| count.hits += 1);
    }

    /// Asked outside the lock, since a decision may take its time or replace itself.
    fn decide(&self, path: &str) -> Fault {
        let decide = lock(&self.intercept).clone();
        decide.map_or(Fault::None, |decide| decide(path))
    }

    fn change(&self, path: &str, change: impl FnOnce(&mut Count)) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(path) {
            change(count);
        } else if counts.len() < MAX_PATHS {
            change(counts.entry(path.to_owned()).or_default());
        }
    }
}

// === impl Held ===

impl Held {
    fn new(authority: &web::Data<Authority>, path: &str) -> Self {
        authority.traffic.change(path, |count| count.waiting += 1);
        Self {
            authority: authority.clone(),
            path: path.to_owned(),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let release = |count: &mut Count| count.waiting = count.waiting.saturating_sub(1);
        self.authority.traffic.change(&self.path, release);
    }
}

// === impl Dripping ===

impl MessageBody for Dripping {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Self::Error>>> {
        self.interval
            .poll_tick(cx)
            .map(|_| Some(Ok(web::Bytes::from_static(b" "))))
    }
}

/// The faulty answer to a request, or `None` if it is to be answered honestly.
pub(super) async fn answer(
    authority: &web::Data<Authority>,
    request: &HttpRequest,
) -> Result<Option<HttpResponse>, Error> {
    let path = request.path();
    let response = match authority.traffic.decide(path) {
        Fault::None => return Ok(None),
        Fault::Delay(time) => {
            let _held = Held::new(authority, path);
            sleep(time).await;
            return Ok(None);
        }
        Fault::Status(status) => HttpResponse::new(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        Fault::Busy(seconds) => HttpResponse::TooManyRequests()
            .insert_header((header::RETRY_AFTER, seconds))
            .finish(),
        Fault::Hang => {
            let _held = Held::new(authority, path);
            future::pending().await
        }
        Fault::Drip => HttpResponse::Ok()
            .content_type("application/json")
            .body(Dripping {
                interval: interval(DRIP),
                _held: Held::new(authority, path),
            }),
        Fault::RedirectTo(location) => HttpResponse::TemporaryRedirect()
            .insert_header((header::LOCATION, location))
            .finish(),
        Fault::Body { content_type, body } => {
            HttpResponse::Ok().content_type(content_type).body(body)
        }
        Fault::Close => {
            if let Some(connection) = request.conn_data::<TcpStream>() {
                // Fails only where the client was faster.
                let _ = connection.shutdown(Shutdown::Both);
            }
            // Nobody can read it any more; answering is what lets actix-web let go of the connection.
            HttpResponse::InternalServerError().finish()
        }
    };
    Ok(Some(response))
}
