//! Column generation against the monolith, which is held against the enumeration of all plans from outside.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use super::*;
use crate::formulate::keur;
use crate::sample::{self, Random, Shape};

const SMALL: Shape = Shape { actors: 10, needs: 3, communes: 24, services: 3, spread: false };

fn options() -> PortfolioOptions {
    PortfolioOptions { gap_ppm: 10, ..PortfolioOptions::default() }
}

/// Options of every kind, for calls of the samples.
fn every_kind(instance: &PortfolioInstance) -> [PortfolioOptions; 4] {
    let ids: Vec<String> = instance.instances.iter().map(|own| own.problem().call.id.clone()).collect();
    [
        options(),
        PortfolioOptions { maximum_calls_per_actor: Some(2), ..options() },
        PortfolioOptions { exclusive: vec![ids[..2].to_vec(), ids[1..].to_vec()], ..options() },
        PortfolioOptions { maximum_share_percent: Some(25), ..options() },
    ]
}

fn sample(calls: usize, seed: u64) -> PortfolioInstance {
    PortfolioInstance::new(&sample::portfolio(&SMALL, calls, seed)).unwrap()
}

#[test]
fn column_generation_agrees_with_the_monolith() {
    let instance = sample(3, 1);
    for options in &every_kind(&instance)[1..] {
        let exact = solve_by(Method::Monolith, &instance, options, &());
        assert_eq!(exact.status, Status::Optimal, "{options:?}");
        let columns = solve_by(Method::Columns, &instance, options, &());
        assert!(columns.verified);
        let (bound, optimum, found) = (columns.bound_cents, exact.objective_cents, columns.objective_cents);
        let gap = optimum / 50_000;
        assert!(bound <= optimum && optimum <= found + gap, "{bound} {optimum} {found} {options:?}");
        assert!(found - bound <= found / 20, "{bound} {optimum} {found} {options:?}");
        assert!(
            columns.first_come.iter().all(|order| order.regret_cents >= 0) || options.maximum_share_percent.is_some()
        );
    }
}

#[test]
fn fairness_by_columns_keeps_its_limit_and_its_bound() {
    let instance = sample(4, 2);
    let fairness = Fairness { kind: FairnessKind::LeastLargest, tolerance_ppm: 20_000 };
    let options = PortfolioOptions { fairness, ..options() };
    let exact = solve_by(Method::Monolith, &instance, &options, &());
    let columns = solve_by(Method::Columns, &instance, &options, &());
    let (best, told) = (exact.fairness.unwrap(), columns.fairness.unwrap());
    assert!(best.largest_cents < best.cheapest_largest_cents, "{best:?}");
    assert!(best.largest_cents - best.bound_cents <= best.largest_cents / 50_000, "{best:?}");
    assert!(
        columns.objective_cents <= told.limit_cents && told.largest_cents <= told.cheapest_largest_cents,
        "{told:?}"
    );
    if told.limit_cents <= best.limit_cents {
        assert!(best.bound_cents <= told.largest_cents);
    }
    assert!(told.bound_cents <= told.largest_cents && told.bound_cents > 0, "{told:?}");
}

#[test]
fn no_prices_prove_too_much() {
    let instance = sample(3, 3);
    for options in &every_kind(&instance)[2..] {
        let optimum = solve_by(Method::Monolith, &instance, options, &()).objective_cents;
        let single = Options { gap_ppm: 10, ..Options::default() };
        let backend = Backend::new(&single, Control::new(&single, &()));
        let compiled = |own| Compiled::new(own, &single, RuleSet::default());
        let calls: Vec<Compiled<'_>> = instance.instances.iter().map(compiled).collect();
        let joint = Joint::new(&calls, options);
        let stage = Stage::new(&calls, &joint, options, Ask::CHEAPEST);
        let mut random = Random::new(7);
        for _ in 0..8 {
            let prices: Vec<f64> = stage.rows.list.iter().map(|_| -(random.below(300) as f64) / 10_000.0).collect();
            let bound = columns::bound_at(&stage, &backend, &prices);
            assert!(bound <= keur(optimum) * 1.000_01, "{bound} {optimum}");
        }
    }
}
