//! Every member carries at least the smallest share.

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur};

/// `Σ_j c_ij x_ij ≥ φ · Σ c x − φ · M (1 − y_i)`, with M the dearest possible sum.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if let Some(least) = c.problem().call.group.minimum_share_percent.filter(|&least| least > 0) {
        let least = f64::from(least) / 100.0;
        let dearest: f64 = c
            .cells
            .iter()
            .map(|cell| {
                let dearest = cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
                keur(dearest) * crate::formulate::units(cell.demand)
            })
            .sum();
        let all = f.all_services(c);
        for i in 0..c.candidates.len() {
            f.add((f.services_of(c, i) - least * all - least * dearest * f.member[i]).geq(-least * dearest));
        }
    }
}
