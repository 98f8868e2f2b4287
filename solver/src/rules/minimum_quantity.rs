//! A capability is used for nothing, or for at least its smallest viable quantity.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::{Formulation, units};

/// `Σ_j x_kj ≥ min_k · used_k`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (k, offer) in c.offers.iter().enumerate() {
        if offer.capability.minimum_quantity > 0 {
            let work: Expression = offer.edges.clone().map(|e| f.quantity[e]).sum();
            f.add((work - units(offer.capability.minimum_quantity) * f.used[k]).geq(0));
        }
    }
}
