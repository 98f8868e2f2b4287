//! Many calls at once: against the enumeration of every joint allocation, and by hand.

use std::collections::BTreeMap;

use attelage_solver::portfolio::{
    Fairness, FairnessKind, Portfolio, PortfolioAnswer, PortfolioInstance, PortfolioOptions, solve_portfolio,
    validate_portfolio,
};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{Status, check};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::support::actor;

fn portfolio(calls: Value, actors: Value) -> Portfolio {
    serde_json::from_value(json!({
        "calls": calls, "services": [{ "id": "a" }, { "id": "b" }], "territories": [{ "id": "t" }], "actors": actors
    }))
    .unwrap()
}

fn call(id: &str, start: Option<&str>, quantity: u64) -> Value {
    json!({
        "id": id, "duration_months": 12, "start": start,
        "lots": [{ "id": "lot", "needs": [
            { "id": "a", "service": "a", "territory": "t", "unit": "hour", "quantity": quantity, "reference_unit_cost_cents": 100 }
        ] }]
    })
}

/// Solves, and has every proposal checked again from outside.
fn solve(portfolio: &Portfolio, options: &PortfolioOptions) -> PortfolioAnswer {
    let instance = PortfolioInstance::new(portfolio).unwrap();
    let answer = solve_portfolio(&instance, options, &()).unwrap();
    assert!(answer.verified);
    for (k, told) in answer.calls.iter().enumerate() {
        if let Some(proposal) = &told.proposal {
            assert_eq!(check(&portfolio.problem(k).unwrap(), proposal), []);
        }
    }
    answer
}

fn work(answer: &PortfolioAnswer, call: usize) -> BTreeMap<String, u64> {
    let mut work = BTreeMap::new();
    for allocation in answer.calls[call].proposal.iter().flat_map(|proposal| &proposal.allocations) {
        *work.entry(allocation.actor.clone()).or_default() += allocation.quantity;
    }
    work
}

#[test]
fn the_first_to_come_takes_what_the_second_needs_more() {
    // Both calls want x, which has 10 hours; only the first has another supplier, at a small premium.
    let calls = json!([call("early", Some("2026-01-01"), 10), {
        "id": "late", "duration_months": 12, "start": "2026-06-01",
        "lots": [{ "id": "lot", "needs": [
            { "id": "b", "service": "b", "territory": "t", "unit": "hour", "quantity": 10 }
        ] }]
    }]);
    let mut x = actor("x", &[("a", 10, 100)]);
    x["capabilities"][0]["services"] = json!(["a", "b"]);
    let portfolio = portfolio(calls, json!([x, actor("y", &[("a", 10, 120)]), actor("z", &[("b", 10, 500)])]));
    let answer = solve(&portfolio, &PortfolioOptions::default());
    assert_eq!((answer.status, answer.objective_cents), (Status::Optimal, 2_200));
    assert_eq!(work(&answer, 0), BTreeMap::from([("y".to_owned(), 10)]));
    assert_eq!(work(&answer, 1), BTreeMap::from([("x".to_owned(), 10)]));
    let told: Vec<(&str, i64, i64)> =
        answer.first_come.iter().map(|f| (f.order[0].as_str(), f.objective_cents, f.regret_cents)).collect();
    assert_eq!(told, [("early", 6_000, 3_800), ("late", 2_200, 0)]);
}

#[test]
fn capacity_is_shared_only_while_contracts_overlap() {
    let actors = json!([actor("x", &[("a", 10, 100)])]);
    let answered = |starts: [Option<&str>; 2]| {
        let calls = json!([call("one", starts[0], 10), call("two", starts[1], 10)]);
        let answer = solve(&portfolio(calls, actors.clone()), &PortfolioOptions::default());
        answer.calls.iter().filter(|call| call.proposal.is_some()).count()
    };
    assert_eq!(answered([Some("2026-01-15"), Some("2027-01-15")]), 2);
    assert_eq!(answered([Some("2026-01-15"), Some("2027-01-14")]), 1);
    assert_eq!(answered([Some("2026-01-15"), None]), 1);
}

