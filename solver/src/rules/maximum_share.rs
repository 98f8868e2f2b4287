//! Nobody carries more than the largest share.

use crate::compile::Compiled;
use crate::formulate::{Formulation, units};

/// `Σ_j c_ij x_ij ≤ σ · Σ c x`. At least k = ⌈1/σ⌉ are members once anything is paid for, which these rows hide from the relaxation:
/// `Σ y ≥ k − k u_j / d_j` where no unit of `j` is free.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if let Some(most) = c.problem().call.group.maximum_share_percent.filter(|&most| most < 100) {
        let fewest = f64::from(100_u8.div_ceil(most.max(1)));
        for j in c.paid_cells() {
            f.add((f.size + fewest / units(c.cells[j].demand) * f.unmet[j]).geq(fewest));
        }
        let all = f.all_services(c);
        for i in 0..c.candidates.len() {
            f.add((f.services_of(c, i) - f64::from(most) / 100.0 * all).leq(0));
        }
    }
}
