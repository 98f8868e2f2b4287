//! Who goes well with a team.

use std::cell::Cell;

use attelage_solver::sample::{self, Shape};
use attelage_solver::{
    Gain, Instance, Observer, Options, Partners, PartnersRequest, Progress, Proposal, Query, Reply, Stage, Status,
    WhyUnsuited, ask, solve_with,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{indices, least, mistakes, question, verified};
use crate::brute_force::{NAMES, call, enumerate};
use crate::support::{actor, lyon, need, parse, problem};

fn partners(problem: &Value, query: Value) -> Partners {
    // A busy machine must not decide how far the answers go.
    let options = Options { time_limit_ms: 600_000, ..Options::default() };
    match question(problem, &options, query) {
        Reply::Partners(partners) => partners,
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn gains_are_those_of_the_enumeration(value in call()) {
        let consortia = enumerate(&parse(&value));
        let told = partners(&value, json!({ "partners": { "team": ["w"], "limit": 10, "exact": 10 } }));
        let Some(best) = least(&consortia, |set| set.contains(&0)) else {
            prop_assert_eq!(told.status, Status::Infeasible);
            prop_assert!(told.infeasibility.is_some() && told.best.is_none());
            return Ok(());
        };
        prop_assert_eq!(told.status, Status::Optimal);
        prop_assert_eq!(told.best.unwrap().costs.objective_cents, best);
        prop_assert!(!told.cut_short && told.left_out == 0);
        let mut before = None;
        for partner in &told.partners {
            let i = NAMES.iter().position(|name| *name == partner.actor).unwrap();
            let with = least(&consortia, |set| set.contains(&0) && set.contains(&i)).unwrap();
            let without = least(&consortia, |set| set.contains(&0) && !set.contains(&i));
            match partner.gain.as_ref().unwrap() {
                Gain::Indispensable => prop_assert_eq!(without, None),
                Gain::Saves { cents, proven } => {
                    prop_assert_eq!(Some(with + cents), without);
                    prop_assert!(*proven && before.is_none_or(|before| before >= *cents));
                    before = Some(*cents);
                }
            }
            prop_assert!(partner.bound_cents <= with);
            let proposal = partner.proposal.as_ref().unwrap();
            let found = verified(&value, proposal);
            prop_assert!(found.contains(&0) && found.contains(&i));
            prop_assert_eq!(proposal.regret_cents, with - best);
            prop_assert!(!partner.in_best || proposal.regret_cents == 0);
            let work = |need: &str| proposal.allocations.iter().filter(|w| w.need == need && w.actor == partner.actor).map(|w| w.quantity).sum::<u64>();
            prop_assert!(partner.brings.iter().all(|b| b.quantity == work(&b.need)) && !partner.brings.is_empty());
        }
        for unsuited in &told.unsuited {
            let i = *indices(&[&unsuited.actor]).first().unwrap();
            let with = least(&consortia, |set| set.contains(&0) && set.contains(&i));
            match &unsuited.reason {
                WhyUnsuited::AlreadyCovered => {
                    let without = least(&consortia, |set| set.contains(&0) && !set.contains(&i));
                    prop_assert!(without == Some(best) && with.is_none_or(|with| with >= best));
                }
                WhyUnsuited::Excluded | WhyUnsuited::Incompatible { .. } => prop_assert_eq!(with, None),
                WhyUnsuited::Refused { .. } => prop_assert!(consortia.keys().all(|set| !set.contains(&i))),
            }
        }
        let mut all: Vec<_> = told.partners.iter().map(|p| &p.actor).chain(told.unsuited.iter().map(|u| &u.actor)).collect();
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len() + 1, parse(&value).actors.len());
    }
}

#[test]
fn the_complement_comes_first_and_the_others_hear_why_not() {
    let told = partners(&lyon(), json!({ "partners": { "team": ["refurbisher"] } }));
    assert_eq!(told.partners[0].actor, "trainer");
    assert_eq!(told.partners[0].gain, Some(Gain::Indispensable));
    let brings: Vec<_> = told.partners[0].brings.iter().map(|b| (b.need.as_str(), b.quantity)).collect();
    assert_eq!(brings, [("workshops", 12_000)]);
    let district = told.unsuited.iter().find(|u| u.actor == "district").unwrap();
    assert!(matches!(&district.reason, WhyUnsuited::Refused { need, .. } if need == "workshops"));
}

#[test]
fn a_double_is_covered_already_and_a_vetoed_actor_told_so() {
    let actors =
        json!([actor("x", &[("a", 10, 100)]), actor("double", &[("a", 10, 120)]), actor("foe", &[("a", 10, 50)])]);
    let mut problem = problem(json!([need("a", 10)]), actors);
    problem["incompatibilities"] = json!([{ "a": "foe", "b": "x" }]);
    let told = partners(&problem, json!({ "partners": { "team": ["x"] } }));
    assert!(told.partners.is_empty());
    let why: Vec<_> = told.unsuited.iter().map(|u| (u.actor.as_str(), u.reason.clone())).collect();
    let with = vec!["x".to_owned()];
    assert_eq!(why, [("foe", WhyUnsuited::Incompatible { with }), ("double", WhyUnsuited::AlreadyCovered)]);
}

#[test]
fn few_are_the_first_of_all() {
    let problem = serde_json::to_value(sample::problem(&Shape::LYON, 5)).unwrap();
    let of = |limit: u32| {
        let told = partners(&problem, json!({ "partners": { "team": ["a0007"], "limit": limit, "exact": 0 } }));
        told.partners.into_iter().map(|p| (p.actor, p.estimate_cents)).collect::<Vec<_>>()
    };
    let all = of(200);
    assert!(all.len() > 8, "{all:?}");
    assert_eq!(of(6), all[..6]);
}

#[test]
fn mistakes_are_told_with_their_place() {
    let query = json!({ "partners": { "team": ["nobody", "trainer", "trainer"], "limit": 0, "exact": 3 } });
    assert_eq!(mistakes(&lyon(), &Options::default(), query), ["/team/0", "/team/2", "/limit", "/exact"]);
    assert_eq!(mistakes(&lyon(), &Options::default(), json!({ "partners": {} })), ["/team"]);
    let strange = json!({ "partners": { "teams": [] } });
    assert!(serde_json::from_value::<attelage_solver::Query>(strange).is_err());
}

/// Ranks of values, ties sharing their mean rank.
fn ranks(values: &[i64]) -> Vec<f64> {
    let of = |x: &i64| {
        let below = values.iter().filter(|y| *y < x).count() as f64;
        let same = values.iter().filter(|y| *y == x).count() as f64;
        below + (same - 1.0) / 2.0
    };
    values.iter().map(of).collect()
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(x, y)| f(x - ma, y - mb)).sum::<f64>();
    sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt().max(1e-12)
}

