//! The number of members that work for a lot fits the lot.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `minimum ≤ Σ_i n_il ≤ maximum`, with `n_il` = 1 exactly if `i` delivers something for the lot `l`.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (l, lot) in c.problem().call.lots.iter().enumerate() {
        if lot.minimum_members.is_none() && lot.maximum_members.is_none() {
            continue;
        }
        let able = c.able(|need| c.needs[need].lot == l);
        let working: Expression = able.into_iter().map(|i| f.works(c, i, l)).sum();
        if let Some(least) = lot.minimum_members {
            f.add(working.clone().geq(f64::from(least)));
        }
        if let Some(most) = lot.maximum_members {
            f.add(working.leq(f64::from(most)));
        }
    }
}
