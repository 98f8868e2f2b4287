//! The mixed-integer model: variables, the rows that define them, and the rows of the rules.
//!
//! Variables: `member` `y_i` ∈ {0,1}; `used` `z_k` ∈ {0,1}, the member itself where the two cannot differ; `quantity` `x_kj` in units;
//! `unmet` `u_j` in units; `size` = Σ y. Money is in thousands of euros. A capability is linked to its use by the strong rows `x_kj` ≤ `q_kj` `z_k`, with `q_kj` the most it can carry.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Constraint, Expression, ProblemVariables, Variable, variable};

use crate::compile::{Compiled, Edge};
use crate::coordination;
use crate::export::Form;
use crate::model::{Cents, Quantity};
use crate::rules::{EMITTERS, RuleId};

/// Cents as thousands of euros, the money unit of the model.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn keur(cents: Cents) -> f64 {
    cents as f64 / 100_000.0
}

/// Units as a coefficient.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn units(quantity: Quantity) -> f64 {
    quantity as f64
}

/// Beyond this, floating point cannot tell whole numbers within the tolerances; the checker has the last word.
const MOST_COUNTED: Quantity = 1_000_000_000;

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Objective {
    /// What is paid plus what the uncovered quantities are worth.
    Euros,
    /// What is paid.
    Paid,
    /// The uncovered parts of mandatory needs, in thousandths of each need.
    Shortage,
    /// The uncovered parts of all needs, in thousandths of each need.
    Gaps,
    /// Nothing: any solution will do.
    Any,
    /// Members.
    FewMembers,
    /// Members, the other way round.
    ManyMembers,
}

/// One question to the model.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) objective: Objective,
    /// The members, if they are given.
    pub(crate) members: Option<BTreeSet<usize>>,
    /// Candidates that must not be members.
    pub(crate) absent: BTreeSet<usize>,
    /// Consortia of which at least one member must be missing.
    pub(crate) replaced: Vec<BTreeSet<usize>>,
    /// Whether quantities are whole in the model; otherwise they are a relaxation.
    pub(crate) whole: bool,
    /// Whether mandatory needs may be missed.
    pub(crate) elastic: bool,
    /// The most that may be missed, in thousandths of needs.
    pub(crate) shortage: Option<f64>,
    /// A need that must be covered in full, wherever somebody offers it, even if it is optional.
    pub(crate) covered: Option<usize>,
    /// Whether only what can be delivered counts: capacities, pools and smallest quantities.
    pub(crate) physical: bool,
    /// How links and pairs are written; only comparisons ask for another form than the compact one.
    pub(crate) form: Form,
}

impl Question {
    /// Minimise under all rules.
    pub(crate) fn minimise(objective: Objective) -> Self {
        Self {
            objective,
            members: None,
            absent: BTreeSet::new(),
            replaced: Vec::new(),
            whole: false,
            elastic: false,
            shortage: None,
            covered: None,
            physical: false,
            form: Form::Compact,
        }
    }

    /// Whether a candidate is surely a member, or surely not.
    fn presence(&self, candidate: usize, locked_in: bool) -> Option<bool> {
        match &self.members {
            Some(members) => Some(members.contains(&candidate) && !self.absent.contains(&candidate)),
            None if self.absent.contains(&candidate) => Some(false),
            None => locked_in.then_some(true),
        }
    }
}

/// A model with handles on its variables.
pub(crate) struct Formulation {
    pub(crate) variables: ProblemVariables,
    pub(crate) rows: Vec<Constraint>,
    /// Variables that are whole numbers.
    pub(crate) integers: Vec<Variable>,
    pub(crate) member: Vec<Variable>,
    pub(crate) used: Vec<Variable>,
    pub(crate) quantity: Vec<Variable>,
    pub(crate) unmet: Vec<Variable>,
    pub(crate) size: Variable,
    /// What is paid.
    pub(crate) spend: Expression,
    pub(crate) objective: Expression,
    services: Option<Variable>,
    /// Whether a candidate works for a lot, where a rule asks.
    works: BTreeMap<(usize, usize), Variable>,
    /// Whether a candidate is surely a member, or surely not.
    presence: Vec<Option<bool>>,
    /// Whether links and pairs are written as in textbooks.
    pub(crate) textbook: bool,
}

impl Formulation {
    /// Builds the model of one question. O(edges + rows of the rules).
    pub(crate) fn new(c: &Compiled<'_>, question: &Question) -> Self {
        let mut f = Self::with_variables(c, question);
        f.balance(c);
        f.link(c);
        // What can be delivered depends neither on coordination, which may ask for a lead, nor on there being a consortium.
        let coordination = if question.physical {
            Expression::default()
        } else {
            // Nobody is no consortium, whatever rules are in force.
            f.add((f.size * 1.0).geq(1));
            coordination::emit(&mut f, c)
        };
        for i in 0..c.candidates.len() {
            let own = f.services_of(c, i) + f.fixed_of(c, i);
            f.spend += own;
        }
        f.spend += coordination;
        for (rule, emit) in EMITTERS {
            let physical = matches!(rule, RuleId::Capacity | RuleId::Pool | RuleId::MinimumQuantity);
            let skipped = (rule == RuleId::Demand && question.elastic) || (question.physical && !physical);
            if c.rules.active(rule) && !skipped {
                emit(&mut f, c);
            }
        }
        f.ask(c, question);
        f
    }

