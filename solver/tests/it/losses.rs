//! Losses of members: cases whose answer is known.

use attelage_solver::{Instance, Options, Query, Reply, Resilience, ResilienceRequest, Status, ask};
use serde_json::{Value, json};

use crate::support::{actor, members, need, parse, problem};

fn resilience(value: &Value, team: &[&str]) -> Resilience {
    let instance = Instance::new(parse(value)).unwrap();
    let request = ResilienceRequest { team: team.iter().map(|&id| id.to_owned()).collect(), strict: true };
    match ask(&instance, &Options::default(), &Query::Resilience(request), &()).unwrap() {
        Reply::Resilience(answer) => answer,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_price_of_surviving_any_loss_is_what_the_second_supplier_costs() {
    let mut value =
        problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)]), actor("y", &[("a", 10, 150)])]));
    value["call"]["coordination"]["per_member_cents"] = json!(30);
    let answer = resilience(&value, &[]);
    assert_eq!(answer.survives, Some(false));
    assert_eq!(answer.resilience_percent, 0.0);
    assert_eq!(
        answer.losses[0].cuts[0].text,
        "Without x, the other members can deliver nothing of the 10 hours of a in t."
    );
    let strict = answer.strict.unwrap();
    assert_eq!((strict.status, strict.price_cents, strict.price_at_least_cents), (Status::Optimal, Some(80), Some(80)));
    let strict = strict.proposal.unwrap();
    // One unit for y, so that it is a member.
    assert_eq!((members(&strict), strict.costs.objective_cents), (vec!["x", "y"], 900 + 150 + 60));
    let team = resilience(&value, &["x", "y"]);
    assert_eq!((team.survives, team.resilience_percent), (Some(true), 100.0));
    assert!(team.losses.iter().all(|loss| loss.survived == Some(true) && loss.cuts.is_empty()));
}

#[test]
fn capacity_shared_by_places_passes_the_static_rows_but_not_the_cut() {
    // x does a and b; y and z could each make up for one of them, y with what it shares between both.
    let mut both = actor("y", &[("a", 10, 120)]);
    both["capabilities"][0]["services"] = json!(["a", "b"]);
    let value = problem(
        json!([need("a", 10), need("b", 10)]),
        json!([actor("x", &[("a", 10, 100), ("b", 10, 100)]), both, actor("z", &[("b", 10, 300)])]),
    );
    let answer = resilience(&value, &["x", "y"]);
    assert_eq!((answer.survives, answer.resilience_percent), (Some(false), 100.0));
    assert_eq!(answer.losses[1].survived, Some(true), "x alone does it all");
    let cut = &answer.losses[0].cuts[0];
    assert_eq!((cut.asked, cut.deliverable, cut.needs.len()), (20, 10, 2));
    assert_eq!(
        cut.text,
        "Without x, the other members can deliver 10 of 20 units: 10 hours of a in t and 10 hours of b in t."
    );
    let strict = answer.strict.unwrap();
    assert_eq!(members(strict.proposal.as_ref().unwrap()), ["x", "y", "z"]);
    assert!(strict.rounds > 1 && strict.cuts > 0, "the first consortium only passes place by place");
}

#[test]
fn a_single_supplier_makes_every_consortium_fragile() {
    let value = problem(
        json!([need("a", 10), need("b", 10)]),
        json!([actor("x", &[("a", 10, 100)]), actor("y", &[("b", 10, 100)]), actor("z", &[("b", 10, 110)])]),
    );
    let answer = resilience(&value, &[]);
    let single: Vec<(&str, &str, u64)> =
        answer.single_suppliers.iter().map(|s| (s.actor.as_str(), s.need.as_str(), s.quantity)).collect();
    assert_eq!(single, [("x", "a", 10)]);
    assert_eq!(answer.fatal_actors.len(), 1);
    assert_eq!(answer.fatal_actors[0].actor, "x");
    assert_eq!(
        answer.fatal_actors[0].cuts[0].text,
        "Without x, all other actors can deliver nothing of the 10 hours of a in t."
    );
    let strict = answer.strict.unwrap();
    assert_eq!((strict.status, strict.proposal, strict.rounds), (Status::Infeasible, None, 0));
    // The softest has both for b; one unit for z costs 10 cents more.
    let soft = strict.softest.unwrap();
    assert_eq!((members(&soft.proposal), soft.price_cents, soft.resilience_percent), (vec!["x", "y", "z"], 10, 50.0));
}

#[test]
fn two_who_lack_a_little_each_are_fatal_together_only_for_their_sum() {
    let value = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 6, 100)]), actor("y", &[("a", 6, 100)])]));
    let answer = resilience(&value, &[]);
    assert_eq!(answer.fatal_actors.len(), 2);
    assert_eq!(
        answer.fatal_actors[0].cuts[0].text,
        "Without x, all other actors can deliver 6 of the 10 hours of a in t."
    );
    assert!(answer.single_suppliers.is_empty());
    assert_eq!(answer.resilience_percent, 60.0);
}

#[test]
fn what_counts_after_a_loss_is_delivery() {
    // y alone would break the budget, the size and its own smallest quantity; it can deliver all the same.
    let mut value = problem(
        json!([need("a", 10)]),
        json!([actor("x", &[("a", 9, 100)]), actor("y", &[("a", 12, 300)]), actor("z", &[("a", 9, 100)])]),
    );
    value["call"]["budget_cents"] = json!(1500);
    value["call"]["group"] = json!({ "minimum_members": 2 });
    let answer = resilience(&value, &["x", "y"]);
    assert_eq!(answer.status, Status::Optimal);
    assert_eq!(answer.losses[0].survived, Some(true));
    assert_eq!(answer.losses[1].survived, Some(false));
    value["actors"][1]["capabilities"][0]["minimum_quantity"] = json!(11);
    let idle = resilience(&value, &["x", "y"]);
    assert_eq!((idle.status, idle.losses[0].survived), (Status::Infeasible, Some(true)));
}

#[test]
fn optional_needs_may_be_given_up() {
    let mut value = problem(json!([need("a", 10)]), json!([actor("x", &[("a", 10, 100)])]));
    value["call"]["lots"][0]["needs"][0]["mandatory"] = json!(false);
    value["call"]["lots"][0]["needs"][0]["unmet_cost_cents"] = json!(500);
    let answer = resilience(&value, &[]);
    assert_eq!((answer.survives, answer.resilience_percent), (Some(true), 100.0));
    assert_eq!(answer.strict.unwrap().price_cents, Some(0));
    assert!(answer.fatal_actors.is_empty() && !answer.single_suppliers[0].mandatory);
}

#[test]
fn a_team_that_cannot_answer_still_has_its_losses_told() {
    let value = problem(
        json!([need("a", 10)]),
        json!([actor("x", &[("a", 6, 100)]), actor("y", &[("a", 10, 300)]), actor("idle", &[("c", 1, 1)])]),
    );
    let answer = resilience(&value, &["x", "idle"]);
    assert_eq!((answer.status, answer.survives), (Status::Infeasible, Some(false)));
    assert_eq!(answer.losses.len(), 1);
    let nobody = problem(json!([need("a", 10)]), json!([]));
    let answer = resilience(&nobody, &[]);
    assert_eq!((answer.status, answer.losses.len(), answer.strict), (Status::Infeasible, 0, None));
}
