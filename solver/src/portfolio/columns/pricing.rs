//! The consortium for one call that is best at given prices of what the calls share.

use good_lp::Expression;

use crate::backend::{Backend, End, Found, Index, Session, found};
use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective, Question};
use crate::portfolio::rows::{Part, Rows};

/// The model of one call, kept for many prices.
pub(super) struct Pricer {
    formulation: Formulation,
    session: Session,
    /// Rows of the stage with those of the model that hold the call to what is left of them.
    limits: Vec<(usize, Index)>,
}

/// What a price gives.
pub(super) struct Priced {
    /// The best consortium found.
    pub(super) found: Option<Found>,
    /// None costs less, with what it uses; ∞ where there is none, −∞ where nothing is proven.
    pub(super) bound: f64,
}

impl Pricer {
    /// `None` where nobody can take part or HiGHS refuses the model.
    pub(super) fn open(c: &Compiled<'_>, rows: &Rows, call: usize, backend: &Backend<'_>) -> Option<Self> {
        if c.candidates.is_empty() {
            return None;
        }
        let mut formulation = Formulation::new(c, &Question::minimise(Objective::Euros));
        let mut session = backend.open(&mut formulation, Objective::Euros)?;
        // Its effort is that of a first solution to a new model; these models are solved again and again.
        session.set("mip_heuristic_run_feasibility_jump", false);
        let mut limits = Vec::new();
        for &r in rows.of[call].iter().filter(|&&r| rows.list[r].limits_each()) {
            let used = used(&formulation, &rows.list[r].parts[&call], 1.0);
            limits.push((r, session.add_row(used, f64::NEG_INFINITY, rows.list[r].most)?));
        }
        Some(Self { formulation, session, limits })
    }

    /// Solves the model of a call at these prices of the rows, which are the duals of the master problem.
    pub(super) fn price(&mut self, rows: &Rows, call: usize, duals: &[f64], control: &Control<'_>) -> Priced {
        let f = &self.formulation;
        let weight = cost_weight(rows, duals);
        let mut objective = f.objective.clone() * weight;
        for &r in &rows.of[call] {
            if duals[r] != 0.0 {
                objective += used(f, &rows.list[r].parts[&call], -duals[r]);
            }
        }
        self.session.minimise(objective, true);
        let Some(solved) = (!control.expired()).then(|| self.session.solve(control)).flatten() else {
            return Priced { found: None, bound: f64::NEG_INFINITY };
        };
        let bound = if solved.end == End::Infeasible { f64::INFINITY } else { solved.bound };
        Priced { found: solved.found().then(|| found(&self.session, f, &solved)), bound }
    }

    /// Searches to this relative gap from now on.
    pub(super) fn sharpen(&mut self, gap: f64) {
        self.session.set("mip_rel_gap", gap);
    }

    /// What is left of each row for this call alone.
    pub(super) fn leave(&mut self, left: &[f64]) {
        for &(r, row) in &self.limits {
            self.session.bound_row(row, f64::NEG_INFINITY, left[r].max(0.0));
        }
    }
}

/// What a call counts in a row, times a factor.
fn used(f: &Formulation, part: &Part, factor: f64) -> Expression {
    let mut used = Expression::default();
    for &(e, each) in &part.edges {
        used.add_mul(factor * each, f.quantity[e]);
    }
    for &(i, each) in &part.members {
        used.add_mul(factor * each, f.member[i]);
    }
    used
}

/// What a thousand euros of the cost of a call count at these prices.
pub(super) fn cost_weight(rows: &Rows, duals: &[f64]) -> f64 {
    rows.weight - rows.list.iter().zip(duals).map(|(row, dual)| row.cost * dual).sum::<f64>()
}

/// The part of the Lagrangian bound that belongs to no call: the limits of the rows at their prices, and shared variables at
/// their best.
pub(super) fn constant(rows: &Rows, duals: &[f64]) -> f64 {
    let limits: f64 = rows.list.iter().zip(duals).map(|(row, dual)| row.most * dual).sum();
    let mut reduced: Vec<f64> = rows.shared.iter().map(|shared| shared.price).collect();
    for (row, dual) in rows.list.iter().zip(duals) {
        for &(own, each) in &row.shared {
            reduced[own] -= dual * each;
        }
    }
    let shared: f64 = rows.shared.iter().zip(reduced).map(|(own, cost)| cost.min(0.0) * own.most).sum();
    limits + shared
}
