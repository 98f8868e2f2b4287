//! Limits of a computation, and whoever watches it.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::model::{Cents, Options};

/// Watches a computation and may stop it. Called on the computing thread, between steps of the search.
pub trait Observer {
    /// Where the search stands. Called whenever something is found or proven, and now and then in between.
    fn progress(&self, _progress: &Progress) {}

    /// A consortium, as soon as it is found and has passed the check; the best so far in its place (0 for the first proposal). A better
    /// one for the same place comes again. It has no reasons yet.
    fn proposal(&self, _place: usize, _proposal: &crate::Proposal) {}

    /// A point of a front, as soon as it is found. Points of the final answer that were improved meanwhile come again.
    fn point(&self, _point: &crate::FrontPoint) {}

    /// Whether to stop. What was found so far is kept.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Watches nothing and never stops.
impl Observer for () {}

/// Where a search stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being searched for.
    pub stage: Stage,
    /// Since the computation began.
    pub elapsed: Duration,
    /// Simplex iterations so far: the measure of [`Options::work_limit`].
    pub work: u64,
    /// Objective of the best solution of the present search; its unit is the cent where the stage minimises money.
    pub best_cents: Option<Cents>,
    /// No solution of the present search can be below.
    pub bound_cents: Option<Cents>,
}

/// Parts of a computation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stage {
    /// The best consortia.
    Search,
    /// Why it is so.
    Explanation,
    /// Why there is none.
    Diagnosis,
}

/// The limits of one computation, and how much of them is spent.
pub(crate) struct Control<'o> {
    observer: &'o dyn Observer,
    start: Instant,
    deadline: Option<Instant>,
    work_limit: Option<u64>,
    /// The limits of the search, where something is kept for what follows it.
    until: Cell<Option<(Instant, u64)>>,
    memory: Memory,
    work: Cell<u64>,
    stage: Cell<Stage>,
    stopped: Cell<bool>,
    tells: Tells,
}

/// What the observer is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// What is found, and how it goes.
    All,
    /// How it goes.
    Progress,
    Nothing,
}

impl<'o> Control<'o> {
    /// The limits start to run now.
    pub(crate) fn new(options: &Options, observer: &'o dyn Observer) -> Self {
        let start = Instant::now();
        Self {
            observer,
            start,
            deadline: start.checked_add(Duration::from_millis(options.time_limit_ms)),
            work_limit: options.work_limit,
            until: Cell::new(None),
            memory: Memory::new(options.memory_limit_mib),
            work: Cell::new(0),
            stage: Cell::new(Stage::Search),
            stopped: Cell::new(false),
            tells: Tells::All,
        }
    }

    /// The limits of a step: this much work at most, within those of the whole. Tells nobody what it finds.
    pub(crate) fn part(&self, work: u64) -> Self {
        let most = self.work.get().saturating_add(work);
        let work_limit = Some(self.work_limit.map_or(most, |limit| limit.min(most)));
        Self { work_limit, tells: Tells::Nothing, ..self.step() }
    }

    /// A step within the same limits, of which only how it goes is told: what it finds is not what was asked for.
    pub(crate) fn quiet(&self) -> Self {
        let tells = if self.tells == Tells::All { Tells::Progress } else { self.tells };
        Self { tells, stopped: self.stopped.clone(), ..self.step() }
    }

    /// Counts the work of a quiet step, and stops where that was stopped.
    pub(crate) fn resume(&self, quiet: &Self) {
        self.absorb(quiet);
        self.stopped.set(self.stopped.get() || quiet.stopped.get());
    }

    /// The same limits for a step.
    fn step(&self) -> Self {
        Self {
            observer: self.observer,
            start: self.start,
            deadline: self.deadline,
            work_limit: self.work_limit,
            until: self.until.clone(),
            memory: self.memory.clone(),
            work: self.work.clone(),
            stage: self.stage.clone(),
            stopped: Cell::new(false),
            tells: self.tells,
        }
    }

    /// Counts the work of a step.
    pub(crate) fn absorb(&self, part: &Self) {
        self.work.set(part.work.get());
    }

    /// Until [`Self::release`], only this many percent of the time and of the work count: the rest is kept for later.
    pub(crate) fn hold_back(&self, percent: u32) {
        let part = |all: u64| u64::try_from(u128::from(all) * u128::from(percent) / 100).unwrap_or(all);
        let time = self.deadline.map(|deadline| (deadline - self.start) * percent / 100);
        let deadline = time.and_then(|time| self.start.checked_add(time));
        let work = self.work_limit.map_or(u64::MAX, part);
        self.until.set(deadline.map(|deadline| (deadline, work)));
    }

    /// From now on, all that is left of the limits counts.
    pub(crate) fn release(&self) {
        self.until.set(None);
    }

