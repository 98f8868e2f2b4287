//! `attelage compute`: one computation in a process of its own, which can be limited, stopped and lost without harm to anybody.
//!
//! 1. The process limits itself before it reads anything: address space, processor time, files, niceness. It dies with its parent.
//! 2. The first line of its input is the work. It says where it stands in lines of JSON, the last of which is what came out.
//! 3. A second line of its input, whatever it is, asks it to stop with the best so far; the end of its input ends it.

use std::cell::Cell;
use std::io::{BufRead as _, Write as _, stdin, stdout};
use std::process::{ExitCode, exit};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use attelage_solver::{Observer, Progress, Proposal};
use clap::Args;
use rustix::process::{Resource, Rlimit, Signal, getppid, nice, set_parent_process_death_signal, setrlimit};

use super::RunProgress;
use super::work::{Line, Work};

/// How much less it may hurry than the service.
const NICENESS: i32 = 10;
/// Least time between two lines on progress.
const SILENCE: Duration = Duration::from_millis(200);

/// Arguments of `attelage compute`: no secrets, since every user of the machine reads them.
#[derive(Args, Clone, Debug)]
pub struct ComputeArgs {
    /// The most address space, in MiB
    pub memory_mib: u64,
    /// The most processor time, in seconds
    pub processor_seconds: u64,
    /// The process that started it
    pub parent: i32,
}

/// Computes what stands on standard input.
#[must_use]
pub fn run(args: &ComputeArgs) -> ExitCode {
    let start = Instant::now();
    if let Err(error) = confine(args) {
        eprintln!("the process cannot be limited: {error}");
        return ExitCode::FAILURE;
    }
    let mut input = String::new();
    let work: Work = match stdin().lock().read_line(&mut input).map(|_| serde_json::from_str(&input)) {
        Ok(Ok(work)) => work,
        Ok(Err(error)) => {
            eprintln!("the input cannot be read: {error}");
            return ExitCode::FAILURE;
        }
        Err(error) => {
            eprintln!("the input does not come: {error}");
            return ExitCode::FAILURE;
        }
    };
    drop(input);
    if let Err(error) = std::thread::Builder::new().spawn(heed) {
        eprintln!("cannot allocate memory for a thread: {error}");
        return ExitCode::FAILURE;
    }
    let spent = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let line = match work.outcome(spent, &Teller { start, told: Cell::new(None) }) {
        Ok(outcome) => Line::Done(outcome),
        Err(refused) => Line::Refused(refused),
    };
    say(&line);
    // What the computation holds goes with the process: nobody waits for it to be given back bit by bit.
    exit(0)
}

/// Takes from the process what it does not need.
fn confine(args: &ComputeArgs) -> rustix::io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have died before it was listened for.
    if getppid().is_none_or(|parent| parent.as_raw_nonzero().get() != args.parent) {
        exit(1);
    }
    let memory = args.memory_mib.saturating_mul(1 << 20);
    let limits = [
        (Resource::As, memory, memory),
        // A second apart: the first limit is told by a signal of its own.
        (Resource::Cpu, args.processor_seconds, args.processor_seconds.saturating_add(1)),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        // Those that are open stay so: input, output, errors.
        (Resource::Nofile, 3, 3),
    ];
    for (resource, current, maximum) in limits {
        setrlimit(resource, Rlimit { current: Some(current), maximum: Some(maximum) })?;
    }
    nice(NICENESS).map(|_| ())
}

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Listens for the wish to stop.
fn heed() {
    let mut line = String::new();
    loop {
        line.clear();
        match stdin().lock().read_line(&mut line) {
            Ok(1..) => STOPPED.store(true, Ordering::Relaxed),
            // Whoever asked is gone.
            Ok(0) | Err(_) => exit(1),
        }
    }
}

/// Tells the parent where the search stands.
struct Teller {
    start: Instant,
    told: Cell<Option<Instant>>,
}

impl Observer for Teller {
    fn progress(&self, progress: &Progress) {
        let now = Instant::now();
        if self.told.get().is_none_or(|told| now - told >= SILENCE) {
            self.told.set(Some(now));
            say(&Line::Progress(RunProgress::of(progress, now - self.start)));
        }
    }

    fn proposal(&self, place: usize, proposal: &Proposal) {
        say(&Line::Proposal(place, Box::new(proposal.clone())));
    }

    fn cancelled(&self) -> bool {
        STOPPED.load(Ordering::Relaxed)
    }
}

/// Writes a line. Nobody is left to tell where that fails.
fn say(line: &Line) {
    let written = serde_json::to_vec(line).map_err(std::io::Error::from).and_then(|mut bytes| {
        bytes.push(b'\n');
        let mut out = stdout().lock();
        out.write_all(&bytes)?;
        out.flush()
    });
    if written.is_err() {
        exit(1);
    }
}
