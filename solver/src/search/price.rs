//! What prices of the cells say: a bound on every consortium, and which edges are worth having.
//!
//! Lagrangian relaxation of the demand (Geoffrion, 1974): with a price on each unit of each cell, every candidate decides by itself
//! which work would pay, within its capacities, and whether its profit is worth its fixed costs and its place in the group. For any
//! prices the sum is a bound on the whole problem, whatever edges the prices came from. With the duals of a linear relaxation it
//! is as good as that relaxation of the *whole* problem, once no edge outside would pay: the pricing step of column generation.

use std::collections::BTreeMap;

use crate::compile::{Compiled, Offer};
use crate::formulate::{Question, keur, units};
use crate::rules::RuleId;

/// What prices say.
pub(super) struct Priced {
    /// No solution of the whole problem costs less, in thousands of euros.
    pub(super) bound: f64,
    /// What each candidate would gain, fixed and member's costs paid.
    pub(super) gain: Vec<f64>,
    /// Edges on which it would work.
    pub(super) works: Vec<bool>,
}

/// Evaluates prices (thousands of euros a unit, by cell). O(edges log edges of an offer).
pub(super) fn evaluate(c: &Compiled<'_>, question: &Question, prices: &[f64]) -> Priced {
    let mut bound = 0.0;
    for (cell, &price) in c.cells.iter().zip(prices) {
        let demand = units(cell.demand);
        let required = c.mandatory(cell) && c.rules.active(RuleId::Demand);
        let worth = keur(c.needs[cell.need].need.unmet_cost_cents);
        bound += demand * if required { price } else { price.min(worth) };
    }
    let member = keur(c.problem().call.coordination.per_member_cents);
    let mut works = vec![false; c.edges.len()];
    let mut gain = Vec::with_capacity(c.candidates.len());
    for (i, candidate) in c.candidates.iter().enumerate() {
        let profits = candidate.offers.clone().map(|k| profit(c, &c.offers[k], prices, &mut works));
        gain.push(profits.sum::<f64>() - member);
        if question.absent.contains(&i) {
            gain[i] = f64::NEG_INFINITY;
        }
        if candidate.locked_in {
            bound -= gain[i].min(0.0);
        }
    }
    let mut gains: Vec<f64> = gain.iter().copied().filter(|&gain| gain > 0.0).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    bound -= gains.into_iter().take(most_members(c)).sum::<f64>();
    Priced { bound, gain, works }
}

/// No consortium has more members.
pub(super) fn most_members(c: &Compiled<'_>) -> usize {
    let limit = c.problem().call.group.maximum_members.filter(|_| c.rules.active(RuleId::Size));
    limit.map_or(usize::MAX, |limit| limit as usize)
}

/// What an offer would gain at most; marks the edges that it would work on.
fn profit(c: &Compiled<'_>, offer: &Offer<'_>, prices: &[f64], works: &mut [bool]) -> f64 {
    let margin = |e: usize| prices[c.edges[e].cell] - keur(c.edges[e].terms.unit_cost);
    let mut paying: Vec<usize> = offer.edges.clone().filter(|&e| margin(e) > 1e-9).collect();
    paying.sort_by(|&a, &b| margin(b).total_cmp(&margin(a)));
    let mut left: BTreeMap<&str, f64> = BTreeMap::new();
    let mut all = -keur(offer.capability.fixed_cost_cents);
    let mut used = Vec::new();
    for e in paying {
        let edge = &c.edges[e];
        // An assumed capacity holds for each unit apart.
        let unit = if edge.terms.capacity_assumed { &c.needs[c.cells[edge.cell].need].need.unit } else { "" };
        let room = left.entry(unit).or_insert_with(|| {
            if c.rules.active(RuleId::Capacity) { units(edge.terms.capacity) } else { f64::INFINITY }
        });
        let quantity = units(c.most(edge)).min(*room);
        if quantity > 0.0 {
            *room -= quantity;
            all += quantity * margin(e);
            used.push(e);
        }
    }
    if all <= 0.0 {
        return 0.0;
    }
    for e in used {
        works[e] = true;
    }
    all
}
