//! From members and whole quantities to a proposal with its costs, in exact arithmetic.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{
    Allocation, Assumed, Assumption, Cohesion, Costs, Member, Necessity, NeedCoverage, Proof, Proposal, Role,
};
use crate::apportion::{Years, apportion};
use crate::compile::{Compiled, Offer};
use crate::coordination;
use crate::model::{Between, Cents, Quantity};

/// `part / whole` in percent to two decimals; 100 of nothing is all of it.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn percent(part: i128, whole: i128) -> f64 {
    if whole == 0 { 100.0 } else { (part * 10_000 / whole) as f64 / 100.0 }
}

/// Units times a price.
pub(crate) fn price(quantity: Quantity, unit_cost: Cents) -> Cents {
    Cents::try_from(i128::from(quantity) * i128::from(unit_cost)).unwrap_or(Cents::MAX)
}

/// Builds the proposal of some members who do this much on each edge. Reasons, gaps and proof are left to their own modules.
pub(crate) fn proposal(c: &Compiled<'_>, members: &BTreeSet<usize>, quantity: &[Quantity]) -> Proposal {
    let allocations = allocations(c, quantity);
    let needs = coverage(c, quantity);
    let costs = costs(c, members, quantity);
    let coverage_percent = weighted_coverage(c, &needs, &allocations);
    Proposal {
        rank: 1,
        members: member_list(c, members, &allocations),
        assumptions: assumptions(c, quantity),
        coverage_percent,
        needs,
        costs,
        regret_cents: 0,
        cohesion: cohesion(c, members),
        proof: Proof {
            optimal: false,
            bound_cents: 0,
            gap_cents: costs.objective_cents,
            gap_percent: 100.0,
            verified: false,
        },
        allocations,
        stages: Vec::new(),
    }
}

/// Deals each cell's quantities out to its places, both in order, and sorts by need, territory, actor, capability.
fn allocations(c: &Compiled<'_>, quantity: &[Quantity]) -> Vec<Allocation> {
    let mut found = Vec::new();
    for cell in &c.cells {
        let mut places = cell.places.iter().copied();
        let mut place = places.next();
        for &e in &cell.edges {
            let mut left = quantity[e];
            while let Some((territory, room)) = place.filter(|_| left > 0) {
                let part = left.min(room);
                left -= part;
                found.push((cell.need, territory, e, part));
                place = if part == room { places.next() } else { Some((territory, room - part)) };
            }
        }
    }
    let problem = c.problem();
    found.sort_unstable_by_key(|&(need, territory, e, _)| (need, &problem.territories[territory].id, e));
    let mut years: BTreeMap<usize, Years> = BTreeMap::new();
    let list = found.into_iter().map(|(need, territory, e, part)| {
        let (edge, need) = (&c.edges[e], &c.needs[need]);
        let offer = &c.offers[edge.offer];
        Allocation {
            actor: c.id(offer.candidate).to_owned(),
            capability: offer.capability.id.clone(),
            lot: problem.call.lots[need.lot].id.clone(),
            need: need.need.id.clone(),
            territory: problem.territories[territory].id.clone(),
            quantity: part,
            by_year: years.entry(edge.offer).or_insert_with(|| Years::new(problem.call.duration_months)).split(part),
            amount_cents: price(part, edge.terms.unit_cost),
            assumed: edge.terms.capacity_assumed || edge.terms.cost_assumed,
        }
    });
    list.collect()
}

fn coverage(c: &Compiled<'_>, quantity: &[Quantity]) -> Vec<NeedCoverage> {
    let mut covered = vec![0; c.needs.len()];
    for (edge, &q) in c.edges.iter().zip(quantity) {
        covered[c.cells[edge.cell].need] += q;
    }
    let all = c.needs.iter().zip(covered);
    all.map(|(need, covered)| NeedCoverage {
        need: need.need.id.clone(),
        lot: c.problem().call.lots[need.lot].id.clone(),
        quantity: need.need.quantity,
        covered,
        coverage_percent: percent(covered.into(), need.need.quantity.into()),
        gaps: Vec::new(),
    })
    .collect()
}