#[test]
fn an_actor_takes_part_in_as_many_calls_as_it_may() {
    let actors = json!([actor("x", &[("a", 90, 100)]), actor("y", &[("a", 90, 150)])]);
    let calls = json!([call("one", None, 10), call("two", None, 20), call("three", None, 30)]);
    let free = solve(&portfolio(calls.clone(), actors.clone()), &PortfolioOptions::default());
    assert_eq!(free.objective_cents, 6_000);
    let once = PortfolioOptions { maximum_calls_per_actor: Some(1), ..PortfolioOptions::default() };
    let answer = solve(&portfolio(calls.clone(), actors.clone()), &once);
    // x takes the largest, y the next; the smallest stays unanswered, at 2 × 10 × 150 + 1.
    assert_eq!(answer.calls[0].unanswered_cents, 3_001);
    assert_eq!((answer.objective_cents, answer.calls[0].proposal.is_none()), (3_000 + 3_000 + 3_001, true));
    let half = PortfolioOptions { maximum_share_percent: Some(60), ..PortfolioOptions::default() };
    let fair = solve(&portfolio(calls, actors), &half);
    let paid = |id: &str| -> i64 {
        let all =
            fair.calls.iter().filter_map(|call| call.proposal.as_ref()).flat_map(|proposal| &proposal.allocations);
        all.filter(|allocation| allocation.actor == id).map(|allocation| allocation.amount_cents).sum()
    };
    assert!(paid("x") > 0 && paid("x") * 100 <= 60 * (paid("x") + paid("y")), "{} {}", paid("x"), paid("y"));
    assert!(fair.calls.iter().all(|call| call.proposal.is_some()));
}

#[test]
fn mistakes_are_told_where_they_stand() {
    let mut twice =
        portfolio(json!([call("one", None, 10), call("one", None, 0)]), json!([actor("x", &[("q", 1, 1)])]));
    twice.calls[1].lots[0].needs[0].territory = "nowhere".into();
    let faults = PortfolioInstance::new(&twice).unwrap_err();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/actors/0/capabilities/0/services/0",
            "/calls/1/id",
            "/calls/1/lots/0/needs/0/territory",
            "/calls/1/lots/0/needs/0/quantity"
        ]
    );
    let none = portfolio(json!([]), json!([]));
    assert_eq!(PortfolioInstance::new(&none).unwrap_err()[0].path, "/calls");
    let instance = PortfolioInstance::new(&portfolio(json!([call("one", None, 1)]), json!([]))).unwrap();
    let options = PortfolioOptions {
        maximum_calls_per_actor: Some(0),
        maximum_share_percent: Some(101),
        ..PortfolioOptions::default()
    };
    let error = solve_portfolio(&instance, &options, &()).unwrap_err();
    assert_eq!(error.faults.len(), 2);
    assert_eq!(validate_portfolio(&options, &instance).unwrap_err(), error);
    let text = json!({
        "exclusive": [["one"], ["one", "two"], ["one", "one"]],
        "fairness": { "kind": "least_largest", "tolerance_ppm": 1_000_001 }
    });
    let options: PortfolioOptions = serde_json::from_value(text).unwrap();
    let error = validate_portfolio(&options, &instance).unwrap_err();
    let paths: Vec<&str> = error.faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["/exclusive/0", "/exclusive/1/1", "/exclusive/2/1", "/fairness/tolerance_ppm"]);
    assert!(serde_json::from_value::<PortfolioOptions>(json!({ "fairness": { "tolerance": 1 } })).is_err());
    assert_eq!(validate_portfolio(&PortfolioOptions::default(), &instance), Ok(()));
}

#[test]
fn an_actor_is_in_one_call_of_an_exclusive_set() {
    let actors = json!([actor("x", &[("a", 90, 100)]), actor("y", &[("a", 90, 150)])]);
    let calls = json!([call("one", None, 10), call("two", None, 20), call("three", None, 30)]);
    let exclusive = vec![vec!["three".to_owned(), "one".to_owned()]];
    let options = PortfolioOptions { exclusive, ..PortfolioOptions::default() };
    let answer = solve(&portfolio(calls, actors), &options);
    assert_eq!((answer.status, answer.objective_cents), (Status::Optimal, 1_500 + 2_000 + 3_000));
    assert_eq!(work(&answer, 0), BTreeMap::from([("y".to_owned(), 10)]));
    // First come, first served, keeps it as well.
    let told: Vec<i64> = answer.first_come.iter().map(|order| order.objective_cents).collect();
    assert_eq!(told, [7_500, 6_500]); // By id: one, three, two.
}

#[test]
fn a_call_that_needs_a_lead_may_stay_unanswered() {
    let mut calls = [call("one", None, 10), call("two", None, 10)];
    for call in &mut calls {
        call["coordination"] = json!({ "between": "lead", "per_new_pair_cents": 50 });
    }
    let answer = solve(&portfolio(json!(calls), json!([actor("x", &[("a", 10, 100)])])), &PortfolioOptions::default());
    assert_eq!(answer.status, Status::Optimal);
    assert_eq!(answer.calls.iter().filter(|call| call.proposal.is_some()).count(), 1);
    assert!(answer.first_come.iter().all(|order| order.unanswered.len() == 1), "{:?}", answer.first_come);
}

