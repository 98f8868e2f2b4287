//! Whether a proposal names what exists and adds up.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::facts::Facts;
use crate::answer::{Assumed, Proposal, Role};
use crate::model::{Between, Quantity, Relation, Scope};
use crate::rules::{RuleId, RuleSet};

/// Whether everything named exists; the rest of the check relies on it.
pub(super) fn existence(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) -> bool {
    let before = report.violations.len();
    if proposal.members.is_empty() {
        report.wrong("the proposal has no member");
    }
    if facts.members.len() < proposal.members.len() {
        report.wrong("a member stands twice");
    }
    for member in proposal.members.iter().filter(|member| !facts.actors.contains_key(member.actor.as_str())) {
        report.wrong(format!("unknown member {:?}", member.actor));
    }
    for work in &proposal.allocations {
        if !facts.members.contains(work.actor.as_str()) {
            report.wrong(format!("{:?} works but is not a member", work.actor));
        }
        match facts.capabilities.get(work.capability.as_str()) {
            Some((owner, _)) if owner.id == work.actor => {}
            Some(_) => report.wrong(format!("{:?} is not a capability of {:?}", work.capability, work.actor)),
            None => report.wrong(format!("unknown capability {:?}", work.capability)),
        }
        match facts.needs.get(work.need.as_str()) {
            Some((lot, _)) if *lot == work.lot => {}
            Some(_) => report.wrong(format!("the need {:?} is not in the lot {:?}", work.need, work.lot)),
            None => report.wrong(format!("unknown need {:?}", work.need)),
        }
    }
    report.violations.len() == before
}

/// Each piece of work: possible, allowed, priced and spread over the years as it says; no place gets more than it asks.
pub(super) fn allocations(facts: &Facts<'_>, on: &RuleSet, proposal: &Proposal, report: &mut Report<'_>) {
    let mut given: BTreeMap<(&str, &str), u128> = BTreeMap::new();
    for work in &proposal.allocations {
        let (actor, capability) = facts.capabilities[work.capability.as_str()];
        let (lot, need) = facts.needs[work.need.as_str()];
        let what = format!("{} for {} in {}", work.capability, work.need, work.territory);
        if let Some(reason) = facts.mismatch(capability, need, &work.territory) {
            report.wrong(format!("{what}: {reason}"));
        }
        if work.quantity == 0 {
            report.wrong(format!("{what}: no quantity"));
        }
        *given.entry((&work.need, &work.territory)).or_default() += u128::from(work.quantity);
        let years = facts.problem.call.duration_months.div_ceil(12) as usize;
        report.same(&format!("{what}: years"), &work.by_year.len(), &years);
        let by_year: u128 = work.by_year.iter().map(|&q| u128::from(q)).sum();
        report.same(&format!("{what}: sum of the years"), &u128::from(work.quantity), &by_year);
        let cost_assumed = capability.unit_cost_cents.is_none();
        report.same(&format!("{what}: amount"), &i128::from(work.amount_cents), &facts.cost(work));
        let assumed = cost_assumed || capability.capacity_per_year.is_none();
        report.same(&format!("{what}: assumed"), &work.assumed, &assumed);
        for rule in on.eligibility(facts.problem) {
            let lots = rule.lots.is_empty() || rule.lots.iter().any(|named| named == lot);
            let services =
                rule.services.is_empty() || rule.services.iter().any(|top| facts.service_below(&need.service, top));
            let asked = match rule.scope {
                Scope::EachMember => lots,
                Scope::Performer => lots && services,
                Scope::AnyMember | Scope::SumOverMembers | Scope::Lead => false,
            };
            if asked && !facts.meets(actor, &rule.criterion) {
                report.broken(RuleId::Eligibility, format!("{what}: {:?} does not meet {:?}", actor.id, rule.id));
            }
        }
    }
    let mut places: BTreeMap<&str, BTreeMap<&str, Quantity>> = BTreeMap::new();
    for ((need, territory), quantity) in given {
        let places = places.entry(need).or_insert_with(|| facts.places(facts.needs[need].1));
        let asked = places.get(territory).copied();
        if asked.is_none_or(|asked| quantity > u128::from(asked)) {
            report.wrong(format!("{need} in {territory}: {quantity} allocated, {} asked", asked.unwrap_or(0)));
        }
    }
    assumptions(facts, proposal, report);
}

