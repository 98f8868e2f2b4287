//! The optimum against the enumeration of every consortium with every whole allocation, on small random calls.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{Between, Need, Preference, Problem, Status};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::support::{members, parse, solve_value};

pub const NAMES: [&str; 4] = ["w", "x", "y", "z"];

prop_compose! {
    fn capability()(
        services in prop::sample::subsequence(vec!["a", "b"], 1..=2),
        capacity in 1..5_u64,
        cost in 1..9_i64,
        fixed in prop::sample::select(vec![0, 0, 500]),
        minimum in prop::sample::select(vec![0, 0, 2]),
    ) -> Value {
        json!({
            "services": services, "territories": ["t"], "unit": "hour", "capacity_per_year": capacity,
            "unit_cost_cents": cost * 100, "fixed_cost_cents": fixed, "minimum_quantity": minimum
        })
    }
}

prop_compose! {
    pub fn call()(
        actors in prop::collection::vec(prop::collection::vec(capability(), 1..=2), 2..=4),
        quantities in (1..4_u64, 1..4_u64),
        mandatory in (any::<bool>(), any::<bool>()),
        budget in prop::option::of(500..5000_i64),
        maximum in prop::option::of(1..4_u32),
        share in prop::option::of(50..90_u8),
        coordination in (0..3_i64, 0..4_i64),
        pairs in prop::collection::vec((0..4_usize, 0..4_usize, 0..=100_u8), 0..3),
        veto in prop::option::of((0..4_usize, 0..4_usize)),
        cash in prop::option::of(300..2000_i64),
        between in prop::sample::select(vec!["all", "lead", "lot"]),
        overhead in prop::sample::select(vec![0, 0, 7]),
        split in any::<bool>(),
        shape in (prop::option::of(1..3_u32), prop::option::of(1..3_u32), prop::option::of(1..3_u32), prop::bool::weighted(0.3)),
        preference in prop::option::of((0..4_usize, 0..4_usize)),
    ) -> Value {
        let count = actors.len();
        let actors: Vec<Value> = actors.into_iter().enumerate().map(|(i, mut capabilities)| {
            for (k, capability) in capabilities.iter_mut().enumerate() {
                capability["id"] = json!(format!("{}{k}", NAMES[i]));
            }
            json!({ "id": NAMES[i], "capabilities": capabilities })
        }).collect();
        let need = |id: &str, quantity: u64, mandatory: bool| json!({
            "id": id, "service": id, "territory": "t", "unit": "hour", "quantity": quantity, "mandatory": mandatory,
            "unmet_cost_cents": 700
        });
        let mut seen = BTreeSet::new();
        let relations: Vec<Value> = pairs.into_iter()
            .filter(|&(a, b, _)| a < b && b < count && seen.insert((a, b)))
            .map(|(a, b, s)| json!({ "a": NAMES[a], "b": NAMES[b], "strength_percent": s })).collect();
        let vetoes: Vec<Value> = veto.into_iter().filter(|&(a, b)| a < b && b < count)
            .map(|(a, b)| json!({ "a": NAMES[a], "b": NAMES[b] })).collect();
        let (hands, fewest, most, connected) = shape;
        let mut needs = [need("a", quantities.0, mandatory.0), need("b", quantities.1, mandatory.1)];
        needs[0]["maximum_suppliers"] = json!(hands);
        let [a, b] = needs;
        let (first, second) = if split { (json!([a]), json!([{ "id": "second", "needs": [b] }])) } else { (json!([a, b]), json!([])) };
        let mut lots = json!([{
            "id": "first", "needs": first, "minimum_members": fewest, "maximum_members": most.map(|most| most.max(fewest.unwrap_or(1)))
        }]);
        lots.as_array_mut().unwrap().extend(second.as_array().unwrap().clone());
        let preferences: Vec<Value> = preference.into_iter().filter(|&(a, b)| a != b && a < count && b < count)
            .map(|(a, b)| json!({ "actor": NAMES[a], "only_with": [NAMES[b]] })).collect();
        let mut problem = json!({
            "call": {
                "id": "call", "duration_months": 12, "budget_cents": budget, "lots": lots,
                "group": { "maximum_members": maximum, "maximum_share_percent": share, "connected": connected },
                "coordination": {
                    "per_member_cents": coordination.0 * 100, "per_new_pair_cents": coordination.1 * 101,
                    "between": between, "overhead_percent": overhead
                },
                "payment": { "advance_percent": 0, "delay_days": 365 }
            },
            "services": [{ "id": "a" }, { "id": "b" }], "territories": [{ "id": "t" }],
            "actors": actors, "relations": relations, "incompatibilities": vetoes, "preferences": preferences
        });
        if let Some(cash) = cash {
            problem["actors"][0]["available_cash_cents"] = json!(cash);
        }
        problem
    }
}

/// All needs of a call, in its order.
pub fn needs(problem: &Problem) -> Vec<&Need> {
    problem.call.lots.iter().flat_map(|lot| &lot.needs).collect()
}