    /// A model of nothing yet, for those who add variables and rows of their own.
    pub(crate) fn empty() -> Self {
        let mut variables = ProblemVariables::new();
        let size = variables.add(variable().clamp(0, 0));
        Self {
            variables,
            rows: Vec::new(),
            integers: Vec::new(),
            member: Vec::new(),
            used: Vec::new(),
            quantity: Vec::new(),
            unmet: Vec::new(),
            size,
            spend: Expression::default(),
            objective: Expression::default(),
            services: None,
            works: BTreeMap::new(),
            presence: Vec::new(),
            textbook: false,
        }
    }

    fn with_variables(c: &Compiled<'_>, question: &Question) -> Self {
        let mut variables = ProblemVariables::new();
        let mut integers = Vec::new();
        let presence: Vec<Option<bool>> =
            c.candidates.iter().enumerate().map(|(i, candidate)| question.presence(i, candidate.locked_in)).collect();
        let member: Vec<_> = presence
            .iter()
            .map(|given| {
                let bounds = given.map_or((0.0, 1.0), |given| (f64::from(given), f64::from(given)));
                variables.add(variable().integer().clamp(bounds.0, bounds.1))
            })
            .collect();
        integers.extend_from_slice(&member);
        let used = c.offers.iter().map(|offer| {
            let starts = offer.capability.fixed_cost_cents > 0
                || (offer.capability.minimum_quantity > 0 && c.rules.active(RuleId::MinimumQuantity));
            let alone = c.candidates[offer.candidate].offers.len() == 1 && c.rules.active(RuleId::ActiveMember);
            if !starts || alone {
                return member[offer.candidate];
            }
            let used = variables.add(variable().binary());
            integers.push(used);
            used
        });
        let used = used.collect();
        let amount = |most: Quantity| {
            let definition = variable().clamp(0.0, units(most));
            if question.whole && most <= MOST_COUNTED { definition.integer() } else { definition }
        };
        let most = |edge: &Edge| match presence[c.offers[edge.offer].candidate] {
            Some(false) => 0,
            _ => c.most(edge),
        };
        let quantity: Vec<_> = c.edges.iter().map(|edge| variables.add(amount(most(edge)))).collect();
        let unmet: Vec<_> = c.cells.iter().map(|cell| variables.add(amount(cell.demand))).collect();
        if question.whole {
            let counted =
                c.edges.iter().map(most).zip(&quantity).chain(c.cells.iter().map(|cell| cell.demand).zip(&unmet));
            integers.extend(counted.filter(|(most, _)| *most <= MOST_COUNTED).map(|(_, variable)| *variable));
        }
        let size = variables.add(variable().clamp(0.0, units(c.candidates.len() as u64)));
        Self {
            variables,
            rows: Vec::new(),
            integers,
            member,
            used,
            quantity,
            unmet,
            size,
            spend: Expression::default(),
            objective: Expression::default(),
            services: None,
            works: BTreeMap::new(),
            presence,
            textbook: question.form == Form::Pairs,
        }
    }

    /// Adds a row.
    pub(crate) fn add(&mut self, row: Constraint) {
        self.rows.push(row);
    }

    /// `Σ_k x_kj + u_j = d_j`.
    fn balance(&mut self, c: &Compiled<'_>) {
        for (j, cell) in c.cells.iter().enumerate() {
            let mut served = Expression::from(self.unmet[j]);
            for &e in &cell.edges {
                if self.presence[c.offers[c.edges[e].offer].candidate] != Some(false) {
                    served += self.quantity[e];
                }
            }
            self.add(served.eq(units(cell.demand)));
        }
    }

    /// `x_kj ≤ q_kj z_k`, `z_k ≤ y_i`, `size = Σ y`.
    fn link(&mut self, c: &Compiled<'_>) {
        if self.textbook {
            self.link_weakly(c);
        } else {
            self.link_strongly(c);
        }
        for (k, offer) in c.offers.iter().enumerate() {
            let member = self.member[offer.candidate];
            if self.used[k] != member {
                self.add((self.used[k] - member).leq(0));
            }
        }
        let members: Expression = self.member.iter().sum();
        self.add((members - self.size).eq(0));
    }

    /// `Σ_j x_kj ≤ Q_k z_k`: one row per capability, with the most that it could carry altogether.
    fn link_weakly(&mut self, c: &Compiled<'_>) {
        for (k, offer) in c.offers.iter().enumerate() {
            let most: Quantity = offer.edges.clone().map(|e| c.most(&c.edges[e])).sum();
            let work: Expression = offer.edges.clone().map(|e| self.quantity[e]).sum();
            self.add((work - units(most) * self.used[k]).leq(0));
        }
    }

