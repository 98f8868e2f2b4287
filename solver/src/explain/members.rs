//! What a member brings that the others do not.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Reason, ReasonKind};
use crate::assemble::price;
use crate::backend::{Backend, Outcome, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, units};
use crate::model::{Cents, Criterion, Quantity, Scope};
use crate::propose::Draft;
use crate::rules::{RuleId, eligibility};
use crate::search::part::Part;
use crate::text;

/// Adds the reasons of every member: quantities that would fall without it, quantities that it delivers more cheaply, and
/// rules that it alone meets. One small search per member.
pub(super) fn reasons(c: &Compiled<'_>, backend: &Backend<'_>, draft: &mut Draft) {
    let mut rest = Rest::open(c, backend, draft);
    for actor in draft.members.clone() {
        let without = rest.as_mut().and_then(|rest| rest.without(backend, actor));
        let mut reasons = without.map(|unmet| unique(c, draft, actor, &unmet)).unwrap_or_default();
        reasons.extend(cheaper(c, draft, actor));
        reasons.extend(rules(c, draft, actor));
        if let Some(member) = draft.proposal.members.iter_mut().find(|member| member.actor == c.id(actor)) {
            member.reasons = reasons;
        }
    }
}

/// What the members of a draft can deliver without one of them: one model of the members alone, in which each is absent in turn.
struct Rest<'a> {
    part: Part<'a>,
    f: Formulation,
    session: Session,
}

impl<'a> Rest<'a> {
    fn open(c: &Compiled<'a>, backend: &Backend<'_>, draft: &Draft) -> Option<Self> {
        let members = Some(draft.members.clone());
        let question = Question { members, physical: true, ..Question::minimise(Objective::Gaps) };
        let part = Part::of(c, &draft.members);
        let mut f = Formulation::new(&part.compiled, &part.question(&question));
        let session = backend.open(&mut f, Objective::Gaps)?;
        Some(Self { part, f, session })
    }

    /// What stays unmet, by cell; `None` where the limit came first.
    fn without(&mut self, backend: &Backend<'_>, actor: usize) -> Option<Vec<f64>> {
        if backend.expired() {
            return None;
        }
        let own = self.part.at(actor)?;
        self.presence(own, false);
        let outcome = backend.run(&mut self.session, &self.f);
        self.presence(own, true);
        let Some(Outcome::Found(found)) = outcome else { return None };
        // Short of the optimum, more would seem to be missing than is.
        let gap = (f64::from(self.part.compiled.options.gap_ppm) / 1e6).max(1e-6);
        let proven = found.objective - found.bound <= 1.01 * gap * found.objective.abs().max(1.0);
        proven.then_some(found.unmet)
    }

    /// `own` counts in the part.
    fn presence(&mut self, own: usize, present: bool) {
        let c = &self.part.compiled;
        let edges = c.candidates[own].offers.clone().flat_map(|o| c.offers[o].edges.clone());
        let most = |e: usize| if present { units(c.most(&c.edges[e])) } else { 0.0 };
        let mut changes: Vec<_> = edges.map(|e| (self.f.quantity[e], 0.0, most(e))).collect();
        changes.push((self.f.member[own], f64::from(present), f64::from(present)));
        self.session.bounds(&changes);
    }
}

/// By need: what the other members could not cover, however they shared the work anew.
fn unique(c: &Compiled<'_>, draft: &Draft, actor: usize, unmet: &[f64]) -> Vec<Reason> {
    let mut fallen: BTreeMap<usize, (Quantity, BTreeSet<usize>)> = BTreeMap::new();
    for (cell, &unmet) in c.cells.iter().zip(unmet) {
        let covered: Quantity = cell.edges.iter().map(|&e| draft.quantity[e]).sum();
        let left = cell.demand.saturating_sub(ceiling(unmet));
        if covered > left {
            let (quantity, places) = fallen.entry(cell.need).or_default();
            *quantity += covered - left;
            places.extend(cell.places.iter().map(|&(place, _)| place));
        }
    }
    let name = c.instance.actor_name(c.candidates[actor].actor);
    let reasons = fallen.into_iter().map(|(n, (quantity, places))| {
        let need = c.needs[n].need;
        let text = format!(
            "{name} brings {} of {} in {} that no other member has.",
            text::amount(quantity, &need.unit),
            c.need_name(n),
            c.place_names(n, &places),
        );
        Reason {
            kind: ReasonKind::Unique,
            need: Some(need.id.clone()),
            quantity: Some(quantity),
            unit: Some(need.unit.clone()),
            actors: Vec::new(),
            text,
        }
    });
    reasons.collect()
}

