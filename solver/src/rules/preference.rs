//! An actor that joins only with certain others has one of them beside it.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `y_a ≤ Σ_{b in only_with} y_b`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (actor, partners) in &c.preferences {
        let beside: Expression = partners.iter().map(|&b| f.member[b]).sum();
        f.add((beside - f.member[*actor]).geq(0));
    }
}