/// The estimate against the exact gain of all partners, on calls of a city.
#[test]
fn the_estimate_ranks_as_the_exact_gain_does() {
    let (mut rho, mut hits, mut count) = (0.0, 0, 0.0);
    let shape = Shape { actors: 18, needs: 5, communes: 24, services: 5, spread: true };
    for seed in 1..=2 {
        let problem = serde_json::to_value(sample::problem(&shape, seed)).unwrap();
        for asker in [["a0005", "a0012"][seed as usize - 1]] {
            let told = partners(&problem, json!({ "partners": { "team": [asker], "limit": 30, "exact": 30 } }));
            // Gains of the indispensable are without bound.
            let exact = |p: &attelage_solver::Partner| match p.gain.as_ref().unwrap() {
                Gain::Indispensable => i64::MAX,
                Gain::Saves { cents, .. } => *cents,
            };
            let found: Vec<i64> = told.partners.iter().map(exact).collect();
            let estimates: Vec<i64> = told.partners.iter().map(|p| p.estimate_cents.unwrap_or(i64::MAX)).collect();
            if found.len() < 6 {
                continue;
            }
            let mut by_estimate: Vec<usize> = (0..found.len()).collect();
            by_estimate.sort_by_key(|&i| std::cmp::Reverse(estimates[i]));
            // Partners stand in the order of their exact gains.
            hits += by_estimate[..5].iter().filter(|&&i| found[i] >= found[4]).count();
            let one = correlation(&ranks(&found), &ranks(&estimates));
            eprintln!("seed {seed} {asker}: {} partners, Spearman {one:.3}", found.len());
            rho += one;
            count += 1.0;
        }
    }
    eprintln!("mean Spearman {:.3}, hits in the exact top 5: {:.2}", rho / count, hits as f64 / count);
    assert!(count == 2.0 && rho / count > 0.75 && hits as f64 / count >= 3.5, "{rho} {hits} {count}");
}

/// From six hundred edges on, the best with the team comes from the search for proposals: its gains are those of that question, and
/// what it finds on the way is nobody's proposal.
#[test]
fn in_a_call_of_middle_size_gains_are_differences_of_proposals() {
    struct Silent;
    impl Observer for Silent {
        fn proposal(&self, _: usize, proposal: &Proposal) {
            panic!("told {} members, though nobody asked for proposals", proposal.members.len());
        }
    }
    /// Ends when the search is over: explanations are not what is compared.
    #[derive(Default)]
    struct Search(Cell<bool>);
    impl Observer for Search {
        fn progress(&self, progress: &Progress) {
            self.0.set(self.0.get() || progress.stage != Stage::Search);
        }
        fn cancelled(&self) -> bool {
            self.0.get()
        }
    }
    let instance = Instance::new(sample::problem(&Shape::of(150, 20), 7)).unwrap();
    let options = Options { proposals: 1, ..Options::default() };
    let best = |options: &Options| {
        let answer = solve_with(&instance, options, &Search::default()).unwrap();
        assert!(answer.report.edges >= 600, "{} edges", answer.report.edges);
        answer.proposals.first().map(|proposal| proposal.costs.objective_cents)
    };
    let asker = "a0007".to_owned();
    let request = PartnersRequest { team: vec![asker.clone()], limit: 2, exact: 2 };
    let Reply::Partners(told) = ask(&instance, &options, &Query::Partners(request), &Silent).unwrap() else { panic!() };
    assert_eq!((told.status, told.partners.len()), (Status::Optimal, 2));
    let team = Options { locked_in: vec![asker.clone()], ..options.clone() };
    assert_eq!(told.best.map(|best| best.costs.objective_cents), best(&team));
    for partner in &told.partners {
        let with = best(&Options { locked_in: vec![asker.clone(), partner.actor.clone()], ..options.clone() }).unwrap();
        let without = best(&Options { locked_out: vec![partner.actor.clone()], ..team.clone() });
        match (&partner.gain, without) {
            (Some(Gain::Indispensable), None) => {}
            (Some(Gain::Saves { cents, proven: true }), Some(without)) => {
                // Each is proven within 0.01 %.
                assert!((cents - (without - with)).abs() <= without / 5_000, "{}: {cents}", partner.actor);
            }
            other => panic!("{}: {other:?}", partner.actor),
        }
    }
}
