//! What rules cost.

use attelage_solver::{Instance, Options, Query, Reply, RuleId, RulesAnswer, RulesQuery, Status, ask};
use serde_json::{Value, json};

use crate::support::{actor, members, need, parse, problem, solve_value, solve_with, without};

fn rules(value: &Value) -> RulesAnswer {
    let instance = Instance::new(parse(value)).unwrap();
    match ask(&instance, &Options::default(), &Query::Rules(RulesQuery {}), &()).unwrap() {
        Reply::Rules(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// `x`, `y` and `z` are cheap but small; `w` does all at nine times the price.
fn call() -> Value {
    let of = |id: &str, capacity: u64, cost: i64| actor(id, &[("a", capacity, cost)]);
    problem(json!([need("a", 10)]), json!([of("w", 100, 900), of("x", 4, 100), of("y", 4, 200), of("z", 4, 300)]))
}

#[test]
fn a_rule_costs_what_the_best_without_it_saves() {
    let mut call = call();
    call["call"]["group"] = json!({ "maximum_members": 2 });
    call["incompatibilities"] = json!([{ "a": "x", "b": "y" }]);
    let answer = rules(&call);
    assert_eq!(answer.status, Status::Optimal);
    let best = answer.best.as_ref().unwrap();
    assert_eq!((members(best), best.costs.total_cents), (vec!["w", "x"], 4 * 100 + 6 * 900));
    let of = |rule: RuleId| answer.rules.iter().find(|own| own.rule == rule).unwrap();
    // Three members may not be x, y, z because of the veto: w, x and z.
    let size = of(RuleId::Size);
    assert_eq!((size.worth_cents, size.proven), (5800 - (4 * 100 + 4 * 300 + 2 * 900), true));
    assert_eq!((size.newcomers.as_slice(), size.steps[0].worth_cents), (["z".to_owned()].as_slice(), size.worth_cents));
    assert_eq!(size.steps[0].change, "maximum_members 3 instead of 2");
    assert_eq!(size.text, "The number of members costs €24: without it, z would join.");
    let veto = of(RuleId::Incompatibility);
    assert_eq!((veto.worth_cents, veto.text.as_str()), (0, "That some actors do not work together costs nothing."));
    assert!(answer.rules.is_sorted_by(|a, b| a.worth_cents >= b.worth_cents));
    for own in &answer.rules {
        let free = solve_with(&call, &without(own.rule));
        let saved = best.costs.objective_cents - free.proposals[0].costs.objective_cents;
        assert_eq!(own.worth_cents, saved, "{:?}", own.rule);
    }
}

#[test]
fn a_condition_is_priced_by_its_name_and_a_budget_by_a_hundredth() {
    let mut call = call();
    call["actors"][0]["credentials"] = json!([{ "code": "qualiopi" }]);
    call["call"]["eligibility"] = json!([{
        "id": "certified", "criterion": { "kind": "credential", "code": "qualiopi" }, "scope": "each_member"
    }]);
    call["call"]["budget_cents"] = json!(9000);
    let answer = rules(&call);
    let dearest = &answer.rules[0];
    assert_eq!((dearest.rule, dearest.eligibility.as_deref()), (RuleId::Eligibility, Some("certified")));
    assert_eq!(dearest.worth_cents, 9000 - (400 + 800 + 600));
    assert_eq!(dearest.text, "The condition \"certified\" costs €72: without it, y, z and x would join.");
    let budget = answer.rules.iter().find(|own| own.rule == RuleId::Budget).unwrap();
    assert_eq!((budget.worth_cents, budget.steps.as_slice()), (0, [].as_slice()));
}

#[test]
fn the_least_numbers_of_members_and_families_are_priced_by_one_fewer() {
    let mut call =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 300)])]));
    call["actors"][0]["legal_family"] = json!("company");
    call["actors"][1]["legal_family"] = json!("association");
    let mut families = call.clone();
    families["call"]["group"] = json!({ "minimum_legal_families": 2 });
    call["call"]["lots"][0]["minimum_members"] = json!(2);
    for (call, rule, change) in [
        (call, RuleId::LotSize, "minimum_members of lot 1 instead of 2"),
        (families, RuleId::LegalFamilies, "minimum_legal_families 1 instead of 2"),
    ] {
        // y joins for one unit.
        let answer = rules(&call);
        let own = answer.rules.iter().find(|own| own.rule == rule).unwrap();
        let steps: Vec<_> =
            own.steps.iter().map(|step| (step.change.as_str(), step.worth_cents, step.proven)).collect();
        assert_eq!((own.worth_cents, steps), (200, vec![(change, 200, true)]));
    }
}

#[test]
fn where_nobody_can_answer_rules_have_no_price() {
    let mut call = call();
    call["call"]["budget_cents"] = json!(100);
    assert_eq!(solve_value(&call).status, Status::Infeasible);
    let answer = rules(&call);
    assert_eq!((answer.status, answer.best, answer.rules), (Status::Infeasible, None, Vec::new()));
}
