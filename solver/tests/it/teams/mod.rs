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
use crate::support::{members, parse};

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
    ask(&instance, options, &query, &()).unwrap_err().faults.into_iter().map(|fault| fault.path).collect()
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
