//! Limits on work and time, cancellation, observers, and silence, on calls large enough to need them.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::time::{Duration, Instant};

use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Observer, Options, Progress, Status, check_with, solve, solve_with};

/// Large enough for the search for large calls.
const LARGE: Shape = Shape { actors: 2_600, needs: 150, communes: 300, services: 20, spread: false };

fn large(seed: u64) -> Instance {
    Instance::new(sample::problem(&LARGE, seed)).unwrap()
}

fn within(work: u64) -> Options {
    Options { proposals: 1, work_limit: Some(work), time_limit_ms: 600_000, ..Options::default() }
}

#[test]
fn the_same_work_gives_the_same_bytes() {
    let instance = large(1);
    let bytes = || serde_json::to_string(&solve(&instance, &within(4_500)).unwrap()).unwrap();
    let first = bytes();
    assert!(first.contains("\"status\":\"feasible\""), "{first:.100}");
    assert_eq!(first, bytes());
}

#[test]
fn a_large_call_gets_a_verified_proposal_with_a_bound() {
    let instance = large(2);
    let options = within(5_000);
    let answer = solve(&instance, &options).unwrap();
    assert_eq!(answer.status, Status::Feasible);
    let best = &answer.proposals[0];
    assert_eq!(check_with(instance.problem(), &options, best), []);
    assert!(best.proof.verified && best.proof.bound_cents > 0 && best.proof.gap_percent < 10.0, "{:?}", best.proof);
}

#[test]
fn more_work_is_never_worse() {
    let instance = large(3);
    let objective = |work| solve(&instance, &within(work)).unwrap().proposals[0].costs.objective_cents;
    let (short, long) = (objective(4_500), objective(6_500));
    assert!(long <= short, "{long} {short}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_on_memory_stops_as_the_others_do() {
    let instance = large(1);
    let with = |memory_limit_mib| Options { memory_limit_mib, ..within(3_000) };
    let answer = solve(&instance, &with(Some(1))).unwrap();
    assert_eq!((answer.status, answer.proposals.len()), (Status::Unknown, 0));
    let bytes = |options| serde_json::to_string(&solve(&instance, &options).unwrap()).unwrap();
    assert_eq!(bytes(with(Some(1 << 30))), bytes(with(None)));
    let faults = solve(&instance, &with(Some(0))).unwrap_err().faults;
    assert_eq!(faults[0].path, "/memory_limit_mib");
}

/// Stops after a while, and keeps the times of the reports.
struct Stop {
    start: Instant,
    after: Duration,
    best: Cell<Option<i64>>,
}

impl Observer for Stop {
    fn progress(&self, progress: &Progress) {
        if let (Some(new), Some(old)) = (progress.best_cents, self.best.get()) {
            assert!(new <= old, "{new} after {old}");
        }
        self.best.set(progress.best_cents.or(self.best.get()));
    }

    fn cancelled(&self) -> bool {
        self.start.elapsed() > self.after
    }
}

#[test]
fn whoever_cancels_waits_little() {
    let instance = large(1);
    for after in [0, 300] {
        let after = Duration::from_millis(after);
        let stop = Stop { start: Instant::now(), after, best: Cell::new(None) };
        let options = Options { proposals: 1, ..Options::default() };
        solve_with(&instance, &options, &stop).unwrap();
        // Ample: the machine may be busy, and this may be a build without optimisation.
        let late = stop.start.elapsed().saturating_sub(after);
        assert!(late < Duration::from_secs(5), "{late:?} too late");
    }
}

struct Panics;

impl Observer for Panics {
    fn progress(&self, _progress: &Progress) {
        panic!("an observer's mistake");
    }
}

#[test]
fn an_observer_that_panics_harms_nobody_else() {
    let instance = Instance::new(sample::problem(&Shape::LYON, 1)).unwrap();
    let options = Options { proposals: 1, work_limit: Some(2_000), ..Options::default() };
    let _ = catch_unwind(AssertUnwindSafe(|| solve_with(&instance, &options, &Panics)));
    let large = large(1);
    let _ = catch_unwind(AssertUnwindSafe(|| solve_with(&large, &within(3_000), &Panics)));
    assert!(solve(&instance, &options).is_ok());
}

/// Run by the next test in a process of its own.
#[test]
fn a_computation_to_listen_to() {
    let instance = Instance::new(sample::problem(&Shape::LYON, 2)).unwrap();
    let answer = solve(&instance, &Options { proposals: 1, work_limit: Some(2_000), ..Options::default() });
    assert!(answer.is_ok());
}

#[test]
fn nothing_is_printed() {
    let heard = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "limits::a_computation_to_listen_to", "--nocapture", "--test-threads", "1"])
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(heard.stdout).unwrap(), String::from_utf8(heard.stderr).unwrap());
    assert!(heard.status.success() && out.contains("1 passed"), "{out}");
    let foreign: Vec<&str> = out
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with("running 1") && !line.starts_with("test "))
        .collect();
    assert_eq!((foreign, err.as_str()), (vec![], ""));
}
