//! Time to a first consortium and to the end of the search, by size: `cargo bench -p attelage-solver --bench scale`.
//!
//! `first` ends when the first verified consortium is told; `proof` when it is proven within a ten-thousandth, or the limit of ten
//! seconds is reached. Explanations are not part of either.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::Cell;

use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Observer, Options, Progress, solve_with};
use divan::Bencher;

fn main() {
    divan::main();
}

const SHAPES: [(&str, Shape); 5] = [
    ("lyon", Shape::LYON),
    ("medium", Shape::MEDIUM),
    ("large", Shape::LARGE),
    ("national", Shape::NATIONAL),
    ("huge", Shape::HUGE),
];

/// Cancels as soon as something is found; or, where it waits for the proof, as soon as the bound has met it.
#[derive(Default)]
struct Until {
    proof: bool,
    done: Cell<bool>,
}

impl Observer for Until {
    fn progress(&self, progress: &Progress) {
        let met = |best: i64| progress.bound_cents.is_some_and(|bound| (best - bound) * 10_000 <= best);
        let done = progress.best_cents.is_some_and(|best| !self.proof || met(best));
        self.done.set(self.done.get() || done);
    }

    fn cancelled(&self) -> bool {
        self.done.get()
    }
}

fn run(bencher: Bencher, (name, seed): (&str, u64), proof: bool, limit: u64) {
    let shape = SHAPES.iter().find(|(own, _)| *own == name).unwrap().1;
    let instance = Instance::new(sample::problem(&shape, seed)).unwrap();
    let options = Options { proposals: 1, gap_ppm: 100, time_limit_ms: limit, ..Options::default() };
    bencher.bench_local(|| solve_with(&instance, &options, &Until { proof, ..Until::default() }).unwrap());
}

#[divan::bench(args = [("lyon", 1), ("lyon", 2), ("medium", 1), ("medium", 2), ("large", 1), ("large", 2), ("national", 1),
    ("national", 2), ("huge", 1)], sample_count = 1)]
fn first(bencher: Bencher, of: (&str, u64)) {
    run(bencher, of, false, 120_000);
}

#[divan::bench(args = [("lyon", 1), ("lyon", 2), ("medium", 1), ("medium", 2), ("large", 1), ("large", 2)], sample_count = 1)]
fn proof(bencher: Bencher, of: (&str, u64)) {
    run(bencher, of, true, 10_000);
}
