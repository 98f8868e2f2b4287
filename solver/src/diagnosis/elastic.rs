//! The call with an indicator for each rule: which rules to give up, and how far.
//!
//! The rows are those of the rules themselves. A row `a·x ≤ b` of a rule becomes `a·x ≤ b + M·r` with `r` the indicator of the rule
//! and `M` the most by which its variables can break it; for the size and the budget, `a·x ≤ b + s`, `s ≤ M·r`, so that the
//! amount `s` counts too. What a condition forbids outright is allowed up to `r`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use good_lp::{Constraint as Row, Expression, IntoAffineExpression, Variable, variable};

use super::Constraint;
use super::constraint::Variant;
use crate::backend::{Backend, End, Index, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, keur, units};
use crate::model::Scope;
use crate::rules::{EMITTERS, RuleId, eligibility};

/// The elastic program of a call.
pub(super) struct Elastic {
    session: Session,
    /// By rule: 1 where it is given up.
    given_up: Vec<Variable>,
    /// Everybody who could be a member, by its place in the problem.
    members: Vec<(usize, Variable)>,
    /// What is paid.
    spend: Expression,
    /// How far the size, the budget and the needs give way, each as a part of what it asks.
    amounts: Expression,
    /// The row that bounds the number of rules given up.
    count: Index,
}

/// What a relaxation or a search says of some rules.
pub(super) enum Told {
    /// They can hold together, with these actors as members; in the linear relaxation, in whole or in part.
    Possible(BTreeSet<usize>),
    /// Proven: they cannot.
    Impossible,
    /// The limit came first.
    Unknown,
}

/// A row that waits for the bounds of its variables.
struct Pending {
    row: Row,
    rule: usize,
    /// By how much the rule gives way, where that counts.
    amount: Option<Variable>,
}

impl Elastic {
    /// `None` where HiGHS refuses the model. O(rows of the rules × conditions).
    pub(super) fn new(call: &Compiled<'_>, backend: &Backend<'_>, all: &[Constraint]) -> Option<Self> {
        // Everything that could be given up is; but who is locked in stands among the candidates.
        let mut free = Variant::without(call, all);
        free.options.locked_in.clone_from(&call.options.locked_in);
        let mut c = free.compile(call.instance);
        for candidate in &mut c.candidates {
            candidate.locked_in = false;
        }
        let question = Question { elastic: true, whole: true, ..Question::minimise(Objective::Any) };
        let mut f = Formulation::new(&c, &question);
        f.add((f.size * 1.0).geq(1));
        let mut amounts = Expression::default();
        let mut pending = Vec::new();
        let given_up: Vec<Variable> = all.iter().map(|_| f.variables.add(variable().binary())).collect();
        f.integers.extend_from_slice(&given_up);
        leads(&mut f, call, &c, all, &given_up);
        for (rule, constraint) in all.iter().enumerate() {
            let indicator = given_up[rule];
            match constraint {
                Constraint::Rule { rule: id } => {
                    let amount = scale(call, *id).map(|scale| {
                        let amount = f.variables.add(variable().min(0));
                        amounts.add_mul(1.0 / scale, amount);
                        amount
                    });
                    if *id == RuleId::MinimumQuantity {
                        uses(&mut f, &c);
                    }
                    let rows = emitted(&mut f, &c, *id);
                    pending.extend(rows.into_iter().map(|row| Pending { row, rule, amount }));
                }
                Constraint::Eligibility { id } => {
                    let rows = condition(&mut f, call, &c, id, indicator);
                    pending.extend(rows.into_iter().map(|row| Pending { row, rule, amount: None }));
                }
                Constraint::LockedIn { actor } => {
                    let member = c.instance.actors.get(actor).and_then(|&actor| c.candidate_of(actor));
                    let present: Expression = member.map(|i| f.member[i]).into_iter().sum();
                    f.add((present + indicator).geq(1));
                }
                Constraint::LockedOut { actor } => {
                    if let Some(i) = c.instance.actors.get(actor).and_then(|&actor| c.candidate_of(actor)) {
                        f.add((f.member[i] - indicator).leq(0));
                    }
                }
                Constraint::Need { id } => {
                    for (j, cell) in c.cells.iter().enumerate() {
                        let need = c.needs[cell.need].need;
                        if need.id == *id {
                            f.add((f.unmet[j] - units(cell.demand) * indicator).leq(0));
                            amounts.add_mul(1.0 / units(need.quantity), f.unmet[j]);
                        }
                    }
                }
            }
        }
        soften(&mut f, pending, &given_up);
        let members = c.candidates.iter().zip(&f.member).map(|(one, &member)| (one.actor, member)).collect();
        let spend = f.spend.clone();
        let mut session = backend.open(&mut f, Objective::Any)?;
        let count = session.add_row(given_up.iter().sum::<Expression>(), 0.0, f64::INFINITY)?;
        Some(Self { session, given_up, members, spend, amounts, count })
    }

