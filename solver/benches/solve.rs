//! Times of whole computations, explanations included: `cargo bench -p attelage-solver`.
#![allow(missing_docs, clippy::unwrap_used)]

use attelage_solver::sample::{self, Shape};
use attelage_solver::{Answer, Instance, Options, solve};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

fn run(bencher: Bencher, instance: &Instance, options: &Options) {
    bencher.bench(|| -> Answer { solve(black_box(instance), options).unwrap() });
}

/// The example of the documentation: two complementary actors win.
#[divan::bench(sample_count = 20)]
fn golden(bencher: Bencher) {
    let problem = serde_json::from_str(include_str!("../examples/lyon.json")).unwrap();
    run(bencher, &Instance::new(problem).unwrap(), &Options::default());
}

/// 30 actors, 5 needs spread over 58 communes; three proposals with their explanations.
#[divan::bench(args = [1, 2, 3], sample_count = 5)]
fn lyon(bencher: Bencher, seed: u64) {
    run(bencher, &Instance::new(sample::problem(&Shape::LYON, seed)).unwrap(), &Options::default());
}

/// 500 actors, 60 needs; one proposal with its explanations, gap of one in ten thousand.
#[divan::bench(args = [1, 2, 3], sample_count = 1)]
fn medium(bencher: Bencher, seed: u64) {
    let options = Options { proposals: 1, gap_ppm: 100, time_limit_ms: 60_000, ..Options::default() };
    run(bencher, &Instance::new(sample::problem(&Shape::MEDIUM, seed)).unwrap(), &options);
}
