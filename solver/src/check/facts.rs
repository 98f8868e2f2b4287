//! What the raw problem and a proposal say, by plain look-ups.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Allocation, Proposal};
use crate::apportion::apportion;
use crate::model::{Actor, Capability, Cents, Criterion, Need, Problem, Quantity, Relation, Spread, Term};

pub(super) struct Facts<'a> {
    pub(super) problem: &'a Problem,
    pub(super) actors: BTreeMap<&'a str, &'a Actor>,
    pub(super) capabilities: BTreeMap<&'a str, (&'a Actor, &'a Capability)>,
    /// Needs with the id of their lot.
    pub(super) needs: BTreeMap<&'a str, (&'a str, &'a Need)>,
    pub(super) members: BTreeSet<&'a str>,
    pub(super) work: Vec<&'a Allocation>,
    /// By pair, the smaller id first.
    pub(super) relations: BTreeMap<(&'a str, &'a str), &'a Relation>,
    territories: BTreeMap<&'a str, Option<&'a str>>,
    services: BTreeMap<&'a str, Option<&'a str>>,
    publics: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(problem: &'a Problem, proposal: &'a Proposal) -> Self {
        let terms = |terms: &'a [Term]| terms.iter().map(|t| (t.id.as_str(), t.parent.as_deref())).collect();
        let lots = &problem.call.lots;
        Self {
            problem,
            relations: problem
                .relations
                .iter()
                .map(|r| ((r.a.as_str().min(&r.b), r.a.as_str().max(&r.b)), r))
                .collect(),
            actors: problem.actors.iter().map(|actor| (actor.id.as_str(), actor)).collect(),
            capabilities: problem
                .actors
                .iter()
                .flat_map(|actor| actor.capabilities.iter().map(move |c| (c.id.as_str(), (actor, c))))
                .collect(),
            needs: lots
                .iter()
                .flat_map(|lot| lot.needs.iter().map(|need| (need.id.as_str(), (lot.id.as_str(), need))))
                .collect(),
            members: proposal.members.iter().map(|member| member.actor.as_str()).collect(),
            work: proposal.allocations.iter().collect(),
            territories: problem.territories.iter().map(|t| (t.id.as_str(), t.parent.as_deref())).collect(),
            services: terms(&problem.services),
            publics: terms(&problem.publics),
        }
    }

    /// Whether `code` is `top` or below it.
    fn below(tree: &BTreeMap<&str, Option<&str>>, code: &str, top: &str) -> bool {
        let mut at = Some(code);
        while let Some(node) = at {
            if node == top {
                return true;
            }
            at = tree.get(node).copied().flatten();
        }
        false
    }

    pub(super) fn service_below(&self, code: &str, top: &str) -> bool {
        Self::below(&self.services, code, top)
    }

    fn overlap(&self, a: &str, b: &str) -> bool {
        Self::below(&self.territories, a, b) || Self::below(&self.territories, b, a)
    }

    /// Why a capability cannot do some work; `None` if it can.
    pub(super) fn mismatch(&self, capability: &Capability, need: &Need, territory: &str) -> Option<&'static str> {
        if !capability.services.iter().any(|own| self.service_below(own, &need.service)) {
            return Some("does not offer the service");
        }
        let public = capability.publics.is_empty()
            || need
                .public
                .as_ref()
                .is_some_and(|asked| capability.publics.iter().any(|own| Self::below(&self.publics, asked, own)));
        if !public {
            return Some("does not serve the public");
        }
        let modality = need.modality.as_ref();
        if modality.is_some_and(|asked| !capability.modalities.is_empty() && !capability.modalities.contains(asked)) {
            return Some("does not work in the modality");
        }
        if capability.unit.as_ref().is_some_and(|unit| *unit != need.unit) {
            return Some("counts in another unit");
        }
        let reaches = capability.territories.iter().any(|own| match need.spread {
            Spread::Anywhere => self.overlap(own, territory),
            Spread::Population => Self::below(&self.territories, territory, own),
        });
        if !reaches {
            return Some("does not reach the territory");
        }
        if Self::unit_cost(capability, need).is_none() { Some("has no known cost") } else { None }
    }

    /// What a need asks where.
    pub(super) fn places(&self, need: &Need) -> BTreeMap<&'a str, Quantity> {
        if need.spread == Spread::Anywhere {
            let place = self.territories.get_key_value(need.territory.as_str());
            return place.map(|(&id, _)| (id, need.quantity)).into_iter().collect();
        }
        let parents: BTreeSet<&str> = self.territories.values().flatten().copied().collect();
        let mut leaves: Vec<(&str, u64)> = self
            .problem
            .territories
            .iter()
            .filter(|t| !parents.contains(t.id.as_str()) && Self::below(&self.territories, &t.id, &need.territory))
            .map(|t| (t.id.as_str(), t.population))
            .collect();
        leaves.sort_unstable();
        let weights: Vec<u64> = leaves.iter().map(|&(_, population)| population).collect();
        leaves.into_iter().map(|(id, _)| id).zip(apportion(need.quantity, &weights)).collect()
    }

    /// Declared unit cost, or the one to assume and `true`; `None` where there is neither.
    pub(super) fn unit_cost(capability: &Capability, need: &Need) -> Option<(Cents, bool)> {
        match (capability.unit_cost_cents, need.reference_unit_cost_cents) {
            (Some(declared), _) => Some((declared, false)),
            (None, reference) => reference.map(|reference| (reference, true)),
        }
    }

    /// Capacity a year in a unit, declared or assumed.
    pub(super) fn per_year(&self, capability: &Capability, unit: &str) -> Option<Quantity> {
        let assumed = || self.problem.call.assumptions.capacity_per_year_by_unit.get(unit).copied();
        capability.capacity_per_year.or_else(assumed)
    }

    /// Capacity over the contract.
    pub(super) fn over_contract(&self, per_year: Quantity) -> u128 {
        u128::from(per_year) * u128::from(self.problem.call.duration_months) / 12
    }

    /// Whether an actor meets a criterion by itself or, for certificates, through those who share theirs with it.
    pub(super) fn meets(&self, actor: &Actor, criterion: &Criterion) -> bool {
        let start = self.problem.call.start.as_deref();
        let holds = |holder: &Actor, code: &str| {
            holder.credentials.iter().any(|held| {
                let begun = held.valid_from.as_deref().zip(start).is_none_or(|(from, day)| from <= day);
                let ended = held.valid_to.as_deref().zip(start).is_some_and(|(to, day)| to < day);
                held.code == code && begun && !ended
            })
        };
        match criterion {
            Criterion::Credential { code, accept_linked } => {
                let lent = || {
                    let links = self.problem.links.iter().filter(|l| l.to == actor.id && l.shares_credentials);
                    links.filter_map(|l| self.actors.get(l.from.as_str())).any(|holder| holds(holder, code))
                };
                holds(actor, code) || (*accept_linked && lent())
            }
            Criterion::LegalFamily { any_of } => {
                any_of.iter().any(|family| actor.legal_family.as_deref() == Some(family))
            }
            Criterion::HomeTerritory { territory } => {
                actor.home_territories.iter().any(|home| self.overlap(home, territory))
            }
            Criterion::Turnover { minimum_cents } => actor.turnover_cents.is_some_and(|own| own >= *minimum_cents),
        }
    }

    /// Cost of the services of a member, and its fixed costs.
    pub(super) fn amounts(&self, actor: &str) -> (i128, i128) {
        let own = || self.work.iter().filter(|a| a.actor == actor);
        let services = own().map(|a| self.cost(a)).sum();
        let used: BTreeSet<&str> = own().map(|a| a.capability.as_str()).collect();
        let fixed = used.iter().map(|id| i128::from(self.capabilities[id].1.fixed_cost_cents)).sum();
        (services, fixed)
    }

    /// Cost of the services of one allocation; nothing where it is unknown, which is a mismatch of its own.
    pub(super) fn cost(&self, work: &Allocation) -> i128 {
        let capability = self.capabilities[work.capability.as_str()].1;
        let unit_cost = Self::unit_cost(capability, self.needs[work.need.as_str()].1).map_or(0, |(cost, _)| cost);
        i128::from(work.quantity) * i128::from(unit_cost)
    }
}