/// A need weighs what it costs at its reference cost, else at the mean price paid, but no less than it is worth to the funder.
fn weighted_coverage(c: &Compiled<'_>, needs: &[NeedCoverage], allocations: &[Allocation]) -> f64 {
    let mut paid: BTreeMap<&str, i128> = BTreeMap::new();
    for allocation in allocations {
        *paid.entry(&allocation.need).or_default() += i128::from(allocation.amount_cents);
    }
    let weights: Vec<i128> = c
        .needs
        .iter()
        .zip(needs)
        .map(|(need, done)| {
            let need = need.need;
            let mean = paid.get(need.id.as_str()).map_or(0, |paid| paid / i128::from(done.covered.max(1)));
            let cost = need.reference_unit_cost_cents.map_or(mean, i128::from).max(need.unmet_cost_cents.into());
            cost * i128::from(need.quantity)
        })
        .collect();
    let sum: i128 = weights.iter().sum();
    let (weights, sum) = if sum == 0 { (vec![1; needs.len()], needs.len() as i128) } else { (weights, sum) };
    // In millionths of each need, to stay whole.
    let done: i128 = needs
        .iter()
        .zip(weights)
        .map(|(need, weight)| weight * (i128::from(need.covered) * 1_000_000 / i128::from(need.quantity)))
        .sum();
    percent(done, sum * 1_000_000)
}

/// Fixed costs of the capabilities that do something.
fn fixed(offer: &Offer<'_>, quantity: &[Quantity]) -> Cents {
    let works = offer.edges.clone().any(|e| quantity[e] > 0);
    if works { offer.capability.fixed_cost_cents } else { 0 }
}

/// All costs of some members who do this much.
pub(crate) fn costs(c: &Compiled<'_>, members: &BTreeSet<usize>, quantity: &[Quantity]) -> Costs {
    let services_cents: Cents = c.edges.iter().zip(quantity).map(|(edge, &q)| price(q, edge.terms.unit_cost)).sum();
    let fixed_cents = c.offers.iter().map(|offer| fixed(offer, quantity)).sum();
    let coordination_cents = coordination::cost(c, members, quantity, services_cents);
    let mut missing: Vec<Quantity> = c.cells.iter().map(|cell| cell.demand).collect();
    for (edge, &q) in c.edges.iter().zip(quantity) {
        missing[edge.cell] = missing[edge.cell].saturating_sub(q);
    }
    let unmet_cents =
        c.cells.iter().zip(missing).map(|(cell, q)| price(q, c.needs[cell.need].need.unmet_cost_cents)).sum();
    let total_cents: Cents = services_cents + fixed_cents + coordination_cents;
    Costs {
        services_cents,
        fixed_cents,
        coordination_cents,
        total_cents,
        unmet_cents,
        objective_cents: total_cents + unmet_cents,
    }
}

fn cohesion(c: &Compiled<'_>, members: &BTreeSet<usize>) -> Cohesion {
    let known = c.relations.keys().filter(|(a, b)| members.contains(a) && members.contains(b)).count();
    let count = members.len();
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Cohesion { known_pairs: narrow(known), pairs: narrow(count * count.saturating_sub(1) / 2) }
}

/// Members by amount, largest first, then by id. The lead is the first of them that may lead; where members coordinate with the
/// lead alone, the one with whom that costs least.
fn member_list(c: &Compiled<'_>, members: &BTreeSet<usize>, allocations: &[Allocation]) -> Vec<Member> {
    let mut list: Vec<(Cents, usize, Member)> = members.iter().map(|&i| member(c, i, allocations)).collect();
    list.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let shares = shares(&list.iter().map(|&(amount, _, _)| amount.unsigned_abs()).collect::<Vec<_>>());
    let pairs = |i: usize| match c.problem().call.coordination.between {
        Between::Lead => coordination::pairs_with(c, members, i),
        Between::All | Between::Lot => 0,
    };
    let best = list.iter().enumerate().min_by_key(|&(position, &(_, i, _))| (!c.may_be_lead(i), pairs(i), position));
    let lead = best.map_or(0, |(position, _)| position);
    let alone = list.len() == 1;
    let ranked = list.into_iter().zip(shares).enumerate();
    ranked
        .map(|(position, ((_, _, mut member), share))| {
            member.share_percent = share;
            member.role = match (alone, position == lead) {
                (true, _) => Role::SoleTenderer,
                (false, true) => Role::GroupLead,
                (false, false) => Role::GroupMember,
            };
            member
        })
        .collect()
}

