//! Nobody advances more money than it has.

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur};

/// What a member earns over the contract × (1 − advance) × delay / duration ≤ its cash. Months count 365/12 days.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    let call = &c.problem().call;
    let part = f64::from(100 - call.payment.advance_percent.min(100)) / 100.0;
    let held = part * f64::from(call.payment.delay_days) / (f64::from(call.duration_months) * 365.0 / 12.0);
    if held <= 0.0 {
        return;
    }
    for (i, candidate) in c.candidates.iter().enumerate() {
        if let Some(cash) = c.problem().actors[candidate.actor].available_cash_cents {
            let advanced = (f.services_of(c, i) + f.fixed_of(c, i)) * held;
            f.add((advanced - keur(cash) * f.member[i]).leq(0));
        }
    }
}
