//! What calls share: capacities and pools, at every moment.

use std::collections::{BTreeMap, BTreeSet};

use super::PortfolioOptions;
use super::plan::Plan;
use crate::compile::Compiled;
use crate::model::{Call, Quantity};

/// A call, an edge of it, and the whole capacity over its contract.
type Use = (usize, usize, Quantity);

/// A capacity that several calls may draw from.
pub(super) struct Resource {
    pub(super) uses: Vec<Use>,
}

/// What calls share.
pub(super) struct Joint {
    pub(super) resources: Vec<Resource>,
    /// Sets of calls that run at the same time, none within another.
    pub(super) moments: Vec<BTreeSet<usize>>,
    /// Sets of calls of which an actor takes part in one at most.
    pub(super) exclusive: Vec<BTreeSet<usize>>,
}

impl Joint {
    pub(super) fn new(calls: &[Compiled<'_>], options: &PortfolioOptions) -> Self {
        // By kind of resource, its name, and the unit where capacities are counted by unit.
        let mut all: BTreeMap<(bool, &str, &str), Vec<Use>> = BTreeMap::new();
        for (k, c) in calls.iter().enumerate() {
            let unit = |e: usize| c.needs[c.cells[c.edges[e].cell].need].need.unit.as_str();
            for (e, edge) in c.edges.iter().enumerate() {
                let counted = if edge.terms.capacity_assumed { unit(e) } else { "" };
                let id = c.offers[edge.offer].capability.id.as_str();
                all.entry((false, id, counted)).or_default().push((k, e, edge.terms.capacity));
            }
            for pool in c.pools.iter().chain(&c.lone_pools) {
                for &e in &pool.edges {
                    let name = c.offers[c.edges[e].offer].capability.pool.as_deref().unwrap_or_default();
                    all.entry((true, name, unit(e))).or_default().push((k, e, pool.capacity));
                }
            }
        }
        let shared = all.into_values().map(|uses| Resource { uses });
        let id = |k: usize| &calls[k].problem().call.id;
        let group = |ids: &Vec<String>| (0..calls.len()).filter(|&k| ids.contains(id(k))).collect();
        let exclusive = options.exclusive.iter().map(group).collect();
        Self { resources: shared.collect(), moments: moments(calls), exclusive }
    }

    /// Whether a plan keeps every shared capacity, in whole numbers.
    pub(super) fn keeps(&self, plan: &Plan) -> bool {
        self.resources.iter().all(|resource| {
            self.moments.iter().all(|moment| {
                let uses = resource.uses.iter().filter(|(call, ..)| moment.contains(call));
                let parts: Vec<(Quantity, Quantity)> = uses
                    .map(|&(call, e, capacity)| (plan.quantity(call, e), capacity))
                    .filter(|(quantity, _)| *quantity > 0)
                    .collect();
                within_one(&parts)
            })
        })
    }
}

/// Whether fractions add up to 1 at most, exactly; false where their common denominator does not fit 128 bits.
fn within_one(parts: &[(Quantity, Quantity)]) -> bool {
    let mut sum = (0_u128, 1_u128);
    for &(part, whole) in parts {
        if whole == 0 {
            return false;
        }
        let (part, whole) = (u128::from(part), u128::from(whole));
        let common = gcd(sum.1, whole);
        let Some(denominator) = (sum.1 / common).checked_mul(whole) else { return false };
        let old = sum.0.checked_mul(denominator / sum.1);
        let new = part.checked_mul(denominator / whole);
        let Some(numerator) = old.zip(new).and_then(|(old, new)| old.checked_add(new)) else { return false };
        sum = (numerator, denominator);
    }
    sum.0 <= sum.1
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// The first day of a contract and the one after its last, as months with their day; `None` where it has no start.
fn span(call: &Call) -> Option<[(u32, u32); 2]> {
    let text = call.start.as_deref()?;
    let number = |range: std::ops::Range<usize>| text.get(range).and_then(|digits| digits.parse::<u32>().ok());
    let (month, day) = (number(0..4)? * 12 + number(5..7)?, number(8..10)?);
    Some([(month, day), (month + call.duration_months, day)])
}

/// The largest sets of calls that run on one day: it is the first day of one of them.
fn moments(calls: &[Compiled<'_>]) -> Vec<BTreeSet<usize>> {
    let spans: Vec<Option<[(u32, u32); 2]>> = calls.iter().map(|c| span(&c.problem().call)).collect();
    let runs = |k: &usize, day: (u32, u32)| spans[*k].is_none_or(|[first, end]| first <= day && day < end);
    let all = 0..calls.len();
    let mut sets: BTreeSet<BTreeSet<usize>> =
        spans.iter().flatten().map(|[first, _]| all.clone().filter(|k| runs(k, *first)).collect()).collect();
    if sets.is_empty() {
        sets.insert(all.collect());
    }
    let largest = |set: &&BTreeSet<usize>| !sets.iter().any(|other| other != *set && set.is_subset(other));
    sets.iter().filter(largest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::within_one;

    #[test]
    fn parts_of_a_capacity_add_up_exactly() {
        assert!(within_one(&[(1, 3), (1, 3), (1, 3)]));
        assert!(!within_one(&[(1, 3), (1, 3), (333_333_333_334, 1_000_000_000_000)]));
        assert!(within_one(&[]) && !within_one(&[(1, 0)]));
    }
}
