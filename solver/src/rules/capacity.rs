//! Nobody delivers more than its capacity.

use std::collections::BTreeMap;

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::{Formulation, units};

/// `Σ_j x_kj ≤ Q_k · used_k`. A capability of unknown capacity has one such row per unit, with what the call assumes for it.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (k, offer) in c.offers.iter().enumerate() {
        let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for e in offer.edges.clone() {
            let edge = &c.edges[e];
            let unit = if edge.terms.capacity_assumed { &c.needs[c.cells[edge.cell].need].need.unit } else { "" };
            rows.entry(unit).or_default().push(e);
        }
        for edges in rows.into_values() {
            let capacity = c.edges[edges[0]].terms.capacity;
            let asked: u64 = edges.iter().map(|&e| c.cells[c.edges[e].cell].demand).sum();
            if edges.len() == 1 || asked <= capacity {
                continue; // The links between the quantities and their use say as much.
            }
            let work: Expression = edges.iter().map(|&e| f.quantity[e]).sum();
            f.add((work - units(capacity.min(asked)) * f.used[k]).leq(0));
        }
    }
}
