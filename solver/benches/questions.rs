//! Processor seconds and quality of the questions beside that for a proposal, as Markdown tables:
//! `cargo bench -p attelage-solver --bench questions [-- flow partners hits repair diagnosis ways-out territory]`.
//!
//! Without a name, all of them; `--seeds N` sets how many calls of 500 actors there are. Each time stands beside its reference, measured
//! in the same process. Seeds, askers and departures are fixed beforehand, none is left out.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss)]

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Instant;

use attelage_solver::diagnosis::{Answerability, Diagnosis, DiagnosisQuery};
use attelage_solver::flow::Network;
use attelage_solver::sample::{self, Market, Shape};
use attelage_solver::territory::TerritoryQuery;
use attelage_solver::{
    Credential, Criterion, EligibilityRule, Gain, Instance, Observer, Options, Partner, Partners, PartnersRequest,
    Problem, Progress, Query, Repair, RepairRequest, Reply, Scope, Stage, ask, solve_with,
};
use petgraph::algo::dinics;
use petgraph::graph::{DiGraph, NodeIndex};

/// A table by its name, for so many calls of 500 actors.
type Part = (&'static str, fn(u64));

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let at = arguments.iter().position(|argument| argument == "--seeds");
    let seeds = at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(5);
    let parts: [Part; 7] = [
        ("flow", |_| flow()),
        ("partners", partners),
        ("hits", |_| hits()),
        ("repair", repair),
        ("diagnosis", diagnosis),
        ("ways-out", ways_out),
        ("territory", |_| territory()),
    ];
    let named = |name: &str| arguments.iter().any(|argument| argument == name);
    let all = !parts.iter().any(|(name, _)| named(name));
    for (name, run) in parts {
        if all || named(name) {
            println!("\n### {name}\n");
            run(seeds);
        }
    }
}

/// Seconds of processor that this thread has had, where the system tells; else seconds of the clock.
fn processor(start: Instant) -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    nanoseconds.map_or_else(|| start.elapsed().as_secs_f64(), |own| own as f64 / 1e9)
}

/// What something gives and how many seconds it takes.
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let start = Instant::now();
    let before = processor(start);
    let value = run();
    (value, processor(start) - before)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn options() -> Options {
    Options { proposals: 1, gap_ppm: 100, time_limit_ms: 600_000, ..Options::default() }
}

fn asked(instance: &Instance, options: &Options, query: &Query) -> Reply {
    ask(instance, options, query, &()).unwrap()
}

fn medium(seed: u64) -> Instance {
    Instance::new(sample::problem(&Shape::MEDIUM, seed)).unwrap()
}

/// A maximum flow on a market of a million edges, against `dinics` of petgraph on the same network.
fn flow() {
    println!("| nodes | edges | laying out | flow | petgraph `dinics` | ratio to both | ratio to the flow |");
    println!("|---|---|---|---|---|---|---|");
    for seed in 1..=2 {
        let market = sample::market(&Market::MILLION, seed);
        let (source, sink) = (market.nodes - 2, market.nodes - 1);
        let mut network = Network::default();
        let mut graph = DiGraph::<(), u64>::new();
        let nodes: Vec<NodeIndex> = (0..market.nodes).map(|_| graph.add_node(())).collect();
        for _ in 0..market.nodes {
            network.node();
        }
        for &(from, to, capacity) in &market.edges {
            network.edge(from, to, capacity);
            graph.add_edge(nodes[from as usize], nodes[to as usize], capacity);
        }
        let (mut layout, mut augment, mut sent) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..9 {
            let (mut flow, seconds) = timed(|| network.build());
            layout.push(seconds);
            let (value, seconds) = timed(|| flow.augment(source, sink));
            augment.push(seconds);
            sent.push(value);
        }
        let ((value, _), theirs) = timed(|| dinics(&graph, nodes[source as usize], nodes[sink as usize]));
        assert!(sent.iter().all(|own| *own == u128::from(value)));
        let (layout, augment) = (median(layout), median(augment));
        println!(
            "| {} | {} | {layout:.3} s | {augment:.3} s | {theirs:.1} s | {:.0} | {:.0} |",
            market.nodes,
            market.edges.len(),
            theirs / (layout + augment),
            theirs / augment
        );
    }
}

