//! Which capability can serve which need, and why not.

use std::collections::BTreeSet;

use crate::answer::Refusal;
use crate::instance::Instance;
use crate::model::{Capability, Cents, EligibilityRule, Need, Quantity, Scope};
use crate::rules::{RuleId, RuleSet, eligibility};

/// A need with its codes as nodes of the trees.
#[derive(Clone, Debug)]
pub(crate) struct NeedRef<'a> {
    pub(crate) need: &'a Need,
    /// Index of its lot.
    pub(crate) lot: usize,
    pub(crate) service: usize,
    pub(crate) public: Option<usize>,
    pub(crate) territory: usize,
}

/// On which terms a capability serves a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) unit_cost: Cents,
    pub(crate) cost_assumed: bool,
    /// Units over the contract.
    pub(crate) capacity: Quantity,
    pub(crate) capacity_assumed: bool,
}

/// Answers "can it, and if not, why not" for any capability, need and place.
#[derive(Clone, Debug)]
pub(crate) struct Matcher<'a> {
    pub(crate) instance: &'a Instance,
    rules: RuleSet,
    locked_out: BTreeSet<usize>,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(instance: &'a Instance, rules: RuleSet, locked_out: BTreeSet<usize>) -> Self {
        Self { instance, rules, locked_out }
    }

    /// The terms on which a capability serves a need in one place, or the last obstacle that it meets. The obstacles are tried
    /// in a fixed order (what it is, where, how much, who), so that a later one means a nearer miss.
    pub(crate) fn terms(
        &self,
        actor: usize,
        capability: usize,
        need: &NeedRef<'_>,
        place: usize,
    ) -> Result<Terms, Refusal> {
        let declared = &self.instance.problem().actors[actor].capabilities[capability];
        self.kind(actor, capability, need)?;
        if !self.reaches(actor, capability, need, place) {
            return Err(Refusal::Territory);
        }
        let terms = self.amount(declared, need.need)?;
        self.allowed(actor, need)?;
        Ok(terms)
    }

    /// Service, public, modality and unit.
    fn kind(&self, actor: usize, capability: usize, need: &NeedRef<'_>) -> Result<(), Refusal> {
        let Instance { services, publics, .. } = self.instance;
        let declared = &self.instance.problem().actors[actor].capabilities[capability];
        let codes = &self.instance.capabilities[actor][capability];
        if !codes.services.iter().any(|&s| services.within(s, need.service)) {
            return Err(Refusal::Service);
        }
        let serves = codes.publics.is_empty()
            || need.public.is_some_and(|public| codes.publics.iter().any(|&p| publics.within(public, p)));
        if !serves {
            return Err(Refusal::Public);
        }
        if let Some(modality) = &need.need.modality
            && !declared.modalities.is_empty()
            && !declared.modalities.contains(modality)
        {
            return Err(Refusal::Modality);
        }
        if declared.unit.as_ref().is_some_and(|unit| *unit != need.need.unit) {
            return Err(Refusal::Unit);
        }
        Ok(())
    }

    /// Whether a capability reaches a place: a leaf must lie in one of its territories; for a need that may be served anywhere,
    /// any common part will do.
    fn reaches(&self, actor: usize, capability: usize, need: &NeedRef<'_>, place: usize) -> bool {
        let tree = &self.instance.territories;
        self.instance.capabilities[actor][capability].territories.iter().any(|&own| match need.need.spread {
            crate::Spread::Anywhere => tree.related(own, place),
            crate::Spread::Population => tree.within(place, own),
        })
    }

    /// Capacity and cost, declared or assumed.
    fn amount(&self, capability: &Capability, need: &Need) -> Result<Terms, Refusal> {
        let call = &self.instance.problem().call;
        let assumed = call.assumptions.capacity_per_year_by_unit.get(&need.unit).copied();
        let per_year = capability.capacity_per_year.or(assumed).ok_or(Refusal::UnknownCapacity)?;
        let capacity = self.instance.over_contract(per_year);
        let too_small = self.rules.active(RuleId::MinimumQuantity) && capacity < capability.minimum_quantity;
        if self.rules.active(RuleId::Capacity) && (capacity == 0 || too_small) {
            return Err(Refusal::NoCapacity);
        }
        let unit_cost = capability.unit_cost_cents.or(need.reference_unit_cost_cents).ok_or(Refusal::UnknownCost)?;
        Ok(Terms {
            unit_cost,
            cost_assumed: capability.unit_cost_cents.is_none(),
            capacity,
            capacity_assumed: capability.capacity_per_year.is_none(),
        })
    }

    /// Locks and conditions of participation.
    fn allowed(&self, actor: usize, need: &NeedRef<'_>) -> Result<(), Refusal> {
        let failed = self.rules.eligibility(self.instance.problem()).find(|rule| self.forbids(rule, actor, need));
        if let Some(rule) = failed {
            return Err(Refusal::Eligibility { rule: rule.id.clone() });
        }
        if self.locked_out.contains(&actor) { Err(Refusal::LockedOut) } else { Ok(()) }
    }

    /// Whether a condition keeps an actor from working for a need.
    pub(crate) fn forbids(&self, rule: &EligibilityRule, actor: usize, need: &NeedRef<'_>) -> bool {
        self.concerns(rule, need) && !eligibility::meets(self.instance, actor, &rule.criterion)
    }

    /// Whether a rule asks something of everybody who works for a need.
    fn concerns(&self, rule: &EligibilityRule, need: &NeedRef<'_>) -> bool {
        let lot = &self.instance.problem().call.lots[need.lot].id;
        let in_lot = rule.lots.is_empty() || rule.lots.contains(lot);
        let services = &self.instance.services;
        let named = |code: &String| services.get(code).is_some_and(|top| services.within(need.service, top));
        match rule.scope {
            Scope::EachMember => in_lot,
            Scope::Performer => in_lot && (rule.services.is_empty() || rule.services.iter().any(named)),
            Scope::AnyMember | Scope::SumOverMembers | Scope::Lead => false,
        }
    }

    /// The nearest that an actor comes to a need in a place; nothing if it can serve it. O(its capabilities).
    pub(crate) fn refusal(&self, actor: usize, need: &NeedRef<'_>, place: usize) -> Option<Refusal> {
        let mut nearest = Refusal::Service;
        for capability in 0..self.instance.capabilities[actor].len() {
            match self.terms(actor, capability, need, place) {
                Ok(_) => return None,
                Err(refusal) if nearness(&refusal) > nearness(&nearest) => nearest = refusal,
                Err(_) => {}
            }
        }
        Some(nearest)
    }
}

/// How near a refusal is to a match; larger is nearer.
pub(crate) fn nearness(refusal: &Refusal) -> u8 {
    match refusal {
        Refusal::Service => 0,
        Refusal::Public => 1,
        Refusal::Modality => 2,
        Refusal::Unit => 3,
        Refusal::Territory => 4,
        Refusal::NoCapacity => 5,
        Refusal::UnknownCapacity => 6,
        Refusal::UnknownCost => 7,
        Refusal::Eligibility { .. } => 8,
        Refusal::LockedOut => 9,
    }
}
