//! Short ways to write problems and to look at answers.

use attelage_solver::{Answer, Instance, Options, Problem, Proposal, RuleId, check_with, solve};
use serde_json::{Value, json};

/// The example of the documentation.
pub fn lyon() -> Value {
    serde_json::from_str(include_str!("../../examples/lyon.json")).unwrap()
}

/// A call in one territory for some needs, answered by some actors; anything else by merging into it.
pub fn problem(needs: Value, actors: Value) -> Value {
    json!({
        "call": { "id": "call", "duration_months": 12, "lots": [{ "id": "lot", "needs": needs }] },
        "services": [{ "id": "a" }, { "id": "b" }, { "id": "c" }],
        "territories": [{ "id": "t" }],
        "actors": actors
    })
}

/// So many units of a service, mandatory.
pub fn need(service: &str, quantity: u64) -> Value {
    json!({ "id": service, "service": service, "territory": "t", "unit": "hour", "quantity": quantity })
}

/// An actor with one capability per service, each with this capacity and unit cost.
pub fn actor(id: &str, offers: &[(&str, u64, i64)]) -> Value {
    let capabilities: Vec<Value> = offers
        .iter()
        .map(|(service, capacity, cost)| {
            json!({
                "id": format!("{id}/{service}"), "services": [service], "territories": ["t"], "unit": "hour",
                "capacity_per_year": capacity, "unit_cost_cents": cost
            })
        })
        .collect();
    json!({ "id": id, "capabilities": capabilities })
}

pub fn parse(value: &Value) -> Problem {
    serde_json::from_value(value.clone()).unwrap()
}

/// Solves, and has every proposal checked again from outside.
pub fn solve_with(value: &Value, options: &Options) -> Answer {
    let problem = parse(value);
    let instance = Instance::new(problem.clone()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let answer = solve(&instance, options).unwrap();
    for proposal in &answer.proposals {
        assert_eq!(check_with(&problem, options, proposal), [], "{proposal:#?}");
        assert!(proposal.proof.verified);
    }
    answer
}

pub fn solve_value(value: &Value) -> Answer {
    solve_with(value, &Options::default())
}

pub fn without(rule: RuleId) -> Options {
    Options { disabled_rules: vec![rule], ..Options::default() }
}

/// Ids of the members, sorted.
pub fn members(proposal: &Proposal) -> Vec<&str> {
    let mut ids: Vec<&str> = proposal.members.iter().map(|member| member.actor.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// The path of a fault inside the settings of its question; other paths as they are.
pub fn in_settings(path: &str) -> String {
    let settings = path.strip_prefix("/question/").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    settings.unwrap_or(path).to_owned()
}