fn told(reply: Reply) -> Partners {
    match reply {
        Reply::Partners(told) => told,
        other => panic!("{other:?}"),
    }
}

/// What it takes to rank all candidates of a team for the first twenty, each either judged by its own linear programs or proven to come
/// later: the whole question without exact gains, less the search for the best with the team, by all who can serve anything. And what
/// one partner more on the list takes: the difference between a list of two hundred and of twenty, by that of their lengths.
fn partners(seeds: u64) {
    println!("| seed | asker | candidates | search | twenty partners | a candidate ranked | one more listed |");
    println!("|---|---|---|---|---|---|---|");
    // The search for the best with the team is the same in all: coarse, so that little noise comes from it.
    let options = Options { gap_ppm: 50_000, ..options() };
    let (mut ranked, mut listed) = (Vec::new(), Vec::new());
    for seed in 1..=seeds {
        let instance = medium(seed);
        let none = Options { work_limit: Some(0), ..options.clone() };
        let relevant = solve_with(&instance, &none, &()).unwrap().report.relevant_actors;
        for asker in ["a0011", "a0140", "a0333"] {
            let query = |limit| Query::Partners(PartnersRequest { team: vec![asker.to_owned()], limit, exact: 0 });
            let (few, least) = timed(|| told(asked(&instance, &options, &query(20))));
            if few.partners.is_empty() {
                println!("| {seed} | {asker} | {relevant} | | {:?} | | |", few.status);
                continue;
            }
            let with = Options { locked_in: vec![asker.to_owned()], ..options.clone() };
            let (best, _) = search(&instance, &with);
            let (many, most) = timed(|| told(asked(&instance, &options, &query(200))));
            let more = many.partners.len().saturating_sub(few.partners.len());
            let each = (least - best) / f64::from(relevant - 1);
            let next = (most - least) / more as f64;
            println!(
                "| {seed} | {asker} | {relevant} | {best:.2} s | {least:.2} s | {:.2} ms | {:.2} ms |",
                each * 1e3,
                next * 1e3
            );
            ranked.push(each);
            listed.push(next);
        }
    }
    println!(
        "\nmedian of {} askers: {:.2} ms a candidate ranked, {:.2} ms one more listed",
        ranked.len(),
        median(ranked.clone()) * 1e3,
        median(listed) * 1e3
    );
}

/// How many of the exact first five the estimate finds, and how alike the two orders are, every partner being judged exactly.
fn hits() {
    println!("| call | askers | of the exact first five | Spearman |");
    println!("|---|---|---|---|");
    for (name, shape, seeds) in
        [("city, 30 actors", Shape::LYON, 1..=4), ("60 actors, 12 needs", Shape::of(60, 12), 1..=4)]
    {
        let mut found: Vec<(f64, f64)> = Vec::new();
        for seed in seeds {
            let instance = Instance::new(sample::problem(&shape, seed)).unwrap();
            for asker in ["a0007", "a0013", "a0022"] {
                let request = PartnersRequest { team: vec![asker.to_owned()], limit: 200, exact: 200 };
                let told = told(asked(&instance, &options(), &Query::Partners(request)));
                if told.partners.len() >= 5 {
                    found.push(likeness(&told.partners));
                }
            }
        }
        let mean = |of: fn(&(f64, f64)) -> f64| found.iter().map(of).sum::<f64>() / found.len() as f64;
        println!("| {name} | {} | {:.2} | {:.3} |", found.len(), mean(|own| own.0), mean(|own| own.1));
    }
}

/// Hits among the first five, and the rank correlation.
fn likeness(partners: &[Partner]) -> (f64, f64) {
    let exact = |partner: &Partner| match partner.gain {
        Some(Gain::Indispensable) => i64::MAX,
        Some(Gain::Saves { cents, .. }) => cents,
        None => i64::MIN,
    };
    let estimate = |partner: &Partner| partner.estimate_cents.unwrap_or(i64::MAX);
    let ranks = |value: &dyn Fn(&Partner) -> i64| -> Vec<f64> {
        let of = |own: i64| {
            let above = partners.iter().filter(|other| value(other) > own).count();
            let equal = partners.iter().filter(|other| value(other) == own).count();
            above as f64 + f64::midpoint(equal as f64, 1.0)
        };
        partners.iter().map(|partner| of(value(partner))).collect()
    };
    let (ours, theirs) = (ranks(&estimate), ranks(&exact));
    let first = |ranks: &[f64]| -> BTreeSet<usize> {
        let mut order: Vec<usize> = (0..ranks.len()).collect();
        order.sort_by(|&a, &b| ranks[a].total_cmp(&ranks[b]));
        order.into_iter().take(5).collect()
    };
    let hits = first(&ours).intersection(&first(&theirs)).count() as f64;
    let mean = f64::midpoint(partners.len() as f64, 1.0);
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - mean) * (y - mean)).sum::<f64>();
    (hits, product(&ours, &theirs) / (product(&ours, &ours) * product(&theirs, &theirs)).sqrt())
}

