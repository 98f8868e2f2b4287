//! Candidates by how much they complement a team, by warm linear programs.
//!
//! One relaxation with the team fixed in, kept in HiGHS. For a candidate it is solved again from the last basis with the candidate
//! forced in and, where it took part by itself, with the candidate forced out; the difference is what it is worth. A candidate at
//! nought has a *reduced cost*: no forced membership costs less than that (weak duality). Candidates are therefore tried by
//! ascending reduced cost, and no further than it can still matter: the first ones are those that trying all would give.

use std::collections::{BTreeMap, BTreeSet};

use crate::backend::{Backend, End, Session, Solved, cents};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::model::{Cents, Quantity};
use crate::propose::bound_cents;

/// Least part of a membership that counts as one in a relaxation.
const SOME: f64 = 1e-6;

/// What the relaxations say of a candidate.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub(super) candidate: usize,
    /// Without it less with it; absent where there is no solution without it.
    pub(super) gain_cents: Option<Cents>,
    /// No solution with it has a lower objective.
    pub(super) bound_cents: Cents,
    /// What it does with the team, by need, rounded.
    pub(super) work: BTreeMap<usize, Quantity>,
}

/// All candidates of a team.
pub(super) struct Ranking {
    /// Best first, at most as many as asked.
    pub(super) first: Vec<Estimate>,
    /// Proven: no consortium with the team and them.
    pub(super) excluded: Vec<usize>,
    /// They can do only what the team can do, and save nothing.
    pub(super) covered: Vec<usize>,
    /// Whether a limit came first.
    pub(super) cut_short: bool,
}

/// Ranks all candidates but the members and those vetoed, given who is in the best consortium. `None` where the limit came before the first relaxation.
pub(super) fn rank(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    members: &BTreeSet<usize>,
    vetoed: &BTreeMap<usize, Vec<usize>>,
    best: &BTreeSet<usize>,
    limit: usize,
) -> Option<Ranking> {
    let mut lp = Relaxation::new(c, backend)?;
    let mut waiting: Vec<(bool, f64, usize)> = (0..c.candidates.len())
        .filter(|i| !members.contains(i) && !vetoed.contains_key(i))
        .map(|i| (lp.takes_part(i) <= SOME, lp.session.reduced_cost(&lp.base, lp.f.member[i]).max(0.0), i))
        .collect();
    waiting.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
    let mut team = Coverage::new(c, backend, members);
    let mut ranking = Ranking { first: Vec::new(), excluded: Vec::new(), covered: Vec::new(), cut_short: false };
    for (idle, reduced, i) in waiting {
        let full = ranking.first.len() >= limit;
        let last = ranking.first.last().and_then(|last| last.gain_cents);
        if full && idle && last.is_some_and(|last| cents(-reduced) < last) {
            break;
        }
        if backend.expired() {
            ranking.cut_short = true;
            break;
        }
        let estimate = match lp.judge(c, backend, i) {
            Judgement::Possible(estimate) => estimate,
            Judgement::Excluded => {
                ranking.excluded.push(i);
                continue;
            }
            Judgement::Unknown => {
                ranking.cut_short = true;
                break;
            }
        };
        // Whoever is not in the best saves nothing, whatever the relaxations say.
        let idle = !best.contains(&i) && estimate.gain_cents.is_some_and(|gain| gain <= 0);
        if idle && team.as_mut().is_some_and(|team| team.covers(c, backend, i)) {
            ranking.covered.push(i);
            continue;
        }
        let key = |e: &Estimate| (e.gain_cents.is_some(), e.gain_cents.map_or(0, Cents::saturating_neg), e.candidate);
        let at = ranking.first.partition_point(|other| key(other) < key(&estimate));
        ranking.first.insert(at, estimate);
        ranking.first.truncate(limit);
    }
    Some(ranking)
}

