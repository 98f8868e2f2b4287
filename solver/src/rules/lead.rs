//! One member is an eligible lead.

use good_lp::Expression;

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `Σ_{i may lead} y_i ≥ 1`. Which of them leads is chosen afterwards, by the largest amount; where members
/// coordinate with the lead alone, [`crate::coordination`] chooses.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    let leads: Expression =
        c.candidates.iter().zip(&f.member).filter(|(candidate, _)| candidate.may_lead).map(|(_, &y)| y).sum();
    f.add(leads.geq(1));
}
