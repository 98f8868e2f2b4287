//! Incompatible actors are not members together.

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `y_a + y_b ≤ 1`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for &(a, b) in &c.incompatible {
        f.add((f.member[a] + f.member[b]).leq(1));
    }
}
