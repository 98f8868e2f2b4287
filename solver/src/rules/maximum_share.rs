//! Nobody carries more than the largest share.

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `100 · Σ_j c_ij x_ij ≤ σ · Σ c x`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if let Some(most) = c.problem().call.group.maximum_share_percent.filter(|&most| most < 100) {
        let all = f.all_services(c);
        for i in 0..c.candidates.len() {
            f.add((f.services_of(c, i) - f64::from(most) / 100.0 * all).leq(0));
        }
    }
}
