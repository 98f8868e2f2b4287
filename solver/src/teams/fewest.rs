//! The consortium with the fewest members, then the cheapest of those.

use crate::backend::{Backend, Outcome};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, units};
use crate::propose::Best;

use super::settle::{Charge, ask, settle};

/// Fewest members, then cost, under the rules and `rows`, where it is known that fewer than `known` will not do. That number is tried
/// first, because it is right as a rule; then those from the bound on that divisible quantities give, in whole units, so that the
/// first that succeeds is the least. One search as a rule.
pub(crate) fn fewest(c: &Compiled<'_>, backend: &Backend<'_>, known: usize, rows: &dyn Fn(&mut Formulation)) -> Best {
    let within = |most: usize| {
        settle(
            c,
            backend,
            &Charge::rows(&|f: &mut Formulation| {
                rows(f);
                f.add((f.size * 1.0).leq(units(most as u64)));
            }),
        )
    };
    let first = within(known);
    if !matches!(first, Best::Infeasible) {
        return first;
    }
    let question = Question::minimise(Objective::FewMembers);
    let least = match ask(c, backend, &question, &Charge::rows(rows)) {
        Outcome::Found(found) => ceiling(found.bound),
        Outcome::Infeasible => return Best::Infeasible,
        Outcome::Unknown => return Best::Unknown,
    };
    let more = least.max(known + 1)..=c.candidates.len();
    more.map(within).find(|best| !matches!(best, Best::Infeasible)).unwrap_or(Best::Infeasible)
}

/// The least whole number that is not below a bound of a count, with its rounding errors forgiven.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceiling(bound: f64) -> usize {
    (bound - 1e-6).ceil().max(0.0) as usize
}
