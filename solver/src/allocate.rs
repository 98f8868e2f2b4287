//! From the model's solution to whole quantities.

use crate::backend::Found;
use crate::compile::Compiled;
use crate::model::Quantity;

/// Whole quantities by edge: rounded, then corrected so that each cell is filled as far as the model says and no offer goes
/// beyond its capacity. Where the model's own quantities are whole this changes nothing.
pub(crate) fn whole(c: &Compiled<'_>, found: &Found) -> Vec<Quantity> {
    let mut quantity: Vec<Quantity> =
        found.quantity.iter().zip(&c.edges).map(|(&x, edge)| nearest(x).min(c.most(edge))).collect();
    let mut spare: Vec<Quantity> = c
        .offers
        .iter()
        .map(|offer| {
            let capacity = offer.edges.clone().map(|e| c.edges[e].terms.capacity).min().unwrap_or(0);
            capacity.saturating_sub(offer.edges.clone().map(|e| quantity[e]).sum())
        })
        .collect();
    for (cell, &unmet) in c.cells.iter().zip(&found.unmet) {
        let wanted = cell.demand - nearest(unmet).min(cell.demand);
        let mut given: Quantity = cell.edges.iter().map(|&e| quantity[e]).sum();
        for &e in cell.edges.iter().rev() {
            let excess = given.saturating_sub(wanted).min(quantity[e]);
            quantity[e] -= excess;
            given -= excess;
            spare[c.edges[e].offer] += excess;
        }
        for &e in cell.edges.iter().filter(|&&e| found.members.contains(&c.offers[c.edges[e].offer].candidate)) {
            let room = wanted.saturating_sub(given).min(spare[c.edges[e].offer]).min(c.most(&c.edges[e]) - quantity[e]);
            quantity[e] += room;
            given += room;
            spare[c.edges[e].offer] -= room;
        }
    }
    quantity
}

/// The nearest whole quantity, never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn nearest(x: f64) -> Quantity {
    x.round().max(0.0) as Quantity
}
