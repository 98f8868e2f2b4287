//! What prices of the cells say: a bound on every consortium, and which edges are worth having.
//!
//! Lagrangian relaxation of the demand (Geoffrion, 1974): with a price on each unit of each cell, every candidate decides by itself
//! which work would pay, within its capacities, and whether its profit is worth its fixed costs and its place in the group. For any
//! prices the sum is a bound on the whole problem, whatever edges the prices came from. With the duals of a linear relaxation it
//! is as good as that relaxation of the *whole* problem, once no edge outside would pay: the pricing step of column generation.

use crate::compile::{Compiled, Offer};
use crate::formulate::{Question, keur, units};
use crate::rules::RuleId;

/// What prices say.
pub(super) struct Priced {
    /// No solution of the whole problem costs less, in thousands of euros.
    pub(super) bound: f64,
    /// What each candidate would gain, fixed and member's costs paid.
    pub(super) gain: Vec<f64>,
    /// What it would do on each edge.
    pub(super) work: Vec<f64>,
}

/// Rounds of the search for first prices, and the last of them, whose edges are kept.
const ROUNDS: (usize, usize) = (120, 40);

/// Edges that work at good prices, found by subgradient steps (Held, Wolfe and Crowder, 1974) from the mean cost of each cell's cheap
/// suppliers. O(rounds × edges log edges of an offer).
pub(super) fn promising(c: &Compiled<'_>, question: &Question) -> Vec<bool> {
    let mut prices: Vec<f64> = (0..c.cells.len()).map(|j| usual(c, j)).collect();
    let mut best = (f64::NEG_INFINITY, prices.clone());
    let (mut step, mut stale) = (1.0, 0);
    let mut keep = vec![false; c.edges.len()];
    for round in 0..ROUNDS.0 {
        let answer = evaluate(c, question, &prices);
        let chosen = chosen(c, &answer);
        if answer.bound > best.0 {
            best = (answer.bound, prices.clone());
            stale = 0;
        } else {
            stale += 1;
        }
        if stale == 8 {
            (step, stale) = (step / 2.0, 0);
            prices.clone_from(&best.1);
            continue;
        }
        // What is asked beyond what would be done: where positive, the price is too low.
        let mut lacking: Vec<f64> = (0..c.cells.len()).map(|j| asked(c, j, prices[j])).collect();
        for i in chosen {
            for e in c.candidates[i].offers.clone().flat_map(|k| c.offers[k].edges.clone()) {
                lacking[c.edges[e].cell] -= answer.work[e];
                keep[e] |= round + ROUNDS.1 >= ROUNDS.0 && answer.work[e] > 0.0;
            }
        }
        let norm: f64 = lacking.iter().map(|g| g * g).sum();
        if norm < 1e-9 {
            break;
        }
        // The optimum is guessed a little above the best bound.
        let length = step * (best.0.abs() * 1.03 - answer.bound).max(best.0.abs() * 1e-3) / norm;
        for (price, g) in prices.iter_mut().zip(lacking) {
            *price = (*price + length * g).max(0.0);
        }
    }
    keep
}

/// What a unit of a cell usually costs: fixed costs and the member's place included, among its cheapest suppliers.
fn usual(c: &Compiled<'_>, cell: usize) -> f64 {
    let mut costs: Vec<f64> = c.cells[cell].edges.iter().map(|&e| full_cost(c, e)).collect();
    costs.sort_by(f64::total_cmp);
    costs.get(costs.len() / 5).copied().unwrap_or(0.0)
}

/// What a unit on an edge costs when the fixed costs are spread over all that it can carry, in thousands of euros.
pub(super) fn full_cost(c: &Compiled<'_>, e: usize) -> f64 {
    let edge = &c.edges[e];
    let fixed = c.offers[edge.offer].capability.fixed_cost_cents + c.problem().call.coordination.per_member_cents;
    keur(edge.terms.unit_cost) + keur(fixed) / units(c.most(edge)).max(1.0)
}

