//! The small linear programs of the nucleolus.

use highs::{HighsModelStatus, RowProblem, Sense};

use super::{Coalition, members};

/// A solution: payoffs, the least satisfaction, and the weight (dual) of each coalition's row.
pub(super) struct Solution {
    pub(super) payoff: Vec<f64>,
    pub(super) least: f64,
    pub(super) weight: Vec<f64>,
}

/// Maximises the least satisfaction `e` under `x(S) = t` for the settled coalitions and `x(S) − e ≥ v(S)` for the open ones.
/// `None` where HiGHS fails. Values are of the order of one.
pub(super) fn maximise_least(
    players: usize,
    settled: &[(Coalition, f64)],
    open: &[(Coalition, f64)],
) -> Option<Solution> {
    let mut problem = RowProblem::default();
    let payoff: Vec<_> = (0..players).map(|_| problem.add_column(0.0, f64::NEG_INFINITY..f64::INFINITY)).collect();
    // Bounded, so that a program with too few rows has an optimum as well.
    let least = problem.add_column(1.0, -1e3..1e3);
    for &(coalition, total) in settled {
        let row: Vec<_> = members(coalition).map(|i| (payoff[i], 1.0)).collect();
        problem.add_row(total..=total, &row);
    }
    for &(coalition, value) in open {
        let row: Vec<_> = members(coalition).map(|i| (payoff[i], 1.0)).chain([(least, -1.0)]).collect();
        problem.add_row(value.., &row);
    }
    let mut model = problem.try_optimise(Sense::Maximise).ok()?;
    model.try_set_option("output_flag", false).ok()?;
    model.try_set_option("threads", 1).ok()?;
    model.try_set_option("primal_feasibility_tolerance", 1e-9).ok()?;
    model.try_set_option("dual_feasibility_tolerance", 1e-9).ok()?;
    let solved = model.try_solve().ok()?;
    if solved.status() != HighsModelStatus::Optimal {
        return None;
    }
    let solution = solved.get_solution();
    let (columns, duals) = (solution.columns(), solution.dual_rows());
    Some(Solution {
        payoff: columns.get(..players)?.to_vec(),
        least: *columns.get(players)?,
        weight: duals.get(settled.len()..)?.iter().map(|dual| dual.abs()).collect(),
    })
}
