//! Alternatives, fronts, objectives in stages and losses against the enumeration of every consortium, on small random calls.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{
    Aim, Alternatives, AlternativesRequest, Axes, Diversity, End, Front, FrontRequest, Instance, Measure, Options,
    Problem, Proposal, Query, Reply, Resilience, ResilienceRequest, Status, ask, check_with, solve,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::{Value, json};

use crate::brute_force::{NAMES, call, each_allocation, need_mut, needs};
use crate::support::{members, parse};

/// One allocation that keeps the rules, by what the measures look at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Outcome {
    members: BTreeSet<usize>,
    paid: i64,
    euros: i64,
    uncovered: i64,
}

/// Prices of uncovered units by need, and what a unit weighs: as documented, counted again here.
fn weights(problem: &Problem) -> Vec<i64> {
    let needs = needs(problem);
    let of_need = |need: &attelage_solver::Need| {
        let offers = problem.actors.iter().flat_map(|actor| &actor.capabilities);
        let able =
            offers.filter(|c| c.services.contains(&need.service) && c.capacity_per_year.unwrap() >= c.minimum_quantity);
        let cheapest = able.map(|c| c.unit_cost_cents.unwrap()).min().unwrap_or(0);
        need.reference_unit_cost_cents.unwrap_or(cheapest).max(need.unmet_cost_cents)
    };
    needs.into_iter().map(of_need).collect()
}

fn outcomes(problem: &Problem) -> Vec<Outcome> {
    let needs = needs(problem);
    let weights = weights(problem);
    let mut all = BTreeSet::new();
    each_allocation(problem, |members, euros, covered| {
        let missing = || needs.iter().zip(&covered).map(|(need, done)| (need.quantity - done) as i64);
        let worth: i64 = missing().zip(&needs).map(|(units, need)| units * need.unmet_cost_cents).sum();
        let uncovered = missing().zip(&weights).map(|(units, weight)| units * weight).sum();
        all.insert(Outcome { members, paid: euros - worth, euros, uncovered });
    });
    all.into_iter().collect()
}

/// Units of a mandatory need that the loss of any one member may leave without capacity, each at its weight.
fn fragility(problem: &Problem, members: &BTreeSet<usize>) -> i64 {
    let needs = needs(problem).into_iter().zip(weights(problem)).filter(|(need, _)| need.mandatory);
    needs
        .map(|(need, weight)| {
            let own = |&i: &usize| -> u64 {
                let able = problem.actors[i].capabilities.iter().filter(|c| {
                    c.services.contains(&need.service) && c.capacity_per_year.unwrap() >= c.minimum_quantity
                });
                able.map(|c| c.capacity_per_year.unwrap().min(need.quantity)).sum::<u64>().min(need.quantity)
            };
            let all: u64 = members.iter().map(own).sum();
            let largest = members.iter().map(own).max().unwrap_or(0);
            need.quantity.saturating_sub(all - largest) as i64 * weight
        })
        .sum()
}

fn new_pairs(problem: &Problem, members: &BTreeSet<usize>) -> i64 {
    let pairs = members.len() * (members.len() - 1) / 2;
    let both = |r: &&attelage_solver::Relation| [&r.a, &r.b].iter().all(|id| members.iter().any(|&i| NAMES[i] == **id));
    (pairs - problem.relations.iter().filter(both).count()) as i64
}