    /// Asks the relaxation from now on, for the cheapest.
    pub(super) fn relax(&mut self) {
        self.session.relax(true);
        self.session.set("presolve", "off");
        self.session.minimise(self.spend.clone(), true);
    }

    /// Whether the relaxation allows these rules to hold together. One warm linear program.
    pub(super) fn relaxed(&mut self, backend: &Backend<'_>, kept: &BTreeSet<usize>) -> Told {
        let given = |(rule, &indicator): (usize, &Variable)| {
            let gone = f64::from(!kept.contains(&rule));
            (indicator, gone, gone)
        };
        let given: Vec<_> = self.given_up.iter().enumerate().map(given).collect();
        self.session.bounds(&given);
        let Some(solved) = self.session.solve(&backend.control) else { return Told::Unknown };
        match solved.end {
            End::Infeasible => Told::Impossible,
            End::Stopped => Told::Unknown,
            End::Optimal => {
                let some = self.members.iter().filter(|(_, member)| self.session.value(&solved, *member) > 1e-6);
                Told::Possible(some.map(|&(actor, _)| actor).collect())
            }
        }
    }

    /// The set of fewest rules to give up, and among those the one that gives way least, that no cut forbids: `Err(true)` where
    /// there is proven to be none, `Err(false)` where the limit came first.
    pub(super) fn cheapest(&mut self, backend: &Backend<'_>) -> Result<BTreeSet<usize>, bool> {
        self.session.bound_row(self.count, 0.0, f64::INFINITY);
        self.session.minimise(self.given_up.iter().sum::<Expression>(), false);
        let fewest = self.solve(backend)?.len();
        self.session.bound_row(self.count, 0.0, units(fewest as u64));
        self.session.minimise(self.amounts.clone(), false);
        self.solve(backend)
    }

    fn solve(&mut self, backend: &Backend<'_>) -> Result<BTreeSet<usize>, bool> {
        let solved = self.session.solve_counting(&backend.control).ok_or(false)?;
        match solved.end {
            End::Infeasible => Err(true),
            End::Stopped => Err(false),
            End::Optimal => {
                let chosen = self.given_up.iter().enumerate().filter(|(_, r)| self.session.value(&solved, **r) > 0.5);
                Ok(chosen.map(|(rule, _)| rule).collect())
            }
        }
    }

    /// No later set contains this one.
    pub(super) fn forbid(&mut self, set: &BTreeSet<usize>) -> bool {
        let sum: Expression = set.iter().map(|&rule| self.given_up[rule]).sum();
        self.session.add_row(sum, f64::NEG_INFINITY, units(set.len() as u64) - 1.0).is_some()
    }

    /// Every later set has a rule outside this one, which is proven not to be enough.
    pub(super) fn exceed(&mut self, set: &BTreeSet<usize>) -> bool {
        let others = self.given_up.iter().enumerate().filter(|(rule, _)| !set.contains(rule));
        let sum: Expression = others.map(|(_, &indicator)| indicator).sum();
        self.session.add_row(sum, 1.0, f64::INFINITY).is_some()
    }
}

/// What an amount is compared with: the limit itself, in the unit of its row.
pub(super) fn scale(c: &Compiled<'_>, rule: RuleId) -> Option<f64> {
    let call = &c.problem().call;
    match rule {
        RuleId::Size => Some(f64::from(call.group.maximum_members.unwrap_or(call.group.minimum_members))),
        RuleId::Budget => Some(keur(call.budget_cents.unwrap_or(0).max(100))),
        _ => None,
    }
}

/// The rows of a rule, taken out of the model again; the definitions among them (equalities) stay.
fn emitted(f: &mut Formulation, c: &Compiled<'_>, rule: RuleId) -> Vec<Row> {
    let before = f.rows.len();
    for (_, emit) in EMITTERS.iter().filter(|(id, _)| *id == rule) {
        emit(f, c);
    }
    let (definitions, rows) = f.rows.drain(before..).partition(Row::is_equality);
    f.rows.extend::<Vec<Row>>(definitions);
    rows
}

