//! Enough distinct legal families.

use std::collections::BTreeMap;

use good_lp::{Expression, variable};

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `b_f ≤ Σ_{i in f} y_i`, `0 ≤ b_f ≤ 1`, `Σ_f b_f ≥ F`. Actors of unknown family count for none.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    let Some(least) = c.problem().call.group.minimum_legal_families.filter(|&least| least > 0) else { return };
    let mut families: BTreeMap<&str, Expression> = BTreeMap::new();
    for (i, candidate) in c.candidates.iter().enumerate() {
        if let Some(family) = &c.problem().actors[candidate.actor].legal_family {
            *families.entry(family).or_default() += f.member[i];
        }
    }
    let mut present = Expression::default();
    for members in families.into_values() {
        let family = f.variables.add(variable().clamp(0, 1));
        f.add((members - family).geq(0));
        present += family;
    }
    f.add(present.geq(f64::from(least)));
}
