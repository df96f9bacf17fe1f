//! What Postern is measured against: the *floor*, a bare actix-web server that answers the same status and
//! headers to everything, and the *leanest verifier*, the same plus one signature check and nothing else.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::{
        StatusCode,
        header::{AUTHORIZATION, HeaderName, HeaderValue},
    },
    web,
};
use anyhow::Context as _;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::process::{Cores, Running};

/// Tells this binary to be a yardstick.
pub const WORD: &str = "yardstick";

/// What a yardstick does; its first line of standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Yardstick {
    /// Answered to everything.
    pub headers: Vec<(String, String)>,
    /// Checks the token's signature by this RSA key: `n` and `e` as a JWK has them.
    pub key: Option<(String, String)>,
}

impl Yardstick {
    /// Starts it on the servers' core; the address is where it listens.
    pub fn start(&self, cores: Cores) -> anyhow::Result<(Running, String)> {
        let mut command = Command::new(crate::myself()?);
        command
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut running = Running::start(&mut command, Some(cores.server))?;
        // Its standard input stays open with the handle: a yardstick ends when that closes.
        let input = running.0.stdin.as_mut().context("it is piped")?;
        writeln!(input, "{}", serde_json::to_string(self)?)?;
        let mut address = String::new();
        BufReader::new(running.0.stdout.take().context("it is piped")?).read_line(&mut address)?;
        anyhow::ensure!(!address.is_empty(), "the yardstick ended at its start");
        Ok((running, address.trim().to_owned()))
    }
}

/// What a worker of a yardstick has at hand.
struct Ready {
    headers: Vec<(HeaderName, HeaderValue)>,
    key: Option<ParsedPublicKey>,
}

/// The process itself.
pub fn serve() -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let yardstick: Yardstick = serde_json::from_str(&line)?;
    let headers = yardstick
        .headers
        .iter()
        .map(|(name, value)| Ok((name.parse()?, value.parse()?)))
        .collect::<anyhow::Result<_>>()?;
    let key = yardstick
        .key
        .map(|(n, e)| parsed(&n, &e))
        .transpose()
        .context("the key")?;
    let ready = web::Data::new(Ready { headers, key });
    let app = move || {
        App::new()
            .app_data(ready.clone())
            .default_service(web::to(answer))
    };
    let server = HttpServer::new(app).workers(1).bind("127.0.0.1:0")?;
    println!("{}", server.addrs().first().context("an address")?);
    actix_rt::System::new().block_on(async {
        let server = server.disable_signals().run();
        let handle = server.handle();
        actix_rt::spawn(server);
        // Until the benchmark lets go, however it ends.
        let until_eof = || io::copy(&mut io::stdin(), &mut io::sink());
        drop(web::block(until_eof).await);
        handle.stop(false).await;
    });
    Ok(())
}

fn parsed(n: &str, e: &str) -> anyhow::Result<ParsedPublicKey> {
    let (n, e) = (URL_SAFE_NO_PAD.decode(n)?, URL_SAFE_NO_PAD.decode(e)?);
    RsaPublicKeyComponents { n: &n, e: &e }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| anyhow::anyhow!("no RSA key"))
}

async fn answer(http: HttpRequest, ready: web::Data<Ready>) -> HttpResponse {
    if let Some(key) = &ready.key
        && !is_signed(&http, key)
    {
        return HttpResponse::new(StatusCode::UNAUTHORIZED);
    }
    let mut response = HttpResponse::new(StatusCode::OK);
    let headers = response.headers_mut();
    headers.reserve(ready.headers.len());
    for (name, value) in &ready.headers {
        headers.insert(name.clone(), value.clone());
    }
    response
}

/// As lean as it gets: neither the header nor the claims are looked at.
fn is_signed(http: &HttpRequest, key: &ParsedPublicKey) -> bool {
    let token = http.headers().get(AUTHORIZATION).and_then(|value| {
        str::from_utf8(value.as_bytes())
            .ok()?
            .strip_prefix("Bearer ")
    });
    let Some((message, signature)) = token.and_then(|token| token.rsplit_once('.')) else {
        return false;
    };
    URL_SAFE_NO_PAD
        .decode(signature)
        .is_ok_and(|signature| key.verify_sig(message.as_bytes(), &signature).is_ok())
}
