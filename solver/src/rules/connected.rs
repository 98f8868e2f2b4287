//! Each member reaches each other one through relations among members.

use good_lp::{Expression, variable};

use crate::compile::Compiled;
use crate::formulate::{Formulation, units};

/// One commodity from a root: a root `r_i ≤ y_i`, `Σ r = 1`, sends as many units as there are members, `s_i ≤ n·r_i`; each member
/// keeps one, `s_i + Σ in − Σ out = y_i`; a unit passes only between members, `f_ab ≤ (n − 1) y_a`, `f_ab ≤ (n − 1) y_b`.
/// Exact, with two variables per relation (single-commodity flow: Gavish, 1982).
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if !c.problem().call.group.connected {
        return;
    }
    let n = units(c.candidates.len() as u64);
    let mut balance: Vec<Expression> = f.member.iter().map(|&y| -1.0 * y).collect();
    let mut roots = Expression::default();
    for (i, kept) in balance.iter_mut().enumerate() {
        let root = f.variables.add(variable().binary());
        f.integers.push(root);
        f.add((root - f.member[i]).leq(0));
        roots += root;
        let sent = f.variables.add(variable().clamp(0.0, n));
        f.add((sent - n * root).leq(0));
        *kept += sent;
    }
    f.add(roots.eq(1));
    for &(a, b) in c.relations.keys() {
        for (from, to) in [(a, b), (b, a)] {
            let passed = f.variables.add(variable().clamp(0.0, n));
            f.add((passed - (n - 1.0) * f.member[from]).leq(0));
            f.add((passed - (n - 1.0) * f.member[to]).leq(0));
            balance[from] -= passed;
            balance[to] += passed;
        }
    }
    for kept in balance {
        f.add(kept.eq(0));
    }
}
