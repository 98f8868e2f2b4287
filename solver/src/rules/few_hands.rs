//! A need is delivered by few members.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `Σ_i a_in ≤ r_n`, with `a_in` = 1 exactly if `i` delivers something of the need `n`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (n, need) in c.needs.iter().enumerate() {
        let Some(most) = need.need.maximum_suppliers else { continue };
        let able = c.able(|own| own == n);
        let hands: Expression = able.into_iter().map(|i| f.delivers(c, i, |own| own == n)).sum();
        f.add(hands.leq(f64::from(most)));
    }
}
