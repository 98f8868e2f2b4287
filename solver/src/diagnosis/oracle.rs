//! Whether rules can hold together, by the cheapest argument that settles it.

use std::collections::BTreeSet;

use super::Constraint;
use super::constraint::Variant;
use super::elastic::{Elastic, Told};
use crate::backend::{Backend, End, Outcome, found};
use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective};
use crate::propose;
use crate::rules::RuleId;

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

/// Simplex iterations of a search for the whole quantities of given members.
const SETTLING: u64 = 1_000;

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
            None | Some(Told::Possible(_)) => Some(true),
            Some(Told::Impossible) => Some(false),
            Some(Told::Unknown) => None,
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
        let relaxed = self.elastic.as_mut().map_or(Told::Unknown, |elastic| elastic.relaxed(self.backend, kept));
        let holds = match relaxed {
            Told::Impossible => false,
            Told::Possible(_) if effort == Effort::Relaxed => return Some(true),
            Told::Unknown if effort == Effort::Relaxed => return None,
            Told::Possible(some) if self.among(kept, &some) => true,
            Told::Possible(_) | Told::Unknown => self.anybody(kept, effort)?,
        };
        let list = if holds { &mut self.possible } else { &mut self.impossible };
        list.push(kept.clone());
        Some(holds)
    }

    /// Whether these actors and those seen before are known to have a consortium.
    fn among(&mut self, kept: &Set, some: &BTreeSet<usize>) -> bool {
        let pool = &self.seen | some;
        match self.search(kept, Some(&pool), false, Some(WORK)) {
            Told::Possible(members) => self.in_whole_units(kept, &members, &pool),
            Told::Impossible | Told::Unknown => false,
        }
    }

    /// Whether these members, or else some of the pool, are known to have whole quantities. Asked of the members first: a search for both
    /// at once often takes more than ten times as long.
    fn in_whole_units(&mut self, kept: &Set, members: &BTreeSet<usize>, pool: &BTreeSet<usize>) -> bool {
        let mut search = |few, work| matches!(self.search(kept, Some(few), true, Some(work)), Told::Possible(_));
        search(members, SETTLING) || (members != pool && search(pool, WORK))
    }

    /// Whether anybody has: with divisible quantities, which proves as much and takes less; then in whole units for the members found
    /// and those seen before; and at last in whole units altogether.
    fn anybody(&mut self, kept: &Set, effort: Effort) -> Option<bool> {
        let full = effort == Effort::Full;
        match self.search(kept, None, false, (!full).then_some(WORK)) {
            Told::Impossible => return Some(false),
            Told::Possible(members) => {
                let pool = self.seen.clone();
                if self.in_whole_units(kept, &members, &pool) {
                    return Some(true);
                }
            }
            Told::Unknown => {}
        }
        if !full || self.expired() {
            return None;
        }
        match self.search(kept, None, true, None) {
            Told::Possible(_) => Some(true),
            Told::Impossible => Some(false),
            Told::Unknown => None,
        }
    }

    /// Looks for the first consortium of the `pool` that keeps some rules, within so many simplex iterations or until the limits. What is found
    /// in whole units has passed the checker; what is not only shows who could be members.
    fn search(&mut self, kept: &Set, pool: Option<&BTreeSet<usize>>, whole: bool, work: Option<u64>) -> Told {
        let gone = self.all.iter().enumerate().filter(|(i, _)| !kept.contains(i)).map(|(_, constraint)| constraint);
        let mut variant = Variant::without(self.c, gone);
        if let Some(pool) = pool {
            variant.among(self.c.problem(), pool);
        }
        let c = variant.compile(self.c.instance);
        if c.candidates.is_empty() {
            return Told::Impossible;
        }
        if self.expired() {
            return Told::Unknown;
        }
        let objective = self.objective(kept);
        let mut f = variant.formulate(&c, objective, whole);
        let limits = &self.backend.control;
        let control = work.map_or_else(|| limits.quiet(), |work| limits.part(work));
        let first = self.first(&mut f, objective, &control);
        // A step whose own work is spent does not stop the whole.
        match work {
            Some(_) => limits.absorb(&control),
            None => limits.resume(&control),
        }
        let first = match first {
            Outcome::Found(first) => first,
            Outcome::Infeasible => return Told::Impossible,
            Outcome::Unknown => return Told::Unknown,
        };
        let draft = whole.then(|| propose::draft(&c, &Variant::question(objective, true), &first));
        if draft.is_some_and(|draft| !variant.keeps(&c, &draft)) {
            return Told::Unknown;
        }
        let members: BTreeSet<usize> = first.members.iter().map(|&i| c.candidates[i].actor).collect();
        self.seen.extend(&members);
        Told::Possible(members)
    }

    /// What leads to a first consortium, or to the proof that there is none: the members where their number is limited and the budget is
    /// not, else what is paid.
    fn objective(&self, kept: &Set) -> Objective {
        let keeps = |rule| kept.iter().any(|&i| self.all[i] == Constraint::Rule { rule });
        let limited = self.c.problem().call.group.maximum_members.is_some() && keeps(RuleId::Size);
        if limited && !keeps(RuleId::Budget) { Objective::FewMembers } else { Objective::Paid }
    }

    /// The first solution that is found.
    fn first(&self, f: &mut Formulation, objective: Objective, control: &Control<'_>) -> Outcome {
        let Some(mut session) = self.backend.open(f, objective) else { return Outcome::Unknown };
        session.set("mip_max_improving_sols", 1);
        session.believe();
        match session.solve(control) {
            Some(solved) if solved.end == End::Infeasible => Outcome::Infeasible,
            Some(solved) if solved.found() => Outcome::Found(found(&session, f, &solved)),
            _ => Outcome::Unknown,
        }
    }
}
