//! See `main.rs`. systemd itself does not run where tests do, but all that the daemon sees of it can be had: its
//! sockets (`systemd-socket-activate`), its notifications (a socket that the scenario reads) and its opinion of
//! the unit files (`systemd-analyze`).

/// What systemd is told: ready, reloading, stopping, alive.
mod notify;
/// Sockets that systemd holds, and restarts through them.
mod sockets;
/// The unit files, by systemd's own judgement.
mod unit;
