//! The whole dossier of a call of a city: `cargo bench -p attelage-solver --bench dossier`.
//!
//! `dossier` is everything that a funder is handed, one question after the other: five alternatives to the best consortium, each of
//! the six explained; the necessity of each member of the best; a front of twelve points; what each loss would leave and the best
//! consortium that survives any; how to share the margin, tested against rivals. Where nobody can answer, the conflict and the
//! cheapest relaxations stand for all of it. The other benches are its parts; `proof` is the optimum with its proof alone.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::Cell;

use attelage_solver::diagnosis::DiagnosisQuery;
use attelage_solver::sample::{self, Shape};
use attelage_solver::{
    AlternativesRequest, FrontRequest, Instance, Observer, Options, Progress, ProposalsQuery, Query, Reply,
    ResilienceRequest, SharesRequest, Stage, Status, ask, solve_with,
};
use divan::Bencher;

fn main() {
    divan::main();
}

/// Samples by seed, and the example of the documentation.
const CALLS: [&str; 4] = ["example", "1", "2", "3"];

fn instance(call: &str) -> Instance {
    let problem = match call.parse() {
        Ok(seed) => sample::problem(&Shape::LYON, seed),
        Err(_) => serde_json::from_str(include_str!("../examples/lyon.json")).unwrap(),
    };
    Instance::new(problem).unwrap()
}

fn proposals() -> Query {
    Query::Proposals(ProposalsQuery {})
}

fn alternatives() -> Query {
    Query::Alternatives(AlternativesRequest {
        count: 5,
        tolerance_percent: Some(100),
        ..AlternativesRequest::default()
    })
}

fn front() -> Query {
    Query::Front(FrontRequest { points: 12, ..FrontRequest::default() })
}

fn resilience() -> Query {
    Query::Resilience(ResilienceRequest::default())
}

fn shares() -> Query {
    Query::Shares(SharesRequest::default())
}

fn answer(instance: &Instance, proposals: u32, query: &Query) -> Reply {
    ask(instance, &Options { proposals, ..Options::default() }, query, &()).unwrap()
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn dossier(bencher: Bencher, call: &str) {
    let instance = instance(call);
    bencher.bench_local(|| {
        if answer(&instance, 1, &proposals()).status() == Some(Status::Infeasible) {
            answer(&instance, 1, &Query::Diagnosis(DiagnosisQuery::default()));
            return;
        }
        for query in [alternatives(), front(), resilience(), shares()] {
            answer(&instance, 1, &query);
        }
    });
}

/// Three proposals, explained.
#[divan::bench(args = CALLS, sample_count = 5)]
fn three_proposals(bencher: Bencher, call: &str) {
    part(bencher, call, 3, &proposals());
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn one_proposal(bencher: Bencher, call: &str) {
    part(bencher, call, 1, &proposals());
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn five_alternatives(bencher: Bencher, call: &str) {
    part(bencher, call, 1, &alternatives());
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn front_of_twelve(bencher: Bencher, call: &str) {
    part(bencher, call, 1, &front());
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn losses(bencher: Bencher, call: &str) {
    part(bencher, call, 1, &resilience());
}

#[divan::bench(args = CALLS, sample_count = 5)]
fn shared_margin(bencher: Bencher, call: &str) {
    part(bencher, call, 1, &shares());
}

fn part(bencher: Bencher, call: &str, proposals: u32, query: &Query) {
    let instance = instance(call);
    bencher.bench_local(|| answer(&instance, proposals, query));
}

/// Cancels when the search is over.
#[derive(Default)]
struct BeforeExplaining(Cell<bool>);

impl Observer for BeforeExplaining {
    fn progress(&self, progress: &Progress) {
        self.0.set(self.0.get() || progress.stage != Stage::Search);
    }

    fn cancelled(&self) -> bool {
        self.0.get()
    }
}

/// The optimum with its proof, as far as the first search after it.
#[divan::bench(args = CALLS, sample_count = 5)]
fn proof(bencher: Bencher, call: &str) {
    let instance = instance(call);
    let options = Options { proposals: 1, ..Options::default() };
    bencher.bench_local(|| solve_with(&instance, &options, &BeforeExplaining::default()).unwrap());
}
