//! The cheapest ways out of an infeasible call, each with the consortium that it makes possible.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use good_lp::{Expression, Variable, variable};

use super::constraint::{Variant, actor_name};
use super::elastic::{Elastic, scale};
use super::oracle::Oracle;
use super::{Concession, Constraint, Relaxation};
use crate::backend::{self, Backend, End, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, keur, units};
use crate::infeasible::relax;
use crate::propose::{self, Draft};
use crate::rules::RuleId;
use crate::text;

/// Up to `count` relaxations, cheapest first, and whether the list is what was asked for: full, or proven to be all there is.
pub(super) fn cheapest(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    oracle: &Oracle<'_, '_>,
    count: usize,
) -> (Vec<Relaxation>, bool) {
    let mut found: Vec<Relaxation> = Vec::new();
    if count == 0 {
        return (found, true);
    }
    let Some(mut elastic) = Elastic::new(c, backend, &oracle.all) else { return (found, false) };
    while found.len() < count {
        let set = match elastic.cheapest(backend) {
            Ok(set) => set,
            Err(proven) => return (found, proven),
        };
        // Rounding in the elastic program can hide a small violation: a set that is not enough must be exceeded.
        let goes_on = match possible(c, backend, oracle, &set) {
            Possible::Yes(relaxation, proven) => {
                found.push(*relaxation);
                found.sort_by(|a, b| {
                    (a.changes.len(), a.amount_percent)
                        .partial_cmp(&(b.changes.len(), b.amount_percent))
                        .unwrap_or(Ordering::Equal)
                });
                proven && elastic.forbid(&set)
            }
            Possible::No => elastic.exceed(&set),
            Possible::Unknown => false,
        };
        if !goes_on || set.is_empty() {
            return (found, false);
        }
    }
    (found, true)
}

/// What giving up a set of rules comes to.
enum Possible {
    /// With the best consortium, and whether that is proven.
    Yes(Box<Relaxation>, bool),
    No,
    Unknown,
}

/// How far the rules given up have to give way at least; then the best consortium that goes no further.
fn possible(c: &Compiled<'_>, backend: &Backend<'_>, oracle: &Oracle<'_, '_>, set: &BTreeSet<usize>) -> Possible {
    let gone: Vec<&Constraint> = set.iter().map(|&rule| &oracle.all[rule]).collect();
    let variant = Variant::without(c, gone.iter().copied());
    let relaxed = variant.compile(c.instance);
    if relaxed.candidates.is_empty() {
        return Possible::No;
    }
    let mut f = variant.formulate(&relaxed, Objective::Euros, true);
    let amounts = amounts(c, &relaxed, &mut f, &gone);
    let euros = f.objective.clone();
    f.objective = amounts.iter().map(|amount| amount.variable / amount.scale).sum();
    let Some(mut session) = backend.open(&mut f, Objective::Any) else { return Possible::Unknown };
    let Some(solved) = session.solve_counting(&backend.control) else { return Possible::Unknown };
    match solved.end {
        End::Infeasible => return Possible::No,
        End::Stopped => return Possible::Unknown,
        End::Optimal => {}
    }
    let mut least = 0.0;
    for amount in &amounts {
        // A cent more where money is meant, for the tolerances.
        let most = session.value(&solved, amount.variable) + amount.slack;
        session.bound(amount.variable, 0.0, most);
        least += most / amount.scale;
    }
    session.minimise(euros, true);
    let members: Vec<_> = f.member.iter().map(|&member| (member, session.value(&solved, member).round())).collect();
    session.start(&members);
    session.believe();
    let Some((draft, proven)) = best(&relaxed, backend, &mut session, &f) else { return Possible::Unknown };
    if !variant.keeps(&relaxed, &draft) {
        return Possible::Unknown;
    }
    let changes: Vec<Concession> =
        gone.iter().map(|constraint| change(c, &relaxed, backend, constraint, &draft)).collect();
    let parts: f64 = changes.iter().map(|change| part(c, change)).sum();
    if !proven && parts > least {
        return Possible::Unknown;
    }
    // To a hundredth of a percent.
    let amount_percent = (parts * 10_000.0).round() / 100.0;
    Possible::Yes(Box::new(Relaxation { changes, amount_percent, proposal: Box::new(draft.proposal) }), proven)
}

/// The cheapest consortium of a session, with its proof, and whether the search came to its end: before, it may hold parts of units.
fn best(c: &Compiled<'_>, backend: &Backend<'_>, session: &mut Session, f: &Formulation) -> Option<(Draft, bool)> {
    let solved = session.solve_counting(&backend.control)?;
    if !solved.found() {
        return None;
    }
    let found = backend::found(session, f, &solved);
    let draft = propose::with_proof(c, &Variant::question(Objective::Euros, true), &found);
    Some((draft, solved.end == End::Optimal))
}

