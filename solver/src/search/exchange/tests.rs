//! The division of work and its prices on teams taken at random.
#![allow(clippy::unwrap_used)]

use std::cell::Cell;

use super::*;
use crate::formulate::Objective;
use crate::instance::Instance;
use crate::model::Options;
use crate::rules::RuleSet;
use crate::sample::{self, Shape};

/// Teams of calls without fixed costs, for which the reckoning by unit prices is exact: each with somebody who leaves it.
fn on_teams(check: impl Fn(&Work<'_, '_, '_>, usize)) {
    for seed in 1..=4 {
        let shape = Shape { actors: 60, needs: 12, communes: 24, services: 3, spread: seed % 2 == 0 };
        let mut problem = sample::problem(&shape, seed);
        for capability in problem.actors.iter_mut().flat_map(|actor| &mut actor.capabilities) {
            capability.fixed_cost_cents = 0;
        }
        let instance = Instance::new(problem).unwrap();
        let options = Options::default();
        let c = Compiled::new(&instance, &options, RuleSet::default());
        let question = Question::minimise(Objective::Euros);
        let market = Market::new(&c, &question);
        let mut random = Random::new(seed);
        for size in [2, 4, 7, 10] {
            let mut all: Vec<usize> = (0..c.candidates.len()).collect();
            let members: Vec<usize> = (0..size).map(|_| all.swap_remove(random.below(all.len()))).collect();
            let leaver = members[random.below(size)];
            check(&Work::new(&market, members), leaver);
        }
    }
}

#[test]
fn a_team_that_somebody_left_works_at_least_cost() {
    on_teams(|work, leaver| {
        let mut others = work.clone();
        others.leave(leaver);
        let anew = Work::new(work.market, others.members.clone());
        assert!((others.cost().0 - anew.cost().0).abs() < 1e-6, "{} {}", others.cost().0, anew.cost().0);
        assert_eq!(others.cost().1, anew.cost().1);
    });
}

#[test]
fn nobody_spares_more_than_the_prices_tell() {
    let (pairs, exact) = (Cell::new(0), Cell::new(0));
    on_teams(|work, leaver| {
        let mut others = work.clone();
        others.leave(leaver);
        let prices = others.prices();
        for joiner in (0..work.market.c.candidates.len()).filter(|&b| !work.team[b]) {
            let at_least = others.cost().0 + others.seat(joiner) - others.spares(joiner, &prices);
            let mut with = work.clone();
            with.exchange(Some(leaver), Some(joiner));
            assert!(with.cost().0 >= at_least - 1e-6, "{} {at_least}", with.cost().0);
            pairs.set(pairs.get() + 1);
            exact.set(exact.get() + i32::from(with.cost().0 < at_least + 1e-6));
        }
    });
    // A bound that is seldom reached would not tell who is promising.
    assert!(exact.get() * 2 > pairs.get(), "{} of {}", exact.get(), pairs.get());
}
