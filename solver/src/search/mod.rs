//! The search for calls of more than a few dozen actors.
//!
//! HiGHS alone spends most of its time on finding consortia, and has none to rule candidates out by until its cuts at the root are done.
//!
//! In a call of middle size, exchanges of members ([`exchange`]) find one that is close to the best within a tenth of a second, a small
//! exact search among those who are in the best teams makes it better, and the exact search starts from there and believes it.
//!
//! In a large call, the linear relaxation over the edges that
//! matter ([`core`]) gives a bound on all consortia ([`price`]); diving into it gives a first consortium ([`dive`]); exact searches of
//! parts of the call raise the bound ([`blocks`]); others in neighbourhoods make the consortium better ([`improve`]); and what is left of
//! the limits goes to the exact search, which starts from there.
//! Every step counts its work in simplex iterations, an exchange as four, and none looks at the clock, but for the limits themselves.

mod blocks;
mod core;
mod dive;
mod exchange;
mod improve;
pub(crate) mod part;
mod price;
mod residual;

use std::collections::BTreeSet;

use self::core::{Core, Relaxed};
use self::residual::Residual;
use crate::backend::{Backend, Found, SMALL_CALL, cents, found};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::propose::{self, Best, Draft};
use crate::rules::RuleId;

/// Edges from which on a call is large: between samples of 1,000 actors and 120 needs (3,500), where the exact search from exchanges is
/// mostly the better one, and of 4,000 and 300 (3,860), where it is the worse one; see `docs/solver/scale.md`.
const LARGE: usize = 3_600;

/// Edges from which on the most promising are too many for one search among them.
const VERY_LARGE: usize = 10_000;

/// Rounds of the relaxation before the first consortium, and after it. One before it makes the dive longer and worse.
const FIRST_ROUNDS: usize = 2;
const ROUNDS: usize = 8;

/// Most edges of a block.
const BLOCK: usize = 600;

/// For each candidate that the relaxation uses, so many of the most promising ones tell which cells belong together, and are searched.
const LIKELY: usize = 4;

/// Candidates of the best teams that the small exact search is among, in a call of middle size, beside all of the best and those whom the
/// relaxation uses.
const KERNEL: usize = 44;

/// Simplex iterations for one small search for a first consortium.
const WORK: u64 = 20_000;

/// Whether a question is for the search for large calls. A consortium that must be connected is not: whoever only joins two others
/// has no price, so that diving seldom ends in one.
pub(crate) fn is_large(c: &Compiled<'_>, question: &Question) -> bool {
    is_large_call(c) && is_plain(c, question)
}

/// Whether a question is for the search of this module.
pub(crate) fn serves(c: &Compiled<'_>, question: &Question) -> bool {
    c.edges.len() >= SMALL_CALL && is_plain(c, question)
}

fn is_plain(c: &Compiled<'_>, question: &Question) -> bool {
    let plain = question.members.is_none() && !question.elastic && !question.whole && question.covered.is_none();
    plain
        && !(c.problem().call.group.connected && c.rules.active(RuleId::Connected))
        && question.objective == Objective::Euros
        && question.shortage.is_none()
        && !question.physical
}

/// Whether a call is large.
pub(crate) fn is_large_call(c: &Compiled<'_>) -> bool {
    c.edges.len() >= LARGE
}

/// The best consortium found within the limits, with a bound on all of them.
pub(crate) fn best(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    if is_large_call(c) { of_large(c, backend, question) } else { of_middle(c, backend, question) }
}

/// Exchanges, a small exact search among the best teams, the whole exact search.
fn of_middle(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    let core = match start(c, backend, question) {
        Ok(core) => core,
        // HiGHS gave up on the relaxation.
        Err(Best::Unknown) if !backend.expired() => return propose::exact(c, backend, question),
        Err(end) => return end,
    };
    let (used, bound) = (ranked(&core), core.bound.value);
    drop(core);
    let elite = exchange::search(c, backend, question, &used);
    let exact = |settled: &BTreeSet<usize>, open: &BTreeSet<usize>| {
        let residual = Residual { settled, open, start: None, gap: 1e-4, work: WORK };
        let attempt = if backend.expired() { None } else { residual::solve(c, backend, question, &residual) };
        attempt.and_then(|attempt| attempt.found)
    };
    let best = elite.teams.iter().flat_map(|team| team.members.iter().copied());
    let members: BTreeSet<usize> = elite.candidates().into_iter().take(KERNEL).chain(best).collect();
    let none = BTreeSet::new();
    let likely = || members.union(&used.iter().copied().collect()).copied().collect();
    let first = elite.teams.iter().find_map(|team| exact(&team.members, &none)).or_else(|| exact(&none, &likely()));
    let Some(first) = first else { return propose::exact(c, backend, question) };
    let mut search = Search { c, backend, question, bound, best: first, draft: None };
    search.publish();
    search.among(&members, &used);
    search.prove();
    let relaxed = Found { bound: search.bound, ..search.best.clone() };
    let told = search.draft.as_ref();
    match propose::with_whole(c, backend, question, &relaxed) {
        // Out of time, whole quantities may come out worse than those that were already told of.
        Best::Found(best) if told.is_none_or(|told| propose::merit(&best) <= propose::merit(told)) => Best::Found(best),
        Best::Infeasible if told.is_none() => Best::Infeasible,
        _ => search.finish(),
    }
}

/// The relaxation over a first core, or why there is none.
fn start<'a>(c: &Compiled<'a>, backend: &Backend<'_>, question: &Question) -> Result<Box<Core<'a>>, Best> {
    if c.candidates.is_empty() {
        return Err(Best::Infeasible);
    }
    if backend.expired() {
        return Err(Best::Unknown);
    }
    match self::core::relax(c, backend, question, None, FIRST_ROUNDS) {
        Relaxed::Core(core) => Ok(core),
        Relaxed::Infeasible => Err(Best::Infeasible),
        Relaxed::Stopped => Err(Best::Unknown),
    }
}

