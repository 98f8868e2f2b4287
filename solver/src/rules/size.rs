//! The number of members fits the policy.

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `minimum ≤ Σ y ≤ maximum`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    let group = &c.problem().call.group;
    f.add((f.size * 1.0).geq(f64::from(group.minimum_members)));
    if let Some(most) = group.maximum_members {
        f.add((f.size * 1.0).leq(f64::from(most)));
    }
}
