//! Column generation for portfolios of many calls (Dantzig and Wolfe, 1960, by call).
//!
//! A column is a whole consortium for one call. The master problem chooses at most one for each call; the duals of its rows are prices
//! of what the calls share; at these prices each call alone looks for its best consortium, which is a new column if it pays.
//! Whatever the prices, the best of all calls alone plus the value of what is shared is a bound on all plans (Lagrangian
//! relaxation; Geoffrion, 1974). Each call is a whole-number problem there, so that the bound is that of the convex hulls of all calls.
//! Prices are taken between those of the best bound and those of the master problem (Wentges, 1997).

mod master;
mod pool;
mod pricing;
mod serve;

use std::collections::BTreeSet;

use master::{Master, Relaxed};
use pool::Pool;
use pricing::{Pricer, constant, cost_weight};

use super::plan::{Plan, unanswered};
use super::stage::Stage;
use crate::backend::Backend;
use crate::formulate::keur;
use crate::propose::bound_cents;

/// Rounds of pricing.
const ROUNDS: usize = 80;
/// How far prices stay with those of the best bound.
const SMOOTHING: f64 = 0.7;
/// Simplex iterations for one call at one price, and for the choice of columns.
const PRICING_WORK: u64 = 50_000;
const CHOICE_WORK: u64 = 20_000;
/// The bound is as good as that of the last round if it is within this part of it, in parts per million.
const CLOSE_PPM: u32 = 200;
/// Calls are searched to this part of the gap between bound and master problem, and to this relative gap at least.
const PRECISION: f64 = 5.0;
const COARSEST: f64 = 0.01;
/// Of the time left, the part that is kept for the choice of columns and what follows, in percent.
const RESERVE: u32 = 40;

/// What column generation gives.
pub(super) struct Generated {
    pub(super) plan: Plan,
    /// No plan is below; −∞ where nothing is proven.
    pub(super) bound: f64,
    /// Prices of the rows at the best bound.
    pub(super) prices: Vec<f64>,
    /// By call, who is a member of some column.
    pub(super) members: Vec<BTreeSet<usize>>,
}

/// Column generation under way.
struct Generation<'g, 'o> {
    stage: &'g Stage<'g>,
    backend: &'g Backend<'o>,
    pricers: Vec<Option<Pricer>>,
    pool: Pool,
    master: Master,
    bound: f64,
    /// Prices of the best bound.
    center: Vec<f64>,
}

/// Prices what the calls share from the columns of some plans, and chooses among all columns found.
pub(super) fn generate(stage: &Stage<'_>, backend: &Backend<'_>, plans: &[Plan], best: Plan) -> Generated {
    let none = |plan| Generated {
        plan,
        bound: f64::NEG_INFINITY,
        prices: vec![0.0; stage.rows.list.len()],
        members: vec![BTreeSet::new(); stage.calls.len()],
    };
    let Some(mut generation) = Generation::open(stage, backend) else { return none(best) };
    for plan in plans {
        generation.pool.add_plan(stage, plan);
    }
    generation.pool.add_plan(stage, &best);
    if generation.fill().is_none() {
        return none(best);
    }
    generation.run(&best);
    let best = generation.serve(best);
    let plan = generation.choose(best);
    let mut members = vec![BTreeSet::new(); stage.calls.len()];
    for column in &generation.pool.columns {
        members[column.call].extend(&column.members);
    }
    Generated { plan, bound: generation.bound, prices: generation.center, members }
}

/// What any prices prove.
#[cfg(test)]
pub(super) fn bound_at(stage: &Stage<'_>, backend: &Backend<'_>, prices: &[f64]) -> f64 {
    let Some(mut generation) = Generation::open(stage, backend) else { return f64::NEG_INFINITY };
    generation.price(prices);
    generation.bound
}

impl<'g, 'o> Generation<'g, 'o> {
    /// No columns yet. `None` where HiGHS refuses the model.
    fn open(stage: &'g Stage<'g>, backend: &'g Backend<'o>) -> Option<Self> {
        let pricer = |call: usize| Pricer::open(&stage.calls[call], &stage.rows, call, backend);
        Some(Self {
            stage,
            backend,
            pricers: (0..stage.calls.len()).map(pricer).collect(),
            pool: Pool::default(),
            master: Master::open(stage, backend)?,
            bound: f64::NEG_INFINITY,
            center: vec![0.0; stage.rows.list.len()],
        })
    }