#[test]
fn a_limit_that_comes_first_leaves_a_verified_plan_and_its_gap() {
    let shape = Shape { actors: 12, needs: 3, communes: 24, services: 4, spread: false };
    let portfolio = sample::portfolio(&shape, 3, 1);
    let answer = solve(&portfolio, &PortfolioOptions { work_limit: Some(1), ..PortfolioOptions::default() });
    assert_eq!(answer.status, Status::Feasible);
    assert!(answer.bound_cents <= answer.objective_cents);
}

#[test]
fn a_joint_plan_is_never_dearer_than_first_come_first_served() {
    let shape = Shape { actors: 12, needs: 3, communes: 24, services: 4, spread: false };
    for seed in 1..3 {
        let answer = solve(&sample::portfolio(&shape, 3, seed), &PortfolioOptions::default());
        assert_eq!(answer.status, Status::Optimal, "seed {seed}");
        assert!(answer.first_come.iter().all(|order| order.regret_cents >= 0), "{:?}", answer.first_come);
        assert!(answer.calls.iter().any(|call| call.proposal.is_some()));
    }
}

prop_compose! {
    fn calls()(
        actors in prop::collection::vec((1..5_u64, 1..6_i64, 0..3_i64), 2..=3),
        quantities in prop::collection::vec((1..5_u64, 0..4_usize, prop::option::of(200..2500_i64)), 2..=3),
        member in 0..2_i64,
    ) -> Portfolio {
        let starts = [None, Some("2026-01-01"), Some("2026-07-01"), Some("2027-01-01")];
        let calls: Vec<Value> = quantities.iter().enumerate().map(|(k, &(quantity, start, budget))| {
            let mut call = call(&format!("call-{k}"), starts[start], quantity);
            call["budget_cents"] = json!(budget);
            call["coordination"] = json!({ "per_member_cents": member * 70 });
            call
        }).collect();
        let actors: Vec<Value> = actors.iter().enumerate().map(|(i, &(capacity, cost, fixed))| {
            let mut actor = actor(["x", "y", "z"][i], &[("a", capacity, cost * 100)]);
            actor["capabilities"][0]["fixed_cost_cents"] = json!(fixed * 90);
            actor
        }).collect();
        portfolio(json!(calls), json!(actors))
    }
}

/// Every way to deal out a call among the actors, with its cost.
fn ways(portfolio: &Portfolio, call: usize) -> Vec<(Vec<u64>, i64)> {
    let (call, actors) = (&portfolio.calls[call], &portfolio.actors);
    let need = &call.lots[0].needs[0];
    let mut ways = vec![Vec::new()];
    for actor in actors {
        let most = actor.capabilities[0].capacity_per_year.unwrap();
        ways = ways
            .into_iter()
            .flat_map(|way: Vec<u64>| (0..=most).map(move |q| [way.clone(), vec![q]].concat()))
            .collect();
    }
    ways.retain(|way| way.iter().sum::<u64>() == need.quantity);
    let cost = |way: &Vec<u64>| -> i64 {
        let own = way.iter().zip(actors).filter(|(q, _)| **q > 0);
        own.map(|(&q, actor)| {
            let capability = &actor.capabilities[0];
            q as i64 * capability.unit_cost_cents.unwrap()
                + capability.fixed_cost_cents
                + call.coordination.per_member_cents
        })
        .sum()
    };
    let priced = ways.into_iter().map(|way| (cost(&way), way));
    priced
        .filter(|(cost, _)| call.budget_cents.is_none_or(|budget| *cost <= budget))
        .map(|(cost, way)| (way, cost))
        .collect()
}

/// Whether two calls of a year run at the same time.
fn overlap(portfolio: &Portfolio, a: usize, b: usize) -> bool {
    let months = |k: usize| {
        portfolio.calls[k]
            .start
            .as_deref()
            .map(|day| day[..4].parse::<i64>().unwrap() * 12 + day[5..7].parse::<i64>().unwrap())
    };
    match (months(a), months(b)) {
        (Some(a), Some(b)) => (a - b).abs() < 12,
        _ => true,
    }
}

/// Every plan that keeps the limits, with its cost.
fn plans(portfolio: &Portfolio, options: &PortfolioOptions, answer: &PortfolioAnswer) -> Vec<(Vec<Vec<u64>>, i64)> {
    let mut plans: Vec<(Vec<Vec<u64>>, i64)> = vec![(Vec::new(), 0)];
    for (k, told) in answer.calls.iter().enumerate() {
        let mut own = ways(portfolio, k);
        assert!(own.iter().all(|(_, cost)| *cost < told.unanswered_cents));
        own.push((vec![0; portfolio.actors.len()], told.unanswered_cents));
        let with = |(plan, cost): (Vec<Vec<u64>>, i64)| {
            let more = |(way, more): &(Vec<u64>, i64)| ([plan.clone(), vec![way.clone()]].concat(), cost + more);
            own.iter().map(more).collect::<Vec<_>>()
        };
        plans = plans.into_iter().flat_map(with).collect();
    }
    plans.retain(|(plan, _)| (0..portfolio.actors.len()).all(|i| fits(portfolio, options, plan, i)));
    plans
}

