//! The total cost fits the budget.

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur};

/// Services + fixed costs + coordination ≤ budget.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    if let Some(budget) = c.problem().call.budget_cents {
        let spend = f.spend.clone();
        f.add(spend.leq(keur(budget)));
    }
}
