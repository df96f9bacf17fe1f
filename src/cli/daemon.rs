//! Asking a running daemon, on its admin socket.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use reqwest::{Client, RequestBuilder};
use serde::de::DeserializeOwned;

use crate::issuer::client;

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
        let socket = &self.admin_socket;
        let unreachable = || {
            format!(
                "no daemon answers at {}; is it running, and is this its --admin-socket?",
                socket.display()
            )
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let client = client::over_socket(socket)?;
            let response = request(&client).send().await.with_context(unreachable)?;
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
        })
    }
}