/// Whether an actor has room for its part of a plan.
fn fits(portfolio: &Portfolio, options: &PortfolioOptions, plan: &[Vec<u64>], i: usize) -> bool {
    let capacity = portfolio.actors[i].capabilities[0].capacity_per_year.unwrap();
    let start = |k: usize| portfolio.calls[k].start.as_deref();
    // At the start of each call, and with calls without a start at any of them.
    let runs = |k: usize, other: usize| start(other).is_none_or(|own| start(k).is_none_or(|day| own <= day));
    let at = |k: usize| -> u64 {
        let together = (0..plan.len()).filter(|&other| runs(k, other) && overlap(portfolio, k, other));
        together.map(|other| plan[other][i]).sum()
    };
    let mut anchors = (0..plan.len()).filter(|&k| start(k).is_some()).peekable();
    let within = if anchors.peek().is_none() {
        plan.iter().map(|way| way[i]).sum::<u64>() <= capacity
    } else {
        anchors.all(|k| at(k) <= capacity)
    };
    let calls = |among: &dyn Fn(&str) -> bool| {
        (0..plan.len()).filter(|&k| plan[k][i] > 0 && among(&portfolio.calls[k].id)).count()
    };
    within
        && options.maximum_calls_per_actor.is_none_or(|most| calls(&|_| true) <= most as usize)
        && options.exclusive.iter().all(|group| calls(&|id| group.iter().any(|own| own == id)) <= 1)
}

/// The most that one actor is paid for services in a plan.
fn largest(portfolio: &Portfolio, plan: &[Vec<u64>]) -> i64 {
    let paid = |i: usize| -> i64 {
        let cost = portfolio.actors[i].capabilities[0].unit_cost_cents.unwrap();
        plan.iter().map(|way| way[i] as i64 * cost).sum()
    };
    (0..portfolio.actors.len()).map(paid).max().unwrap()
}

/// Options that the enumeration knows.
fn limits() -> impl Strategy<Value = PortfolioOptions> {
    let groups = [vec![], vec![vec!["call-0", "call-1"]], vec![vec!["call-1", "call-0"]]];
    (prop::option::of(1..3_u32), prop::sample::select(groups.to_vec())).prop_map(|(most, groups)| PortfolioOptions {
        maximum_calls_per_actor: most,
        exclusive: groups.into_iter().map(|group| group.into_iter().map(str::to_owned).collect()).collect(),
        gap_ppm: 1,
        ..PortfolioOptions::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, rng_seed: RngSeed::Fixed(40), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_portfolio_costs_what_the_enumeration_of_joint_allocations_finds(portfolio in calls(), options in limits()) {
        let answer = solve(&portfolio, &options);
        prop_assert_eq!(answer.status, Status::Optimal);
        let least = plans(&portfolio, &options, &answer).into_iter().map(|(_, cost)| cost).min().unwrap();
        prop_assert_eq!(answer.objective_cents, least);
        for order in &answer.first_come {
            prop_assert!(order.objective_cents >= least);
            prop_assert_eq!(order.answered as usize + order.unanswered.len(), portfolio.calls.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, rng_seed: RngSeed::Fixed(41), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fair_portfolio_is_the_cheapest_of_the_fairest_that_the_enumeration_finds(
        portfolio in calls(), options in limits(), tolerance_ppm in prop::sample::select(vec![0, 50_000, 400_000])
    ) {
        let fairness = Fairness { kind: FairnessKind::LeastLargest, tolerance_ppm };
        let options = PortfolioOptions { fairness, ..options };
        let answer = solve(&portfolio, &options);
        let told = answer.fairness.clone().unwrap();
        let mut all = plans(&portfolio, &options, &answer);
        let cheapest = all.iter().map(|(_, cost)| *cost).min().unwrap();
        let limit = cheapest + cheapest * i64::from(tolerance_ppm) / 1_000_000;
        prop_assert_eq!((told.cheapest_cents, told.limit_cents), (cheapest, limit));
        all.retain(|(_, cost)| *cost <= limit);
        let least = all.iter().map(|(plan, _)| largest(&portfolio, plan)).min().unwrap();
        prop_assert_eq!((told.largest_cents, told.bound_cents, told.proven), (least, least, true));
        all.retain(|(plan, _)| largest(&portfolio, plan) == least);
        prop_assert_eq!(answer.objective_cents, all.iter().map(|(_, cost)| *cost).min().unwrap());
        prop_assert_eq!(answer.status, Status::Optimal);
    }
}
