//! A small call of the kind the service is made for: two complementary actors win, and nobody can win alone.

use attelage_solver::{Options, Role, Status};
use serde_json::json;

use crate::support::{lyon, members, solve_value, solve_with};

#[test]
fn two_complementary_actors_win_with_proof() {
    let answer = solve_value(&lyon());
    assert_eq!(answer.status, Status::Optimal);
    let best = &answer.proposals[0];
    assert_eq!(members(best), ["refurbisher", "trainer"]);
    assert!(best.proof.optimal && best.proof.gap_cents == 0);
    assert_eq!(best.coverage_percent, 100.0);
    // 2,000 × €110 + 1,000 × €30 + 12,000 × €32, one fixed cost, two members who know each other.
    assert_eq!(best.costs.services_cents, 22_000_000 + 3_000_000 + 38_400_000);
    assert_eq!(best.costs.fixed_cents, 400_000);
    assert_eq!(best.costs.coordination_cents, 1_000_000);
    assert_eq!(best.members[0].role, Role::GroupLead);
    assert_eq!(best.members[0].actor, "trainer");
    assert_eq!((best.cohesion.known_pairs, best.cohesion.pairs), (1, 1));
}

#[test]
fn the_documentation_shows_this_very_problem() {
    let page = include_str!("../../../docs/solver-format.md");
    let shown = page.split("```json").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(shown).unwrap(), lyon());
}

#[test]
fn nobody_can_win_alone() {
    let mut problem = lyon();
    problem["call"]["group"] = json!({ "maximum_members": 1 });
    assert_eq!(solve_value(&problem).status, Status::Infeasible);
}

#[test]
fn changing_the_data_changes_the_answer() {
    let mut problem = lyon();
    problem["actors"].as_array_mut().unwrap().retain(|actor| actor["id"] != "trainer");
    problem["relations"] = json!([]);
    assert_eq!(solve_value(&problem).status, Status::Infeasible);

    let mut problem = lyon();
    problem["actors"][3]["credentials"] = json!([{ "code": "qualiopi" }]);
    assert_eq!(members(&solve_value(&problem).proposals[0]), ["generalist", "refurbisher"]);
}

#[test]
fn the_same_input_gives_the_same_bytes_and_the_order_of_actors_does_not_matter() {
    let text = |problem| serde_json::to_string(&solve_with(problem, &Options::default())).unwrap();
    let problem = lyon();
    assert_eq!(text(&problem), text(&problem));
    let mut reversed = problem.clone();
    reversed["actors"].as_array_mut().unwrap().reverse();
    assert_eq!(text(&problem), text(&reversed));
}