/// Relaxation, dive, blocks, neighbourhoods, and what is left of the limits for the exact search.
fn of_large(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    let mut core = match start(c, backend, question) {
        Ok(core) => core,
        Err(end) => return end,
    };
    let mut doubtful = doubtful(&core);
    let Some(first) = dive::dive(c, backend, question, &mut core) else {
        return propose::exact(c, backend, question);
    };
    let mut search = Search { c, backend, question, bound: core.bound.value, best: first, draft: None };
    search.publish();
    let (mut keep, mut prices) = (core.keep.clone(), core.bound.prices.clone());
    if let Relaxed::Core(core) = self::core::relax(c, backend, question, Some(core), ROUNDS) {
        search.bound = search.bound.max(core.bound.value);
        doubtful = self::doubtful(&core);
        keep.clone_from(&core.keep);
        prices.clone_from(&core.bound.prices);
    }
    let ranked = promising(c, question, &prices);
    let likely = &ranked[..ranked.len().min(doubtful.len() * LIKELY)];
    let members = search.divide(&prices, likely, BLOCK);
    search.among(&members, &doubtful);
    if c.edges.len() >= VERY_LARGE {
        search.improve(improve::Improve::new(c, backend, question, &keep, &doubtful));
    } else {
        search.among(&likely.iter().copied().collect(), &doubtful);
    }
    search.prove();
    search.finish()
}

/// Candidates of the whole that the relaxation uses in part, or that are members in it.
fn doubtful(core: &Core<'_>) -> Vec<usize> {
    let value = |i: usize| core.session.value(&core.solved, core.formulation.member[i]);
    (0..core.part.candidates.len()).filter(|&i| value(i) > 0.001).map(|i| core.part.candidates[i]).collect()
}

/// Candidates of the whole that the relaxation uses, those first that it is surest of.
fn ranked(core: &Core<'_>) -> Vec<usize> {
    let value = |i: usize| core.session.value(&core.solved, core.formulation.member[i]);
    let mut used: Vec<(f64, usize)> = (0..core.part.candidates.len())
        .map(|i| (value(i), core.part.candidates[i]))
        .filter(|(y, _)| *y > 1e-6)
        .collect();
    used.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    used.into_iter().map(|(_, i)| i).collect()
}

/// Candidates by what they would gain at the best prices, best first.
fn promising(c: &Compiled<'_>, question: &Question, prices: &[f64]) -> Vec<usize> {
    let gain = match prices {
        [] => vec![0.0; c.candidates.len()],
        prices => price::evaluate(c, question, prices).gain,
    };
    let mut ranked: Vec<usize> = (0..c.candidates.len()).filter(|i| gain[*i].is_finite()).collect();
    ranked.sort_by(|&a, &b| gain[b].total_cmp(&gain[a]).then(a.cmp(&b)));
    ranked
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
        if let Some(draft) = &self.draft {
            propose::offer(self.c, self.backend, self.question, draft, self.bound);
        }
        self.tell();
    }

    /// Tells of the best and of the bound.
    fn tell(&self) {
        let told = self.draft.as_ref().map_or_else(|| cents(self.best.objective), |d| d.proposal.costs.objective_cents);
        self.backend.control.tell(0, Some(told), Some(cents(self.bound.max(0.0))));
    }

    /// The best solution with whole quantities, its members given.
    fn whole(&self) -> Option<Draft> {
        let part = part::Part::of(self.c, &self.best.members);
        let asked = Question { members: Some(self.best.members.clone()), whole: true, ..self.question.clone() };
        match self.backend.ask(&part.compiled, &part.question(&asked)) {
            crate::backend::Outcome::Found(found) => {
                let lifted = part.lift(&found, self.c.edges.len());
                Some(propose::draft(self.c, self.question, &lifted)).filter(|draft| draft.proposal.proof.verified)
            }
            _ => None,
        }
    }

    /// A better bound by blocks of so many edges at most; the members of their solutions.
    fn divide(&mut self, prices: &[f64], likely: &[usize], edges: usize) -> BTreeSet<usize> {
        if prices.is_empty() || self.settled() || self.backend.expired() {
            return BTreeSet::new();
        }
        let blocks = blocks::solve(self.c, self.backend, self.question, prices, likely, edges);
        self.bound = self.bound.max(blocks.bound);
        self.tell();
        blocks.members
    }

    /// A better solution among the most promising candidates, if there is one.
    fn among(&mut self, promising: &BTreeSet<usize>, doubtful: &[usize]) {
        if self.settled() || self.backend.expired() {
            return;
        }
        if let Some(better) = improve::among(self.c, self.backend, self.question, promising, doubtful, &self.best) {
            self.best = better;
            self.publish();
        }
    }

    /// Whether the best is within the gap asked for.
    fn settled(&self) -> bool {
        self.best.objective - self.bound <= self.best.objective.abs() * f64::from(self.c.options.gap_ppm) / 1e6
    }

    /// Local search until it is good enough, or finds nothing any more.
    fn improve(&mut self, mut local: improve::Improve<'_, '_, '_>) {
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
        session.believe();
        if !is_large_call(self.c) || self.c.edges.len() >= VERY_LARGE {
            // In a call of middle size the start is mostly the best one; in so large a one smaller problems take a third of the memory
            // again, and neighbourhoods have looked for better ones.
            session.set("mip_heuristic_run_rins", false);
        }
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

#[cfg(test)]
mod tests;
