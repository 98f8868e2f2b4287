//! The model of a call kept in HiGHS for many questions about it, in two copies: with divisible quantities, whose optimum is fast
//! and bounds everything, and with whole ones, which settle what is proposed.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use good_lp::Expression;

use super::measure::{Handles, Measure, Weights, unit, whole_bound};
use crate::backend::{Backend, Found, Outcome, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, keur, units};
use crate::model::Cents;
use crate::propose::{self, Draft};

/// A row of both copies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    divisible: i32,
    whole: i32,
}

/// The two copies. Their variables are the same: only the kind of the quantities differs.
pub(crate) struct Master<'m, 'a, 'o> {
    pub(crate) c: &'m Compiled<'a>,
    pub(crate) backend: &'m Backend<'o>,
    pub(crate) weights: Rc<Weights>,
    f: Formulation,
    handles: Handles,
    divisible: Session,
    whole: Session,
    limits: BTreeMap<Measure, (Row, Option<Cents>)>,
    patience: Option<i32>,
    /// Somebody who is kept out.
    absent: Option<usize>,
}

/// What is minimised.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    pub(crate) measure: Measure,
    /// A small cost term: what a thousand euros spent weigh, in units of the model, and the most that the term may come to.
    pub(crate) thrift: Option<(f64, f64)>,
}

impl From<Measure> for Goal {
    fn from(measure: Measure) -> Self {
        Self { measure, thrift: None }
    }
}

/// The best of a measure.
pub(crate) struct Best {
    pub(crate) draft: Draft,
    pub(crate) value: Cents,
    /// Nothing that the rows allow is below.
    pub(crate) bound: Cents,
    /// Whether the two meet within the gap.
    pub(crate) optimal: bool,
}

/// What a search came to.
pub(crate) enum Sought {
    Found(Box<Best>),
    /// Proven: nothing satisfies the rows.
    Infeasible,
    /// The limit came first.
    Unknown,
}

/// What an objective holds beside the value that it is about.
struct Term<'t> {
    /// Never more.
    most: f64,
    of: &'t dyn Fn(&Draft) -> f64,
}

impl<'m, 'a, 'o> Master<'m, 'a, 'o> {
    /// Builds both copies with the variables of the measures named. `None` where HiGHS refuses them or there is no candidate.
    pub(crate) fn open(c: &'m Compiled<'a>, backend: &'m Backend<'o>, wanted: &[Measure]) -> Option<Self> {
        if c.candidates.is_empty() {
            return None;
        }
        let weights = Rc::new(Weights::new(c));
        let open = |whole: bool| {
            let mut f = Formulation::new(c, &Question { whole, ..Question::minimise(Objective::Euros) });
            let handles = weights.prepare(c, &mut f, wanted);
            let session = backend.open_call(c, &mut f, Objective::Euros)?;
            Some((f, handles, session))
        };
        let (f, handles, divisible) = open(false)?;
        let (_, _, whole) = open(true)?;
        Some(Self {
            c,
            backend,
            weights,
            f,
            handles,
            divisible,
            whole,
            limits: BTreeMap::new(),
            patience: None,
            absent: None,
        })
    }

    /// Adds `least ≤ expression ≤ most`. `None` where HiGHS refuses it.
    fn row(&mut self, expression: &Expression, least: f64, most: f64) -> Option<Row> {
        let divisible = self.divisible.add_row(expression.clone(), least, most)?;
        let whole = self.whole.add_row(expression.clone(), least, most)?;
        Some(Row { divisible, whole })
    }

    /// Σ coefficient · member between the two.
    pub(crate) fn members_row(&mut self, terms: &BTreeMap<usize, f64>, least: f64, most: f64) -> Option<Row> {
        let mut sum = Expression::default();
        for (&i, &coefficient) in terms {
            sum.add_mul(coefficient, self.f.member[i]);
        }
        self.row(&sum, least, most)
    }

    /// At most so many of these are members.
    pub(crate) fn at_most(&mut self, most: usize, members: &BTreeSet<usize>) -> Option<Row> {
        let terms = members.iter().map(|&i| (i, 1.0)).collect();
        self.members_row(&terms, f64::NEG_INFINITY, units(most as u64))
    }

