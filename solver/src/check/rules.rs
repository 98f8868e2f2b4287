//! Whether a proposal keeps the rules of the call.

use std::collections::{BTreeMap, BTreeSet};

use super::Report;
use super::facts::Facts;
use crate::answer::{Proposal, Role};
use crate::model::{Criterion, Options, Scope};
use crate::rules::RuleId;

/// Actors locked in are members, actors locked out are not.
pub(super) fn locks(facts: &Facts<'_>, options: &Options, report: &mut Report<'_>) {
    for id in options.locked_in.iter().filter(|id| !facts.members.contains(id.as_str())) {
        report.wrong(format!("{id:?} is locked in but not a member"));
    }
    for id in options.locked_out.iter().filter(|id| facts.members.contains(id.as_str())) {
        report.wrong(format!("{id:?} is locked out but a member"));
    }
}

/// Capacities, pools and smallest viable quantities.
pub(super) fn amounts(facts: &Facts<'_>, report: &mut Report<'_>) {
    // Work by capability and by pool; apart for each unit where the unit or the capacity is not declared.
    let mut capabilities: BTreeMap<&str, BTreeMap<&str, u128>> = BTreeMap::new();
    let mut pools: BTreeMap<(&str, &str), u128> = BTreeMap::new();
    for work in &facts.work {
        let capability = facts.capabilities[work.capability.as_str()].1;
        let unit = facts.needs[work.need.as_str()].1.unit.as_str();
        *capabilities.entry(&work.capability).or_default().entry(unit).or_default() += u128::from(work.quantity);
        if let Some(pool) = &capability.pool {
            *pools.entry((pool, unit)).or_default() += u128::from(work.quantity);
        }
    }
    for (id, by_unit) in &capabilities {
        let capability = facts.capabilities[id].1;
        let all: u128 = by_unit.values().sum();
        let within = match capability.capacity_per_year {
            Some(per_year) => all <= facts.over_contract(per_year),
            None => by_unit.iter().all(|(unit, &work)| {
                facts.per_year(capability, unit).is_some_and(|per_year| work <= facts.over_contract(per_year))
            }),
        };
        if !within {
            report.broken(RuleId::Capacity, format!("{id}: {all} is more than its capacity"));
        }
        if all < u128::from(capability.minimum_quantity) {
            let message = format!("{id}: {all} is less than its smallest viable quantity");
            report.broken(RuleId::MinimumQuantity, message);
        }
    }
    for ((pool, unit), work) in pools {
        let mut by_actor: BTreeMap<&str, u128> = BTreeMap::new();
        for (actor, capability) in facts.capabilities.values() {
            if capability.pool.as_deref() == Some(pool) && capability.unit.as_deref().unwrap_or(unit) == unit {
                let over_contract = facts.per_year(capability, unit).map_or(0, |q| facts.over_contract(q));
                *by_actor.entry(&actor.id).or_default() += over_contract;
            }
        }
        if by_actor.len() > 1 && by_actor.values().all(|&capacity| work > capacity) {
            report.broken(RuleId::Pool, format!("pool {pool}: {work} {unit} is more than its capacity"));
        }
    }
}

/// Shares of the services and money advanced.
pub(super) fn money(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let call = &facts.problem.call;
    let all: i128 = facts.members.iter().map(|id| facts.amounts(id).0).sum();
    for member in &proposal.members {
        let (services, fixed) = facts.amounts(&member.actor);
        if call.group.maximum_share_percent.is_some_and(|most| services * 100 > i128::from(most) * all) {
            report.broken(RuleId::MaximumShare, format!("{:?} carries more than the largest share", member.actor));
        }
        if call.group.minimum_share_percent.is_some_and(|least| services * 100 < i128::from(least) * all) {
            report.broken(RuleId::MinimumShare, format!("{:?} carries less than the smallest share", member.actor));
        }
        // amount × (100 − advance)/100 × delay ≤ cash × months × 365/12
        if let Some(cash) = facts.actors[member.actor.as_str()].available_cash_cents {
            let held = i128::from(100 - call.payment.advance_percent.min(100)) * i128::from(call.payment.delay_days);
            let advanced = (services + fixed) * held * 12;
            if advanced > i128::from(cash) * 100 * i128::from(call.duration_months) * 365 {
                report.broken(RuleId::Treasury, format!("{:?} must advance more than its cash", member.actor));
            }
        }
    }
}

