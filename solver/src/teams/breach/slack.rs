//! Rules with room to give way, and what the room that is used means.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Expression, Variable, variable};

use crate::backend::cents;
use crate::compile::Compiled;
use crate::formulate::{Formulation, keur, units};
use crate::model::{EligibilityRule, Quantity, Scope};
use crate::rules::RuleId;
use crate::text;

use super::super::Desk;
use super::Change;

/// By how much a rule gives way somewhere.
pub(super) struct Slack {
    pub(super) variable: Variable,
    /// In the sum that is minimised.
    pub(super) weight: f64,
    /// Values up to this are rounding errors.
    pub(super) least: f64,
    place: Place,
}

/// Where a rule gives way, and in which unit: thousands of euros, units of work, or once.
enum Place {
    Budget,
    /// Money over or under a share of a candidate.
    Share(usize),
    Cash(usize),
    /// Units of an offer.
    Capacity(usize),
    Minimum(usize),
    Pool(usize),
    /// Once, of a candidate.
    Idle(usize),
    Condition(usize),
    /// Units of a cell.
    Unmet(usize),
    /// Members at work for a lot, beyond its most or below its least.
    Lot(usize, Side),
    /// Members that deliver a need, beyond its most.
    Hands(usize),
}

/// The side on which a number leaves its range.
#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

/// Half a cent, in thousands of euros.
const HALF_CENT: f64 = 5e-6;

/// Adds a rule that is left out with slacks. `None` for a rule that has no measure here.
pub(super) fn add(
    f: &mut Formulation,
    c: &Compiled<'_>,
    with: &Compiled<'_>,
    rule: RuleId,
    condition: Option<&EligibilityRule>,
) -> Option<Vec<Slack>> {
    Some(match rule {
        RuleId::Budget => budget(f, c),
        RuleId::MaximumShare | RuleId::MinimumShare => shares(f, c, rule),
        RuleId::Treasury => treasury(f, c),
        RuleId::Capacity => capacity(f, c),
        RuleId::MinimumQuantity => minimum(f, c),
        RuleId::Pool => pool(f, c),
        RuleId::ActiveMember => active(f, c),
        RuleId::Demand => demand(f, c),
        RuleId::LotSize => lots(f, c),
        RuleId::FewHands => hands(f, c),
        RuleId::Eligibility if condition.is_some_and(each) => performers(f, c, with),
        _ => return None,
    })
}

/// Whether a condition is about each of those who work.
fn each(condition: &EligibilityRule) -> bool {
    matches!(condition.scope, Scope::EachMember | Scope::Performer)
}

fn money(f: &mut Formulation, place: Place) -> Slack {
    Slack { variable: f.variables.add(variable().min(0)), weight: 1.0, least: HALF_CENT, place }
}

fn work(f: &mut Formulation, place: Place) -> Slack {
    Slack { variable: f.variables.add(variable().min(0)), weight: 1.0, least: 1e-4, place }
}

fn once(f: &mut Formulation, place: Place) -> Slack {
    let variable = f.variables.add(variable().binary());
    f.integers.push(variable);
    Slack { variable, weight: 1.0, least: 0.5, place }
}

fn budget(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let Some(budget) = c.problem().call.budget_cents else { return Vec::new() };
    let slack = money(f, Place::Budget);
    let spend = f.spend.clone();
    f.add((spend - slack.variable).leq(keur(budget)));
    vec![slack]
}

fn shares(f: &mut Formulation, c: &Compiled<'_>, rule: RuleId) -> Vec<Slack> {
    let group = &c.problem().call.group;
    let most = rule == RuleId::MaximumShare;
    let Some(percent) = (if most { group.maximum_share_percent } else { group.minimum_share_percent }) else {
        return Vec::new();
    };
    let part = f64::from(percent) / 100.0;
    let all = f.all_services(c);
    let of = |f: &mut Formulation, i: usize| {
        let slack = money(f, Place::Share(i));
        let over = f.services_of(c, i) - part * all;
        f.add(if most { (over - slack.variable).leq(0) } else { (over + slack.variable).geq(0) });
        slack
    };
    (0..c.candidates.len()).map(|i| of(f, i)).collect()
}

fn treasury(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let call = &c.problem().call;
    let part = f64::from(100 - call.payment.advance_percent.min(100)) / 100.0;
    let held = part * f64::from(call.payment.delay_days) / (f64::from(call.duration_months) * 365.0 / 12.0);
    let mut slacks = Vec::new();
    for (i, candidate) in c.candidates.iter().enumerate() {
        if let Some(cash) = c.problem().actors[candidate.actor].available_cash_cents {
            let slack = money(f, Place::Cash(i));
            let advanced = (f.services_of(c, i) + f.fixed_of(c, i)) * held;
            f.add((advanced - slack.variable).leq(keur(cash)));
            slacks.push(slack);
        }
    }
    slacks
}

