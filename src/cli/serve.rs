//! `postern serve`: the daemon.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context as _, bail};
use clap::Args;
use ipnet::IpNet;
use listenfd::ListenFd;

use crate::{
    dev_tenant::DevTenant,
    lifecycle::Daemon,
    settings::{ListenAddress, Listener, TrustedProxies, network},
    telemetry,
};

/// Run the daemon
#[derive(Debug, Args)]
pub struct Serve {
    /// The folder of tenant files, which may be edited at any time
    #[arg(
        long,
        env = "POSTERN_TENANTS",
        value_name = "DIR",
        default_value = "tenants"
    )]
    tenants: PathBuf,

    /// The folder of the daemon's memory (made with mode 0700)
    #[arg(long, env = "POSTERN_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,

    /// Where proxies ask: an address, or unix:PATH. Sockets handed over by systemd are used instead
    #[arg(
        long,
        env = "POSTERN_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8470"
    )]
    listen: ListenAddress,

    /// Where operators look: /healthz, /readyz, /metrics, /status
    #[arg(
        long,
        env = "POSTERN_OPS_LISTEN",
        value_name = "ADDR",
        default_value = "127.0.0.1:8471"
    )]
    ops_listen: SocketAddr,

    /// The Unix socket of commands like `postern status` [default: DATA/admin.sock]
    #[arg(long, env = "POSTERN_ADMIN_SOCKET", value_name = "PATH")]
    admin_socket: Option<PathBuf>,

    /// Networks of the proxies that may ask, and whose X-Forwarded-For is believed. Required off loopback
    #[arg(long, env = "POSTERN_TRUSTED_PROXIES", value_name = "NET", value_parser = network, value_delimiter = ',', num_args = 1..)]
    trusted_proxies: Vec<IpNet>,

    /// How logs are written, to standard error
    #[arg(
        long,
        env = "POSTERN_LOG",
        value_name = "FORMAT",
        default_value = "pretty"
    )]
    log: telemetry::Format,

    /// How many of the calls that pass and only read are logged besides all that write and all that are refused
    #[arg(
        long,
        env = "POSTERN_LOG_READS",
        value_name = "PERCENT",
        default_value = "0%"
    )]
    log_reads: telemetry::Share,

    /// Write the bound addresses as JSON to this file once ready, so that port 0 is usable
    #[arg(long, env = "POSTERN_ANNOUNCE", value_name = "FILE")]
    announce: Option<PathBuf>,

    /// How many threads answer checks [default: one per core]
    #[arg(long, env = "POSTERN_WORKERS", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Show the main job: add a little issuer on loopback, a tenant `dev` that trusts it, and curl lines.
    /// Tenants and data lie in a temporary folder then
    #[arg(long, conflicts_with_all = ["tenants", "data"])]
    dev: bool,
}

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        telemetry::start(self.log);
        let trusted = TrustedProxies::new(self.trusted_proxies).map_err(anyhow::Error::msg)?;
        let check = listeners(&self.listen)?;
        for listener in &check {
            let address = listener.address()?;
            if !address.is_local() && self.dev {
                bail!(
                    "--dev is a toy with a public secret: it listens on loopback only, not on {address}"
                );
            }
            if !address.is_local() && trusted.is_empty() {
                bail!(
                    "--listen {address} can be reached from other machines: name your proxies with --trusted-proxies"
                );
            }
        }
        if self.dev && !self.ops_listen.ip().is_loopback() {
            bail!(
                "--dev is a toy with a public secret: it listens on loopback only, not on {}",
                self.ops_listen
            );
        }
        let dev = if self.dev {
            Some(DevTenant::start().context("the issuer of --dev can't be started")?)
        } else {
            None
        };
        let (tenants, data) = dev
            .as_ref()
            .map_or((self.tenants, self.data), |dev| (dev.tenants(), dev.data()));
        let admin = self.admin_socket.unwrap_or_else(|| data.join("admin.sock"));
        let address = check.first().map(Listener::address).transpose()?;
        let daemon = Daemon {
            tenants,
            data,
            check,
            ops: self.ops_listen,
            admin: admin.clone(),
            trusted,
            announce: self.announce,
            logged_reads: self.log_reads,
            workers: self.workers.map_or_else(
                || std::thread::available_parallelism().map_or(1, usize::from),
                usize::from,
            ),
        };
        // Outgoing calls have a thread of their own: neither checks nor writers wait for a slow issuer.
        let outgoing = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("outgoing")
            .enable_all()
            .build()?;
        let ready = || {
            if let (Some(dev), Some(address)) = (&dev, &address) {
                dev.introduce(address, self.ops_listen, &admin);
            }
        };
        actix_rt::System::new().block_on(daemon.run(outgoing.handle().clone(), ready))?;
        outgoing.shutdown_background();
        Ok(ExitCode::SUCCESS)
    }
}

/// The sockets that systemd handed over (sd_listen_fds(3)), or else the address of the flag.
fn listeners(address: &ListenAddress) -> anyhow::Result<Vec<Listener>> {
    let mut handed = ListenFd::from_env();
    if handed.len() == 0 {
        let bound = address
            .bind()
            .with_context(|| format!("--listen {address} can't be bound"))?;
        return Ok(vec![bound]);
    }
    (0..handed.len())
        .map(|at| match handed.take_tcp_listener(at) {
            Ok(Some(listener)) => Ok(Listener::Tcp(listener)),
            Ok(None) => bail!("a socket that systemd handed over was taken twice"),
            Err(_) => match handed.take_unix_listener(at) {
                Ok(Some(listener)) => Ok(Listener::Unix(listener)),
                _ => bail!(
                    "systemd handed over a socket that is neither TCP nor Unix, or does not listen"
                ),
            },
        })
        .collect()
}