    /// Changes the right side of a row of the kind "at most".
    pub(crate) fn change(&mut self, row: Row, most: f64) {
        self.divisible.bound_row(row.divisible, f64::NEG_INFINITY, most);
        self.whole.bound_row(row.whole, f64::NEG_INFINITY, most);
    }

    /// Keeps a measure at or below a value from now on; sets it free where there is none. `None` where HiGHS refuses it.
    pub(crate) fn limit(&mut self, measure: Measure, most: Option<Cents>) -> Option<()> {
        // Down to the last possible value; a third of the way to the next one cannot admit it, and keeps rounding errors out.
        let grain = self.weights.grain(self.c, measure);
        #[allow(clippy::cast_precision_loss)]
        let bound = |most: Cents| ((most - most.rem_euclid(grain)) as f64 + 0.3) * unit(measure);
        let bound = most.map_or(f64::INFINITY, bound);
        match self.limits.get(&measure).map(|(row, _)| *row) {
            Some(row) => {
                // The row leaves the constant of the expression out.
                let constant = self.constant(measure);
                self.change(row, bound - constant);
                self.limits.insert(measure, (row, most));
            }
            None if most.is_some() => {
                let expression = self.expression(measure);
                let row = self.row(&expression, f64::NEG_INFINITY, bound)?;
                self.limits.insert(measure, (row, most));
            }
            None => {}
        }
        Some(())
    }

    /// Every mandatory cell keeps capacity enough after any one loss: the rows that do not depend on how capacity is shared.
    pub(crate) fn demand_spare_capacity(&mut self) {
        for (j, &safe) in self.weights.mandatory().zip(&self.handles.safe) {
            let demand = units(self.c.cells[j].demand);
            self.divisible.bound(safe, demand, demand);
            self.whole.bound(safe, demand, demand);
        }
    }

    /// Limits the nodes of the search tree where whole quantities stand in the way of a proof, or sets them free. A front has many
    /// points, and such a proof is about the price of one unit.
    pub(crate) fn patience(&mut self, nodes: Option<i32>) {
        self.patience = nodes;
    }

    fn expression(&self, measure: Measure) -> Expression {
        self.weights.expression(self.c, &self.f, &self.handles, measure)
    }

    fn constant(&self, measure: Measure) -> f64 {
        use good_lp::IntoAffineExpression;
        self.expression(measure).constant()
    }

    /// The best of a goal: first with divisible quantities, which bounds it; then whole quantities for the members found; and where
    /// the two differ by more than the gap, whole quantities altogether.
    pub(crate) fn best(&mut self, goal: impl Into<Goal>) -> Sought {
        let goal = goal.into();
        let mut objective = self.expression(goal.measure);
        if let Some((weight, _)) = goal.thrift {
            objective += self.f.spend.clone() * weight;
        }
        self.minimise(&objective, matches!(goal.measure, Measure::Euros | Measure::Paid));
        self.seek(goal)
    }

    /// Minimises the number of members, counted once for each of these sets that they are in. The value is that number.
    pub(crate) fn least_shared(&mut self, sets: &[BTreeSet<usize>]) -> Sought {
        let mut shared = Expression::default();
        for &i in sets.iter().flatten() {
            shared.add_mul(1.0, self.f.member[i]);
        }
        self.minimise(&shared, false);
        let count = |draft: &Draft| sets.iter().map(|set| whole(set.intersection(&draft.members).count())).sum();
        self.settle(1.0, 1, &Term { most: 0.0, of: &|_| 0.0 }, &count)
    }

    fn minimise(&mut self, objective: &Expression, money: bool) {
        self.divisible.minimise(objective.clone(), money);
        self.whole.minimise(objective.clone(), money);
    }

    fn seek(&mut self, goal: Goal) -> Sought {
        let (c, weights) = (self.c, Rc::clone(&self.weights));
        let value = |draft: &Draft| weights.value(c, goal.measure, draft);
        let (weight, most) = goal.thrift.unwrap_or_default();
        let thrift = |draft: &Draft| weight * keur(draft.proposal.costs.total_cents);
        let grain = weights.grain(c, goal.measure);
        self.settle(unit(goal.measure), grain, &Term { most, of: &thrift }, &value)
    }