/// Whether some members can deliver the mandatory needs up to their capacities: by trying every way to deal each unit out.
fn delivers(problem: &Problem, members: &BTreeSet<usize>) -> bool {
    let needs: Vec<_> = needs(problem).into_iter().filter(|need| need.mandatory).collect();
    let pool = |actor: usize| -> u64 {
        let own = problem.actors[actor].capabilities.iter().filter(|c| c.pool.is_some());
        own.map(|c| c.capacity_per_year.unwrap()).sum()
    };
    let shared = (0..problem.actors.len()).filter(|&a| problem.actors[a].capabilities.iter().any(|c| c.pool.is_some()));
    let pools: Vec<u64> = shared.map(pool).collect();
    let pooled = if pools.len() > 1 { *pools.iter().max().unwrap() } else { u64::MAX };
    let capabilities: Vec<_> = members
        .iter()
        .flat_map(|&i| &problem.actors[i].capabilities)
        .filter(|c| c.capacity_per_year.unwrap() >= c.minimum_quantity)
        .collect();
    let mut spare: Vec<u64> = capabilities.iter().map(|c| c.capacity_per_year.unwrap()).collect();
    let units: Vec<&str> = needs.iter().flat_map(|n| vec![n.service.as_str(); n.quantity as usize]).collect();
    fn deal(units: &[&str], capabilities: &[&attelage_solver::Capability], spare: &mut [u64], pooled: u64) -> bool {
        let [unit, rest @ ..] = units else { return true };
        (0..capabilities.len()).any(|k| {
            let takes = u64::from(capabilities[k].pool.is_some());
            let fits = capabilities[k].services.iter().any(|s| s == unit) && spare[k] > 0 && pooled >= takes;
            if !fits {
                return false;
            }
            spare[k] -= 1;
            let done = deal(rest, capabilities, spare, if pooled == u64::MAX { pooled } else { pooled - takes });
            spare[k] += 1;
            done
        })
    }
    deal(&units, &capabilities, &mut spare, pooled)
}

fn survives_any_loss(problem: &Problem, members: &BTreeSet<usize>) -> bool {
    members.iter().all(|&lost| {
        let rest = members.iter().copied().filter(|&i| i != lost).collect();
        delivers(problem, &rest)
    })
}

fn indices(proposal: &Proposal) -> BTreeSet<usize> {
    members(proposal).iter().map(|id| NAMES.iter().position(|name| name == id).unwrap()).collect()
}

fn stages(objective: Aim) -> Vec<Measure> {
    match objective {
        Aim::Euros => Vec::new(),
        Aim::CoverageFirst => vec![Measure::Uncovered, Measure::Euros],
        Aim::CostFirst => vec![Measure::Paid, Measure::Uncovered, Measure::Euros],
        Aim::CohesionFirst => vec![Measure::NewPairs, Measure::Euros],
        Aim::ResilienceFirst => vec![Measure::Fragility, Measure::Euros],
    }
}

fn asked(value: &Value, options: &Options, query: Query) -> Reply {
    let instance = Instance::new(parse(value)).unwrap_or_else(|faults| panic!("{faults:?}"));
    ask(&instance, options, &query, &()).unwrap()
}

fn verified(problem: &Problem, options: &Options, proposal: &Proposal) {
    assert_eq!(check_with(problem, options, proposal), []);
    assert!(proposal.proof.verified && proposal.proof.optimal, "{proposal:#?}");
}

