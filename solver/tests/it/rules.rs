//! One test per rule: the answer with the rule, and the other answer without it.

use attelage_solver::{Options, RuleId, Status};
use serde_json::{Value, json};

use crate::support::{actor, members, need, problem, solve_value, solve_with, without};

/// Infeasible under the rule; members of the best proposal without it.
pub fn blocked_by(rule: RuleId, problem: &Value) -> Vec<String> {
    let answer = solve_value(problem);
    assert_eq!(answer.status, Status::Infeasible, "{rule:?} does not bind");
    let blocking: Vec<RuleId> = answer.infeasibility.unwrap().blocking_rules.iter().map(|b| b.rule).collect();
    assert!(blocking.contains(&rule), "{rule:?} not told: {blocking:?}");
    let free = solve_with(problem, &without(rule));
    assert_eq!(free.status, Status::Optimal);
    members(&free.proposals[0]).into_iter().map(str::to_owned).collect()
}

#[test]
fn demand_mandatory_needs_are_covered_in_full() {
    let problem = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 6, 100)])]));
    let mut worth = problem.clone();
    worth["call"]["lots"][0]["needs"][0]["unmet_cost_cents"] = json!(1000);
    assert_eq!(blocked_by(RuleId::Demand, &worth), ["x"]);
    let free = solve_with(&worth, &without(RuleId::Demand));
    assert_eq!(free.proposals[0].needs[0].covered, 6);
    assert_eq!(free.proposals[0].costs.unmet_cents, 4000);
}

#[test]
fn capacity_nobody_delivers_more_than_it_has_over_the_contract() {
    let mut problem = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 6, 100)])]));
    assert_eq!(blocked_by(RuleId::Capacity, &problem), ["x"]);
    problem["call"]["duration_months"] = json!(20); // 6 a year for 20 months: 10.
    assert_eq!(solve_value(&problem).status, Status::Optimal);
    problem["call"]["duration_months"] = json!(19); // 9.5, rounded down.
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
}

#[test]
fn capacity_is_shared_by_the_needs_a_capability_serves() {
    let mut both = actor("x", &[("a", 10, 100)]);
    both["capabilities"][0]["services"] = json!(["a", "b"]);
    let problem = problem(json!([need("a", 6), need("b", 6)]), json!([both]));
    assert_eq!(blocked_by(RuleId::Capacity, &problem), ["x"]);
}

#[test]
fn pool_linked_capabilities_share_one_capacity() {
    let mut actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 8, 100)])]);
    for entity in actors.as_array_mut().unwrap() {
        entity["capabilities"][0]["pool"] = json!("group");
    }
    assert_eq!(blocked_by(RuleId::Pool, &problem(json!([need("a", 15)]), actors.clone())), ["x", "y"]);
    assert_eq!(solve_value(&problem(json!([need("a", 10)]), actors)).status, Status::Optimal);
}

#[test]
fn pool_holds_as_much_as_its_largest_actor_with_all_its_own_capabilities() {
    let mut actors = json!([actor("x", &[("a", 6, 100), ("b", 5, 100)]), actor("y", &[("a", 8, 100)])]);
    for entity in actors.as_array_mut().unwrap() {
        for capability in entity["capabilities"].as_array_mut().unwrap() {
            capability["pool"] = json!("group");
        }
    }
    let call = |a, b| problem(json!([need("a", a), need("b", b)]), actors.clone());
    // x alone could deliver 6 + 5, y alone 8.
    assert_eq!(members(&solve_value(&call(6, 5)).proposals[0]), ["x"]);
    assert_eq!(members(&solve_value(&call(8, 3)).proposals[0]), ["x", "y"]);
    assert_eq!(blocked_by(RuleId::Pool, &call(8, 4)), ["x", "y"]);
}

#[test]
fn pool_of_one_actor_restricts_nothing() {
    let mut alone = actor("x", &[("a", 6, 100), ("b", 5, 100)]);
    for capability in alone["capabilities"].as_array_mut().unwrap() {
        capability["pool"] = json!("own");
    }
    let problem = problem(json!([need("a", 7), need("b", 5)]), json!([alone]));
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::Capacity)).proposals[0]), ["x"]);
}

