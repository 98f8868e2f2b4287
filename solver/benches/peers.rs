//! Against others, as tables in Markdown: `cargo bench -p attelage-solver --bench peers -- [heuristics] [pairs] [ours] [quick]`.
//!
//! - `heuristics`: teams that textbook heuristics choose, each with our exact allocation, against the optimum; which rules break. Each
//!   call also without the three actors that reach everything (`local`).
//! - `pairs`: the same call as textbooks write it (a variable for every pair, weak links, every place a cell of its own) and as it is
//!   written here, both in HiGHS as it comes, gap 1e-4, at most sixty seconds.
//! - `ours`: time to the proof within 1e-4 of the instances that are exported for other solvers (see `examples/export.rs`).
//! - `quick`: the city only.
//!
//! Times are processor seconds where the system tells them (Linux), else those of the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

#[path = "peers/heuristics.rs"]
mod heuristics;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Instant;

use attelage_solver::export::{self, Form, Model};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{
    CheckRequest, Instance, Observer, Options, Progress, Query, Reply, Stage, Status, TeamCheck, ask, solve_with,
};
use heuristics::Market;
use highs::{HighsModelStatus, RowProblem, Sense};

fn main() {
    let words: BTreeSet<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let wanted =
        |name: &str| words.contains(name) || !["heuristics", "pairs", "ours"].iter().any(|w| words.contains(*w));
    let quick = words.contains("quick");
    let city = [1, 2, 3, 4, 5].map(|seed| ("lyon", Shape::LYON, seed));
    let medium = [1, 2, 3, 4, 5].map(|seed| ("medium", Shape::MEDIUM, seed));
    let all: Vec<_> = city.into_iter().chain(medium.into_iter().filter(|_| !quick)).collect();
    if wanted("heuristics") {
        heuristics(&all);
    }
    if wanted("pairs") {
        pairs(if quick { &all[..3] } else { &all[5..] });
    }
    if wanted("ours") {
        ours(&all);
    }
}

/// Processor seconds of this thread, or those since the first call.
fn clock() -> f64 {
    thread_local!(static START: Instant = Instant::now());
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let spent = told.and_then(|told| told.split_whitespace().next()?.parse::<f64>().ok());
    spent.map_or_else(|| START.with(Instant::elapsed).as_secs_f64(), |nanoseconds| nanoseconds / 1e9)
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let start = clock();
    let result = work();
    (result, clock() - start)
}

fn judged(instance: &Instance, team: Vec<String>) -> TeamCheck {
    let options = Options { gap_ppm: 100, time_limit_ms: 60_000, ..Options::default() };
    match ask(instance, &options, &Query::Check(CheckRequest { team }), &()).unwrap() {
        Reply::Check(check) => check,
        other => panic!("{other:?}"),
    }
}

fn heuristics(instances: &[(&str, Shape, u64)]) {
    println!("| call | who chooses | members | admissible | regret | rules broken |\n|---|---|---|---|---|---|");
    let wide = instances.iter().map(|&(name, shape, seed)| (name.to_owned(), sample::problem(&shape, seed), seed));
    let local = instances
        .iter()
        .map(|&(name, shape, seed)| (format!("{name} local"), sample::local_problem(&shape, seed), seed));
    for (name, problem, seed) in wide.chain(local) {
        let market = Market::new(&problem);
        let instance = Instance::new(problem.clone()).unwrap();
        let options = Options { proposals: 1, gap_ppm: 100, time_limit_ms: 60_000, ..Options::default() };
        let answer = solve_with(&instance, &options, &Watch::default()).unwrap();
        let members = answer.proposals.first().map(|best| best.members.iter().map(|m| m.actor.clone()).collect());
        let teams = [
            ("this solver", members.unwrap_or_default()),
            ("greedy, fewest members", market.cover()),
            ("greedy, least cost per unit", market.cost_effective()),
            ("RarestFirst", market.rarest_first()),
            ("EnhancedSteiner", market.enhanced_steiner()),
        ];
        for (chooser, team) in teams {
            let count = team.len();
            let check = judged(&instance, team);
            let admissible = matches!(check.status, Status::Optimal | Status::Feasible);
            let cost = check.proposal.filter(|_| admissible).map(|proposal| proposal.costs.objective_cents);
            let regret = match (cost, check.best_cents) {
                (Some(cost), Some(best)) => format!("{:+.2} %", (cost - best) as f64 / best as f64 * 100.0),
                _ => "–".to_owned(),
            };
            let broken: Vec<String> = check.broken.iter().map(|b| b.name.rule).map(|r| format!("{r:?}")).collect();
            let verdict = match check.status {
                Status::Optimal | Status::Feasible => "yes",
                Status::Infeasible => "no",
                Status::Unknown => "?",
            };
            println!("| {name} {seed} | {chooser} | {count} | {verdict} | {regret} | {} |", broken.join(", "));
        }
    }
}

