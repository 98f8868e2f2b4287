//! Whether a proposal names what exists and adds up.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::facts::Facts;
use crate::answer::{Assumed, Proposal, Role};
use crate::model::{Quantity, Relation, Scope};
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
    for ((need, territory), quantity) in given {
        let asked = facts.places(facts.needs[need].1).get(territory).copied();
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
    let mut covered: BTreeMap<&str, Quantity> = BTreeMap::new();
    for work in &proposal.allocations {
        *covered.entry(&work.need).or_default() += work.quantity;
    }
    for told in &proposal.needs {
        let Some((_, need)) = facts.needs.get(told.need.as_str()) else { continue };
        let counted = covered.get(told.need.as_str()).copied().unwrap_or(0);
        report.same(&format!("covered of {}", told.need), &told.covered, &counted);
        report.same(&format!("quantity of {}", told.need), &told.quantity, &need.quantity);
        if need.mandatory && counted < need.quantity {
            let message = format!("{} is mandatory: {counted} of {} covered", told.need, need.quantity);
            report.broken(RuleId::Demand, message);
        }
        let gaps: Quantity = told.gaps.iter().map(|gap| gap.quantity).sum();
        if !told.gaps.is_empty() && gaps != need.quantity.saturating_sub(counted) {
            report.wrong(format!("gaps of {}: {gaps} told, {} missing", told.need, need.quantity - counted));
        }
    }
}

/// The two actors of a relation, by id.
fn ordered(relation: &Relation) -> (&str, &str) {
    let (a, b) = (relation.a.as_str(), relation.b.as_str());
    (a.min(b), a.max(b))
}

/// Each cost, counted again.
pub(super) fn costs(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let told = &proposal.costs;
    let (services, fixed) =
        facts.members.iter().map(|id| facts.amounts(id)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let members: Vec<&str> = facts.members.iter().copied().collect();
    let rates = &facts.problem.call.coordination;
    let mut coordination = i128::from(rates.per_member_cents) * members.len() as i128;
    let (mut known, mut pairs) = (0_u32, 0_u32);
    let among = |r: &&Relation| facts.members.contains(r.a.as_str()) && facts.members.contains(r.b.as_str());
    // The members are listed by id, so that the smaller one of a pair comes first.
    let known_pairs = facts.problem.relations.iter().filter(among).map(|r| (ordered(r), r));
    let relations: BTreeMap<(&str, &str), &Relation> = known_pairs.collect();
    for (i, a) in members.iter().enumerate() {
        for b in &members[i + 1..] {
            let relation = relations.get(&(*a, *b));
            pairs += 1;
            known += u32::from(relation.is_some());
            let strength = relation.map_or(0, |r| i128::from(r.strength_percent));
            let new = i128::from(rates.per_new_pair_cents);
            coordination += new - new * strength / 100;
        }
    }
    let mut covered: BTreeMap<&str, Quantity> = BTreeMap::new();
    for work in &facts.work {
        *covered.entry(&work.need).or_default() += work.quantity;
    }
    let unmet: i128 = facts
        .needs
        .values()
        .map(|(_, need)| {
            let covered = covered.get(need.id.as_str()).copied().unwrap_or(0);
            i128::from(need.quantity.saturating_sub(covered)) * i128::from(need.unmet_cost_cents)
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

/// Roles, amounts, shares and lots of the members.
pub(super) fn members(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let count = |role: Role| proposal.members.iter().filter(|member| member.role == role).count();
    let alone = usize::from(proposal.members.len() == 1);
    report.same("sole tenderers", &count(Role::SoleTenderer), &alone);
    report.same("leads", &count(Role::GroupLead), &(1 - alone));
    let amounts: Vec<i128> = proposal.members.iter().map(|m| facts.amounts(&m.actor)).map(|(a, b)| a + b).collect();
    let all: i128 = amounts.iter().sum();
    let mut shares = 0;
    for (member, amount) in proposal.members.iter().zip(amounts) {
        report.same(&format!("amount of {}", member.actor), &i128::from(member.amount_cents), &amount);
        #[allow(clippy::cast_possible_truncation)]
        let told = (member.share_percent * 100.0).round() as i128;
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