/// What of a cell is asked for at a price: nothing where leaving it uncovered costs less.
fn asked(c: &Compiled<'_>, cell: usize, price: f64) -> f64 {
    let cell = &c.cells[cell];
    let required = c.mandatory(cell) && c.rules.active(RuleId::Demand);
    let worth = keur(c.needs[cell.need].need.unmet_cost_cents);
    if required || price <= worth { units(cell.demand) } else { 0.0 }
}

/// The candidates that would be members: those with the largest gains.
pub(super) fn chosen(c: &Compiled<'_>, priced: &Priced) -> Vec<usize> {
    let mut able: Vec<usize> = (0..c.candidates.len()).filter(|&i| priced.gain[i] > 1e-9).collect();
    able.sort_by(|&a, &b| priced.gain[b].total_cmp(&priced.gain[a]).then(a.cmp(&b)));
    able.truncate(most_members(c));
    able
}

/// Evaluates prices (thousands of euros a unit, by cell). O(edges log edges of an offer).
pub(super) fn evaluate(c: &Compiled<'_>, question: &Question, prices: &[f64]) -> Priced {
    let mut bound = 0.0;
    for (cell, &price) in c.cells.iter().zip(prices) {
        let demand = units(cell.demand);
        let required = c.mandatory(cell) && c.rules.active(RuleId::Demand) && !question.elastic;
        let worth = keur(c.needs[cell.need].need.unmet_cost_cents);
        bound += demand * if required { price } else { price.min(worth) };
    }
    let member = keur(c.problem().call.coordination.per_member_cents);
    let mut work = vec![0.0; c.edges.len()];
    let mut gain = Vec::with_capacity(c.candidates.len());
    for (i, candidate) in c.candidates.iter().enumerate() {
        let profits = candidate.offers.clone().map(|k| profit(c, &c.offers[k], prices, &mut work));
        gain.push(profits.sum::<f64>() - member);
        if question.absent.contains(&i) {
            gain[i] = f64::NEG_INFINITY;
        }
        if candidate.locked_in && gain[i].is_finite() {
            bound -= gain[i].min(0.0);
        }
    }
    let mut gains: Vec<f64> = gain.iter().copied().filter(|&gain| gain > 0.0).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    bound -= gains.into_iter().take(most_members(c)).sum::<f64>();
    Priced { bound, gain, work }
}

/// No consortium has more members.
pub(super) fn most_members(c: &Compiled<'_>) -> usize {
    let limit = c.problem().call.group.maximum_members.filter(|_| c.rules.active(RuleId::Size));
    limit.map_or(usize::MAX, |limit| limit as usize)
}

/// What an offer would gain at most, and what it would do for it.
fn profit(c: &Compiled<'_>, offer: &Offer<'_>, prices: &[f64], work: &mut [f64]) -> f64 {
    let margin = |e: usize| prices[c.edges[e].cell] - keur(c.edges[e].terms.unit_cost);
    let mut paying: Vec<(f64, usize)> =
        offer.edges.clone().map(|e| (margin(e), e)).filter(|(margin, _)| *margin > 1e-9).collect();
    paying.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut left: Vec<(&str, f64)> = Vec::with_capacity(1);
    let mut all = -keur(offer.capability.fixed_cost_cents);
    for &(margin, e) in &paying {
        let edge = &c.edges[e];
        // An assumed capacity holds for each unit apart.
        let unit = if edge.terms.capacity_assumed { &c.needs[c.cells[edge.cell].need].need.unit } else { "" };
        let at = left.iter().position(|(own, _)| *own == unit).unwrap_or_else(|| {
            let all = if c.rules.active(RuleId::Capacity) { units(edge.terms.capacity) } else { f64::INFINITY };
            left.push((unit, all));
            left.len() - 1
        });
        let quantity = units(c.most(edge)).min(left[at].1);
        left[at].1 -= quantity;
        all += quantity * margin;
        work[e] = quantity;
    }
    if all <= 0.0 {
        for (_, e) in paying {
            work[e] = 0.0;
        }
        return 0.0;
    }
    all
}
