//! How runs are computed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::TimeDelta;

use super::child::Confinement;

/// How runs are computed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Computations at once in this process; none where they are left to others.
    pub solvers: u16,
    /// The program whose `compute` computes.
    pub program: PathBuf,
    /// The most address space of a computation, in MiB.
    pub memory_mib: u64,
    /// After how long the work of a process that has gone silent is given to another.
    pub lease: Duration,
    /// How long runs that are over are kept; for ever where absent.
    pub kept: Option<TimeDelta>,
}

impl Default for Settings {
    /// One at once, by this very program; kept for a year.
    fn default() -> Self {
        let lease = Duration::from_secs(15);
        Self { solvers: 1, program: own_program(), memory_mib: 2_048, lease, kept: Some(TimeDelta::days(365)) }
    }
}

impl Settings {
    /// Those that a computation needs.
    #[must_use]
    pub(crate) fn confinement(&self) -> Confinement {
        Confinement { program: self.program.clone(), memory_mib: self.memory_mib }
    }
}

/// This program: on Linux the one that runs, even where its file has been replaced since.
fn own_program() -> PathBuf {
    let running = Path::new("/proc/self/exe");
    if running.exists() { running.to_owned() } else { std::env::current_exe().unwrap_or_else(|_| "attelage".into()) }
}