/// Stops a computation where its explanations begin, and notes when that was.
struct UntilExplained {
    start: Instant,
    at: Cell<Option<f64>>,
}

impl Observer for UntilExplained {
    fn progress(&self, progress: &Progress) {
        if progress.stage == Stage::Explanation && self.at.get().is_none() {
            self.at.set(Some(processor(self.start)));
        }
    }

    fn cancelled(&self) -> bool {
        self.at.get().is_some()
    }
}

/// Seconds until the best consortium is found and proven, without explanations, and its members.
fn search(instance: &Instance, options: &Options) -> (f64, Vec<String>) {
    let observer = UntilExplained { start: Instant::now(), at: Cell::new(None) };
    let before = processor(observer.start);
    let answer = solve_with(instance, options, &observer).unwrap();
    let after = observer.at.get().unwrap_or_else(|| processor(observer.start));
    let best = answer.proposals.first().map(|best| best.members.iter().map(|member| member.actor.clone()).collect());
    (after - before, best.unwrap_or_default())
}

/// Repairs of the best team after one departure, against a search of the call anew.
fn repair(seeds: u64) {
    println!("| seed | who left | stay | join | repair | search anew | ratio |");
    println!("|---|---|---|---|---|---|---|");
    let (mut ours, mut theirs, mut ratios) = (0.0, 0.0, Vec::new());
    for seed in 1..=seeds {
        let instance = medium(seed);
        let (_, team) = search(&instance, &options());
        for departed in team.iter().step_by(3) {
            let request = RepairRequest { team: team.clone(), departed: vec![departed.clone()], cheapest: false };
            let (reply, repair) = timed(|| asked(&instance, &options(), &Query::Repair(request)));
            let Reply::Repair(Repair { plans, status, .. }) = reply else { panic!("{reply:?}") };
            let without = Options { locked_out: vec![departed.clone()], ..options() };
            let (anew, _) = search(&instance, &without);
            let (stay, join) = plans.first().map_or((0, 0), |plan| (plan.staying.len(), plan.joining.len()));
            println!(
                "| {seed} | {departed} | {stay} of {} | {join} ({status:?}) | {repair:.3} s | {anew:.3} s | {:.1} |",
                team.len() - 1,
                anew / repair
            );
            ours += repair;
            theirs += anew;
            ratios.push(anew / repair);
        }
    }
    let (count, least) = (ratios.len(), ratios.iter().copied().fold(f64::INFINITY, f64::min));
    println!("\n{count} departures: {:.1} altogether, median {:.1}, least {least:.1}", theirs / ours, median(ratios));
}

