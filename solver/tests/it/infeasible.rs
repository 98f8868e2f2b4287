//! "Nobody can answer" is an answer: what falls, why, who comes closest, what to relax.

use attelage_solver::{GapReason, Infeasibility, Instance, Options, Refusal, RuleId, Status, solve};
use serde_json::{Value, json};

use crate::support::{actor, lyon, members, need, parse, problem, solve_with};

fn why(value: &Value) -> Infeasibility {
    why_with(value, &Options::default())
}

fn why_with(value: &Value, options: &Options) -> Infeasibility {
    let answer = solve(&Instance::new(parse(value)).unwrap(), options).unwrap();
    assert_eq!((answer.status, answer.proposals.len()), (Status::Infeasible, 0));
    answer.infeasibility.unwrap()
}

fn texts(why: &Infeasibility) -> Vec<&str> {
    why.blocking_rules.iter().map(|rule| rule.text.as_str()).collect()
}

fn tells(why: &Infeasibility, part: &str) -> bool {
    texts(why).iter().any(|text| text.contains(part))
}

#[test]
fn without_the_trainer_the_closest_consortium_and_its_gap_are_told() {
    let locked = Options { locked_out: vec!["trainer".into()], ..Options::default() };
    let why = why_with(&lyon(), &locked);
    assert_eq!(why.unmet_needs.len(), 1);
    let unmet = &why.unmet_needs[0];
    assert_eq!((unmet.need.as_str(), unmet.covered), ("workshops", 0));
    assert_eq!(unmet.gaps.iter().map(|gap| gap.quantity).sum::<u64>(), 12_000);
    let givors = unmet.gaps.iter().find(|gap| gap.territory == "givors").unwrap();
    assert_eq!(givors.reason, GapReason::NoSupplier);
    let lacks: Vec<_> = givors.near_misses.iter().map(|miss| (miss.actor.as_str(), &miss.lacks)).collect();
    let rule = Refusal::Eligibility { rule: "certified-training".into() };
    assert_eq!(
        lacks,
        [("trainer", &Refusal::LockedOut), ("generalist", &rule), ("district", &Refusal::UnknownCapacity)]
    );
    let closest = why.closest.as_deref().unwrap();
    assert!(members(closest).contains(&"refurbisher"));
    assert!(closest.proof.verified);
    assert!(why.summary.contains("12,000 hours of training") && why.summary.contains("locks"), "{}", why.summary);
    let condition = why.blocking_rules.iter().find(|rule| rule.eligibility.is_some()).unwrap();
    assert!(condition.text.contains("certified-training") && condition.text.contains("Le Grand Atelier"));
}

#[test]
fn an_unknown_cost_is_a_near_miss() {
    let mut vague = actor("vague", &[("a", 10, 0)]);
    vague["capabilities"][0]["unit_cost_cents"] = json!(null);
    let told = why(&problem(json!([need("a", 10)]), json!([vague])));
    assert_eq!(told.unmet_needs[0].gaps[0].near_misses[0].lacks, Refusal::UnknownCost);
}

#[test]
fn the_budget_to_raise_is_told_to_the_cent() {
    let mut problem = lyon();
    problem["call"]["budget_cents"] = json!(60_000_000);
    // 22,000,000 + 38,400,000 + 400,000 + 1,000,000, and the help line is optional.
    let told = why(&problem);
    assert!(texts(&told).contains(&"Raise the budget by €18,000 to €618,000."), "{:?}", texts(&told));
}

#[test]
fn the_size_to_accept_is_told() {
    let mut problem = lyon();
    problem["call"]["group"]["maximum_members"] = json!(1);
    assert!(texts(&why(&problem)).contains(&"Raise maximum_members to 2."));
    problem["call"]["group"] = json!({ "minimum_members": 9 });
    assert!(texts(&why(&problem)).contains(&"Lower minimum_members to 3."));
}

#[test]
fn shares_treasury_vetoes_and_minimums_say_how_far_to_go() {
    let mut problem = lyon();
    problem["call"]["group"] = json!({ "maximum_share_percent": 20 });
    assert!(tells(&why(&problem), "Raise maximum_share_percent to 6"));

    let mut problem = lyon();
    problem["actors"][1]["available_cash_cents"] = json!(100);
    let told = why(&problem);
    assert!(tells(&told, "Le Pas Numérique would advance €12,624.66 with €1"), "{:?}", texts(&told));

    let mut problem = lyon();
    problem["incompatibilities"] = json!([{ "a": "trainer", "b": "refurbisher" }]);
    assert!(texts(&why(&problem)).contains(&"Let Second Souffle and Le Pas Numérique work together."));

    let mut problem = lyon();
    problem["actors"][1]["capabilities"][0]["minimum_quantity"] = json!(12_500);
    assert!(
        tells(&why(&problem), "would deliver 12,000 for training, less than 12,500"),
        "{:?}",
        texts(&why(&problem))
    );
}