/// A need of a call in JSON, by its place among all.
pub fn need_mut(value: &mut Value, place: usize) -> &mut Value {
    let lots = value["call"]["lots"].as_array_mut().unwrap().iter_mut();
    lots.flat_map(|lot| lot["needs"].as_array_mut().unwrap()).nth(place).unwrap()
}

/// The least objective of every consortium that can answer, by trying every whole allocation.
pub fn enumerate(problem: &Problem) -> BTreeMap<BTreeSet<usize>, i64> {
    let mut best = BTreeMap::new();
    each_allocation(problem, |members, objective, _| {
        let entry = best.entry(members).or_insert(objective);
        *entry = objective.min(*entry);
    });
    best
}

/// Tells the members, the objective and the units covered of each need of every whole allocation that keeps the rules.
pub fn each_allocation(problem: &Problem, mut tell: impl FnMut(BTreeSet<usize>, i64, Vec<u64>)) {
    let needs = needs(problem);
    let slots: Vec<(usize, usize, usize)> = needs
        .iter()
        .enumerate()
        .flat_map(|(n, need)| {
            let all = problem.actors.iter().enumerate();
            all.flat_map(move |(a, actor)| {
                let own = actor.capabilities.iter().enumerate();
                own.filter(move |(_, c)| c.services.contains(&need.service)).map(move |(k, _)| (n, a, k))
            })
        })
        .collect();
    let mut quantity = vec![0; slots.len()];
    let done = |n: usize, quantity: &[u64]| -> u64 {
        slots.iter().zip(quantity).filter(|((m, ..), _)| *m == n).map(|(_, q)| q).sum()
    };
    loop {
        if let Some((members, objective)) = evaluate(problem, &slots, &quantity) {
            tell(members, objective, (0..needs.len()).map(|n| done(n, &quantity)).collect());
        }
        // Next allocation, like an odometer: each slot up to what its need leaves.
        let mut at = 0;
        loop {
            let Some(&(n, a, k)) = slots.get(at) else { return };
            let limit = problem.actors[a].capabilities[k].capacity_per_year.unwrap();
            if done(n, &quantity) < needs[n].quantity && quantity[at] < limit {
                quantity[at] += 1;
                break;
            }
            quantity[at] = 0;
            at += 1;
        }
    }
}

fn pairs(members: &BTreeSet<usize>) -> Vec<(usize, usize)> {
    members.iter().flat_map(|&a| members.range(a + 1..).map(move |&b| (a, b))).collect()
}