fn alternatives(value: &Value, request: AlternativesRequest) -> Alternatives {
    match asked(value, &Options::default(), Query::Alternatives(request)) {
        Reply::Alternatives(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn front(value: &Value, axes: Axes, points: u32) -> Front {
    match asked(value, &Options::default(), Query::Front(FrontRequest { axes, points })) {
        Reply::Front(answer) => answer,
        other => panic!("{other:?}"),
    }
}

fn resilience(value: &Value, team: Vec<String>, strict: bool) -> Resilience {
    match asked(value, &Options::default(), Query::Resilience(ResilienceRequest { team, strict })) {
        Reply::Resilience(answer) => answer,
        other => panic!("{other:?}"),
    }
}

/// Number of members of each set that another one has not, at least so many.
fn differs(earlier: &[BTreeSet<usize>], set: &BTreeSet<usize>, least: usize) -> bool {
    earlier.iter().all(|own| own.difference(set).count() >= least.min(own.len()))
}

prop_compose! {
    /// A call whose needs may have reference costs, so that weights differ from what uncovered units are worth.
    fn weighted_call()(mut value in call(), references in (prop::option::of(0..15_i64), prop::option::of(0..15_i64))) -> Value {
        for (n, reference) in [references.0, references.1].into_iter().enumerate() {
            if let Some(reference) = reference {
                need_mut(&mut value, n)["reference_unit_cost_cents"] = json!(reference * 100);
            }
        }
        value
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(30))]

    #[test]
    fn alternatives_are_the_best_that_differ_enough(
        value in call(), least in 1..3_usize, percent in 0..60_u8, count in 1..5_u32, most_diverse in any::<bool>(),
    ) {
        let problem = parse(&value);
        let mut cheapest: BTreeMap<BTreeSet<usize>, i64> = BTreeMap::new();
        for outcome in outcomes(&problem) {
            let entry = cheapest.entry(outcome.members).or_insert(outcome.euros);
            *entry = outcome.euros.min(*entry);
        }
        let diversity = if most_diverse { Diversity::Maximum } else { Diversity::Cost };
        let answer = alternatives(&value, AlternativesRequest {
            count, minimum_replaced: least as u32, tolerance_percent: Some(percent), diversity, ..AlternativesRequest::default()
        });
        let Some(optimum) = cheapest.values().min().copied() else {
            prop_assert_eq!(answer.status, Status::Infeasible);
            return Ok(());
        };
        prop_assert_eq!(answer.status, Status::Optimal);
        let best = answer.best.unwrap();
        verified(&problem, &Options::default(), &best);
        prop_assert_eq!(best.costs.objective_cents, optimum);
        let limit = optimum + optimum * i64::from(percent) / 100;
        prop_assert_eq!(answer.limit_cents, Some(limit));
        let mut earlier = vec![indices(&best)];
        let shared = |earlier: &[BTreeSet<usize>], set: &BTreeSet<usize>| -> usize {
            earlier.iter().map(|own| own.intersection(set).count()).sum()
        };
        for alternative in &answer.alternatives {
            let own = indices(&alternative.proposal);
            verified(&problem, &Options::default(), &alternative.proposal);
            let allowed: Vec<_> =
                cheapest.iter().filter(|(set, cost)| differs(&earlier, set, least) && **cost <= limit).collect();
            let rank = |set: &BTreeSet<usize>, cost: i64| (if most_diverse { shared(&earlier, set) } else { 0 }, cost);
            let first = allowed.iter().map(|(set, cost)| rank(set, **cost)).min();
            prop_assert_eq!(Some(rank(&own, alternative.proposal.costs.objective_cents)), first);
            prop_assert!(differs(&earlier, &own, least));
            prop_assert_eq!(alternative.regret_cents, alternative.proposal.costs.objective_cents - optimum);
            let gone: Vec<&str> = earlier[0].difference(&own).map(|&i| NAMES[i]).collect();
            prop_assert_eq!(alternative.replaced.iter().map(|r| r.actor.as_str()).collect::<Vec<_>>(), gone);
            let fewest = earlier.iter().map(|set| set.difference(&own).count()).min().unwrap();
            prop_assert_eq!(alternative.fewest_replaced as usize, fewest);
            earlier.push(own);
        }
        let left: Option<i64> =
            cheapest.iter().filter(|(set, _)| differs(&earlier, set, least)).map(|(_, cost)| *cost).min();
        match answer.end.unwrap() {
            End::Count => prop_assert_eq!(answer.alternatives.len(), count as usize),
            End::NoOther => prop_assert_eq!(left, None),
            End::BeyondTolerance { bound_cents, nearest_regret_cents } => {
                prop_assert!(left.is_none_or(|left| left >= bound_cents) && bound_cents > limit);
                prop_assert!(most_diverse || nearest_regret_cents == left.map(|left| left - optimum));
            }
            End::Limit => prop_assert!(false, "no limit was set"),
        }
    }

    #[test]
    fn fronts_are_all_that_nobody_beats(value in weighted_call()) {
        let problem = parse(&value);
        let all = outcomes(&problem);
        for axes in [Axes::CostCoverage, Axes::CostResilience, Axes::CostCohesion] {
            let place = |o: &Outcome| match axes {
                Axes::CostCoverage => (o.paid, o.uncovered),
                Axes::CostResilience => (o.euros, fragility(&problem, &o.members)),
                Axes::CostCohesion => (o.euros, new_pairs(&problem, &o.members)),
            };
            let places: BTreeSet<(i64, i64)> = all.iter().map(place).collect();
            // By cost, then by what is missing: whatever misses less than everything cheaper stays.
            let mut least = i64::MAX;
            let mut efficient: Vec<(i64, i64)> = Vec::new();
            for (x, y) in places {
                if y < least {
                    efficient.push((x, y));
                    least = y;
                }
            }
            let front = front(&value, axes, 40);
            let found: Vec<(i64, i64)> = front.points.iter().map(|p| (p.cost_cents, p.missing)).collect();
            prop_assert_eq!(&found, &efficient, "{:?}", axes);
            prop_assert_eq!(front.status, if all.is_empty() { Status::Infeasible } else { Status::Optimal });
            prop_assert!(all.is_empty() || front.complete);
            for point in &front.points {
                verified(&problem, &Options::default(), &point.proposal);
                prop_assert!(point.efficient && point.missing <= point.at_most);
            }
        }
    }

    #[test]
    fn few_points_are_still_efficient(value in weighted_call(), points in 2..4_u32) {
        let all = outcomes(&parse(&value));
        let front = front(&value, Axes::CostCoverage, points);
        prop_assert!(front.points.len() <= points as usize);
        for point in &front.points {
            let (x, y) = (point.cost_cents, point.missing);
            prop_assert!(all.iter().any(|o| (o.paid, o.uncovered) == (x, y)));
            prop_assert!(!all.iter().any(|o| o.paid <= x && o.uncovered <= y && (o.paid, o.uncovered) != (x, y)));
        }
        // Both ends are there.
        prop_assert_eq!(front.points.first().map(|p| p.cost_cents), all.iter().map(|o| o.paid).min());
        prop_assert_eq!(front.points.last().map(|p| p.missing), all.iter().map(|o| o.uncovered).min());
    }
}

proptest! {
    #![proptest_config(config(12))]

    #[test]
    fn stages_keep_what_earlier_ones_reached(value in weighted_call(), tolerance in prop::sample::select(vec![0, 5_000, 200_000])) {
        let problem = parse(&value);
        let instance = Instance::new(problem.clone()).unwrap();
        let all = outcomes(&problem);
        let weight: i64 =
            needs(&problem).iter().zip(weights(&problem)).map(|(need, weight)| need.quantity as i64 * weight).sum();
        let objectives = [Aim::CoverageFirst, Aim::CostFirst, Aim::CohesionFirst, Aim::ResilienceFirst];
        for objective in objectives {
            let options = Options { objective, stage_tolerance_ppm: tolerance, proposals: 1, ..Options::default() };
            let answer = solve(&instance, &options).unwrap();
            let Some(best) = answer.proposals.first() else {
                prop_assert_eq!(answer.status, Status::Infeasible);
                prop_assert!(all.is_empty());
                continue;
            };
            verified(&problem, &options, best);
            let measure = |o: &Outcome, measure: Measure| match measure {
                Measure::Euros => o.euros,
                Measure::Paid => o.paid,
                Measure::Uncovered => o.uncovered,
                Measure::Fragility => fragility(&problem, &o.members),
                Measure::NewPairs => new_pairs(&problem, &o.members),
            };
            let mut left: Vec<&Outcome> = all.iter().collect();
            prop_assert_eq!(best.stages.iter().map(|s| s.measure).collect::<Vec<_>>(), stages(objective));
            for stage in &best.stages {
                let least = left.iter().map(|o| measure(o, stage.measure)).min().unwrap();
                prop_assert!(stage.bound <= least && least <= stage.value, "{:?} {least}", stage);
                if tolerance == 0 || stage.measure == Measure::Euros {
                    prop_assert_eq!((stage.value, stage.kept), (least, least));
                }
                // Of coverage a part may be given up; of an amount, that part of it may come on top.
                let base = if stage.measure == Measure::Uncovered { weight - stage.bound } else { stage.value };
                if stage.measure != Measure::Fragility {
                    prop_assert!(stage.kept <= stage.value.max(stage.bound + base * i64::from(tolerance) / 1_000_000));
                }
                left.retain(|o| measure(o, stage.measure) <= stage.kept);
            }
            prop_assert_eq!(best.stages.last().map(|s| (s.measure, s.value)), Some((Measure::Euros, best.costs.objective_cents)));
        }
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn the_strict_consortium_is_the_best_that_survives(value in call()) {
        let problem = parse(&value);
        let all = outcomes(&problem);
        let answer = resilience(&value, Vec::new(), true);
        let Some(optimum) = all.iter().map(|o| o.euros).min() else {
            prop_assert_eq!(answer.status, Status::Infeasible);
            prop_assert!(answer.strict.is_none());
            return Ok(());
        };
        let best = answer.proposal.as_ref().unwrap();
        prop_assert_eq!(answer.survives, Some(survives_any_loss(&problem, &indices(best))));
        prop_assert_eq!(answer.fragility, fragility(&problem, &indices(best)));
        let strict = answer.strict.unwrap();
        let survivors: BTreeSet<&BTreeSet<usize>> = all.iter().map(|o| &o.members).filter(|m| survives_any_loss(&problem, m)).collect();
        match all.iter().filter(|o| survivors.contains(&o.members)).map(|o| o.euros).min() {
            Some(least) => {
                let found = strict.proposal.unwrap();
                verified(&problem, &Options::default(), &found);
                prop_assert_eq!(found.costs.objective_cents, least);
                prop_assert!(survives_any_loss(&problem, &indices(&found)));
                prop_assert_eq!(strict.price_cents, Some(least - optimum));
                prop_assert!(answer.fatal_actors.is_empty());
            }
            None => {
                prop_assert_eq!(strict.status, Status::Infeasible);
                let soft = strict.softest.unwrap();
                verified(&problem, &Options::default(), &soft.proposal);
                let least = all.iter().map(|o| (fragility(&problem, &o.members), o.euros)).min();
                prop_assert_eq!(Some((soft.fragility, soft.proposal.costs.objective_cents)), least);
            }
        }
    }

    #[test]
    fn losses_are_those_that_no_way_to_deal_the_work_out_makes_good(
        mut value in call(), team in prop::sample::subsequence(vec![0, 1, 2, 3], 1..=4), pooled in prop::collection::vec(any::<bool>(), 4),
    ) {
        let count = value["actors"].as_array().unwrap().len();
        for (a, _) in pooled.iter().enumerate().filter(|&(a, &pooled)| pooled && a < count) {
            value["actors"][a]["capabilities"][0]["pool"] = json!("shared");
        }
        let problem = parse(&value);
        let team: BTreeSet<usize> = team.into_iter().filter(|&i| i < count).collect();
        let answer = resilience(&value, team.iter().map(|&i| NAMES[i].to_owned()).collect(), false);
        for loss in &answer.losses {
            let rest: BTreeSet<usize> = team.iter().copied().filter(|&i| NAMES[i] != loss.actor).collect();
            prop_assert_eq!(loss.survived, Some(delivers(&problem, &rest)), "{:?}", loss);
            prop_assert_eq!(loss.survived == Some(false), !loss.cuts.is_empty());
            for cut in &loss.cuts {
                prop_assert!(cut.deliverable < cut.asked);
                let quantities: u64 = cut.needs.iter().map(|need| need.quantity).sum();
                prop_assert_eq!(quantities, cut.asked);
                // As much as the cut says can be delivered, and no more: with that much less asked it works.
                let mut less = problem.clone();
                for need in less.call.lots.iter_mut().flat_map(|lot| &mut lot.needs) {
                    need.mandatory = cut.needs.iter().any(|c| c.need == need.id);
                }
                prop_assert!(!delivers(&less, &rest));
            }
        }
        let everybody: BTreeSet<usize> = (0..count).collect();
        let fatal: Vec<&str> = answer.fatal_actors.iter().map(|f| f.actor.as_str()).collect();
        let counted: Vec<&str> = everybody.iter()
            .filter(|&&i| delivers(&problem, &everybody) && !delivers(&problem, &everybody.iter().copied().filter(|&j| j != i).collect()))
            .map(|&i| NAMES[i]).collect();
        prop_assert_eq!(fatal, counted);
    }
}