/// Ways to make a call that somebody can answer one that nobody can.
fn broken(problem: &Problem, cost: i64) -> Vec<(&'static str, Problem)> {
    let with = |change: &dyn Fn(&mut Problem)| {
        let mut changed = problem.clone();
        change(&mut changed);
        changed
    };
    let service = problem.call.lots[0].needs[0].service.clone();
    let label = |scope| EligibilityRule {
        id: "label".to_owned(),
        criterion: Criterion::Credential { code: "label".to_owned(), accept_linked: false },
        scope,
        lots: Vec::new(),
        services: Vec::new(),
    };
    vec![
        ("half of the best cost as the budget", with(&|p| p.call.budget_cents = Some(cost / 2))),
        ("two thirds of it", with(&|p| p.call.budget_cents = Some(cost / 3 * 2))),
        (
            "the best cost as the budget, and three members at most",
            with(&|p| {
                p.call.budget_cents = Some(cost);
                p.call.group.maximum_members = Some(3);
            }),
        ),
        (
            "four members at least, each with 30 % or more",
            with(&|p| {
                p.call.group.minimum_members = 4;
                p.call.group.minimum_share_percent = Some(30);
            }),
        ),
        (
            "four members at most, none with more than 20 %",
            with(&|p| {
                p.call.group.maximum_members = Some(4);
                p.call.group.maximum_share_percent = Some(20);
            }),
        ),
        (
            "nobody offers a service",
            with(&|p| {
                for actor in &mut p.actors {
                    actor.capabilities.retain(|capability| !capability.services.contains(&service));
                }
            }),
        ),
        ("a condition on the lead that nobody meets", with(&|p| p.call.eligibility.push(label(Scope::Lead)))),
        (
            "a condition on members that every third meets",
            with(&|p| {
                p.call.eligibility.push(label(Scope::EachMember));
                let credential = serde_json::from_str::<Credential>(r#"{ "code": "label" }"#).unwrap();
                p.actors.iter_mut().skip(3).step_by(3).for_each(|actor| actor.credentials.push(credential.clone()));
            }),
        ),
    ]
}

/// So many calls of 500 actors, each broken in every way; a diagnosis has a minute.
fn diagnosed(seeds: u64, mut look: impl FnMut(u64, &'static str, &dyn Fn(u32) -> (Diagnosis, f64))) {
    for seed in 1..=seeds {
        let problem = sample::problem(&Shape::MEDIUM, seed);
        let instance = Instance::new(problem.clone()).unwrap();
        let Reply::Proposals(answer) = asked(&instance, &options(), &Query::default()) else { continue };
        let Some(best) = answer.proposals.first() else { continue };
        for (what, changed) in broken(&problem, best.costs.total_cents) {
            let instance = Instance::new(changed).unwrap();
            look(seed, what, &|relaxations| {
                let query = Query::Diagnosis(DiagnosisQuery { relaxations });
                let options = Options { time_limit_ms: 60_000, ..options() };
                let (reply, seconds) = timed(|| asked(&instance, &options, &query));
                match reply {
                    Reply::Diagnosis(told) => (told, seconds),
                    other => panic!("{other:?}"),
                }
            });
        }
    }
}

/// Conflicts.
fn diagnosis(seeds: u64) {
    println!("| seed | what is wrong | rules in the conflict | all proven | conflict |");
    println!("|---|---|---|---|---|");
    let mut all: Vec<f64> = Vec::new();
    diagnosed(seeds, |seed, what, diagnose| {
        let (told, seconds) = diagnose(0);
        let proven = told.complete && told.conflict.iter().all(|rule| rule.necessary);
        let yes = if proven { "yes" } else { "no" };
        let rules = match told.verdict {
            Answerability::Answerable => "answerable".to_owned(),
            Answerability::NotAnswerable => told.conflict.len().to_string(),
            Answerability::Unknown => "unknown".to_owned(),
        };
        println!("| {seed} | {what} | {rules} | {yes} | {seconds:.2} s |");
        all.push(seconds);
    });
    let longest = all.iter().copied().fold(0.0, f64::max);
    println!("\n{} calls: median {:.2} s, longest {longest:.2} s", all.len(), median(all));
}

/// What three ways out take beside the conflict.
fn ways_out(seeds: u64) {
    println!("| seed | what is wrong | ways out | rules in each | conflict and ways out |");
    println!("|---|---|---|---|---|");
    diagnosed(seeds, |seed, what, diagnose| {
        let (told, seconds) = diagnose(3);
        let rules: Vec<String> = told.relaxations.iter().map(|way| way.changes.len().to_string()).collect();
        println!("| {seed} | {what} | {} | {} | {seconds:.2} s |", rules.len(), rules.join(", "));
    });
}

/// Supply against need on whole markets.
fn territory() {
    println!("| actors | needs | best places | seconds |");
    println!("|---|---|---|---|");
    for (shape, best_places) in [(Shape::LARGE, 0), (Shape::LARGE, 5), (Shape::NATIONAL, 0), (Shape::NATIONAL, 5)] {
        let instance = Instance::new(sample::problem(&shape, 1)).unwrap();
        let query = Query::Territory(TerritoryQuery { best_places, ..TerritoryQuery::default() });
        let (_, seconds) = timed(|| asked(&instance, &options(), &query));
        println!("| {} | {} | {best_places} | {seconds:.2} s |", shape.actors, shape.needs);
    }
}