/// A use of its own for each capability that has a smallest quantity, which the model of a call without that rule spares.
fn uses(f: &mut Formulation, c: &Compiled<'_>) {
    for (k, offer) in c.offers.iter().enumerate() {
        let member = f.member[offer.candidate];
        if offer.capability.minimum_quantity > 0 && f.used[k] == member {
            let used = f.variables.add(variable().binary());
            f.integers.push(used);
            f.used[k] = used;
            f.add((used - member).leq(0));
            for e in offer.edges.clone() {
                f.add((f.quantity[e] - units(c.most(&c.edges[e])) * used).leq(0));
            }
        }
    }
}

/// A condition on members or performers forbids work; one on the members together has rows of its own, which are returned.
fn condition(f: &mut Formulation, call: &Compiled<'_>, c: &Compiled<'_>, id: &str, indicator: Variable) -> Vec<Row> {
    let Some(rule) = c.problem().call.eligibility.iter().find(|rule| rule.id == id) else { return Vec::new() };
    match rule.scope {
        Scope::EachMember | Scope::Performer => {
            let everybody = rule.scope == Scope::EachMember && rule.lots.is_empty();
            for (i, candidate) in c.candidates.iter().enumerate() {
                if everybody && !eligibility::meets(c.instance, candidate.actor, &rule.criterion) {
                    f.add((f.member[i] - indicator).leq(0));
                }
            }
            for (e, edge) in c.edges.iter().enumerate() {
                let actor = c.candidates[c.offers[edge.offer].candidate].actor;
                if c.matcher.forbids(rule, actor, &c.needs[c.cells[edge.cell].need]) {
                    f.add((f.quantity[e] - units(c.most(edge)) * indicator).leq(0));
                }
            }
            Vec::new()
        }
        Scope::AnyMember | Scope::SumOverMembers => {
            let mut alone = c.clone();
            alone.rules = call.rules.clone();
            for other in c.problem().call.eligibility.iter().filter(|other| other.id != id) {
                alone.rules = alone.rules.waiving(&other.id);
            }
            emitted(f, &alone, RuleId::Eligibility)
        }
        Scope::Lead => Vec::new(),
    }
}

/// One member leads, and meets every condition on the lead that is not given up.
fn leads(f: &mut Formulation, call: &Compiled<'_>, c: &Compiled<'_>, all: &[Constraint], given_up: &[Variable]) {
    let asked: Vec<_> = c
        .problem()
        .call
        .eligibility
        .iter()
        .filter(|rule| rule.scope == Scope::Lead)
        .filter_map(|rule| {
            let at = all.iter().position(|one| matches!(one, Constraint::Eligibility { id } if *id == rule.id))?;
            Some((rule, given_up[at]))
        })
        .collect();
    if asked.is_empty() || !call.rules.active(RuleId::Lead) {
        return;
    }
    let mut lead = Expression::default();
    for (i, candidate) in c.candidates.iter().enumerate() {
        let leads = f.variables.add(variable().binary());
        f.integers.push(leads);
        f.add((leads - f.member[i]).leq(0));
        for (rule, indicator) in &asked {
            if !eligibility::meets(c.instance, candidate.actor, &rule.criterion) {
                f.add((leads - *indicator).leq(0));
            }
        }
        lead += leads;
    }
    f.add(lead.geq(1));
}

/// Lets each row give way as far as its variables can go. A row without bound stays as it is.
fn soften(f: &mut Formulation, pending: Vec<Pending>, given_up: &[Variable]) {
    let bounds: HashMap<Variable, (f64, f64)> = f
        .variables
        .iter_variables_with_def()
        .map(|(variable, definition)| (variable, (definition.get_min(), definition.get_max())))
        .collect();
    let mut amounts: BTreeMap<usize, (Variable, f64)> = BTreeMap::new();
    for Pending { row, rule, amount } in pending {
        let expression = row.expression().clone();
        let most =
            row.expression().linear_coefficients().fold(expression.constant(), |sum, (variable, coefficient)| {
                let (least, most) = bounds.get(&variable).copied().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
                if coefficient == 0.0 { sum } else { sum + coefficient * if coefficient > 0.0 { most } else { least } }
            });
        if !most.is_finite() {
            f.add(row);
        } else if most > 0.0 {
            match amount {
                None => f.add((expression - most * given_up[rule]).leq(0)),
                Some(amount) => {
                    f.add((expression - amount).leq(0));
                    let farthest = amounts.entry(rule).or_insert((amount, most));
                    farthest.1 = farthest.1.max(most);
                }
            }
        }
    }
    for (rule, (amount, most)) in amounts {
        f.add((amount - most * given_up[rule]).leq(0));
    }
}
