//! How members share the margin, and whether the group holds.

use std::collections::BTreeSet;

use attelage_solver::{Options, Problem, Reply, ShapleyMethod, Shares, StableDivision, Status};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{indices, mistakes, names, question, verified};
use crate::brute_force::{NAMES, call, enumerate, needs};
use crate::support::{actor, lyon, need, parse, problem};

fn shares_with(problem: &Value, query: Value) -> Shares {
    match question(problem, &Options::default(), query) {
        Reply::Shares(told) => told,
        other => panic!("{other:?}"),
    }
}

/// What members can serve at most, each unit at its worth less its cost: every whole allocation is tried.
fn served(problem: &Problem, members: &BTreeSet<usize>, worth: &[i64]) -> i64 {
    let needs = needs(problem);
    let mut slots = Vec::new();
    for (n, need) in needs.iter().enumerate() {
        for &a in members {
            for (k, capability) in problem.actors[a].capabilities.iter().enumerate() {
                if capability.services.contains(&need.service) {
                    slots.push((n, (a, k), worth[n] - capability.unit_cost_cents.unwrap()));
                }
            }
        }
    }
    let mut left: Vec<u64> = needs.iter().map(|need| need.quantity).collect();
    let mut capacity: std::collections::BTreeMap<(usize, usize), u64> = std::collections::BTreeMap::new();
    for &(_, (a, k), _) in &slots {
        capacity.insert((a, k), problem.actors[a].capabilities[k].capacity_per_year.unwrap());
    }
    fn most(
        slots: &[(usize, (usize, usize), i64)],
        left: &mut [u64],
        capacity: &mut std::collections::BTreeMap<(usize, usize), u64>,
    ) -> i64 {
        let Some((&(n, own, gain), rest)) = slots.split_first() else { return 0 };
        let limit = left[n].min(capacity[&own]);
        let mut best = i64::MIN;
        for q in 0..=limit {
            left[n] -= q;
            *capacity.get_mut(&own).unwrap() -= q;
            best = best.max(q as i64 * gain + most(rest, left, capacity));
            left[n] += q;
            *capacity.get_mut(&own).unwrap() += q;
        }
        best
    }
    most(&slots, &mut left, &mut capacity)
}

