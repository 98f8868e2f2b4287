//! Whole numbers with as little search as they need.

use highs_sys::{kHighsVarTypeContinuous, kHighsVarTypeInteger};

use super::{End, Index, Session, Solved};
use crate::control::Control;

/// Columns up to which a relaxation costs next to nothing beside a search.
const SMALL: usize = 1_000;

/// How often quantities that come out in parts are declared whole before all are.
const ROUNDS: usize = 8;

/// How far from a whole number a quantity is in parts.
const IN_PARTS: f64 = 1e-6;

impl Session {
    /// Solves as [`Session::solve`], but declares a quantity whole only once it has come out in parts: few ever do, and with many whole
    /// quantities HiGHS spends most of its time on their ranges (its fixing by reduced costs at the root is quadratic in them).
    /// What has been declared stays so. Bounds hold for the problem, since divisible quantities allow more. Do not mix with
    /// [`Session::solve`] on one session.
    pub(crate) fn solve_counting(&mut self, control: &Control<'_>) -> Option<Solved> {
        if !self.counted.is_empty() {
            self.divisible = std::mem::take(&mut self.counted);
            self.declare(&self.divisible.clone(), kHighsVarTypeContinuous);
            let counted = std::mem::take(&mut self.integers).into_iter();
            self.integers = counted.filter(|column| self.divisible.binary_search(column).is_err()).collect();
        }
        for _ in 0..ROUNDS {
            let solved = self.solve_relaxed_first(control)?;
            let parts = |&column: &Index| (solved.at(column) - solved.at(column).round()).abs() > IN_PARTS;
            let found: Vec<Index> = self.divisible.iter().copied().filter(parts).collect();
            if solved.end != End::Optimal || found.is_empty() {
                return Some(solved);
            }
            self.count(&found);
        }
        self.count(&self.divisible.clone());
        self.solve_relaxed_first(control)
    }

    /// Declares quantities whole.
    fn count(&mut self, columns: &[Index]) {
        self.declare(columns, kHighsVarTypeInteger);
        self.divisible.retain(|column| columns.binary_search(column).is_err());
        self.integers.extend_from_slice(columns);
        self.integers.sort_unstable();
    }

    /// Solves as [`Session::solve`], a small model as a relaxation first: with strong links that often is whole already, and then it
    /// is the optimum; where it has no solution, the model has none.
    fn solve_relaxed_first(&mut self, control: &Control<'_>) -> Option<Solved> {
        if self.linear() || self.columns.len() > SMALL {
            return self.solve(control);
        }
        self.relax(true);
        self.precise(true);
        let relaxed = self.solve(control);
        let settled = match &relaxed {
            Some(solved) if solved.end == End::Infeasible => true,
            Some(solved) => solved.end == End::Optimal && self.whole(solved),
            None => false,
        };
        self.precise(false);
        self.relax(false);
        if settled {
            self.start.clear();
            return relaxed;
        }
        self.solve(control)
    }

    /// Whether every variable that must be whole is, as exactly as arithmetic allows.
    fn whole(&self, solved: &Solved) -> bool {
        let value = |&column: &Index| usize::try_from(column).ok().and_then(|column| solved.values.get(column));
        self.integers.iter().filter_map(value).all(|value| (value - value.round()).abs() <= 1e-9)
    }

    /// Tolerances of linear programs: where a relaxation is the answer, its error is that of the answer.
    fn precise(&mut self, precise: bool) {
        for option in ["primal_feasibility_tolerance", "dual_feasibility_tolerance"] {
            self.set(option, if precise { 1e-9 } else { 1e-7 });
        }
    }
}