    /// Hands new columns on to the master problem.
    fn fill(&mut self) -> Option<()> {
        self.pool.columns[self.master.len()..].iter().try_for_each(|column| self.master.add(self.stage, column))
    }

    /// Rounds of pricing until the bound meets the master problem or the best plan, or nothing pays, or a limit comes.
    fn run(&mut self, best: &Plan) {
        let control = &self.backend.control;
        let reserve = control.remaining() * RESERVE / 100;
        let value = self.stage.value(best);
        // The best of each call alone: what is shared has no price.
        self.price(&self.center.clone());
        let mut smoothing = SMOOTHING;
        for _ in 0..ROUNDS {
            if control.expired() || control.remaining() < reserve || self.stage.meets(value, bound_cents(self.bound)) {
                return;
            }
            let Some(relaxed) = self.master.relax(self.stage, control) else { return };
            self.sharpen((relaxed.value - self.bound) / relaxed.value.abs().max(1e-9));
            if relaxed.value - self.bound
                <= relaxed.value.abs() * f64::from((self.stage.options.gap_ppm / 2).max(CLOSE_PPM)) / 1e6
            {
                return;
            }
            let between = |(center, own): (&f64, &f64)| smoothing * center + (1.0 - smoothing) * own;
            let prices: Vec<f64> = self.center.iter().zip(&relaxed.rows).map(between).collect();
            let first = self.pool.columns.len();
            self.price(&prices);
            let pays = self.pool.columns[first..].iter().any(|column| self.reduced_cost(column, &relaxed) < -1e-9);
            if !pays && smoothing == 0.0 {
                return;
            }
            smoothing = if pays {
                SMOOTHING
            } else if smoothing < 0.2 {
                0.0
            } else {
                smoothing / 2.0
            };
        }
    }

    /// Searches calls as precisely as the bound is worth it: a part of its relative gap.
    fn sharpen(&mut self, gap: f64) {
        let asked = f64::from(self.stage.options.gap_ppm) / 1e6;
        for pricer in self.pricers.iter_mut().flatten() {
            pricer.sharpen((gap / PRECISION).clamp(asked, COARSEST.max(asked)));
        }
    }

    /// What one more of a column changes the master problem by.
    fn reduced_cost(&self, column: &pool::Column, relaxed: &Relaxed) -> f64 {
        let used: f64 = column.usage.iter().map(|&(row, used)| relaxed.rows[row] * used).sum();
        self.stage.rows.weight * column.cost - used - relaxed.calls[column.call]
    }

    /// Every call alone at these prices: new columns, and perhaps a better bound.
    fn price(&mut self, prices: &[f64]) {
        let rows = &self.stage.rows;
        let weight = cost_weight(rows, prices);
        let mut bound = constant(rows, prices);
        for call in 0..self.stage.calls.len() {
            let alone = weight * keur(unanswered(&self.stage.calls[call]));
            bound += alone.min(self.price_one(call, prices).0);
        }
        if bound > self.bound {
            self.bound = bound;
            self.center = prices.to_vec();
        }
        // What HiGHS refuses is only missing.
        let _ = self.fill();
    }

    /// One call alone at these prices: what none is below, and the column of the best one found.
    fn price_one(&mut self, call: usize, prices: &[f64]) -> (f64, Option<usize>) {
        let Some(model) = &mut self.pricers[call] else {
            // Nobody can take part; or HiGHS has refused the model, and nothing is known.
            let nobody = self.stage.calls[call].candidates.is_empty();
            return (if nobody { f64::INFINITY } else { f64::NEG_INFINITY }, None);
        };
        let control = self.backend.control.part(PRICING_WORK);
        let answer = model.price(&self.stage.rows, call, prices, &control);
        self.backend.control.absorb(&control);
        let column = answer.found.and_then(|found| self.pool.add_found(self.stage, call, &found));
        (answer.bound, column)
    }

    /// The best choice among all columns, if it is better.
    fn choose(&mut self, best: Plan) -> Plan {
        let start = self.pool.add_plan(self.stage, &best);
        if self.fill().is_none() {
            return best;
        }
        let control = self.backend.control.part(CHOICE_WORK);
        let choice = self.master.choose(&self.pool.columns, &start, &control);
        self.backend.control.absorb(&control);
        let plan = choice.map(|choice| self.pool.plan(self.stage, &choice)).filter(|plan| self.stage.keeps(plan));
        plan.filter(|plan| self.stage.value(plan) < self.stage.value(&best)).unwrap_or(best)
    }
}
