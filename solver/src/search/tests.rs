//! The searches for middle and for large calls against the exact one, and their bounds against the optimum.
#![allow(clippy::unwrap_used, clippy::cast_precision_loss)]

use super::*;
use std::cell::RefCell;

use crate::backend::Outcome;
use crate::control::{Control, Observer, Progress};
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

/// All searches find the same, or prove the same.
fn agree(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Option<BTreeSet<usize>> {
    let exact = match propose::exact(c, backend, question) {
        Best::Found(exact) => *exact,
        Best::Infeasible => {
            for search in [of_middle, of_large] {
                assert!(matches!(search(c, backend, question), Best::Infeasible));
            }
            return None;
        }
        Best::Unknown => panic!("unknown"),
    };
    let optimum = exact.proposal.costs.objective_cents;
    for search in [of_middle, of_large] {
        let other = draft(search(c, backend, question));
        assert!(other.proposal.proof.verified);
        let (found, bound) = (other.proposal.costs.objective_cents, other.proposal.proof.bound_cents);
        assert!(bound <= optimum && optimum <= found + optimum / 100_000, "{bound} {optimum} {found}");
        assert!(found - optimum <= optimum / 50_000, "{found} {optimum}");
    }
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
fn all_searches_agree_under_each_rule_that_prices_do_not_know() {
    let plain = |problem: &mut Problem| problem.call.coordination.per_new_pair_cents = 100_000;
    let unchanged = optima(plain);
    let preferences = |problem: &mut Problem| {
        let ids: Vec<String> = problem.actors.iter().map(|actor| actor.id.clone()).collect();
        problem.preferences =
            ids[3..].windows(3).map(|of| Preference { actor: of[0].clone(), only_with: of[1..].to_vec() }).collect();
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

/// Bounds by blocks at prices around those of the market, for blocks of all sizes, against the optimum under each rule.
fn blocks_never_prove_too_much(change: impl Fn(&mut Problem), ask: impl Fn(&Compiled<'_>, &mut Random) -> Question) {
    on_changed(&SMALL, change, |c, backend, seed| {
        let mut random = Random::new(seed);
        for round in 0..6 {
            let question = ask(c, &mut random);
            let optimum = match propose::exact(c, backend, &question) {
                Best::Found(draft) => draft.proposal.costs.objective_cents,
                Best::Infeasible => continue,
                Best::Unknown => panic!("unknown"),
            };
            let prices: Vec<f64> = c.cells.iter().map(|_| random.below(60 + 40 * round) as f64 / 1000.0).collect();
            let likely: Vec<usize> = (0..c.candidates.len()).filter(|_| random.chance(50)).collect();
            let alone = price::evaluate(c, &question, &prices).bound;
            for edges in [0, 12, 30, 1_000] {
                let bound = blocks::solve(c, backend, &question, &prices, &likely, edges).bound;
                assert!(cents(bound) <= optimum, "{bound} {optimum}");
                // With a rent instead of a capacity nothing is lost, since the rent is that of the prices.
                assert!(bound >= alone - 1e-6 * alone.abs(), "{bound} {alone}");
            }
        }
    });
}

#[test]
fn no_blocks_prove_too_much_under_any_rule() {
    let plain = |_: &Compiled<'_>, _: &mut Random| Question::minimise(Objective::Euros);
    let absent = |c: &Compiled<'_>, random: &mut Random| Question {
        absent: BTreeSet::from([random.below(c.candidates.len())]),
        ..Question::minimise(Objective::Euros)
    };
    let rules: [&dyn Fn(&mut Problem); 6] = [
        &|_| (),
        &|problem| problem.call.group.maximum_members = Some(5),
        &|problem| problem.call.coordination.overhead_percent = 7,
        &|problem| problem.call.coordination.per_new_pair_cents = 100_000,
        // Smallest quantities near the capacities, and capacities unknown.
        &|problem| {
            for capability in problem.actors.iter_mut().flat_map(|actor| &mut actor.capabilities) {
                capability.minimum_quantity = capability.capacity_per_year.unwrap_or(0);
            }
        },
        &|problem| {
            let capabilities = problem.actors.iter_mut().flat_map(|actor| &mut actor.capabilities);
            capabilities.step_by(2).for_each(|capability| capability.capacity_per_year = None);
            problem.call.assumptions.capacity_per_year_by_unit.insert("hour".to_owned(), 300);
        },
    ];
    for change in rules {
        blocks_never_prove_too_much(change, plain);
    }
    blocks_never_prove_too_much(|_| (), absent);
}

#[test]
fn one_block_of_everybody_proves_the_optimum() {
    let unlimited = |problem: &mut Problem| {
        problem.call.group.maximum_members = None;
        problem.call.coordination.per_new_pair_cents = 0;
    };
    on_changed(&SMALL, unlimited, |c, backend, _| {
        let question = Question::minimise(Objective::Euros);
        let optimum = draft(propose::exact(c, backend, &question)).proposal.costs.objective_cents;
        // At prices as high as these, everybody would work.
        let prices = vec![10.0; c.cells.len()];
        let everybody: Vec<usize> = (0..c.candidates.len()).collect();
        let bound = cents(blocks::solve(c, backend, &question, &prices, &everybody, usize::MAX).bound);
        assert!(bound <= optimum && bound >= optimum - optimum / 1000, "{bound} {optimum}");
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
        let Relaxed::Core(whole) = self::core::relax_from(c, backend, &question, vec![true; c.edges.len()], 1) else {
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
        for search in [of_middle, of_large] {
            assert!(matches!(search(c, backend, &question), Best::Infeasible));
        }
    });
}

#[test]
fn exchanges_end_in_teams_that_cost_what_they_reckon() {
    let in_parts = |problem: &mut Problem| {
        let capabilities = problem.actors.iter_mut().flat_map(|actor| &mut actor.capabilities);
        capabilities.for_each(|capability| capability.minimum_quantity = 0);
    };
    on_changed(&Shape { actors: 60, needs: 12, ..SMALL }, in_parts, |c, backend, _| {
        let question = Question::minimise(Objective::Euros);
        let optimum = draft(propose::exact(c, backend, &question)).proposal.costs.objective_cents;
        let teams = exchange::search(c, backend, &question, &[]).teams;
        for team in &teams {
            let asked = Question { members: Some(team.members.clone()), ..question.clone() };
            let Outcome::Found(found) = backend.ask(c, &asked) else { panic!("no answer: {team:?}") };
            // Their work is one way to divide it; the exact model knows the best.
            assert!(found.objective <= team.cost + 1e-6, "{} {}", found.objective, team.cost);
            assert!(team.cost <= found.objective * 1.01, "{} {}", found.objective, team.cost);
        }
        let best = teams.iter().map(|team| cents(team.cost)).min().unwrap();
        assert!(best <= optimum + optimum / 50, "{best} {optimum}");
    });
}

/// Bounds that were told, in cents.
struct Bounds(RefCell<Vec<i64>>);

impl Observer for Bounds {
    fn progress(&self, progress: &Progress) {
        self.0.borrow_mut().extend(progress.bound_cents);
    }
}

#[test]
fn no_bound_comes_from_completing_a_start() {
    let mut told = 0;
    for seed in 1..=3 {
        let problem = sample::problem(&Shape { actors: 60, needs: 12, ..SMALL }, seed);
        let instance = Instance::new(problem).unwrap();
        let options = Options::default();
        let c = Compiled::new(&instance, &options, RuleSet::default());
        let question = Question::minimise(Objective::Euros);
        let silent = Backend::new(&options, Control::new(&options, &()));
        let ask = |question: &Question| match silent.ask(&c, question) {
            Outcome::Found(found) => found,
            _ => panic!("no answer"),
        };
        let optimum = ask(&question);
        // A start that is dearer: the best without one of its members.
        let without = Question { absent: optimum.members.iter().copied().take(1).collect(), ..question.clone() };
        let start = ask(&without);
        let bounds = Bounds(RefCell::default());
        let backend = Backend::new(&options, Control::new(&options, &bounds));
        let mut f = Formulation::new(&c, &question);
        let mut session = backend.open(&mut f, question.objective).unwrap();
        let members = f.member.iter().enumerate().map(|(i, &member)| (member, f64::from(start.members.contains(&i))));
        session.start(&members.collect::<Vec<_>>());
        let solved = session.solve(&backend.control).unwrap();
        let best = cents(solved.objective);
        assert!(best <= cents(optimum.objective) + best / 10_000, "{best} {}", optimum.objective);
        let bounds = bounds.0.into_inner();
        assert!(bounds.iter().all(|bound| *bound <= best + 1), "{bounds:?} {best}");
        told += bounds.len();
        // Nor from completing what is left of the relaxation, or of a search with divisible quantities.
        let bounds = Bounds(RefCell::default());
        let backend = Backend::new(&options, Control::new(&options, &bounds));
        let whole = Question { whole: true, ..question.clone() };
        for question in [&question, &whole] {
            let Outcome::Found(found) = backend.ask(&c, question) else { panic!("no answer") };
            let bounds = bounds.0.take();
            assert!(bounds.iter().all(|bound| *bound <= cents(found.objective) + 1), "{bounds:?} {}", found.objective);
        }
    }
    assert!(told > 0, "nothing was told");
}
