//! The models of several calls as one, with the others given.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use good_lp::{Expression, IntoAffineExpression, Variable, variable};

use super::plan::{Plan, unanswered};
use super::stage::{Goal, Stage};
use crate::backend::{self, Backend, Session, Solved};
use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective, Question, keur, units};
use crate::model::{Cents, Quantity};
use crate::propose::{self, Draft};

/// One call within the model of several.
struct Block {
    call: usize,
    /// Handles on the variables of the whole model.
    own: Formulation,
    answered: Variable,
    /// What the call costs, answered or not.
    cost: Expression,
}

/// Which calls to plan, and beside what.
pub(super) struct Task<'t> {
    pub(super) stage: &'t Stage<'t>,
    /// The calls to plan.
    pub(super) free: &'t [usize],
    /// By call, the only candidates that may take part; all of them where there is no such list.
    pub(super) among: Option<&'t [BTreeSet<usize>]>,
    /// Relative gap at which a search ends before its time; that of the computation where there is none.
    pub(super) gap: Option<f64>,
    /// What is given to the others.
    pub(super) fixed: &'t Plan,
}

/// What a search came to.
pub(super) struct Outcome {
    /// The best plan found, exact and verified.
    pub(super) plan: Option<Plan>,
    /// What is minimised cannot be less, over the calls that are free; −∞ where nothing is proven.
    pub(super) bound: f64,
    /// Whether the search came to its end.
    pub(super) finished: bool,
}

/// How one model is asked.
#[derive(Clone, Copy)]
struct Form<'p> {
    whole: bool,
    /// Only the members of this plan.
    members: Option<&'p Plan>,
    start: Option<&'p Plan>,
}

impl Task<'_> {
    /// The best plan, with a bound: first with divisible quantities, which bounds the optimum; then with whole quantities for the
    /// members found; and where the two differ by more than the gap, with whole quantities altogether.
    pub(super) fn solve(&self, backend: &Backend<'_>, control: &Control<'_>, start: Option<&Plan>) -> Outcome {
        let divisible = self.attempt(backend, control, Form { whole: false, members: None, start });
        let Some(rounded) = &divisible.plan else { return divisible };
        let (mut bound, mut finished) = (divisible.bound, divisible.finished);
        let given = Form { whole: true, members: Some(rounded), start: None };
        let mut best = self.attempt(backend, control, given).plan.filter(|plan| self.stage.keeps(plan));
        let close = |plan: &Plan, bound| self.stage.meets(self.value(plan), propose::bound_cents(bound));
        let enough = |plan: &Plan| close(plan, bound) || self.gap.is_some();
        if !best.as_ref().is_some_and(enough) && !control.expired() {
            let again = Form { whole: true, members: None, start: best.as_ref().or(start) };
            let again = self.attempt(backend, control, again);
            bound = bound.max(again.bound);
            finished &= again.finished;
            let kept = again.plan.filter(|plan| self.stage.keeps(plan));
            best = best.into_iter().chain(kept).min_by_key(|plan| self.value(plan));
        }
        let best = best.or_else(|| Some(rounded.clone()).filter(|plan| self.stage.keeps(plan)));
        Outcome { plan: best, bound, finished }
    }

    /// What is minimised, of the free calls where it adds up over calls.
    fn value(&self, plan: &Plan) -> Cents {
        match self.stage.ask.goal {
            Goal::Cost => self.free.iter().map(|&call| plan.cost(self.stage.calls, call)).sum(),
            Goal::Largest => self.stage.value(plan),
        }
    }

    /// One solve.
    fn attempt(&self, backend: &Backend<'_>, control: &Control<'_>, form: Form<'_>) -> Outcome {
        let nothing = Outcome { plan: None, bound: f64::NEG_INFINITY, finished: false };
        let any = Question { whole: form.whole, ..Question::minimise(Objective::Euros) };
        let question = |call: usize| {
            let given = |plan: &Plan| plan.drafts[call].as_ref().map_or_else(BTreeSet::new, |d| d.members.clone());
            let out = |among: &[BTreeSet<usize>]| {
                (0..self.stage.calls[call].candidates.len()).filter(|i| !among[call].contains(i)).collect()
            };
            let absent = self.among.map_or_else(BTreeSet::new, out);
            Question { members: form.members.map(given), absent, ..any.clone() }
        };
        let mut all = Formulation::empty();
        let calls = self.stage.calls;
        let blocks: Vec<Block> =
            self.free.iter().map(|&call| merge(&mut all, &calls[call], &question(call), call)).collect();
        for block in &blocks {
            all.objective += block.cost.clone() * self.stage.rows.weight;
        }
        self.join(&mut all, &blocks);
        let Some(mut session) = backend.open(&mut all, Objective::Euros) else { return nothing };
        if let Some(gap) = self.gap {
            session.set("mip_rel_gap", gap);
        }
        if let Some(plan) = form.start {
            session.start(&blocks.iter().flat_map(|block| hints(&calls[block.call], block, plan)).collect::<Vec<_>>());
        }
        let Some(solved) = (!control.expired()).then(|| session.solve(control)).flatten() else { return nothing };
        let finished = solved.end != backend::End::Stopped;
        let plan = solved.found().then(|| {
            let mut plan = self.fixed.clone();
            for block in &blocks {
                plan.drafts[block.call] = read(&calls[block.call], &any, block, &session, &solved);
            }
            plan
        });
        Outcome { plan, bound: solved.bound, finished }
    }

    /// The rows on what the calls share.
    fn join(&self, all: &mut Formulation, blocks: &[Block]) {
        let rows = &self.stage.rows;
        let of: BTreeMap<usize, &Block> = blocks.iter().map(|block| (block.call, block)).collect();
        let shared: Vec<Variable> =
            rows.shared.iter().map(|shared| all.variables.add(variable().clamp(0.0, shared.most))).collect();
        for (shared, &variable) in rows.shared.iter().zip(&shared) {
            all.objective.add_mul(shared.price, variable);
        }
        let given: Vec<Vec<(usize, f64)>> = (0..self.fixed.drafts.len())
            .map(|call| if of.contains_key(&call) { Vec::new() } else { self.stage.usage(self.fixed, call) })
            .collect();
        let mut taken = vec![0.0; rows.list.len()];
        for &(row, used) in given.iter().flatten() {
            taken[row] += used;
        }
        for (row, taken) in rows.list.iter().zip(taken) {
            let mut sum = Expression::from(taken - row.most);
            for (call, part) in &row.parts {
                let Some(block) = of.get(call) else { continue };
                for &(e, each) in &part.edges {
                    sum.add_mul(each, block.own.quantity[e]);
                }
                for &(i, each) in &part.members {
                    sum.add_mul(each, block.own.member[i]);
                }
            }
            for &(own, each) in &row.shared {
                sum.add_mul(each, shared[own]);
            }
            if row.cost != 0.0 {
                for block in blocks {
                    sum += block.cost.clone() * row.cost;
                }
            }
            all.add(if row.equal { sum.eq(0) } else { sum.leq(0) });
        }
    }
}

