//! The search for large calls.
//!
//! HiGHS alone finds nothing in a large call before its cuts at the root are done. Here, the linear relaxation over the edges that
//! matter ([`core`]) gives a bound on all consortia ([`price`]); diving into it gives a first consortium ([`dive`]); exact searches in
//! neighbourhoods make it better ([`improve`]); and what is left of the limits goes to the exact search, which starts from there.
//! Every step counts its work in simplex iterations and none looks at the clock, but for the limits themselves.

mod core;
mod dive;
mod improve;
pub(crate) mod part;
mod price;
mod residual;

use self::core::{Core, Relaxed};
use crate::backend::{Backend, Found, cents, found};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::propose::{self, Best, Draft};
use crate::rules::RuleId;

/// Edges from which on a call is large: between the samples of 500 actors (1,277) and of 5,000 (6,381), where the exact search is
/// the better one and the worse one; see `docs/solver/scale.md`.
const LARGE: usize = 3_000;

/// Edges from which on a call is too large for the exact search to say much about it within a minute or so.
const VERY_LARGE: usize = 10_000;

/// Rounds of the relaxation before the first consortium, and after it. One before it makes the dive longer and worse.
const FIRST_ROUNDS: usize = 2;
const ROUNDS: usize = 8;

/// Whether a question is for the search for large calls. A consortium that must be connected is not: whoever only joins two others
/// has no price, so that diving seldom ends in one.
pub(crate) fn is_large(c: &Compiled<'_>, question: &Question) -> bool {
    let plain = question.members.is_none() && !question.elastic && !question.whole && question.covered.is_none();
    is_large_call(c)
        && plain
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
    if c.candidates.is_empty() {
        return Best::Infeasible;
    }
    if backend.expired() {
        return Best::Unknown;
    }
    let mut core = match self::core::relax(c, backend, question, None, FIRST_ROUNDS) {
        Relaxed::Core(core) => core,
        Relaxed::Infeasible => return Best::Infeasible,
        Relaxed::Stopped => return Best::Unknown,
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
    search.improve(improve::Improve::new(c, backend, question, &keep, &doubtful, promising(c, question, &prices)));
    search.prove();
    search.finish()
}

/// Candidates of the whole that the relaxation uses in part, or that are members in it.
fn doubtful(core: &Core<'_>) -> Vec<usize> {
    let value = |i: usize| core.session.value(&core.solved, core.formulation.member[i]);
    (0..core.part.candidates.len()).filter(|&i| value(i) > 0.001).map(|i| core.part.candidates[i]).collect()
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

    /// Whether the best is within the gap asked for.
    fn settled(&self) -> bool {
        self.best.objective - self.bound <= self.best.objective.abs() * f64::from(self.c.options.gap_ppm) / 1e6
    }

    /// Local search until it is good enough, or finds nothing any more.
    fn improve(&mut self, mut local: improve::Improve<'_, '_, '_>) {
        let mut stale = 0;
        while stale < improve::PATIENCE && !self.settled() && !self.backend.expired() {
            // Where the exact search can say much, it is the better use of time than neighbourhoods.
            if local.is_wide_enough() && self.c.edges.len() < VERY_LARGE {
                break;
            }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::cast_precision_loss)]
    use std::collections::BTreeSet;

    use super::*;
    use crate::control::Control;
    use crate::instance::Instance;
    use crate::model::{Between, Lot, Options, Preference, Problem};
    use crate::rules::RuleSet;
    use crate::sample::{self, Random, Shape};

    const SMALL: Shape = Shape { actors: 16, needs: 6, communes: 24, services: 3, spread: false };

    /// Runs a check on the same small calls, changed, for the exact search and for that of large calls.
    fn on_changed(shape: &Shape, change: impl Fn(&mut Problem), check: impl Fn(&Compiled<'_>, &Backend<'_>, u64)) {
        for seed in 1..=3 {
            let mut problem = sample::problem(shape, seed);
            change(&mut problem);
            let instance = Instance::new(problem).unwrap();
            let options = Options { gap_ppm: 10, work_limit: Some(200_000), ..Options::default() };
            let c = Compiled::new(&instance, &options, RuleSet::default());
            check(&c, &Backend::new(&options, Control::new(&options, &())), seed);
        }
    }

    /// The same with a price on new pairs.
    fn on_samples(shape: &Shape, per_new_pair_cents: i64, check: impl Fn(&Compiled<'_>, &Backend<'_>, u64)) {
        on_changed(shape, |problem| problem.call.coordination.per_new_pair_cents = per_new_pair_cents, check);
    }

    /// Both searches find the same, or prove the same.
    fn agree(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Option<BTreeSet<usize>> {
        let exact = match propose::exact(c, backend, question) {
            Best::Found(exact) => *exact,
            Best::Infeasible => {
                assert!(matches!(best(c, backend, question), Best::Infeasible));
                return None;
            }
            Best::Unknown => panic!("unknown"),
        };
        let large = draft(best(c, backend, question));
        assert!(large.proposal.proof.verified);
        let (found, bound) = (large.proposal.costs.objective_cents, large.proposal.proof.bound_cents);
        let optimum = exact.proposal.costs.objective_cents;
        assert!(bound <= optimum && optimum <= found + optimum / 100_000, "{bound} {optimum} {found}");
        assert!(found - optimum <= optimum / 50_000, "{found} {optimum}");
        Some(exact.members)
    }

    fn draft(best: Best) -> Draft {
        match best {
            Best::Found(draft) => *draft,
            Best::Infeasible => panic!("infeasible"),
            Best::Unknown => panic!("unknown"),
        }
    }

    #[test]
    fn the_search_for_large_calls_agrees_with_the_exact_one() {
        on_samples(&SMALL, 100_000, |c, backend, _| {
            let mut question = Question::minimise(Objective::Euros);
            for _ in 0..3 {
                let members = agree(c, backend, &question).unwrap();
                // The next question excludes this consortium, and one of its members altogether.
                question.absent.extend(members.first());
                question.replaced.push(members);
            }
        });
    }

    /// The optimum of each sample.
    fn optima(change: impl Fn(&mut Problem)) -> Vec<Option<i64>> {
        let optima = std::cell::RefCell::new(Vec::new());
        on_changed(&SMALL, change, |c, backend, _| {
            let question = Question::minimise(Objective::Euros);
            let optimum = agree(c, backend, &question)
                .map(|_| draft(propose::exact(c, backend, &question)).proposal.costs.objective_cents);
            optima.borrow_mut().push(optimum);
        });
        optima.into_inner()
    }

    #[test]
    fn both_searches_agree_under_each_rule_that_prices_do_not_know() {
        let plain = |problem: &mut Problem| problem.call.coordination.per_new_pair_cents = 100_000;
        let unchanged = optima(plain);
        let preferences = |problem: &mut Problem| {
            let ids: Vec<String> = problem.actors.iter().map(|actor| actor.id.clone()).collect();
            problem.preferences = ids[3..]
                .windows(3)
                .map(|of| Preference { actor: of[0].clone(), only_with: of[1..].to_vec() })
                .collect();
        };
        let few_hands = |problem: &mut Problem| {
            problem.call.lots[0].needs.iter_mut().for_each(|need| need.maximum_suppliers = Some(1));
        };
        let lots = |problem: &mut Problem| {
            let second = problem.call.lots[0].needs.split_off(3);
            let lot = |id: &str, needs| Lot {
                id: id.to_owned(),
                name: None,
                needs,
                minimum_members: Some(3),
                maximum_members: Some(4),
            };
            problem.call.lots = vec![lot("first", problem.call.lots[0].needs.clone()), lot("second", second)];
        };
        let star = |problem: &mut Problem| problem.call.coordination.between = Between::Lead;
        let by_lot = |problem: &mut Problem| {
            lots(problem);
            problem.call.coordination.between = Between::Lot;
        };
        let rules: [&dyn Fn(&mut Problem); 5] = [&preferences, &few_hands, &lots, &star, &by_lot];
        for (at, change) in rules.iter().enumerate() {
            let changed = optima(|problem| {
                plain(problem);
                change(problem);
            });
            assert_ne!(changed, unchanged, "the rule {at} never mattered");
        }
    }

    #[test]
    fn no_prices_prove_too_much() {
        on_samples(&SMALL, 100_000, |c, backend, seed| {
            let question = Question::minimise(Objective::Euros);
            let optimum = draft(propose::exact(c, backend, &question)).proposal.costs.objective_cents;
            let mut random = Random::new(seed);
            for _ in 0..50 {
                let prices: Vec<f64> = c.cells.iter().map(|_| random.below(200) as f64 / 1000.0).collect();
                let bound = price::evaluate(c, &question, &prices).bound;
                assert!(cents(bound) <= optimum, "{bound} {optimum}");
            }
        });
    }

    #[test]
    fn a_core_of_few_edges_is_grown_to_the_relaxation_of_the_whole() {
        let thinner = std::cell::Cell::new(0);
        on_samples(&Shape::MEDIUM, 0, |c, backend, _| {
            let question = Question::minimise(Objective::Euros);
            let Relaxed::Core(thin) = self::core::relax_from(c, backend, &question, price::promising(c, &question), 20)
            else {
                panic!("stopped")
            };
            let Relaxed::Core(whole) = self::core::relax_from(c, backend, &question, vec![true; c.edges.len()], 1)
            else {
                panic!("stopped")
            };
            let relative = (whole.bound.value - thin.bound.value).abs() / whole.bound.value;
            assert!(relative < 1e-3, "{} {}", thin.bound.value, whole.bound.value);
            thinner.set(thinner.get() + usize::from(thin.keep.contains(&false)));
        });
        assert!(thinner.get() > 0, "nothing was ever left out");
    }

    #[test]
    fn what_cannot_be_answered_is_said_so() {
        on_samples(&SMALL, 0, |c, backend, _| {
            let absent: BTreeSet<usize> = (0..c.candidates.len()).collect();
            let question = Question { absent, ..Question::minimise(Objective::Euros) };
            assert!(matches!(best(c, backend, &question), Best::Infeasible));
        });
    }
}
