//! Linked entities share one capacity.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::{Formulation, units};

/// `Σ_{k in pool} Σ_j x_kj ≤ max_i Σ_{k of i in pool} Q_k`, for each unit in which the pool works.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for pool in &c.pools {
        let asked: u64 = pool.edges.iter().map(|&e| c.most(&c.edges[e])).sum();
        if asked > pool.capacity {
            let work: Expression = pool.edges.iter().map(|&e| f.quantity[e]).sum();
            f.add(work.leq(units(pool.capacity)));
        }
    }
}