#[test]
fn minimum_quantity_a_capability_is_used_for_nothing_or_for_enough() {
    let mut small = actor("x", &[("a", 10, 100)]);
    small["capabilities"][0]["minimum_quantity"] = json!(8);
    assert_eq!(blocked_by(RuleId::MinimumQuantity, &problem(json!([need("a", 5)]), json!([small.clone()]))), ["x"]);
    // With another capability of the same actor in use, the small one stays out.
    small["capabilities"].as_array_mut().unwrap().push(actor("x", &[("b", 5, 900)])["capabilities"][0].clone());
    let mut two = problem(json!([need("a", 5), need("b", 5)]), json!([small, actor("y", &[("a", 5, 500)])]));
    assert_eq!(members(&solve_value(&two).proposals[0]), ["x", "y"]);
    two["actors"][0]["capabilities"][0]["minimum_quantity"] = json!(5);
    assert_eq!(members(&solve_value(&two).proposals[0]), ["x"]);
}

#[test]
fn treasury_nobody_advances_more_than_it_has() {
    let mut poor = actor("x", &[("a", 10, 100)]);
    poor["available_cash_cents"] = json!(499);
    let mut problem = problem(json!([need("a", 10)]), json!([poor]));
    // 1,000 cents over 365 days, paid after 365 days with half in advance: 500 to advance.
    problem["call"]["payment"] = json!({ "advance_percent": 50, "delay_days": 365 });
    assert_eq!(blocked_by(RuleId::Treasury, &problem), ["x"]);
    problem["actors"][0]["available_cash_cents"] = json!(500);
    assert_eq!(solve_value(&problem).status, Status::Optimal);
    problem["actors"][0]["capabilities"][0]["fixed_cost_cents"] = json!(1);
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
}

#[test]
fn maximum_share_nobody_carries_more() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 150)])]);
    let mut problem = problem(json!([need("a", 10)]), actors);
    problem["call"]["group"] = json!({ "maximum_share_percent": 60 });
    let with = solve_value(&problem);
    assert_eq!(members(&with.proposals[0]), ["x", "y"]);
    assert_eq!(with.proposals[0].costs.services_cents, 6 * 100 + 4 * 150);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::MaximumShare)).proposals[0]), ["x"]);
}

#[test]
fn minimum_share_every_member_carries_as_much() {
    let actors = json!([actor("x", &[("a", 9, 100)]), actor("y", &[("a", 10, 200)])]);
    let mut problem = problem(json!([need("a", 10)]), actors);
    assert_eq!(solve_value(&problem).proposals[0].costs.services_cents, 9 * 100 + 200);
    problem["call"]["group"] = json!({ "minimum_share_percent": 40 });
    let with = solve_value(&problem);
    // 7 and 3 give 700 and 600.
    assert_eq!(with.proposals[0].costs.services_cents, 7 * 100 + 3 * 200);
    let free = solve_with(&problem, &without(RuleId::MinimumShare));
    assert_eq!(free.proposals[0].costs.services_cents, 9 * 100 + 200);
}

#[test]
fn shares_bound_the_number_of_members_only_where_work_is_paid() {
    let crew = |cents: i64| ["x", "y", "z"].map(|id| actor(id, &[("a", 10, cents)]));
    for (group, paid) in [
        (json!({ "minimum_members": 3, "minimum_share_percent": 33 }), Status::Optimal),
        (json!({ "minimum_members": 3, "minimum_share_percent": 34 }), Status::Infeasible),
        (json!({ "maximum_members": 2, "maximum_share_percent": 50 }), Status::Optimal),
        (json!({ "maximum_members": 2, "maximum_share_percent": 49 }), Status::Infeasible),
    ] {
        for (cents, status) in [(100, paid), (0, Status::Optimal)] {
            let mut problem = problem(json!([need("a", 12)]), json!(crew(cents)));
            problem["call"]["group"] = group.clone();
            assert_eq!(solve_value(&problem).status, status, "{cents} {group}");
        }
    }
}

#[test]
fn active_member_nobody_is_a_member_in_name_only() {
    let mut problem =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("b", 10, 100)])]));
    problem["call"]["group"] = json!({ "minimum_members": 2 });
    assert_eq!(blocked_by(RuleId::ActiveMember, &problem), ["x", "y"]);
    let locked = Options { locked_in: vec!["y".into()], ..Options::default() };
    problem["call"]["group"] = json!({});
    assert_eq!(solve_with(&problem, &locked).status, Status::Infeasible);
}

