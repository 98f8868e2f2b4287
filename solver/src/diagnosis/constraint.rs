//! The rules that a user could give up, and the call without some of them.

use std::collections::BTreeSet;

use super::Constraint;
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::infeasible::relax;
use crate::instance::Instance;
use crate::model::{Cents, Options, Problem};
use crate::propose::Draft;
use crate::rules::{RuleId, RuleSet};
use crate::text;

/// Everything in force that could be given up, in the order of explanation. What actors can deliver is not up to anybody, the
/// conditions stand one by one (those on the lead too), and so do the needs.
pub(super) fn all(c: &Compiled<'_>) -> Vec<Constraint> {
    let apart = [RuleId::Eligibility, RuleId::Lead, RuleId::Capacity, RuleId::Demand];
    let conditions = c.rules.eligibility(c.problem()).map(|rule| Constraint::Eligibility { id: rule.id.clone() });
    // An actor that is locked out may be incompatible with others once it is let in.
    let vetoes =
        |rule| rule == RuleId::Incompatibility && c.rules.active(rule) && !c.problem().incompatibilities.is_empty();
    let in_use = |rule: &RuleId| !apart.contains(rule) && (relax::in_use(c, *rule) || vetoes(*rule));
    let rules = RuleId::ALL.into_iter().filter(in_use);
    let ids = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<String>>().into_iter();
    let needs = c.needs.iter().filter(|need| need.need.mandatory && c.rules.active(RuleId::Demand));
    conditions
        .chain(rules.map(|rule| Constraint::Rule { rule }))
        .chain(ids(&c.options.locked_in).map(|actor| Constraint::LockedIn { actor }))
        .chain(ids(&c.options.locked_out).map(|actor| Constraint::LockedOut { actor }))
        .chain(needs.map(|need| Constraint::Need { id: need.need.id.clone() }))
        .collect()
}

/// A call without some of its rules.
pub(super) struct Variant {
    pub(super) options: Options,
    pub(super) rules: RuleSet,
    /// Needs that may be missed, by index.
    pub(super) lowered: BTreeSet<usize>,
}

impl Variant {
    /// The call of `c` without these rules.
    pub(super) fn without<'k>(c: &Compiled<'_>, gone: impl IntoIterator<Item = &'k Constraint>) -> Self {
        let mut variant = Self { options: c.options.clone(), rules: c.rules.clone(), lowered: BTreeSet::new() };
        for constraint in gone {
            match constraint {
                Constraint::Eligibility { id } => variant.rules = variant.rules.waiving(id),
                Constraint::Rule { rule } => variant.rules = variant.rules.and_without(*rule),
                Constraint::LockedIn { actor } => variant.options.locked_in.retain(|id| id != actor),
                Constraint::LockedOut { actor } => variant.options.locked_out.retain(|id| id != actor),
                Constraint::Need { id } => {
                    variant.lowered.extend(c.needs.iter().position(|need| need.need.id == *id));
                }
            }
        }
        variant
    }

    pub(super) fn compile<'v>(&'v self, instance: &'v Instance) -> Compiled<'v> {
        Compiled::new(instance, &self.options, self.rules.clone())
    }

    /// The same for few actors: these, by their place in the problem, and those locked in.
    pub(super) fn among(&mut self, problem: &Problem, few: &BTreeSet<usize>) {
        let Options { locked_in, locked_out, .. } = &mut self.options;
        let others =
            problem.actors.iter().enumerate().filter(|(a, actor)| !few.contains(a) && !locked_in.contains(&actor.id));
        locked_out.extend(others.map(|(_, actor)| actor.id.clone()));
    }

    /// A question about it: needs may be missed but where rows say otherwise.
    pub(super) fn question(objective: Objective, whole: bool) -> Question {
        Question { elastic: true, whole, ..Question::minimise(objective) }
    }

    /// Its model, with at least one member; in whole units or not.
    pub(super) fn formulate(&self, c: &Compiled<'_>, objective: Objective, whole: bool) -> Formulation {
        let mut f = Formulation::new(c, &Self::question(objective, whole));
        for (j, cell) in c.cells.iter().enumerate() {
            if c.rules.active(RuleId::Demand) && c.mandatory(cell) && !self.lowered.contains(&cell.need) {
                f.add((f.unmet[j] * 1.0).leq(0));
            }
        }
        f
    }

    /// Whether a consortium is verified and covers every need that was not given up.
    pub(super) fn keeps(&self, c: &Compiled<'_>, draft: &Draft) -> bool {
        let covered = c.needs.iter().zip(&draft.proposal.needs).enumerate().all(|(n, (need, told))| {
            let kept = need.need.mandatory && c.rules.active(RuleId::Demand) && !self.lowered.contains(&n);
            !kept || told.covered == told.quantity
        });
        covered && draft.proposal.proof.verified
    }
}

