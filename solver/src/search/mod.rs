//! The search for large calls.
//!
//! HiGHS alone finds nothing in a large call before its cuts at the root are done. Here, the linear relaxation over the edges that
//! matter ([`core`]) gives a bound on all consortia ([`price`]); diving into it gives a first consortium ([`dive`]); exact searches in
//! neighbourhoods make it better ([`improve`]); and what is left of the limits goes to the exact search, which starts from there.
//! Every step counts its work in simplex iterations and none looks at the clock, but for the limits themselves.

mod core;
mod dive;
mod improve;
mod part;
mod price;
mod residual;

use self::core::{Core, Relaxed};
use crate::backend::{Backend, Found, cents, found};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::propose::{self, Best, Draft};

/// Edges from which on a call is large: measured, see `docs/solver/scale.md`.
const LARGE: usize = 3_000;

/// Whether a question is for the search for large calls.
pub(crate) fn is_large(c: &Compiled<'_>, question: &Question) -> bool {
    let plain = question.members.is_none() && !question.elastic && !question.whole && question.covered.is_none();
    c.edges.len() >= LARGE
        && plain
        && question.objective == Objective::Euros
        && question.shortage.is_none()
        && !question.physical
}

/// The best consortium found within the limits, with a bound on all of them.
pub(crate) fn best(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    let mut core = match self::core::relax(c, backend, question) {
        Relaxed::Core(core) => core,
        Relaxed::Infeasible => return Best::Infeasible,
        Relaxed::Stopped => return Best::Unknown,
    };
    let doubtful = doubtful(&core);
    let Some(first) = dive::dive(c, backend, question, &mut core) else {
        return propose::exact(c, backend, question);
    };
    let mut search = Search { c, backend, question, bound: core.bound, best: first, draft: None };
    search.publish();
    search.improve(&core, &doubtful);
    search.prove();
    search.finish()
}

/// Candidates of the whole that the relaxation uses in part, or that are members in it.
fn doubtful(core: &Core<'_>) -> Vec<usize> {
    let value = |i: usize| core.session.value(&core.solved, core.formulation.member[i]);
    (0..core.part.candidates.len()).filter(|&i| value(i) > 0.001).map(|i| core.part.candidates[i]).collect()
}

/// The state of a search.
struct Search<'s, 'a, 'o> {
    c: &'s Compiled<'a>,
    backend: &'s Backend<'o>,
    question: &'s Question,
    /// No consortium costs less, in thousands of euros.
    bound: f64,
    best: Found,
    draft: Option<Draft>,
}

impl Search<'_, '_, '_> {
    /// Turns the best solution into a verified draft where that costs little, and tells of it.
    fn publish(&mut self) {
        let draft = propose::draft(self.c, self.question, &self.best);
        let better = |old: &Draft| propose::merit(&draft) < propose::merit(old);
        if draft.proposal.proof.verified && self.draft.as_ref().is_none_or(better) {
            self.draft = Some(draft);
        } else if self.draft.is_none() {
            self.draft = self.whole();
        }
        let told = self.draft.as_ref().map_or_else(|| cents(self.best.objective), |d| d.proposal.costs.objective_cents);
        self.backend.control.tell(0, Some(told), Some(cents(self.bound.max(0.0))));
    }

    /// The best solution with whole quantities, its members given.
    fn whole(&self) -> Option<Draft> {
        let keep = vec![true; self.c.edges.len()];
        let part = part::Part::of(self.c, &keep, &self.best.members);
        let asked = Question { members: Some(self.best.members.clone()), whole: true, ..self.question.clone() };
        match self.backend.ask(&part.compiled, &part.question(&asked)) {
            crate::backend::Outcome::Found(found) => {
                let lifted = part.lift(&found, self.c.edges.len());
                Some(propose::draft(self.c, self.question, &lifted)).filter(|draft| draft.proposal.proof.verified)
            }
            _ => None,
        }
    }

    /// Whether the best is within the gap asked for.
    fn settled(&self) -> bool {
        self.best.objective - self.bound <= self.best.objective.abs() * f64::from(self.c.options.gap_ppm) / 1e6
    }

    /// Local search until it is good enough, or finds nothing any more.
    fn improve(&mut self, core: &Core<'_>, doubtful: &[usize]) {
        let mut local = improve::Improve::new(self.c, self.backend, self.question, &core.keep, doubtful);
        let mut stale = 0;
        while stale < improve::PATIENCE && !self.settled() && !self.backend.expired() {
            match local.step(&self.best) {
                Some(better) => {
                    self.best = better;
                    self.publish();
                    stale = 0;
                }
                None => stale += 1,
            }
        }
    }

    /// The exact search, from the best solution, with what is left of the limits.
    fn prove(&mut self) {
        if self.settled() || self.backend.expired() {
            return;
        }
        let mut f = Formulation::new(self.c, self.question);
        let Some(mut session) = self.backend.open(&mut f, self.question.objective) else { return };
        let all = part::Part::new(self.c, &vec![true; self.c.edges.len()]);
        session.start(&residual::values(&all, &f, &self.best));
        let Some(solved) = session.solve(&self.backend.control) else { return };
        self.bound = self.bound.max(solved.bound);
        if solved.found() && solved.objective < self.best.objective {
            self.best = found(&session, &f, &solved);
            self.publish();
        }
    }

    /// The best draft with its proof.
    fn finish(mut self) -> Best {
        let draft = match self.draft.take() {
            Some(draft) => draft,
            None => match self.whole() {
                Some(draft) => draft,
                None => return propose::exact(self.c, self.backend, self.question),
            },
        };
        propose::proven(self.c, draft, self.bound)
    }
}