/// Every assumption that the work rests on is told, and no other.
fn assumptions(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let mut counted = BTreeSet::new();
    for work in &proposal.allocations {
        let capability = facts.capabilities[work.capability.as_str()].1;
        let need = facts.needs[work.need.as_str()].1;
        if capability.capacity_per_year.is_none() {
            let per_year = facts.per_year(capability, &need.unit).map_or(-1, |q| q.try_into().unwrap_or(-1));
            counted.insert((work.capability.as_str(), false, per_year));
        }
        if let Some((cost, true)) = Facts::unit_cost(capability, need) {
            counted.insert((work.capability.as_str(), true, cost));
        }
    }
    let told: BTreeSet<_> =
        proposal.assumptions.iter().map(|a| (a.capability.as_str(), a.what == Assumed::UnitCost, a.value)).collect();
    report.same("assumptions", &told, &counted);
}

/// Coverage by need and its gaps; mandatory needs in full.
pub(super) fn coverage(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let order: Vec<&str> =
        facts.problem.call.lots.iter().flat_map(|lot| &lot.needs).map(|need| need.id.as_str()).collect();
    let told: Vec<&str> = proposal.needs.iter().map(|need| need.need.as_str()).collect();
    report.same("needs", &told, &order);
    let mut covered: BTreeMap<&str, u128> = BTreeMap::new();
    for work in &proposal.allocations {
        *covered.entry(&work.need).or_default() += u128::from(work.quantity);
    }
    for told in &proposal.needs {
        let Some((_, need)) = facts.needs.get(told.need.as_str()) else { continue };
        let counted = covered.get(told.need.as_str()).copied().unwrap_or(0);
        report.same(&format!("covered of {}", told.need), &u128::from(told.covered), &counted);
        report.same(&format!("quantity of {}", told.need), &told.quantity, &need.quantity);
        let asked = u128::from(need.quantity);
        if need.mandatory && counted < asked {
            let message = format!("{} is mandatory: {counted} of {asked} covered", told.need);
            report.broken(RuleId::Demand, message);
        }
        let gaps: u128 = told.gaps.iter().map(|gap| u128::from(gap.quantity)).sum();
        let missing = asked.saturating_sub(counted);
        if !told.gaps.is_empty() && gaps != missing {
            report.wrong(format!("gaps of {}: {gaps} told, {missing} missing", told.need));
        }
    }
}

/// Each cost, counted again.
pub(super) fn costs(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let told = &proposal.costs;
    let (services, fixed) =
        facts.members.iter().map(|id| facts.amounts(id)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let members: Vec<&str> = facts.members.iter().copied().collect();
    let rates = &facts.problem.call.coordination;
    let mut coordination =
        i128::from(rates.per_member_cents) * members.len() as i128 + pairs_cost(facts, proposal, &members);
    coordination += (services * i128::from(rates.overhead_percent) + 99) / 100;
    let (mut known, mut pairs) = (0_u32, 0_u32);
    for (i, a) in members.iter().enumerate() {
        for b in &members[i + 1..] {
            pairs += 1;
            known += u32::from(relation(facts, a, b).is_some());
        }
    }
    let mut covered: BTreeMap<&str, i128> = BTreeMap::new();
    for work in &facts.work {
        *covered.entry(&work.need).or_default() += i128::from(work.quantity);
    }
    let unmet: i128 = facts
        .needs
        .values()
        .map(|(_, need)| {
            let covered = covered.get(need.id.as_str()).copied().unwrap_or(0);
            (i128::from(need.quantity) - covered).max(0) * i128::from(need.unmet_cost_cents)
        })
        .sum();
    let total = services + fixed + coordination;
    for (what, told, counted) in [
        ("services", told.services_cents, services),
        ("fixed costs", told.fixed_cents, fixed),
        ("coordination", told.coordination_cents, coordination),
        ("total", told.total_cents, total),
        ("unmet", told.unmet_cents, unmet),
        ("objective", told.objective_cents, total + unmet),
    ] {
        report.same(what, &i128::from(told), &counted);
    }
    report.same("known pairs", &proposal.cohesion.known_pairs, &known);
    report.same("pairs", &proposal.cohesion.pairs, &pairs);
    if facts.problem.call.budget_cents.is_some_and(|budget| total > i128::from(budget)) {
        report.broken(RuleId::Budget, format!("costs {total} cents, more than the budget"));
    }
}

fn relation<'a>(facts: &Facts<'a>, a: &str, b: &str) -> Option<&'a Relation> {
    facts.relations.get(&(a.min(b), a.max(b))).copied()
}

