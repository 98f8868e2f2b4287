//! Many calls at once, joint against one after the other: `cargo bench -p attelage-solver --bench portfolio`.
//!
//! A table, because the quality of the answer is what is measured: what all calls cost together, how far that is proven, and what
//! serving them one after the other would have cost more. `cpu` is processor time of the process. Arguments choose rows by the
//! beginning of their name, or the limit in seconds (60): `-- 40-calls/seed-1 limit=20`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::time::Instant;

use attelage_solver::sample::{self, Shape};
use attelage_solver::{PortfolioInstance, PortfolioOptions, solve_portfolio};

/// Ten actors for each call, and four: there the calls compete hard.
const SIZES: [(&str, usize, Shape); 3] = [
    ("10-calls", 10, Shape { actors: 40, needs: 5, communes: 60, services: 6, spread: false }),
    ("40-calls", 40, Shape { actors: 400, needs: 6, communes: 120, services: 12, spread: false }),
    ("40-tight", 40, Shape { actors: 160, needs: 6, communes: 120, services: 12, spread: false }),
];

fn main() {
    let arguments = || std::env::args().skip(1).filter(|argument| !argument.starts_with('-'));
    let wanted: Vec<String> = arguments().filter(|argument| !argument.starts_with("limit=")).collect();
    let seconds = arguments().find_map(|argument| argument.strip_prefix("limit=")?.parse().ok()).unwrap_or(60);
    println!(
        "{:<20}{:>12}{:>12}{:>9}{:>9}{:>10}{:>10}{:>8}{:>8}",
        "calls", "objective €", "bound €", "gap %", "answered", "by start", "reverse", "wall s", "cpu s"
    );
    for (size, calls, shape) in SIZES {
        for seed in 1..=3 {
            let name = format!("{size}/seed-{seed}");
            if wanted.is_empty() || wanted.iter().any(|own| name.starts_with(own.as_str())) {
                row(&name, &shape, calls, seed, seconds);
            }
        }
    }
}

fn row(name: &str, shape: &Shape, calls: usize, seed: u64, seconds: u64) {
    let instance = PortfolioInstance::new(&sample::portfolio(shape, calls, seed)).unwrap();
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    let options = PortfolioOptions { time_limit_ms: seconds * 1000, ..PortfolioOptions::default() };
    let answer = solve_portfolio(&instance, &options, &()).unwrap();
    assert!(answer.verified);
    let of_objective = |cents: i64| 100.0 * cents as f64 / answer.objective_cents as f64;
    let answered = answer.calls.iter().filter(|call| call.proposal.is_some()).count();
    println!(
        "{name:<20}{:>12}{:>12}{:>9.3}{answered:>9}{:>9.2}%{:>9.2}%{:>8.1}{:>8.1}",
        answer.objective_cents / 100,
        answer.bound_cents / 100,
        of_objective(answer.gap_cents),
        of_objective(answer.first_come[0].regret_cents),
        of_objective(answer.first_come[1].regret_cents),
        wall.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
    );
}

/// Processor time of this process, user and system, from the kernel's table of processes; 0 where there is none.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}