/// Size, legal families and incompatibilities.
pub(super) fn group(facts: &Facts<'_>, report: &mut Report<'_>) {
    let group = &facts.problem.call.group;
    let size = facts.members.len();
    let most = group.maximum_members.map_or(usize::MAX, |most| most as usize);
    if size < group.minimum_members as usize || size > most {
        report.broken(RuleId::Size, format!("{size} members"));
    }
    let families: BTreeSet<&str> =
        facts.members.iter().filter_map(|id| facts.actors[id].legal_family.as_deref()).collect();
    if group.minimum_legal_families.is_some_and(|least| families.len() < least as usize) {
        report.broken(RuleId::LegalFamilies, format!("{} legal families", families.len()));
    }
    for pair in &facts.problem.incompatibilities {
        if facts.members.contains(pair.a.as_str()) && facts.members.contains(pair.b.as_str()) {
            report.broken(RuleId::Incompatibility, format!("{:?} and {:?} are members together", pair.a, pair.b));
        }
    }
}

/// Who joins only with whom, who reaches whom, and how many work for what.
pub(super) fn shape(facts: &Facts<'_>, report: &mut Report<'_>) {
    let call = &facts.problem.call;
    for preference in &facts.problem.preferences {
        let beside = preference.only_with.iter().any(|id| facts.members.contains(id.as_str()));
        if facts.members.contains(preference.actor.as_str()) && !beside {
            let message = format!("{:?} joins only with {:?}", preference.actor, preference.only_with);
            report.broken(RuleId::Preference, message);
        }
    }
    if call.group.connected && reached(facts) < facts.members.len() {
        report.broken(RuleId::Connected, "the members are not connected by relations");
    }
    for lot in &call.lots {
        let working = facts.work.iter().filter(|work| work.lot == lot.id && work.quantity > 0);
        let working = working.map(|work| work.actor.as_str()).collect::<BTreeSet<_>>().len();
        let most = lot.maximum_members.map_or(usize::MAX, |most| most as usize);
        if working < lot.minimum_members.unwrap_or(0) as usize || working > most {
            report.broken(RuleId::LotSize, format!("{working} members work for the lot {:?}", lot.id));
        }
        for need in &lot.needs {
            let hands = facts.work.iter().filter(|work| work.need == need.id && work.quantity > 0);
            let hands = hands.map(|work| work.actor.as_str()).collect::<BTreeSet<_>>().len();
            if need.maximum_suppliers.is_some_and(|most| hands > most as usize) {
                report.broken(RuleId::FewHands, format!("{hands} members deliver {:?}", need.id));
            }
        }
    }
}

/// How many members the first one reaches through relations among members, itself included.
fn reached(facts: &Facts<'_>) -> usize {
    let mut seen: BTreeSet<&str> = facts.members.first().copied().into_iter().collect();
    loop {
        let next: BTreeSet<&str> = facts
            .problem
            .relations
            .iter()
            .flat_map(|r| [(r.a.as_str(), r.b.as_str()), (r.b.as_str(), r.a.as_str())])
            .filter(|(from, to)| seen.contains(from) && facts.members.contains(to) && !seen.contains(to))
            .map(|(_, to)| to)
            .collect();
        if next.is_empty() {
            return seen.len();
        }
        seen.extend(next);
    }
}

/// Conditions of participation on members, on the lead and on the members together.
pub(super) fn eligibility(facts: &Facts<'_>, proposal: &Proposal, report: &mut Report<'_>) {
    let works_for = |id: &str, lots: &[String]| {
        lots.is_empty() || facts.work.iter().any(|work| work.actor == id && lots.contains(&work.lot))
    };
    for rule in report.on.eligibility(facts.problem) {
        let counted: Vec<_> =
            facts.members.iter().filter(|id| works_for(id, &rule.lots)).map(|id| facts.actors[id]).collect();
        let meets = |actor: &crate::model::Actor| facts.meets(actor, &rule.criterion);
        let (id, met) = match (rule.scope, &rule.criterion) {
            (Scope::EachMember, _) => (RuleId::Eligibility, counted.iter().all(|actor| meets(actor))),
            (Scope::SumOverMembers, Criterion::Turnover { minimum_cents }) => {
                let sum: i128 = counted.iter().filter_map(|actor| actor.turnover_cents).map(i128::from).sum();
                (RuleId::Eligibility, sum >= i128::from(*minimum_cents))
            }
            (Scope::AnyMember | Scope::SumOverMembers, _) => {
                (RuleId::Eligibility, counted.iter().any(|actor| meets(actor)))
            }
            (Scope::Lead, _) => {
                let lead = proposal.members.iter().find(|member| member.role != Role::GroupMember);
                (RuleId::Lead, lead.is_some_and(|lead| meets(facts.actors[lead.actor.as_str()])))
            }
            (Scope::Performer, _) => continue, // Checked with each piece of work.
        };
        if !met {
            report.broken(id, format!("condition {:?} is not met", rule.id));
        }
    }
}