/// By need: work of the member that the cheapest other member able to do it in the same place would do at a higher unit cost.
fn cheaper(c: &Compiled<'_>, draft: &Draft, actor: usize) -> Vec<Reason> {
    let mut found: BTreeMap<usize, (Quantity, Cents, BTreeSet<usize>)> = BTreeMap::new();
    for e in c.candidates[actor].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
        let (edge, quantity) = (&c.edges[e], draft.quantity[e]);
        let rivals = c.cells[edge.cell].edges.iter().map(|&r| &c.edges[r]).filter(|rival| {
            let other = c.offers[rival.offer].candidate;
            other != actor && draft.members.contains(&other)
        });
        let Some(next) = rivals.min_by_key(|rival| (rival.terms.unit_cost, rival.offer)) else { continue };
        if quantity > 0 && next.terms.unit_cost > edge.terms.unit_cost {
            let (all, saved, others) = found.entry(c.cells[edge.cell].need).or_default();
            *all += quantity;
            *saved += price(quantity, next.terms.unit_cost - edge.terms.unit_cost);
            others.insert(c.offers[next.offer].candidate);
        }
    }
    let name = c.instance.actor_name(c.candidates[actor].actor);
    let reasons = found.into_iter().map(|(n, (quantity, saved, others))| {
        let need = c.needs[n].need;
        let text = format!(
            "{name} delivers {} of {} for {} less than the other members would.",
            text::amount(quantity, &need.unit),
            c.need_name(n),
            text::euros(saved),
        );
        Reason {
            kind: ReasonKind::Cheaper,
            need: Some(need.id.clone()),
            quantity: Some(quantity),
            unit: Some(need.unit.clone()),
            actors: others.into_iter().map(|i| c.id(i).to_owned()).collect(),
            text,
        }
    });
    reasons.collect()
}

/// Rules on the members together that fail without the member.
fn rules(c: &Compiled<'_>, draft: &Draft, actor: usize) -> Vec<Reason> {
    let others = || draft.members.iter().copied().filter(move |&i| i != actor);
    let problem = c.problem();
    let name = c.instance.actor_name(c.candidates[actor].actor);
    let mut texts = Vec::new();
    for rule in c.rules.eligibility(problem) {
        let counts = |i: usize| works_for(c, draft, i, &rule.lots);
        let meets = |i: usize| eligibility::meets(c.instance, c.candidates[i].actor, &rule.criterion);
        let turnover = |i: usize| i128::from(problem.actors[c.candidates[i].actor].turnover_cents.unwrap_or(0));
        let fails = match (rule.scope, &rule.criterion) {
            (Scope::SumOverMembers, Criterion::Turnover { minimum_cents }) => {
                others().filter(|&i| counts(i)).map(turnover).sum::<i128>() < i128::from(*minimum_cents)
            }
            (Scope::AnyMember | Scope::SumOverMembers, _) => !others().any(|i| counts(i) && meets(i)),
            (Scope::Lead, _) => {
                let may_lead = |i: usize| c.candidates[i].may_lead;
                c.rules.active(RuleId::Lead) && may_lead(actor) && !others().any(may_lead)
            }
            (Scope::EachMember | Scope::Performer, _) => false,
        };
        if fails {
            let role = if rule.scope == Scope::Lead { "may lead under" } else { "makes the group meet" };
            texts.push(format!("Among the members, only {name} {role} the condition \"{}\".", rule.id));
        }
    }
    if let Some(least) = problem.call.group.minimum_legal_families.filter(|_| c.rules.active(RuleId::LegalFamilies)) {
        let family = |i: usize| problem.actors[c.candidates[i].actor].legal_family.as_deref();
        let left: BTreeSet<&str> = others().filter_map(family).collect();
        if let Some(own) = family(actor).filter(|_| left.len() < least as usize) {
            texts.push(format!("Only with {name} ({own}) does the group have {least} legal families."));
        }
    }
    let reason =
        |text| Reason { kind: ReasonKind::MeetsRule, need: None, quantity: None, unit: None, actors: Vec::new(), text };
    texts.into_iter().map(reason).collect()
}

/// Whether a member does some work for one of the lots; any member if none is named.
fn works_for(c: &Compiled<'_>, draft: &Draft, member: usize, lots: &[String]) -> bool {
    let mut edges = c.candidates[member].offers.clone().flat_map(|o| c.offers[o].edges.clone());
    lots.is_empty()
        || edges.any(|e| {
            let lot = c.needs[c.cells[c.edges[e].cell].need].lot;
            draft.quantity[e] > 0 && lots.contains(&c.problem().call.lots[lot].id)
        })
}

/// The least whole quantity that is not below, with the model's rounding errors forgiven.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn ceiling(x: f64) -> Quantity {
    (x - 1e-6).ceil().max(0.0) as Quantity
}