/// An amount that a rule gives way by.
struct Amount {
    variable: Variable,
    scale: f64,
    slack: f64,
}

/// Variables for how far the size, the budget and the needs given up give way.
fn amounts(c: &Compiled<'_>, relaxed: &Compiled<'_>, f: &mut Formulation, gone: &[&Constraint]) -> Vec<Amount> {
    let call = &c.problem().call;
    let mut amounts = Vec::new();
    for constraint in gone {
        match constraint {
            Constraint::Rule { rule } => {
                let Some(scale) = scale(c, *rule) else { continue };
                let amount = f.variables.add(variable().min(0));
                if *rule == RuleId::Size {
                    f.add((f.size + amount).geq(f64::from(call.group.minimum_members)));
                    if let Some(most) = call.group.maximum_members {
                        f.add((f.size - amount).leq(f64::from(most)));
                    }
                    amounts.push(Amount { variable: amount, scale, slack: 1e-6 });
                } else if let Some(budget) = call.budget_cents {
                    let spend = f.spend.clone();
                    f.add((spend - amount).leq(keur(budget)));
                    amounts.push(Amount { variable: amount, scale, slack: keur(1) });
                }
            }
            Constraint::Need { id } => {
                let own = |need: usize| relaxed.needs[need].need.id == *id;
                let cells = relaxed.cells.iter().enumerate().filter(|(_, cell)| own(cell.need));
                let missed: Expression = cells.map(|(j, _)| f.unmet[j]).sum();
                let amount = f.variables.add(variable().min(0));
                f.add((missed - amount).leq(0));
                let quantity = relaxed.needs.iter().find(|need| need.need.id == *id).map_or(1, |n| n.need.quantity);
                amounts.push(Amount { variable: amount, scale: units(quantity), slack: 1e-6 });
            }
            Constraint::Eligibility { .. } | Constraint::LockedIn { .. } | Constraint::LockedOut { .. } => {}
        }
    }
    amounts
}

/// How far one rule gives way in a consortium.
fn change(
    c: &Compiled<'_>,
    relaxed: &Compiled<'_>,
    backend: &Backend<'_>,
    constraint: &Constraint,
    draft: &Draft,
) -> Concession {
    let (call, proposal) = (&c.problem().call, &draft.proposal);
    let (amount, text) = match constraint {
        Constraint::Rule { rule: RuleId::Size } => {
            let (count, least) = (draft.members.len() as u64, u64::from(call.group.minimum_members));
            let most = call.group.maximum_members.map_or(u64::MAX, u64::from);
            if count > most {
                (Some(count - most), format!("Raise maximum_members by {} to {count}.", count - most))
            } else {
                let by = least.saturating_sub(count);
                (Some(by), format!("Lower minimum_members by {by} to {count}."))
            }
        }
        Constraint::Rule { rule: rule @ RuleId::Budget } => {
            let more = proposal.costs.total_cents - call.budget_cents.unwrap_or(0);
            (u64::try_from(more).ok(), relax::give_way(relaxed, backend, *rule, draft, None))
        }
        Constraint::Rule { rule } => (None, relax::give_way(relaxed, backend, *rule, draft, None)),
        Constraint::Eligibility { id } => {
            let condition = call.eligibility.iter().find(|rule| rule.id == *id);
            (None, condition.map_or_else(String::new, |condition| relax::waive(relaxed, condition, draft)))
        }
        Constraint::LockedIn { actor } => (None, format!("Do without {}.", actor_name(c, actor))),
        Constraint::LockedOut { actor } => (None, format!("Accept {}.", actor_name(c, actor))),
        Constraint::Need { id } => {
            let told = proposal.needs.iter().enumerate().find(|(_, told)| told.need == *id);
            told.map_or((None, String::new()), |(n, told)| {
                let (missing, unit) = (told.quantity - told.covered, &c.needs[n].need.unit);
                let (less, left) = (text::amount(missing, unit), text::number(told.covered.into()));
                (Some(missing), format!("Lower {} by {less} to {left}, or make it optional.", c.need_name(n)))
            })
        }
    };
    Concession { constraint: constraint.clone(), amount, text }
}

/// An amount as a part of what the rule asks.
fn part(c: &Compiled<'_>, change: &Concession) -> f64 {
    let amount = units(change.amount.unwrap_or(0));
    match &change.constraint {
        Constraint::Rule { rule: rule @ RuleId::Budget } => scale(c, *rule).map_or(0.0, |s| amount / 100_000.0 / s),
        Constraint::Rule { rule } => scale(c, *rule).map_or(0.0, |scale| amount / scale),
        Constraint::Need { id } => {
            let need = c.needs.iter().find(|need| need.need.id == *id);
            need.map_or(0.0, |need| amount / units(need.need.quantity))
        }
        _ => 0.0,
    }
}