/// The consortium of one call.
fn read(c: &Compiled<'_>, question: &Question, block: &Block, session: &Session, solved: &Solved) -> Option<Rc<Draft>> {
    let answered = session.value(solved, block.answered) > 0.5;
    answered.then(|| Rc::new(propose::draft(c, question, &backend::found(session, &block.own, solved))))
}

/// What a plan does for one call, to start from.
fn hints(c: &Compiled<'_>, block: &Block, plan: &Plan) -> Vec<(Variable, f64)> {
    let draft = plan.drafts[block.call].as_ref();
    let quantity = |e: usize| draft.map_or(0, |draft| draft.quantity[e]);
    let member = |i: usize| f64::from(draft.is_some_and(|draft| draft.members.contains(&i)));
    let mut hints = vec![(block.answered, f64::from(draft.is_some()))];
    let of = &block.own;
    hints.extend(of.member.iter().enumerate().map(|(i, &variable)| (variable, member(i))));
    for (k, offer) in c.offers.iter().enumerate().filter(|(k, offer)| of.used[*k] != of.member[offer.candidate]) {
        hints.push((of.used[k], f64::from(offer.edges.clone().any(|e| quantity(e) > 0))));
    }
    hints.extend(of.quantity.iter().enumerate().map(|(e, &variable)| (variable, units(quantity(e)))));
    for (cell, &unmet) in c.cells.iter().zip(&of.unmet) {
        let served: Quantity = cell.edges.iter().map(|&e| quantity(e)).sum();
        hints.push((unmet, units(cell.demand.saturating_sub(served))));
    }
    hints
}

/// Adds the model of a call, which may stay unanswered.
fn merge(whole: &mut Formulation, c: &Compiled<'_>, question: &Question, call: usize) -> Block {
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
    let there = |expression: &Expression| {
        expression.linear_coefficients().fold(expression.constant(), |sum, (variable, coefficient)| {
            sum + coefficient * unmet.get(&variable).copied().unwrap_or(0.0)
        })
    };
    // What the model counts at that point is not what an unanswered call counts.
    let price = keur(unanswered(c)) - there(&own.objective);
    for row in own.rows.drain(..) {
        let expression = row.expression();
        let broken = there(expression);
        let mut of_all = rename(expression, &renamed);
        if broken > 1e-9 || row.is_equality() {
            of_all += broken * answered - broken;
        }
        whole.add(if row.is_equality() { of_all.eq(0) } else { of_all.leq(0) });
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
    let cost = rename(&own.objective, &renamed) - price * answered + price;
    Block { call, own, answered, cost }
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