/// One slack per offer and, where its capacity is assumed, per unit: as the rule itself.
fn capacity(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let mut slacks = Vec::new();
    for (k, offer) in c.offers.iter().enumerate() {
        let mut rows: BTreeMap<&str, (Quantity, Expression)> = BTreeMap::new();
        for e in offer.edges.clone() {
            let edge = &c.edges[e];
            let unit = if edge.terms.capacity_assumed { &c.needs[c.cells[edge.cell].need].need.unit } else { "" };
            let row = rows.entry(unit).or_insert((edge.terms.capacity, Expression::default()));
            row.1 += f.quantity[e];
        }
        for (capacity, done) in rows.into_values() {
            let slack = work(f, Place::Capacity(k));
            f.add((done - slack.variable).leq(units(capacity)));
            slacks.push(slack);
        }
    }
    slacks
}

fn minimum(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let mut slacks = Vec::new();
    for (k, offer) in c.offers.iter().enumerate().filter(|(_, offer)| offer.capability.minimum_quantity > 0) {
        // An indicator of its own: with the rule left out, the model may have none.
        let used = f.variables.add(variable().binary());
        f.integers.push(used);
        let mut done = Expression::default();
        for e in offer.edges.clone() {
            f.add((f.quantity[e] - units(c.most(&c.edges[e])) * used).leq(0));
            done += f.quantity[e];
        }
        let slack = work(f, Place::Minimum(k));
        f.add((done + slack.variable - units(offer.capability.minimum_quantity) * used).geq(0));
        slacks.push(slack);
    }
    slacks
}

fn pool(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let of = |(p, pool): (usize, &crate::compile::Pool)| {
        let slack = work(f, Place::Pool(p));
        let done: Expression = pool.edges.iter().map(|&e| f.quantity[e]).sum();
        f.add((done - slack.variable).leq(units(pool.capacity)));
        slack
    };
    c.pools.iter().enumerate().map(of).collect()
}

fn active(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let of = |(i, candidate): (usize, &crate::compile::Candidate)| {
        let slack = once(f, Place::Idle(i));
        let edges = candidate.offers.clone().flat_map(|o| c.offers[o].edges.clone());
        let done: Expression = edges.map(|e| f.quantity[e]).sum();
        f.add((done + slack.variable).geq(1));
        slack
    };
    c.candidates.iter().enumerate().map(of).collect()
}

/// What is missing of mandatory needs, in parts of each.
fn demand(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let mandatory = c.cells.iter().enumerate().filter(|(_, cell)| c.mandatory(cell));
    mandatory
        .map(|(j, cell)| Slack {
            variable: f.unmet[j],
            weight: 1000.0 / units(c.needs[cell.need].need.quantity),
            least: 1e-4,
            place: Place::Unmet(j),
        })
        .collect()
}

/// Whole numbers of members.
fn members(f: &mut Formulation, place: Place) -> Slack {
    Slack { variable: f.variables.add(variable().min(0)), weight: 1.0, least: 0.5, place }
}

fn lots(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let mut slacks = Vec::new();
    for (l, lot) in c.problem().call.lots.iter().enumerate() {
        if lot.minimum_members.is_none() && lot.maximum_members.is_none() {
            continue;
        }
        let able = c.able(|need| c.needs[need].lot == l);
        let working: Expression = able.into_iter().map(|i| f.works(c, i, l)).sum();
        if let Some(least) = lot.minimum_members {
            let slack = members(f, Place::Lot(l, Side::Below));
            f.add((working.clone() + slack.variable).geq(f64::from(least)));
            slacks.push(slack);
        }
        if let Some(most) = lot.maximum_members {
            let slack = members(f, Place::Lot(l, Side::Above));
            f.add((working - slack.variable).leq(f64::from(most)));
            slacks.push(slack);
        }
    }
    slacks
}

fn hands(f: &mut Formulation, c: &Compiled<'_>) -> Vec<Slack> {
    let mut slacks = Vec::new();
    for (n, need) in c.needs.iter().enumerate() {
        let Some(most) = need.need.maximum_suppliers else { continue };
        let able = c.able(|own| own == n);
        let hands: Expression = able.into_iter().map(|i| f.delivers(c, i, |own| own == n)).sum();
        let slack = members(f, Place::Hands(n));
        f.add((hands - slack.variable).leq(f64::from(most)));
        slacks.push(slack);
    }
    slacks
}

