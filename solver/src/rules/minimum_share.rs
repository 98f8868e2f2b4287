//! Every member carries at least the smallest share.

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur, units};

/// `Σ_j c_ij x_ij ≥ φ · Σ c x − φ · M (1 − y_i)`, with M the dearest possible sum. Of n candidates no more than k = ⌊1/φ⌋ are members once
/// anything is paid for, which these rows hide from the relaxation: `Σ y ≤ k + (n − k) u_j / d_j` where no unit of `j` is free.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if let Some(least) = c.problem().call.group.minimum_share_percent.filter(|&least| least > 0) {
        let most = f64::from(100 / least);
        let least = f64::from(least) / 100.0;
        let dearest: f64 = c
            .cells
            .iter()
            .map(|cell| {
                let dearest = cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
                keur(dearest) * units(cell.demand)
            })
            .sum();
        let candidates = units(c.candidates.len() as u64);
        if candidates > most {
            for j in c.paid_cells() {
                let missed = (candidates - most) / units(c.cells[j].demand) * f.unmet[j];
                f.add((f.size - missed).leq(most));
            }
        }
        let all = f.all_services(c);
        for i in 0..c.candidates.len() {
            f.add((f.services_of(c, i) - least * all - least * dearest * f.member[i]).geq(-least * dearest));
        }
    }
}