/// The mean over all orders of arrival.
fn by_orders(members: &[usize], value: &dyn Fn(&BTreeSet<usize>) -> i64) -> Vec<f64> {
    fn visit(
        left: &[usize],
        present: &BTreeSet<usize>,
        value: &dyn Fn(&BTreeSet<usize>) -> i64,
        sum: &mut [f64; 4],
    ) -> f64 {
        if left.is_empty() {
            return 1.0;
        }
        let mut orders = 0.0;
        for &i in left {
            let others: Vec<usize> = left.iter().copied().filter(|&j| j != i).collect();
            let mut now = present.clone();
            now.insert(i);
            let after = visit(&others, &now, value, sum);
            sum[i] += after * (value(&now) - value(present)) as f64;
            orders += after;
        }
        orders
    }
    let mut sum = [0.0; 4];
    let orders = visit(members, &BTreeSet::new(), value, &mut sum);
    members.iter().map(|&i| sum[i] / orders).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, rng_seed: RngSeed::Fixed(15), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn values_and_rivals_are_those_of_the_definitions(value in call(), margin in 0..30_u8, weights in prop::collection::vec(0..9_i64, 4)) {
        // Fixed costs and smallest quantities are divisible in the game: without them whole allocations reach its value.
        let mut value = value;
        for actor in value["actors"].as_array_mut().unwrap() {
            for capability in actor["capabilities"].as_array_mut().unwrap() {
                capability["fixed_cost_cents"] = json!(0);
                capability["minimum_quantity"] = json!(0);
            }
        }
        let problem = parse(&value);
        let consortia = enumerate(&problem);
        let told = shares_with(&value, json!({ "shares": { "margin_percent": margin } }));
        if consortia.is_empty() {
            prop_assert_eq!(told.status, Status::Infeasible);
            return Ok(());
        }
        let proposal = told.proposal.as_ref().unwrap();
        let set = verified(&value, proposal);
        let ours: Vec<usize> = set.iter().copied().collect();
        let paid = |need: &str| proposal.allocations.iter().filter(|w| w.need == need).map(|w| w.amount_cents / w.quantity as i64).max().unwrap_or(0);
        let worth: Vec<i64> = needs(&problem).iter().map(|need| paid(&need.id).max(need.unmet_cost_cents)).collect();
        let game = |members: &BTreeSet<usize>| served(&problem, members, &worth);
        prop_assert_eq!(told.value_cents, game(&set));
        let expected = by_orders(&ours, &game);
        for (member, exact) in told.members.iter().zip(&expected) {
            prop_assert!((member.shapley_cents as f64 - exact).abs() <= 1.0, "{:?} {:?}", told.members, expected);
            let i = *indices(&[&member.actor]).first().unwrap();
            prop_assert_eq!(member.alone_cents, game(&BTreeSet::from([i])));
            let mut others = set.clone();
            others.remove(&i);
            prop_assert_eq!(member.last_cents, game(&set) - game(&others));
            prop_assert!(member.share_cents >= 0 && member.shapley_error_cents == 0);
        }
        prop_assert_eq!(told.members.iter().map(|m| m.shapley_cents).sum::<i64>(), told.value_cents);
        prop_assert_eq!(told.members.iter().map(|m| m.nucleolus_cents.unwrap()).sum::<i64>(), told.value_cents);
        prop_assert_eq!(told.members.iter().map(|m| m.share_cents).sum::<i64>(), told.envelope_cents);
        prop_assert_eq!(told.envelope_cents, proposal.costs.total_cents * i64::from(margin) / 100);
        prop_assert!(told.nucleolus.as_ref().unwrap().proven);
        prop_assert_eq!(told.method, Some(ShapleyMethod::Exact { coalitions: 1 << ours.len() }));

        // The rival that asks for least, under a division of the envelope.
        let price = proposal.costs.objective_cents + told.envelope_cents;
        let gain = |shares: &[i64]| {
            let asks = |other: &BTreeSet<usize>| ours.iter().zip(shares).filter(|(i, _)| other.contains(i)).map(|(_, share)| share).sum::<i64>();
            price - consortia.iter().map(|(other, cost)| cost + asks(other)).min().unwrap()
        };
        let shares: Vec<i64> = told.members.iter().map(|m| m.share_cents).collect();
        let stability = told.stability.as_ref().unwrap();
        prop_assert_eq!(stability.price_cents, price);
        prop_assert_eq!(stability.stable, Some(gain(&shares) <= 0));
        prop_assert_eq!(stability.rival.as_ref().map_or(0, |rival| rival.gain_cents), gain(&shares));
        match &stability.remedy {
            None => prop_assert_eq!(stability.stable, Some(true)),
            Some(StableDivision::Exists { shares_cents }) => {
                let division: Vec<i64> = names(&set).iter().map(|id| shares_cents[*id]).collect();
                prop_assert_eq!(division.iter().sum::<i64>(), told.envelope_cents);
                prop_assert!(gain(&division) <= 0 && division.iter().all(|share| *share >= 0));
            }
            Some(StableDivision::None { least_gain_cents }) => {
                let sum: i64 = weights[..ours.len()].iter().sum::<i64>().max(1);
                let mut other: Vec<i64> = weights[..ours.len()].iter().map(|w| told.envelope_cents * w / sum).collect();
                other[0] += told.envelope_cents - other.iter().sum::<i64>();
                prop_assert!(*least_gain_cents > 0 && gain(&other) >= *least_gain_cents && gain(&shares) >= *least_gain_cents);
            }
            // A cent lost in rounding at most.
            Some(StableDivision::Unknown) => {}
        }
    }
}