/// What the pairs that coordinate cost: all, those with the lead, or those of each lot.
fn pairs_cost(facts: &Facts<'_>, proposal: &Proposal, members: &[&str]) -> i128 {
    let among = |group: &[&str]| -> i128 {
        let all = group.iter().enumerate().flat_map(|(i, a)| group[i + 1..].iter().map(move |b| (*a, *b)));
        all.map(|(a, b)| pair_cost(facts, a, b)).sum()
    };
    match facts.problem.call.coordination.between {
        Between::All => among(members),
        Between::Lead => {
            let lead = proposal.members.iter().find(|member| member.role != Role::GroupMember);
            let lead = lead.map_or("", |lead| lead.actor.as_str());
            star_cost(facts, members, lead)
        }
        Between::Lot => {
            let lots = facts.problem.call.lots.iter();
            lots.map(|lot| {
                let working = facts.work.iter().filter(|work| work.lot == lot.id && work.quantity > 0);
                let working: BTreeSet<&str> = working.map(|work| work.actor.as_str()).collect();
                among(&working.into_iter().collect::<Vec<_>>())
            })
            .sum()
        }
    }
}

/// Where members coordinate with the lead alone, no other member that may lead would cost less.
fn hub(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    if facts.problem.call.coordination.between != Between::Lead {
        return;
    }
    let members: Vec<&str> = facts.members.iter().copied().collect();
    let conditions: Vec<_> = report.on.eligibility(facts.problem).filter(|rule| rule.scope == Scope::Lead).collect();
    let may_lead = |id: &str| {
        !report.on.active(RuleId::Lead) || conditions.iter().all(|rule| facts.meets(facts.actors[id], &rule.criterion))
    };
    let eligible: Vec<&str> = members.iter().copied().filter(|id| may_lead(id)).collect();
    let cost = |lead: &str| star_cost(facts, &members, lead);
    let least = if eligible.is_empty() { &members } else { &eligible }.iter().map(|id| cost(id)).min();
    let lead = proposal.members.iter().find(|member| member.role != Role::GroupMember);
    report.same("cost of coordinating with the lead", &lead.map(|lead| cost(&lead.actor)), &least);
}

/// What the pairs with a lead cost.
fn star_cost(facts: &Facts<'_>, members: &[&str], lead: &str) -> i128 {
    members.iter().filter(|id| **id != lead).map(|id| pair_cost(facts, lead, id)).sum()
}

/// What a pair costs: less by the strength of its relation.
fn pair_cost(facts: &Facts<'_>, a: &str, b: &str) -> i128 {
    let new = i128::from(facts.problem.call.coordination.per_new_pair_cents);
    new - new * relation(facts, a, b).map_or(0, |r| i128::from(r.strength_percent)) / 100
}

/// Roles, amounts, shares and lots of the members.
pub(super) fn members(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let count = |role: Role| proposal.members.iter().filter(|member| member.role == role).count();
    let alone = usize::from(proposal.members.len() == 1);
    report.same("sole tenderers", &count(Role::SoleTenderer), &alone);
    report.same("leads", &count(Role::GroupLead), &(1 - alone));
    hub(facts, proposal, report);
    let amounts: Vec<i128> = proposal.members.iter().map(|m| facts.amounts(&m.actor)).map(|(a, b)| a + b).collect();
    let all: i128 = amounts.iter().sum();
    let mut shares = 0;
    for (member, amount) in proposal.members.iter().zip(amounts) {
        report.same(&format!("amount of {}", member.actor), &i128::from(member.amount_cents), &amount);
        #[allow(clippy::cast_possible_truncation)]
        let told = (member.share_percent * 100.0).round().clamp(-1e6, 1e6) as i128;
        shares += told;
        // Within a hundredth of the exact share: up or down, so that all add up.
        if (told * all - amount * 10_000).abs() >= all.max(1) || (all == 0 && told != 0) {
            report
                .wrong(format!("share of {}: {} % told, {amount} of {all} cents", member.actor, member.share_percent));
        }
        let worked: BTreeSet<&str> =
            facts.work.iter().filter(|w| w.actor == member.actor).map(|w| w.lot.as_str()).collect();
        let told: BTreeSet<&str> = member.lots.iter().map(String::as_str).collect();
        report.same(&format!("lots of {}", member.actor), &told, &worked);
        if worked.is_empty() {
            report.broken(RuleId::ActiveMember, format!("{:?} does nothing", member.actor));
        }
    }
    report.same("sum of the shares, in hundredths of percent", &shares, &if all == 0 { 0 } else { 10_000 });
}
