//! Rules on the shape of a consortium, and what coordination costs in each form: with the rule, and without it.

use attelage_solver::{Options, RuleId, Status};
use serde_json::{Value, json};

use crate::rules::blocked_by;
use crate::support::{actor, members, need, problem, solve_value, solve_with, without};

/// `x` is cheap and small, `y` and `z` dearer, `w` dearest but able to do everything.
fn four(needs: Value) -> Value {
    let of = |id: &str, capacity: u64, cost: i64| actor(id, &[("a", capacity, cost), ("b", capacity, cost)]);
    problem(needs, json!([of("w", 100, 900), of("x", 4, 100), of("y", 4, 200), of("z", 4, 300)]))
}

#[test]
fn lot_size_at_most_so_many_work_for_a_lot() {
    let mut problem = four(json!([need("a", 10)]));
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "y", "z"]);
    problem["call"]["lots"][0]["maximum_members"] = json!(2);
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["w", "x"]);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::LotSize)).proposals[0]), ["x", "y", "z"]);
    problem["actors"].as_array_mut().unwrap().remove(0);
    assert_eq!(blocked_by(RuleId::LotSize, &problem), ["x", "y", "z"]);
}

#[test]
fn lot_size_at_least_so_many_work_for_a_lot() {
    let mut problem = four(json!([need("a", 4)]));
    problem["call"]["lots"][0]["minimum_members"] = json!(2);
    let best = &solve_value(&problem).proposals[0];
    assert_eq!((members(best), best.costs.services_cents), (vec!["x", "y"], 3 * 100 + 200));
    assert_eq!(members(&solve_with(&problem, &without(RuleId::LotSize)).proposals[0]), ["x"]);
}

#[test]
fn few_hands_at_most_so_many_deliver_a_need() {
    let mut problem = four(json!([need("a", 10), need("b", 1)]));
    problem["call"]["lots"][0]["needs"][0]["maximum_suppliers"] = json!(1);
    let best = &solve_value(&problem).proposals[0];
    assert_eq!(members(best), ["w", "x"], "somebody else may still deliver the other need");
    assert_eq!(members(&solve_with(&problem, &without(RuleId::FewHands)).proposals[0]), ["x", "y", "z"]);
    problem["actors"].as_array_mut().unwrap().remove(0);
    assert_eq!(blocked_by(RuleId::FewHands, &problem), ["x", "y", "z"]);
}

#[test]
fn preference_an_actor_joins_only_beside_one_of_those_it_names() {
    let mut problem = four(json!([need("a", 8)]));
    problem["preferences"] = json!([{ "actor": "x", "only_with": ["z", "w"] }]);
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "y", "z"], "z comes for a unit, so that x does");
    assert_eq!(members(&solve_with(&problem, &without(RuleId::Preference)).proposals[0]), ["x", "y"]);
    problem["actors"] = json!([actor("x", &[("a", 8, 100)]), actor("z", &[("b", 1, 100)])]);
    problem["preferences"] = json!([{ "actor": "x", "only_with": ["z"] }]);
    assert_eq!(blocked_by(RuleId::Preference, &problem), ["x"]);
}

#[test]
fn connected_members_reach_each_other_through_members() {
    let mut problem = four(json!([need("a", 10)]));
    problem["call"]["group"] = json!({ "connected": true });
    problem["relations"] = json!([{ "a": "x", "b": "y" }, { "a": "z", "b": "w" }]);
    let best = &solve_value(&problem).proposals[0];
    assert_eq!(members(best), ["w", "z"], "x, y and z are not connected");
    assert_eq!(members(&solve_with(&problem, &without(RuleId::Connected)).proposals[0]), ["x", "y", "z"]);
    problem["relations"].as_array_mut().unwrap().push(json!({ "a": "y", "b": "z", "strength_percent": 0 }));
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "y", "z"]);
    problem["actors"].as_array_mut().unwrap().remove(0);
    problem["relations"] = json!([{ "a": "x", "b": "y" }]);
    assert_eq!(blocked_by(RuleId::Connected, &problem), ["x", "y", "z"]);
}

#[test]
fn a_thousand_vetoes_are_kept() {
    let actors: Vec<Value> = (0..46).map(|i| actor(&format!("v{i:02}"), &[("a", 1, 100 + i)])).collect();
    let mut problem = problem(json!([need("a", 2)]), json!(actors));
    let vetoes: Vec<Value> = (0..46)
        .flat_map(|i| (i + 1..46).map(move |j| json!({ "a": format!("v{i:02}"), "b": format!("v{j:02}") })))
        .filter(|veto| veto["b"] != "v45" || veto["a"] != "v44")
        .collect();
    assert_eq!(vetoes.len(), 1034);
    problem["incompatibilities"] = json!(vetoes);
    let answer = solve_value(&problem);
    assert_eq!(members(&answer.proposals[0]), ["v44", "v45"]);
    assert!(answer.exhausted);
}