#[test]
fn complements_share_what_only_both_can_do_and_doubles_nothing() {
    // One unit of worth 7 each: x alone can do a; y and z can both do all of b.
    let mut a = need("a", 10);
    a["unmet_cost_cents"] = json!(700);
    let mut b = need("b", 10);
    b["unmet_cost_cents"] = json!(700);
    let actors = json!([actor("x", &[("a", 10, 200)]), actor("y", &[("b", 10, 200)]), actor("z", &[("b", 10, 200)])]);
    let mut value = problem(json!([a, b]), actors);
    value["call"]["group"] = json!({ "minimum_members": 3 });
    let told = shares_with(&value, json!({ "shares": { "envelope_cents": 1001, "rivals": false } }));
    assert_eq!(told.value_cents, 10_000);
    let found: Vec<_> =
        told.members.iter().map(|m| (m.shapley_cents, m.nucleolus_cents.unwrap(), m.share_cents)).collect();
    assert_eq!(found, [(5000, 5000, 501), (2500, 2500, 250), (2500, 2500, 250)]);
    assert!(told.stability.is_none());
}

#[test]
fn more_than_fourteen_members_are_sampled_with_an_error() {
    let actors: Vec<Value> = (0..16).map(|i| actor(&format!("m{i:02}"), &[("a", 10 + i, 100 + i as i64)])).collect();
    let mut wanted = need("a", 200);
    wanted["unmet_cost_cents"] = json!(1000);
    let mut value = problem(json!([wanted]), json!(actors));
    value["call"]["group"] = json!({ "minimum_members": 16 });
    let query = json!({ "shares": { "orders": 60, "rivals": false } });
    let told = shares_with(&value, query.clone());
    assert_eq!(told.method, Some(ShapleyMethod::Sampled { orders: 60 }));
    assert!(told.nucleolus.is_none() && told.members[0].nucleolus_cents.is_none());
    assert_eq!(told.members.iter().map(|m| m.shapley_cents).sum::<i64>(), told.value_cents);
    assert!(told.members.iter().all(|m| m.shapley_error_cents > 0 && m.shapley_error_cents < m.shapley_cents));
    // The exact value from all coalitions: only sums of capacities matter, so that each is its own linear program in the head.
    let exact = {
        let margin = |s: u32| {
            let mut left = 200_i64;
            (0..16)
                .filter(|i| s >> i & 1 == 1)
                .map(|i| {
                    let q = left.min(10 + i);
                    left -= q;
                    q * (900 - i)
                })
                .sum::<i64>()
        };
        let table: Vec<i64> = (0..1 << 16).map(margin).collect();
        let ways = |k: u32| (1..=k).map(|i| f64::from(16 - i) / f64::from(i)).product::<f64>();
        (0..16)
            .map(|i| {
                (0..1_usize << 16)
                    .filter(|s| s >> i & 1 == 0)
                    .map(|s| (table[s | 1 << i] - table[s]) as f64 / (16.0 * ways(s.count_ones())))
                    .sum::<f64>()
            })
            .collect::<Vec<f64>>()
    };
    for (member, exact) in told.members.iter().zip(exact) {
        let off = (member.shapley_cents as f64 - exact).abs();
        assert!(off <= 2.6 * member.shapley_error_cents as f64, "{member:?} {exact}");
    }
    assert_eq!(shares_with(&value, query), told);
}

#[test]
fn a_team_by_hand_is_shared_too_and_bad_settings_are_told() {
    let told =
        shares_with(&lyon(), json!({ "shares": { "team": ["trainer", "refurbisher"], "divide_by": "nucleolus" } }));
    assert_eq!(told.status, Status::Optimal);
    assert_eq!(told.stability.unwrap().stable, Some(true));
    let told = shares_with(&lyon(), json!({ "shares": { "team": ["trainer"] } }));
    assert_eq!((told.status, told.members.len()), (Status::Infeasible, 0));
    let query = json!({ "shares": { "team": ["x"], "envelope_cents": -1, "margin_percent": 101, "orders": 0 } });
    let faults = mistakes(&lyon(), &Options::default(), query);
    assert_eq!(faults, ["/team/0", "/envelope_cents", "/margin_percent", "/orders"]);
    assert_eq!(NAMES.len(), 4);
}