/// Solves a model with HiGHS as it comes. Objective, whether proven, seconds.
fn plain(model: &Model, limit: f64) -> (f64, bool, f64) {
    let mut problem = RowProblem::default();
    let columns: Vec<_> = model
        .columns
        .iter()
        .map(|c| {
            let range = c.least..=c.most;
            if c.whole { problem.add_integer_column(c.cost, range) } else { problem.add_column(c.cost, range) }
        })
        .collect();
    for row in &model.rows {
        let terms: Vec<_> = row.terms.iter().map(|&(column, factor)| (columns[column], factor)).collect();
        problem.add_row(row.least..=row.most, terms);
    }
    let mut highs = problem.optimise(Sense::Minimise);
    highs.make_quiet();
    highs.set_option("threads", 1);
    highs.set_option("mip_rel_gap", 1e-4);
    highs.set_option("time_limit", limit);
    let (solved, seconds) = timed(|| highs.solve());
    (solved.objective_value() + model.offset, solved.status() == HighsModelStatus::Optimal, seconds)
}

fn pairs(instances: &[(&str, Shape, u64)]) {
    println!("| call | columns × rows | time | textbook: columns × rows | time | ratio |\n|---|---|---|---|---|---|");
    for &(name, shape, seed) in instances {
        let instance = Instance::new(sample::problem(&shape, seed)).unwrap();
        let of = |form| {
            let model = export::model(&instance, &Options::default(), form).unwrap();
            let size = format!("{} × {}", model.columns.len(), model.rows.len());
            (size, plain(&model, 60.0))
        };
        let ((size, (objective, proven, seconds)), (long, (other, shown, textbook))) =
            (of(Form::Compact), of(Form::Pairs));
        // Both within 1e-4 of the same optimum.
        assert!(!proven || !shown || (objective - other).abs() <= 2.1e-4 * objective.abs(), "{objective} {other}");
        let more = |proven: bool| if proven { "" } else { "> " };
        println!(
            "| {name} {seed} | {size} | {}{seconds:.2} s | {long} | {}{textbook:.2} s | {}{:.1} |",
            more(proven),
            more(shown),
            more(shown),
            textbook / seconds
        );
    }
}

fn ours(instances: &[(&str, Shape, u64)]) {
    println!("| call | time to the proof | objective (k€) | gap |\n|---|---|---|---|");
    for &(name, shape, seed) in instances {
        let instance = Instance::new(sample::problem(&shape, seed)).unwrap();
        let options = Options { proposals: 1, gap_ppm: 100, time_limit_ms: 60_000, ..Options::default() };
        let (answer, seconds) = timed(|| solve_with(&instance, &options, &Watch::default()).unwrap());
        match answer.proposals.first() {
            Some(best) => println!(
                "| {name} {seed} | {seconds:.3} s | {:.3} | {} % |",
                best.costs.objective_cents as f64 / 100_000.0,
                best.proof.gap_percent
            ),
            None => println!("| {name} {seed} | {seconds:.3} s | {:?} | |", answer.status),
        }
    }
}

/// Cancels when the search is over, so that nothing is explained: the first that is told of the explanation is its start.
#[derive(Default)]
struct Watch(Cell<bool>);

impl Observer for Watch {
    fn progress(&self, progress: &Progress) {
        self.0.set(self.0.get() || progress.stage != Stage::Search);
    }

    fn cancelled(&self) -> bool {
        self.0.get()
    }
}
