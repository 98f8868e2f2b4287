//! A first consortium from the relaxation: whoever is nearly a member becomes one, until what is left is small.

use std::collections::BTreeSet;

use super::core::Core;
use super::residual::{self, Residual};
use crate::backend::{Backend, End, Found};
use crate::compile::Compiled;
use crate::formulate::Question;

/// Candidates in doubt that the exact search settles in one go.
const IN_DOUBT: usize = 30;
/// Most rounds of rounding.
const ROUNDS: usize = 30;

/// Dives: fixes the members that the relaxation is surest of, solves it again from where it was, and so on; then settles the rest
/// exactly. Where that fails, searches exactly among all whom the first relaxation uses, then among all of the core. Linear relaxations change little from round to
/// round, so that each costs a few simplex iterations.
pub(super) fn dive(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, core: &mut Core<'_>) -> Option<Found> {
    let support: BTreeSet<usize> = values(core).into_iter().filter(|&(_, y)| y > 1e-6).map(|(i, _)| i).collect();
    let (settled, open) = plunge(backend, core);
    let whole = |set: &BTreeSet<usize>| set.iter().map(|&i| core.part.candidates[i]).collect::<BTreeSet<usize>>();
    let (settled, open, support) = (whole(&settled), whole(&open), whole(&support));
    let everybody: BTreeSet<usize> = core.part.candidates.iter().copied().collect();
    let attempt = |settled: &BTreeSet<usize>, open: &BTreeSet<usize>| {
        let residual = Residual { settled, open, start: None, gap: 4e-3, work: 50_000 };
        residual::solve(c, backend, question, &residual).and_then(|attempt| attempt.found)
    };
    let none = BTreeSet::new();
    attempt(&settled, &(&open | &support)).or_else(|| attempt(&none, &support)).or_else(|| attempt(&none, &everybody))
}

/// Members of the present relaxation with their values.
fn values(core: &Core<'_>) -> Vec<(usize, f64)> {
    of(core, &core.solved)
}

fn of(core: &Core<'_>, solved: &crate::backend::Solved) -> Vec<(usize, f64)> {
    core.formulation.member.iter().map(|&y| core.session.value(solved, y)).enumerate().collect()
}

/// Candidates of the part that are settled as members, and those in doubt.
fn plunge(backend: &Backend<'_>, core: &mut Core<'_>) -> (BTreeSet<usize>, BTreeSet<usize>) {
    let mut now = values(core);
    let mut settled = BTreeSet::new();
    for _ in 0..ROUNDS {
        let mut doubtful: Vec<(usize, f64)> =
            now.iter().copied().filter(|(i, y)| *y > 0.01 && !settled.contains(i)).collect();
        doubtful.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let sure = doubtful.iter().filter(|(_, y)| *y > 0.99).count();
        let left = doubtful.len() - sure;
        if left <= IN_DOUBT || backend.expired() {
            settled.extend(doubtful[..sure].iter().map(|&(i, _)| i));
            break;
        }
        let step: Vec<usize> = doubtful.iter().take(sure + 1 + left / 8).map(|&(i, _)| i).collect();
        for &i in &step {
            core.session.bound(core.formulation.member[i], 1.0, 1.0);
        }
        let solved = core.session.solve(&backend.control);
        match solved {
            Some(solved) if solved.end == End::Optimal && solved.found() => {
                now = of(core, &solved);
                settled.extend(step);
            }
            // Too many at once: the exact search decides on them.
            _ => break,
        }
    }
    let open = now.iter().filter(|(i, y)| *y > 1e-6 && !settled.contains(i)).map(|&(i, _)| i).collect();
    (settled, open)
}