/// What the relaxations say.
enum Judgement {
    Possible(Estimate),
    /// Even the relaxation has no solution with the candidate.
    Excluded,
    /// A limit came first.
    Unknown,
}

/// The relaxation of the call with the team in.
struct Relaxation {
    f: Formulation,
    session: Session,
    base: Solved,
}

impl Relaxation {
    fn new(c: &Compiled<'_>, backend: &Backend<'_>) -> Option<Self> {
        let mut f = Formulation::new(c, &Question::minimise(Objective::Euros));
        let mut session = backend.open(&mut f, Objective::Euros)?;
        session.relax(true);
        let base = session.solve(&backend.control)?;
        (base.end == End::Optimal).then_some(Self { f, session, base })
    }

    fn takes_part(&self, candidate: usize) -> f64 {
        self.session.value(&self.base, self.f.member[candidate])
    }

    fn judge(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, candidate: usize) -> Judgement {
        let part = self.takes_part(candidate);
        let forced = |lp: &mut Self, given: f64, already: bool| {
            if already { Some(lp.base.clone()) } else { lp.forced(backend, candidate, given) }
        };
        let Some(with) = forced(self, 1.0, part > 1.0 - SOME) else { return Judgement::Unknown };
        if with.end == End::Infeasible {
            return Judgement::Excluded;
        }
        let Some(without) = forced(self, 0.0, part <= SOME) else { return Judgement::Unknown };
        let mut work: BTreeMap<usize, Quantity> = BTreeMap::new();
        for e in c.candidates[candidate].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
            let quantity = self.session.value(&with, self.f.quantity[e]);
            *work.entry(c.cells[c.edges[e].cell].need).or_default() += nearest(quantity);
        }
        Judgement::Possible(Estimate {
            candidate,
            gain_cents: (without.end == End::Optimal).then(|| cents(without.objective - with.objective)),
            bound_cents: bound_cents(with.objective),
            work,
        })
    }

    /// The relaxation with a candidate's membership given; `None` where a limit came first.
    fn forced(&mut self, backend: &Backend<'_>, candidate: usize, given: f64) -> Option<Solved> {
        self.session.bound(self.f.member[candidate], given, given);
        let solved = self.session.solve(&backend.control);
        self.session.bound(self.f.member[candidate], 0.0, 1.0);
        solved.filter(|solved| solved.end != End::Stopped)
    }
}

/// What a team can deliver by itself.
struct Coverage {
    f: Formulation,
    session: Session,
    /// Cells that it can serve at all.
    served: BTreeSet<usize>,
}

impl Coverage {
    fn new(c: &Compiled<'_>, backend: &Backend<'_>, members: &BTreeSet<usize>) -> Option<Self> {
        let question =
            Question { members: Some(members.clone()), physical: true, ..Question::minimise(Objective::Gaps) };
        let mut f = Formulation::new(c, &question);
        let mut session = backend.open(&mut f, Objective::Gaps)?;
        session.relax(true);
        let offers = members.iter().flat_map(|&i| c.candidates[i].offers.clone());
        let served = offers.flat_map(|o| c.offers[o].edges.clone()).map(|e| c.edges[e].cell).collect();
        Some(Self { f, session, served })
    }

    /// Whether the team can deliver all that a candidate could.
    fn covers(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, candidate: usize) -> bool {
        let edges = c.candidates[candidate].offers.clone().flat_map(|o| c.offers[o].edges.clone());
        let cells: BTreeSet<usize> = edges.map(|e| c.edges[e].cell).collect();
        if !cells.is_subset(&self.served) {
            return false;
        }
        let missed: good_lp::Expression = cells.into_iter().map(|j| self.f.unmet[j]).sum();
        self.session.minimise(missed, false);
        let solved = self.session.solve(&backend.control);
        solved.is_some_and(|solved| solved.end == End::Optimal && solved.objective < SOME)
    }
}

/// The nearest whole quantity, never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn nearest(x: f64) -> Quantity {
    x.round().max(0.0) as Quantity
}
