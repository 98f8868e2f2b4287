//! What would have to change for an actor to be in a best consortium.

use std::collections::BTreeSet;

use crate::compile::Compiled;
use crate::instance::Instance;
use crate::model::{Cents, Credential, Criterion, Options, Problem, Quantity, Scope};
use crate::propose::Draft;
use crate::rules::{RuleSet, eligibility};

use super::super::audit::proven;
use super::super::{Charge, Desk, settle};
use super::Remedy;

/// Most capabilities whose unit cost is looked into.
const CAPABILITIES: usize = 3;

/// For the capabilities that do most in the best consortium with the actor: the highest whole unit cost at which it is as good as the
/// best without the actor.
pub(super) fn unit_costs(
    desk: &Desk<'_>,
    c: &Compiled<'_>,
    candidate: usize,
    with: &Draft,
    best: Cents,
) -> Vec<Remedy> {
    let done = |o: usize| c.offers[o].edges.clone().map(|e| with.quantity[e]).sum::<Quantity>();
    let mut offers: Vec<(Quantity, usize)> =
        c.candidates[candidate].offers.clone().map(|o| (done(o), o)).filter(|(done, _)| *done > 0).collect();
    offers.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    offers.truncate(CAPABILITIES);
    let found = offers.into_iter().filter_map(|(done, o)| {
        let capability = c.offers[o].capability;
        let now = capability.unit_cost_cents?;
        let search = Threshold { desk, actor: c.id(candidate), capability: &capability.id, best };
        let enters = search.highest(now, with.proposal.costs.objective_cents - best, done)?;
        Some(Remedy::UnitCost { capability: capability.id.clone(), now_cents: now, enters_at_cents: enters })
    });
    found.collect()
}

/// The search for the unit cost at which forcing an actor in costs nothing.
///
/// That regret is the least of functions that are linear in the unit cost, one for each consortium with its allocation, with the quantity
/// as the slope: where no rule on money binds it is concave and rising. From a cost at which it is not positive, the root of the present
/// slope is therefore never too high (Newton's method for such functions, as Dinkelbach, *On nonlinear fractional programming*,
/// 1967); where rules on money bend it, halving takes over. In every case both sides of the result are solved and proven.
struct Threshold<'t, 'a> {
    desk: &'t Desk<'a>,
    actor: &'t str,
    capability: &'t str,
    best: Cents,
}

impl Threshold<'_, '_> {
    /// The highest cost below `now` found to be low enough, given the regret and the quantity at `now`.
    fn highest(&self, now: Cents, regret: Cents, done: Quantity) -> Option<Cents> {
        let first = (now - ratio_up(regret, done)).max(0);
        let (mut low, mut high) = (first, now);
        let mut at = self.at(low)?;
        if at.0 > 0 {
            if low == 0 {
                return None;
            }
            (low, high) = (0, low);
            at = self.at(0)?;
            if at.0 > 0 {
                return None;
            }
        }
        let mut steps = 0;
        while high - low > 1 {
            let newton = low.saturating_add(at.0.saturating_neg() / Cents::try_from(at.1.max(1)).unwrap_or(Cents::MAX));
            let next = if steps < 6 { newton.clamp(low + 1, high - 1) } else { low + (high - low) / 2 };
            let found = self.at(next)?;
            if found.0 > 0 {
                high = next;
            } else {
                (low, at) = (next, found);
            }
            steps += 1;
        }
        Some(low)
    }

    /// The regret of forcing the actor in at a unit cost, and what the capability then does. `None` where it is not proven.
    fn at(&self, unit_cost: Cents) -> Option<(Cents, Quantity)> {
        let mut problem = self.desk.instance.problem().clone();
        for capability in problem.actors.iter_mut().flat_map(|actor| &mut actor.capabilities) {
            if capability.id == self.capability {
                capability.unit_cost_cents = Some(unit_cost);
            }
        }
        let options = self.desk.with(&BTreeSet::from([self.actor]));
        let proposal = answer(self.desk, problem, &options)?.proposal;
        let own = proposal.allocations.iter().filter(|work| work.capability == self.capability);
        Some((proposal.costs.objective_cents - self.best, own.map(|work| work.quantity).sum()))
    }
}

/// `a / b` rounded up.
fn ratio_up(a: Cents, b: Quantity) -> Cents {
    let (a, b) = (i128::from(a), i128::from(b.max(1)));
    Cents::try_from((a + b - 1) / b).unwrap_or(Cents::MAX)
}

/// For each condition on those who work that the actor does not meet: what the best consortium would be if it met it.
pub(super) fn conditions(desk: &Desk<'_>, actor: usize, best: Cents, proven: bool) -> Vec<Remedy> {
    let id = &desk.instance.problem().actors[actor].id;
    if !proven || desk.options.locked_out.contains(id) {
        return Vec::new();
    }
    let on = RuleSet::without(desk.options.disabled_rules.iter().copied());
    let each = |scope| matches!(scope, Scope::EachMember | Scope::Performer);
    let failed = on
        .eligibility(desk.instance.problem())
        .filter(|rule| each(rule.scope) && !eligibility::meets(desk.instance, actor, &rule.criterion));
    let found = failed.filter_map(|rule| {
        let mut problem = desk.instance.problem().clone();
        grant(&mut problem, actor, &rule.criterion);
        let draft = answer(desk, problem, desk.options)?;
        let saves_cents = (best - draft.proposal.costs.objective_cents).max(0);
        let enough = draft.proposal.members.iter().any(|member| member.actor == *id);
        Some(Remedy::Condition { eligibility: rule.id.clone(), enough, saves_cents })
    });
    found.collect()
}

/// Makes an actor meet a criterion by itself.
fn grant(problem: &mut Problem, actor: usize, criterion: &Criterion) {
    let actor = &mut problem.actors[actor];
    match criterion {
        Criterion::Credential { code, .. } => {
            actor.credentials.push(Credential { code: code.clone(), valid_from: None, valid_to: None });
        }
        Criterion::LegalFamily { any_of } => actor.legal_family = any_of.first().cloned(),
        Criterion::HomeTerritory { territory } => actor.home_territories.push(territory.clone()),
        Criterion::Turnover { minimum_cents } => actor.turnover_cents = Some(*minimum_cents),
    }
}

/// The proven best consortium of a changed problem.
fn answer(desk: &Desk<'_>, problem: Problem, options: &Options) -> Option<Draft> {
    let instance = Instance::new(problem).ok()?;
    let rules = RuleSet::without(options.disabled_rules.iter().copied());
    let c = Compiled::new(&instance, options, rules);
    proven(settle(&c, &desk.backend, &Charge::default())).map(|draft| *draft)
}