/// What a need costs at least, by the cheapest offer in each place; other rules stand above all needs.
pub(super) fn cost(c: &Compiled<'_>, constraint: &Constraint) -> Cents {
    let Constraint::Need { id } = constraint else { return Cents::MAX };
    let cells = c.cells.iter().filter(|cell| c.needs[cell.need].need.id == *id);
    let least = cells.map(|cell| {
        let cheapest = cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).min();
        cheapest.map_or(Cents::MAX, |cents| cents.saturating_mul(cell.demand.cast_signed()))
    });
    least.fold(0, Cents::saturating_add)
}

/// What a rule asks, as a sentence.
pub(super) fn describe(c: &Compiled<'_>, constraint: &Constraint) -> String {
    match constraint {
        Constraint::Eligibility { id } => format!("The condition \"{id}\" must be met."),
        Constraint::Rule { rule } => describe_rule(c, *rule),
        Constraint::LockedIn { actor } => format!("{} must be a member.", actor_name(c, actor)),
        Constraint::LockedOut { actor } => format!("{} must not be a member.", actor_name(c, actor)),
        Constraint::Need { id } => {
            let Some(n) = c.needs.iter().position(|need| need.need.id == *id) else { return id.clone() };
            let need = c.needs[n].need;
            let place = c.instance.territory_name(c.needs[n].territory);
            format!(
                "{} of {} in {place} must be covered in full.",
                text::amount(need.quantity, &need.unit),
                c.need_name(n)
            )
        }
    }
}

/// Label of an actor.
pub(super) fn actor_name<'a>(c: &Compiled<'a>, id: &'a str) -> &'a str {
    c.instance.actors.get(id).map_or(id, |&actor| c.instance.actor_name(actor))
}

fn describe_rule(c: &Compiled<'_>, rule: RuleId) -> String {
    let (call, group) = (&c.problem().call, &c.problem().call.group);
    match rule {
        RuleId::Budget => format!("Everything must cost no more than {}.", text::euros(call.budget_cents.unwrap_or(0))),
        RuleId::Size => match group.maximum_members {
            Some(most) => format!("The group must have {} to {most} members.", group.minimum_members),
            None => format!("The group must have {} or more members.", group.minimum_members),
        },
        RuleId::MaximumShare => {
            let most = group.maximum_share_percent.unwrap_or(100);
            format!("Nobody may carry more than {most} % of the services.")
        }
        RuleId::MinimumShare => {
            let least = group.minimum_share_percent.unwrap_or(0);
            format!("Every member must carry at least {least} % of the services.")
        }
        RuleId::LegalFamilies => {
            format!("The group must have {} legal families.", group.minimum_legal_families.unwrap_or(0))
        }
        RuleId::Treasury => "Nobody may advance more than its cash.".to_owned(),
        RuleId::Pool => "Linked capabilities share one capacity.".to_owned(),
        RuleId::MinimumQuantity => "A capability delivers nothing, or at least its smallest quantity.".to_owned(),
        RuleId::ActiveMember => "Every member must do something.".to_owned(),
        RuleId::Incompatibility => "Incompatible actors may not be members together.".to_owned(),
        other => format!("The rule {other:?} must hold."),
    }
}
