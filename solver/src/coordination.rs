//! What working together costs: in the model, and in whole cents.
//!
//! Members and pairs cost the same in both; a relation spares its strength of the cost of a pair. Who is paired with whom depends
//! on [`Between`]: everybody with everybody, everybody with the lead, or those who work for the same lot.
//!
//! Pairs never need a variable each: the number of pairs among `m` members is convex in `m`, so that its tangents
//! `pairs ≥ t·m − t(t+1)/2` are exact at every whole `m`, and only known pairs, which spare a part of the cost, have a variable.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Expression, Variable, variable};

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur, units};
use crate::model::{Between, Cents, Quantity};
use crate::rules::RuleId;

/// Adds what coordination needs to the model, and gives its cost.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) -> Expression {
    let rates = &c.problem().call.coordination;
    let mut all = keur(rates.per_member_cents) * f.size;
    if rates.overhead_percent > 0 {
        for i in 0..c.candidates.len() {
            all += f64::from(rates.overhead_percent) / 100.0 * f.services_of(c, i);
        }
    }
    if rates.per_new_pair_cents > 0 {
        all += match rates.between {
            Between::All => {
                let members = f.member.iter().copied().enumerate().collect();
                among(f, c, &members, most_members(c))
            }
            Between::Lead => star(f, c),
            Between::Lot => {
                let lots = 0..c.problem().call.lots.len();
                lots.map(|lot| {
                    let able = c.able(|need| c.needs[need].lot == lot);
                    let working = able.into_iter().map(|i| (i, f.works(c, i, lot))).collect();
                    among(f, c, &working, most_working(c, lot))
                })
                .sum()
            }
        };
    }
    all
}

/// Every pair of those who are `present`, by candidate.
fn among(f: &mut Formulation, c: &Compiled<'_>, present: &BTreeMap<usize, Variable>, most: u32) -> Expression {
    if f.textbook {
        return pair_by_pair(f, c, present);
    }
    let pair = keur(c.problem().call.coordination.per_new_pair_cents);
    let all = units(present.len() as u64);
    let pairs = f.variables.add(variable().clamp(0.0, all * (all - 1.0).max(0.0) / 2.0));
    let size: Expression = present.values().sum();
    let count = f.variables.add(variable().clamp(0.0, all));
    f.add((size - count).eq(0));
    for t in 1..most {
        let t = f64::from(t);
        f.add((pairs - t * count).geq(-t * (t + 1.0) / 2.0));
    }
    let mut together = pair * pairs;
    for ((a, b), spared) in known(c) {
        if let (Some(&a), Some(&b)) = (present.get(&a), present.get(&b)) {
            let both = f.variables.add(variable().clamp(0, 1));
            f.add((both - a).leq(0));
            f.add((both - b).leq(0));
            together.add_mul(-spared, both);
        }
    }
    // Knowing each other never pays more than a pair costs.
    f.add(together.clone().geq(0));
    together
}

/// The same with a variable for every pair, `z_ab ≥ y_a + y_b − 1`: as textbooks have it, for comparisons. O(n²).
fn pair_by_pair(f: &mut Formulation, c: &Compiled<'_>, present: &BTreeMap<usize, Variable>) -> Expression {
    let rate = c.problem().call.coordination.per_new_pair_cents;
    let mut together = Expression::default();
    for (&a, &first) in present {
        for (&b, &second) in present.range(a + 1..) {
            let strength = c.relations.get(&(a, b)).copied();
            let both = f.variables.add(variable().clamp(0, 1));
            f.add((both - first - second).geq(-1));
            together.add_mul(keur(rate - strength.map_or(0, |strength| spared(rate, strength))), both);
        }
    }
    together
}

/// Everybody with the lead: one lead, who may lead; `w_ib ≤ y_b`, `w_ib ≤ g_i` for each relation, both ways.
fn star(f: &mut Formulation, c: &Compiled<'_>) -> Expression {
    let leads: Vec<Option<Variable>> = (0..c.candidates.len())
        .map(|i| {
            c.may_be_lead(i).then(|| {
                let lead = f.variables.add(variable().binary());
                f.integers.push(lead);
                f.add((lead - f.member[i]).leq(0));
                lead
            })
        })
        .collect();
    let one: Expression = leads.iter().flatten().sum();
    f.add(one.eq(1));
    let pair = keur(c.problem().call.coordination.per_new_pair_cents);
    let mut together = pair * f.size - pair;
    for ((a, b), spared) in known(c) {
        for (lead, other) in [(a, b), (b, a)] {
            if let Some(lead) = leads[lead] {
                let both = f.variables.add(variable().clamp(0, 1));
                f.add((both - lead).leq(0));
                f.add((both - f.member[other]).leq(0));
                together.add_mul(-spared, both);
            }
        }
    }
    f.add(together.clone().geq(0));
    together
}

