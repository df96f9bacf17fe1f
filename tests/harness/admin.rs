//! The admin socket, and API tokens by way of it.

use std::{io::Write as _, os::unix::net::UnixStream, path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Answer, Postern};

impl Postern {
    /// Asks on the admin socket, as root or the daemon's own user may.
    pub fn admin(&self, method: &str, target: &str, body: &Value) -> Answer {
        ask(&self.admin_socket(), method, target, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// A new API token of `owner`, with what else is `wanted` of it.
    #[track_caller]
    pub fn issue(&self, tenant: &str, owner: &str, mut wanted: Value) -> String {
        wanted["owner"] = owner.into();
        let answer = self.admin("POST", &format!("/tokens/{tenant}"), &wanted);
        assert_eq!(answer.status, 201, "{answer:?}");
        let made: Value = serde_json::from_str(&answer.body).expect("JSON");
        made["token"].as_str().expect("a token").to_owned()
    }

    /// Revokes an API token.
    #[track_caller]
    pub fn revoke(&self, token: &str) {
        let answer = self.admin("DELETE", &format!("/token/{}", id_of(token)), &json!({}));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The token with a new secret; the old one lives on for `overlap` seconds.
    #[track_caller]
    pub fn rotate(&self, token: &str, overlap: u64) -> String {
        let target = format!("/token/{}/rotate", id_of(token));
        let answer = self.admin("POST", &target, &json!({ "overlap": overlap }));
        assert_eq!(answer.status, 200, "{answer:?}");
        let made: Value = serde_json::from_str(&answer.body).expect("JSON");
        made["token"].as_str().expect("a token").to_owned()
    }
}

/// One request on an admin socket whose daemon may die meanwhile.
pub fn ask(socket: &Path, method: &str, target: &str, body: &Value) -> std::io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let body = body.to_string();
    write!(
        stream,
        "{method} {target} HTTP/1.1\r\nHost: postern\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer)?;
    let whole = answer.windows(4).any(|window| window == b"\r\n\r\n");
    if !whole {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Answer::read(&mut &answer[..], method))
}

/// The id of an API token.
pub fn id_of(token: &str) -> &str {
    &token[4..16]
}

/// The value of `Authorization` for a user's name and a password.
pub fn basic(user: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{user}:{password}"))
    )
}
