//! Ways out and conflicts of small calls, against the enumeration of every allocation.

use std::collections::BTreeSet;

use attelage_solver::diagnosis::{Answerability, Concession, Constraint};
use attelage_solver::{Options, Problem, RuleId};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use super::{constraints, diagnose_with, need_of, rule};
use crate::support::{actor, need, parse, problem};

/// Actors with capacities for `a` and for `b`, their cost, and whether they have the label; needs of these quantities.
fn tight(actors: &[(u64, u64, i64, bool)], quantities: (u64, u64), smallest: u64) -> Value {
    let actors = actors.iter().enumerate().map(|(i, &(a, b, cost, labelled))| {
        let mut actor = actor(["x", "y", "z"][i], &[("a", a, cost * 100), ("b", b, cost * 150)]);
        actor["capabilities"][0]["minimum_quantity"] = json!(smallest.min(a));
        actor["capabilities"][1]["fixed_cost_cents"] = json!(cost * 50);
        if labelled {
            actor["credentials"] = json!([{ "code": "label" }]);
        }
        actor
    });
    problem(json!([need("a", quantities.0), need("b", quantities.1)]), json!(actors.collect::<Vec<_>>()))
}

prop_compose! {
    fn tight_call()(
        capacities in prop::collection::vec((1..4_u64, 1..4_u64, 1..5_i64, any::<bool>()), 2..=3),
        quantities in (1..7_u64, 1..7_u64),
        budget in 200..3000_i64,
        most in 1..3_u32,
        least in 1..3_u32,
        share in prop::option::of(50..80_u8),
        label in 0..5_u8,
        smallest in 0..4_u64,
        lock in prop::option::of(0..3_usize),
        veto in any::<bool>(),
    ) -> (Value, Options) {
        let (count, mut value) = (capacities.len(), tight(&capacities, quantities, smallest));
        value["call"]["budget_cents"] = json!(budget);
        value["call"]["group"] = json!({
            "minimum_members": least.min(most), "maximum_members": most, "maximum_share_percent": share
        });
        if label > 0 {
            let scope = ["each_member", "any_member", "lead", "performer"][usize::from(label) - 1];
            value["call"]["eligibility"] =
                json!([{ "id": "label", "criterion": { "kind": "credential", "code": "label" }, "scope": scope }]);
        }
        if veto {
            value["incompatibilities"] = json!([{ "a": "x", "b": "y" }]);
        }
        let locked_out = lock.filter(|&i| i < count).map(|i| ["x", "y", "z"][i].to_owned()).into_iter().collect();
        (value, Options { locked_out, proposals: 1, ..Options::default() })
    }
}

/// The rules that one whole allocation breaks, by trying every allocation with every choice of idle members: only the smallest
/// sets, each a way out.
fn ways_out(value: &Value, options: &Options) -> BTreeSet<BTreeSet<Constraint>> {
    let problem = parse(value);
    let needs = &problem.call.lots[0].needs;
    let slots: Vec<(usize, usize)> = (0..problem.actors.len()).flat_map(|i| [(i, 0), (i, 1)]).collect();
    let mut quantity = vec![0; slots.len()];
    let mut sets: BTreeSet<BTreeSet<Constraint>> = BTreeSet::new();
    loop {
        let done = |n: usize| slots.iter().zip(&quantity).filter(|(slot, _)| slot.1 == n).map(|(_, q)| q).sum::<u64>();
        if done(0) <= needs[0].quantity && done(1) <= needs[1].quantity {
            for joined in 1..1 << problem.actors.len() {
                sets.extend(broken(&problem, value, options, &quantity, joined));
            }
        }
        let next = slots
            .iter()
            .enumerate()
            .find(|(at, (i, n))| quantity[*at] < problem.actors[*i].capabilities[*n].capacity_per_year.unwrap());
        let Some((at, _)) = next else { break };
        quantity[at] += 1;
        quantity[..at].fill(0);
    }
    let smallest = sets.iter().filter(|set| !sets.iter().any(|other| other.len() < set.len() && other.is_subset(set)));
    smallest.cloned().collect()
}