    fn link_strongly(&mut self, c: &Compiled<'_>) {
        for (e, edge) in c.edges.iter().enumerate() {
            let candidate = c.offers[edge.offer].candidate;
            // Where the use is settled, the bounds of the quantity, or its absence from every row, say as much.
            let settled = match self.presence[candidate] {
                Some(present) => !present || self.used[edge.offer] == self.member[candidate],
                None => false,
            };
            if !settled {
                self.add((self.quantity[e] - units(c.most(edge)) * self.used[edge.offer]).leq(0));
            }
        }
    }

    /// Cost of the services of a candidate.
    pub(crate) fn services_of(&self, c: &Compiled<'_>, candidate: usize) -> Expression {
        let mut own = Expression::default();
        for e in c.candidates[candidate].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
            own.add_mul(keur(c.edges[e].terms.unit_cost), self.quantity[e]);
        }
        own
    }

    /// Fixed costs of a candidate.
    pub(crate) fn fixed_of(&self, c: &Compiled<'_>, candidate: usize) -> Expression {
        let mut own = Expression::default();
        for o in c.candidates[candidate].offers.clone() {
            own.add_mul(keur(c.offers[o].capability.fixed_cost_cents), self.used[o]);
        }
        own
    }

    /// 1 exactly if a candidate delivers something for a lot.
    pub(crate) fn works(&mut self, c: &Compiled<'_>, candidate: usize, lot: usize) -> Variable {
        if let Some(&known) = self.works.get(&(candidate, lot)) {
            return known;
        }
        let works = self.delivers(c, candidate, |need| c.needs[need].lot == lot);
        self.works.insert((candidate, lot), works);
        works
    }

    /// A new variable: 1 exactly if a candidate delivers something for one of the needs that `counts`.
    pub(crate) fn delivers(&mut self, c: &Compiled<'_>, candidate: usize, counts: impl Fn(usize) -> bool) -> Variable {
        let delivers = self.variables.add(variable().binary());
        self.integers.push(delivers);
        let mut work = Expression::default();
        for e in c.candidates[candidate].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
            let edge = &c.edges[e];
            if counts(c.cells[edge.cell].need) {
                work += self.quantity[e];
                self.add((self.quantity[e] - units(c.most(edge)) * delivers).leq(0));
            }
        }
        self.add((work - delivers).geq(0));
        self.add((delivers - self.member[candidate]).leq(0));
        delivers
    }

    /// Cost of all services, as one variable.
    pub(crate) fn all_services(&mut self, c: &Compiled<'_>) -> Variable {
        if let Some(all) = self.services {
            return all;
        }
        let all = self.variables.add(variable().clamp(0.0, dearest(c)));
        let mut sum = -1.0 * all;
        for i in 0..c.candidates.len() {
            sum += self.services_of(c, i);
        }
        self.add(sum.eq(0));
        self.services = Some(all);
        all
    }

    /// What the question adds to the rules.
    fn ask(&mut self, c: &Compiled<'_>, question: &Question) {
        for consortium in &question.replaced {
            let members: Expression = consortium.iter().map(|&i| self.member[i]).sum();
            self.add(members.leq(units(consortium.len() as u64) - 1.0));
        }
        if let Some(need) = question.covered {
            for (j, _) in c.cells.iter().enumerate().filter(|(_, cell)| cell.need == need && !cell.edges.is_empty()) {
                self.add((self.unmet[j] * 1.0).leq(0));
            }
        }
        let mut missed = Expression::default();
        for (j, cell) in c.cells.iter().enumerate().filter(|(_, cell)| c.mandatory(cell)) {
            missed.add_mul(1000.0 / units(c.needs[cell.need].need.quantity), self.unmet[j]);
        }
        if let Some(most) = question.shortage {
            self.add(missed.clone().leq(most));
        }
        self.objective = match question.objective {
            Objective::Paid => self.spend.clone(),
            Objective::Euros => {
                let mut all = self.spend.clone();
                for (j, cell) in c.cells.iter().enumerate() {
                    all.add_mul(keur(c.needs[cell.need].need.unmet_cost_cents), self.unmet[j]);
                }
                all
            }
            Objective::Shortage => missed,
            Objective::Gaps => {
                let mut all = Expression::default();
                for (j, cell) in c.cells.iter().enumerate() {
                    all.add_mul(1000.0 / units(c.needs[cell.need].need.quantity), self.unmet[j]);
                }
                all
            }
            Objective::Any => Expression::default(),
            Objective::FewMembers => self.size.into(),
            Objective::ManyMembers => -1.0 * self.size,
        };
    }
}

/// No consortium is paid more for its services.
pub(crate) fn dearest(c: &Compiled<'_>) -> f64 {
    let highest =
        |cell: &crate::compile::Cell| cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
    c.cells.iter().map(|cell| keur(highest(cell)) * units(cell.demand)).sum()
}
