//! Small problems cut out of a large one: some members are settled, some candidates are open, nobody else takes part.

use std::collections::BTreeSet;

use good_lp::Variable;

use super::part::Part;
use crate::backend::{Backend, End, Found, found};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Question};

/// What is asked of one small problem.
pub(super) struct Residual<'r> {
    /// Surely members.
    pub(super) settled: &'r BTreeSet<usize>,
    /// Perhaps members.
    pub(super) open: &'r BTreeSet<usize>,
    /// A solution to beat.
    pub(super) start: Option<&'r Found>,
    /// Relative gap at which to stop.
    pub(super) gap: f64,
    /// Simplex iterations at which to stop.
    pub(super) work: u64,
}

/// What became of one small problem.
pub(super) struct Attempt {
    /// The best found, as a solution of the whole.
    pub(super) found: Option<Found>,
    /// Whether the small problem was solved to the end.
    pub(super) finished: bool,
}

/// Solves the problem cut out, in which whoever takes part may use all its edges. `None` where HiGHS fails.
pub(super) fn solve(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    question: &Question,
    residual: &Residual<'_>,
) -> Option<Attempt> {
    let part = Part::of(c, &(residual.settled | residual.open));
    let mut f = Formulation::new(&part.compiled, &part.question(question));
    let mut session = backend.open(&mut f, question.objective)?;
    for i in residual.settled.iter().filter_map(|&i| part.at(i)) {
        session.bound(f.member[i], 1.0, 1.0);
    }
    session.set("mip_rel_gap", residual.gap);
    if let Some(start) = residual.start {
        session.start(&values(&part, &f, start));
        session.believe();
    }
    let control = backend.control.part(residual.work);
    let solved = session.solve(&control);
    backend.control.absorb(&control);
    let solved = solved?;
    let found = solved.found().then(|| part.lift(&found(&session, &f, &solved), c.edges.len()));
    Some(Attempt { found, finished: solved.end != End::Stopped })
}

/// The members of a solution of the whole as values of the variables of a part in which it lies, to be completed: quantities of an
/// earlier solution are as inexact as its tolerances, and need not agree with who uses what.
pub(super) fn values(part: &Part<'_>, f: &Formulation, of: &Found) -> Vec<(Variable, f64)> {
    let member = |i: usize| f64::from(of.members.contains(&part.candidates[i]));
    f.member.iter().enumerate().map(|(i, &variable)| (variable, member(i))).collect()
}