/// Members and objective of one allocation, if it keeps every rule of the call.
fn evaluate(problem: &Problem, slots: &[(usize, usize, usize)], quantity: &[u64]) -> Option<(BTreeSet<usize>, i64)> {
    let call = &problem.call;
    let mut by_capability: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let mut services: BTreeMap<usize, i64> = BTreeMap::new();
    let mut objective = 0;
    for (n, need) in needs(problem).into_iter().enumerate() {
        let done: u64 = slots.iter().zip(quantity).filter(|((m, ..), _)| *m == n).map(|(_, q)| q).sum();
        if need.mandatory && done < need.quantity {
            return None;
        }
        objective += (need.quantity - done) as i64 * need.unmet_cost_cents;
    }
    for (&(_, a, k), &q) in slots.iter().zip(quantity).filter(|(_, q)| **q > 0) {
        *by_capability.entry((a, k)).or_default() += q;
        *services.entry(a).or_default() += q as i64 * problem.actors[a].capabilities[k].unit_cost_cents.unwrap();
    }
    let members: BTreeSet<usize> = services.keys().copied().collect();
    let all: i64 = services.values().sum();
    let mut paid = all;
    for (&a, &own) in &services {
        let used = by_capability.keys().filter(|(b, _)| *b == a);
        let fixed: i64 = used.map(|&(_, k)| problem.actors[a].capabilities[k].fixed_cost_cents).sum();
        paid += fixed;
        let share = call.group.maximum_share_percent.is_some_and(|most| own * 100 > i64::from(most) * all);
        if share || problem.actors[a].available_cash_cents.is_some_and(|cash| own + fixed > cash) {
            return None;
        }
    }
    for (&(a, k), &q) in &by_capability {
        let capability = &problem.actors[a].capabilities[k];
        if q > capability.capacity_per_year.unwrap() || q < capability.minimum_quantity {
            return None;
        }
    }
    let same = |a: usize, b: usize, x: &str, y: &str| {
        let (a, b) = (&problem.actors[a].id, &problem.actors[b].id);
        (a == x && b == y) || (b == x && a == y)
    };
    let vetoed = |&(a, b): &(usize, usize)| problem.incompatibilities.iter().any(|i| same(a, b, &i.a, &i.b));
    let relation = |a: usize, b: usize| problem.relations.iter().find(|r| same(a, b, &r.a, &r.b));
    let new = call.coordination.per_new_pair_cents;
    let cost = |(a, b): (usize, usize)| new - new * relation(a, b).map_or(0, |r| i64::from(r.strength_percent)) / 100;
    let delivers = |a: usize, id: &str| {
        let of = |n: usize| call.lots.iter().flat_map(|lot| &lot.needs).nth(n).unwrap();
        slots.iter().zip(quantity).any(|(&(n, b, _), &q)| a == b && q > 0 && of(n).id == id)
    };
    let mut by_lot: Vec<BTreeSet<usize>> = Vec::new();
    for lot in &call.lots {
        let working: BTreeSet<usize> =
            members.iter().copied().filter(|&a| lot.needs.iter().any(|need| delivers(a, &need.id))).collect();
        let range = lot.minimum_members.unwrap_or(0) as usize..=lot.maximum_members.unwrap_or(9) as usize;
        let crowded = |need: &Need| {
            members.iter().filter(|&&a| delivers(a, &need.id)).count() > need.maximum_suppliers.unwrap_or(9) as usize
        };
        if !range.contains(&working.len()) || lot.needs.iter().any(crowded) {
            return None;
        }
        by_lot.push(working);
    }
    let lonely = |p: &Preference| {
        let at = |id: &String| problem.actors.iter().position(|actor| actor.id == *id).unwrap();
        members.contains(&at(&p.actor)) && !p.only_with.iter().any(|id| members.contains(&at(id)))
    };
    let mut reached: BTreeSet<usize> = members.first().copied().into_iter().collect();
    for _ in 0..members.len() {
        let next: Vec<usize> =
            members.iter().copied().filter(|&b| reached.iter().any(|&a| a != b && relation(a, b).is_some())).collect();
        reached.extend(next);
    }
    let together = pairs(&members);
    if together.iter().any(vetoed)
        || problem.preferences.iter().any(lonely)
        || (call.group.connected && reached.len() < members.len())
    {
        return None;
    }
    paid += call.coordination.per_member_cents * members.len() as i64;
    paid += (all * i64::from(call.coordination.overhead_percent) + 99) / 100;
    paid += match call.coordination.between {
        Between::All => together.into_iter().map(cost).sum(),
        Between::Lot => by_lot.iter().flat_map(pairs).map(cost).sum(),
        Between::Lead => {
            let with = |lead: usize| members.iter().filter(|&&b| b != lead).map(|&b| cost((lead, b))).sum();
            members.iter().map(|&lead| with(lead)).min().unwrap_or(0_i64)
        }
    };
    let fits = !members.is_empty()
        && call.budget_cents.is_none_or(|budget| paid <= budget)
        && call.group.maximum_members.is_none_or(|most| members.len() <= most as usize);
    fits.then_some((members, objective + paid))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, rng_seed: RngSeed::Fixed(2026), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_answer_is_the_best_of_all_consortia(value in call()) {
        let problem = parse(&value);
        let mut consortia = enumerate(&problem);
        let answer = solve_value(&value);
        let Some(least) = consortia.values().min().copied() else {
            prop_assert_eq!(answer.status, Status::Infeasible);
            return Ok(());
        };
        prop_assert_eq!(answer.status, Status::Optimal);
        prop_assert_eq!(answer.proposals[0].costs.objective_cents, least);
        // Each further proposal is the best that is no enlargement of an earlier one.
        for proposal in &answer.proposals {
            let least = consortia.values().min().copied();
            prop_assert_eq!(Some(proposal.costs.objective_cents), least);
            let ids = members(proposal);
            let found: BTreeSet<usize> = ids.iter().map(|id| NAMES.iter().position(|name| name == id).unwrap()).collect();
            prop_assert_eq!(consortia.get(&found).copied(), least);
            consortia.retain(|set, _| !found.is_subset(set));
        }
        prop_assert_eq!(answer.exhausted, answer.proposals.len() < 3);
        prop_assert!(!answer.exhausted || consortia.is_empty());
    }

    #[test]
    fn necessity_says_what_the_enumeration_says(value in call()) {
        use attelage_solver::Necessity;
        let consortia = enumerate(&parse(&value));
        let answer = solve_value(&value);
        for proposal in &answer.proposals {
            for member in &proposal.members {
                let actor = NAMES.iter().position(|name| *name == member.actor).unwrap();
                let without = consortia.iter().filter(|(set, _)| !set.contains(&actor)).map(|(_, cost)| *cost).min();
                match (&member.necessity, without) {
                    (Necessity::Indispensable, None) => {}
                    (Necessity::Replaceable { regret_cents, superfluous, .. }, Some(cost)) => {
                        prop_assert_eq!(*regret_cents, (cost - proposal.costs.objective_cents).max(0));
                        let others: BTreeSet<usize> = members(proposal).iter().filter(|id| **id != member.actor)
                            .map(|id| NAMES.iter().position(|name| name == id).unwrap()).collect();
                        prop_assert_eq!(*superfluous, consortia.keys().any(|set| set.is_subset(&others)));
                    }
                    other => prop_assert!(false, "{:?}", other),
                }
            }
        }
    }
}