#[test]
fn too_little_capacity_is_told_as_such() {
    let told =
        why(&problem(json!([need("a", 10)]), json!([actor("x", &[("a", 4, 100)]), actor("y", &[("a", 3, 100)])])));
    assert_eq!(told.unmet_needs[0].covered, 7);
    assert_eq!(told.unmet_needs[0].gaps[0].reason, GapReason::Capacity);
    assert!(texts(&told).contains(&"Lower a from 10 to 7 hours, or make it optional."));
}

#[test]
fn capacity_shared_by_two_needs_is_told_as_such() {
    let mut both = actor("x", &[("a", 10, 100)]);
    both["capabilities"][0]["services"] = json!(["a", "b"]);
    let told = why(&problem(json!([need("a", 6), need("b", 6)]), json!([both])));
    assert!(told.unmet_needs.iter().flat_map(|n| &n.gaps).all(|gap| gap.reason == GapReason::Capacity));
    assert_eq!(told.unmet_needs.iter().map(|n| n.quantity - n.covered).sum::<u64>(), 2);
}

#[test]
fn no_actor_and_no_relevant_actor_are_explained() {
    let nobody = why(&problem(json!([need("a", 10)]), json!([])));
    assert_eq!(nobody.summary, "Nobody can answer: there is no actor.");
    assert_eq!(nobody.unmet_needs[0].gaps[0].reason, GapReason::NoSupplier);
    assert!(nobody.closest.is_none() && nobody.blocking_rules.is_empty());
    let useless = why(&problem(json!([need("a", 10)]), json!([actor("x", &[("b", 4, 100)])])));
    assert_eq!(useless.summary, "Nobody can answer: the only actor offers nothing that the call asks for.");
}

#[test]
fn a_zero_budget_is_explained() {
    let mut free = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    free["call"]["budget_cents"] = json!(0);
    assert_eq!(texts(&why(&free))[0], "Raise the budget by €10 to €10.");
}

#[test]
fn contradictory_rules_are_explained_with_the_consortium_that_breaks_one() {
    let mut contradiction = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    contradiction["call"]["group"] = json!({ "minimum_members": 2 });
    let told = why(&contradiction);
    assert!(texts(&told).contains(&"Lower minimum_members to 1."));
    assert_eq!(members(told.closest.as_deref().unwrap()), ["x"]);
    // Two rules at once: no single one is enough.
    contradiction["call"]["budget_cents"] = json!(1);
    let told = why(&contradiction);
    assert!(told.blocking_rules.is_empty() && told.summary.contains("No single rule"), "{}", told.summary);
    assert_eq!(members(told.closest.as_deref().unwrap()), ["x"]);
}

#[test]
fn no_eligible_lead_is_explained() {
    let mut headless = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    headless["call"]["eligibility"] =
        json!([{ "id": "solid", "criterion": { "kind": "turnover", "minimum_cents": 1 }, "scope": "lead" }]);
    let told = why(&headless);
    let rules: Vec<_> = told.blocking_rules.iter().map(|b| (b.rule, b.eligibility.as_deref())).collect();
    assert_eq!(rules, [(RuleId::Eligibility, Some("solid")), (RuleId::Lead, None)]);
}

#[test]
fn the_lead_that_would_have_to_be_accepted_is_named() {
    // z does as much for more, but only y knows the others: with whom coordination is cheapest leads.
    let of = |id: &str, cost: i64| actor(id, &[("a", 4, cost)]);
    let mut headless = problem(json!([need("a", 12)]), json!([of("x", 100), of("y", 100), of("z", 300)]));
    headless["call"]["coordination"] = json!({ "per_new_pair_cents": 100, "between": "lead" });
    headless["relations"] = json!([{ "a": "x", "b": "y" }, { "a": "y", "b": "z" }]);
    headless["call"]["eligibility"] =
        json!([{ "id": "solid", "criterion": { "kind": "turnover", "minimum_cents": 1 }, "scope": "lead" }]);
    assert_eq!(
        texts(&why(&headless)),
        [
            "Relax the condition \"solid\", which y does not meet.",
            "Accept a lead that does not meet the conditions on the lead, y for instance."
        ]
    );
}

#[test]
fn the_checker_confirms_every_closest_consortium_up_to_what_it_may_break() {
    let answer =
        solve_with(&problem(json!([need("a", 10)]), json!([actor("x", &[("a", 4, 100)])])), &Options::default());
    let closest = answer.infeasibility.unwrap().closest.unwrap();
    assert!(closest.proof.verified);
    assert_eq!(closest.costs.services_cents, 400);
}