/// Coordination of the best proposal when members coordinate so.
fn coordination(problem: &Value, between: &str) -> (Vec<String>, i64) {
    let mut problem = problem.clone();
    problem["call"]["coordination"]["between"] = json!(between);
    let answer = solve_with(&problem, &Options { proposals: 1, ..Options::default() });
    assert_eq!(answer.status, Status::Optimal);
    let best = &answer.proposals[0];
    let lead = best.members.iter().find(|member| member.role != attelage_solver::Role::GroupMember).unwrap();
    let mut ids: Vec<String> = members(best).into_iter().map(str::to_owned).collect();
    ids.push(format!("led by {}", lead.actor));
    (ids, best.costs.coordination_cents)
}

#[test]
fn pairs_are_counted_among_all_with_the_lead_or_in_each_lot() {
    let mut problem = four(json!([need("a", 12)]));
    problem["actors"].as_array_mut().unwrap().remove(0);
    problem["call"]["coordination"] = json!({ "per_member_cents": 10, "per_new_pair_cents": 100 });
    problem["relations"] = json!([{ "a": "x", "b": "y", "strength_percent": 50 }, { "a": "z", "b": "y" }]);
    let ids = |lead: &str| [["x", "y", "z"].map(str::to_owned).to_vec(), vec![format!("led by {lead}")]].concat();
    assert_eq!(coordination(&problem, "all"), (ids("z"), 30 + 100 + 50), "z has the largest amount");
    assert_eq!(coordination(&problem, "lead"), (ids("y"), 30 + 50), "y knows both");
    assert_eq!(coordination(&problem, "lot"), (ids("z"), 30 + 100 + 50));
    // In two lots, with nobody in both: no pairs but those inside.
    problem["call"]["lots"] = json!([
        { "id": "one", "needs": [need("a", 4)], "maximum_members": 1 },
        { "id": "two", "needs": [need("b", 8)], "maximum_members": 2 }
    ]);
    problem["actors"] =
        json!([actor("x", &[("a", 4, 100)]), actor("y", &[("b", 4, 200)]), actor("z", &[("b", 4, 300)])]);
    assert_eq!(coordination(&problem, "lot"), (ids("z"), 30));
    assert_eq!(coordination(&problem, "all").1, 30 + 100 + 50);
}

#[test]
fn only_an_eligible_lead_is_the_hub() {
    let mut problem = four(json!([need("a", 12)]));
    problem["actors"].as_array_mut().unwrap().remove(0);
    problem["actors"][0]["legal_family"] = json!("association");
    problem["call"]["coordination"] = json!({ "per_new_pair_cents": 100, "between": "lead" });
    problem["call"]["eligibility"] = json!([{
        "id": "association-leads", "criterion": { "kind": "legal_family", "any_of": ["association"] }, "scope": "lead"
    }]);
    problem["relations"] = json!([{ "a": "y", "b": "x" }, { "a": "y", "b": "z" }]);
    let ids = |lead: &str| [["x", "y", "z"].map(str::to_owned).to_vec(), vec![format!("led by {lead}")]].concat();
    assert_eq!(coordination(&problem, "lead"), (ids("x"), 100));
    problem["call"]["eligibility"] = json!([]);
    assert_eq!(coordination(&problem, "lead"), (ids("y"), 0));
}

#[test]
fn overhead_is_a_part_of_the_services_rounded_up() {
    let mut problem = four(json!([need("a", 1)]));
    problem["actors"][1]["capabilities"][0]["unit_cost_cents"] = json!(105);
    problem["call"]["coordination"] = json!({ "overhead_percent": 10 });
    let best = &solve_value(&problem).proposals[0];
    assert_eq!((best.costs.services_cents, best.costs.coordination_cents), (105, 11));
    problem["call"]["budget_cents"] = json!(115);
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
    problem["call"]["budget_cents"] = json!(116);
    assert_eq!(solve_value(&problem).status, Status::Optimal);
}

#[test]
fn the_bound_counts_what_the_lead_does_not_cost() {
    // x alone is best in parts of units, z in whole ones: a bound that is one pair too high would hide z.
    let mut problem =
        problem(json!([need("a", 2)]), json!([actor("x", &[("a", 2, 100)]), actor("z", &[("a", 2, 150)])]));
    problem["call"]["lots"][0]["needs"][0]["mandatory"] = json!(false);
    problem["call"]["lots"][0]["needs"][0]["unmet_cost_cents"] = json!(300);
    problem["call"]["payment"] = json!({ "advance_percent": 0, "delay_days": 365 });
    problem["call"]["coordination"] = json!({ "per_new_pair_cents": 1000, "between": "lead" });
    problem["actors"][0]["available_cash_cents"] = json!(190);
    let best = &solve_value(&problem).proposals[0];
    assert_eq!((members(best), best.costs.objective_cents, best.proof.bound_cents), (vec!["z"], 300, 300));
}

#[test]
fn a_member_that_does_nothing_meets_the_conditions_too() {
    let mut problem = four(json!([need("a", 4)]));
    problem["actors"][1]["credentials"] = json!([{ "code": "qualiopi" }]);
    problem["call"]["eligibility"] = json!([{
        "id": "certified", "criterion": { "kind": "credential", "code": "qualiopi" }, "scope": "each_member"
    }]);
    let locked = Options { locked_in: vec!["w".to_owned()], ..without(RuleId::ActiveMember) };
    assert_eq!(solve_with(&problem, &locked).status, Status::Infeasible);
}
