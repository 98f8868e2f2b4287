//! The models of several calls as one, and the plans that it gives.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use good_lp::{Constraint, Expression, IntoAffineExpression, Variable, variable};

use super::PortfolioOptions;
use super::joint::Joint;
use crate::assemble::price;
use crate::backend::{self, Backend, Session, Solved};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, keur, units};
use crate::model::{Cents, Quantity};
use crate::propose::{self, Draft};

/// Who answers which call; nobody where there is no draft.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) drafts: Vec<Option<Draft>>,
}

impl Plan {
    pub(super) fn nothing(calls: &[Compiled<'_>]) -> Self {
        Self { drafts: vec![None; calls.len()] }
    }

    pub(super) fn objective(&self, calls: &[Compiled<'_>]) -> Cents {
        (0..calls.len()).map(|call| self.cost(calls, call)).sum()
    }

    /// What one call costs, answered or not.
    fn cost(&self, calls: &[Compiled<'_>], call: usize) -> Cents {
        let draft = self.drafts[call].as_ref();
        draft.map_or_else(|| unanswered(&calls[call]), |draft| draft.proposal.costs.objective_cents)
    }

    pub(super) fn answered(&self) -> u32 {
        u32::try_from(self.drafts.iter().flatten().count()).unwrap_or(u32::MAX)
    }

    /// Whether every proposal passed its own check.
    pub(super) fn verified(&self) -> bool {
        self.drafts.iter().flatten().all(|draft| draft.proposal.proof.verified)
    }

    pub(super) fn quantity(&self, call: usize, edge: usize) -> Quantity {
        self.drafts[call].as_ref().map_or(0, |draft| draft.quantity[edge])
    }

    /// What each actor is paid for services, over all calls.
    pub(super) fn paid(&self, calls: &[Compiled<'_>]) -> BTreeMap<usize, i128> {
        let mut paid = BTreeMap::new();
        for (draft, c) in self.drafts.iter().zip(calls) {
            let quantities = draft.iter().flat_map(|draft| c.edges.iter().zip(&draft.quantity));
            for (edge, &quantity) in quantities {
                let actor = c.candidates[c.offers[edge.offer].candidate].actor;
                *paid.entry(actor).or_default() += i128::from(price(quantity, edge.terms.unit_cost));
            }
        }
        paid
    }

    /// In how many calls each actor takes part.
    fn calls_of(&self, calls: &[Compiled<'_>]) -> BTreeMap<usize, u32> {
        let mut count = BTreeMap::new();
        for (draft, c) in self.drafts.iter().zip(calls) {
            for &i in draft.iter().flat_map(|draft| &draft.members) {
                *count.entry(c.candidates[i].actor).or_default() += 1;
            }
        }
        count
    }

    /// In how many calls the busiest actor takes part.
    pub(super) fn busiest(&self, calls: &[Compiled<'_>]) -> u32 {
        self.calls_of(calls).into_values().max().unwrap_or(0)
    }
}

/// What an unanswered call counts: twice its services at the highest prices, all fixed costs, everybody's coordination, and what
/// its needs are worth.
pub(super) fn unanswered(c: &Compiled<'_>) -> Cents {
    let dearest = |j: usize| c.cells[j].edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
    let services: Cents = (0..c.cells.len()).map(|j| price(c.cells[j].demand, dearest(j))).sum();
    let fixed: Cents = c.offers.iter().map(|offer| offer.capability.fixed_cost_cents).sum();
    let count = Cents::try_from(c.candidates.len()).unwrap_or(Cents::MAX);
    let most = c.problem().call.group.maximum_members.map_or(count, |most| count.min(most.into()));
    let rates = &c.problem().call.coordination;
    let together = rates.per_member_cents * most + rates.per_new_pair_cents * (most * (most - 1).max(0) / 2);
    2 * services + fixed + together + worth(c) + 1
}

/// What all needs of a call are worth.
fn worth(c: &Compiled<'_>) -> Cents {
    c.cells.iter().map(|cell| price(cell.demand, c.needs[cell.need].need.unmet_cost_cents)).sum()
}

/// One call within the model of several.
struct Part {
    call: usize,
    /// Handles on the variables of the whole model.
    own: Formulation,
    answered: Variable,
}

/// Which calls to plan, and beside what.
pub(super) struct Task<'t> {
    pub(super) calls: &'t [Compiled<'t>],
    pub(super) joint: &'t Joint,
    pub(super) options: &'t PortfolioOptions,
    /// The calls to plan.
    pub(super) free: &'t [usize],
    /// What is given to the others.
    pub(super) fixed: &'t Plan,
}

impl Task<'_> {
    /// The best plan, with a bound on its objective for the free calls: first with divisible quantities, which bounds the optimum;
    /// then with whole quantities for the members found; and where the two differ by more than the gap, with whole quantities
    /// altogether.
    pub(super) fn solve(&self, backend: &Backend<'_>, start: Option<&Plan>) -> (Option<Plan>, Cents) {
        let (rounded, mut bound) = self.attempt(backend, false, None, start);
        let Some(rounded) = rounded else { return (None, bound) };
        let (fixed, _) = self.attempt(backend, true, Some(&rounded), None);
        let mut best = fixed.filter(|plan| self.keeps(plan));
        let close = |plan: &Plan| {
            let gap = i128::from(self.objective(plan) - bound) * 1_000_000;
            gap <= i128::from(bound) * i128::from(self.options.gap_ppm)
        };
        if !best.as_ref().is_some_and(close) && !backend.expired() {
            let (again, better) = self.attempt(backend, true, None, best.as_ref().or(start));
            bound = bound.max(better);
            let again = again.filter(|plan| self.keeps(plan));
            let cheaper = |plan: &Plan| best.as_ref().is_none_or(|best| self.objective(plan) < self.objective(best));
            best = again.filter(cheaper).or(best);
        }
        (best.or_else(|| Some(rounded).filter(|plan| self.keeps(plan))), bound)
    }

    /// What the free calls cost in a plan.
    fn objective(&self, plan: &Plan) -> Cents {
        self.free.iter().map(|&call| plan.cost(self.calls, call)).sum()
    }

    fn keeps(&self, plan: &Plan) -> bool {
        plan.verified() && self.joint.keeps(plan) && super::fair(self.calls, self.options, plan)
    }

    /// One solve: in whole quantities or not, for the members of a plan or any.
    fn attempt(
        &self,
        backend: &Backend<'_>,
        whole: bool,
        members: Option<&Plan>,
        start: Option<&Plan>,
    ) -> (Option<Plan>, Cents) {
        let Some(&first) = self.free.first() else { return (None, 0) };
        let any = Question { whole, ..Question::minimise(Objective::Euros) };
        let question = |call: usize| {
            let given = |plan: &Plan| plan.drafts[call].as_ref().map_or_else(BTreeSet::new, |d| d.members.clone());
            Question { members: members.map(given), ..any.clone() }
        };
        let mut all = Formulation::new(&self.calls[first], &any);
        all.rows.clear();
        all.objective = Expression::default();
        all.integers.clear();
        all.variables = good_lp::ProblemVariables::new();
        let parts: Vec<Part> =
            self.free.iter().map(|&call| merge(&mut all, &self.calls[call], &question(call), call)).collect();
        share(&mut all, self.calls, self.joint, self.options, &parts, self.fixed);
        let Some(mut session) = backend.open(&mut all, Objective::Euros) else { return (None, 0) };
        // Once more, for the constant, which building the model drops.
        session.minimise(all.objective.clone(), true);
        if let Some(plan) = start {
            session.start(&hints(&parts, plan));
        }
        let Some(solved) = (!backend.expired()).then(|| session.solve(&backend.control)).flatten() else {
            return (None, 0);
        };
        let bound = propose::bound_cents(solved.bound);
        if !solved.found() {
            return (None, bound);
        }
        let mut plan = self.fixed.clone();
        for part in &parts {
            plan.drafts[part.call] = read(&self.calls[part.call], &any, part, &session, &solved);
        }
        (Some(plan), bound)
    }
}

/// The consortium of one call.
fn read(c: &Compiled<'_>, question: &Question, part: &Part, session: &Session, solved: &Solved) -> Option<Draft> {
    (session.value(solved, part.answered) > 0.5)
        .then(|| propose::draft(c, question, &backend::found(session, &part.own, solved)))
}

/// Who is a member of what in a plan, to start from.
fn hints(parts: &[Part], plan: &Plan) -> Vec<(Variable, f64)> {
    let mut hints = Vec::new();
    for part in parts {
        let draft = plan.drafts[part.call].as_ref();
        hints.push((part.answered, f64::from(draft.is_some())));
        let member = |i: usize| f64::from(draft.is_some_and(|draft| draft.members.contains(&i)));
        hints.extend(part.own.member.iter().enumerate().map(|(i, &variable)| (variable, member(i))));
        let quantity = |e: usize| draft.map_or(0.0, |draft| units(draft.quantity[e]));
        hints.extend(part.own.quantity.iter().enumerate().map(|(e, &variable)| (variable, quantity(e))));
    }
    hints
}

/// Adds the model of a call, which may stay unanswered.
fn merge(whole: &mut Formulation, c: &Compiled<'_>, question: &Question, call: usize) -> Part {
    let mut own = Formulation::new(c, question);
    let renamed: HashMap<Variable, Variable> = own
        .variables
        .iter_variables_with_def()
        .map(|(variable, definition)| (variable, whole.variables.add(definition.clone())))
        .collect();
    // The point where nothing is done: every demand is unmet, everything else is 0.
    let unmet: HashMap<Variable, f64> =
        own.unmet.iter().zip(&c.cells).map(|(&variable, cell)| (variable, units(cell.demand))).collect();
    let answered = whole.variables.add(variable().binary());
    whole.integers.push(answered);
    for row in own.rows.drain(..) {
        let expression = row.expression();
        let broken = expression.linear_coefficients().fold(expression.constant(), |sum, (variable, coefficient)| {
            sum + coefficient * unmet.get(&variable).copied().unwrap_or(0.0)
        });
        let mut row_of_all = rename(expression, &renamed);
        if row.is_equality() {
            whole.add(row_of_all.eq(0));
        } else {
            if broken > 1e-9 {
                row_of_all += broken * answered - broken;
            }
            whole.add(row_of_all.leq(0));
        }
    }
    let new = |variable: &Variable| renamed.get(variable).copied().unwrap_or(answered);
    for list in [&mut own.member, &mut own.used, &mut own.quantity, &mut own.unmet] {
        for variable in list.iter_mut() {
            *variable = new(variable);
        }
    }
    whole.integers.extend(own.integers.iter().map(new));
    for &member in &own.member {
        whole.add((member - answered).leq(0));
    }
    // Where nothing is done the model counts what the needs are worth.
    let price = keur(unanswered(c) - worth(c));
    let euros = rename(&own.objective, &renamed);
    whole.objective += euros - price * answered + price;
    Part { call, own, answered }
}

fn rename(expression: &Expression, renamed: &HashMap<Variable, Variable>) -> Expression {
    let mut all = Expression::from(expression.constant());
    for (variable, coefficient) in expression.linear_coefficients() {
        if let Some(&new) = renamed.get(&variable) {
            all.add_mul(coefficient, new);
        }
    }
    all
}

/// Rows on what the calls share.
fn share(
    whole: &mut Formulation,
    calls: &[Compiled<'_>],
    joint: &Joint,
    options: &PortfolioOptions,
    parts: &[Part],
    fixed: &Plan,
) {
    let part_of: BTreeMap<usize, &Part> = parts.iter().map(|part| (part.call, part)).collect();
    for resource in &joint.resources {
        for moment in &joint.moments {
            let uses = || resource.uses.iter().filter(|(call, ..)| moment.contains(call));
            let several = uses().any(|(call, ..)| Some(call) != uses().map(|(call, ..)| call).next());
            let most = uses().map(|(.., capacity)| *capacity).max().unwrap_or(0);
            if !several || most == 0 {
                continue; // A call alone has rows of its own.
            }
            let mut work = Expression::from(-units(most));
            for &(call, e, capacity) in uses() {
                let scale = units(most) / units(capacity.max(1));
                match part_of.get(&call) {
                    Some(part) => work.add_mul(scale, part.own.quantity[e]),
                    None => work += scale * units(fixed.quantity(call, e)),
                }
            }
            whole.add(work.leq(0));
        }
    }
    if let Some(most) = options.maximum_calls_per_actor {
        exclusive(whole, calls, parts, fixed, most);
    }
    if let Some(most) = options.maximum_share_percent.filter(|most| *most < 100) {
        fair(whole, calls, parts, f64::from(most) / 100.0);
    }
}

/// No actor takes part in more than so many calls.
fn exclusive(whole: &mut Formulation, calls: &[Compiled<'_>], parts: &[Part], fixed: &Plan, most: u32) {
    let busy = fixed.calls_of(calls);
    let mut rows: BTreeMap<usize, Expression> = BTreeMap::new();
    for part in parts {
        for (candidate, &member) in calls[part.call].candidates.iter().zip(&part.own.member) {
            *rows.entry(candidate.actor).or_default() += member;
        }
    }
    for (actor, row) in rows {
        let left = most.saturating_sub(busy.get(&actor).copied().unwrap_or(0));
        whole.add(row.leq(f64::from(left)));
    }
}

/// No actor carries more than its part of all services.
fn fair(whole: &mut Formulation, calls: &[Compiled<'_>], parts: &[Part], most: f64) {
    let mut rows: BTreeMap<usize, Expression> = BTreeMap::new();
    let mut all = Expression::default();
    for part in parts {
        let c = &calls[part.call];
        for (i, candidate) in c.candidates.iter().enumerate() {
            let own = part.own.services_of(c, i);
            all += own.clone();
            *rows.entry(candidate.actor).or_default() += own;
        }
    }
    let total = whole.variables.add(variable().min(0));
    let row: Constraint = (all - total).eq(0);
    whole.add(row);
    for row in rows.into_values() {
        whole.add((row - most * total).leq(0));
    }
}