/// Parts of a sum in percent to two decimals, rounded so that they add up to 100; none of nothing.
#[allow(clippy::cast_precision_loss)]
fn shares(amounts: &[u64]) -> Vec<f64> {
    if amounts.iter().all(|&amount| amount == 0) {
        return vec![0.0; amounts.len()];
    }
    apportion(10_000, amounts).into_iter().map(|hundredths| hundredths as f64 / 100.0).collect()
}

fn member(c: &Compiled<'_>, candidate: usize, allocations: &[Allocation]) -> (Cents, usize, Member) {
    let problem = c.problem();
    let id = c.id(candidate);
    let own = || allocations.iter().filter(|allocation| allocation.actor == id);
    let used: BTreeSet<&str> = own().map(|allocation| allocation.capability.as_str()).collect();
    let fixed: Cents = c.offers[c.candidates[candidate].offers.clone()]
        .iter()
        .filter(|offer| used.contains(offer.capability.id.as_str()))
        .map(|offer| offer.capability.fixed_cost_cents)
        .sum();
    let amount_cents = own().map(|allocation| allocation.amount_cents).sum::<Cents>() + fixed;
    let lots: BTreeSet<&str> = own().map(|allocation| allocation.lot.as_str()).collect();
    let member = Member {
        actor: id.to_owned(),
        name: c.instance.actor_name(c.candidates[candidate].actor).to_owned(),
        role: Role::GroupMember,
        lots: problem.call.lots.iter().map(|lot| &lot.id).filter(|l| lots.contains(l.as_str())).cloned().collect(),
        amount_cents,
        share_percent: 0.0,
        necessity: Necessity::Unknown,
        reasons: Vec::new(),
    };
    (amount_cents, candidate, member)
}

/// Every assumed value that is used, once.
fn assumptions(c: &Compiled<'_>, quantity: &[Quantity]) -> Vec<Assumption> {
    let mut found = BTreeSet::new();
    for edge in c.edges.iter().zip(quantity).filter(|(_, q)| **q > 0).map(|(edge, _)| edge) {
        let need = c.needs[c.cells[edge.cell].need].need;
        if edge.terms.capacity_assumed {
            let assumed = c.problem().call.assumptions.capacity_per_year_by_unit.get(&need.unit).copied().unwrap_or(0);
            found.insert((edge.offer, false, Cents::try_from(assumed).unwrap_or(Cents::MAX), need.unit.as_str()));
        }
        if edge.terms.cost_assumed {
            found.insert((edge.offer, true, edge.terms.unit_cost, need.unit.as_str()));
        }
    }
    let list = found.into_iter().map(|(o, cost, value, unit)| {
        let offer = &c.offers[o];
        let name = c.instance.actor_name(c.candidates[offer.candidate].actor);
        let capability = &offer.capability.id;
        let (what, text) = if cost {
            let text = format!(
                "{name} declares no unit cost for {capability}: {} per {unit} is assumed, the reference of the call.",
                crate::text::euros(value)
            );
            (Assumed::UnitCost, text)
        } else {
            let text = format!(
                "{name} declares no capacity for {capability}: {} a year is assumed, as the call says.",
                crate::text::amount(value.cast_unsigned(), unit)
            );
            (Assumed::CapacityPerYear, text)
        };
        Assumption { actor: c.id(offer.candidate).to_owned(), capability: capability.clone(), what, value, text }
    });
    list.collect()
}