#[test]
fn budget_everything_that_is_paid_fits() {
    let mut problem = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    problem["actors"][0]["capabilities"][0]["fixed_cost_cents"] = json!(300);
    problem["call"]["coordination"] = json!({ "per_member_cents": 70 });
    problem["call"]["budget_cents"] = json!(1369);
    assert_eq!(blocked_by(RuleId::Budget, &problem), ["x"]);
    problem["call"]["budget_cents"] = json!(1370);
    assert_eq!(solve_value(&problem).proposals[0].costs.total_cents, 1370);
}

#[test]
fn size_limits_the_number_of_members() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("b", 10, 100)]), actor("z", &[("a", 9, 500)])]);
    let mut problem = problem(json!([need("a", 10), need("b", 10)]), actors);
    problem["call"]["group"] = json!({ "maximum_members": 1 });
    assert_eq!(blocked_by(RuleId::Size, &problem), ["x", "y"]);
    problem["call"]["group"] = json!({ "minimum_members": 3 });
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "y", "z"]);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::Size)).proposals[0]), ["x", "y"]);
}

#[test]
fn lead_one_member_meets_the_conditions_on_the_lead() {
    let mut problem =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 9, 300)])]));
    problem["call"]["eligibility"] =
        json!([{ "id": "solid", "criterion": { "kind": "turnover", "minimum_cents": 5000 }, "scope": "lead" }]);
    assert_eq!(blocked_by(RuleId::Lead, &problem), ["x"]);
    // The dear and small one may lead: it joins, and leads although it earns less.
    problem["actors"][1]["turnover_cents"] = json!(5000);
    let best = &solve_value(&problem).proposals[0];
    assert_eq!(members(best), ["x", "y"]);
    let lead = best.members.iter().find(|m| m.role == attelage_solver::Role::GroupLead).unwrap();
    assert_eq!((lead.actor.as_str(), best.members[0].actor.as_str()), ("y", "x"));
}

#[test]
fn legal_families_are_distinct_enough() {
    let mut actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 9, 300)]), actor("z", &[("a", 9, 200)])]);
    for (i, family) in ["company", "association", "company"].iter().enumerate() {
        actors[i]["legal_family"] = json!(family);
    }
    let mut problem = problem(json!([need("a", 10)]), actors);
    problem["call"]["group"] = json!({ "minimum_legal_families": 2 });
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "y"]);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::LegalFamilies)).proposals[0]), ["x"]);
    problem["call"]["group"] = json!({ "minimum_legal_families": 3 });
    assert_eq!(blocked_by(RuleId::LegalFamilies, &problem), ["x"]);
}

#[test]
fn incompatible_actors_are_not_members_together() {
    let actors = json!([actor("x", &[("a", 10, 100)]), actor("y", &[("b", 10, 100)]), actor("z", &[("b", 10, 400)])]);
    let mut problem = problem(json!([need("a", 10), need("b", 10)]), actors);
    problem["incompatibilities"] = json!([{ "a": "y", "b": "x" }]);
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["x", "z"]);
    assert_eq!(members(&solve_with(&problem, &without(RuleId::Incompatibility)).proposals[0]), ["x", "y"]);
    problem["incompatibilities"] = json!([{ "a": "y", "b": "x" }, { "a": "x", "b": "z" }]);
    assert_eq!(blocked_by(RuleId::Incompatibility, &problem), ["x", "y"]);
}

#[test]
fn eligibility_is_asked_of_everybody() {
    let mut problem = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    problem["call"]["eligibility"] =
        json!([{ "id": "label", "criterion": { "kind": "credential", "code": "esus" }, "scope": "each_member" }]);
    assert_eq!(blocked_by(RuleId::Eligibility, &problem), ["x"]);
    problem["actors"][0]["credentials"] = json!([{ "code": "esus" }]);
    assert_eq!(solve_value(&problem).status, Status::Optimal);
}

#[test]
fn each_rule_has_its_json_name() {
    for rule in RuleId::ALL {
        let name = serde_json::to_value(rule).unwrap();
        let back: RuleId = serde_json::from_value(name.clone()).unwrap();
        assert_eq!(back, rule);
        assert!(include_str!("../../../docs/solver-format.md").contains(&format!("`{}`", name.as_str().unwrap())));
    }
}
