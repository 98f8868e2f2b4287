//! Every member does something.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `Σ_j x_ij ≥ y_i`: at least one unit, so that nobody is a member in name only.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (i, candidate) in c.candidates.iter().enumerate() {
        let work: Expression =
            candidate.offers.clone().flat_map(|o| c.offers[o].edges.clone()).map(|e| f.quantity[e]).sum();
        f.add((work - f.member[i]).geq(0));
    }
}