/// Candidates that would do work which the condition forbids them: what they can do without it and not with it.
fn performers(f: &mut Formulation, c: &Compiled<'_>, with: &Compiled<'_>) -> Vec<Slack> {
    let work_of = |c: &Compiled<'_>, e: usize| {
        let edge = &c.edges[e];
        (c.offers[edge.offer].capability.id.clone(), c.cells[edge.cell].need)
    };
    let allowed: BTreeSet<(String, usize)> = (0..with.edges.len()).map(|e| work_of(with, e)).collect();
    let mut slacks = Vec::new();
    for (i, candidate) in c.candidates.iter().enumerate() {
        let edges = candidate.offers.clone().flat_map(|o| c.offers[o].edges.clone());
        let forbidden: Vec<usize> = edges.filter(|&e| !allowed.contains(&work_of(c, e))).collect();
        if !forbidden.is_empty() {
            let slack = once(f, Place::Condition(i));
            for e in forbidden {
                f.add((f.quantity[e] - units(c.most(&c.edges[e])) * slack.variable).leq(0));
            }
            slacks.push(slack);
        }
    }
    slacks
}

/// The change that a slack stands for.
pub(super) fn change(
    desk: &Desk<'_>,
    c: &Compiled<'_>,
    condition: Option<&EligibilityRule>,
    slack: &Slack,
    value: f64,
) -> Change {
    let name = |i: usize| desk.instance.actor_name(c.candidates[i].actor);
    let actor = |i: usize| Some(c.id(i).to_owned());
    let offer = |k: usize| {
        let offer = &c.offers[k];
        (actor(offer.candidate), Some(offer.capability.id.clone()), name(offer.candidate))
    };
    let (money, quantity) = (cents(value), ceiling(value));
    match slack.place {
        Place::Budget => Change {
            cents: Some(money),
            text: format!("The cheapest allocation costs {} more than the budget.", text::euros(money)),
            ..Change::default()
        },
        Place::Share(i) => Change {
            actor: actor(i),
            cents: Some(money),
            text: format!("The services of {} are {} beyond its share.", name(i), text::euros(money)),
            ..Change::default()
        },
        Place::Cash(i) => Change {
            actor: actor(i),
            cents: Some(money),
            text: format!("{} lacks {} of cash to advance.", name(i), text::euros(money)),
            ..Change::default()
        },
        Place::Capacity(k) | Place::Minimum(k) => {
            let (actor, capability, name) = offer(k);
            let what = if matches!(slack.place, Place::Capacity(_)) {
                "beyond its capacity"
            } else {
                "below its smallest quantity"
            };
            let text = format!("{name} would do {} units {what}.", text::number(quantity.into()));
            Change { actor, capability, quantity: Some(quantity), text, ..Change::default() }
        }
        Place::Pool(p) => {
            let first = c.pools[p].edges.first().map(|&e| c.offers[c.edges[e].offer].capability);
            let name = first.and_then(|capability| capability.pool.as_deref()).unwrap_or_default();
            let text = format!("The pool {name} would do {} units beyond its capacity.", text::number(quantity.into()));
            Change { quantity: Some(quantity), text, ..Change::default() }
        }
        Place::Idle(i) => {
            Change { actor: actor(i), text: format!("{} would do nothing.", name(i)), ..Change::default() }
        }
        Place::Condition(i) => Change {
            actor: actor(i),
            text: format!("{} would have to meet \"{}\".", name(i), condition.map_or("", |rule| rule.id.as_str())),
            ..Change::default()
        },
        Place::Unmet(j) => {
            let cell = &c.cells[j];
            let need = c.needs[cell.need].need;
            let places = cell.places.iter().map(|&(place, _)| place).collect();
            let where_ = c.place_names(cell.need, &places);
            let amount = text::amount(quantity, &need.unit);
            let text = format!("{amount} of {} in {where_} would be missing.", c.need_name(cell.need));
            Change { need: Some(need.id.clone()), quantity: Some(quantity), text, ..Change::default() }
        }
        Place::Lot(l, side) => {
            let lot = &c.problem().call.lots[l];
            let name = lot.name.as_ref().unwrap_or(&lot.id);
            let side = match side {
                Side::Above => "many",
                Side::Below => "few",
            };
            let text = format!("{} too {side} would work for the lot {name}.", head_count(quantity));
            Change { lot: Some(lot.id.clone()), quantity: Some(quantity), text, ..Change::default() }
        }
        Place::Hands(n) => {
            let text = format!("{} too many would deliver {}.", head_count(quantity), c.need_name(n));
            let need = Some(c.needs[n].need.id.clone());
            Change { need, quantity: Some(quantity), text, ..Change::default() }
        }
    }
}

fn head_count(members: Quantity) -> String {
    if members == 1 { "1 member".to_owned() } else { format!("{} members", text::number(members.into())) }
}

/// The least whole quantity that is not below, with the model's rounding errors forgiven.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceiling(x: f64) -> Quantity {
    (x - 1e-4).ceil().max(0.0) as Quantity
}