/// Pairs of candidates whose relation spares something, with what it spares in the money of the model.
fn known(c: &Compiled<'_>) -> Vec<((usize, usize), f64)> {
    let rate = c.problem().call.coordination.per_new_pair_cents;
    let all = c.relations.iter().map(|(&pair, &strength)| (pair, keur(spared(rate, strength))));
    all.filter(|(_, spared)| *spared > 0.0).collect()
}

/// No consortium has more members.
pub(crate) fn most_members(c: &Compiled<'_>) -> u32 {
    let all = u32::try_from(c.candidates.len()).unwrap_or(u32::MAX);
    let limit = c.problem().call.group.maximum_members.filter(|_| c.rules.active(RuleId::Size));
    limit.map_or(all, |limit| limit.min(all))
}

/// No more members work for a lot.
fn most_working(c: &Compiled<'_>, lot: usize) -> u32 {
    let limit = c.problem().call.lots[lot].maximum_members.filter(|_| c.rules.active(RuleId::LotSize));
    limit.unwrap_or(u32::MAX).min(most_members(c))
}

/// What a known pair spares of the cost of a new one, rounded down to the cent.
pub(crate) fn spared(per_new_pair: Cents, strength_percent: u8) -> Cents {
    Cents::try_from(i128::from(per_new_pair) * i128::from(strength_percent) / 100).unwrap_or(0)
}

/// What the coordination of some members who do this much on each edge costs. O(relations + edges + members²).
pub(crate) fn cost(c: &Compiled<'_>, members: &BTreeSet<usize>, quantity: &[Quantity], services: Cents) -> Cents {
    let rates = &c.problem().call.coordination;
    let count = Cents::try_from(members.len()).unwrap_or(Cents::MAX);
    let overhead = (i128::from(services) * i128::from(rates.overhead_percent) + 99) / 100;
    let pairs = match rates.between {
        Between::All => pairs_among(c, members),
        Between::Lead => hub(c, members).map_or(0, |lead| pairs_with(c, members, lead)),
        Between::Lot => {
            let lots = 0..c.problem().call.lots.len();
            lots.map(|lot| pairs_among(c, &working(c, lot, quantity))).sum()
        }
    };
    rates.per_member_cents * count + Cents::try_from(overhead).unwrap_or(Cents::MAX) + pairs
}

/// Those who work for a lot.
fn working(c: &Compiled<'_>, lot: usize, quantity: &[Quantity]) -> BTreeSet<usize> {
    let busy = c.edges.iter().zip(quantity).filter(|(edge, q)| **q > 0 && c.needs[c.cells[edge.cell].need].lot == lot);
    busy.map(|(edge, _)| c.offers[edge.offer].candidate).collect()
}

fn pairs_among(c: &Compiled<'_>, members: &BTreeSet<usize>) -> Cents {
    let rate = c.problem().call.coordination.per_new_pair_cents;
    let count = Cents::try_from(members.len()).unwrap_or(Cents::MAX);
    let known = c.relations.iter().filter(|((a, b), _)| members.contains(a) && members.contains(b));
    rate * (count * (count - 1) / 2) - known.map(|(_, &strength)| spared(rate, strength)).sum::<Cents>()
}

/// What the pairs with `lead` cost.
pub(crate) fn pairs_with(c: &Compiled<'_>, members: &BTreeSet<usize>, lead: usize) -> Cents {
    let rate = c.problem().call.coordination.per_new_pair_cents;
    let others = members.iter().filter(|&&i| i != lead);
    others
        .map(|&i| rate - c.relations.get(&(i.min(lead), i.max(lead))).map_or(0, |&strength| spared(rate, strength)))
        .sum()
}

/// The member that may lead and with whom pairs cost least; any member where none may lead.
fn hub(c: &Compiled<'_>, members: &BTreeSet<usize>) -> Option<usize> {
    members.iter().copied().min_by_key(|&i| (!c.may_be_lead(i), pairs_with(c, members, i), i))
}