    /// Solves both copies as far as needed.
    fn settle(&mut self, unit: f64, grain: Cents, term: &Term<'_>, value: &dyn Fn(&Draft) -> Cents) -> Sought {
        let relaxed = match self.run(false) {
            Outcome::Found(found) => found,
            Outcome::Infeasible => return Sought::Infeasible,
            Outcome::Unknown => return Sought::Unknown,
        };
        let mut bound = whole_bound(relaxed.bound - term.most, unit, grain);
        self.fix(Some(&relaxed.members));
        let fixed = self.run(true);
        self.fix(None);
        let mut best = self.accept(&fixed, value);
        let met = best.as_ref().is_some_and(|(value, draft)| {
            self.meets(*value, whole_bound(relaxed.bound - (term.of)(draft), unit, grain))
        });
        if !met {
            self.whole.set("mip_max_nodes", self.patience.unwrap_or(i32::MAX));
            let again = self.run(true);
            self.whole.set("mip_max_nodes", i32::MAX);
            if let Outcome::Found(found) = &again {
                bound = bound.max(whole_bound(found.bound - term.most, unit, grain));
            }
            if matches!(again, Outcome::Infeasible) && best.is_none() {
                return Sought::Infeasible;
            }
            let weighed =
                |(value, draft): &(Cents, Draft)| whole_bound((term.of)(draft), unit, 1).saturating_add(*value);
            best = best.into_iter().chain(self.accept(&again, value)).min_by_key(weighed);
        }
        // Out of time before whole quantities were found: the rounded ones, if they pass.
        let best = best.or_else(|| self.accept(&Outcome::Found(relaxed), value));
        match best {
            Some((value, draft)) => {
                let optimal = self.meets(value, bound);
                Sought::Found(Box::new(Best { draft, value, bound: bound.min(value), optimal }))
            }
            None => Sought::Unknown,
        }
    }

    fn run(&mut self, whole: bool) -> Outcome {
        if self.backend.expired() {
            return Outcome::Unknown;
        }
        let session = if whole { &mut self.whole } else { &mut self.divisible };
        self.backend.run(session, &self.f).unwrap_or(Outcome::Unknown)
    }

    /// Keeps a candidate out, or lets it in again.
    pub(crate) fn absent(&mut self, candidate: usize, absent: bool) {
        self.absent = absent.then_some(candidate);
        let (least, most) = self.presence(candidate);
        self.divisible.bound(self.f.member[candidate], least, most);
        self.whole.bound(self.f.member[candidate], least, most);
    }

    /// The bounds of a candidate's membership.
    fn presence(&self, candidate: usize) -> (f64, f64) {
        let most = if self.absent == Some(candidate) { 0.0 } else { 1.0 };
        (f64::from(self.c.candidates[candidate].locked_in).min(most), most)
    }

    /// Fixes the members of the copy with whole quantities, or sets them free.
    fn fix(&mut self, members: Option<&BTreeSet<usize>>) {
        let change = |i: usize| {
            let (least, most) = match members {
                Some(members) => (f64::from(members.contains(&i)), f64::from(members.contains(&i))),
                None => self.presence(i),
            };
            (self.f.member[i], least, most)
        };
        let changes: Vec<_> = (0..self.c.candidates.len()).map(change).collect();
        self.whole.bounds(&changes);
    }

    /// The draft of a solution, if it passes the checker and keeps every limit exactly.
    fn accept(&self, outcome: &Outcome, value: &dyn Fn(&Draft) -> Cents) -> Option<(Cents, Draft)> {
        let Outcome::Found(found) = outcome else { return None };
        let draft = self.draft(found);
        let within = |(&measure, &(_, most)): (&Measure, &(Row, Option<Cents>))| {
            most.is_none_or(|most| self.weights.value(self.c, measure, &draft) <= most)
        };
        let kept = draft.proposal.proof.verified && self.limits.iter().all(within);
        kept.then(|| (value(&draft), draft))
    }

    fn draft(&self, found: &Found) -> Draft {
        propose::draft(self.c, &Question::minimise(Objective::Euros), found)
    }

    /// Whether a value is proven best within the gap asked for.
    fn meets(&self, value: Cents, bound: Cents) -> bool {
        let gap = i128::from(value - bound.min(value));
        gap * 1_000_000 <= i128::from(value) * i128::from(self.c.options.gap_ppm)
    }
}

/// A count as a value.
fn whole(count: usize) -> Cents {
    Cents::try_from(count).unwrap_or(Cents::MAX)
}
