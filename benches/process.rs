//! Processes of a benchmark: pinned to a core, measured from outside, and gone when their handle is.

use std::{
    fs, io,
    process::{Child, Command},
    thread,
};

use anyhow::{Context as _, bail};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The kernel's `USER_HZ`: in what `/proc` counts CPU time, and 100 on every Linux (proc_pid_stat(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Which core does what.
#[derive(Debug, Clone, Copy)]
pub struct Cores {
    /// The servers', one at a time.
    pub server: usize,
    /// The load's.
    pub load: usize,
}

impl Cores {
    /// The first two cores that this process may use.
    pub fn choose() -> anyhow::Result<Self> {
        let allowed = sched_getaffinity(None).context("the cores of this process")?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (cores.next(), cores.next()) {
            (Some(server), Some(load)) => Ok(Self { server, load }),
            _ => bail!("two cores are needed: one for the server, one for the load"),
        }
    }

    /// One line on where the figures come from.
    pub fn machine(self) -> String {
        let of = |path: &str, key: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|line| line.starts_with(key));
            let value = line.and_then(|line| line.split_once(':'));
            value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
        };
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        format!(
            "Machine: {}, {} cores (server on core {}, load on core {}), {} of memory, Linux {}, load average {} at the start.",
            of("/proc/cpuinfo", "model name"),
            thread::available_parallelism().map_or(0, usize::from),
            self.server,
            self.load,
            of("/proc/meminfo", "MemTotal"),
            kernel.trim(),
            fs::read_to_string("/proc/loadavg")
                .unwrap_or_default()
                .split(' ')
                .next()
                .unwrap_or_default(),
        )
    }
}

/// Runs `work` on a thread that is pinned to `core`; what it starts inherits the core.
pub fn pinned<T: Send>(core: usize, work: impl FnOnce() -> T + Send) -> anyhow::Result<T> {
    let pinned = move || -> io::Result<T> {
        let mut only = CpuSet::new();
        only.set(core);
        sched_setaffinity(None, &only)?;
        Ok(work())
    };
    thread::scope(|scope| scope.spawn(pinned).join())
        .map_err(|_| anyhow::anyhow!("a pinned thread panicked"))?
        .context("pinning a thread to a core")
}

/// A process that is killed when its handle goes.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// Starts it, on `core` if one is given.
    pub fn start(command: &mut Command, core: Option<usize>) -> anyhow::Result<Self> {
        let child = match core {
            Some(core) => pinned(core, || command.spawn())?,
            None => command.spawn(),
        };
        child
            .map(Self)
            .with_context(|| format!("{} can't be started", command.get_program().display()))
    }

    /// The CPU time that it has used so far, all threads, user and system, in seconds.
    pub fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name, the only field that may hold spaces, ends at the last parenthesis.
        let (_, fields) = stat
            .rsplit_once(')')
            .context("/proc/PID/stat is not as expected")?;
        let ticks = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<f64>)
            .sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// The memory that it occupies now, in MiB.
    pub fn resident_mebibytes(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB"));
        let kibibytes: f64 = kibibytes
            .context("/proc/PID/status has no VmRSS")?
            .trim()
            .parse()?;
        Ok(kibibytes / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
