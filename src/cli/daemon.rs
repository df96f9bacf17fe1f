//! Asking a running daemon, on its admin socket.

use std::{fmt::Display, path::PathBuf, time::Duration};

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;
use url::Url;

use crate::issuer::client;

/// How long a change of many tokens may take, and a list of them. A daemon that hangs is noticed by its watchdog.
pub const PATIENCE: Duration = Duration::from_mins(10);

/// Where the daemon is.
#[derive(Debug, Args)]
pub struct Daemon {
    /// The daemon's admin socket
    #[arg(
        long,
        env = "POSTERN_ADMIN_SOCKET",
        value_name = "PATH",
        default_value = "data/admin.sock"
    )]
    admin_socket: PathBuf,
}

impl Daemon {
    /// Asks, and waits for the answer. What the daemon says against it is the error.
    pub fn ask<A: DeserializeOwned>(
        &self,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> anyhow::Result<A> {
        self.talk(async |line| line.ask(request).await)
    }

    /// Asks several things, on connections that are kept.
    pub fn talk<T>(
        &self,
        conversation: impl AsyncFnOnce(&Line) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let client = client::over_socket(&self.admin_socket)?;
            let socket = self.admin_socket.clone();
            conversation(&Line { client, socket }).await
        })
    }
}

/// A conversation with the daemon.
#[derive(Clone)]
pub struct Line {
    client: Client,
    socket: PathBuf,
}

impl Line {
    /// Likewise.
    pub async fn ask<A: DeserializeOwned>(
        &self,
        request: impl FnOnce(&Client) -> RequestBuilder,
    ) -> anyhow::Result<A> {
        let socket = self.socket.display();
        let response = request(&self.client).send().await;
        let response = response.map_err(|error| {
            let what = if error.is_timeout() {
                format!("the daemon at {socket} does not answer in time")
            } else {
                format!(
                    "no daemon answers at {socket}; is it running, and is this its --admin-socket?"
                )
            };
            anyhow::Error::new(error).context(what)
        })?;
        let status = response.status();
        let body = response.bytes().await?;
        if !status.is_success() {
            match String::from_utf8_lossy(&body).trim() {
                "" => bail!("the daemon answers {status}; is it of another version?"),
                said => bail!("{said}"),
            }
        }
        serde_json::from_slice(&body)
            .context("the daemon's answer is not understood; is it of another version?")
    }

    /// Hands over a list page by page, so that a long one takes little memory. `take` says behind what the next page
    /// begins, if there is one.
    pub async fn each_page<P: DeserializeOwned, A: Display>(
        &self,
        list: &Url,
        mut take: impl FnMut(P) -> anyhow::Result<Option<A>>,
    ) -> anyhow::Result<()> {
        let mut page = list.clone();
        loop {
            let read = self.ask(|client| client.get(page).timeout(PATIENCE));
            let Some(after) = take(read.await?)? else {
                return Ok(());
            };
            page = list.clone();
            let after = after.to_string();
            page.query_pairs_mut().append_pair("after", &after);
        }
    }
}

/// Whether the daemon could not be asked, or was gone before it had answered.
pub fn is_unreachable(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(<dyn std::error::Error>::is::<reqwest::Error>)
}
