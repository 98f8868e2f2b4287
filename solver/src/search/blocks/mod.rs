//! A bound from whole numbers: the cells in blocks, each an exact problem of its own.
//!
//! The prices of [`price`](super::price) let every candidate decide alone, which proves no more than the linear relaxation. Here the demand
//! stays a condition and the *candidates* are divided (Lagrangian decomposition; Guignard and Kim, 1987): whoever works in several blocks pays a part
//! of its seat and of its fixed costs in each, and may be a member in one and not in another. The places of the group have a price
//! instead of a limit. Whatever the parts and prices, the sum over the blocks bounds every consortium; with those of the relaxation it is at
//! least as good, and whole numbers count within each block. The members of the solutions are where good consortia are.
//!
//! What the bound knows is what that of the prices knows, with smallest quantities and overhead besides.

mod block;
mod group;
mod split;

use std::collections::BTreeSet;

use split::Split;

use super::price;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::formulate::{Question, keur, units};

/// What the blocks came to.
pub(super) struct Blocks {
    /// No consortium costs less, in thousands of euros.
    pub(super) bound: f64,
    /// Members in the solution of some block.
    pub(super) members: BTreeSet<usize>,
}

/// What is asked of every block.
struct Task<'t, 'a, 'o> {
    c: &'t Compiled<'a>,
    backend: &'t Backend<'o>,
    question: &'t Question,
    prices: &'t [f64],
    split: Split,
    /// What a seat costs, with what its place in the group is worth.
    seat: f64,
}

/// Solves the blocks of at most so many edges into which the cells fall by who is likely to serve them, at these prices by cell. One exact
/// search of limited work a block.
pub(super) fn solve(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    question: &Question,
    prices: &[f64],
    likely: &[usize],
    most_edges: usize,
) -> Blocks {
    let cells = group::cells(c, likely, most_edges);
    let split = Split::new(c, &cells, prices);
    let cost = keur(c.problem().call.coordination.per_member_cents);
    let most = price::most_members(c);
    let worth = worth(question, &split, cost, most);
    let places = if worth > 0.0 { worth * units(most as u64) } else { 0.0 };
    let mut all = Blocks { bound: -places, members: BTreeSet::new() };
    let task = Task { c, backend, question, prices, split, seat: cost + worth };
    for (block, own) in cells.iter().enumerate() {
        let solution = block::solve(&task, block, own);
        all.bound += solution.bound;
        all.members.extend(solution.members);
    }
    all
}

/// What one more place in the group is worth at the prices: the gain of the first that has none.
fn worth(question: &Question, split: &Split, cost: f64, most: usize) -> f64 {
    let gains = split.gain.iter().enumerate().filter(|(i, _)| !question.absent.contains(i));
    let mut gains: Vec<f64> = gains.map(|(_, gain)| gain.values().sum::<f64>() - cost).collect();
    gains.sort_by(|a, b| b.total_cmp(a));
    gains.get(most).copied().unwrap_or(0.0).max(0.0)
}