/// The rules that an allocation breaks with these members; nothing if somebody works who is no member.
fn broken(
    problem: &Problem,
    value: &Value,
    options: &Options,
    quantity: &[u64],
    joined: u32,
) -> Option<BTreeSet<Constraint>> {
    let (call, actors) = (&problem.call, &problem.actors);
    let member = |i: &usize| joined & (1 << i) != 0;
    let works = |i: &usize| quantity[2 * i] + quantity[2 * i + 1] > 0;
    let all = 0..actors.len();
    if all.clone().any(|i| works(&i) && !member(&i)) {
        return None;
    }
    let cost = |i: usize| -> i64 {
        let unit = |k: usize| actors[i].capabilities[k].unit_cost_cents.unwrap();
        quantity[2 * i] as i64 * unit(0) + quantity[2 * i + 1] as i64 * unit(1)
    };
    let services: i64 = all.clone().map(cost).sum();
    let used = all.clone().filter(|i| quantity[2 * i + 1] > 0);
    let fixed: i64 = used.map(|i| actors[i].capabilities[1].fixed_cost_cents).sum();
    let labelled = |i: &usize| !actors[*i].credentials.is_empty();
    let (size, group) = (joined.count_ones(), &call.group);
    let condition = match value["call"]["eligibility"][0]["scope"].as_str() {
        Some("each_member") => all.clone().filter(member).any(|i| !labelled(&i)),
        Some("any_member" | "lead") => !all.clone().filter(member).any(|i| labelled(&i)),
        Some("performer") => all.clone().filter(works).any(|i| !labelled(&i)),
        _ => false,
    };
    let least = |i: &usize| (1..actors[*i].capabilities[0].minimum_quantity).contains(&quantity[2 * i]);
    let share =
        group.maximum_share_percent.is_some_and(|most| all.clone().any(|i| cost(i) * 100 > i64::from(most) * services));
    let covered = |n: usize| (0..actors.len()).map(|i| quantity[2 * i + n]).sum::<u64>();
    let mut set = BTreeSet::new();
    for (is_broken, constraint) in [
        (services + fixed > call.budget_cents.unwrap(), rule(RuleId::Budget)),
        (size < group.minimum_members || size > group.maximum_members.unwrap(), rule(RuleId::Size)),
        (all.clone().any(|i| member(&i) && !works(&i)), rule(RuleId::ActiveMember)),
        (all.clone().any(|i| least(&i)), rule(RuleId::MinimumQuantity)),
        (share, rule(RuleId::MaximumShare)),
        (!problem.incompatibilities.is_empty() && joined & 3 == 3, rule(RuleId::Incompatibility)),
        (condition, Constraint::Eligibility { id: "label".into() }),
        (covered(0) < call.lots[0].needs[0].quantity, need_of("a")),
        (covered(1) < call.lots[0].needs[1].quantity, need_of("b")),
    ] {
        if is_broken {
            set.insert(constraint);
        }
    }
    for locked in &options.locked_out {
        if all.clone().any(|i| member(&i) && actors[i].id == *locked) {
            set.insert(Constraint::LockedOut { actor: locked.clone() });
        }
    }
    Some(set)
}

/// A diagnosis finds all ways out that enumeration finds, the smallest first, and a conflict that all of them meet.
fn agrees(value: &Value, options: &Options) {
    let ways = ways_out(value, options);
    let told = diagnose_with(value, options, 10);
    assert!(told.complete);
    assert_eq!(told.verdict == Answerability::Answerable, ways.contains(&BTreeSet::new()));
    if told.verdict == Answerability::Answerable {
        return;
    }
    // The ways out are the smallest sets, fewest rules first; all of them where there are not too many.
    let changed = |changes: &[Concession]| changes.iter().map(|change| change.constraint.clone()).collect();
    let found: Vec<BTreeSet<Constraint>> = told.relaxations.iter().map(|way| changed(&way.changes)).collect();
    assert!(found.iter().all(|set| ways.contains(set)), "{found:?} of {ways:?}");
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), ways.len().min(10));
    let most = found.last().map_or(0, BTreeSet::len);
    assert!(ways.iter().all(|way| way.len() >= most || found.contains(way)));
    assert!(told.relaxations.iter().all(|way| way.proposal.proof.verified));
    // Every way out meets the conflict, and without any one of its rules some way out does not.
    let conflict: BTreeSet<Constraint> = constraints(&told).into_iter().collect();
    assert!(ways.iter().all(|way| !way.is_disjoint(&conflict)));
    for one in &conflict {
        assert!(ways.iter().any(|way| way.intersection(&conflict).all(|other| other == one)), "{one:?} is idle");
    }
}

#[test]
fn no_way_out_is_lost() {
    // The optimiser's enumeration of rows of few binaries called the sixth way out here, and all after it, impossible.
    let mut value = tight(&[(2, 1, 4, true), (1, 1, 4, false), (2, 1, 3, true)], (1, 1), 2);
    value["call"]["budget_cents"] = json!(240);
    value["call"]["group"] = json!({ "minimum_members": 2, "maximum_members": 2 });
    value["call"]["eligibility"] =
        json!([{ "id": "label", "criterion": { "kind": "credential", "code": "label" }, "scope": "each_member" }]);
    agrees(&value, &Options { locked_out: vec!["x".to_owned()], proposals: 1, ..Options::default() });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diagnosis_finds_what_the_enumeration_of_every_allocation_finds((value, options) in tight_call()) {
        agrees(&value, &options);
    }
}
