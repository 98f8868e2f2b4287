//! What some organisations can deliver of a call, place by place, whatever it costs: a maximum flow from their capabilities to the needs.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::territory::{PlaceSupply, TerritoryQuery};
use attelage_solver::{Criterion, Instance, Options, Problem, Query, Reply, ask};

use super::CoveredPlace;
use crate::calls::problem::unsigned;
use crate::calls::{Call, Need};

/// A few actors of a problem, with what concerns them: as quick to ask as it is small.
pub struct Survey(Instance);

impl Survey {
    /// Of these actors, and those that lend them certificates. `None` where the solver refuses the rest of the problem, which it took as a
    /// whole. O(size of the problem).
    #[must_use]
    pub fn of(problem: &Problem, actors: &BTreeSet<&str>) -> Option<Self> {
        Instance::new(reduced(problem, actors)).ok().map(Self)
    }

    /// What a team can deliver, in the order of the call. One flow.
    #[must_use]
    pub fn supply(&self, team: &BTreeSet<&str>) -> Vec<PlaceSupply> {
        let others = self.0.problem().actors.iter().filter(|actor| !team.contains(actor.id.as_str()));
        let options = Options { locked_out: others.map(|actor| actor.id.clone()).collect(), ..Options::default() };
        let query = Query::Territory(TerritoryQuery { best_places: 0, ..TerritoryQuery::default() });
        match ask(&self.0, &options, &query, &()) {
            Ok(Reply::Territory(map)) => map.places,
            _ => Vec::new(),
        }
    }

    /// Whether one of the actors meets a condition of participation by itself.
    #[must_use]
    pub fn meets(&self, actor: &str, condition: &str) -> bool {
        self.0.meets(actor, condition).unwrap_or(false)
    }
}

/// Units served by need.
#[must_use]
pub fn by_need(supply: &[PlaceSupply]) -> BTreeMap<&str, u64> {
    let mut served = BTreeMap::new();
    for place in supply {
        *served.entry(place.need.as_str()).or_default() += place.served;
    }
    served
}

/// Covered part of a call in percent. A need weighs what it costs at its reference cost, but no less than it is worth to the funder; all
/// weigh the same where no need says.
#[must_use]
pub fn coverage_percent(problem: &Problem, served: &BTreeMap<&str, u64>) -> f64 {
    let needs: Vec<_> = problem.call.lots.iter().flat_map(|lot| &lot.needs).collect();
    let worth = |need: &attelage_solver::Need| {
        let price = need.reference_unit_cost_cents.unwrap_or(0).max(need.unmet_cost_cents);
        u128::from(unsigned(price)) * u128::from(need.quantity)
    };
    let none = needs.iter().all(|need| worth(need) == 0);
    let mut done = 0;
    let mut all = 0;
    for need in needs {
        let weight = if none { 1 } else { worth(need) };
        let part = served.get(need.id.as_str()).copied().unwrap_or(0).min(need.quantity);
        // In millionths of each need, to stay whole.
        done += weight * (u128::from(part) * 1_000_000 / u128::from(need.quantity.max(1)));
        all += weight * 1_000_000;
    }
    percent(done, all)
}

/// A part in percent, to the hundredth below.
#[must_use]
pub fn percent(part: u128, whole: u128) -> f64 {
    let hundredths = part.min(whole) * 10_000 / whole.max(1);
    f64::from(u32::try_from(hundredths).unwrap_or(10_000)) / 100.0
}

/// The needs of a call by code, with the code of their lot.
#[must_use]
pub fn needs(call: &Call) -> BTreeMap<&str, (&str, &Need)> {
    let lots = call.value.written.lots.iter();
    lots.flat_map(|lot| lot.needs.iter().map(|need| (need.code.as_str(), (lot.code.as_str(), need)))).collect()
}

/// A quantity of a need in a place; `None` where the call has no such need.
#[must_use]
pub fn place(
    needs: &BTreeMap<&str, (&str, &Need)>,
    need: &str,
    territory: &str,
    quantity: u64,
) -> Option<CoveredPlace> {
    let (lot, own) = needs.get(need)?;
    Some(CoveredPlace {
        need: need.to_owned(),
        lot: (*lot).to_owned(),
        service: own.service.clone(),
        public: own.public.clone(),
        modality: own.modality.clone(),
        territory: territory.to_owned(),
        unit: own.unit,
        quantity,
    })
}

/// A problem with these actors and those that lend them certificates, and the territories that concern them.
fn reduced(problem: &Problem, actors: &BTreeSet<&str>) -> Problem {
    let lends = |link: &&attelage_solver::Link| link.shares_credentials && actors.contains(link.to.as_str());
    let mut kept: BTreeSet<&str> = problem.links.iter().filter(lends).map(|link| link.from.as_str()).collect();
    kept.extend(actors);
    let both = |a: &str, b: &str| kept.contains(a) && kept.contains(b);
    let mut actors: Vec<_> = problem.actors.iter().filter(|own| kept.contains(own.id.as_str())).cloned().collect();
    // No price counts: one that nobody has declared is no obstacle.
    for capability in actors.iter_mut().flat_map(|actor| &mut actor.capabilities) {
        capability.unit_cost_cents.get_or_insert(0);
    }
    let mut concerned: BTreeSet<&str> = BTreeSet::new();
    for actor in &actors {
        concerned.extend(actor.home_territories.iter().map(String::as_str));
        concerned.extend(actor.capabilities.iter().flat_map(|own| &own.territories).map(String::as_str));
    }
    for rule in &problem.call.eligibility {
        if let Criterion::HomeTerritory { territory } = &rule.criterion {
            concerned.insert(territory);
        }
    }
    let asked: BTreeSet<&str> =
        problem.call.lots.iter().flat_map(|lot| &lot.needs).map(|need| need.territory.as_str()).collect();
    let whole = territories(problem, concerned, &asked);
    Problem {
        territories: problem.territories.iter().filter(|own| whole.contains(own.id.as_str())).cloned().collect(),
        relations: problem.relations.iter().filter(|own| both(&own.a, &own.b)).cloned().collect(),
        links: problem.links.iter().filter(|own| both(&own.from, &own.to)).cloned().collect(),
        actors,
        call: problem.call.clone(),
        services: problem.services.clone(),
        publics: problem.publics.clone(),
        incompatibilities: Vec::new(),
        preferences: Vec::new(),
    }
}

/// Those concerned, those asked about with all below them, and all above either.
fn territories<'p>(problem: &'p Problem, mut found: BTreeSet<&'p str>, asked: &BTreeSet<&'p str>) -> BTreeSet<&'p str> {
    let mut children: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut parents: BTreeMap<&str, &str> = BTreeMap::new();
    for own in &problem.territories {
        if let Some(parent) = &own.parent {
            children.entry(parent).or_default().push(&own.id);
            parents.insert(&own.id, parent);
        }
    }
    let mut waiting: Vec<&str> = asked.iter().copied().collect();
    let mut below: BTreeSet<&str> = BTreeSet::new();
    while let Some(next) = waiting.pop() {
        if below.insert(next) {
            waiting.extend(children.get(next).into_iter().flatten());
        }
    }
    found.extend(below);
    let mut above: BTreeSet<&str> = BTreeSet::new();
    for start in &found {
        let mut next = parents.get(start).copied();
        while let Some(parent) = next.filter(|parent| above.insert(parent)) {
            next = parents.get(parent).copied();
        }
    }
    found.extend(above);
    found
}
