//! Questions about given people, against the enumeration of every consortium.

mod audit;
mod partners;
mod repair;
mod shares;
mod why_not;

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{Instance, Options, Proposal, Query, Reply, ask, check_with};
use serde_json::Value;

use crate::brute_force::NAMES;
use crate::support::{in_settings, members, parse};

pub type Consortia = BTreeMap<BTreeSet<usize>, i64>;

/// Asks a question written as JSON, through JSON in both directions.
pub fn question(problem: &Value, options: &Options, query: Value) -> Reply {
    let instance = Instance::new(parse(problem)).unwrap_or_else(|faults| panic!("{faults:?}"));
    let query: Query = serde_json::from_value(query).unwrap();
    let reply = ask(&instance, options, &query, &()).unwrap();
    let text = serde_json::to_string(&reply).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<Reply>(&text).unwrap()).unwrap(), text);
    reply
}

/// The mistakes of a question.
pub fn mistakes(problem: &Value, options: &Options, query: Value) -> Vec<String> {
    let instance = Instance::new(parse(problem)).unwrap();
    let query: Query = serde_json::from_value(query).unwrap();
    ask(&instance, options, &query, &()).unwrap_err().faults.into_iter().map(|fault| in_settings(&fault.path)).collect()
}

/// A proposal must pass the checker from outside, and be proven best of its kind; its members as indices.
pub fn verified(problem: &Value, proposal: &Proposal) -> BTreeSet<usize> {
    assert_eq!(check_with(&parse(problem), &Options::default(), proposal), [], "{proposal:#?}");
    assert!(proposal.proof.verified && proposal.proof.optimal, "{:?}", proposal.proof);
    indices(&members(proposal))
}

pub fn indices<T: AsRef<str>>(ids: &[T]) -> BTreeSet<usize> {
    ids.iter().map(|id| NAMES.iter().position(|name| *name == id.as_ref()).unwrap()).collect()
}

pub fn names(set: &BTreeSet<usize>) -> Vec<&'static str> {
    set.iter().map(|&i| NAMES[i]).collect()
}

/// The least objective of the consortia that pass.
pub fn least(consortia: &Consortia, pass: impl Fn(&BTreeSet<usize>) -> bool) -> Option<i64> {
    consortia.iter().filter(|(set, _)| pass(set)).map(|(_, cost)| *cost).min()
}

#[test]
fn a_limit_that_comes_first_is_told_and_nothing_unverified_is() {
    use attelage_solver::Status;
    let shape = attelage_solver::sample::Shape { actors: 14, needs: 4, communes: 24, services: 4, spread: true };
    let problem = serde_json::to_value(attelage_solver::sample::problem(&shape, 3)).unwrap();
    let team = ["a0005", "a0009"];
    for (work, none) in [(1, true), (300, false)] {
        let options = Options { work_limit: Some(work), ..Options::default() };
        let queries = [
            serde_json::json!({ "partners": { "team": team, "exact": 3 } }),
            serde_json::json!({ "check": { "team": team } }),
            serde_json::json!({ "repair": { "team": team, "departed": ["a0009"] } }),
            serde_json::json!({ "shares": {} }),
            serde_json::json!({ "why_not": { "actor": "a0007" } }),
        ];
        for query in queries {
            let (status, proposal) = match question(&problem, &options, query) {
                Reply::Partners(told) => {
                    assert!(!none || told.cut_short && told.partners.is_empty());
                    (told.status, told.best)
                }
                Reply::Check(told) => (told.status, told.proposal),
                Reply::Repair(told) => (told.status, told.plans.into_iter().next().map(|plan| plan.proposal)),
                Reply::Shares(told) => {
                    assert!(!none || told.method.is_none() && told.members.is_empty() && told.stability.is_none());
                    (told.status, told.proposal)
                }
                Reply::WhyNot(told) => {
                    assert_eq!(told.best_cents.is_some(), matches!(told.status, Status::Optimal | Status::Feasible));
                    continue;
                }
                other => panic!("{other:?}"),
            };
            let has = matches!(status, Status::Optimal | Status::Feasible);
            assert_eq!(proposal.is_some(), has, "{status:?}");
            if let Some(proposal) = proposal {
                assert_eq!(check_with(&parse(&problem), &Options::default(), &proposal), []);
            }
        }
    }
}
