//! Whether rules can hold together, by the cheapest argument that settles it.

use std::collections::BTreeSet;

use super::Constraint;
use super::constraint::Variant;
use super::elastic::{Elastic, Relaxed};
use crate::backend::{Backend, End, Outcome, found};
use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective};
use crate::propose;

/// Rules by their place in [`Oracle::all`].
pub(super) type Set = BTreeSet<usize>;

/// How far to go for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effort {
    /// As far as the linear relaxation, which only ever allows too much.
    Relaxed,
    /// Until the work of a small search is spent.
    Small,
    /// Until the limits.
    Full,
}

/// Simplex iterations of a search among few actors, and of a small one among all.
const WORK: u64 = 20_000;

/// Tells which sets of rules can hold together. What it has learnt serves every set below or above.
pub(super) struct Oracle<'a, 'o> {
    pub(super) c: &'a Compiled<'a>,
    backend: &'a Backend<'o>,
    pub(super) all: Vec<Constraint>,
    elastic: Option<Elastic>,
    possible: Vec<Set>,
    impossible: Vec<Set>,
    /// Members of the consortia seen, by their place in the problem.
    seen: BTreeSet<usize>,
}

impl<'a, 'o> Oracle<'a, 'o> {
    pub(super) fn new(c: &'a Compiled<'a>, backend: &'a Backend<'o>, all: Vec<Constraint>) -> Self {
        let mut elastic = if backend.expired() { None } else { Elastic::new(c, backend, &all) };
        if let Some(elastic) = &mut elastic {
            elastic.relax();
        }
        Self { c, backend, all, elastic, possible: Vec::new(), impossible: Vec::new(), seen: BTreeSet::new() }
    }

    /// Whether all rules can hold together.
    pub(super) fn everything(&mut self) -> Option<bool> {
        self.holds(&(0..self.all.len()).collect(), Effort::Full)
    }

    /// Whether there is a consortium at all once every rule is given up.
    pub(super) fn nothing(&mut self) -> Option<bool> {
        self.holds(&Set::new(), Effort::Full)
    }

    /// Whether a limit is reached.
    pub(super) fn expired(&self) -> bool {
        self.backend.expired()
    }

    /// Whether the relaxation, which only ever allows too much, lets all rules hold together.
    pub(super) fn everything_relaxed(&mut self) -> Option<bool> {
        let all = (0..self.all.len()).collect();
        let relaxed = self.elastic.as_mut().map(|elastic| elastic.relaxed(self.backend, &all));
        match relaxed {
            None | Some(Relaxed::Possible(_)) => Some(true),
            Some(Relaxed::Impossible) => Some(false),
            Some(Relaxed::Unknown) => None,
        }
    }

    /// Whether these rules can hold together; unknown where the effort is spent or a limit comes first.
    ///
    /// The relaxation comes first: it proves that they cannot, or tells who would be members in part. A consortium of those few
    /// actors and of those seen before is a search of milliseconds; only where there is none, everybody is looked at.
    pub(super) fn holds(&mut self, kept: &Set, effort: Effort) -> Option<bool> {
        if self.possible.iter().any(|known| kept.is_subset(known)) {
            return Some(true);
        }
        if self.impossible.iter().any(|known| known.is_subset(kept)) {
            return Some(false);
        }
        let relaxed = self.elastic.as_mut().map_or(Relaxed::Unknown, |elastic| elastic.relaxed(self.backend, kept));
        let holds = match relaxed {
            Relaxed::Impossible => false,
            Relaxed::Possible(_) if effort == Effort::Relaxed => return Some(true),
            Relaxed::Unknown if effort == Effort::Relaxed => return None,
            Relaxed::Possible(some) => self.among(kept, &some).map_or_else(|| self.anybody(kept, effort), Some)?,
            Relaxed::Unknown => self.anybody(kept, effort)?,
        };
        let list = if holds { &mut self.possible } else { &mut self.impossible };
        list.push(kept.clone());
        Some(holds)
    }

    /// Whether these actors and those seen before have a consortium. Never a proof that there is none.
    fn among(&mut self, kept: &Set, some: &BTreeSet<usize>) -> Option<bool> {
        let pool = &self.seen | some;
        let control = self.backend.control.part(WORK);
        let told = self.search(kept, Some(&pool), true, &control);
        self.backend.control.absorb(&control);
        told.filter(|holds| *holds)
    }

    /// Whether anybody has: with divisible quantities, which proves as much and takes less; then in whole units for the members
    /// found; and at last in whole units altogether.
    fn anybody(&mut self, kept: &Set, effort: Effort) -> Option<bool> {
        let work = if effort == Effort::Full { u64::MAX } else { WORK };
        let control = self.backend.control.part(work);
        let divisible = self.search(kept, None, false, &control);
        self.backend.control.absorb(&control);
        match divisible {
            Some(true) => {}
            Some(false) => return Some(false),
            None if effort == Effort::Full && !self.expired() => {}
            None => return None,
        }
        match self.among(kept, &BTreeSet::new()) {
            None if effort == Effort::Full => self.search(kept, None, true, &self.backend.control),
            told => told,
        }
    }

    /// Looks for the first consortium of the `pool` that keeps some rules, on the way to the cheapest. What is found in whole units
    /// has passed the checker; what is not only shows who could be members.
    fn search(
        &mut self,
        kept: &Set,
        pool: Option<&BTreeSet<usize>>,
        whole: bool,
        control: &Control<'_>,
    ) -> Option<bool> {
        let gone = self.all.iter().enumerate().filter(|(i, _)| !kept.contains(i)).map(|(_, constraint)| constraint);
        let mut variant = Variant::without(self.c, gone);
        if let Some(pool) = pool {
            variant.among(self.c.problem(), pool);
        }
        let c = variant.compile(self.c.instance);
        if c.candidates.is_empty() {
            return Some(false);
        }
        if control.expired() {
            return None;
        }
        let mut f = variant.formulate(&c, Objective::Paid, whole);
        let first = match self.first(&mut f, control) {
            Outcome::Found(first) => first,
            Outcome::Infeasible => return Some(false),
            Outcome::Unknown => return None,
        };
        let draft = whole.then(|| propose::draft(&c, &Variant::question(Objective::Paid, true), &first));
        if draft.is_some_and(|draft| !variant.keeps(&c, &draft)) {
            return None;
        }
        self.seen.extend(first.members.iter().map(|&i| c.candidates[i].actor));
        Some(true)
    }

    /// The first solution that is found.
    fn first(&self, f: &mut Formulation, control: &Control<'_>) -> Outcome {
        let Some(mut session) = self.backend.open(f, Objective::Paid) else { return Outcome::Unknown };
        session.set("mip_max_improving_sols", 1);
        match session.solve(control) {
            Some(solved) if solved.end == End::Infeasible => Outcome::Infeasible,
            Some(solved) if solved.found() => Outcome::Found(found(&session, f, &solved)),
            _ => Outcome::Unknown,
        }
    }
}
