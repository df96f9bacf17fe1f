//! `serve` as meant: its flags once every text has become a type that cannot be wrong.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr, TcpListener},
    os::unix::{fs::FileTypeExt as _, net::UnixListener},
    path::PathBuf,
    str::FromStr,
};

use ipnet::IpNet;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// `127.0.0.1:8470`
    Tcp(SocketAddr),
    /// `unix:/run/postern/check.sock`
    Unix(PathBuf),
}

/// A bound socket.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(TcpListener),
    /// Unix.
    Unix(UnixListener),
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("unix: wants a path after it".into()),
            Some(path) => Ok(Self::Unix(path.into())),
            None => text.parse().map(Self::Tcp).map_err(|_| "an address like 127.0.0.1:8470, [::1]:8470 or unix:/run/postern/check.sock is wanted".into()),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl ListenAddress {
    /// Whether only this machine can connect.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }

    /// Binds it.
    ///
    /// # Errors
    /// The operating system's.
    pub fn bind(&self) -> io::Result<Listener> {
        match self {
            Self::Tcp(address) => TcpListener::bind(address).map(Listener::Tcp),
            Self::Unix(path) => bind_unix(path).map(Listener::Unix),
        }
    }
}

/// Binds a Unix socket, in the place of one that a daemon left behind; one that answers is left alone.
///
/// # Errors
/// The operating system's; [`io::ErrorKind::AddrInUse`] if another process listens there.
pub fn bind_unix(path: &std::path::Path) -> io::Result<UnixListener> {
    let left_behind = path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.file_type().is_socket());
    if left_behind {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

impl Listener {
    /// Where it listens.
    ///
    /// # Errors
    /// The operating system's.
    pub fn address(&self) -> io::Result<ListenAddress> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(ListenAddress::Tcp),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                Ok(ListenAddress::Unix(
                    address.as_pathname().map(PathBuf::from).unwrap_or_default(),
                ))
            }
        }
    }
}

/// A network of `--trusted-proxies`; an address alone is the network of it alone.
///
/// # Errors
/// With what to write instead.
pub fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| "a network like 10.0.0.0/8, or an address, is wanted".into())
}

/// `--trusted-proxies`: whose requests are answered and whose word about addresses is taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// The networks of the flag.
    ///
    /// # Errors
    /// If one of them is everything: then everybody is a proxy, and writes the address that pleases them
    /// (oauth2-proxy CVE-2026-40575).
    pub fn new(networks: Vec<IpNet>) -> Result<Self, String> {
        match networks.iter().find(|network| network.prefix_len() == 0) {
            Some(everything) => Err(format!(
                "--trusted-proxies {everything} would trust everybody; name the networks of your proxies"
            )),
            None => Ok(Self(networks)),
        }
    }

    /// Whether none was named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address of a chain is a proxy of ours.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether a peer may ask at all: a proxy of ours, or somebody on this machine.
    #[must_use]
    pub fn may_ask(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.contains(peer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_not_a_network_of_proxies() {
        for everything in ["0.0.0.0/0", "::/0"] {
            assert!(TrustedProxies::new(vec![everything.parse().unwrap()]).is_err());
        }
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap()]).unwrap();
        assert!(trusted.may_ask("10.1.2.3".parse().unwrap()));
        assert!(trusted.may_ask("127.0.0.1".parse().unwrap()));
        assert!(!trusted.contains("127.0.0.1".parse().unwrap()));
        assert!(!trusted.may_ask("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn an_address_alone_is_a_network() {
        assert_eq!(network("10.0.0.5").unwrap(), "10.0.0.5/32".parse().unwrap());
        assert_eq!(network("::1").unwrap(), "::1/128".parse().unwrap());
        for wrong in ["", "proxy.example.com", "10.0.0.0/33", "10.0.0"] {
            assert!(network(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_read_strictly() {
        assert!(matches!("unix:/run/x".parse(), Ok(ListenAddress::Unix(_))));
        assert!(matches!("[::1]:0".parse(), Ok(ListenAddress::Tcp(_))));
        for wrong in ["", "unix:", "8470", "localhost:8470", "127.0.0.1"] {
            assert!(wrong.parse::<ListenAddress>().is_err(), "{wrong}");
        }
    }
}