    /// What is left of the time limit.
    pub(crate) fn remaining(&self) -> Duration {
        let held = self.until.get().map(|(deadline, _)| deadline);
        let deadline = [self.deadline, held].into_iter().flatten().min();
        deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// From now on, this part.
    pub(crate) fn enter(&self, stage: Stage) {
        self.stage.set(stage);
    }

    /// Whether a limit is reached or somebody wants to stop. Once true, always true, but for what is only held back.
    pub(crate) fn expired(&self) -> bool {
        self.would_expire(0)
    }

    /// The same with work that is under way.
    pub(crate) fn would_expire(&self, under_way: u64) -> bool {
        let work = self.work.get().saturating_add(under_way);
        let now = Instant::now();
        let out = self.stopped.get()
            || self.work_limit.is_some_and(|limit| work >= limit)
            || self.deadline.is_some_and(|deadline| now >= deadline)
            || self.observer.cancelled()
            || self.memory.exceeded(now);
        self.stopped.set(out);
        out || self.until.get().is_some_and(|(deadline, most)| now >= deadline || work >= most)
    }

    /// Counts simplex iterations.
    pub(crate) fn spend(&self, iterations: u64) {
        self.work.set(self.work.get().saturating_add(iterations));
    }

    /// Hands a consortium to the observer, if it has passed the check.
    pub(crate) fn offer(&self, place: usize, proposal: &crate::Proposal) {
        if self.tells == Tells::All && self.stage.get() == Stage::Search && proposal.proof.verified {
            self.observer.proposal(place, proposal);
        }
    }

    /// Hands a point of a front to the observer.
    pub(crate) fn point(&self, point: &crate::FrontPoint) {
        self.observer.point(point);
    }

    /// Tells the observer, with the work under way.
    pub(crate) fn tell(&self, under_way: u64, best_cents: Option<Cents>, bound_cents: Option<Cents>) {
        if self.tells == Tells::Nothing {
            return;
        }
        self.observer.progress(&Progress {
            stage: self.stage.get(),
            elapsed: self.elapsed(),
            work: self.work.get().saturating_add(under_way),
            best_cents,
            bound_cents,
        });
    }
}

/// The memory of this process, looked at now and then.
#[derive(Clone)]
struct Memory {
    most: Option<u64>,
    looked: Cell<Option<Instant>>,
}

impl Memory {
    /// Least time between two looks.
    const PAUSE: Duration = Duration::from_millis(20);

    fn new(mib: Option<u64>) -> Self {
        Self { most: mib.map(|mib| mib.saturating_mul(1024)), looked: Cell::new(None) }
    }

    /// Whether the process holds more than the limit; false between two looks, and where the system does not tell.
    fn exceeded(&self, now: Instant) -> bool {
        let Some(most) = self.most else { return false };
        if self.looked.get().is_some_and(|looked| now.saturating_duration_since(looked) < Self::PAUSE) {
            return false;
        }
        self.looked.set(Some(now));
        resident().is_some_and(|kib| kib > most)
    }
}

/// The resident memory of this process in KiB, as Linux tells it.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Stop(Cell<bool>);

    impl Observer for Stop {
        fn cancelled(&self) -> bool {
            self.0.get()
        }
    }

    #[test]
    fn whoever_stops_once_has_stopped() {
        let stop = Stop(Cell::new(false));
        let control = Control::new(&Options::default(), &stop);
        assert!(!control.expired());
        stop.0.set(true);
        assert!(control.expired());
        stop.0.set(false);
        assert!(control.expired());
    }

    #[test]
    fn a_quiet_step_stops_with_the_whole_and_the_whole_with_it() {
        let stop = Stop(Cell::new(false));
        let control = Control::new(&Options::default(), &stop);
        let quiet = control.quiet();
        quiet.spend(7);
        stop.0.set(true);
        assert!(quiet.expired());
        stop.0.set(false);
        control.resume(&quiet);
        assert!(control.expired() && control.quiet().expired());
        assert_eq!(control.work.get(), 7);
    }

    #[test]
    fn what_is_held_back_comes_back() {
        let control = Control::new(&Options { work_limit: Some(10), ..Options::default() }, &());
        control.hold_back(50);
        assert!(control.remaining() <= Duration::from_millis(Options::default().time_limit_ms / 2));
        control.spend(5);
        assert!(control.expired());
        control.release();
        assert!(!control.expired());
        control.spend(5);
        assert!(control.expired());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn memory_has_a_limit() {
        let limited = |mib| Control::new(&Options { memory_limit_mib: Some(mib), ..Options::default() }, &()).expired();
        assert!(limited(1));
        assert!(!limited(1 << 40));
    }

    #[test]
    fn work_has_a_limit() {
        let control = Control::new(&Options { work_limit: Some(10), ..Options::default() }, &());
        control.spend(4);
        assert!(!control.expired());
        assert!(control.would_expire(6));
    }
}
