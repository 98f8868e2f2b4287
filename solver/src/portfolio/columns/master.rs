//! The master problem: one consortium for each call out of those found so far, or none, under the rows on what calls share.

use good_lp::{Expression, Variable, variable};

use super::pool::Column;
use crate::backend::{Backend, Index, Session, Solved};
use crate::control::Control;
use crate::formulate::{Formulation, Objective, keur};
use crate::portfolio::plan::unanswered;
use crate::portfolio::stage::Stage;

/// The master problem in HiGHS, which grows by columns.
pub(super) struct Master {
    session: Session,
    calls: usize,
    /// By column of the pool.
    columns: Vec<Index>,
    /// By call.
    unanswered: Vec<Variable>,
}

/// The relaxation of the master problem.
pub(super) struct Relaxed {
    /// Its optimum.
    pub(super) value: f64,
    /// By row of the stage: what one unit more of it changes the optimum by.
    pub(super) rows: Vec<f64>,
    /// By call: what it costs, with what it uses at the prices of the rows.
    pub(super) calls: Vec<f64>,
}

impl Master {
    /// A master problem without columns. `None` where HiGHS refuses it.
    pub(super) fn open(stage: &Stage<'_>, backend: &Backend<'_>) -> Option<Self> {
        let rows = &stage.rows;
        let mut f = Formulation::empty();
        let unanswered_cost: Vec<f64> = stage.calls.iter().map(|c| keur(unanswered(c))).collect();
        let unanswered: Vec<Variable> =
            stage.calls.iter().map(|_| f.variables.add(variable().integer().min(0))).collect();
        f.integers.extend(&unanswered);
        let shared: Vec<Variable> =
            rows.shared.iter().map(|shared| f.variables.add(variable().clamp(0.0, shared.most))).collect();
        for &call in &unanswered {
            f.add((call * 1.0).eq(1));
        }
        for row in &rows.list {
            let mut sum = Expression::from(-row.most);
            for &(own, each) in &row.shared {
                sum.add_mul(each, shared[own]);
            }
            for (&call, cost) in unanswered.iter().zip(&unanswered_cost).filter(|_| row.cost != 0.0) {
                sum.add_mul(row.cost * cost, call);
            }
            f.add(if row.equal { sum.eq(0) } else { sum.leq(0) });
        }
        for (&call, cost) in unanswered.iter().zip(&unanswered_cost) {
            f.objective.add_mul(rows.weight * cost, call);
        }
        for (shared, &own) in rows.shared.iter().zip(&shared) {
            f.objective.add_mul(shared.price, own);
        }
        let mut session = backend.open(&mut f, Objective::Euros)?;
        session.relax(true);
        Some(Self { session, calls: stage.calls.len(), columns: Vec::new(), unanswered })
    }

    /// How many columns of the pool it has: the first ones.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Adds a column of the pool, which come in their order. `None` where HiGHS refuses it.
    pub(super) fn add(&mut self, stage: &Stage<'_>, column: &Column) -> Option<()> {
        let row = |at: usize| Index::try_from(at).ok();
        let mut rows = vec![(row(column.call)?, 1.0)];
        for &(at, used) in &column.usage {
            rows.push((row(self.calls + at)?, used));
        }
        let index = self.session.add_count(stage.rows.weight * column.cost, &rows)?;
        self.columns.push(index);
        Some(())
    }

    /// Solves the relaxation. `None` where a limit comes first.
    pub(super) fn relax(&mut self, stage: &Stage<'_>, control: &Control<'_>) -> Option<Relaxed> {
        let solved = self.session.solve(control).filter(|solved| solved.bound.is_finite() && solved.found())?;
        let dual = |at: usize| Index::try_from(at).map_or(0.0, |row| solved.dual(row));
        // An inequality has no positive dual, but for rounding.
        let of_row = |(at, row): (usize, &crate::portfolio::rows::Row)| {
            let price = dual(self.calls + at);
            if row.equal { price } else { price.min(0.0) }
        };
        Some(Relaxed {
            value: solved.objective,
            rows: stage.rows.list.iter().enumerate().map(of_row).collect(),
            calls: (0..self.calls).map(dual).collect(),
        })
    }

    /// The best choice of columns, from a choice to start with: by call, a column of the pool. `None` where nothing is found.
    pub(super) fn choose(
        &mut self,
        pool: &[Column],
        start: &[Option<usize>],
        control: &Control<'_>,
    ) -> Option<Vec<Option<usize>>> {
        self.session.relax(false);
        let mut values: Vec<(Index, f64)> = self.columns.iter().map(|&index| (index, 0.0)).collect();
        for (&variable, own) in self.unanswered.iter().zip(start) {
            if let Some(index) = self.session.column(variable) {
                values.push((index, f64::from(own.is_none())));
            }
        }
        for at in start.iter().flatten() {
            values[*at].1 = 1.0;
        }
        self.session.start_at(&values);
        let solved = self.session.solve(control);
        self.session.relax(true);
        let solved = solved.filter(Solved::found)?;
        let mut choice = vec![None; self.calls];
        for (at, column) in pool.iter().enumerate().filter(|(at, _)| solved.at(self.columns[*at]) > 0.5) {
            choice[column.call] = Some(at);
        }
        Some(choice)
    }
}
