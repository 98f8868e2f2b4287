//! The consortium with the fewest members, then the cheapest of those.

use crate::backend::{Backend, Outcome};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, units};
use crate::propose::Best;

use super::settle::{Charge, ask, settle};

/// Fewest members, then cost, under the rules and `rows`. Divisible quantities bound the number from below; each number from there on
/// is then tried in whole units, so that the first that succeeds is the least. Two searches as a rule.
pub(crate) fn fewest(c: &Compiled<'_>, backend: &Backend<'_>, rows: &dyn Fn(&mut Formulation)) -> Best {
    let question = Question::minimise(Objective::FewMembers);
    let least = match ask(c, backend, &question, &Charge::rows(rows)) {
        Outcome::Found(found) => ceiling(found.bound),
        Outcome::Infeasible => return Best::Infeasible,
        Outcome::Unknown => return Best::Unknown,
    };
    for most in least.max(1)..=c.candidates.len() {
        let few = |f: &mut Formulation| {
            rows(f);
            f.add((f.size * 1.0).leq(units(most as u64)));
        };
        match settle(c, backend, &Charge::rows(&few)) {
            Best::Infeasible => {}
            other => return other,
        }
    }
    Best::Infeasible
}

/// The least whole number that is not below a bound of a count, with its rounding errors forgiven.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceiling(bound: f64) -> usize {
    (bound - 1e-6).ceil().max(0.0) as usize
}
